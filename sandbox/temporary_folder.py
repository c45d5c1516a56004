"""A sandbox's temporary folder: removed when it ends, or by the next sandbox if it was killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PREFIX = "clawbot-sandbox-"
# Locked for as long as its process lives, however that ends.
_ALIVE = "alive"


@contextmanager
def own_folder(parent: Path | None = None) -> Iterator[Path]:
    """A new folder in `parent`, or among the temporary ones; those of killed sandboxes go."""
    parent = parent or Path(tempfile.gettempdir())
    _remove_the_dead(parent)
    # Under its name only once it is locked, or another's start could take it for a dead one's.
    unnamed = Path(tempfile.mkdtemp(prefix="clawbot-", dir=parent))
    with (unnamed / _ALIVE).open("w") as alive:
        fcntl.flock(alive, fcntl.LOCK_EX)
        folder = unnamed.rename(parent / unnamed.name.replace("clawbot-", _PREFIX, 1))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_the_dead(parent: Path) -> None:
    for folder in parent.glob(f"{_PREFIX}*"):
        # Somebody else's, gone meanwhile, or alive.
        with suppress(OSError):
            file = os.open(folder / _ALIVE, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                if os.fstat(file).st_uid == os.getuid():
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(file)
