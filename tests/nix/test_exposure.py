"""The exposure of each unit by systemd's own score: 10 reaches all of the machine."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.nix.evaluation import evaluate_host, needs_nix
from tests.nix.test_hosts import FIRST, OWN_APPLICATION

ANALYZE = shutil.which("systemd-analyze") or ""
MOST = {
    "clawdinator": 4.0,
    "clawdinator-bootstrap": 4.0,
    "clawdinator-repo-seed": 4.0,
    "clawbot": 1.6,
}

pytestmark = [
    needs_nix,
    pytest.mark.skipif(not ANALYZE, reason="systemd-analyze (Debian's systemd) is missing"),
]


def unit_file(service: dict[str, Any]) -> str:
    """As NixOS writes it."""
    lines = ["[Service]"]
    for key, value in service["serviceConfig"].items():
        lines += [f"{key}={one}" for one in (value if isinstance(value, list) else [value])]
    return "\n".join(lines)


@pytest.mark.parametrize("name", MOST)
def test_a_unit_reaches_no_more_than_it_needs(tmp_path: Path, name: str) -> None:
    found = evaluate_host(tmp_path, OWN_APPLICATION, FIRST)
    assert found.value is not None, found.complaint
    file = tmp_path / f"{name}.service"
    file.write_text(unit_file(found.value["systemd"]["services"][name]))

    ended = subprocess.run(  # noqa: S603  (systemd-analyze, with words of ours)
        [ANALYZE, "security", "--offline=true", f"--threshold={MOST[name] * 10:.0f}", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert f"Overall exposure level for {name}.service" in ended.stdout
