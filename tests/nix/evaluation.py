"""Evaluate Nix expressions; no store is written and nothing is built."""

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NIX = shutil.which("nix-instantiate") or ""

needs_nix = pytest.mark.skipif(not NIX, reason="nix-instantiate (Debian's nix-bin) is missing")


@dataclass(frozen=True)
class Evaluated:
    value: Any
    complaint: str


def evaluate(tmp_path: Path, *words: str) -> Evaluated:
    ended = subprocess.run(  # noqa: S603  (nix-instantiate, with words of ours)
        [NIX, "--store", "dummy://", "--readonly-mode", *words],
        env={"HOME": str(tmp_path), "NIX_STATE_DIR": str(tmp_path / "state"), "PATH": os.defpath},
        capture_output=True,
        text=True,
        check=False,
    )
    return Evaluated(json.loads(ended.stdout) if ended.returncode == 0 else None, ended.stderr)


def evaluate_host(
    tmp_path: Path,
    registry: object,
    host: str = "",
    command: str = "/bin/agent",
    health_command: str = "",
    bot: str = "",
) -> Evaluated:
    """The host's configuration, or the host names where none is named, for this registry."""
    tmp_path.mkdir(exist_ok=True)
    file = tmp_path / "instances.json"
    file.write_text(json.dumps(registry))
    hosts = tmp_path / "hosts"
    if not hosts.exists():
        shutil.copytree(ROOT / "nix/hosts", hosts)
        for one in hosts.iterdir():
            text = one.read_text().replace("../modules", str(ROOT / "nix/modules"))
            one.write_text(text)
    arguments = {
        "registry": str(file),
        "hosts": str(hosts),
        "host": host,
        "command": command,
        "healthCommand": health_command,
        "bot": bot,
    }
    words = [word for name, one in arguments.items() for word in ("--argstr", name, one)]
    return evaluate(
        tmp_path, "--eval", "--strict", "--json", str(ROOT / "tests/nix/host.nix"), *words
    )
