"""Prints what the project declares, a requirement a line: requirements.py [EXTRA...].

An image installs that before the code.
"""

import sys
import tomllib
from pathlib import Path

project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))["project"]
for requirement in project["dependencies"]:
    print(requirement)
for extra in sys.argv[1:]:
    print(*project["optional-dependencies"][extra], sep="\n")
