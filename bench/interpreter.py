"""Other Pythons on this machine, by the program itself: a shim before it costs more than it."""

import os
import shutil
import subprocess

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
