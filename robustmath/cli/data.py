"""``robustmath data``: say where the data sets are, or download them."""

from __future__ import annotations

import argparse
import sys

from robustmath.cli._arguments import Refusal, choice
from robustmath.learning.data.sources import CATALOGUE


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> add(parser.add_subparsers())
    >>> parser.parse_args(["data", "where"]).action
    'where'
    """
    command = commands.add_parser(
        "data",
        help="say where the data are, or download them",
        description="The data folder is $ROBUSTMATH_DATA, else the user's cache folder.",
    )
    actions = command.add_subparsers(dest="action", metavar="action", required=True)
    where = actions.add_parser("where", help="print the data folder and what is in it")
    where.set_defaults(carry_out=_where)
    fetch = actions.add_parser("download", help="fetch a data set, checked, into the data folder")
    fetch.add_argument(
        "name",
        type=choice("data set", [name for name in CATALOGUE if name != "subset"]),
        metavar="NAME",
        help=", ".join(name for name in CATALOGUE if name != "subset"),
    )
    fetch.set_defaults(carry_out=_download)


def _where(options: argparse.Namespace) -> int:
    from robustmath.learning.data import data_folder, load

    try:
        print(data_folder())
    except (OSError, ValueError) as error:
        raise Refusal(error) from None
    for name in CATALOGUE:
        try:
            load(name)
            state = "ships with robustmath" if name == "subset" else "there"
        except FileNotFoundError:
            state = f"not there; robustmath data download {name}"
        except (OSError, ValueError) as error:
            state = f"damaged: {error}"
        print(f"  {name:<14} {state}")
    return 0


def _download(options: argparse.Namespace) -> int:
    from robustmath.learning.data.download import download

    try:
        print(download(options.name))
    except (OSError, ValueError) as error:
        print(f"robustmath data download: {error}", file=sys.stderr)
        return 1
    return 0
