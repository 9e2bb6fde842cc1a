"""Print the lowest versions that pyproject.toml allows: of `build`, `dependencies` or an extra."""

import re
import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path(__file__).parents[1].joinpath("pyproject.toml").read_text())
for name in sys.argv[1:]:
    if name == "build":
        print(project["build-system"]["requires"][0].replace("hatchling>=", "=="))
        continue
    extras = project["project"]["optional-dependencies"]
    for requirement in project["project"].get(name) or extras[name]:
        print(re.sub(r">=(.*)", r"==\1.*", requirement))
