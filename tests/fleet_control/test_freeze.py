"""A freeze as it is kept and told; and what holds the fleet as it is asked for and shown."""

import asyncio
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_control import freeze
from fleet_control.caller import ALL, BotInstance, Human
from fleet_control.freeze import Freeze
from fleet_control.holds import Holds, HoldsSource
from fleet_control.policy import Allowed, Facts, RefusalCode, Refused, first_look, judge
from tests.clock import TurnedClock, TurnedLoop
from tests.fleet_control.lambdas import Lambda
from tests.fleet_control.on_host import OnHost

UNTIL = 1_790_003_600
FROZEN = Freeze("discord:80351110224678912 sam", "a move", 1_790_000_000, UNTIL)
WORDS = "by sam in Discord until 2026-09-21 15:13 UTC: a move."
OPERATOR = Human("discord:1", "kim", operator=True)


def test_it_lasts_four_hours_or_a_week_at_most_and_its_reason_is_a_line() -> None:
    assert (freeze.USUAL_SECONDS, freeze.LONGEST_SECONDS) == (14_400, 604_800)
    assert freeze.REASON_LENGTH == 100


@pytest.mark.parametrize(
    ("by", "reason", "words"),
    [
        (FROZEN.by, "a move", WORDS),
        (FROZEN.by, "a move.", WORDS),
        (FROZEN.by, "", WORDS.replace("a move", "no reason was given")),
        (FROZEN.by, "Why?", WORDS.replace("a move.", "Why?")),
        ("telegram:7", "a move", WORDS.replace("sam in Discord", "7 in Telegram")),
        ("operator:alice", "a move", WORDS.replace("sam in Discord", "alice at a desk")),
    ],
)
def test_people_are_told_who_until_when_and_why(by: str, reason: str, words: str) -> None:
    told = FROZEN._replace(by=by, reason=reason)

    assert told.words == words
    assert told.sentence == f"The fleet is frozen {words}"
    assert told.overridden == f"This overrides the freeze {words}"


ROW = {"pk": "freeze", "expires": 1, **FROZEN._asdict()}


@pytest.mark.parametrize(
    ("row", "now", "held"),
    [
        (None, 0.0, None),
        (ROW, UNTIL - 0.1, FROZEN),
        (ROW, UNTIL, None),
        (ROW | {"until": 0}, 0.0, None),
        ({"pk": "freeze", "until": UNTIL}, 0.0, Freeze("", "", 0, UNTIL)),
    ],
)
def test_a_row_holds_until_its_time_whenever_it_is_removed(
    row: dict[str, str | int | float] | None, now: float, held: Freeze | None
) -> None:
    assert freeze.read(row, now) == held


@given(st.text(max_size=300))
def test_whatever_the_reason_is_one_line_that_can_be_shown(text: str) -> None:
    kept = freeze.one_line(text)

    assert len(kept) <= 100
    assert kept.isprintable()
    assert "`" not in kept
    assert freeze.one_line(kept) == kept
    # As the ledger's names are cut, so that a chat has room for the sentence of a run that stopped.
    longest = Freeze(f"telegram:{'1' * 20} {'x' * 32}", kept, 0, UNTIL).sentence
    assert len(f"{longest} A person who is an operator may override that.") <= 300


@given(st.sampled_from(["freeze", ""]), st.sampled_from(["claw-2", ALL]))
def test_a_freeze_refuses_everybody_but_the_operator_who_overrides(
    override: str, target: str
) -> None:
    facts = Facts(frozen=FROZEN, ids=("claw-1", "claw-2"))
    for caller in (BotInstance("claw-3"), OPERATOR):
        verdict = judge(caller, target, "", facts, override=override)
        passes = bool(override) and caller is OPERATOR
        assert isinstance(verdict, Allowed) is passes
        if isinstance(verdict, Refused) and target != ALL:
            assert verdict.code is RefusalCode.FROZEN


def test_only_whoever_may_override_is_asked_and_only_about_a_freeze() -> None:
    frozen, free = Facts(frozen=FROZEN), Facts()

    asked = first_look(OPERATOR, "claw-2", "", frozen)
    assert isinstance(asked, Allowed)
    assert asked.override == "freeze"
    assert asked.confirm == (
        f"The fleet is frozen {WORDS} (`frozen`) A yes overrides that, for this once."
    )
    assert first_look(OPERATOR, "claw-2", "", free) == Allowed()
    for caller in (BotInstance("claw-1"), Human("discord:2")):
        assert isinstance(first_look(caller, "claw-2", "", frozen), Refused)
    unknown = first_look(OPERATOR, "claw-9", "", Facts(frozen=FROZEN, ids=("claw-2",)))
    assert isinstance(unknown, Refused)
    assert unknown.code is RefusalCode.UNKNOWN_TARGET


async def test_it_is_asked_for_once_however_many_wait_and_again_after_ten_seconds() -> None:
    clock, asked = TurnedClock(), 0

    async def fetch() -> Holds:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return Holds(FROZEN)

    source = HoldsSource(fetch, clock)
    assert await asyncio.gather(*(source.get() for _ in range(5))) == [Holds(FROZEN)] * 5
    counts = [asked]
    for seconds in (9, 1):
        await clock.turn(seconds)
        await source.get()
        counts.append(asked)
    source.forget()
    await source.get()
    await source.get(kept=0.0)

    assert (counts, asked) == ([1, 1, 2], 4)


async def test_one_that_leaves_takes_it_from_no_other() -> None:
    answer: asyncio.Future[Holds] = asyncio.get_running_loop().create_future()

    async def fetch() -> Holds:
        return await answer

    source = HoldsSource(fetch, TurnedClock())
    leaves, stays = (asyncio.create_task(source.get()) for _ in range(2))
    await asyncio.sleep(0)
    leaves.cancel()
    answer.set_result(Holds(FROZEN))

    assert await stays == Holds(FROZEN)


@pytest.mark.parametrize(("seconds", "in_time"), [(2.8, True), (3.2, False)])
async def test_nobody_waits_for_it_longer_than_three_seconds(seconds: float, in_time: bool) -> None:
    answer: asyncio.Future[Holds] = asyncio.get_running_loop().create_future()

    async def fetch() -> Holds:
        return await answer

    asked = asyncio.create_task(HoldsSource(fetch, TurnedClock()).get())
    await TurnedLoop().turn(seconds)
    if in_time:
        answer.set_result(Holds(FROZEN))

    unseen = Holds(unseen="The Control API did not answer in time.")
    assert await asked == (Holds(FROZEN) if in_time else unseen)


async def test_an_agents_status_shows_it(host: OnHost, control: Lambda) -> None:
    control.holds = (200, {"freeze": FROZEN._asdict()})
    for _ in range(2):
        control.has_registry("claw-1", "claw-2", "claw-3")

    text, fields = (
        await host.types("status"),
        (await host.types("status", "--json")).answer,
    )

    assert text.out.splitlines()[-1] == f"The fleet is frozen {WORDS}"
    times = {"since": "2026-09-21T14:13:20Z", "until": "2026-09-21T15:13:20Z"}
    told = {"by": FROZEN.by, "reason": "a move", **times}
    assert (fields["holds"]["freeze"], fields["holds"]["unseen"]) == (told, "")


@pytest.mark.parametrize(
    ("no", "why"),
    [
        ((400, {"code": "bad_request", "error": "`action`"}), "The Control API is older than I"),
        ((502, {"code": "table_unreachable", "error": "It is away."}), "It is away."),
    ],
)
async def test_where_it_cannot_be_seen_an_agents_status_says_that_and_works(
    host: OnHost, control: Lambda, no: tuple[int, dict[str, str]], why: str
) -> None:
    control.holds = no
    for _ in range(2):
        control.has_registry("claw-1", "claw-2", "claw-3")

    text, fields = (
        await host.types("status"),
        (await host.types("status", "--json")).answer,
    )

    assert text.code == 0
    said = text.out.splitlines()[-1]
    assert said.startswith(f"I can't see whether the fleet is frozen. {why}")
    assert fields["holds"]["freeze"] is None
    assert fields["holds"]["unseen"].startswith(why)


async def test_an_agents_deploy_is_refused_before_it_is_asked_for(
    host: OnHost, control: Lambda
) -> None:
    control.holds = (200, {"freeze": FROZEN._asdict()})
    control.has_registry("claw-1", "claw-2", "claw-3")

    ended = await host.types("deploy", "claw-2", "--json")

    answer = ended.answer
    assert (ended.code, answer["code"]) == (3, "frozen")
    assert re.fullmatch(
        rf"The fleet is frozen {re.escape(WORDS)} A person who is an operator may override that\.",
        answer["error"],
    )
    assert "deploy" not in control.actions
