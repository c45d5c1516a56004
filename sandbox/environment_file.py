"""The files by which a step tells its runner something: GITHUB_OUTPUT, GITHUB_ENV, GITHUB_PATH."""

import re
from collections.abc import Iterator

from sandbox.workflow_error import WorkflowError

_HEREDOC = re.compile(r"(?P<name>[^=]+?)<<(?P<mark>.+)")


def read_values(text: str) -> dict[str, str]:
    """``name=value`` lines, and ``name<<MARK`` … ``MARK`` for more than a line."""
    values: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        if not line:
            continue
        heredoc = _HEREDOC.fullmatch(line)
        name, is_value, value = line.partition("=")
        if heredoc:
            name, value = heredoc["name"], _until(heredoc["mark"], lines)
        elif not (name and is_value):
            raise WorkflowError(f"Invalid format '{line}'")
        values[name] = value
    return values


def _until(mark: str, lines: Iterator[str]) -> str:
    found: list[str] = []
    for line in lines:
        if line == mark:
            return "\n".join(found)
        found.append(line)
    raise WorkflowError(f"Invalid value. Matching delimiter not found '{mark}'")
