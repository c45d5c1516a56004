"""Compile pyproject.toml into the hash-pinned files beside this one."""

import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
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
    "mutants": (
        *(PYPROJECT, "--all-extras", *SANDBOX, "--group", f"{PYPROJECT}:dev"),
        *("--group", f"{PYPROJECT}:mutants", "-c", "requirements/dev.txt"),
    ),
    "lock": ("--group", f"{PYPROJECT}:lock"),
}
# As `dev`, but for what pyproject.toml names as the project's own: at its lower bounds.
OLDEST = (PYPROJECT, "--all-extras", *SANDBOX, "--group", f"{PYPROJECT}:dev")
# --universal: one file for every Python from 3.11 on; no index line: a reader brings their own.
COMPILE = (
    *(sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--universal", "--upgrade"),
    *("--python-version", "3.11", "--generate-hashes", "--no-emit-index-url", "--no-annotate"),
    *("--custom-compile-command", "make lock"),
)


def main() -> None:
    for name, sources in FILES.items():
        compiled(name, sources)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as bounds:
        bounds.writelines(f"{one}\n" for one in lowest((HERE.parent / PYPROJECT).read_text()))
        bounds.flush()
        compiled("oldest", (*OLDEST, "-c", bounds.name))


def compiled(name: str, sources: tuple[str, ...]) -> None:
    output = HERE / f"{name}.txt"
    subprocess.run(  # noqa: S603  (a command of our own)
        [*COMPILE, *sources, "--output-file", str(output.relative_to(HERE.parent))],
        cwd=HERE.parent,
        check=True,
    )


def lowest(pyproject: str) -> Iterator[str]:
    """Every requirement of the project and its extras, pinned to its lower bound."""
    project = tomllib.loads(pyproject)["project"]
    for group in (project["dependencies"], *project["optional-dependencies"].values()):
        yield from (one.replace(">=", "==") for one in group)


if __name__ == "__main__":
    main()
