"""The policy table of the design, row for row; then what must hold for any input at all."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_control.caller import ALL, BotInstance, Caller, Human, Unknown
from fleet_control.freeze import Freeze
from fleet_control.policy import (
    Allowed,
    BotDeploy,
    Condition,
    Facts,
    RefusalCode,
    Refused,
    Usage,
    judge,
    refused_first,
)
from tests.fleet_control.fleets import doubt

IDS = ("clawdinator-1", "clawdinator-2", "clawdinator-3")
IMAGE = "ami-0123456789abcdef0"
COMMIT = "0a1b2c3"
NOW = 1_790_000_000.0
WELL = dict.fromkeys(IDS, Condition.HEALTHY)

OPERATOR = Human("terminal:operator", "operator", operator=True)
VISITOR = Human("terminal:visitor", "visitor")
BOT = BotInstance("clawdinator-1")
STRANGER = Unknown("a bot that is not of this fleet")


def seen(**changed: Any) -> Facts:
    """Everything a depth can see of a fleet that is well, but for `changed`."""
    return Facts(ids=IDS, images=frozenset({IMAGE}), conditions=WELL, now=NOW)._replace(**changed)


def but(**conditions: Condition) -> dict[str, Condition]:
    return {**WELL, **{id_.replace("_", "-"): is_ for id_, is_ in conditions.items()}}


BUSY = seen(unfinished="https://github.example/runs/7")
BOT_DEPLOYED = seen(last_bot_deploy=BotDeploy("clawdinator-3", NOW - 59 * 60))
BOT_DEPLOYED_LONG_AGO = seen(last_bot_deploy=BotDeploy("clawdinator-3", NOW - 60 * 60))
THIRD_ILL = seen(conditions=but(clawdinator_3=Condition.UNHEALTHY))
THIRD_GONE = seen(conditions=but(clawdinator_3=Condition.MISSING))
THIRD_STARTING = seen(conditions=but(clawdinator_3=Condition.STARTING))
TARGET_ILL = seen(conditions=but(clawdinator_2=Condition.UNHEALTHY))
TARGET_GONE = seen(conditions=but(clawdinator_2=Condition.MISSING))
TARGET_STARTING = seen(conditions=but(clawdinator_2=Condition.STARTING))
BY_BOT = BOT_DEPLOYED.last_bot_deploy
TWICE: dict[str, Any] = {
    "last_bot_deploy": BOT_DEPLOYED_LONG_AGO.last_bot_deploy,
    "bot_failures": 2,
}
TARGET_AND_THIRD_ILL = seen(
    conditions=but(clawdinator_2=Condition.UNHEALTHY, clawdinator_3=Condition.UNHEALTHY)
)
SELF_ILL = seen(conditions=but(clawdinator_1=Condition.UNHEALTHY))
HELD = Freeze("discord:80351110224678912 sam", "a move", int(NOW) - 60, int(NOW) + 3600)
FROZEN = seen(frozen=HELD)

TABLE = [
    # caller, target, image, facts, verdict
    (STRANGER, "clawdinator-2", "", seen(), RefusalCode.UNKNOWN_CALLER),
    (STRANGER, "", "", seen(), RefusalCode.UNKNOWN_CALLER),
    (VISITOR, "clawdinator-2", "", seen(), RefusalCode.NOT_OPERATOR),
    (VISITOR, ALL, "", seen(), RefusalCode.NOT_OPERATOR),
    (OPERATOR, "", "", seen(), Usage(IDS)),
    (BOT, "", "", seen(), Usage(IDS)),
    (OPERATOR, "clawdinator-9", "", seen(), RefusalCode.UNKNOWN_TARGET),
    (BOT, "clawdinator-9", "", seen(), RefusalCode.UNKNOWN_TARGET),
    (BOT, "clawdinator-1", "", seen(), RefusalCode.SELF_DEPLOY),
    (BOT, ALL, "", seen(), RefusalCode.SELF_DEPLOY),
    (BOT, "clawdinator-1", "", SELF_ILL, RefusalCode.SELF_DEPLOY),
    (BOT, "clawdinator-1", "ami-00000000", BUSY, RefusalCode.SELF_DEPLOY),
    (OPERATOR, "clawdinator-2", "ami-00000000", seen(), RefusalCode.UNKNOWN_IMAGE),
    (OPERATOR, ALL, "ami-00000000", seen(), RefusalCode.UNKNOWN_IMAGE),
    (BOT, "clawdinator-2", "ami-00000000", BUSY, RefusalCode.UNKNOWN_IMAGE),
    (OPERATOR, "clawdinator-2", "main", seen(), RefusalCode.UNKNOWN_IMAGE),
    (OPERATOR, "clawdinator-2", COMMIT[:6], seen(), RefusalCode.UNKNOWN_IMAGE),
    (OPERATOR, "clawdinator-2", COMMIT.upper(), seen(), RefusalCode.UNKNOWN_IMAGE),
    (VISITOR, "clawdinator-2", "", FROZEN, RefusalCode.NOT_OPERATOR),
    (BOT, "clawdinator-1", "", FROZEN, RefusalCode.SELF_DEPLOY),
    (OPERATOR, "clawdinator-9", "", FROZEN, RefusalCode.UNKNOWN_TARGET),
    (OPERATOR, "clawdinator-2", "main", FROZEN, RefusalCode.UNKNOWN_IMAGE),
    (OPERATOR, "clawdinator-2", "", FROZEN, RefusalCode.FROZEN),
    (OPERATOR, ALL, "", FROZEN, RefusalCode.FROZEN),
    (BOT, "clawdinator-2", "", FROZEN, RefusalCode.FROZEN),
    (BOT, "clawdinator-2", "", TARGET_GONE._replace(frozen=HELD), RefusalCode.FROZEN),
    (BOT, "clawdinator-2", "", BUSY._replace(frozen=HELD), RefusalCode.FROZEN),
    (BOT, "clawdinator-2", IMAGE, FROZEN, RefusalCode.FROZEN),
    (OPERATOR, "clawdinator-2", COMMIT, seen(), Allowed()),
    (OPERATOR, ALL, COMMIT, seen(), "asks first"),
    (OPERATOR, ALL, "", seen(), "asks first"),
    (OPERATOR, ALL, IMAGE, THIRD_ILL, "asks first"),
    (OPERATOR, "clawdinator-2", "", seen(carrier="clawdinator-2"), "asks first"),
    (OPERATOR, "clawdinator-2", "", seen(carrier="clawdinator-1"), Allowed()),
    (OPERATOR, "clawdinator-2", IMAGE, seen(), Allowed()),
    (OPERATOR, "clawdinator-2", "", BUSY, Allowed()),
    (OPERATOR, "clawdinator-2", "", BOT_DEPLOYED, Allowed()),
    (OPERATOR, "clawdinator-2", "", THIRD_ILL, Allowed()),
    (BOT, "clawdinator-2", "", BUSY, RefusalCode.BUSY),
    (BOT, "clawdinator-2", "", BUSY._replace(conditions=TARGET_GONE.conditions), RefusalCode.BUSY),
    (BOT, "clawdinator-2", "", seen(waiting=20), RefusalCode.QUEUE_FULL),
    (BOT, "clawdinator-2", "", TARGET_GONE._replace(waiting=20), RefusalCode.QUEUE_FULL),
    (BOT, "clawdinator-2", "", BUSY._replace(waiting=20), RefusalCode.BUSY),
    (BOT, "clawdinator-2", "", seen(waiting=19), Allowed()),
    (OPERATOR, "clawdinator-2", "", seen(waiting=99), Allowed()),
    (BOT, "clawdinator-2", "", TARGET_ILL, Allowed()),
    (BOT, "clawdinator-2", "", TARGET_GONE, Allowed()),
    (BOT, "clawdinator-2", "", TARGET_ILL._replace(last_bot_deploy=BY_BOT), RefusalCode.TOO_SOON),
    (
        BOT,
        "clawdinator-2",
        "",
        TARGET_STARTING._replace(last_bot_deploy=BY_BOT),
        RefusalCode.TOO_SOON,
    ),
    (BOT, "clawdinator-2", "", TARGET_GONE._replace(last_bot_deploy=BY_BOT), Allowed()),
    (
        BOT,
        "clawdinator-2",
        IMAGE,
        TARGET_ILL._replace(last_bot_deploy=BY_BOT),
        RefusalCode.TOO_SOON,
    ),
    (BOT, "clawdinator-2", "", seen(**TWICE), RefusalCode.TOO_SOON),
    (BOT, "clawdinator-2", "", TARGET_ILL._replace(**TWICE), RefusalCode.TOO_SOON),
    (BOT, "clawdinator-2", "", TARGET_GONE._replace(**TWICE), RefusalCode.TOO_SOON),
    (BOT, "clawdinator-2", "", TARGET_GONE._replace(**TWICE, waiting=20), RefusalCode.QUEUE_FULL),
    (BOT, "clawdinator-2", "", THIRD_ILL._replace(**TWICE), RefusalCode.TOO_SOON),
    (BOT, "clawdinator-2", "", TARGET_ILL._replace(**TWICE | {"bot_failures": 1}), Allowed()),
    (OPERATOR, "clawdinator-2", "", TARGET_ILL._replace(**TWICE), Allowed()),
    (BOT, "clawdinator-2", "", BOT_DEPLOYED, RefusalCode.TOO_SOON),
    (BOT, "clawdinator-2", "", BOT_DEPLOYED_LONG_AGO, Allowed()),
    (
        BOT,
        "clawdinator-2",
        "",
        BOT_DEPLOYED._replace(conditions=THIRD_ILL.conditions),
        RefusalCode.TOO_SOON,
    ),
    (BOT, "clawdinator-2", "", THIRD_ILL, RefusalCode.FLEET_UNWELL),
    (BOT, "clawdinator-2", "", THIRD_GONE, RefusalCode.FLEET_UNWELL),
    (BOT, "clawdinator-2", "", THIRD_STARTING, RefusalCode.FLEET_UNWELL),
    (BOT, "clawdinator-2", "", TARGET_AND_THIRD_ILL, Allowed()),
    (BOT, "clawdinator-2", "", TARGET_STARTING, Allowed()),
    (BOT, "clawdinator-2", "", SELF_ILL, Allowed()),
    (BOT, "clawdinator-2", IMAGE, seen(), RefusalCode.REPAIR_ONLY),
    (BOT, "clawdinator-2", IMAGE, TARGET_STARTING, RefusalCode.REPAIR_ONLY),
    (BOT, "clawdinator-2", IMAGE, BUSY, RefusalCode.REPAIR_ONLY),
    (BOT, "clawdinator-2", IMAGE, THIRD_ILL, RefusalCode.REPAIR_ONLY),
    (BOT, "clawdinator-2", COMMIT, seen(), RefusalCode.REPAIR_ONLY),
    (BOT, "clawdinator-2", COMMIT, TARGET_STARTING, RefusalCode.REPAIR_ONLY),
    (BOT, "clawdinator-2", COMMIT, TARGET_ILL, Allowed()),
    (BOT, "clawdinator-2", COMMIT, TARGET_GONE, Allowed()),
    (BOT, "clawdinator-2", IMAGE, TARGET_ILL, Allowed()),
    (BOT, "clawdinator-2", IMAGE, TARGET_GONE, Allowed()),
    (OPERATOR, "clawdinator-2", IMAGE, TARGET_STARTING, Allowed()),
]
# What only the run looks for; no chat can meet these rows.
OF_THE_RUN = [
    (BOT, "clawdinator-2", "", TARGET_GONE._replace(bot_deploys_unseen=True), RefusalCode.TOO_SOON),
    (BOT, "clawdinator-2", "", THIRD_ILL._replace(bot_deploys_unseen=True), RefusalCode.TOO_SOON),
    (OPERATOR, "clawdinator-2", "", seen(bot_deploys_unseen=True), Allowed()),
]


@pytest.mark.parametrize(("caller", "target", "image", "facts", "verdict"), [*TABLE, *OF_THE_RUN])
def test_the_policy_is_the_table(
    caller: Caller, target: str, image: str, facts: Facts, verdict: object
) -> None:
    given_verdict = judge(caller, target, image, facts)

    if isinstance(verdict, RefusalCode):
        assert isinstance(given_verdict, Refused)
        assert verdict == given_verdict.code
        assert given_verdict.message.endswith((".", "?"))
    elif verdict == "asks first":
        assert isinstance(given_verdict, Allowed)
        assert given_verdict.confirm
    else:
        assert verdict == given_verdict


@pytest.mark.parametrize(("caller", "target", "image", "facts", "verdict"), [*TABLE, *OF_THE_RUN])
def test_who_leaves_it_to_the_target_itself_judges_all_else_alike(
    caller: Caller, target: str, image: str, facts: Facts, verdict: object
) -> None:
    """But that what else keeps a bot waiting then decides first."""
    later = judge(caller, target, image, facts._replace(asked_later=True))

    healthy = (facts.conditions or {}).get(target) is Condition.HEALTHY
    if not (healthy and verdict in (RefusalCode.REPAIR_ONLY, RefusalCode.FLEET_UNWELL)):
        assert later == judge(caller, target, image, facts)
        return
    newest = judge(caller, target, "", facts)
    if isinstance(newest, Refused) and newest.code is not RefusalCode.FLEET_UNWELL:
        assert later == newest
    else:
        assert isinstance(verdict, RefusalCode)
        assert later == Allowed(doubt=doubt(target, verdict))


@pytest.mark.parametrize(
    ("seconds", "ago"),
    [
        (-5, "less than a minute ago"),
        (0, "less than a minute ago"),
        (59, "less than a minute ago"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
    ],
)
def test_how_long_ago_a_bot_deployed_it_is_told_in_minutes(seconds: float, ago: str) -> None:
    facts = seen(last_bot_deploy=BotDeploy("clawdinator-3", NOW - seconds))
    verdict = judge(BOT, "clawdinator-2", "", facts)

    assert isinstance(verdict, Refused)
    assert f"clawdinator-3 deployed it {ago}. " in verdict.message


@pytest.mark.parametrize("how", Condition)
def test_what_failed_twice_is_a_persons_whatever_its_condition(how: Condition) -> None:
    """And the sentence names no time after which a bot might."""
    verdict = judge(BOT, "clawdinator-2", "", seen(conditions=but(clawdinator_2=how), **TWICE))

    assert isinstance(verdict, Refused)
    assert verdict.message == (
        "The last deploys of clawdinator-2 by bot instances failed. A person has to deploy it "
        "before a bot instance may again."
    )


@pytest.mark.parametrize("conditions", [None, {}, {"clawdinator-3": Condition.UNHEALTHY}])
def test_who_does_not_see_the_target_leaves_its_condition_out(
    conditions: dict[str, Condition] | None,
) -> None:
    """It may have no host, and may then be repaired."""
    unseen = seen(conditions=conditions, last_bot_deploy=BY_BOT)

    assert judge(BOT, "clawdinator-2", IMAGE, unseen) == Allowed()


def test_with_no_operators_set_the_refusal_names_the_setting() -> None:
    verdict = judge(VISITOR, ALL, "", seen(operators_set=False))

    assert isinstance(verdict, Refused)
    assert verdict.code is RefusalCode.NOT_OPERATOR
    assert "CLAWBOT_OPERATORS" in verdict.message


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("clawdinater-2", "clawdinator-2"),
        ("CLAWDINATOR-2", "clawdinator-2"),
        ("ALL", ALL),
        ("All", ALL),
        ("al", ALL),
    ],
)
@pytest.mark.parametrize("facts", [seen(), seen(ids=(*IDS, "claw", "ball"))])
def test_an_unknown_target_is_answered_with_the_nearest_id(
    asked: str, meant: str, facts: Facts
) -> None:
    verdict = judge(OPERATOR, asked, "", facts)

    assert isinstance(verdict, Refused)
    assert f"Did you mean `{meant}`?" in verdict.message


def test_all_is_offered_where_no_id_is_known() -> None:
    verdict = judge(OPERATOR, "ALL", "", seen(ids=None))

    assert isinstance(verdict, Refused)
    assert "Did you mean `all`?" in verdict.message


@pytest.mark.parametrize(
    "facts",
    [
        TARGET_STARTING._replace(last_bot_deploy=BOT_DEPLOYED.last_bot_deploy),
        TARGET_STARTING._replace(conditions={**WELL, **dict.fromkeys(IDS, Condition.STARTING)}),
    ],
)
def test_a_host_that_is_starting_is_not_called_healthy(facts: Facts) -> None:
    verdict = judge(BOT, "clawdinator-2", "", facts)

    assert isinstance(verdict, Refused)
    assert verdict.message.startswith("clawdinator-2 is starting ")


def test_a_link_in_a_refusal_is_followed_by_a_space() -> None:
    verdict = judge(BOT, "clawdinator-2", "", BUSY)

    assert isinstance(verdict, Refused)
    assert f" {BUSY.unfinished} " in verdict.message


def test_a_target_of_any_length_is_cut_in_the_answer() -> None:
    verdict = judge(OPERATOR, "x" * 100_000, "", seen())

    assert isinstance(verdict, Refused)
    assert len(verdict.message) < 200


def test_more_hosts_than_a_matrix_holds_are_refused() -> None:
    many = tuple(f"claw-{n}" for n in range(251))
    well = dict.fromkeys(many, Condition.HEALTHY)

    refused = judge(OPERATOR, ALL, "", seen(ids=many, conditions=well))
    one = judge(OPERATOR, "claw-7", "", seen(ids=many, conditions=well))
    one_of_many_missing = judge(
        OPERATOR, "claw-7", "", seen(ids=many, conditions=dict.fromkeys(many, Condition.MISSING))
    )

    assert isinstance(refused, Refused)
    assert refused.code is RefusalCode.TOO_MANY_HOSTS
    assert Allowed() == one
    assert isinstance(one_of_many_missing, Refused)
    assert one_of_many_missing.code is RefusalCode.TOO_MANY_HOSTS


INSTANCE = st.from_regex(r"[a-z0-9](?:-?[a-z0-9]){0,9}", fullmatch=True)
FACTS = st.builds(
    Facts,
    ids=st.none() | st.lists(INSTANCE, max_size=4).map(tuple),
    images=st.none() | st.frozensets(st.text(), max_size=3),
    conditions=st.none() | st.dictionaries(INSTANCE, st.sampled_from(Condition), max_size=4),
    unfinished=st.text(max_size=3),
    last_bot_deploy=st.none() | st.builds(BotDeploy, INSTANCE, st.floats(0, 2e9)),
    bot_failures=st.integers(0, 3),
    carrier=st.text(max_size=8) | INSTANCE,
    operators_set=st.booleans(),
    now=st.floats(0, 2e9),
)


DISGUISES: list[Callable[[str], str]] = [
    str,
    str.upper,
    str.title,
    lambda text: f" {text}",
    lambda text: f"{text}\n",
    lambda text: f"{text}\u200b",
]


@st.composite
def looks_like_itself(draw: st.DrawFn) -> tuple[str, str]:
    """A bot instance's id, and a target: that id, `all`, or either in some disguise."""
    own = draw(INSTANCE)
    plain = draw(st.sampled_from([own, ALL]) | st.text(max_size=12))
    return own, draw(st.sampled_from(DISGUISES))(plain)


@given(looks_like_itself(), st.text(max_size=24), FACTS)
def test_no_input_lets_a_bot_instance_reach_itself(
    names: tuple[str, str], image: str, facts: Facts
) -> None:
    own, target = names
    if own not in (facts.ids or (own,)):
        facts = facts._replace(ids=(*(facts.ids or ()), own))

    verdict = judge(BotInstance(own), target, image, facts)

    if isinstance(verdict, Allowed):
        assert target not in (own, ALL)
        assert target == target.strip().lower()


@given(looks_like_itself(), st.text(max_size=24), FACTS)
def test_whoever_is_not_known_is_never_allowed(
    names: tuple[str, str], image: str, facts: Facts
) -> None:
    _, target = names

    for nobody in (Unknown("a webhook"), Human("discord:1", "operator", operator=False)):
        assert isinstance(judge(nobody, target, image, facts), Refused)


@given(looks_like_itself(), st.text(max_size=24), FACTS)
def test_a_fact_that_a_depth_cannot_see_never_turns_a_refusal_of_oneself_into_leave(
    names: tuple[str, str], image: str, facts: Facts
) -> None:
    own, _ = names

    for target in (own, ALL):
        assert isinstance(judge(BotInstance(own), target, image, Facts()), Refused)
        assert isinstance(judge(BotInstance(own), target, image, facts), Refused)


def message(caller: Caller, target: str, image: str = "", facts: Facts | None = None) -> str:
    verdict = judge(caller, target, image, facts or seen())
    assert isinstance(verdict, Refused)
    return verdict.message


def test_a_fact_that_nobody_named_is_one_that_is_not_seen() -> None:
    assert Facts() == (None, None, None, "", 0, None, 0, False, False, None, "", True, 0.0)
    assert judge(OPERATOR, "", "", Facts()) == Usage(())
    assert judge(OPERATOR, "clawdinator-2", IMAGE, Facts()) == Allowed()
    assert judge(BOT, "clawdinator-2", IMAGE, Facts()) == Allowed()
    assert isinstance(judge(OPERATOR, ALL, "", Facts()), Allowed)


def test_what_bots_deploys_came_to_is_asked_for_where_nothing_else_refuses() -> None:
    assert refused_first(BOT, "clawdinator-1", "", seen())
    assert refused_first(BOT, "clawdinator-2", "", BUSY)
    assert not refused_first(BOT, "clawdinator-2", "", seen())
    assert not refused_first(BOT, "clawdinator-2", "", THIRD_ILL)
    assert not refused_first(BOT, "", "", seen())


def test_a_refusal_says_which_of_its_reasons_it_was() -> None:
    assert message(VISITOR, "clawdinator-2").startswith("Only operators may deploy.")
    assert message(BOT, ALL) == (
        "clawdinator-1 may not deploy `all`: it includes itself. Name one other instance."
    )
    assert message(BOT, "clawdinator-1").startswith("clawdinator-1 may not deploy itself. ")
    assert message(OPERATOR, "clawdinator-2", "main").startswith("`main` is neither an image")
    assert "is not an available image" in message(OPERATOR, "clawdinator-2", "ami-00000000")


def test_a_name_of_forty_characters_is_told_whole() -> None:
    assert f"`{'x' * 40}`" in message(OPERATOR, "x" * 40)
    assert f"`{'x' * 39}…`" in message(OPERATOR, "x" * 41)


def test_as_many_hosts_as_one_run_moves_are_moved() -> None:
    many = tuple(f"claw-{n}" for n in range(250))

    assert isinstance(judge(OPERATOR, ALL, "", seen(ids=many)), Allowed)


@pytest.mark.parametrize(("seconds", "left"), [(0, 60), (40 * 60, 20), (3590, 1)])
def test_a_bot_is_told_how_long_it_has_to_wait(seconds: float, left: int) -> None:
    facts = seen(last_bot_deploy=BotDeploy("clawdinator-3", NOW - seconds))

    assert f"A bot instance may again in {left} min;" in message(BOT, "clawdinator-2", "", facts)


@pytest.mark.parametrize(("unwell", "more"), [(1, ""), (3, ""), (4, " and 1 more")])
def test_of_those_that_are_unwell_three_are_named(unwell: int, more: str) -> None:
    ids = tuple(f"claw-{n}" for n in range(unwell))
    facts = seen(ids=(*IDS, *ids), conditions=WELL | dict.fromkeys(ids, Condition.MISSING))
    named = ", ".join(f"{id_} is missing" for id_ in ids[:3])

    assert f" healthy while {named}{more}. One thing" in message(BOT, "clawdinator-2", "", facts)


def test_who_deploys_all_is_told_whose_host_comes_last() -> None:
    def asked(carrier: str) -> str:
        verdict = judge(OPERATOR, ALL, "", seen(carrier=carrier))
        assert isinstance(verdict, Allowed)
        return verdict.confirm

    every = "This replaces every host of the fleet, one after the other"
    assert asked("") == f"{every}."
    assert asked("clawdinator-1") == f"{every}, the one I run on (clawdinator-1) last."
