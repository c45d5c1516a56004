"""Whatever is said fits into a message, and Telegram takes it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbot.commands import usage
from clawbot.page import Page
from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Deploying, HistoryReport, Notice, Question, Reply, StatusReport, Tone
from clawbot.seal import Seal
from clawbot.telegram.buttons import Origin, TelegramDrawing
from clawbot.telegram.markup import moment, said
from clawbot.telegram.messages import render
from fleet_control.freeze import Freeze
from fleet_control.history import HistoryRow, RunResult
from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.host_answer import HostAnswer
from fleet_control.ledger import Revision
from fleet_control.registry import parse
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import shape
from sandbox.telegram_api.markup import read_text, units
from tests.clawbot.bots import registry
from tests.clock import TurnedClock

NOW = 1_790_000_000.0
ANYTHING = st.text(max_size=3000)
NASTY = '</code><b>&lt;" `x` 🦞'


def plain(reply: Reply) -> str:
    """What a reader sees; Refusal if Telegram would not take it."""
    return read_text(render(reply, NOW), "HTML")[0]


@given(st.lists(ANYTHING, min_size=1, max_size=8), st.sampled_from(Tone))
def test_any_notice_is_taken(lines: list[str], tone: Tone) -> None:
    plain(Notice(("It says:", *lines), tone))


@given(ANYTHING, ANYTHING, ANYTHING, ANYTHING, st.sampled_from(Stage))
def test_any_deploy_is_taken(
    step: str, reason: str, advice: str, trouble: str, stage: Stage
) -> None:
    progress = Progress(
        stage, "claw-1", url='https://x/?"<', step=step, reason=reason, advice=advice
    )
    plain(Deploying(progress, trouble=trouble))


def test_what_people_wrote_is_shown_as_they_wrote_it() -> None:
    assert NASTY.replace("`", "") in plain(Notice((f"I don't know {NASTY}.",)))


def test_code_in_backquotes_is_code() -> None:
    _, entities = read_text(render(Notice(("Say `all` & <go>",)), NOW), "HTML")
    assert entities == [{"type": "code", "offset": 4, "length": 3}]


@given(st.text("a🦞&<", max_size=20), st.integers(1, 20), st.integers(1, 60))
def test_a_line_that_is_too_long_ends_between_two_spans_of_code(
    words: str, length: int, longest: int
) -> None:
    named = "x" * length
    shown, entities = read_text(
        f"&gt; {said(f'{words}`{named}`, `{named}`{words}', longest)}", "HTML"
    )
    shown = shown.removeprefix("> ")
    whole = f"{words}{named}, {named}{words}"
    assert units(shown) <= longest
    if units(whole) <= longest:
        assert shown == whole
    else:
        assert shown.endswith("…")
        assert whole.startswith(shown[:-1])
    codes = [one["length"] for one in entities if one["type"] == "code"]
    assert codes == [length] * (shown.count("x") // length)
    assert shown.count("x") % length == 0


def test_twenty_of_the_longest_ids_are_named_and_the_rest_counted() -> None:
    ids = tuple(f"{'x' * 29}-{number:02}" for number in range(30))
    html = render(usage(ids), NOW)
    assert "`" not in html
    assert all(f"<code>{id_}</code>" in html for id_ in ids[:20])
    assert html.endswith("</code> and 10 more.")


def test_a_deploy_of_many_hosts_shows_how_far_it_is() -> None:
    hosts = tuple(
        HostProgress(
            f"claw-{number}",
            "ami-0aaaaaaaaaaaaaaaa",
            "ami-0bbbbbbbbbbbbbbbb",
            HostStage.HEALTHY if number < 100 else HostStage.WAITING,
        )
        for number in range(200)
    )
    shown = plain(Deploying(Progress(Stage.RUNNING, "all", hosts=hosts)))
    assert "▰▰▰▰▰▰▰▰▱▱▱▱▱▱▱▱ 100 of 200 hosts done" in shown


HELD = Freeze(f"telegram:{'1' * 20} {'x' * 32}", "&" * 100, 0, int(NOW)).sentence


def test_a_question_about_a_large_fleet_is_taken() -> None:
    ids = tuple(f"claw-{number}-{'x' * 20}" for number in range(500))
    asked = Question("all", "", "telegram:1", "7", NOW + 120, NASTY, ids, ids, ids)
    shown = plain(asked)
    assert "/fleet deploy all" in shown
    assert "and 488 more" in shown


def test_every_page_of_a_fleet_in_the_worst_shape_is_taken() -> None:
    ids = [f"{'x' * 27}-{number}" for number in range(500)]
    known = KnownRegistry(parse(registry(*ids)), "", NOW - 90_000, fresh=False, trouble=NASTY * 99)
    hosts = tuple(
        Host(
            f"i-{number:017x}", id_, HostState.RUNNING, Health.IMPAIRED, "m5.24xlarge", "ami-1", 1.0
        )
        for number, id_ in enumerate(ids)
        for _ in range(2)
    )
    status = shape(known, Reading(hosts, (Image("ami-2", NASTY, NOW - 9),), NOW))
    drawing = TelegramDrawing(Seal("s"), TurnedClock())
    for page in range(50):
        drawn = drawing.draw(StatusReport(status, page, HELD), Origin(1, 2))
        shown, _ = read_text(drawn.text, "HTML")
        assert f"Page {page + 1} of 50" in shown


@pytest.mark.parametrize("name", ["<b>&" * 60, "🦞" * 120, "x" * 240])
def test_no_row_is_lost_whatever_a_stray_is_called(name: str) -> None:
    known = KnownRegistry(
        parse(registry("claw-1")), "", NOW - 90_000, fresh=False, trouble=NASTY * 99
    )
    hosts = tuple(
        Host(
            f"i-{number:02}{more:015}",
            f"{number:02}{name}",
            HostState.RUNNING,
            Health.IMPAIRED,
            "m5.24xlarge",
            "ami-1",
            1.0,
        )
        for number in range(25)
        for more in range(40)
    )
    status = shape(known, Reading(hosts, (Image("ami-2", NASTY, NOW - 9),), NOW))
    shown = "\n".join(plain(StatusReport(status, page, HELD)) for page in range(3))
    for number in range(25):
        assert f" {number:02}{name[:20]}" in shown
    for page in range(3):
        assert f"Page {page + 1} of 3" in shown
    assert shown.count("is not in the registry") == 25
    assert shown.count("40 hosts of this name") == 25


def roll(*stages: HostStage, ends: float = 0.0) -> Deploying:
    hosts = tuple(HostProgress(f"claw-{n}", "ami-1", "ami-2", one) for n, one in enumerate(stages))
    seen = Progress(Stage.RUNNING, "all", hosts=hosts, began=NOW - 300, ends=ends)
    return Deploying(seen, asked_by="sam @all <b> in Discord", asked_at=NOW - 360)


def test_a_roll_tells_how_far_it_is_who_asked_since_when_and_about_when_it_ends() -> None:
    shown = plain(roll(*[HostStage.HEALTHY] * 3, *[HostStage.WAITING] * 4, ends=NOW + 420))

    assert shown.splitlines()[1:4] == [
        "Asked for by sam ＠all <b> in Discord, 2026-09-21 14:07 UTC",  # noqa: RUF001
        "Began 2026-09-21 14:08 UTC, end expected 2026-09-21 14:20 UTC",
        "▰▰▰▱▱▱▱ 3 of 7 hosts done",
    ]


def test_a_deploy_that_waits_tells_about_when_its_turn_comes() -> None:
    waits = Progress(Stage.QUEUED, "claw-1", ahead=1, begins=NOW + 60, ends=NOW + 180)

    shown = plain(Deploying(waits, asked_by="sam in Discord")).splitlines()

    assert shown[1:] == [
        "Asked for by sam in Discord",
        "Turn expected 2026-09-21 14:14 UTC, end expected 2026-09-21 14:16 UTC",
    ]


def test_what_a_deploy_took_usually_is_not_told_of_one_that_is_over() -> None:
    over = roll(HostStage.HEALTHY, HostStage.HEALTHY, ends=NOW)
    over = replace(over, progress=replace(over.progress, stage=Stage.DONE, took=300))

    assert "expected" not in plain(over)
    assert "▰▰ 2 of 2 hosts done" in plain(over)
    assert "hosts done" not in plain(roll(HostStage.HEALTHY))


def test_a_roll_of_250_hosts_is_taken_with_all_that_is_told_of_it() -> None:
    stages = [HostStage.HEALTHY, HostStage.REPLACING, HostStage.WAITING] * 84
    shown = plain(replace(roll(*stages[:250], ends=NOW + 9000), note=NASTY, trouble=NASTY * 99))

    assert "▰▰▰▰▰▱▱▱▱▱▱▱▱▱▱▱ 84 of 250 hosts done" in shown
    assert "end expected 2026-09-21 16:43 UTC" in shown


def test_what_the_control_api_says_beside_is_shown_safely() -> None:
    reply = Deploying(Progress(Stage.QUEUED, "claw-1"), note="<b>Bots</b> wait.")

    assert "🟡 <b>Bots</b> wait." in plain(reply)


REVISION = Revision("c" * 40, NASTY, "2026-09-21T12:13:20Z")
TOLD = 'ccccccc, 2 hours old: </code><b>&lt;" x 🦞'


def test_a_hosts_revision_is_told_and_the_branchs() -> None:
    known = KnownRegistry(
        parse(registry("claw-1", "claw-2")), "", NOW, fresh=True, revisions=(REVISION,)
    )
    hosts = [
        Host("i-1", id_, HostState.RUNNING, Health.OK, "t3.large", "ami-1", NOW, revision=commit)
        for id_, commit in (("claw-1", REVISION.commit), ("claw-2", ""))
    ]
    shown = plain(StatusReport(shape(known, Reading(tuple(hosts), (), NOW))))

    assert " · revision ccccccc · up " in shown
    assert " · revision unknown · up " in shown
    assert f"Newest revision: {TOLD}" in shown


def test_a_deploy_tells_what_its_hosts_become() -> None:
    seen = Progress(Stage.RUNNING, "claw-1", made_of=REVISION, asked=NOW)

    assert f"\nRevision {TOLD}" in plain(Deploying(seen))


def test_what_a_host_last_said_of_itself_is_told_below_its_row() -> None:
    def lines(answer: HostAnswer | None) -> list[str]:
        told = Host(
            "i-1", "c-1", HostState.STOPPED, Health.UNKNOWN, "t3.large", "", NOW, answer=answer
        )
        known = KnownRegistry(parse(registry("c-1")), "1", NOW, fresh=True)
        return plain(StatusReport(shape(known, Reading((told,), (), NOW)))).splitlines()

    said = "    its own answer: ill, 10 min ago (2026-09-21 14:03 UTC): a.service died"
    with_it = lines(HostAnswer(False, NOW - 600, "a.service died"))
    assert [line for line in with_it if line not in lines(None)] == [said]
    assert any("own answer: well, 20 s ago" in line for line in lines(HostAnswer(True, NOW - 20)))
    cut = lines(HostAnswer(False, NOW - 600, "x" * 230))
    assert [line for line in cut if line.endswith("x…")]
    assert max(map(len, cut)) < 330


def test_when_a_question_ends_and_when_a_deploy_was_asked_for_stay_true() -> None:
    asked = Question("all", "", "telegram:1", "7", NOW + 120, "why")
    row = HistoryRow(7, "", "", "claw-1", "", "sam", NOW - 120, "", RunResult.DONE, "done")
    for reply, at in (asked, NOW + 120), (HistoryReport(Page((row,), 0, 1, 0)), NOW - 120):
        drawn = render(reply, NOW)
        assert moment(at) in drawn == render(reply, NOW + 3600)
