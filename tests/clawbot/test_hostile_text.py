"""What others wrote is one line that can be read, and no markup, wherever it is drawn."""

import json
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from clawbot.commands import OptionKind
from clawbot.discord.choices import offers, runs
from clawbot.discord.embeds import embed
from clawbot.discord.legible import seen as seen_in
from clawbot.discord.markup import said
from clawbot.page import Page
from clawbot.parsing import Unreadable, parse
from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import (
    Deploying,
    HistoryReport,
    Notice,
    PreflightReport,
    Question,
    Reply,
    StatusReport,
)
from clawbot.telegram import markup as telegram_markup
from clawbot.telegram import messages
from fleet_control import json_output, text_output
from fleet_control.command import Result, broken
from fleet_control.error import FleetError
from fleet_control.freeze import Freeze, one_line
from fleet_control.history import HistoryPage, HistoryRow, RunResult
from fleet_control.host import Health, HostState
from fleet_control.host_answer import HostAnswer
from fleet_control.last_words import LastWords
from fleet_control.ledger import Job, Revision
from fleet_control.line import printable
from fleet_control.preflight import Check, Outcome
from fleet_control.status import FleetStatus
from sandbox.discord_api import validate
from sandbox.telegram_api.markup import read_text
from sandbox.terminal.markup import render
from tests.clock import TurnedClock
from tests.discord.ec2 import Claw
from tests.discord.scene import DiscordScene
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import NOW, host, run, seen
from tests.telegram.scene import TelegramScene

# Whatever breaks a line, turns it round, is not seen or moves a cursor, and every kind of markup.
NASTY = (
    *("\n", "\r\n", "\u2028", "\x85", "\x1b[2J", "\x9b2J", "\x00", "\u202e", "\u2066", "\u200f"),
    *("\u200b", "\ufeff", "\u00ad", "\u3164", "\u034f", "\u00a0", "\ud800", "\U000e0041", "\u200d"),
    *("@everyone", "@here", "<@1>", "<@&2>", "<#3>", "<t:1:R>", "</fleet:4>", "@olga", "#a", "- a"),
    *("[a](https://x.y)", "https://x.y", "**", "*a*", "_", "~~", "||", "`", "``", "```", "\\"),
    *("<b>", "</b>", "</code>", "&lt;", "&", "<", ">", "> ", "# ", "-# ", "\t", "|"),
)
WORDS = st.lists(st.sampled_from([*NASTY, "x", "1", " "]), max_size=8).map("".join)
HOSTILE = WORDS.filter(lambda text: bool(printable(text.strip()).strip()))
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
SURVIVES = (
    "🦞",
    "❤\ufe0f",
    "👍🏽",
    "日本語",
    "العربية",
    "נ",
    "é",
    "e\u0301",
    "हिन्दी",
    "ß",
    "—",
    "½",
)
# Read as a moment, or as a number.
UNTOUCHED = {"url", "committed", "created", "started", "updated", "asker", "asked"}


def filled(what: Any, text: str) -> Any:
    """The same with this text wherever it holds one."""
    if isinstance(what, Enum):
        return what
    if isinstance(what, str):
        return text
    if hasattr(what, "_asdict"):
        return what._replace(**_filled(what._asdict(), text))
    if isinstance(what, tuple):
        return tuple(filled(one, text) for one in what)
    if is_dataclass(what) and not isinstance(what, type):
        return replace(
            what, **_filled({one.name: getattr(what, one.name) for one in fields(what)}, text)
        )
    return what


def _filled(values: dict[str, Any], text: str) -> dict[str, Any]:
    return {key: one if key in UNTOUCHED else filled(one, text) for key, one in values.items()}


def fleet(text: str) -> FleetStatus:
    """A fleet with strays of that name, two hosts of one, and what a host said of itself."""
    ill = replace(
        host("claw-1", 1, type_="x", health=Health.ENDING, ill="x"),
        answer=HostAnswer(False, NOW - 60, "x"),
        revision="x",
    )
    stray = replace(host("x", 6), state=HostState.STOPPED)
    hosts = (ill, host("claw-2", 2), host("claw-2", 3), host("x", 4), host("x", 5), stray)
    status = seen(["claw-1", "claw-2", "claw-3"], *filled(hosts, text))
    known = replace(status.known, fresh=False, trouble="x", revisions=(Revision("x" * 40, "x"),))
    return replace(
        status,
        rows=tuple(filled(row, text) for row in status.rows),
        images=filled(status.images, text),
        known=replace(known, trouble=text, revisions=filled(known.revisions, text)),
    )


def replies(text: str) -> Iterator[Reply]:
    """Every kind of reply, with that text in every field."""
    hosts = tuple(HostProgress("x", "x", "x", stage, remarks="x") for stage in HostStage)
    progress = Progress(
        *(Stage.FAILED, "x", "x", "x", 7),
        hosts=hosts,
        step="x",
        reason="x",
        advice="x",
        made_of=Revision("x", "x", "2026-09-21T12:13:20Z"),
        last_words=LastWords("x", ("x", "x")),
    )
    question = Question("x", "x", "discord:1", "2", NOW, "x", ("x", "x"), ("x",), ("x",))
    for reply in (
        Notice(("x", "x"), code="x"),
        question,
        Deploying(progress, "discord:1", "x", "x", "x", NOW),
        HistoryReport(Page((ROW,) * 8, 1, 3, 1), "x", "x"),
    ):
        yield filled(reply, text)
    frozen = Freeze("telegram:7 kim", one_line(text), 0, int(NOW))
    yield StatusReport(fleet(text), held=frozen.sentence)
    yield PreflightReport(checks(text))


def checks(text: str) -> tuple[Check, ...]:
    return tuple(filled(Check("x", outcome, "x", "x"), text) for outcome in Outcome)


LINK = "https://github.com/openclaw/clawdinators/actions/runs/7"
ROW = HistoryRow(7, LINK, "x", "x", "", "x", NOW, "x", RunResult.FAILED, "x", 7.0)


def discord(reply: Reply) -> Iterator[str]:
    for part in seen_in(embed(reply, NOW)):
        yield from _texts(part)


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, tuple):
        for one in part:
            yield from _texts(one)
    elif isinstance(part, str):
        yield part


def telegram(reply: Reply) -> Iterator[str]:
    yield read_text(messages.render(reply, NOW), "HTML")[0]


def terminal(reply: Reply) -> Iterator[str]:
    yield render(reply, NOW).plain


def like(text: str) -> str:
    """A harmless text of the same words, without the spaces that no line begins or ends with."""
    return re.sub(r"[^ `]", "x", printable(text.strip()))


def markup(reply: Reply) -> list[str]:
    """What Discord reads as markup in each part; in a footer it reads none."""
    return [_markup(part) for part in _texts(seen_in(embed(reply, NOW).remove_footer()))]


def _markup(drawn: str) -> str:
    """What is outside code and behind no backslash."""
    bare = re.sub(r"(?s)^```\n.*\n```$", "", drawn)
    # By turns, as they come: in code no backslash escapes.
    bare = re.sub(r"\\[^0-9A-Za-z\s]|`[^`]+`", "x", bare)
    return "".join(re.findall(r"[*_~|<`\[\\]|://|@everyone|@here|(?m:^[#>-])", bare))


@settings(max_examples=60, deadline=None)
@given(HOSTILE)
@example("\n🟢 **claw-9** · healthy")
@example("a`b")
@example("*")
@example("`")
@example("\n`")
@example("x ")
@example("\n\n\n\n[a](https://x.y)**")
def test_nothing_that_others_wrote_is_more_than_a_part_of_its_line(text: str) -> None:
    for one, bare, harmless in zip(
        replies(text), replies(text.strip()), replies(like(text)), strict=True
    ):
        assert_seen("\n".join(terminal(one)))
        for draw in (discord, telegram, terminal):
            # Where lines are wrapped, texts are compared that are as long.
            got = list(draw(bare if draw is terminal else one))
            expected = list(draw(harmless))
            assert [part.count("\n") for part in got] == [part.count("\n") for part in expected]
            assert_seen("\n".join(got))
        assert markup(one) == markup(harmless)
        assert validate.message({"embeds": [embed(one, NOW).to_dict()]}) == []
        shown, entities = read_text(messages.render(one, NOW), "HTML")
        kinds = [
            [each["type"] for each in found if each["type"] != "code"]
            for found in (entities, read_text(messages.render(harmless, NOW), "HTML")[1])
        ]
        assert kinds[0] == kinds[1]
        assert not re.search(r"(?<!\w)@\w", outside_code(shown, entities))


@pytest.mark.parametrize("text", ["`" * 5000, "*" * 5000, "`*` " * 2000, "🦞" * 5000, "&" * 5000])
def test_however_long_it_is_every_platform_takes_it(text: str) -> None:
    for reply in replies(text):
        assert validate.message({"embeds": [embed(reply, NOW).to_dict()]}) == []
        read_text(messages.render(reply, NOW), "HTML")


def test_an_embed_holds_six_thousand_characters() -> None:
    assert max(len(embed(reply, NOW)) for reply in replies("*" * 5000)) == 6000


def outside_code(shown: str, entities: list[dict[str, Any]]) -> str:
    raw = bytearray(shown.encode("utf-16-le"))
    for one in entities:
        if one["type"] in ("code", "pre"):
            begin, end = 2 * one["offset"], 2 * (one["offset"] + one["length"])
            raw[begin:end] = b"\x00\x20" * one["length"]
    return raw.decode("utf-16-le")


def assert_seen(shown: str) -> None:
    strange = {one for one in shown if one != "\n" and unicodedata.category(one) in UNSEEN}
    assert not strange


@settings(max_examples=40, deadline=None)
@given(HOSTILE)
@example("\nclaw-9  healthy")
def test_fleet_control_prints_a_row_a_row(text: str) -> None:
    asked = run()._replace(jobs=(Job("x", "x", "x"),), reason="x")
    draws: tuple[Callable[[str], str], ...] = (
        lambda word: text_output.status(fleet(word), NOW),
        lambda word: text_output.runs([filled(asked, word)]),
        lambda word: text_output.run(filled(asked, word)),
        lambda word: text_output.preflight(checks(word)),
        lambda word: text_output.history(filled(HistoryPage((asked,), why="x"), word), word),
        lambda word: broken(FleetError(word)).shown(as_json=False),
    )
    for draw in draws:
        got, expected = draw(text), draw(like(text))
        assert got.count("\n") == expected.count("\n")
        assert_seen(got)
    fields = {"status": json_output.status(fleet(text)), "word": text}
    fields |= json_output.preflight(checks(text))
    printed = Result("", fields).shown(as_json=True)
    assert_seen(printed)
    assert json.loads(printed)["word"] == text


@pytest.mark.parametrize("word", SURVIVES)
@pytest.mark.parametrize("draw", [discord, telegram, terminal])
def test_every_script_is_shown_as_it_is(draw: Callable[[Reply], Iterator[str]], word: str) -> None:
    for reply in replies(word):
        assert word in "\n".join(draw(reply))
    assert word in text_output.status(fleet(word), NOW)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("claw-1\u200b", "claw-1?"),
        ("claw-1\ufe0f\ufe0e", "claw-1??"),
        ("\U000e0100claw\u180b", "?claw?"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("e" + "\u0301" * 9, "e" + "\u0301" * 4 + "?" * 5),
        ("claw\u200d-1", "claw?-1"),
        ("a\nb\r\n", "a?b??"),
        ("\x1b[31mred", "?[31mred"),
        ("\u202egnp.exe", "?gnp.exe"),
        ("日本\u3000語\u00a0x", "日本 語 x"),
        ("👩\u200d💻 ش\u200cش", "👩💻 شش"),
        ("\ud83d", "?"),
        ("\u3164\u2800", "??"),
    ],
)
def test_what_can_t_be_seen_is_a_question_mark(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("a`b*c*`", "`a'b*c*'`"),
        ("@everyone", "`@everyone`"),
        ("x\ny", "`x?y`"),
        ("x" * 50, f"`{'x' * 39}…`"),
    ],
)
def test_what_somebody_typed_stays_code(typed: str, code: str) -> None:
    answer = parse((typed,))
    assert isinstance(answer, Unreadable)
    line = answer.why.lines[0]
    assert said(line) == f"I don't know {code}."
    html, inner = telegram_markup.said(line), code.strip("`")
    assert html == f"I don't know <code>{inner}</code>."


def test_code_is_code_in_every_line_of_a_reply() -> None:
    """In a row and beside a deploy too, as in a notice."""
    status = seen(["claw-1"], host("claw-1"), host("gone", 2))
    shown = embed(StatusReport(status, held="Held by `a_b`."), NOW).description or ""
    assert "🟡 Held by `a_b`." in shown
    told = Deploying(Progress(Stage.QUEUED, "claw-1"), note="See `a_b`.", trouble="No `c_d`.")
    shown = embed(told, NOW).description or ""
    assert "🟡 See `a_b`." in shown
    assert "🟡 No `c_d`. I keep trying." in shown


def test_a_line_is_not_cut_within_its_code() -> None:
    assert said("x `abcdef` y", 9) == "x …"
    assert said("x `abcdef` y", 12) == "x `abcdef` y"
    assert said("x `abcdef` yz", 12) == "x `abcdef` …"
    assert said("a*b", 3) == "a…"


@pytest.mark.parametrize("line", ["x `` y `a*`", "`", "a `b` c ` d", "``"])
def test_backquotes_that_hold_nothing_or_have_no_other_are_words(line: str) -> None:
    assert said(line) == line.replace("`", "\\`").replace("*", "\\*")
    assert telegram_markup.said(line) == line


def test_what_is_offered_while_one_types_is_one_line() -> None:
    status = fleet("a\n\u202eb")
    strange = filled(run(), "a\n\u202eb")
    found = [
        one
        for kind in (OptionKind.TARGET, OptionKind.IMAGE)
        for one in offers(kind, "", status, NOW)
    ]
    for offers_ in (found, runs("", [strange], NOW)):
        for offer in offers_:
            assert_seen(offer.shown.replace("\n", "\x00"))


STRAY = Claw("stray\n🟢 **claw-9** · healthy\u202e")


async def test_a_name_that_breaks_its_line_is_no_row_in_discord(ec2: FakeEc2) -> None:
    async with DiscordScene(TurnedClock(), ec2) as scene:
        scene.hosts(Claw("claw-1"), Claw("claw-2"), STRAY)
        await scene.start()
        asked = await scene.discord.command(scene.app, scene.visitor, "status")
        shown = (await scene.replied(asked)).text
    assert "🟡 **stray?🟢 \\*\\*claw-9\\*\\* · healthy?** · healthy" in shown.splitlines()[1]
    assert scene.discord.problems == []


async def test_a_name_that_breaks_its_line_is_no_row_in_telegram(ec2: FakeEc2) -> None:
    async with TelegramScene(TurnedClock(), ec2) as scene:
        scene.hosts(Claw("claw-1"), Claw("claw-2"), STRAY)
        await scene.start()
        reply = await scene.reply_to(await scene.say("/fleet status"))
        await scene.until(lambda: "claw-2" in reply["text"])
    assert "🟡 stray?🟢 **claw-9** · healthy? healthy" in reply["text"].splitlines()[1]
