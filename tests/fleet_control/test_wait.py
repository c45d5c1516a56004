"""Waiting for a run: each change said once, troubles borne, and never a made-up end."""

import pytest

from fleet_control import json_output, text_output
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiRefused, OutcomeUnknown
from fleet_control.ledger import Job
from fleet_control.wait import until_finished
from tests.fleet_control.fleets import run
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import Lambda
from tests.fleet_control.past_runs import going, job, rolled, steps, went

ENDED = run(7)
RUNNING = run(7, status="in_progress", conclusion=None)
QUEUED = run(7, status="queued", conclusion=None)


ASKED = "run 7: asked for by sam in Discord, 2026-09-21 13:00 UTC"


def nothing(_: str) -> None:
    """Say it to nobody."""


async def test_each_change_is_said_once(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    plan, host = Job("plan", "completed", "success"), Job("claw-2: a -> b", "in_progress")
    going = RUNNING._replace(jobs=(plan, host))
    done = ENDED._replace(jobs=(plan, host._replace(status="completed", conclusion="success")))
    control.shows(QUEUED, QUEUED, RUNNING._replace(jobs=(host._replace(status="queued"),)))
    control.shows(going, going, done)
    said: list[str] = []

    assert await until_finished(api, 7, clock, said.append) == done
    assert said == [
        ASKED,
        "run 7: queued",
        "run 7: in_progress",
        "plan: success",
        "claw-2: a -> b: in_progress",
        "run 7: success",
        "claw-2: a -> b: success",
    ]


async def test_one_that_waits_for_a_reviewer_is_not_called_queued(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    halted = run(7, status="waiting", conclusion=None)._replace(jobs=(Job("plan", "waiting"),))
    control.shows(QUEUED, halted, ENDED)
    said: list[str] = []

    await until_finished(api, 7, clock, said.append)

    review = "waiting for a reviewer on GitHub"
    assert said[1:4] == ["run 7: queued", f"run 7: {review}", f"plan: {review}"]
    assert f"run 7: {review}" in text_output.run(halted)


async def test_a_waiting_run_is_asked_about_less_often(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.shows(QUEUED, RUNNING, ENDED)

    await until_finished(api, 7, clock, nothing)

    assert clock.slept == [30.0, 10.0]


async def test_one_that_goes_on_as_it_was_is_asked_about_less_and_less(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    news = RUNNING._replace(jobs=(Job("plan", "completed", "success"),))
    control.shows(*[RUNNING] * 8, news, ENDED)

    await until_finished(api, 7, clock, nothing)

    assert clock.slept == [10, 10, 10, 20, 20, 20, 30, 30, 10]


async def test_a_run_that_github_lists_late_is_waited_for(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.refuses("unknown_run", 404)
    control.shows(ENDED)

    assert await until_finished(api, 7, clock, nothing) == ENDED


async def test_a_run_that_there_is_not_is_given_up(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    for _ in range(3):
        control.refuses("unknown_run", 404)

    with pytest.raises(ControlApiRefused, match="unknown_run"):
        await until_finished(api, 7, clock, nothing)
    assert clock.slept == [10.0, 10.0]


async def test_a_run_that_stopped_as_a_duplicate_is_waited_for_in_the_deploy(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    stopped = (Job("plan", "completed", "failure"),)
    twin = run(8, conclusion="failure", request_id=ENDED.request_id, jobs=stopped)
    control.shows(twin._replace(status="queued", conclusion=None, jobs=()), twin)
    control.has_runs(twin, RUNNING)
    control.shows(RUNNING, RUNNING, ENDED)
    said: list[str] = []

    assert await until_finished(api, 8, clock, said.append) == ENDED
    assert said == [
        ASKED.replace("7", "8"),
        "run 8: queued",
        "run 8: failure",
        "plan: failure",
        "run 8 was the same ask as run 7, which is the deploy",
        ASKED,
        "run 7: in_progress",
        "run 7: success",
    ]


async def test_a_blip_in_the_middle_is_no_sign_that_there_is_no_such_run(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.shows(QUEUED)
    control.refuses("unknown_run", 404)
    control.shows(ENDED)

    assert await until_finished(api, 7, clock, nothing) == ENDED


async def test_a_wrong_token_is_not_waited_for(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.refuses("unauthorized", 401)

    with pytest.raises(ControlApiRefused, match="unauthorized"):
        await until_finished(api, 7, clock, nothing)
    assert clock.slept == []


async def test_when_github_is_busy_it_waits_as_long_as_it_is_told(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.refuses("github_busy", 429, retry_after=60)
    control.shows(ENDED)

    assert await until_finished(api, 7, clock, nothing) == ENDED
    assert clock.slept == [60.0]


async def test_trouble_that_lasts_is_said_though_it_may_not_look_for_an_hour(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.shows(RUNNING)
    control.refuses("github_busy", 429, retry_after=3600)
    control.shows(ENDED)
    said: list[tuple[str, float]] = []

    await until_finished(api, 7, clock, lambda line: said.append((line, clock.monotonic())))

    line, at = said[2]
    assert line.startswith(
        "run 7: no sight of it since 14:13 UTC, which does not stop the deploy. "
    )
    assert (at, sum(clock.slept)) == (90.0, 3610.0)
    assert len(said) == 4


async def test_the_time_given_is_waited_though_it_may_not_look_again_within_it(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.refuses("github_busy", 429, retry_after=3600)
    said: list[str] = []

    with pytest.raises(OutcomeUnknown, match="not ended in the time given"):
        await until_finished(api, 7, clock, said.append, within=300)
    assert sum(clock.slept) == 300
    assert "no sight of it" in said[0]


async def test_a_few_troubles_are_borne(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    for _ in range(59):
        control.says("<html>", 500)
    control.shows(RUNNING)
    control.says("<html>", 500)
    control.shows(ENDED)

    assert await until_finished(api, 7, clock, nothing) == ENDED


async def test_out_of_sight_the_end_is_unknown(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.shows(RUNNING)

    with pytest.raises(OutcomeUnknown, match=r"I lost sight of run 7: .* How it ends is not known"):
        await until_finished(api, 7, clock, nothing)
    assert len(control.asked) == 62  # ten minutes from the first that showed nothing


async def test_longer_than_asked_for_it_does_not_wait(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.shows(*[RUNNING] * 10)

    with pytest.raises(OutcomeUnknown, match="not ended in the time given"):
        await until_finished(api, 7, clock, nothing, within=25)
    assert clock.slept == [10.0, 10.0]


async def test_of_a_roll_it_says_how_far_it_is_and_about_when_it_ends(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    past = rolled(1, 120, "claw-1", "claw-2", "claw-3")
    control.history = {"runs": [json_output.run(past)]}
    seen = [going(7, *jobs) for jobs, _ in steps()]
    control.shows(*seen, seen[-1]._replace(status="completed", conclusion="success"))
    said: list[str] = []

    await until_finished(api, 7, clock, said.append)

    assert [line for line in said if "done" in line] == [
        "run 7: ▱▱▱ 0 of 3 hosts done, end expected 2026-09-21 14:20 UTC",
        "run 7: ▰▱▱ 1 of 3 hosts done, end expected 2026-09-21 14:20 UTC",
        "run 7: ▰▰▱ 2 of 3 hosts done, end expected 2026-09-21 14:20 UTC",
        "run 7: ▰▰▰ 3 of 3 hosts done, end expected 2026-09-21 14:20 UTC",
    ]


async def test_of_one_whose_turn_has_not_come_nothing_is_expected(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.history = {"runs": [json_output.run(rolled(1, 120, "claw-1"))]}
    waits = QUEUED._replace(target="claw-1")
    runs = (waits, waits._replace(jobs=(job("plan"),)), waits._replace(status="pending"))
    control.shows(*runs, went(7, job("plan", 0, 40)))
    said: list[str] = []

    await until_finished(api, 7, clock, said.append)

    assert "run 7: pending" in said
    assert not [line for line in said if "expected" in line]


async def test_a_bar_has_20_marks_at_the_most(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    hosts = [job(f"claw-{n}", 40, 50 + n) for n in range(40)]
    control.shows(went(7, job("plan", 0, 40), *hosts))
    said: list[str] = []

    await until_finished(api, 7, clock, said.append)

    assert f"run 7: {'▰' * 20} 40 of 40 hosts done" in said


async def test_of_one_host_it_says_once_about_when_it_ends(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.history = {"runs": [json_output.run(rolled(1, 120, "claw-1"))]}
    plan, host = job("plan", 0, 50), "claw-1"
    one = [going(7, *jobs, target=host) for jobs in ((plan, job(host)), (plan, job(host, 53)))]
    control.shows(QUEUED, *one, ENDED)
    said: list[str] = []

    await until_finished(api, 7, clock, said.append)

    ends = [line for line in said if "expected" in line]
    assert ends == ["run 7: end expected 2026-09-21 14:16 UTC"]


async def test_where_the_past_can_t_be_had_nothing_is_expected(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.history = None
    control.shows(RUNNING)
    control.refuses("github_refused", 502)
    control.shows(ENDED)
    said: list[str] = []

    await until_finished(api, 7, clock, said.append)

    assert said == [ASKED, "run 7: in_progress", "run 7: success"]
