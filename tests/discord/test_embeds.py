"""Embeds stay within Discord's limits, whatever there is to say."""

import random
from dataclasses import replace

import pytest

from clawbot.commands import HELP, usage
from clawbot.discord.drawing import DiscordDrawing
from clawbot.discord.embeds import embed
from clawbot.discord.markup import said
from clawbot.progress import HostProgress, HostStage, Progress, Stage
from clawbot.replies import Deploying, Notice, Question, Reply, StatusReport, Tone
from clawbot.seal import Seal
from fleet_control.freeze import Freeze
from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.host_answer import HostAnswer
from fleet_control.ledger import Revision
from fleet_control.registry import Registry, parse
from fleet_control.registry_source import KnownRegistry
from fleet_control.status import FleetStatus, shape
from sandbox.discord_api import validate
from tests.clawbot.bots import registry
from tests.clock import TurnedClock

NOW = 1_790_000_000.0
LONG = "a-" * 15 + "zz"
IMAGE = "ami-0cccccccccccccccc"


def status(ids: list[str], *hosts: Host, trouble: str = "") -> FleetStatus:
    known = KnownRegistry(registry_of(ids), "1", NOW - 90_000, fresh=not trouble, trouble=trouble)
    images = (Image(IMAGE, "x" * 300, NOW - 3600), Image("ami-1", "y", NOW - 7200))
    return shape(known, Reading(hosts, images, NOW))


def registry_of(ids: list[str]) -> Registry:
    return parse(registry(*ids))


def host(name: str, number: int = 1, image: str = "ami-1") -> Host:
    said = HostAnswer(False, NOW - 600, "(" * 230)
    return Host(
        f"i-{number:017x}",
        name,
        HostState.STOPPED,
        Health.IMPAIRED,
        "t3.large",
        image,
        NOW - 5,
        answer=said,
    )


def worst_fleet() -> FleetStatus:
    ids = [f"{LONG[:27]}-{n}" for n in range(500)]
    hosts = [host(id_, copy) for id_ in ids[10:] for copy in range(4)]
    strangers = [host("*_`~|<@1>" * 40, n) for n in range(5)]
    return status(ids, *hosts, *strangers, trouble="The Control API is silent. " * 90)


def deploy(hosts: int, **more: object) -> Deploying:
    stages = list(HostStage)
    moving = tuple(
        HostProgress(f"{LONG[:27]}-{n}", IMAGE, IMAGE, stages[n % len(stages)])
        for n in range(hosts)
    )
    known = {
        "stage": Stage.FAILED,
        "target": LONG,
        "image_or_commit": IMAGE,
        "hosts": moving,
        **more,
    }
    return Deploying(Progress(**known), "discord:1", "It does not answer. " * 200)  # type: ignore[arg-type]  # a test's keywords


HELD = Freeze(f"telegram:{'1' * 20} {'x' * 32}", "*" * 100, 0, int(NOW)).sentence
REPLIES: list[Reply] = [
    HELP,
    usage(tuple(f"claw-{n}" for n in range(500))),
    Notice(("x" * 9000,), Tone.BROKEN),
    *(StatusReport(worst_fleet(), page, HELD) for page in (0, 1, 20, 10_000)),
    StatusReport(status(["claw-1"])),
    Question("all", IMAGE, "discord:1", "2", NOW, "w" * 5000, (LONG,) * 500, (LONG,), (LONG,) * 9),
    Question("all", "x" * 500, "discord:1", "2", NOW, "why", (), (), ()),
    deploy(250, url="https://github.example/" + "x" * 900, reason="r" * 3000, advice="a" * 3000),
    deploy(12, step="s" * 3000, stage=Stage.QUEUED, run_id=2**60),
    replace(
        deploy(12, stage=Stage.RUNNING, began=NOW, begins=NOW, ends=NOW, image_or_commit="*" * 500),
        asked_by="*" * 500,
        asked_at=NOW,
        note="*" * 500,
    ),
    deploy(0, stage=Stage.ASKING),
    deploy(1, step=" ", reason="its log ends so: \r\n"),
]


@pytest.mark.parametrize("reply", REPLIES, ids=lambda reply: type(reply).__name__)
async def test_discord_takes_it(reply: Reply) -> None:
    drawn = DiscordDrawing(Seal("x"), TurnedClock(), "demo").draw(reply, 2**63, 2**63)
    components = drawn.view.to_components() if drawn.view else []
    payload = {"embeds": [drawn.embed.to_dict()], "components": components}
    assert validate.message(payload) == []


def test_every_instance_is_on_some_page() -> None:
    fleet = worst_fleet()
    shown = [
        line
        for page in range(50)
        for line in (embed(StatusReport(fleet, page), NOW).description or "").splitlines()
        if "**" in line
    ]
    assert len(set(shown)) >= 500


def test_the_worst_state_gives_the_colour() -> None:
    def colour(*hosts: Host) -> int:
        made = embed(StatusReport(status(["claw-1"], *hosts)), NOW)
        assert made.colour is not None
        return made.colour.value

    well = Host("i-1", "claw-1", HostState.RUNNING, Health.OK, "t3.large", IMAGE, NOW)
    old = Host("i-1", "claw-1", HostState.RUNNING, Health.OK, "t3.large", "ami-1", NOW)
    new = Host("i-1", "claw-1", HostState.PENDING, Health.UNKNOWN, "t3.large", IMAGE, NOW)
    assert [colour(), colour(old), colour(new), colour(well)] == [
        0xDA373C,
        0xF0B232,
        0x5865F2,
        0x3BA55D,
    ]


def test_what_somebody_typed_is_no_markup() -> None:
    assert said("no `a*b` but <@1> and *c*") == "no `a*b` but \\<@1> and \\*c\\*"
    assert said("one ` alone and <@1>") == "one \\` alone and \\<@1>"
    assert said("[a](b) [c](https://d) *e* (f)") == "\\[a](b) \\[c](https\\://d) \\*e\\* (f)"


def test_random_bars_are_as_long_as_they_should_be() -> None:
    for _ in range(50):
        count = random.randint(2, 250)  # noqa: S311  (a test)
        text = embed(deploy(count), NOW).description or ""
        assert sum(text.count(mark) for mark in "▰▱") == min(20, count)


def roll(*stages: HostStage, ends: float = 0.0) -> Deploying:
    hosts = tuple(HostProgress(f"claw-{n}", "ami-1", "ami-2", one) for n, one in enumerate(stages))
    seen = Progress(Stage.RUNNING, "all", hosts=hosts, began=NOW - 300, ends=ends)
    return Deploying(seen, asked_by="*sam* <@1> in Telegram", asked_at=NOW - 360)


def lines(reply: Deploying) -> list[str]:
    return (embed(reply, NOW).description or "").splitlines()


def test_a_roll_tells_how_far_it_is_who_asked_since_when_and_about_when_it_ends() -> None:
    going = roll(*[HostStage.HEALTHY] * 3, *[HostStage.WAITING] * 4, ends=NOW + 420)

    assert lines(going)[1:4] == [
        "Asked for by \\*sam\\* \\<@1> in Telegram <t:1789999640:R>",
        "Began <t:1789999700:R>, end expected <t:1790000420:R>",
        "▰▰▰▱▱▱▱ 3 of 7 hosts done",
    ]


def test_a_deploy_that_waits_tells_about_when_its_turn_comes() -> None:
    waits = Progress(Stage.QUEUED, "claw-1", ahead=1, begins=NOW + 60, ends=NOW + 180)

    assert lines(Deploying(waits, asked_by="sam in Discord")) == [
        "**queued, 1 before it**",
        "Asked for by sam in Discord",
        "Turn expected <t:1790000060:R>, end expected <t:1790000180:R>",
    ]


def test_a_living_deploy_is_drawn_alike_however_much_time_goes_by() -> None:
    going = roll(HostStage.HEALTHY, HostStage.REPLACING, ends=NOW + 420)

    assert embed(going, NOW) == embed(going, NOW + 86_400)


def test_what_a_deploy_took_usually_is_not_told_of_one_that_is_over() -> None:
    over = roll(HostStage.HEALTHY, HostStage.HEALTHY, ends=NOW)
    over = replace(over, progress=replace(over.progress, stage=Stage.DONE, took=300))

    assert "expected" not in "".join(lines(over))
    assert "▰▰ 2 of 2 hosts done" in lines(over)
    assert "hosts done" not in "".join(lines(roll(HostStage.HEALTHY)))


def test_what_the_control_api_says_beside_is_shown_and_is_no_markup() -> None:
    reply = Deploying(Progress(Stage.QUEUED, "claw-1"), note="*Bots* wait.")

    assert "🟡 \\*Bots\\* wait." in (embed(reply, NOW).description or "")


REVISIONS = (
    Revision("c" * 40, "Hosts *greet* `all` <@1>", "2026-09-21T12:13:20Z"),
    Revision("b" * 40, "Before", "2026-09-01T12:13:20Z"),
)


def test_a_hosts_revision_is_told_and_the_branchs() -> None:
    known = KnownRegistry(registry_of(["claw-1"]), "1", NOW, fresh=True, revisions=REVISIONS)
    reading = Reading((replace(host("claw-1"), revision="b" * 40),), (), NOW)
    made = embed(StatusReport(shape(known, reading)), NOW)

    assert " · revision bbbbbbb, 1 behind · " in (made.description or "")
    footer = "no image of ours; newest revision ccccccc, 2 hours old: Hosts *greet* all <@1>"
    assert made.footer.text == footer  # where Discord reads no markup
    old = embed(StatusReport(status(["claw-1"], host("claw-1"))), NOW)
    assert " · revision unknown · " in (old.description or "")


def test_what_a_host_last_said_of_itself_is_told_below_its_row() -> None:
    def lines(answer: HostAnswer | None) -> list[str]:
        fleet = status(["claw-1"], replace(host("claw-1"), answer=answer))
        return (embed(StatusReport(fleet), NOW).description or "").splitlines()[1:]

    said = "its own answer: ill, 10 min ago (2026-09-21 14:03 UTC): a.service died"
    ill = lines(HostAnswer(False, NOW - 600, "a.service died"))
    assert [*lines(None), f"-# {said}"] == ill
    assert lines(HostAnswer(True, NOW - 20))[-1] == (
        "-# its own answer: well, 20 s ago (2026-09-21 14:13 UTC)"
    )
    cut = lines(HostAnswer(False, NOW - 600, "x" * 230))
    assert cut[:-1] == ill[:-1]
    assert len(cut[-1]) == len("-# ") + 130
    assert cut[-1].endswith("x…")


def test_a_deploy_tells_what_its_hosts_become() -> None:
    seen = Progress(Stage.RUNNING, "claw-1", made_of=REVISIONS[0], asked=NOW)

    told = "Revision ccccccc, 2 hours old: Hosts \\*greet\\* all \\<@1>"
    assert told in (embed(Deploying(seen), NOW + 86400).description or "")


@pytest.mark.parametrize(("length", "linked"), [(512, True), (513, False)])
def test_a_link_that_discord_may_refuse_is_left_out(length: int, linked: bool) -> None:
    url = "https://github.example/".ljust(length, "x")
    made = embed(Deploying(Progress(Stage.RUNNING, "claw-1", url=url)), NOW)
    assert made.url == (url if linked else None)


def test_the_longest_title_is_none_too_long_for_discord() -> None:
    seen = Progress(Stage.RUNNING, LONG, "*" * 500)
    made = embed(Deploying(seen), NOW)
    assert validate.message({"embeds": [made.to_dict()]}) == []
    assert 200 < len(made.title or "") <= 256


def test_each_stage_of_a_deploy_has_its_colour() -> None:
    shown = {stage: embed(Deploying(Progress(stage, "claw-1")), NOW).colour for stage in Stage}
    assert {stage: colour and colour.value for stage, colour in shown.items()} == {
        Stage.ASKING: 0x5865F2,
        Stage.QUEUED: 0x5865F2,
        Stage.RUNNING: 0x5865F2,
        Stage.DONE: 0x3BA55D,
        Stage.FAILED: 0xDA373C,
        Stage.CANCELLED: 0x80848E,
        Stage.STOPPED: 0x80848E,
        Stage.UNKNOWN: 0xF0B232,
    }


def test_each_tone_of_a_notice_has_its_colour() -> None:
    shown = {tone: embed(Notice(("Words.",), tone), NOW).colour for tone in Tone}
    assert {tone: colour and colour.value for tone, colour in shown.items()} == {
        Tone.PLAIN: 0x80848E,
        Tone.REFUSED: 0xF0B232,
        Tone.BROKEN: 0xDA373C,
    }


def test_long_names_of_strangers_are_cut() -> None:
    made = embed(StatusReport(status(["claw-1"], host("x" * 100))), NOW)
    assert f"**{'x' * 63}…**" in (made.description or "")
    made = embed(Deploying(Progress(Stage.RUNNING, "claw-1", "x" * 500)), NOW)
    assert made.title == f"Deploy claw-1 with {'x' * 99}…"


def test_a_reason_is_told_as_far_as_a_field_goes() -> None:
    made = embed(Deploying(Progress(Stage.FAILED, "claw-1", reason="r" * 3000)), NOW)
    assert [len(field.value or "") for field in made.fields] == [1024]
