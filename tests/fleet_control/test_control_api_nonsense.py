"""A Control API that answers nonsense, late or not at all, and no secret in what is said of it."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from fleet_control import json_output
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiDown, ControlApiError
from tests.clock import TurnedLoop
from tests.fleet_control import lambdas
from tests.fleet_control.deploys import ENTRY, RUN
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, Lambda, given_up
from tests.fleet_control.nonsense import NONSENSE, Spoil


@pytest.mark.parametrize("spoil", NONSENSE)
async def test_nonsense_to_a_question_is_a_sentence(
    control: Lambda, api: ControlApi, spoil: Spoil
) -> None:
    spoil(control)

    with pytest.raises(ControlApiDown, match=r"^The Control API's answer .*\.$"):
        await api.run(7)


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True},
        {"ok": True, "run": [], "runs": {}},
        {"ok": True, "run": {"id": "seven"}, "runs": [{"id": "seven"}]},
        {
            "ok": True,
            "run": json_output.run(RUN._replace(created="yesterday")),
            "runs": [json_output.run(RUN._replace(updated="soon"))],
            "registry": {},
            "reply": {"lives": "perhaps"},
            "announcement": {"silence": "", "earlier": [["claw-1"]]},
            "watch": {"mine": True, "version": "new"},
        },
    ],
    ids=["nothing", "wrong kinds", "wrong fields", "no time"],
)
@pytest.mark.parametrize("action", ["run", "runs", "registry", "living", "announce", "watch"])
async def test_an_answer_of_the_wrong_shape_is_a_sentence(
    control: Lambda, api: ControlApi, answer: object, action: str
) -> None:
    control.answers(answer)
    ask: dict[str, Callable[[], Awaitable[object]]] = {
        "run": lambda: api.run(7),
        "runs": api.runs,
        "registry": api.registry,
        "living": lambda: api.living("discord.claw-1.1.2"),
        "announce": lambda: api.announce(7, "discord:1", "claw-1"),
        "watch": lambda: api.watch("discord:1", "claw-1"),
    }

    with pytest.raises(ControlApiDown, match=r"The Control API.*\.$"):
        await ask[action]()


@pytest.mark.parametrize("spoil", [Lambda.stays_silent, Lambda.trickles])
async def test_silence_and_slowness_end_at_the_deadline(
    control: Lambda, api: ControlApi, spoil: Spoil
) -> None:
    spoil(control)

    with pytest.raises(ControlApiDown, match="did not answer in time"):
        await given_up(control, api.runs())


async def test_a_question_on_a_broken_connection_is_asked_once_more(
    control: Lambda, api: ControlApi
) -> None:
    control.breaks_off()
    control.answers({"ok": True, "runs": []})

    assert await api.runs() == ()


async def test_a_question_on_two_broken_connections_is_given_up(
    control: Lambda, api: ControlApi
) -> None:
    control.breaks_off()
    control.breaks_off()

    with pytest.raises(ControlApiDown, match="broke off"):
        await api.runs()
    assert control.actions == ["runs", "runs"]


async def test_a_redirect_is_not_followed(control: Lambda, api: ControlApi) -> None:
    control.says("elsewhere", 307)

    with pytest.raises(ControlApiDown, match="HTTP 307"):
        await api.runs()


async def test_one_that_is_not_there_can_not_be_reached(clock: HastyClock) -> None:
    async with lambdas.serving() as control:
        gone = control.url

    async with lambdas.client(gone, clock) as api:
        with pytest.raises(ControlApiDown, match="can't be reached"):
            await api.deploy(ENTRY)
    assert clock.slept == []


async def test_a_url_of_another_kind_is_said_to_be_none(clock: HastyClock) -> None:
    async with lambdas.client("ftp://control.test/", clock) as api:
        with pytest.raises(ControlApiDown, match="URL"):
            await api.deploy(ENTRY)


async def test_neither_token_nor_key_is_in_any_word_of_ours(
    control: Lambda, api: ControlApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [repr(api)]
    for spoil in (*NONSENSE, Lambda.breaks_off):
        spoil(control)
        with pytest.raises(ControlApiError) as raised:
            await api.deploy(ENTRY)
        seen += _everything(raised.value)

    said = "\n".join((*seen, caplog.text))
    for secret in (TOKEN, ACCESS_KEY, SECRET_KEY):
        assert secret not in said


def _everything(error: BaseException | None) -> list[str]:
    return [str(error), repr(error), *_everything(error.__cause__)] if error else []


@pytest.mark.parametrize(("length", "read"), [(1_000_000, True), (1_100_000, False)])
async def test_an_answer_may_have_a_mebibyte(
    control: Lambda, api: ControlApi, length: int, read: bool
) -> None:
    control.says(json.dumps({"ok": True, "runs": []}).ljust(length), 200, "application/json")

    if read:
        assert await api.runs() == ()
    else:
        with pytest.raises(ControlApiDown, match="longer than 1 MiB"):
            await api.runs()


async def test_of_aws_s_own_words_two_hundred_characters_are_told(
    control: Lambda, api: ControlApi
) -> None:
    control.answers({"Message": "x" * 300}, 403)

    with pytest.raises(ControlApiDown, match=r"\(HTTP 403\): x{200}\W*$"):
        await api.runs()


async def test_an_answer_is_waited_for_a_little_longer_than_the_function_may_take(
    control: Lambda, clock: HastyClock
) -> None:
    loop, arrived = TurnedLoop(), asyncio.Event()

    async def act(_: web.Request) -> web.Response:
        arrived.set()
        await control.ended.wait()
        return web.Response()

    control.acts.append(act)
    async with ControlApi(control.url, TOKEN, ACCESS_KEY, SECRET_KEY, REGION, clock) as api:
        asking = asyncio.create_task(api.runs())
        await arrived.wait()
        await loop.turn(8.6)
        assert not asking.done()
        await loop.turn(3)
        with pytest.raises(ControlApiDown, match="did not answer in time"):
            await asyncio.wait_for(asking, 5)


async def test_a_connection_is_waited_for_half_as_long_and_nothing_was_done(
    clock: HastyClock,
) -> None:
    loop = TurnedLoop()
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        full = [socket.socket() for _ in range(4)]
        for one in full:
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
        async with ControlApi(url, TOKEN, ACCESS_KEY, SECRET_KEY, REGION, clock) as api:
            asking = asyncio.create_task(api.deploy(ENTRY))
            await loop.turn(4)
            assert not asking.done()
            await loop.turn(3)
            with pytest.raises(ControlApiDown, match="can't be reached"):
                await asyncio.wait_for(asking, 5)
        for one in full:
            one.close()


async def test_one_run_that_can_not_be_read_hides_no_other(
    control: Lambda, api: ControlApi
) -> None:
    told = [dict(json_output.run(RUN._replace(id=id_))) for id_ in (9, 8, 7)]
    control.answers({"ok": True, "runs": [told[0], told[1] | {"updated": None}, told[2]]})

    assert [run.id for run in await api.runs()] == [9, 7]


async def test_a_run_without_a_status_is_read_as_one_in_doubt(
    control: Lambda, api: ControlApi
) -> None:
    """An API older than this client hands GitHub's null on."""
    told = [dict(json_output.run(RUN._replace(id=id_))) for id_ in (9, 8)]
    control.answers({"ok": True, "runs": [told[0] | {"status": None, "conclusion": None}, told[1]]})

    runs = await api.runs()

    assert (runs[0].id, runs[0].status, runs[0].finished) == (9, "unknown", False)
    assert len(runs) == 2


async def test_a_job_and_a_step_without_a_status_leave_their_run_readable(
    control: Lambda, api: ControlApi
) -> None:
    step = {"name": "Replace", "status": None, "conclusion": "success"}
    job = {"name": "claw-2", "status": None, "conclusion": None, "steps": [step]}
    control.answers({"ok": True, "run": {**json_output.run(RUN), "jobs": [job]}})

    (read,) = (await api.run(RUN.id)).jobs

    assert (read.status, read.steps[0].status) == ("unknown", "completed")


@pytest.mark.parametrize("jobs", [5, [5], [{"name": "claw-2", "steps": 5}]])
async def test_jobs_that_are_none_are_a_sentence(
    control: Lambda, api: ControlApi, jobs: object
) -> None:
    control.answers({"ok": True, "run": {**json_output.run(RUN), "jobs": jobs}})

    with pytest.raises(ControlApiDown, match="no valid `run`"):
        await api.run(RUN.id)


async def test_of_one_ask_s_runs_none_may_be_left_out(control: Lambda, api: ControlApi) -> None:
    """Else it would be asked for again, though there is one."""
    told = [dict(json_output.run(RUN._replace(id=id_))) for id_ in (9, 8)]
    control.answers({"ok": True, "runs": [told[0], told[1] | {"updated": None}]})

    with pytest.raises(ControlApiDown, match="no valid `runs`"):
        await api.runs(request_id=RUN.request_id)
