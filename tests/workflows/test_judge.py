"""The run judges again, from the list of runs and from EC2."""

from typing import Any

import pytest

from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.ledger import Entry, Run
from fleet_control.reading import Health
from tests.workflows.fleets import NOW, OLD, host, sight
from workflows.fleet_deploy import judge
from workflows.fleet_deploy.stop import Stopped

ONE, TWO, THREE = "clawdinator-1", "clawdinator-2", "clawdinator-3"
IDS = (ONE, TWO, THREE)
HOSTS = (host(ONE, 1), host(TWO, 2), host(THREE, 3))
SAM = Human("discord:1", "sam", operator=True)
BOT = BotInstance(ONE)


def iso(moment: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415  (one use)

    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def run(id_: int, *, status: str = "completed", ended: float = NOW - 7000, **more: Any) -> Run:
    begun = iso(ended - 600)
    entry = Entry(**more)
    return Run(
        id=id_,
        url=f"https://example.test/{id_}",
        status=status,
        conclusion="success" if status == "completed" else None,
        **entry._asdict(),
        created=begun,
        started=begun,
        updated=iso(ended),
    )


def verdict(caller: Caller, target: str, *runs: Run, override: str = "", seen: Any = None) -> str:
    """The code of the refusal, or nothing."""
    facts = judge.facts(target, runs, seen or sight(IDS, *HOSTS))
    try:
        judge.allow(caller, Entry(target=target, ami_override=override), facts)
    except Stopped as stop:
        return stop.title.removeprefix("Refused (").rstrip(")")
    return ""


def test_a_person_may() -> None:
    assert [verdict(SAM, "all"), verdict(SAM, TWO, override=OLD)] == ["", ""]


@pytest.mark.parametrize(
    ("caller", "target", "code"),
    [
        (Unknown("a stranger"), TWO, "unknown_caller"),
        (BOT, ONE, "self_deploy"),
        (BOT, "all", "self_deploy"),
        (SAM, "clawdinator-4", "unknown_target"),
        (BOT, TWO, ""),
    ],
)
def test_the_policy_holds_here_too(caller: Caller, target: str, code: str) -> None:
    assert code == verdict(caller, target)


def test_an_image_must_be_one_of_ours() -> None:
    assert verdict(SAM, TWO, override="ami-0bad0bad") == "unknown_image"


def test_a_bot_has_one_deploy_at_a_time() -> None:
    facts = judge.facts(TWO, (), sight(IDS, *HOSTS), unfinished="https://example.test/99")

    with pytest.raises(Stopped, match=r"not finished: https://example.test/99") as stop:
        judge.allow(BOT, Entry(target=TWO), facts)
    assert stop.value.title == "Refused (busy)"
    judge.allow(SAM, Entry(target=TWO), facts)


def test_a_bot_repairs_at_once_but_does_not_move_a_healthy_host_twice_an_hour() -> None:
    by_bot = run(90, target=TWO, caller=THREE, ended=NOW - 1200)
    launched = NOW - 1500
    healthy = sight(IDS, host(ONE, 1), host(TWO, 2, launched=launched), host(THREE, 3))
    ill = host(TWO, 2, launched=launched, health=Health.IMPAIRED)

    assert verdict(BOT, TWO, by_bot, seen=healthy) == "too_soon"
    assert not verdict(BOT, TWO, by_bot._replace(caller=""), seen=healthy)
    assert not verdict(BOT, TWO, by_bot, seen=sight(IDS, host(ONE, 1), ill, host(THREE, 3)))
    assert not verdict(SAM, TWO, by_bot, seen=healthy)


def test_a_bot_sees_to_the_missing_host_first() -> None:
    seen = sight(IDS, host(ONE, 1), host(TWO, 2))

    assert verdict(BOT, TWO, seen=seen) == "fleet_unwell"
    assert not verdict(BOT, THREE, seen=seen)


def test_a_matrix_holds_only_so_many_hosts() -> None:
    ids = [f"claw-{number}" for number in range(251)]

    assert verdict(SAM, "all", seen=sight(ids)) == "too_many_hosts"
    assert verdict(SAM, "claw-0", seen=sight(ids)) == "too_many_hosts"
    assert not verdict(SAM, "all", seen=sight(ids[:250]))
