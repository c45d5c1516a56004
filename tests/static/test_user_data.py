"""What a host runs at every boot, as it is for one of them."""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from fleet_control.status import HELD_IN_PROGRESS_SECONDS, IN_PROGRESS_SECONDS
from tests.static.configuration import VARIABLES

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "tofu/fleet/user-data.sh.tftpl"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")
ID, ENTRY = next(iter(json.loads((ROOT / "nix/instances.json").read_text()).items()))
VALUES = {
    "instance": ID,
    "host": ENTRY["host"],
    "region": VARIABLES["region"],
    "bootstrap_prefix": ENTRY["bootstrapPrefix"],
    "control_api_url": VARIABLES["control_api_url"],
    "revision": "0123456789" * 4,
    "seed_sha256": "0123456789abcdef" * 4,
}


def rendered(values: Mapping[str, str] = VALUES) -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: values[match[1]], TEMPLATE.read_text())


def test_the_template_holds_nothing_but_these_values() -> None:
    text = TEMPLATE.read_text()
    named = re.findall(r"\$\{(\w+)\}", text)

    assert set(VALUES) == set(named)
    assert len(re.findall(r"[$%]\{", text)) == len(named)
    # Each stands between quotes, and none of them could end that.
    assert len(re.findall(r"'[^'\n]*\$\{\w+\}'", text)) == len(named)


def test_it_waits_as_long_as_a_run_may_wait_for_its_host() -> None:
    assert re.findall(r"timeout (\d+) ", TEMPLATE.read_text()) == [f"{IN_PROGRESS_SECONDS:.0f}"]
    assert HELD_IN_PROGRESS_SECONDS < IN_PROGRESS_SECONDS


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "user-data.sh"
    script.write_text(rendered())
    refresh = ROOT / "nix/modules/refresh-secrets.sh"
    done = subprocess.run(  # noqa: S603  (fixed)
        [SHELLCHECK, "--shell=bash", script, refresh],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout
