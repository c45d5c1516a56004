"""Which machines must be gone before an instance is made, and what becomes of its turn."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fleet_control.host import Host, HostState
from tests.workflows.fleets import NOW, host, view
from workflows.fleet_deploy.identity_conflict import FleetFacts, make_room
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.stopped import Stopped

ONE, TWO, NEW, OLD = "clawdinator-1", "clawdinator-2", "clawdinator-new", "clawdinator-old"
LAUNCHED = NOW - 7200


def entry(id_: str, **instead: str) -> dict[str, str]:
    own = {
        "host": id_,
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/{id_}",
        "discordTokenSecret": f"{id_}-discord-token",
    }
    return own | instead


NOW_SAID = {id_: entry(id_) for id_ in (ONE, NEW)}


def fleet(
    *hosts: Host,
    held: Mapping[str, Mapping[str, Any]],
    known: tuple[str, ...] = (OLD,),
    said: Mapping[str, Mapping[str, Any]] = NOW_SAID,
) -> FleetFacts:
    """A fleet whose history tells what `held` has; the state knows the machines of `known`."""

    def told(name: str, launched: float) -> tuple[Mapping[str, Any], ...]:
        assert launched == LAUNCHED
        return (held[name],) if name in held else ()

    return FleetFacts(
        said,
        view(said, *hosts).status,
        {one.id: one.name for one in hosts if one.name in known},
        told,
    )


OLDS = host(OLD, 9)
TURN = HostTurn(NEW, "", f"{NEW}: none -> ami-1")
SHARED = {
    "the token `x`": ({"discordTokenSecret": "x"}, {"discordTokenSecret": "x"}),
    "the token `y`": ({"telegramTokenSecret": "y"}, {"clawbotTelegramTokenSecret": "y"}),
    "the bootstrap prefix `bootstrap/new`": (
        {"bootstrapPrefix": "bootstrap/new"},
        {"bootstrapPrefix": "bootstrap/new"},
    ),
    "the bootstrap prefix `bootstrap/new/in`": (
        {"bootstrapPrefix": "bootstrap/new/in"},
        {"bootstrapPrefix": "bootstrap/new"},
    ),
    "the bootstrap prefix `bootstrap/out`": (
        {"bootstrapPrefix": "bootstrap/out"},
        {"bootstrapPrefix": "bootstrap/out/in"},
    ),
    "the host name `claw`": ({"host": "claw"}, {"host": "claw"}),
}


@pytest.mark.parametrize(("what", "mine", "theirs"), [(w, *b) for w, b in SHARED.items()])
def test_an_instance_that_shares_with_one_that_left_is_not_made(
    what: str, mine: dict[str, str], theirs: dict[str, str]
) -> None:
    said = {**NOW_SAID, NEW: entry(NEW, **mine)}

    with pytest.raises(Stopped) as stopped:
        make_room(NEW, [TURN], fleet(OLDS, held={OLD: entry(OLD, **theirs)}, said=said))

    assert str(stopped.value) == (
        f"{NEW} is not made while {OLDS.id} ({OLD}) runs: both would have {what}. It left the "
        "registry: a deploy of `all` removes it first."
    )


def test_what_left_and_shares_nothing_is_in_nobodys_way() -> None:
    beside = {"bootstrapPrefix": "bootstrap/clawdinator-news", "telegramTokenSecret": ""}
    left = fleet(OLDS, held={OLD: entry(OLD, **beside)})

    assert make_room(NEW, [TURN], left) == ((TURN,), ())


RENAMED = {OLD: entry(NEW)}


def test_all_removes_it_first() -> None:
    (turn,), left_out = make_room("all", [TURN], fleet(OLDS, held=RENAMED))

    assert (turn.clears, left_out) == ((OLD,), ())


def test_it_goes_before_the_first_that_it_is_in_the_way_of() -> None:
    """Two entries took over what it had: the second finds it gone."""
    one = HostTurn(ONE, "", "")
    held = {OLD: entry(NEW, telegramTokenSecret=f"{ONE}-discord-token")}

    turns, _ = make_room("all", [TURN, one], fleet(OLDS, held=held))

    assert [turn.clears for turn in turns] == [(OLD,), ()]


def test_what_opentofu_does_not_know_all_can_not_remove() -> None:
    with pytest.raises(Stopped, match="OpenTofu does not know it: terminate it by hand, then dep"):
        make_room("all", [TURN], fleet(OLDS, held=RENAMED, known=()))


def test_it_is_left_out_of_anothers_roll() -> None:
    """Else nobody could deploy anything between the merge of a rename and a deploy of `all`."""
    asked = HostTurn(ONE, "", "")

    turns, (why,) = make_room(ONE, [asked, TURN], fleet(OLDS, held=RENAMED))

    assert turns == (asked,)
    assert why.startswith(f"{NEW} is not made while {OLDS.id} ({OLD}) runs")


def test_one_that_has_a_host_is_not_replaced_either() -> None:
    with pytest.raises(Stopped, match="is not made while"):
        make_room(NEW, [replace(TURN, seen="i-00000001")], fleet(OLDS, held=RENAMED))


@pytest.mark.parametrize("state", [HostState.SHUTTING_DOWN, HostState.TERMINATED])
def test_what_is_on_its_way_out_is_in_nobodys_way(state: HostState) -> None:
    leaving = replace(OLDS, state=state)

    assert make_room(NEW, [TURN], fleet(leaving, held=RENAMED)) == ((TURN,), ())


def test_each_of_two_machines_of_a_name_is_in_the_way() -> None:
    twice = fleet(OLDS, host(OLD, 8), held=RENAMED)

    (turn,), _ = make_room("all", [TURN], twice)

    assert turn.clears == (OLD,)


def test_of_several_in_the_way_the_one_that_all_can_not_remove_is_named() -> None:
    older = host("clawdinator-older", 8)
    both = fleet(OLDS, older, held={**RENAMED, older.name: entry(NEW)})

    with pytest.raises(Stopped, match=rf"{older.id} .* OpenTofu does not know it"):
        make_room("all", [TURN], both)


TOOK_OVER = {ONE: entry(ONE, discordTokenSecret=f"{NEW}-discord-token")}


def test_a_token_that_moved_from_one_entry_to_another_is_still_with_the_first() -> None:
    with pytest.raises(Stopped) as stopped:
        make_room(NEW, [TURN], fleet(host(ONE, 1), held=TOOK_OVER))

    assert str(stopped.value) == (
        f"{NEW} is not made while i-00000001 ({ONE}) has the token `{NEW}-discord-token`, from "
        f"before its entry changed. Deploy {ONE} first."
    )


def test_not_once_that_one_has_a_new_host() -> None:
    turns = (HostTurn(ONE, "i-00000001", ""), TURN)

    assert make_room("all", turns, fleet(host(ONE, 1), held=TOOK_OVER)) == (turns, ())


IDS = ("claw-1", "claw-2", "claw-3")


def moved(*tokens: str) -> tuple[FleetFacts, dict[str, HostTurn]]:
    """Three hosts of one token each, x, y and z; by now their entries name these."""
    before = dict(zip(IDS, "xyz", strict=True))
    held = {id_: entry(id_, discordTokenSecret=one) for id_, one in before.items()}
    after = dict(zip(IDS, tokens, strict=True))
    said = {id_: entry(id_, discordTokenSecret=one) for id_, one in after.items()}
    hosts = [host(id_, number) for number, id_ in enumerate(IDS, 1)]
    turns = {one.name: HostTurn(one.name, one.id, "") for one in hosts}
    return fleet(*hosts, held=held, known=IDS, said=said), turns


@pytest.mark.parametrize(
    ("tokens", "order"),
    [
        ("xyz", "123"),
        ("yaz", "213"),
        ("yza", "321"),
        ("ayx", "123"),
        ("zya", "231"),
    ],
)
def test_all_takes_first_who_holds_what_another_is_given(tokens: str, order: str) -> None:
    shifted, turns = moved(*tokens)

    made, left_out = make_room("all", [*turns.values()], shifted)

    assert [turn.id for turn in made] == [f"claw-{number}" for number in order]
    assert left_out == ()


@pytest.mark.parametrize(
    ("tokens", "first", "holder", "token"),
    [("yxz", 1, 2, "y"), ("yzx", 1, 2, "y"), ("azy", 2, 3, "z"), ("xzy", 2, 3, "z")],
)
@pytest.mark.parametrize("alone", [False, True])
def test_of_a_circle_that_is_said_with_a_way_out(
    tokens: str, first: int, holder: int, token: str, alone: bool
) -> None:
    swapped, turns = moved(*tokens)
    mine = f"claw-{first}"
    asked = [turns[mine]] if alone else [*turns.values()]

    with pytest.raises(Stopped) as stopped:
        make_room(mine if alone else "all", asked, swapped)
    assert str(stopped.value) == (
        f"{mine} is not made while i-0000000{holder} (claw-{holder}) has the token `{token}`, and "
        "waits in turn: terminate that one by hand, then deploy again (docs/runbook.md, `A swap`)."
    )


def test_who_only_waits_for_a_circle_is_told_what_comes_first() -> None:
    swapped, turns = moved("x", "z", "y")
    before = {"claw-2": {"telegramTokenSecret": "t"}}
    waits = entry(IDS[0], discordTokenSecret="x", telegramTokenSecret="t")
    told = swapped.said
    tailed = replace(
        swapped,
        entries={**swapped.entries, IDS[0]: waits},
        said=lambda name, since: (*(told(name, since) or ()), before.get(name, {})),
    )

    with pytest.raises(Stopped, match=r"Deploy claw-2 first\.$"):
        make_room(IDS[0], [turns[IDS[0]]], tailed)
    with pytest.raises(Stopped, match=r"^claw-2 .*\(claw-3\) has .* waits in turn"):
        make_room("all", [*turns.values()], tailed)


@pytest.mark.parametrize("tokens", ["yxz", "yzx"])
def test_once_the_machine_that_it_names_is_gone_a_circle_is_none(tokens: str) -> None:
    circle, turns = moved(*tokens)
    rows = tuple(row for row in circle.status.rows if row.id != IDS[1])
    rest = replace(circle, status=replace(circle.status, rows=rows))
    turns[IDS[1]] = replace(turns[IDS[1]], seen="")

    assert make_room(IDS[0], [turns[IDS[0]]], rest) == ((turns[IDS[0]],), ())
    made, left_out = make_room("all", [*turns.values()], rest)
    assert (len(made), left_out) == (3, ())


@pytest.mark.parametrize("name", [ONE, OLD])
@pytest.mark.parametrize("target", [NEW, "all"])
def test_where_history_can_not_be_read_no_first_host_is_made(name: str, target: str) -> None:
    """Registered or not, nobody knows what a running machine holds."""
    unread = replace(fleet(host(name, 1), held={}, known=(name,)), said=lambda *_: None)

    with pytest.raises(Stopped) as stopped:
        make_room(target, [TURN], unread)
    assert str(stopped.value) == (
        f"{NEW}, which never had a host, is not made while i-00000001 ({name}) runs: the branch's "
        "history can't be read, so nobody can tell what it holds. The log of `plan` says why; "
        "deploy again once it can."
    )
    has = replace(TURN, seen="i-00000002")
    assert make_room(target, [has], unread) == ((has,), ())


def test_nor_is_what_another_deploy_would_have_brought_along() -> None:
    asked = HostTurn(ONE, "i-00000001", "")
    unread = replace(fleet(host(ONE, 1), host(TWO, 2), held={}), said=lambda *_: None)

    turns, (why,) = make_room(ONE, [asked, TURN], unread)
    assert turns == (asked,)
    assert why.startswith(f"{NEW}, which never had a host, is not made while i-00000002 ({TWO})")


def test_beside_a_registered_machine_whose_entry_was_never_merged_none_is_made() -> None:
    with pytest.raises(Stopped, match="so nobody can tell what it holds"):
        make_room(NEW, [TURN], fleet(host(ONE, 1), held={}))


@pytest.mark.parametrize(("name", "called"), [("strange", "strange"), ("", "without a name")])
def test_beside_a_machine_that_nobody_can_place_no_first_host_is_made(
    name: str, called: str
) -> None:
    strange = host(name, 9)

    for target in (NEW, "all"):
        with pytest.raises(Stopped) as stopped:
            make_room(target, [TURN], fleet(strange, held={}))
        assert str(stopped.value) == (
            f"{NEW}, which never had a host, is not made while i-00000009 ({called}) runs: no "
            "entry that is known ever had that name, so nobody can tell what it holds. "
            "Terminate it, or take its tag `app` away; then deploy again."
        )
    asked = HostTurn(ONE, "i-00000001", "")
    turns, (why,) = make_room(ONE, [asked, TURN], fleet(strange, held={}))
    assert (turns, why.startswith(NEW)) == ((asked,), True)


def test_one_that_had_a_host_is_made_beside_it() -> None:
    has, had = replace(TURN, seen="i-00000001"), TURN
    lost = fleet(host("strange", 9), held={})

    assert make_room(NEW, [has], lost) == ((has,), ())
    assert make_room(NEW, [had], replace(lost, known={"i-00000007": NEW})) == ((had,), ())
