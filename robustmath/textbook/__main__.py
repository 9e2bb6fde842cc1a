"""``python -m robustmath.textbook krum``: print the definition, and those it rests on."""

import argparse
import sys

from robustmath import textbook
from robustmath.textbook.printed import definition

if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m robustmath.textbook",
        description="Print definitions, and those they rest on.",
        epilog="Definitions: " + ", ".join(textbook.__all__),
    )
    parser.add_argument("names", nargs="+", metavar="NAME", help="such as krum")
    try:
        print(definition(*parser.parse_args().names))
    except ValueError as error:
        sys.exit(str(error))
