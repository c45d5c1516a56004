"""The run judges again, from the list of runs and from EC2."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import pytest

from fleet_control.caller import BotInstance, Caller, Human, Unknown
from fleet_control.host import Health
from fleet_control.ledger import Entry, Job, Run
from tests.workflows.fleets import NOW, OLD, host, view
from workflows.fleet_deploy import judge
from workflows.fleet_deploy.stopped import Stopped

ONE, TWO, THREE = "clawdinator-1", "clawdinator-2", "clawdinator-3"
IDS = (ONE, TWO, THREE)
HOSTS = (host(ONE, 1), host(TWO, 2), host(THREE, 3))
SAM = Human("discord:1", "sam", operator=True)
BOT = BotInstance(ONE)


def iso(moment: float) -> str:
    from datetime import UTC, datetime  # noqa: PLC0415  (one use)

    return datetime.fromtimestamp(moment, UTC).isoformat().replace("+00:00", "Z")


def run(id_: int, *, failed: bool = False, ended: float = NOW - 7000, **more: Any) -> Run:
    begun = iso(ended - 600)
    entry = Entry(**more)
    return Run(
        id=id_,
        url=f"https://example.test/{id_}",
        status="completed",
        conclusion="failure" if failed else "success",
        **entry._asdict(),
        created=begun,
        started=begun,
        updated=iso(ended),
    )


def verdict(
    caller: Caller,
    target: str,
    *runs: Run,
    override: str = "",
    seen: Any = None,
    jobs: Mapping[int, Iterable[Job]] = MappingProxyType({}),
) -> str:
    """The code of the refusal, or nothing; `jobs` are of all runs that may be asked about."""
    facts = judge.facts(seen or view(IDS, *HOSTS))
    record = judge.bots_record(target, runs, NOW, jobs.__getitem__)
    try:
        judge.allow(caller, Entry(target=target, ami_override=override), record.told(facts))
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
    facts = judge.facts(view(IDS, *HOSTS), unfinished="https://example.test/99")

    with pytest.raises(Stopped, match=r"not finished: https://example.test/99") as stop:
        judge.allow(BOT, Entry(target=TWO), facts)
    assert stop.value.title == "Refused (busy)"
    judge.allow(SAM, Entry(target=TWO), facts)


ILL = view(IDS, host(ONE, 1), host(TWO, 2, health=Health.IMPAIRED), host(THREE, 3))
GONE = view(IDS, host(ONE, 1), host(THREE, 3))


def test_a_bot_names_an_image_only_to_repair() -> None:
    assert verdict(BOT, TWO, override=OLD) == "repair_only"
    assert [verdict(BOT, TWO, override=OLD, seen=seen) for seen in (ILL, GONE)] == ["", ""]


@pytest.mark.parametrize("launched", [NOW - 1500, NOW - 60])
def test_a_bot_deploys_what_has_a_host_once_an_hour(launched: float) -> None:
    """Whether or not that deploy made the present host."""
    by_bot = run(90, target=TWO, caller=THREE, ended=NOW - 1200)
    healthy = view(IDS, host(ONE, 1), host(TWO, 2, launched=launched), host(THREE, 3))

    assert verdict(BOT, TWO, by_bot, seen=healthy) == "too_soon"
    assert verdict(BOT, TWO, by_bot, seen=ILL) == "too_soon"
    assert not verdict(BOT, TWO, by_bot, seen=GONE)
    assert not verdict(BOT, TWO, by_bot._replace(caller=""), seen=healthy)
    assert not verdict(BOT, TWO, by_bot._replace(updated=iso(NOW - 3600)), seen=healthy)
    assert not verdict(SAM, TWO, by_bot, seen=healthy)


FAILED = (Job("plan", "completed", "success"), Job(f"{TWO}: x -> y", "completed", "failure"))
REFUSED = (Job("plan", "completed", "failure"),)


def bots_failures(*ids: int) -> list[Run]:
    return [run(id_, failed=True, target=TWO, caller=THREE) for id_ in ids]


@pytest.mark.parametrize("seen", [None, ILL, GONE])
def test_what_two_bots_deploys_failed_at_is_a_persons(seen: Any) -> None:
    runs = bots_failures(90, 80)

    assert verdict(BOT, TWO, *runs, jobs={90: FAILED, 80: FAILED}, seen=seen) == "too_soon"
    assert not verdict(BOT, TWO, *runs, jobs={90: FAILED, 80: REFUSED}, seen=seen)
    assert not verdict(SAM, TWO, *runs, jobs={90: FAILED, 80: FAILED}, seen=seen)
    well = run(95, target=TWO)
    assert not verdict(BOT, TWO, well, *runs, jobs={90: FAILED, 80: FAILED}, seen=seen)


def test_a_bot_can_not_hide_its_failures_behind_runs_that_came_to_nothing() -> None:
    """Nor make a run ask for more jobs than GitHub grants."""
    runs = bots_failures(*range(100, 80, -1))
    enough = {run.id: REFUSED for run in runs[:8]}

    assert verdict(BOT, TWO, *runs, seen=GONE, jobs=enough) == "too_soon"
    assert not verdict(BOT, TWO, *runs[:8], seen=GONE, jobs=enough)
    assert not verdict(SAM, TWO, *runs, seen=GONE, jobs=enough)
    assert not verdict(BOT, TWO, run(101, target=TWO), *runs, seen=GONE)


def test_what_is_not_seen_is_not_called_a_failure() -> None:
    runs = bots_failures(*range(100, 80, -1))
    record = judge.bots_record(TWO, runs, NOW, lambda _: REFUSED)

    with pytest.raises(Stopped) as stop:
        judge.allow(BOT, Entry(target=TWO), record.told(judge.facts(view(IDS, *HOSTS))))
    assert str(stop.value) == (
        "Too many runs of late did not succeed: I can't see so far back whether deploys of "
        "clawdinator-2 by bot instances failed, or anybody's succeeded since. A person has to "
        "deploy it, with success, before a bot instance may again."
    )


def peoples_failures(*ids: int) -> list[Run]:
    return [run(id_, failed=True, target="all") for id_ in ids]


def test_peoples_runs_are_not_asked_about_where_bots_did_not_fail_twice() -> None:
    runs = [*peoples_failures(*range(100, 80, -1)), *bots_failures(50, 49)]

    assert not verdict(BOT, TWO, *runs, seen=GONE, jobs={50: FAILED, 49: REFUSED})


@pytest.mark.parametrize(("ended_by", "code"), [(None, "too_soon"), (93, ""), (86, "")])
def test_else_they_are_asked_about_from_the_newest_back(ended_by: int | None, code: str) -> None:
    """The other two of the eight that bots have are not theirs, nor theirs the bots'."""
    runs = [*peoples_failures(*range(93, 85, -1)), *bots_failures(50, 49)]
    jobs = dict.fromkeys(range(86, 94), REFUSED) | {50: FAILED, 49: FAILED}
    well = (Job(f"{TWO}: x -> y", "completed", "success"), Job(f"{ONE}: ", "completed", "failure"))
    if ended_by:
        jobs = {one: done for one, done in jobs.items() if one > ended_by or one <= 50}
        jobs[ended_by] = well

    assert verdict(BOT, TWO, *runs, seen=GONE, jobs=jobs) == code


def test_bots_two_failures_behind_too_many_of_peoples_runs_are_not_seen() -> None:
    runs = [*peoples_failures(*range(94, 85, -1)), *bots_failures(50, 49)]
    jobs = dict.fromkeys(range(87, 95), REFUSED) | {50: FAILED, 49: FAILED}
    record = judge.bots_record(TWO, runs, NOW, jobs.__getitem__)

    assert (record.unseen, record.failures) == (True, 0)


def test_peoples_success_is_found_behind_more_of_bots_runs_than_are_asked_about() -> None:
    runs = [*peoples_failures(99), *bots_failures(*range(90, 80, -1))]
    well = (Job(f"{TWO}: x -> y", "completed", "success"),)
    jobs = dict.fromkeys(range(83, 91), REFUSED) | {99: well}

    assert not verdict(BOT, TWO, *runs, seen=GONE, jobs=jobs)


def test_a_bot_sees_to_the_missing_host_first() -> None:
    seen = view(IDS, host(ONE, 1), host(TWO, 2))

    assert verdict(BOT, TWO, seen=seen) == "fleet_unwell"
    assert not verdict(BOT, THREE, seen=seen)


def test_a_matrix_holds_only_so_many_hosts() -> None:
    ids = [f"claw-{number}" for number in range(251)]

    assert verdict(SAM, "all", seen=view(ids)) == "too_many_hosts"
    assert verdict(SAM, "claw-0", seen=view(ids)) == "too_many_hosts"
    assert not verdict(SAM, "all", seen=view(ids[:250]))
