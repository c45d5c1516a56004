"""Compile pyproject.toml into the hash-pinned files beside this one."""

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PYPROJECT = "pyproject.toml"
# What the demo shows; the rest of the extras is for setting up real hosts.
FRONTS = ("--extra", "discord", "--extra", "telegram")
SANDBOX = ("--group", f"{PYPROJECT}:sandbox")
FILES: dict[str, tuple[str, ...]] = {
    "dev": (PYPROJECT, "--all-extras", *SANDBOX, "--group", f"{PYPROJECT}:dev"),
    "demo": (PYPROJECT, *FRONTS, *SANDBOX, "-c", "requirements/dev.txt"),
    "workflow": ("--group", f"{PYPROJECT}:workflow", "-c", "requirements/dev.txt"),
    "lock": ("--group", f"{PYPROJECT}:lock"),
}
# --universal: one file for every Python from 3.11 on; no index line: a reader brings their own.
COMPILE = (
    *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--upgrade"),
    *("--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"),
    *("--custom-compile-command", "make lock"),
)


def main() -> None:
    for name, sources in FILES.items():
        output = HERE / f"{name}.txt"
        subprocess.run(  # noqa: S603  (a command of our own)
            [*COMPILE, *sources, "--output-file", str(output.relative_to(HERE.parent))],
            cwd=HERE.parent,
            check=True,
        )


if __name__ == "__main__":
    main()
