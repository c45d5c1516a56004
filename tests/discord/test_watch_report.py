"""What the fleet's channel is told of the fleet itself, in Discord."""

import pytest

from clawbot.discord.embeds import embed
from clawbot.discord.markup import GREEN, RED, YELLOW
from clawbot.fleet_channel.watch_words import ROWS_AT_ALL
from clawbot.replies import WatchReport
from fleet_control.fault import Problem
from fleet_control.finding import Finding
from sandbox.discord_api import validate
from tests.discord.fleet_channels import allowed, passes, told_by
from tests.discord.scene import DiscordScene

GONE = Finding("claw-2", Problem.MISSING, "no host", "`/fleet deploy claw-2` creates it.")
ILL = Finding("claw-3", Problem.NOT_HEALTHY, "not healthy for 6 min", "`/fleet deploy claw-3`")
TOKEN = Finding("", Problem.TOKEN_ENDS, "GitHub's token ends in 9 days", "Renew it.")
STRAY = Finding("i-9", Problem.UNREGISTERED, "not in the registry")
SEEN = "-# Seen <t:90:R>"


def lines(report: WatchReport) -> list[str]:
    return (embed(report, 100.0).description or "").splitlines()


@pytest.mark.parametrize(
    ("report", "title", "colour"),
    [
        (WatchReport(wrong=(GONE,)), "claw-2 is not as it should be", RED),
        (WatchReport(wrong=(TOKEN,)), "The fleet is not as it should be", YELLOW),
        (WatchReport(wrong=(GONE, ILL, TOKEN)), "3 things are not as they should be", RED),
        (WatchReport(wrong=(GONE,), well=(ILL,)), "claw-2 is not as it should be", RED),
        (WatchReport(wrong=(GONE,), flapping=(ILL,)), "2 things are not as they should be", RED),
        (WatchReport(flapping=(ILL,)), "claw-3 is not as it should be", RED),
        (WatchReport(flapping=(STRAY,)), "i-9 is not as it should be", YELLOW),
        (WatchReport(wrong=(TOKEN,), flapping=(ILL,)), "2 things are not as they should be", RED),
        (WatchReport(well=(ILL,)), "claw-3 is well again", GREEN),
        (WatchReport(well=(STRAY,)), "i-9 is no longer amiss", GREEN),
        (WatchReport(well=(TOKEN,)), "One thing is well again", GREEN),
        (WatchReport(well=(ILL,), still=("claw-3",)), "One thing is well again", GREEN),
        (WatchReport(well=(ILL,), still=("claw-2",)), "claw-3 is well again", GREEN),
        (WatchReport(well=(GONE, ILL)), "2 things are well again", GREEN),
    ],
)
def test_its_title_says_what_matters(report: WatchReport, title: str, colour: int) -> None:
    drawn = embed(report, 100.0)
    assert (drawn.title, drawn.colour and drawn.colour.value) == (title, colour)


def test_each_thing_has_its_light_and_below_it_what_mends_it() -> None:
    assert lines(WatchReport((GONE, TOKEN), well=(ILL,), taken=90.0)) == [
        "🔴 **claw-2** · no host",
        "-# `/fleet deploy claw-2` creates it.",
        "🟡 **The fleet** · GitHub's token ends in 9 days",
        "-# Renew it.",
        "🟢 **claw-3** · over: not healthy for 6 min",
        SEEN,
    ]


def test_what_was_told_before_and_goes_on_is_named_with_the_rest() -> None:
    still = ("", "claw-3", *(f"claw-{number}" for number in range(20, 270)))
    *_, told, seen = lines(WatchReport(well=(GONE,), still=still, taken=90.0))
    assert told.startswith("Still not well: the fleet, claw-3, claw-20, ")
    assert told.endswith(" and 240 more. `/fleet status` shows all.")
    assert seen == SEEN


def test_what_comes_and_goes_says_so() -> None:
    assert lines(WatchReport(flapping=(ILL,), taken=90.0)) == [
        "🔴 **claw-3** · not healthy for 6 min; it comes and goes, so I say no more of it until it "
        "rests",
        "-# `/fleet deploy claw-3`",
        SEEN,
    ]


def test_what_is_wrong_with_many_alike_is_told_once() -> None:
    many = tuple(GONE._replace(of=f"claw-{n}", repair="Deploy it.") for n in range(1, 251))
    report = WatchReport(many, taken=90.0)
    assert embed(report, 100.0).title == "250 things are not as they should be"
    assert lines(report) == [
        "🔴 **claw-1, claw-2, claw-3, claw-4, claw-5, claw-6, claw-7, claw-8, claw-9, claw-10, "
        "claw-11, claw-12 and 238 more** · no host",
        "-# Deploy it.",
        SEEN,
    ]


def test_of_the_fleet_and_of_one_of_it_the_same_words_are_two_things() -> None:
    report = WatchReport((TOKEN, TOKEN._replace(of="claw-1")), taken=90.0)
    assert [line for line in lines(report) if line.startswith("🟡")] == [
        "🟡 **The fleet** · GitHub's token ends in 9 days",
        "🟡 **claw-1** · GitHub's token ends in 9 days",
    ]


@pytest.mark.parametrize(
    "text", ["x" * 900, "*" * 900, "`a` " * 300, "🦞" * 900, "@everyone " * 99]
)
@pytest.mark.parametrize("count", [1, ROWS_AT_ALL, ROWS_AT_ALL + 1, 250])
def test_whatever_is_wrong_with_how_many_discord_takes_it(text: str, count: int) -> None:
    wrong = tuple(
        Finding(f"claw-{n}", Problem.MISSING, f"{n} {text}", f"do {text}") for n in range(count)
    )
    report = WatchReport(wrong, well=wrong[:1], taken=90.0)
    drawn = embed(report, 100.0)
    assert validate.message({"embeds": [drawn.to_dict()]}) == []
    shown = lines(report)
    assert sum(line.startswith("🔴 **claw-") for line in shown) == min(count, 24)
    assert sum(line.startswith("-# do ") for line in shown) == min(count, 24)
    left = count + 1 - min(count + 1, 24)
    told = f"And {left} more. `/fleet status` shows all."
    assert (told in shown) == bool(left)
    assert shown[-1] == SEEN
    assert "@everyone" not in (drawn.description or "").replace("\\@everyone", "")


def test_the_last_of_many_long_rows_has_its_room_too() -> None:
    wrong = tuple(
        Finding(f"claw-{n}", Problem.MISSING, f"{n} {'y' * 2000}", "z" * 2000)
        for n in range(ROWS_AT_ALL)
    )
    *_, told, repair, _ = lines(WatchReport(wrong, taken=90.0))
    assert told.startswith(f"🔴 **claw-{ROWS_AT_ALL - 1}** · ")
    assert 130 <= len(f"{told}\n{repair}") < 140


async def test_who_is_to_be_called_is_called_by_the_message_itself(scene: DiscordScene) -> None:
    calls = (f"discord:{scene.owner.id}", f"discord:&{scene.role}", "telegram:777")
    async with told_by(scene) as channel:
        message = channel.message()
        await passes(scene, message.show(WatchReport((GONE,), calls=calls, taken=90.0), 60.0))
    (shown,) = scene.channel()
    assert shown.body["content"] == f"<@{scene.owner.id}> <@&{scene.role}>"
    assert allowed(shown) == {
        "parse": [],
        "users": [int(scene.owner.id)],
        "roles": [int(scene.role)],
    }
    assert shown.buttons == {}
    assert shown.edited is None


@pytest.mark.parametrize(
    "report",
    [
        WatchReport((GONE._replace(of="@everyone <@1> <@&2>"),)),
        WatchReport(well=(GONE,), calls=("discord:1",)),
    ],
)
async def test_where_nobody_is_to_be_called_nobody_is(
    scene: DiscordScene, report: WatchReport
) -> None:
    async with told_by(scene) as channel:
        await passes(scene, channel.message().show(report, 60.0))
    (shown,) = scene.channel()
    assert not shown.body.get("content")
    assert allowed(shown) == {"parse": [], "users": [], "roles": []}


async def test_a_report_that_the_life_before_sent_and_did_not_note_is_one_message(
    scene: DiscordScene,
) -> None:
    for taken in (90.0, 150.0):
        async with told_by(scene) as channel:
            await passes(scene, channel.message().show(WatchReport((GONE,), taken=taken), 60.0))
    assert len(scene.channel()) == 1
    await scene.clock.turn(3600)  # it was well in between
    async with told_by(scene) as channel:
        await passes(scene, channel.message().show(WatchReport((GONE,), taken=4000.0), 60.0))
    assert len(scene.channel()) == 2
