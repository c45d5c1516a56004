"""A host's boots, rehearsed: its user data, with the real programs of the boot and a real S3.

What only a machine of NixOS has is played by programs that say they were called: systemd, which
starts the two units, and Nix, which would build, set the profile and switch.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from fleet_control import seed
from fleet_control.archive import File
from tests.provision import uploads
from tests.provision.account import StagedAccount
from tests.provision.test_system_choice import SAID, says
from tests.static.test_user_data import ROOT, VALUES, rendered

HOST, STORE = "claw-1", "/nix/store/one"
REFRESH = ROOT / "nix/modules/refresh-secrets.sh"
AWAY = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}
UNITS = ["start clawdinator-bootstrap.service clawdinator-repo-seed.service"]
ENTERED = [
    f"nix-env --profile /nix/var/nix/profiles/system --set {STORE}",
    "switch-to-configuration switch",
]
BUILT = [f"nixos-rebuild switch --flake /var/lib/clawd/repos/clawdinators#{HOST}"]


@dataclass(frozen=True)
class BootingMachine:
    """A machine of NixOS, as far as user data can tell."""

    root: Path
    environ: dict[str, str]
    python: Path

    @property
    def programs(self) -> Path:
        return self.root / "programs"

    def plays(self, path: Path, script: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def made(self, bucket: str) -> None:
        (self.root / "run").mkdir()
        (self.root / "run/current-system").symlink_to(self.root / "nix/store/first")
        boot = self.root / "nix/store/first/sw/bin/clawdinator-boot"
        where = f"--bucket {bucket} --root {self.root}"
        self.plays(boot, f'exec {self.python} -m clawbot.provision.boot "$@" {where}')
        say = f'echo "$(basename "$0") $*" >> {self.root}/called'
        for name in ("nix-env", "nixos-rebuild"):
            self.plays(self.programs / name, say)
        self.plays(self.root / STORE[1:] / "bin/switch-to-configuration", say)
        self.plays(
            self.programs / "systemctl",
            f'echo "$*" >> {self.root}/called\n{boot} secrets && exec {boot} repository',
        )

    def boots(self, told: dict[str, str], **environ: str) -> tuple[int, list[str], str]:
        """How its user data ended, which programs it called, and what it said."""
        script = rendered({**VALUES, **told})
        script = script.replace("/etc/clawdinator", f"{self.root}/etc/clawdinator")
        for after in ("/bin", '" ]'):
            script = script.replace(f'"$become{after}', f'"{self.root}$become{after}')
        return self.types(script, **environ)

    def types(self, script: str, **environ: str) -> tuple[int, list[str], str]:
        """The same of a script."""
        script = script.replace("/run/current-system", f"{self.root}/run/current-system")
        (self.root / "called").write_text("")
        ended = subprocess.run(  # noqa: S603  (the script under test)
            ["/bin/bash", "-c", script],
            env={"PATH": f"{self.programs}:{os.defpath}", **self.environ, **environ},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        return ended.returncode, (self.root / "called").read_text().splitlines(), ended.stderr


@pytest.fixture
def machine(tmp_path: Path, account: StagedAccount, python: Path) -> BootingMachine:
    one = BootingMachine(tmp_path, account.environ, python)
    one.made(account.bucket)
    uploads.whole(account)
    says(tmp_path, SAID)
    return one


@pytest.fixture
def told() -> dict[str, str]:
    return {
        "instance": HOST,
        "host": HOST,
        "bootstrap_prefix": uploads.PREFIX,
        "revision": uploads.REVISION,
        "seed_sha256": uploads.packed(uploads.REPOSITORY).head.sha256,
    }


def test_on_an_image_of_its_seed_a_host_enters_what_is_there_and_stays_that(
    machine: BootingMachine, told: dict[str, str]
) -> None:
    code, called, said = machine.boots(told)

    assert (code, called) == (0, UNITS + ENTERED)
    assert f"The image holds claw-1 of {uploads.REVISION}." in said
    written = {path.name: path.read_text() for path in (machine.root / "etc/clawdinator").iterdir()}
    assert written == {
        "instance": f"{HOST}\n",
        "region": "eu-central-1\n",
        "bootstrap-prefix": f"{uploads.PREFIX}\n",
        "control-api-url": "https://control-api.example/\n",
        "revision": f"{uploads.REVISION}\n",
        "seed-sha256": f"{told['seed_sha256']}\n",
    }

    code, called, said = machine.boots(told, **AWAY)
    assert (code, called) == (0, UNITS)
    assert "nothing is changed" in said


def test_on_any_other_image_it_builds_from_the_verified_seed_and_stays_that(
    machine: BootingMachine, told: dict[str, str]
) -> None:
    says(machine.root, {**SAID, "revision": "9" * 40})

    assert machine.boots(told)[:2] == (0, UNITS + BUILT)
    assert machine.boots(told, **AWAY)[:2] == (0, UNITS)


@pytest.mark.parametrize("program", ["nixos-rebuild", "switch-to-configuration"])
def test_what_it_became_it_stays_though_a_unit_of_it_did_not_start(
    machine: BootingMachine, told: dict[str, str], program: str
) -> None:
    """NixOS ends a switch with 4 then, and the new system runs."""
    if program == "nixos-rebuild":
        says(machine.root, {})
    (path,) = [one for one in machine.root.rglob(program) if one.is_file()]
    copied = f"cp -r {machine.root}/nix/store/first {machine.root}/nix/store/second"
    entered = f"ln -sfn {machine.root}/nix/store/second {machine.root}/run/current-system"
    machine.plays(path, f"{copied} && {entered}; exit 4")
    assert machine.boots(told)[0] == 4

    assert machine.boots(told, **AWAY)[:2] == (0, UNITS)


def test_killed_in_the_middle_of_its_switch_it_is_what_it_became(
    machine: BootingMachine, told: dict[str, str]
) -> None:
    """It begins in the new system then, of which nothing is recorded yet."""
    entered = machine.root / STORE[1:]
    shutil.copytree(machine.root / "nix/store/first", entered, dirs_exist_ok=True)
    machine.plays(entered / "bin/switch-to-configuration", "exit 4")
    current = machine.root / "run/current-system"
    current.unlink()
    current.symlink_to(entered)
    assert machine.boots(told)[0] == 4

    assert machine.boots(told, **AWAY)[:2] == (0, UNITS)


@pytest.mark.parametrize("program", ["nixos-rebuild", "switch-to-configuration"])
def test_what_was_not_become_is_tried_again_at_the_next_boot(
    machine: BootingMachine, told: dict[str, str], program: str
) -> None:
    if program == "nixos-rebuild":
        says(machine.root, {})
    (path,) = [one for one in machine.root.rglob(program) if one.is_file()]
    played = path.read_text()
    path.write_text(f"{played}exit 1\n")
    assert machine.boots(told)[0] == 1

    path.write_text(played)
    assert machine.boots(told)[:2] == (
        0,
        UNITS + (BUILT if program == "nixos-rebuild" else ENTERED),
    )


def test_a_seed_that_was_overwritten_is_built_by_nobody(
    machine: BootingMachine, told: dict[str, str], account: StagedAccount
) -> None:
    evil = uploads.packed({**uploads.REPOSITORY, "flake.nix": File(b"{ evil = true; }\n")})
    uploads.upload(account, seed.key(uploads.REVISION), evil)

    code, called, said = machine.boots(told)

    assert (code, called) == (1, UNITS)
    assert "is not what this host was told of: its SHA-256 is" in said
    assert "Secrets or seed were not there in time; see: journalctl -u clawdin" in said


def test_told_another_revision_it_becomes_that(
    machine: BootingMachine, told: dict[str, str], account: StagedAccount
) -> None:
    machine.boots(told)
    other = "9876543210" * 4
    files = {**uploads.REPOSITORY, "REVISION": File(f"{other}\n".encode())}
    sum_ = uploads.upload(account, seed.key(other), uploads.packed(files))

    assert machine.boots({**told, "revision": other, "seed_sha256": sum_})[:2] == (0, UNITS + BUILT)


@pytest.mark.parametrize("has_bot", [True, False])
@pytest.mark.parametrize(("ends", "restarted"), [(0, True), (4, True), (2, False), (1, False)])
def test_new_secrets_are_used_by_both_services_or_by_none(
    machine: BootingMachine, ends: int, restarted: bool, has_bot: bool
) -> None:
    uploads.scratch(machine.root)
    if has_bot:
        unit = machine.root / "run/current-system/etc/systemd/system/clawbot.service"
        machine.plays(unit, "")
    switch = machine.root / "run/current-system/bin/switch-to-configuration"
    machine.plays(switch, f'echo "switch $*" >> {machine.root}/called; exit {ends}')
    machine.plays(machine.programs / "systemctl", f'echo "$*" >> {machine.root}/called')

    code, called, said = machine.types(REFRESH.read_text())

    restart = ["restart clawdinator.service" + " clawbot.service" * has_bot]
    assert (code, called) == (ends, ["switch test", *(restart if restarted else [])])
    assert ("The new secrets are not in use" in said) == (not restarted)
    assert ("The new secrets are in use" in said) == (ends == 4)
