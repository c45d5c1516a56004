"""A revision's seed, packed as a run packs it: what its nix files name comes along."""

import os
import posixpath
import re
import shutil
from pathlib import Path

from tests.nix.evaluation import ROOT
from tests.workflows import git
from workflows.fleet_deploy import seed_upload
from workflows.fleet_deploy.git import Git

# A path as Nix writes one, up to whatever ends it.
_PATH = re.compile(r"(?<![\w.\"/])(\.{1,2}/[\w./-]*\w)")


def test_every_file_that_the_flake_names_comes_along(tmp_path: Path) -> None:
    copied = tmp_path / "checkout"
    shutil.copytree(ROOT, copied, ignore=shutil.ignore_patterns(".*", "__pycache__", "build"))
    (copied / "flake.lock").write_text("{}\n")
    git.run(copied, "init", "--quiet", "--initial-branch=main")
    git.run(copied, "add", ".")
    git.run(copied, "commit", "--quiet", "-m", "All")

    files = seed_upload.of(
        Git(copied, os.environ), git.run(copied, "rev-parse", "HEAD").strip()
    ).files

    folders = {str(folder) for path in files for folder in Path(path).parents}
    named = {
        posixpath.normpath(posixpath.join(posixpath.dirname(path), one))
        for path, file in files.items()
        if path.endswith(".nix")
        for one in _PATH.findall(file.data.decode())
    }
    assert {"nix/instances.json", "skills/fleet_control/SKILL.md", "clawbot", "LICENSE"} <= named
    assert "nix/modules/refresh-secrets.sh" in named
    assert named - files.keys() - folders == set()
