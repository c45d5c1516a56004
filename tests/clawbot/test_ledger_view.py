"""The history and one deploy of it, as the chat shows them to whoever asks."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from clawbot.bot import Bot
from clawbot.discord.embeds import embed
from clawbot.discord.reports import LONGEST_RUN
from clawbot.ledger_view import LIVING, MOST_LIVING, TOO_MANY
from clawbot.page import Page
from clawbot.parsing import parse
from clawbot.progress import Progress, Stage
from clawbot.replies import Deploying, HistoryReport, Notice, Reply, Tone
from clawbot.telegram.messages import render
from fleet_control.history import HistoryRow, RunResult
from fleet_control.ledger import Run
from sandbox.discord_api import limit, validate
from sandbox.telegram_api.markup import read_text
from sandbox.terminal import markup as terminal
from tests.clawbot.bots import VISITOR, KeptChat, ask, bot_of
from tests.clawbot.control_api import Api, job, run
from tests.clock import TurnedClock

NOW = 1_790_000_000.0


@pytest.fixture
async def served(clock: TurnedClock) -> AsyncIterator[tuple[Bot, Api]]:
    async with bot_of(clock, "http://127.0.0.1:1") as both:
        yield both


@pytest.fixture
def chat(clock: TurnedClock) -> KeptChat:
    return KeptChat(clock)


async def answered(bot: Bot, chat: KeptChat, words: str) -> Reply:
    return await bot.commands.answer(ask(VISITOR), parse(tuple(words.split())), chat.reply())


def ended(run_: Run) -> Run:
    return run_._replace(status="completed", conclusion="success")


# -- one deploy ---------------------------------------------------------------------------


async def test_a_deploy_is_shown_until_its_end_and_nobody_is_called(
    served: tuple[Bot, Api], chat: KeptChat, clock: TurnedClock
) -> None:
    bot, api = served
    api.runs = [run(1, "queued", requested_by="discord:9 sam", request_id="discord.demo.5.1")]
    shown = asyncio.create_task(answered(bot, chat, "run 1"))
    await api.until("runs", 1)
    first = chat.said[0]
    api.runs = [run(1, jobs=(job("plan"),), requested_by="discord:9 sam")]
    await clock.turn(60)
    api.runs = [ended(api.runs[0])]
    while not shown.done():
        await clock.turn(10)
        await asyncio.sleep(0)
    last = await shown

    assert isinstance(first, Deploying)
    assert isinstance(last, Deploying)
    assert (first.progress.stage, first.note, first.asked_by) == (
        Stage.QUEUED,
        LIVING,
        "sam in Discord",
    )
    assert [one.progress.stage for one in chat.said if isinstance(one, Deploying)][-1] is Stage.DONE
    assert chat.said[-1] == Deploying(last.progress, "", "", "", first.asked_by, first.asked_at)
    assert (chat.called, api.count("told")) == ([], 0)


async def test_one_that_is_over_is_shown_once_and_looked_at_no_more(
    served: tuple[Bot, Api], chat: KeptChat
) -> None:
    bot, api = served
    api.runs = [run(1, "completed", "failure", reason="It broke.")]

    shown = await answered(bot, chat, "run 1")

    assert isinstance(shown, Deploying)
    assert (shown.progress.reason, shown.note, shown.asker) == ("It broke.", "", "")
    assert (len(chat.said), api.count("run"), api.count("runs")) == (1, 1, 0)


@pytest.mark.parametrize("number", ["7", str(2**63), "9" * 19])
async def test_of_a_run_that_there_is_not_that_is_said(
    served: tuple[Bot, Api], chat: KeptChat, number: str
) -> None:
    bot, api = served
    if len(number) == 19:
        api.next = [(400, {"ok": False, "code": "bad_request", "error": "`run_id` must be …"})]

    assert await answered(bot, chat, f"run {number}") == Notice(
        (f"There is no deploy with the run id {number}.",), Tone.REFUSED, "unknown_run"
    )


async def test_without_an_id_the_newest_are_named(
    served: tuple[Bot, Api], chat: KeptChat, clock: TurnedClock
) -> None:
    bot, api = served
    made = "2026-09-21T13:13:20Z"
    api.runs = [ended(run(n, created=made)) for n in range(1, 12)]

    told = await answered(bot, chat, "run")

    assert isinstance(told, Notice)
    assert told.lines[:2] == (
        "Say which: `/fleet run <run>`.",
        "`11`: deploy claw-2 · done · 1 hour ago",
    )
    assert (len(told.lines), told.lines[-1][:4]) == (9, "`4`:")


async def test_a_chat_that_breaks_off_is_shown_what_comes_next(
    served: tuple[Bot, Api], chat: KeptChat, clock: TurnedClock, caplog: pytest.LogCaptureFixture
) -> None:
    bot, api = served
    api.runs = [run(1, "queued")]
    shown = asyncio.create_task(answered(bot, chat, "run 1"))
    await api.until("runs", 1)
    chat.broken = True
    api.runs = [run(1)]
    while "fleet.view_not_edited run=1" not in caplog.text:
        await clock.turn(10)
        await asyncio.sleep(0)
    chat.broken = False
    api.runs = [ended(api.runs[0])]
    while not shown.done():
        await clock.turn(10)
        await asyncio.sleep(0)

    last = chat.said[-1]
    assert isinstance(last, Deploying)
    assert last.progress.stage is Stage.DONE


async def test_twenty_are_kept_up_to_date_and_of_more_it_is_said_that_they_stay(
    served: tuple[Bot, Api], chat: KeptChat
) -> None:
    bot, api = served
    api.runs = [run(1)]
    living = [asyncio.create_task(answered(bot, chat, "run 1")) for _ in range(20)]
    await chat.until_said(20)

    one_more = await answered(bot, chat, "run 1")
    for task in living:
        task.cancel()
    await asyncio.gather(*living, return_exceptions=True)
    living = [asyncio.create_task(answered(bot, chat, "run 1"))]
    await chat.until_said(22)
    living[0].cancel()

    assert MOST_LIVING == 20
    assert isinstance(one_more, Deploying)
    assert (one_more.note, one_more.progress.stage) == (TOO_MANY, Stage.RUNNING)
    assert isinstance(chat.said[21], Deploying)
    assert chat.said[21].note == LIVING


# -- the history --------------------------------------------------------------------------


async def test_a_page_of_the_history_is_asked_for_and_told(
    served: tuple[Bot, Api], chat: KeptChat
) -> None:
    bot, api = served
    api.runs = [ended(run(n)) for n in range(1, 18)]

    told = await answered(bot, chat, "history claw-2 2")

    assert isinstance(told, HistoryReport)
    assert [row.run_id for row in told.shown.items] == [9, 8, 7, 6, 5, 4, 3, 2]
    assert (told.target, told.shown.number, told.shown.count, told.shown.asked) == (
        *("claw-2", 1, 3),
        1,
    )
    assert api.asked == [{"action": "history", "target": "claw-2", "page": 2}]


async def test_of_an_api_that_is_older_that_is_said(
    served: tuple[Bot, Api], chat: KeptChat
) -> None:
    bot, api = served
    old = {"ok": False, "code": "bad_request", "error": "`action` must be one of …"}
    api.refused["history"] = 400, old

    told = await answered(bot, chat, "history")

    assert isinstance(told, Notice)
    assert told.tone is Tone.BROKEN
    assert told.lines[0].startswith(
        "The Control API is older than this and can't tell the history."
    )


async def test_what_is_no_target_is_said_and_not_asked_for(
    served: tuple[Bot, Api], chat: KeptChat
) -> None:
    bot, api = served

    told = await answered(bot, chat, "history cl*w")

    assert told == Notice(("`cl*w` is no instance's id, and not `all`.",))
    assert api.asked == []


# -- drawn --------------------------------------------------------------------------------

LONGEST_ID = "a" * 32
LONGEST = HistoryRow(
    2**63 - 1,
    f"https://github.com/{'o' * 39}/{'r' * 40}/actions/runs/{2**63 - 1}",
    "rollback",
    LONGEST_ID,
    "freeze",
    f"{'m' * 32} in the terminal",
    NOW - 3600,
    f"{LONGEST_ID}, ami-{'0' * 17} @1234567 → ami-{'1' * 17} @1234567",
    RunResult.FAILED,
    f"failed at {LONGEST_ID}, 249 of 250 hosts done",
    35_999.0,
)


def report(*rows: HistoryRow, beside: str = "") -> HistoryReport:
    return HistoryReport(Page(rows, 0, 13, 0), LONGEST_ID, beside)


def in_terminal(reply: Reply) -> str:
    return terminal.render(reply, NOW).plain


def test_a_page_of_the_longest_rows_is_shown_whole_on_each_platform() -> None:
    page = report(*(LONGEST,) * 8, beside="b" * 300)

    drawn = embed(page, NOW)
    assert validate.message({"embeds": [drawn.to_dict()]}) == []
    told = drawn.description or ""
    assert len(told) <= limit.EMBED_DESCRIPTION
    assert (told.count(LONGEST.moved), told.count(f"]({LONGEST.url})")) == (8, 8)
    assert (drawn.footer.text or "").endswith("b" * 300)
    shown, entities = read_text(render(page, NOW), "HTML")
    assert (shown.count(LONGEST.moved), shown.count(LONGEST.by)) == (8, 8)
    assert [one["url"] for one in entities if one["type"] == "text_link"] == [LONGEST.url] * 8
    assert "b" * 300 in shown


def test_eight_rows_fit_into_an_embed_and_a_link_goes_where_it_has_no_room() -> None:
    assert 8 * (LONGEST_RUN + 1) <= 4096
    told = embed(report(*(LONGEST,) * 7), NOW).description or ""
    assert f"[run {LONGEST.run_id}]" in told
    for url, link in (
        (f"https://x/{'y' * 450}", ""),
        ("https://x/7", "https://x/7"),
        ("https://x/(7)", ""),
    ):
        row = HistoryRow(7, url, "", "a", "", "sam", NOW, "", RunResult.DONE, "done")
        told = embed(report(row), NOW).description or ""
        said = f"[run 7]({link})" if link else "run 7"
        assert told == f"🟢 **Deploy a** · done · <t:{int(NOW)}:R>\n-# sam · {said}"


@pytest.mark.parametrize("result", RunResult)
def test_a_run_has_one_mark_in_the_history_and_in_its_own_reply(result: RunResult) -> None:
    """Whatever it came to, on each platform that draws both."""
    reply = Deploying(Progress(Stage(result), "claw-2"))
    row = HistoryRow(7, "", "", "claw-2", "", "sam", NOW, "", result, result)
    for draw in (lambda one: read_text(render(one, NOW), "HTML")[0], in_terminal):
        (_, in_history, *_), (in_reply, *_) = (
            draw(one).splitlines() for one in (report(row), reply)
        )
        assert in_history[0] == in_reply[0]


def test_an_empty_history_says_so() -> None:
    page = HistoryReport(Page((), 0, 1, 0), "claw-9")

    told = "None of the last deploys concerns claw-9."
    assert embed(page, NOW).description == told
    assert told in read_text(render(page, NOW), "HTML")[0]
