"""What a host runs at every boot, as it is for one of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

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
}


def rendered() -> str:
    return re.sub(r"\$\{(\w+)\}", lambda match: VALUES[match[1]], TEMPLATE.read_text())


def test_the_template_holds_nothing_but_these_values() -> None:
    text = TEMPLATE.read_text()

    assert set(VALUES) == set(re.findall(r"\$\{(\w+)\}", text))
    assert len(re.findall(r"[$%]\{", text)) == len(VALUES)


def test_shellcheck_finds_nothing(tmp_path: Path) -> None:
    script = tmp_path / "user-data.sh"
    script.write_text(rendered())
    done = subprocess.run(  # noqa: S603  (fixed)
        [SHELLCHECK, script],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout


def test_every_step_may_be_repeated(tmp_path: Path) -> None:
    """Run twice, with the system's programs played by ones that only say they were called."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("systemctl", "nixos-rebuild"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >> {tmp_path}/called\n')
        program.chmod(0o755)
    script = tmp_path / "user-data.sh"
    script.write_text(rendered().replace("/etc/clawdinator", str(tmp_path / "etc")))
    for _ in range(2):
        subprocess.run(  # noqa: S603  (the script under test)
            ["/bin/bash", script], env={"PATH": f"{programs}:/usr/bin:/bin"}, check=True
        )
    told = {path.name: path.read_text() for path in (tmp_path / "etc").iterdir()}

    assert told == {
        "instance": f"{ID}\n",
        "region": "eu-central-1\n",
        "bootstrap-prefix": f"{ENTRY['bootstrapPrefix']}\n",
        "control-api-url": "https://control-api.example/\n",
    }
    assert (tmp_path / "called").read_text().splitlines() == 2 * [
        "systemctl start clawdinator-bootstrap.service",
        "systemctl start clawdinator-repo-seed.service",
        f"nixos-rebuild switch --flake /var/lib/clawd/repos/clawdinators#{ENTRY['host']}",
    ]
