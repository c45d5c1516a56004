"""An asker's reply says every minute that it lives; one that was given up says where it goes on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from clawbot.deploy import Deploys
from clawbot.once import Once
from clawbot.progress import Stage
from clawbot.replies import Deploying, GoesOn, Reply, asking
from clawbot.tracking import Tracker
from fleet_control.control_api import ControlApi
from fleet_control.ledger import seconds
from tests.clawbot.bots import KeptChat, ask
from tests.clawbot.control_api import Api, control_api, run
from tests.clock import TurnedClock
from tests.idle import idle

OLD_API = (400, {"ok": False, "code": "bad_request", "error": "`action` must be one of …"})
NO_TABLE = (500, {"ok": False, "code": "misconfigured", "error": "There is no control table."})
AWAY = (502, {"ok": False, "code": "table_unreachable", "error": "The control table is away."})
TOO_OFTEN = (503, {"ok": False, "code": "asked_too_often", "error": "demo has asked 300 times."})
BROKEN = (200, {"nonsense": True})


@dataclass
class Author:
    """A bot whose reply tells of a deploy that goes on."""

    api: Api
    clock: TurnedClock
    deploys: Deploys
    chat: KeptChat

    async def begin(self) -> asyncio.Task[Reply]:
        begun = asking("claw-2", "", "terminal:operator")
        doing = asyncio.create_task(self.deploys.begin(ask(), begun, self.chat.reply("77")))
        await self.clock.asleep(2)
        return doing

    def resume(self) -> asyncio.Task[Reply]:
        async def resumed() -> Reply:
            left = await anext(
                self.deploys.resume("terminal", lambda _c, _a, id_: self.chat.reply(id_))
            )
            return await left[0]

        return asyncio.create_task(resumed())

    async def passes(self, seconds: int, step: int = 5) -> None:
        """In steps that each come to rest."""
        for _ in range(0, seconds, step):
            await self.clock.turn(step)
            await idle()

    @property
    def stages(self) -> list[Stage]:
        return [one.progress.stage for one in self.chat.said if isinstance(one, Deploying)]


@pytest.fixture
async def author(clock: TurnedClock) -> AsyncIterator[Author]:
    async with control_api(clock) as (api, client):
        tracker = _tracker(client, clock)
        deploys = Deploys(client, tracker, "demo", Once(clock), clock)
        yield Author(api, clock, deploys, KeptChat(clock))
        await tracker.close()


def _tracker(client: ControlApi, clock: TurnedClock) -> Tracker:
    return Tracker(client, clock, running_every=10.0, waiting_every=30.0)


async def test_it_says_so_every_minute_and_not_before_a_run_is_known(author: Author) -> None:
    begun = await author.begin()
    await author.passes(59, step=59)
    assert author.api.count("living") == 0
    await author.passes(186, step=3)
    assert author.api.count("living") == 4
    assert {one["request_id"] for one in author.api.asked if one["action"] == "living"} == {
        author.api.runs[0].request_id
    }

    author.api.change(1, status="completed", conclusion="success")
    await author.passes(60)
    assert isinstance(await begun, Deploying)
    before = author.api.count("living")
    await author.passes(120)

    assert author.api.count("living") == before


async def test_where_that_fails_it_is_said_again_at_least_every_half_minute(
    author: Author,
) -> None:
    begun = await author.begin()
    author.api.refused["living"] = AWAY
    await author.passes(600)

    # After 60 s, and 1, 3, 7, 15 and 31 s later; then every 30 s, each up to a step late.
    assert 19 <= author.api.count("living") <= 22
    begun.cancel()


@pytest.mark.parametrize("answer", [OLD_API, NO_TABLE, AWAY])
async def test_where_nobody_can_give_it_up_it_goes_on_as_before(
    author: Author, answer: tuple[int, dict[str, object]]
) -> None:
    begun = await author.begin()
    author.api.refused["living"] = answer
    await author.passes(600)
    author.api.change(1, status="in_progress")
    await author.passes(60)
    author.api.change(1, status="completed", conclusion="success")
    await author.passes(60)

    assert (await begun) == author.chat.said[-1]
    assert author.stages == [Stage.QUEUED, Stage.RUNNING, Stage.DONE]
    assert len(author.chat.called) == 1


@pytest.mark.parametrize("answer", [BROKEN, TOO_OFTEN])
@pytest.mark.parametrize(("blind", "shown"), [(200, True), (300, False)])
async def test_who_could_be_given_up_by_now_shows_nothing_before_it_is_certain(
    author: Author, blind: int, shown: bool, answer: tuple[int, dict[str, object]]
) -> None:
    """A Control API that does not answer us, or us alone, may answer others."""
    begun = await author.begin()
    author.api.refused["living"] = answer
    await author.passes(blind)
    author.api.change(1, status="in_progress")
    await author.passes(70)
    assert (Stage.RUNNING in author.stages) is shown

    author.api.refused.clear()
    await author.passes(35)
    assert Stage.RUNNING in author.stages
    begun.cancel()


async def test_one_that_was_given_up_says_where_it_goes_on_and_calls_nobody(
    author: Author,
) -> None:
    begun = await author.begin()
    author.api.life = {"lives": False, "goes_on": "discord:9#55"}
    await author.passes(60)
    author.api.change(1, status="completed", conclusion="success")
    await author.passes(60)

    assert await begun == author.chat.said[-1] == GoesOn("Deploy claw-2", "discord:9", "55")
    assert author.stages == [Stage.QUEUED]
    assert author.chat.called == []


async def test_one_that_a_younger_process_keeps_is_left_as_it_is(author: Author) -> None:
    begun = await author.begin()
    author.api.younger = True
    await author.passes(60)
    author.api.change(1, status="completed", conclusion="success")
    await author.passes(60)

    assert begun.done()
    assert author.stages == [Stage.QUEUED]
    assert author.chat.called == []


async def test_at_the_end_it_is_looked_whether_a_younger_process_calls(author: Author) -> None:
    begun = await author.begin()
    author.api.younger = True
    author.api.change(1, status="completed", conclusion="success")
    await author.passes(55)

    assert begun.done()
    assert author.stages[-1] is Stage.DONE
    assert author.chat.called == []


async def test_a_bot_that_comes_back_asks_before_it_edits_anything(author: Author) -> None:
    author.api.runs = [run(1, request_id="terminal.demo.7.1", reply="42")]
    author.api.refused["living"] = AWAY
    back = author.resume()
    await author.passes(60)
    assert author.chat.said == []
    author.api.refused.clear()
    await author.passes(30)

    assert author.stages == [Stage.RUNNING]
    back.cancel()


@pytest.mark.parametrize("answer", [OLD_API, NO_TABLE])
async def test_where_there_are_no_such_leases_it_goes_on_at_once(
    author: Author, answer: tuple[int, dict[str, object]]
) -> None:
    author.api.runs = [run(1, request_id="terminal.demo.7.1", reply="42")]
    author.api.refused["living"] = answer
    back = author.resume()
    await author.chat.until_said(1)

    assert author.stages == [Stage.RUNNING]
    back.cancel()


@pytest.mark.parametrize(("after", "place"), [(240, ("discord:9", "55")), (400, ("", ""))])
async def test_where_it_goes_on_is_asked_for_until_somebody_says_it_or_five_minutes(
    author: Author, after: int, place: tuple[str, str]
) -> None:
    author.api.runs = [run(1, request_id="terminal.demo.7.1", reply="42")]
    author.api.life = {"lives": False, "goes_on": ""}
    back = author.resume()
    await author.passes(after)
    assert author.chat.said == [] or after == 400
    author.api.life["goes_on"] = "discord:9#55"
    await author.passes(40)

    assert await back == GoesOn("Deploy claw-2", *place)


async def test_every_living_reply_knows_who_asked_and_when(author: Author) -> None:
    began = author.clock.now()
    begun = await author.begin()
    author.api.runs.append(run(2, request_id="terminal.demo.7.1", reply="42"))
    back = author.resume()
    await author.chat.until_said(2)
    (asked, found) = (one for one in author.chat.said if isinstance(one, Deploying))

    assert asked.asked_by == found.asked_by == "operator in the terminal"
    assert (asked.asked_at, found.asked_at) == (began, seconds(author.api.runs[1].created))
    begun.cancel()
    back.cancel()
