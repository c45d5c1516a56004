"""A host's boot, in moto's process: it becomes the revision that its user data names."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from fleet_control.archive import ArchiveError, unpack
from fleet_control.seed import REVISION_FILE, key

_TOLD = re.compile(r"^tell ([a-z0-9-]+) '([^']*)'$", re.MULTILINE)

# The object of this key, or None where it is not there or can't be had.
Fetch = Callable[[str], bytes | None]


@dataclass(frozen=True, slots=True)
class BootResult:
    """What a boot came to.

    Attributes:
        revision: which it runs; empty where it runs none.
        trouble: why it could not become what it is told.
    """

    revision: str = ""
    trouble: str = ""


def told(user_data: object) -> dict[str, str]:
    """The files that user data, as EC2 was given it, writes below /etc/clawdinator."""
    text = user_data.decode() if isinstance(user_data, bytes) else str(user_data or "")
    return dict(_TOLD.findall(base64.b64decode(text).decode(errors="replace")))


def boot(user_data: object, before: BootResult, fetch: Fetch) -> BootResult:
    """What the next boot comes to; without a new revision in user data nothing changes."""
    said = told(user_data)
    revision = said.get("revision", "")
    if not revision or revision == before.revision:
        return before
    data = fetch(key(revision))
    if data is None:
        return BootResult(before.revision, f"the seed of {revision} can't be had")
    if hashlib.sha256(data).hexdigest() != said.get("seed-sha256"):
        return BootResult(before.revision, f"the seed of {revision} is not the one it was told of")
    try:
        named = unpack(data)[REVISION_FILE].data.decode().strip()
    except (ArchiveError, KeyError) as error:
        return BootResult(before.revision, f"the seed of {revision} can't be read ({error})")
    if named != revision:
        return BootResult(before.revision, f"the seed of {revision} is of {named}")
    return BootResult(revision)
