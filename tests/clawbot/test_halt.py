"""What a stop and a cancel are answered, whatever the Control API says."""

import pytest

from clawbot.ask import Ask
from clawbot.replies import Notice, Tone
from clawbot.requests import Cancel, Request, Stop
from fleet_control.caller import BotInstance
from fleet_control.run_title import requested_by
from tests.clawbot.bots import KeptChat, ask, bot_of
from tests.clawbot.control_api import Api, run
from tests.clock import TurnedClock
from tests.fleet_control.aws import FakeEc2

WHO = requested_by("terminal:operator", "operator")


async def said(
    request: Request, ec2: FakeEc2, *states: str, by: Ask | None = None, **refused: object
) -> tuple[Notice, Api]:
    """What it is answered beside runs of these states, the oldest first."""
    clock = TurnedClock()
    async with bot_of(clock, ec2.url) as (bot, api):
        api.runs = [run(7 + number, state) for number, state in enumerate(states)]
        api.refused |= refused  # type: ignore[arg-type]  # (as a test gives it)
        answered = await bot.commands.answer(by or ask(), request, KeptChat(clock).reply())
    assert isinstance(answered, Notice)
    return answered, api


def failing(status: int, code: str, error: str = "Why.") -> tuple[int, dict[str, object]]:
    return status, {"ok": False, "code": code, "error": error}


async def test_a_stop_names_who_asked_and_repeats_what_it_came_to(ec2: FakeEc2) -> None:
    notice, api = await said(Stop(), ec2)

    assert notice == Notice(("Run 1 was told.",))
    assert api.asked[-1] == {"action": "stop", "requested_by": WHO}


@pytest.mark.parametrize(
    ("status", "code", "tone", "line"),
    [
        (409, "nothing_runs", Tone.REFUSED, "Why."),
        (409, "at_its_last", Tone.REFUSED, "Why."),
        (500, "misconfigured", Tone.BROKEN, "Why."),
        (502, "github_refused", Tone.BROKEN, "Why."),
        (
            400,
            "bad_request",
            Tone.BROKEN,
            "The Control API is older than I am and can't stop a roll: update it.",
        ),
    ],
)
async def test_why_a_roll_is_not_stopped_is_said(
    ec2: FakeEc2, status: int, code: str, tone: Tone, line: str
) -> None:
    notice, _ = await said(Stop(), ec2, stop=failing(status, code))

    assert (notice.lines, notice.tone) == ((line,), tone)


@pytest.mark.parametrize("code", ["table_unreachable", "internal", "github_unreachable"])
async def test_where_it_may_have_been_told_that_is_said(ec2: FakeEc2, code: str) -> None:
    notice, _ = await said(Stop(), ec2, stop=failing(502, code))

    unsure = "Whether the roll was told to stop is not known: ask again, it does no harm."
    assert (notice.lines, notice.tone) == (("Why.", unsure), Tone.BROKEN)


@pytest.mark.parametrize("waits", ["queued", "pending", "waiting", "requested"])
async def test_the_only_one_that_waits_is_cancelled(ec2: FakeEc2, waits: str) -> None:
    notice, api = await said(Cancel(), ec2, "completed", "in_progress", waits)

    assert notice == Notice(("run 9 is being cancelled",))
    assert api.asked[-1] == {"action": "cancel", "run_id": 9, "requested_by": WHO}


async def test_of_several_that_wait_each_is_named_with_its_asker(ec2: FakeEc2) -> None:
    notice, api = await said(Cancel(), ec2, "in_progress", "pending", "pending")

    whose = "(deploy `claw-2`, asked for by operator in the terminal)"
    assert notice.lines == (
        "2 deploys wait. Say which: `/fleet cancel <run>`.",
        f"Run 8 {whose}",
        f"Run 9 {whose}",
    )
    assert api.count("cancel") == 0


async def test_of_very_many_that_wait_the_first_twelve_are_named(ec2: FakeEc2) -> None:
    notice, _ = await said(Cancel(), ec2, *["pending"] * 15)

    assert len(notice.lines) == 14
    assert notice.lines[12].startswith("Run 18 ")
    assert notice.lines[13] == "And 3 more that were asked for later."


async def test_one_that_has_started_is_not_cancelled(ec2: FakeEc2) -> None:
    refused = failing(409, "already_running", "Run 7 has started.")
    notice, api = await said(Cancel(7), ec2, "in_progress", cancel=refused)

    assert (notice.lines, notice.code) == (("Run 7 has started.",), "already_running")
    assert api.count("runs") == 0


async def test_a_cancel_that_is_heard_twice_cancels_one(ec2: FakeEc2) -> None:
    clock = TurnedClock()
    async with bot_of(clock, ec2.url) as (bot, api):
        api.runs = [run(7, "pending")]
        await bot.commands.answer(ask(), Cancel(), KeptChat(clock).reply())
        api.runs.append(run(8, "pending"))
        again = await bot.commands.answer(ask(), Cancel(), KeptChat(clock).reply())

    assert isinstance(again, Notice)
    assert again.code == "duplicate"
    assert api.count("cancel") == 1


@pytest.mark.parametrize(("said_at", "names"), [(-1.0, True), (1.0, False)])
async def test_what_a_predecessor_may_have_heard_cancels_no_second_one(
    ec2: FakeEc2, said_at: float, names: bool
) -> None:
    early = ask(said=TurnedClock().now() + said_at)
    notice, api = await said(Cancel(), ec2, "pending", by=early)

    whose = "(deploy `claw-2`, asked for by operator in the terminal)"
    told = (
        "You said that before I was started anew: one may be cancelled already. "
        "Say which: `/fleet cancel <run>`.",
        f"Run 7 {whose}",
    )
    assert notice.lines == (told if names else ("run 7 is being cancelled",))
    assert api.count("cancel") == (0 if names else 1)


@pytest.mark.parametrize("request_", [Stop(), Cancel(), Cancel(7)])
async def test_no_bot_instance_stops_or_cancels(ec2: FakeEc2, request_: Request) -> None:
    notice, api = await said(request_, ec2, "pending", by=ask(BotInstance("claw-1")))

    assert notice.code == "not_operator"
    assert api.count("stop") == api.count("cancel") == 0
