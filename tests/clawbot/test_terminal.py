"""The terminal as a chat: who says what, what is waited for, and with which code it ends."""

import re

import pytest

from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Deploying, GoesOn, StatusReport, WatchReport
from clawbot.telegram import messages
from clawbot.telegram.markup import as_read
from fleet_control.fault import Problem
from fleet_control.finding import Finding
from sandbox.terminal.chat import ChatLine, read
from sandbox.terminal.markup import render
from tests.audit_line import audit, of
from tests.clawbot.bots import registry
from tests.clawbot.talk import FLEET, Talk
from tests.discord.ec2 import OLDEST, Claw
from tests.fleet_control.fleets import NOW, host, seen


@pytest.mark.parametrize(
    ("text", "speaker", "words", "waited"),
    [
        ("/fleet status", "operator", ("/fleet", "status"), True),
        ("operator: /fleet status", "operator", ("/fleet", "status"), True),
        ("  claw-1:  /fleet   deploy all  ", "claw-1", ("/fleet", "deploy", "all"), True),
        ("/fleet deploy all &", "operator", ("/fleet", "deploy", "all"), False),
        ("sam: yes", "sam", ("yes",), True),
        ("sam:yes", "operator", ("sam:yes",), True),
        ("", "operator", (), True),
    ],
)
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_line_says_who_speaks(
    text: str, speaker: str, words: tuple[str, ...], waited: bool, mark: str
) -> None:
    assert read(mark + text) == ChatLine(text.strip(), speaker, words, waited)


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        (("/fleet status", "/fleet help", "/fleet", "# a remark", ""), 0),
        (("/fleet deploy", "stranger: /fleet deploy all", "yes"), 0),
        (("/fleet deploy claw-2",), 0),
        (("hello",), 2),
        (("/fleet statsu",), 2),
        (("fleet status", "/fleet status"), 2),
        (("\ufeff/fleet status", "／fleet help", "“/fleet status.”", "/Fleet deploy `claw-2`,"), 0),  # noqa: RUF001
        (("\ufeff# a remark", "\ufeffstranger: /fleet status", "/fleet deploy all", "“No.”"), 0),
    ],
)
async def test_refusals_are_answers_and_what_is_no_command_is_not(
    talk: Talk, lines: tuple[str, ...], code: int
) -> None:
    await talk.say(*lines)

    assert talk.terminal.exit_code == code


async def test_a_deploy_that_failed_counts_more_than_a_line_that_was_no_command(
    talk: Talk,
) -> None:
    talk.api.ends = "failure"

    said = await talk.say("hello", "/fleet deploy claw-2")

    assert "✗ deploy claw-2: failed" in said
    assert talk.terminal.exit_code == 1


@pytest.mark.parametrize(
    "line",
    ["/fleet \x1b[2J", "/fleet deploy \x1b]0;title\x07", "\x9b31m: /fleet status", "x\x1b[1A: yes"],
)
async def test_a_word_that_would_move_the_cursor_is_shown_tame(talk: Talk, line: str) -> None:
    said = await talk.say(line)

    assert all(shown.isprintable() for shown in said.split("\n"))


def test_a_tag_that_would_move_the_cursor_is_shown_tame() -> None:
    status = seen(["claw-1"], host("claw-1"), host("claw\x1b[31m-2\n", 2))

    lines = render(StatusReport(status), NOW).plain.split("\n")

    assert all(line.isprintable() for line in lines)
    assert any("claw?[31m-2?" in line for line in lines)


def drawn(now: float, begins: float = 0.0, ends: float = 0.0) -> list[str]:
    stages = (HostStage.HEALTHY, HostStage.REPLACING, HostStage.WAITING)
    hosts = tuple(HostProgress(f"claw-{n}", "ami-1", "ami-2", one) for n, one in enumerate(stages))
    seen = Progress(Stage.RUNNING, "all", hosts=hosts, began=NOW, begins=begins, ends=ends)
    asked = Deploying(seen, asked_by="sam\x1b in Discord", asked_at=NOW - 360)
    return render(asked, now).plain.split("\n")


def test_a_roll_tells_how_far_it_is_who_asked_since_when_and_about_when_it_ends() -> None:
    assert drawn(NOW + 60, ends=NOW + 420)[:4] == [
        "▸ deploy all: replacing, 1 min",
        "  Asked for by sam? in Discord, 7 minutes ago",
        "  End expected in 6 min",
        "  ▰▱▱ 1 of 3 hosts done",
    ]
    assert drawn(NOW + 421, ends=NOW + 420)[2] == "  End expected by now"
    assert drawn(NOW, begins=NOW + 90, ends=NOW + 8)[2] == (
        "  Turn expected in 1 min, end expected in 8 s"
    )
    assert not any("expected" in line for line in drawn(NOW))


def test_a_roll_of_250_hosts_has_a_bar_of_20_marks() -> None:
    hosts = tuple(HostProgress(f"c-{n}", "", "ami-2", HostStage.HEALTHY) for n in range(250))
    lines = render(Deploying(Progress(Stage.DONE, "all", hosts=hosts)), NOW).plain.split("\n")

    assert lines[1] == f"  {'▰' * 20} 250 of 250 hosts done"


def test_what_is_over_is_told_as_over() -> None:
    wrong = Finding("", Problem.TOKEN_ENDS, "GitHub's token ends soon", "Renew it.")
    report = WatchReport((wrong,), well=(Finding("claw-2", Problem.MISSING, "no host"),))

    assert render(report, NOW).plain.split("\n") == [
        "The fleet is not as it should be",
        "🟡 The fleet: GitHub's token ends soon",
        "   Renew it.",
        "🟢 claw-2: over: no host",
    ]


async def test_a_line_that_is_not_waited_for_is_named_again_with_its_reply(talk: Talk) -> None:
    talk.api.ends = ""
    await talk.say("/fleet deploy claw-2 &")
    await talk.api.until("runs", 1)
    await talk.clock.asleep(1)
    assert "healthy" in await talk.say("/fleet status")

    talk.api.runs = [talk.api.runs[0]._replace(status="completed", conclusion="success")]
    await talk.clock.turn(30)
    await talk.terminal.finish()

    *_, said = talk.printed.getvalue().partition("> /fleet deploy claw-2 &\n")
    assert said.startswith("✓ deploy claw-2: done")


async def test_an_instance_that_is_new_at_the_source_can_speak_and_be_deployed(talk: Talk) -> None:
    await talk.say("/fleet status")
    talk.api.registry = registry(*FLEET, "claw-new")
    assert "unknown_target" in await talk.say("/fleet deploy claw-new")

    await talk.clock.turn(61)

    assert "✓ deploy claw-new: done" in await talk.say("/fleet deploy claw-new")
    assert "self_deploy" in await talk.say("claw-new: /fleet deploy claw-new")


async def test_with_the_source_gone_the_bot_says_how_old_what_it_knows_is(talk: Talk) -> None:
    await talk.say("/fleet status")
    await talk.clock.turn(7260)
    why = {"ok": False, "code": "github_refused", "error": "GitHub says 404."}
    talk.api.refused["registry"] = 502, why

    said = await talk.say("/fleet status")

    assert "What I know of the registry is 2 hours old. GitHub says 404." in said
    assert "claw-1" in said


async def test_a_status_of_five_hundred_is_counted_and_paged_worst_first(talk: Talk) -> None:
    ids = [f"claw-{number}" for number in range(1, 501)]
    talk.api.registry = registry(*ids)
    ill = Claw("claw-444", check="impaired")
    talk.fleet(*(Claw(id_) for id_ in ids if id_ not in ("claw-7", "claw-444")), ill)

    first = await talk.say("/fleet status")

    lines = first.splitlines()
    assert lines[1].startswith("500 instances, 498 healthy")
    assert [line.split()[0] for line in lines if "claw-" in line][:3] == [
        "claw-7",
        "claw-444",
        "claw-1",
    ]
    assert "page 1 of 25, worst first; the next: /fleet status 2" in first
    assert len(lines) < 40
    last = await talk.say("/fleet status 25")
    assert "claw-500" in last
    assert "page 25 of 25, worst first\n" in last
    assert all(len(line) <= 100 for line in (first + last).splitlines())
    for beyond in ("26", "99", "9" * 5000):
        said = await talk.say(f"/fleet status {beyond}")
        assert "  there is no such page: this is page 25 of 25\n" in said
    said = await talk.say("/fleet status 0")
    assert "  there is no such page: this is page 1 of 25; the next: /fleet status 2\n" in said


async def test_a_fleet_on_one_page_has_no_second(talk: Talk) -> None:
    assert "page" not in await talk.say("/fleet status 1")
    assert "  there is no such page: this is page 1 of 1\n" in await talk.say("/fleet status 2")


async def test_the_images_stand_below_the_status_with_who_runs_them(talk: Talk) -> None:
    talk.fleet(Claw("claw-1"), Claw("claw-2", OLDEST), Claw("claw-3"))

    said = await talk.say("/fleet status")

    assert "ami-0cccccccccccccccc   2 d old  claw-1, claw-3\n" in said
    assert "ami-0bbbbbbbbbbbbbbbb   9 d old\n" in said
    assert "ami-0aaaaaaaaaaaaaaaa  30 d old  claw-2\n" in said


async def test_the_log_has_a_line_for_each_thing_that_was_asked(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        await talk.say("/fleet status", "/fleet deploy all", "no", "stranger: /fleet deploy all")

    asked = audit(caplog)
    assert [line.what for line in asked] == [
        "status",
        "deploy all",
        "no to deploy all",
        "deploy all",
    ]
    assert (asked[-1].account, asked[-1].caller) == ("terminal:stranger", "person")
    # A no is about the ask that it answers; what comes of an ask says which.
    assert asked[2].request_id == asked[1].request_id
    assert of(caplog, asked[-1].request_id) == ["fleet.asked", "fleet.refused"]


async def test_what_the_control_api_says_beside_stays_in_the_reply(talk: Talk) -> None:
    talk.api.ends = "success"
    talk.api.adds = {"note": "Bot instances can't deploy just now."}

    said = await talk.say("/fleet deploy claw-2")

    assert "✓ deploy claw-2: done" in said
    assert "note: Bot instances can't deploy just now." in said


async def test_of_long_words_the_begin_is_told_and_noted(
    talk: Talk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "clawbot.ask")

    assert f"I don't know {'x' * 39}…." in await talk.say(f"/fleet {'x' * 99}")
    (line,) = audit(caplog)
    assert line.what == f"{'x' * 79}…"


async def test_more_words_than_a_deploy_takes_are_none(talk: Talk) -> None:
    said = await talk.say("/fleet deploy claw-2 ami-0cccccccccccccccc more")
    assert "too many words" in said
    assert "/fleet deploy <target>: " in said
    assert "/fleet status" not in said  # how that command is used, and no other
    assert talk.api.count("deploy") == 0


@pytest.mark.parametrize(
    "reply",
    [
        GoesOn("Deploy claw-2"),
        WatchReport(
            (Finding("claw-2", Problem.MISSING, "no host", "`/fleet deploy claw-2` creates it."),),
            well=(Finding("", Problem.TOKEN_ENDS, "GitHub's token near its end"),),
            still=("claw-3",),
        ),
    ],
)
def test_what_is_told_unasked_has_the_words_of_every_platform(
    reply: GoesOn | WatchReport,
) -> None:
    told = as_read(messages.render(reply, NOW)).partition("\nSeen ")[0]

    assert _words(render(reply, NOW).plain) == _words(told) != []


def _words(text: str) -> list[str]:
    return re.findall(r"[\w'/-]+", text)
