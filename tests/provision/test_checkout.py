"""The repository as a host gets it: what its nix files name comes along."""

import json
import posixpath
import re
import shutil
from pathlib import Path

from clawbot.provision import checkout
from sandbox.world import CHECKOUT

# A path as Nix writes one, up to whatever ends it.
_PATH = re.compile(r"(?<![\w.\"/])(\.{1,2}/[\w./-]*\w)")


def test_every_file_that_the_flake_names_comes_along(tmp_path: Path) -> None:
    copied = tmp_path / "checkout"
    shutil.copytree(CHECKOUT, copied, ignore=shutil.ignore_patterns(".*", "__pycache__", "build"))
    (copied / "flake.lock").write_text("{}\n")
    facts = json.loads((copied / checkout.FACTS).read_text())
    (copied / checkout.FACTS).write_text(json.dumps(facts | {"agentCommand": "/bin/agent"}))

    files = checkout.files(copied)

    folders = {str(folder) for path in files for folder in Path(path).parents}
    named = {
        posixpath.normpath(posixpath.join(posixpath.dirname(path), one))
        for path, file in files.items()
        if path.endswith(".nix")
        for one in _PATH.findall(file.data.decode())
    }
    assert {"nix/instances.json", "skills/fleet_control/SKILL.md", "clawbot", "LICENSE"} <= named
    assert named - files.keys() - folders == set()
