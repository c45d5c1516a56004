"""A dispatch is not idempotent: a lost answer is looked for before anything is asked again."""

from dataclasses import replace

import pytest

from fleet_control.api_answer import Dispatched
from fleet_control.control_api import ControlApi
from fleet_control.error import OutcomeUnknown
from tests.fleet_control.deploys import DISPATCHED, ENTRY, FOUND, RUN, TAKEN
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import Lambda, given_up
from tests.fleet_control.nonsense import NONSENSE, Spoil, a_500, html

# Before another dispatch, and before an outcome is called unknown: seconds between looks.
FIRST, LAST = [5.0, 10.0], [5.0, 10.0, 20.0]
# As GitHub's answer without a body is passed on.
UNNAMED = {"ok": True, "message": "queued", "run": {"id": None, "url": "https://r"}}


@pytest.mark.parametrize("lose", [Lambda.stays_silent, Lambda.trickles, Lambda.breaks_off])
async def test_a_deploy_whose_answer_is_lost_is_looked_for_and_found(
    control: Lambda, api: ControlApi, clock: HastyClock, lose: Spoil
) -> None:
    lose(control)
    control.has_runs(RUN)

    deploy = api.deploy(ENTRY)
    found = deploy if lose is Lambda.breaks_off else given_up(control, deploy)
    assert await found == FOUND
    assert control.actions == ["deploy", "runs"]
    assert control.asked[1]["request_id"] == ENTRY.request_id
    assert clock.slept == FIRST[:1]


async def test_of_two_runs_the_older_is_the_deploy(control: Lambda, api: ControlApi) -> None:
    control.breaks_off()
    control.has_runs(RUN._replace(id=9, url="https://r/9"), RUN)

    assert (await api.deploy(ENTRY)).run_id == 7


async def test_a_deploy_that_github_lists_late_is_not_asked_for_again(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    """Its list was seen to lag up to twelve seconds."""
    control.breaks_off()
    control.has_runs()
    control.has_runs(RUN)

    assert await api.deploy(ENTRY) == FOUND
    assert control.actions == ["deploy", "runs", "runs"]
    assert sum(clock.slept) >= 12


async def test_a_deploy_that_came_to_no_run_is_asked_for_once_more(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.breaks_off()
    control.has_runs()
    control.has_runs()
    control.answers(TAKEN)

    assert await api.deploy(ENTRY) == DISPATCHED
    assert control.actions == ["deploy", "runs", "runs", "deploy"]
    assert control.asked[0] == control.asked[3]
    assert clock.slept == FIRST


async def test_a_second_lost_answer_is_looked_for_too(control: Lambda, api: ControlApi) -> None:
    control.breaks_off()
    control.has_runs()
    control.has_runs()
    control.breaks_off()
    control.has_runs(RUN)

    assert await api.deploy(ENTRY) == FOUND


async def test_a_deploy_is_never_asked_for_a_third_time(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.breaks_off()
    control.has_runs()
    control.has_runs()
    control.breaks_off()
    for _ in LAST:
        control.has_runs()

    with pytest.raises(OutcomeUnknown, match="I can't confirm whether the deploy began"):
        await api.deploy(ENTRY)

    assert control.actions == ["deploy", "runs", "runs", "deploy", "runs", "runs", "runs"]
    assert clock.slept == [*FIRST, *LAST]


async def test_before_an_outcome_is_called_unknown_its_run_is_looked_for_again(
    control: Lambda, api: ControlApi, clock: HastyClock
) -> None:
    control.breaks_off()
    a_500(control)
    control.has_runs()
    control.has_runs(RUN)

    assert await api.deploy(ENTRY) == FOUND
    assert control.actions == ["deploy", "runs", "runs", "runs"]
    assert clock.slept == [FIRST[0], *LAST[:2]]


async def test_a_run_that_the_answer_does_not_name_is_looked_for(
    control: Lambda, api: ControlApi
) -> None:
    control.answers({**UNNAMED, "unproven_caller": True})
    a_500(control)
    control.has_runs(RUN)

    assert await api.deploy(ENTRY) == replace(FOUND, unproven_caller=True)
    assert control.actions == ["deploy", "runs", "runs"]
    assert control.asked[1]["request_id"] == ENTRY.request_id


async def test_a_run_that_stays_unnamed_is_no_reason_to_ask_again(
    control: Lambda, api: ControlApi
) -> None:
    control.answers(UNNAMED)
    for _ in LAST:
        control.has_runs()

    assert await api.deploy(ENTRY) == Dispatched(None, "https://r", "queued")
    assert control.actions == ["deploy", "runs", "runs", "runs"]


@pytest.mark.parametrize("spoil", [a_500, html])
async def test_when_the_runs_can_not_be_seen_nothing_is_asked_for_again(
    control: Lambda, api: ControlApi, spoil: Spoil
) -> None:
    control.breaks_off()
    spoil(control)

    with pytest.raises(OutcomeUnknown, match="I can't confirm"):
        await api.deploy(ENTRY)

    assert control.actions == ["deploy", "runs", "runs", "runs", "runs"]


async def test_a_no_to_the_second_ask_does_not_settle_the_first(
    control: Lambda, api: ControlApi
) -> None:
    control.breaks_off()
    control.has_runs()
    control.has_runs()
    control.refuses("github_busy", 429)

    with pytest.raises(OutcomeUnknown, match=r"github_busy, in words\. I can't confirm"):
        await api.deploy(ENTRY)


async def test_when_github_may_have_taken_it_that_is_looked_for(
    control: Lambda, api: ControlApi
) -> None:
    control.refuses("github_unreachable", 502)
    control.has_runs(RUN)

    assert await api.deploy(ENTRY) == FOUND


async def test_what_is_said_of_a_lost_deploy_are_whole_sentences(
    control: Lambda, api: ControlApi
) -> None:
    control.answers({"ok": False, "code": "github_unreachable", "error": "GitHub: HTTP 500"}, 502)
    control.says("never mind")

    with pytest.raises(OutcomeUnknown, match=r"^GitHub: HTTP 500\. I can't confirm whether"):
        await api.deploy(ENTRY)


async def test_a_deploy_without_a_request_id_can_not_be_looked_for(
    control: Lambda, api: ControlApi
) -> None:
    control.breaks_off()

    with pytest.raises(OutcomeUnknown):
        await api.deploy(ENTRY._replace(request_id=""))
    assert control.actions == ["deploy"]


@pytest.mark.parametrize("spoil", NONSENSE)
async def test_nonsense_to_a_deploy_may_hide_a_run(
    control: Lambda, api: ControlApi, spoil: Spoil
) -> None:
    spoil(control)
    control.has_runs(RUN)

    assert await api.deploy(ENTRY) == FOUND
    assert control.actions == ["deploy", "runs"]
