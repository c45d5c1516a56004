"""Why a run failed, from the log of its failed job."""

import re
from collections.abc import Iterable

# GitHub ends every failed step with this, which says nothing.
_NOTHING_SAID = re.compile(r"Process completed with exit code -?\d+\.")
_ERROR = re.compile(r"(?:\ufeff?\d{4}-\d\d-\d\dT\S+Z )?##\[error\](.*)")


def reason(log: Iterable[bytes]) -> str:
    """The last ``##[error]`` line that says more than an exit code, or else the last of those."""
    said, bare = "", ""
    for raw in log:
        if b"##[error]" not in raw:
            continue
        error = _ERROR.match(raw.decode("utf-8", "replace"))
        words = error[1].strip() if error else ""
        if _NOTHING_SAID.fullmatch(words):
            bare = words
        elif words:
            said = words
    return said or bare
