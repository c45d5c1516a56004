"""What the fleet's channel shows: Telegram takes it, and it calls nobody but who is meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clawbot.progress import Progress, Stage
from clawbot.replies import Deploying, GoesOn, WatchReport
from clawbot.telegram.fleet_messages import message_link, over
from clawbot.telegram.messages import render
from fleet_control.fault import Problem
from fleet_control.finding import Finding
from sandbox.telegram_api.markup import read_text, units

NOW = 1_790_000_000.0
ANYTHING = st.text(max_size=3000)
HOSTILE = '</b><a href="tg://user?id=666">@all</a> `x` &lt; 🦞\n'
TEN = tuple(f"telegram:{one}" for one in range(1, 11))


def finding(of: str = "claw-2", words: str = "no host", repair: str = "Mend it.") -> Finding:
    return Finding(of, Problem.MISSING, words, repair)


def lines(report: WatchReport) -> list[str]:
    return read_text(render(report, NOW, {1: "Olga"}), "HTML")[0].splitlines()


def test_a_watch_report_says_first_what_matters_then_whom_it_calls_then_each_thing() -> None:
    report = WatchReport(
        wrong=(finding(repair="Ask: `/fleet deploy claw-2`."), finding("", "no image for 5 weeks")),
        flapping=(finding("claw-3", "not healthy", "See `/fleet status`."),),
        well=(finding("claw-4"),),
        calls=("telegram:1", "telegram:2", "discord:3"),
        still=("claw-5", "claw-6"),
        taken=NOW,
    )
    assert lines(report) == [
        "🔴 3 things are not as they should be",
        "Olga, 2",
        "🔴 claw-2 · no host",
        "    Ask: /fleet deploy claw-2.",
        "🔴 The fleet · no image for 5 weeks",
        "    Mend it.",
        "🔴 claw-3 · not healthy; it comes and goes, so I say no more of it until it rests",
        "    See /fleet status.",
        "🟢 claw-4 · over: no host",
        "Still not well: claw-5, claw-6. /fleet status shows all.",
        "Seen 2026-09-21 14:13 UTC",
    ]


def test_the_light_of_a_report_is_that_of_the_worst() -> None:
    one = (finding(),)
    mild = (Finding("", Problem.TOKEN_ENDS, "GitHub's token ends"),)
    assert lines(WatchReport(wrong=mild, flapping=one, well=one))[0][0] == "🔴"
    assert lines(WatchReport(flapping=mild, well=one))[0][0] == "🟡"
    assert lines(WatchReport(well=one))[0] == "🟢 claw-2 is well again"


def test_what_is_found_is_bold_and_what_mends_it_is_code() -> None:
    html = render(WatchReport((finding(repair="Ask: `/fleet deploy claw-2`."),), taken=NOW), NOW)
    assert "🔴 <b>claw-2</b> · no host\n    Ask: <code>/fleet deploy claw-2</code>." in html


@pytest.mark.parametrize("length", [10, 400, 3000])
def test_of_250_hosts_a_report_fits_says_of_each_row_something_and_how_many_more(
    length: int,
) -> None:
    hosts = [f"claw-{n}" for n in range(250)]
    words = "🦞" * length
    alike = [finding(one) for one in hosts]
    each = [finding(one, f"{one} {words}", words) for one in hosts]
    for found in (alike, each):
        report = WatchReport(tuple(found), calls=TEN, taken=NOW)
        text, entities = read_text(render(report, NOW, dict.fromkeys(range(1, 11), words)), "HTML")
        assert units(text) <= 4096
        mentions = [one for one in entities if one.get("url", "").startswith("tg://user?id=")]
        assert len(mentions) == 10
        assert text.endswith("\nSeen 2026-09-21 14:13 UTC")
    assert "And 226 more. /fleet status shows all." in text
    assert "claw-23 · claw-23" in text


def test_a_name_a_title_and_a_row_have_their_room() -> None:
    one = (finding("x" * 500, "y" * 2000, "z" * 2000),)
    title, names, row, repair, _ = read_text(
        render(WatchReport(one, calls=("telegram:1",)), NOW, {1: "n" * 500}), "HTML"
    )[0].splitlines()
    assert (units(title), units(names)) == (3 + 120, 48)
    assert units(f"{row}\n{repair}") == 700
    rows = tuple(finding(f"claw-{n}", f"{n} " + "y" * 2000, "z" * 2000) for n in range(24))
    text = read_text(render(WatchReport(rows), NOW), "HTML")[0]
    last = text[text.index("claw-23 ") - 3 :].rpartition("\nSeen")[0]
    assert 130 <= units(last) < 140


@given(ANYTHING, ANYTHING, ANYTHING)
def test_any_report_is_taken(of: str, words: str, repair: str) -> None:
    found = (finding(of, words, repair),)
    for report in (WatchReport(found, calls=TEN), WatchReport(flapping=found, well=found)):
        assert read_text(render(report, NOW, {1: of or "x"}), "HTML")[0]


def test_no_name_is_any_markup_or_calls_anybody_else() -> None:
    found = (finding(HOSTILE, HOSTILE, HOSTILE),)
    end = Deploying(Progress(Stage.FAILED, HOSTILE), calls=("telegram:1",))
    gone = GoesOn(HOSTILE, HOSTILE, HOSTILE)
    for html in (
        render(WatchReport(found, calls=("telegram:1",)), NOW, {1: HOSTILE}),
        over(end, {1: HOSTILE}),
        render(gone, NOW),
    ):
        text, entities = read_text(html, "HTML")
        assert {one["url"] for one in entities if "url" in one} <= {"tg://user?id=1"}
        assert "@" not in text


@pytest.mark.parametrize(
    ("chat", "topic", "link"),
    [
        (-1001234567890, None, "https://t.me/c/1234567890/77"),
        (-1001234567890, 5, "https://t.me/c/1234567890/5/77"),
        (-1000000000001, None, "https://t.me/c/1/77"),
        (-1000000000000, None, ""),
        (-4004, None, ""),
        (1001, None, ""),
    ],
)
def test_a_message_of_a_supergroup_alone_has_an_address(
    chat: int, topic: int | None, link: str
) -> None:
    assert message_link(chat, topic, 77) == link


@pytest.mark.parametrize(
    ("channel", "message", "told", "url"),
    [
        (
            "telegram:-1001234567890/5",
            "77",
            "it goes on in the fleet's channel",
            "/c/1234567890/5/77",
        ),
        ("telegram:-1001234567890", "77", "it goes on in the fleet's channel", "/c/1234567890/77"),
        ("telegram:-4004", "77", "it goes on in the fleet's channel", ""),
        ("telegram:x", "77", "it goes on in Telegram", ""),
        ("discord:91", "77", "it goes on in Discord", ""),
        ("", "", "another bot tells how it goes", ""),
    ],
)
def test_a_reply_whose_bot_was_away_says_where_it_goes_on(
    channel: str, message: str, told: str, url: str
) -> None:
    html = render(GoesOn("Deploy claw-2", channel, message), NOW)
    text, entities = read_text(html, "HTML")
    assert text == f"⚪ Deploy claw-2\nThis is no longer kept up to date: {told}."
    assert "".join(one.get("url", "") for one in entities).endswith(url)
