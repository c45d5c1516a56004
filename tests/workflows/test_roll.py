"""Whose turn comes when, and whether the next may begin."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet_control.caller import is_instance_id
from fleet_control.host import Health, HostState, Image
from fleet_control.policy import MOST_HOSTS_AT_ONCE
from tests.workflows.fleets import NEW, OLD, host, view
from workflows.fleet_deploy import roll
from workflows.fleet_deploy.revision import DeployedRevision, ImageAndRevision
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.stopped import Stopped

ONE, TWO, THREE = "clawdinator-1", "clawdinator-2", "clawdinator-3"
IDS = (ONE, TWO, THREE)
HOSTS = (host(ONE, 1), host(TWO, 2), host(THREE, 3))
COMMIT = "0123456789" * 4
FIRST = HostTurn(ONE, "i-00000001", "", image=NEW)
SECOND = HostTurn(TWO, "i-00000002", "", image=NEW)


MADE_OF = ImageAndRevision(Image(NEW, "new", 0.0), DeployedRevision(COMMIT, "A change", 0.0))


def order(target: str, *hosts: object, carrier: str = "") -> list[str]:
    status = view(IDS, *hosts).status  # type: ignore[arg-type]  # all are hosts
    return [one.id for one in roll.of(target, status, MADE_OF, carrier=carrier)]


def test_all_goes_in_the_registrys_order() -> None:
    assert order("all", *HOSTS) == [ONE, TWO, THREE]


def test_the_host_that_carries_the_asking_bot_goes_last() -> None:
    assert order("all", *HOSTS, carrier=ONE) == [TWO, THREE, ONE]


def test_a_bot_beside_the_fleet_changes_no_order() -> None:
    assert order("all", *HOSTS, carrier="demo") == [ONE, TWO, THREE]


def test_missing_hosts_come_after_the_target() -> None:
    assert order(TWO, host(TWO, 2)) == [TWO, ONE, THREE]


def test_hosts_that_are_there_stay_out_of_anothers_roll() -> None:
    unwell = host(THREE, 3, health=Health.IMPAIRED)

    assert order(TWO, host(ONE, 1), host(TWO, 2), unwell) == [TWO]


def test_a_turn_names_its_job_and_the_machine_it_saw() -> None:
    status = view([ONE, TWO], host(ONE, 1)).status

    assert (
        HostTurn(ONE, "i-00000001", f"{ONE}: {OLD} -> {NEW} @0123456", image=NEW, revision=COMMIT),
        HostTurn(TWO, "", f"{TWO}: none -> {NEW} @0123456", image=NEW, revision=COMMIT),
    ) == roll.of("all", status, MADE_OF, carrier="")


IMAGE = st.from_regex(r"ami-([0-9a-f]{8}|[0-9a-f]{17})", fullmatch=True)


@given(
    st.from_regex(r"[a-z0-9](-?[a-z0-9]){0,31}", fullmatch=True).filter(is_instance_id),
    IMAGE,
    IMAGE,
    st.from_regex(r"[0-9a-f]{40}", fullmatch=True),
)
@example("a" * 32, f"ami-{'0' * 17}", f"ami-{'1' * 17}", "f" * 40)
def test_no_jobs_name_is_cut(id_: str, old: str, new: str, commit: str) -> None:
    made_of = ImageAndRevision(Image(new, "", 0.0), DeployedRevision(commit, "", 0.0))
    status = view([id_], host(id_, 1, image=old)).status
    (turn,) = roll.of("all", status, made_of, carrier="")

    assert turn.name == f"{id_}: {old} -> {new} @{commit[:7]}"
    assert len(turn.name) < 90


BECOMES = {"image": NEW, "revision": COMMIT, "seed_sha256": "0" * 64}


def test_a_roll_survives_the_way_through_a_matrix() -> None:
    name = f"{ONE}: {OLD} -> {NEW}"
    turns = (
        HostTurn(ONE, "i-00000001", name, True, (), "", *BECOMES.values()),
        HostTurn(TWO, "", f"{TWO}: none", False, (THREE,), "", *BECOMES.values()),
    )

    assert turns == roll.decode(roll.encode(turns))
    assert "\n" not in roll.encode(turns)


def test_the_largest_roll_fits_into_a_variable_of_the_environment() -> None:
    """Of which Linux takes 131,072 bytes, the name among them."""
    names = ("c" * 32, f"i-{'0' * 17}", "n" * 89)
    turn = HostTurn(*names, False, (), "0" * 7, f"ami-{'0' * 17}", COMMIT, "0" * 64)

    assert len(f"ROLL={roll.encode([turn] * MOST_HOSTS_AT_ONCE)}") < 131_072


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "[1]",
        json.dumps([{"id": ONE, "seen": "", **BECOMES}]),
        *(
            json.dumps([{"id": ONE, "seen": "i-00000001", "name": "", **BECOMES} | wrong])
            for wrong in (
                {"id": "All"},
                {"seen": "somewhere"},
                {"seen": None},
                {"id": 1},
                {"seen": "", "adopt": True},
                {"adopt": "yes"},
                {"clears": ["All"]},
                {"clears": [1]},
                {"clears": 1},
                {"image": ""},
                {"image": "newest"},
                {"revision": COMMIT[:7]},
                {"seed_sha256": ""},
                {"seed_sha256": 1},
            )
        ),
    ],
)
def test_what_is_no_roll_stops_the_run(text: str) -> None:
    with pytest.raises(Stopped):
        roll.decode(text)


def test_an_instance_without_a_turn_stops_the_run() -> None:
    with pytest.raises(Stopped, match=THREE):
        roll.before([FIRST, SECOND], THREE)


def hindrance(*hosts: object) -> str:
    there = view(IDS, *hosts).there  # type: ignore[arg-type]  # all are hosts
    return roll.hindrance(SECOND, [FIRST], there)


def test_a_turn_begins_when_every_host_before_it_is_done() -> None:
    assert not hindrance(host(ONE, 11, image=NEW), host(TWO, 2))


@pytest.mark.parametrize(
    ("before", "why"),
    [
        (host(ONE, 1), "still the machine it was"),
        (host(ONE, 1, image=NEW), "still the machine it was"),
        (host(ONE, 11), f"runs {OLD} and not {NEW}"),
        (host(ONE, 11, image=NEW, health=Health.IMPAIRED), "status checks say impaired"),
        (host(ONE, 11, image=NEW, health=Health.INITIALIZING), "say initializing"),
        (host(ONE, 11, image=NEW, state=HostState.STOPPED), "stopped"),
        (host(ONE, 11, image=NEW, state=HostState.TERMINATED), "has no host"),
        (host(ONE, 1, state=HostState.SHUTTING_DOWN), "has no host"),
    ],
)
def test_a_roll_stops_itself_at_the_first_host_that_is_not(before: object, why: str) -> None:
    found = hindrance(before, host(TWO, 2))

    assert found.startswith("the roll stopped at clawdinator-1: ")
    assert why in found


@pytest.mark.parametrize(
    ("now", "words"), [(host(TWO, 22), "i-00000016 now"), (host(THREE, 3), "without a host now")]
)
def test_a_host_that_somebody_else_moved_is_left_alone(now: object, words: str) -> None:
    assert words in hindrance(host(ONE, 11, image=NEW), now)


def test_a_host_that_appeared_meanwhile_is_left_alone() -> None:
    turn = HostTurn(TWO, "", "")

    assert "was without a host" in roll.hindrance(turn, [], view(IDS, *HOSTS).there)


def test_a_leaving_machine_does_not_hide_its_successor() -> None:
    leaving = host(ONE, 1, state=HostState.SHUTTING_DOWN)

    assert not hindrance(leaving, host(ONE, 11, image=NEW), host(TWO, 2))


def test_two_machines_of_a_name_are_not_done() -> None:
    two = (host(ONE, 11, image=NEW), host(ONE, 12, image=NEW))

    assert hindrance(*two, host(TWO, 2)).startswith(
        f"the roll stopped at {ONE}: {ONE} has 2 machines, "
    )


@pytest.mark.parametrize(
    ("known", "which"),
    [
        ((), "all of them but one"),
        (("i-0000000b", "i-0000000c"), "all of them but one"),
        (("i-0000000b",), "i-0000000c, which OpenTofu does not know,"),
        (("i-0000000c",), "i-0000000b, which OpenTofu does not know,"),
    ],
    ids=["none is known", "both are", "the first is", "the second is"],
)
def test_which_of_two_machines_has_to_go_is_said(known: tuple[str, ...], which: str) -> None:
    row = view([ONE], host(ONE, 11, launched=2.0), host(ONE, 12, launched=1.0)).there[ONE]

    assert roll.twins(row, known) == (
        f"{ONE} has 2 machines, i-0000000b, i-0000000c, which share its tokens: terminate {which} "
        "by hand"
    )


def test_one_machine_is_not_two() -> None:
    assert not roll.twins(view([ONE], host(ONE, 1)).there[ONE])
    assert not roll.twins(view([ONE]).there[ONE])


def test_where_the_hosts_are_is_said_by_image() -> None:
    there = view(IDS, host(ONE, 11, image=NEW), host(TWO, 2)).there

    assert roll.whereabouts(IDS, there) == (
        f"On {NEW}: {ONE}. On {OLD}: {TWO}. Without a host: {THREE}."
    )


def test_of_a_machine_that_ec2_does_not_show_nothing_is_said_to_be_missing() -> None:
    there = view(IDS, host(ONE, 11, image=NEW)).there

    assert roll.whereabouts(IDS, there, [TWO]) == (
        f"On {NEW}: {ONE}. Not shown by EC2: {TWO}. Without a host: {THREE}."
    )


def test_where_a_large_fleet_is_stays_short() -> None:
    ids = [f"claw-{number}" for number in range(250)]

    assert roll.whereabouts(ids, {}) == "Without a host: claw-0, claw-1, claw-2 and 247 more."


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (1, f"On ami-{0:017x}: {'0' * 32}, {'1' * 32} and 2 more."),
        (2, f"On ami-{0:017x}: 2 hosts. On ami-{1:017x}: 2 hosts."),
        (4, f"On ami-{0:017x}: 1 host. On ami-{1:017x}: 1 host. The rest is elsewhere."),
    ],
)
def test_with_the_longest_names_it_stays_short_too(images: int, said: str) -> None:
    ids = [str(number) * 32 for number in range(4)]
    hosts = [host(id_, n + 1, image=f"ami-{n % images:017x}") for n, id_ in enumerate(ids)]

    assert roll.whereabouts(ids, view(ids, *hosts).there) == said
    assert len(said) <= roll.WHERE_LENGTH == 120


@pytest.mark.parametrize(
    ("clears", "said"),
    [
        ((), ""),
        (("claw-1", "claw-2"), "removed before: claw-1, claw-2; "),
        (("a", "b", "c", "d"), "removed before: a, b, c and 1 more; "),
        (("a" * 32,), f"removed before: {'a' * 32}; "),
        (("a" * 32, "b" * 32), f"removed before: {'a' * 32} and 1 more; "),
    ],
)
def test_what_was_removed_for_a_turn_is_said_shortly(clears: tuple[str, ...], said: str) -> None:
    assert roll.cleared(HostTurn(ONE, "", "", clears=clears)) == said
    assert len(said) <= roll.CLEARED_LENGTH == 64


def test_of_names_of_middle_length_one_of_each_is_told() -> None:
    ids = [str(number) * 20 for number in range(4)]
    hosts = [host(id_, n + 1, image=f"ami-{n % 2:08x}") for n, id_ in enumerate(ids)]

    assert roll.whereabouts(ids, view(ids, *hosts).there) == (
        f"On ami-00000000: {'0' * 20} and 1 more. On ami-00000001: {'1' * 20} and 1 more."
    )
