"""The watch over the real Control API: whatever dies or is away, nothing is told twice but by a
death between the telling and its note, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from clawbot.fleet_channel.watching import (
    LEFT_SECONDS,
    READ_EVERY_SECONDS,
    SENT_WITHIN_SECONDS,
    SHARED_SECONDS,
)
from fleet_control.announcement import LEASED_SECONDS
from fleet_control.ledger import Entry
from tests.clawbot.bots import registry
from tests.clawbot.watched_fleet import (
    CHANNEL,
    IDS,
    ILL,
    KeptChannel,
    Refuses,
    WatchedFleet,
    nothing,
    watched_fleet,
)
from tests.discord.ec2 import stage
from tests.fleet_control.aws import FakeEc2
from tests.lambda_fn.small_github import job

TOLD = "5 wrong claw-2 not_healthy"


@pytest.fixture
async def fleet(ec2: FakeEc2) -> AsyncIterator[WatchedFleet]:
    async with watched_fleet(ec2) as watched:
        yield watched


async def test_a_host_that_falls_ill_is_told_of_once_with_its_repair_and_once_that_it_is_well(
    fleet: WatchedFleet,
) -> None:
    fleet.shows(ILL)
    await fleet.start("claw-1")
    await fleet.pass_(6)
    fleet.shows()
    await fleet.pass_(11)

    assert fleet.channel.words == [TOLD, "17 well claw-2 not_healthy"]
    (_, wrong), (_, well) = fleet.channel.told
    assert wrong.wrong[0].repair == "`/fleet deploy claw-2` replaces it."
    assert (wrong.calls, well.calls) == (("discord:&9",), ())
    assert READ_EVERY_SECONDS == SENT_WITHIN_SECONDS == 60


async def test_two_watches_of_one_process_read_the_ledger_once(fleet: WatchedFleet) -> None:
    other = KeptChannel(fleet.clock, name="telegram:-1001/5", platform="telegram", calls=())
    fleet.shows(ILL)
    await fleet.start("claw-1", fleet.channel, other)
    await fleet.pass_(5)

    assert fleet.channel.words == other.words == [TOLD]
    assert fleet.api.count("runs") == 6
    assert SHARED_SECONDS == 20


async def test_of_two_bots_one_watches_and_the_other_goes_on_where_it_died(
    fleet: WatchedFleet,
) -> None:
    fleet.shows(ILL)
    await fleet.start("claw-1")
    await fleet.start("claw-2")
    await fleet.pass_(5)
    await fleet.kill("claw-1")
    await fleet.pass_(3)
    fleet.shows()
    await fleet.pass_(11)

    assert fleet.channel.words == [TOLD, "19 well claw-2 not_healthy"]


async def test_what_was_being_counted_is_counted_on_by_whoever_takes_over(
    fleet: WatchedFleet,
) -> None:
    fleet.shows(ILL)
    await fleet.start("claw-1")
    await fleet.start("claw-2")
    await fleet.pass_(2)
    await fleet.kill("claw-1")
    await fleet.pass_(6)

    # Its last lease was taken after two minutes, for three.
    assert fleet.channel.words == [TOLD]


@pytest.mark.parametrize("calls", [11, 12, 13], ids=["lease", "pending", "told"])
async def test_killed_while_it_asks_the_control_api_it_is_told_once_by_the_next_bot(
    fleet: WatchedFleet, calls: int
) -> None:
    fleet.shows(ILL)
    await fleet.start("claw-1")
    asleep = asyncio.create_task(fleet.pass_(5))
    await fleet.api.until("watch", calls)
    fleet.bots["claw-1"].cancel()
    await asyncio.gather(asleep)
    await fleet.start("claw-1")
    await fleet.pass_(1)

    assert len(fleet.channel.told) == 1
    assert {words.partition(" ")[2] for words in fleet.channel.words} == {TOLD.partition(" ")[2]}


@pytest.mark.parametrize(
    ("when", "restarts", "minutes"),
    [("before", "claw-1", 0), ("after", "claw-1", 1), ("after", "claw-3", 3)],
    ids=["unsent", "sent", "sent, and another takes over"],
)
async def test_killed_between_the_pending_note_and_the_other_it_is_told_again_and_never_lost(
    fleet: WatchedFleet, when: str, restarts: str, minutes: int
) -> None:
    fleet.shows(ILL)

    def die() -> None:
        setattr(fleet.channel, when, lambda: None)
        fleet.bots["claw-1"].cancel()

    setattr(fleet.channel, when, die)
    await fleet.start("claw-1")
    await fleet.pass_(5)
    assert fleet.bots == {}
    assert len(fleet.channel.told) == (when == "after")

    await fleet.start(restarts)
    await fleet.pass_(minutes)

    assert len(fleet.channel.told) == 1 + (when == "after")
    assert {words.partition(" ")[2] for words in fleet.channel.words} == {TOLD.partition(" ")[2]}


@pytest.mark.parametrize("away", ["the table", "the Control API"])
async def test_an_hour_without_the_table_or_the_api_tells_nothing_twice_and_loses_nothing(
    fleet: WatchedFleet, away: str, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.shows(ILL)
    await fleet.start("claw-1")
    await fleet.pass_(6)
    if away == "the table":
        fleet.api.lose_table()
    fleet.api.away = away == "the Control API"
    await fleet.pass_(58 if fleet.api.away else 8)
    fleet.lacks("claw-3")
    await fleet.pass_(2)
    assert caplog.text.count("fleet.watch_unseen") == 1
    fleet.api.find_table()
    fleet.api.away = False
    back = int(fleet.clock.monotonic() // 60)
    await fleet.pass_(12)

    assert fleet.channel.words == [
        TOLD,
        f"{back + 6} wrong claw-3 missing",
        f"{back + 11} well claw-2 not_healthy",
    ]


async def test_whoever_lost_the_lease_while_it_read_says_nothing(fleet: WatchedFleet) -> None:
    fleet.shows(ILL)
    await fleet.start("claw-1")
    await fleet.pass_(4)
    loop, other = asyncio.get_running_loop(), fleet.api.client("claw-2")

    async def take() -> None:
        await fleet.clock.turn(LEASED_SECONDS)
        lease = await other.watch(CHANNEL, "claw-2")
        assert (lease.mine, lease.version > 0) == (True, True)

    def hold() -> None:
        fleet.ec2.hold = lambda: None
        asyncio.run_coroutine_threadsafe(take(), loop).result()

    fleet.ec2.hold = hold
    await fleet.clock.turn(60)
    await fleet.settled()
    await fleet.pass_(1)
    await other.close()
    assert fleet.channel.told == []

    await fleet.pass_(7)
    assert [words.partition(" ")[2] for words in fleet.channel.words] == [TOLD.partition(" ")[2]]


async def test_who_can_t_say_it_leaves_the_watch_to_who_can(fleet: WatchedFleet) -> None:
    def refuse() -> None:
        raise Refuses

    fleet.shows(ILL)
    mute = KeptChannel(fleet.clock, before=refuse)
    await fleet.start("claw-1", mute)
    await fleet.start("claw-2")
    await fleet.pass_(9)

    assert (mute.told, fleet.channel.words) == ([], ["8 wrong claw-2 not_healthy"])
    assert LEFT_SECONDS == 240


async def test_a_state_that_nobody_can_read_begins_anew(fleet: WatchedFleet) -> None:
    async with fleet.api.client("claw-1") as client:
        await client.watch(CHANNEL, "claw-1", "of a later version", 0)
    fleet.shows(ILL)
    await fleet.start("claw-1")
    await fleet.pass_(6)

    assert fleet.channel.words == [TOLD]


async def test_a_state_that_nobody_can_read_is_complained_of_once_though_all_is_well(
    fleet: WatchedFleet, caplog: pytest.LogCaptureFixture
) -> None:
    async with fleet.api.client("claw-1") as client:
        await client.watch(CHANNEL, "claw-1", "of a later version", 0)
    await fleet.start("claw-1")
    await fleet.pass_(2)

    assert caplog.text.count("fleet.watch_forgotten") == 1


async def test_while_ec2_does_not_answer_or_shows_nothing_nothing_is_read(
    fleet: WatchedFleet, ec2: FakeEc2
) -> None:
    await fleet.start("claw-1")
    stage(ec2, ())
    await fleet.pass_(6)
    ec2.scripts["DescribeInstances"] = [(503, "<Response/>")]
    await fleet.pass_(1)

    assert fleet.channel.told == []


async def test_an_entry_that_was_just_merged_is_told_of_and_calls_nobody(
    fleet: WatchedFleet,
) -> None:
    await fleet.start("claw-1")
    await fleet.pass_(1)
    fleet.api.github.registry = registry(*IDS, "claw-4").encode()
    await fleet.pass_(7)

    assert fleet.channel.words == ["7 wrong claw-4 not_deployed"]
    ((_, report),) = fleet.channel.told
    assert report.wrong[0].repair == "`/fleet deploy claw-4` creates it."
    assert report.calls == ()


async def test_what_was_seen_an_hour_ago_is_not_told_as_seen_now(fleet: WatchedFleet) -> None:
    def refuse() -> None:
        raise Refuses

    fleet.shows(ILL)
    fleet.channel.before = refuse
    await fleet.start("claw-1")
    await fleet.pass_(60)
    began = fleet.clock.now() - 3600
    fleet.channel.before = nothing
    await fleet.pass_(4)

    ((_, report),) = fleet.channel.told
    assert report.taken == began + 300


async def test_an_instance_that_is_no_longer_asked_for_is_never_called_well_again(
    fleet: WatchedFleet,
) -> None:
    fleet.lacks("claw-2")
    await fleet.start("claw-1")
    await fleet.pass_(5)
    fleet.api.github.registry = registry("claw-1", "claw-3").encode()
    await fleet.pass_(12)

    assert fleet.channel.words == ["5 wrong claw-2 missing"]


async def test_what_a_deploy_moves_is_left_to_its_reply_and_the_rest_is_told(
    fleet: WatchedFleet,
) -> None:
    now = datetime.fromtimestamp(fleet.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = "claw-3: ami-0bbbbbbbbbbbbbbbb -> ami-0cccccccccccccccc"
    moving = [{"name": "Replace and wait until healthy", "status": "in_progress"}]
    fleet.api.begin(Entry("discord.demo.5.9", "77", "claw-3"), 7, status="in_progress")
    fleet.api.github.jobs[7] = [job(1, name, "in_progress", started_at=now, steps=moving)]
    fleet.lacks("claw-3", "claw-2")
    await fleet.start("claw-1")
    await fleet.pass_(6)
    assert fleet.channel.words == ["5 wrong claw-2 missing"]

    over = {"status": "completed", "conclusion": "failure"}
    ended = datetime.fromtimestamp(fleet.clock.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    fleet.api.github.jobs[7][0] |= {**over, "completed_at": ended, "steps": [{**moving[0], **over}]}
    fleet.api.end(7, "failure")
    await fleet.pass_(16)
    assert fleet.channel.words == ["5 wrong claw-2 missing", "21 wrong claw-3 missing"]
