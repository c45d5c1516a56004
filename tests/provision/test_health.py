"""What a host says of itself, and that no secret of it is in that."""

import json
import os
import re
import time
from pathlib import Path
from typing import Any

import pytest

from clawbot.provision import health
from fleet_control.mask import masked
from workflows.fleet_deploy.health_report import LONGEST, Wanted, missing, read

ROOT = Path(__file__).parents[2]
TWO, REVISION = "clawdinator-2", "a" * 40
AGENT, BOT = "clawdinator.service", "clawbot.service"
TOKEN = "correct horse battery"


class SystemdHost:
    """A host whose systemd says what a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.secrets = folder, folder / "agenix"
        self.secrets.mkdir()
        self.says("journalctl", "")

    def says(self, program: str, text: str) -> None:
        """That program prints this, and notes what it was asked."""
        (self.folder / f"{program}.said").write_text(text)
        script = self.folder / program
        script.write_text(
            f'#!/bin/sh\necho "$@" > {self.folder}/{program}.asked\n'
            f"cat {self.folder}/{program}.said\n"
        )
        script.chmod(0o755)

    def refuses(self, unit: str, how: str = "exit 1") -> None:
        """That unit can't be started."""
        script = self.folder / "systemctl"
        first, *rest = script.read_text().splitlines(keepends=True)
        script.write_text("".join((first, f'[ "$2" = {unit} ] && {how}\n', *rest)))

    def has(self, *units: str) -> None:
        self.says("systemctl", "\n".join(units))

    def asked(self, program: str) -> list[str]:
        return (self.folder / f"{program}.asked").read_text().split()


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SystemdHost:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return SystemdHost(tmp_path)


def unit(name: str, state: str = "active", sub: str = "running", **said: Any) -> str:
    since = int((time.monotonic() - said.get("seconds", 150)) * 1e6)
    return (
        f"Id={name}\nActiveState={state}\nSubState={sub}\nInvocationID={'c' * 32}\n"
        f"ActiveEnterTimestampMonotonic={since}\nNRestarts={said.get('restarts', 0)}\n"
        f"StatusText={said.get('status', '')}\n"
    )


def answer(host: SystemdHost, capsys: pytest.CaptureFixture[str], *units: str) -> str:
    """What it printed, which the run can read."""
    argv = ["--instance", TWO, "--revision", REVISION, *units]
    assert health.main(argv, host.secrets) == 0
    return capsys.readouterr().out


def lacks(text: str) -> str:
    return missing(read(text), Wanted(TWO, REVISION, 120))


def test_a_host_whose_units_are_steady_is_healthy_to_the_run(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.has(unit(AGENT), unit(BOT))

    said = answer(host, capsys, AGENT, BOT)

    assert not lacks(said)
    assert not json.loads(said)["journal"]
    assert [one.active_seconds for one in read(said).units] == [150, 150]
    assert host.asked("systemctl")[-2:] == [AGENT, BOT]


def test_a_unit_that_crash_loops_is_told_with_its_last_words(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.has(unit(AGENT), unit(BOT, "activating", "auto-restart", restarts=7))
    host.says("journalctl", "Traceback\nValueError: no port\n")

    said = answer(host, capsys, AGENT, BOT)

    assert lacks(said) == f"{BOT} is activating (auto-restart, restarted 7 times)"
    assert json.loads(said)["journal"] == "Traceback\nValueError: no port"
    assert read(said).journal == "Traceback\nValueError: no port"
    assert host.asked("journalctl") == [
        "--no-pager",
        "--output=cat",
        "--lines=60",
        f"_SYSTEMD_UNIT={BOT}",
    ]


def test_an_agent_that_is_not_well_by_its_own_word_is_told_with_what_its_command_said(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = "clawdinator-agent-health.service"
    host.has(unit(AGENT))
    host.says("journalctl", "no model answers\n")

    assert not lacks(answer(host, capsys, "--asking", asked, AGENT))
    assert host.asked("systemctl") == ["start", asked]

    host.refuses(asked)
    said = answer(host, capsys, "--asking", asked, AGENT)

    assert lacks(said) == "the agent's own health command does not say yes"
    assert read(said).journal == "no model answers"
    assert host.asked("journalctl")[3:] == [f"_SYSTEMD_UNIT={asked}"]


def test_a_health_command_that_never_ends_says_no(
    host: SystemdHost, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "_PATIENCE_SECONDS", 0.5)
    host.has(unit(AGENT))
    host.refuses("stuck.service", "sleep 20")

    said = answer(host, capsys, "--asking", "stuck.service", AGENT)

    assert lacks(said) == "the agent's own health command does not say yes"


@pytest.mark.parametrize("ends", ["\u2028", "\x85", "\x0b", "\x1e", "\r"])
def test_a_bot_speaks_for_no_other_unit_in_its_status(
    host: SystemdHost, capsys: pytest.CaptureFixture[str], ends: str
) -> None:
    lie = f"x{ends}Id={AGENT}{ends}ActiveState=active{ends}NRestarts=0"
    host.has(unit(AGENT, "activating", "auto-restart", restarts=9), unit(BOT, status=lie))

    said = answer(host, capsys, AGENT, BOT)

    assert lacks(said) == f"{AGENT} is activating (auto-restart, restarted 9 times)"
    assert [one.name for one in read(said).units] == [AGENT, BOT]


def test_without_each_unit_that_it_must_have_a_host_says_nothing(host: SystemdHost) -> None:
    host.has(unit(AGENT))

    with pytest.raises(SystemExit, match="systemd does not show the units"):
        health.main(["--instance", TWO, AGENT, BOT], host.secrets)


def test_how_a_unit_ended_is_told_behind_its_own_words(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    ended = "Result=exit-code\nExecMainStatus=78\n"
    host.has(unit(AGENT, "activating", "auto-restart", restarts=7) + ended)
    host.says("journalctl", "Error: config: unknown model")

    said = answer(host, capsys, AGENT)

    assert read(said).journal == (
        f"Error: config: unknown model\n{AGENT}: exit-code, exit status 78"
    )


def test_what_a_unit_says_of_itself_is_told_capped_and_without_a_secret(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    (host.secrets / "token").write_text(TOKEN)
    host.has(unit(AGENT), unit(BOT, status=f"Telegram is away {TOKEN} {'x ' * 100}"))

    agent, bot = read(answer(host, capsys, AGENT, BOT)).units

    assert agent.status == ""
    assert bot.status.startswith("Telegram is away")
    assert "battery" not in bot.status
    assert len(bot.status) <= 120


def test_a_unit_that_never_started_has_been_active_for_no_time(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.has(unit(AGENT, "inactive", "dead"))

    assert read(answer(host, capsys, AGENT)).units[0].active_seconds == 0


def test_a_journal_that_is_all_quotes_still_fits_the_run(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    host.has(unit(AGENT, restarts=1))
    host.says("journalctl", '"\n' * 100_000)

    said = answer(host, capsys, AGENT)

    assert len(json.loads(said)["journal"]) == 8192
    assert len(said) <= LONGEST
    assert not lacks(said)


def test_no_secret_of_the_host_is_in_its_answer(
    host: SystemdHost, capsys: pytest.CaptureFixture[str]
) -> None:
    (host.secrets / "token").write_text(f"{TOKEN}\n")
    (host.secrets / "pem").write_text("-----BEGIN KEY-----\nfirst line\nsecond line\n")
    host.has(unit(AGENT, "failed", "failed"))
    host.says("journalctl", f"no: {TOKEN}!\nat second line\n")

    said = answer(host, capsys, AGENT)

    assert json.loads(said)["journal"] == "no: ***!\nat ***"


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "123456789:AAabcdefghijklmnopqrstuvwxyz0123456",
        "MTIzNDU2Nzg5MDEyMzQ1Njc4.Gabcde.abcdefghijklmnopqrstuvwxyz0123456789",
        "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQ",
    ],
)
def test_what_looks_like_a_secret_is_masked_though_nobody_knows_it(secret: str) -> None:
    assert masked(f"with {secret} in it", ()) == "with *** in it"


def test_what_is_called_a_secret_is_masked() -> None:
    assert masked("password=short Token: 'abc'", ()) == "password=*** Token: '***'"


def test_a_secret_that_the_cut_would_halve_is_masked_whole(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    text = f"{'x ' * 100}{TOKEN}{' y' * (8192 // 2 - 4)}"

    said = health.last_words(text, tmp_path)

    assert "battery" not in said
    assert len(said) == 8192


def test_what_is_no_plain_text_is_not_repeated() -> None:
    assert masked("a\x1b[31mb\u202ec\r\nd", ()) == "ab?c\nd"


def test_a_health_command_may_take_its_time_and_the_answer_is_still_in_time() -> None:
    unit, document = ROOT / "nix/modules/health.nix", ROOT / "tofu/control/health.tf"
    (command,) = re.findall(r"TimeoutStartSec = (\d+);", unit.read_text())
    (answer,) = re.findall(r'timeoutSeconds = "(\d+)"', document.read_text())

    assert int(command) < health._PATIENCE_SECONDS < int(answer) / 2  # noqa: SLF001  (no call tells it sooner)


def test_a_line_that_begins_before_what_is_read_is_not_told(tmp_path: Path) -> None:
    """Its begin could be the half of a secret."""
    assert len(health.last_words("x " * 100_000, tmp_path)) == 8192
    assert health.last_words("x " * 150_000, tmp_path) == ""
    assert health.last_words(f"{'x ' * 150_000}\nlate", tmp_path) == "late"
