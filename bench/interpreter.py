"""Other Pythons on this machine, by the program itself: a shim before it costs more than it.

`python3 -m bench.interpreter` prints those that the project claims to run on, oldest first.
"""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

_PYPROJECT = Path(__file__).parents[1] / "pyproject.toml"
_SAY_WHERE = "import sys; print(sys.executable)"


def find(version: str) -> str | None:
    """The path of a Python ``3.x``, or None."""
    program = shutil.which(f"python{version}")
    if program is None:
        return None
    for environ in ({}, {"PYENV_VERSION": version}):
        said = subprocess.run(  # noqa: S603  (a Python of this machine)
            [program, "-I", "-S", "-c", _SAY_WHERE],
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode == 0:
            return said.stdout.strip()
    return None


def claimed() -> list[str]:
    """The versions, ``3.x`` and oldest first, that pyproject.toml's classifiers name."""
    classifiers = tomllib.loads(_PYPROJECT.read_text())["project"]["classifiers"]
    versions = re.findall(r"Python :: (3\.\d+)$", "\n".join(classifiers), re.MULTILINE)
    return sorted(versions, key=lambda version: int(version.partition(".")[2]))


if __name__ == "__main__":
    for python in filter(None, map(find, claimed())):
        print(python)
