"""What should be, held against what is: each fault in words, and the worst first."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fleet_control import phrases
from fleet_control.deployed import Deployed, MovedHost
from fleet_control.fault import Fault, Problem
from fleet_control.host import Health, Host, HostState, Image, Reading
from fleet_control.ledger import Revision
from fleet_control.policy import Condition
from fleet_control.status import IN_PROGRESS_SECONDS, natural, shape, start_seconds
from tests.fleet_control.fleets import DAY, IMAGES, NEW, NOW, OLD, host, known, seen
from workflows.fleet_deploy.health import read_pace

LONG_AGO = NOW - IN_PROGRESS_SECONDS


def faults(*hosts: Host) -> tuple[Fault, ...]:
    row = seen(["claw-1"], *hosts).row("claw-1")
    assert row is not None
    return row.faults


def told(faults: Iterable[Fault]) -> list[tuple[Problem, str]]:
    return [(one.problem, one.in_short) for one in faults]


def test_a_healthy_host_on_the_newest_image_has_no_fault() -> None:
    row = seen(["claw-1"], host("claw-1")).rows[0]

    assert row.faults == ()
    assert (row.condition, row.is_newest, row.image) == (Condition.HEALTHY, True, NEW)
    assert not row.replacing


def test_an_instance_without_a_host_is_missing() -> None:
    fleet = seen(["claw-1"])

    assert told(fleet.rows[0].faults) == [(Problem.MISSING, "no host; a deploy creates it")]
    assert fleet.conditions == {"claw-1": Condition.MISSING}


def test_an_instance_of_which_no_deploy_is_known_is_not_missing_as_one_that_had_a_host() -> None:
    """Nobody is to be called for what was merged, and is to be deployed next."""
    ledger = Deployed(NOW)
    new = shape(known("claw-1"), Reading((host("claw-2"),), IMAGES, NOW), ledger)
    ended = host("claw-1", state=HostState.TERMINATED)

    def of(hosts: tuple[Host, ...], ledger: Deployed) -> Problem | None:
        return shape(known("claw-1"), Reading(hosts, IMAGES, NOW), ledger).rows[0].worst

    words = "no host, and no deploy of it is known; a deploy creates it"
    assert told(new.rows[0].faults) == [(Problem.NOT_DEPLOYED, words)]
    assert new.conditions == {"claw-1": Condition.MISSING}
    assert phrases.problems(new) == ["1 not deployed yet", "1 not in the registry"]
    assert of((ended,), ledger) is Problem.MISSING
    assert of((), ledger) is Problem.MISSING
    made = Deployed(NOW, moved=(MovedHost("claw-1", NOW - DAY),))
    assert of((host("claw-2"),), made) is Problem.MISSING


def test_a_terminated_host_is_no_host() -> None:
    gone = host("claw-1", state=HostState.TERMINATED, health=Health.UNKNOWN)

    assert [fault.problem for fault in faults(gone)] == [Problem.MISSING]
    assert seen(["claw-2"], gone).row("claw-1") is None


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (host("claw-1", health=Health.IMPAIRED), "fails EC2's status checks"),
        (host("claw-1", health=Health.IMPAIRED, ill="has no disk"), "has no disk"),
        (host("claw-1", state=HostState.STOPPED, health=Health.UNKNOWN), "the host is stopped"),
        (host("claw-1", state=HostState.STOPPING, health=Health.UNKNOWN), "the host is stopping"),
    ],
    ids=["impaired", "without its disk", "stopped", "stopping"],
)
def test_a_host_that_is_not_healthy_says_how(changed: Host, words: str) -> None:
    assert told(faults(changed)) == [(Problem.NOT_HEALTHY, words)]
    assert seen(["claw-1"], changed).conditions == {"claw-1": Condition.UNHEALTHY}


def test_a_host_without_an_entry_is_shown_and_judged_by_nobody() -> None:
    fleet = seen(["claw-1"], host("claw-1"), host("claw-9", 9))

    row = fleet.rows[0]
    assert row.id == "claw-9"
    words = "is not in the registry: `all` removes it if a deploy made it, else remove it by hand"
    assert told(row.faults) == [(Problem.UNREGISTERED, f"i-00000009 {words}")]
    assert row.may_have_left
    assert fleet.conditions == {"claw-1": Condition.HEALTHY}


@pytest.mark.parametrize("name", ["", "Old claw", "all"])
def test_of_a_host_that_no_deploy_would_name_so_no_removal_is_promised(name: str) -> None:
    row = seen(["claw-1"], host("claw-1"), host(name, 9)).rows[0]

    words = "i-00000009 is not in the registry: made by nobody I know, remove it by hand"
    assert told(row.faults) == [(Problem.UNREGISTERED, words)]
    assert not row.may_have_left


def test_hosts_without_a_name_are_each_shown_by_their_own_id() -> None:
    fleet = seen(["claw-1"], host("claw-1"), host("", 8), host("", 9))

    assert [row.id for row in fleet.rows] == ["i-00000008", "i-00000009", "claw-1"]


def test_two_hosts_of_one_name_are_named_and_the_younger_counts() -> None:
    young, old = host("claw-1", 2), host("claw-1", 1, launched=NOW - DAY, image=OLD.id)

    row = seen(["claw-1"], old, young).rows[0]

    assert row.host == young
    assert told(row.faults) == [(Problem.TWO_HOSTS, "2 hosts of this name: also i-00000001")]


def test_a_wrong_type_names_both() -> None:
    assert told(faults(host("claw-1", type_="t3.small"))) == [
        (Problem.WRONG_TYPE, "type t3.small, the registry says t3.large"),
    ]


def test_an_older_image_says_how_much_older() -> None:
    row = seen(["claw-1"], host("claw-1", image=OLD.id)).rows[0]

    assert told(row.faults) == [(Problem.OLDER_IMAGE, "image is 3 days older than the newest")]
    assert (row.condition, row.is_newest, row.image) == (Condition.HEALTHY, False, OLD)


def test_an_image_that_is_gone_is_no_longer_one_of_ours() -> None:
    words = "image ami-00000000 is no longer one of ours"

    assert told(faults(host("claw-1", image="ami-00000000"))) == [(Problem.OLDER_IMAGE, words)]


def test_without_images_nothing_is_said_of_them() -> None:
    fleet = seen(["claw-1"], host("claw-1"), images=())

    assert (fleet.newest, fleet.rows[0].faults) == (None, ())


@pytest.mark.parametrize(
    "coming",
    [
        host("claw-1", 2, state=HostState.PENDING, health=Health.UNKNOWN, launched=NOW - 30),
        host("claw-1", 2, health=Health.INITIALIZING, launched=NOW - 300),
        host("claw-1", 2, health=Health.UNKNOWN, launched=NOW - 300),
    ],
    ids=["pending", "initializing", "insufficient data"],
)
def test_a_replacement_in_progress_is_no_fault(coming: Host) -> None:
    going = host("claw-1", 1, state=HostState.SHUTTING_DOWN, health=Health.UNKNOWN, image=OLD.id)

    row = seen(["claw-1"], going, coming).rows[0]

    assert (row.replacing, row.faults, row.condition) == (True, (), Condition.STARTING)
    assert (row.host, row.leaving) == (coming, (going,))


@pytest.mark.parametrize(
    ("coming", "words"),
    [
        (
            host("claw-1", state=HostState.PENDING, health=Health.UNKNOWN, launched=LONG_AGO),
            "the host is still pending 30 minutes after its launch",
        ),
        (
            host("claw-1", health=Health.INITIALIZING, launched=LONG_AGO),
            "EC2's status checks are not done 30 minutes after its launch",
        ),
        (
            host("claw-1", health=Health.UNKNOWN, launched=LONG_AGO),
            "EC2 tells nothing of its health 30 minutes after its launch",
        ),
    ],
    ids=["pending", "initializing", "insufficient data"],
)
def test_a_host_that_starts_for_too_long_is_not_healthy(coming: Host, words: str) -> None:
    soon = replace(coming, launched=LONG_AGO + 1)

    row = seen(["claw-1"], coming).rows[0]

    assert (row.replacing, row.condition) == (False, Condition.UNHEALTHY)
    assert told(row.faults) == [(Problem.NOT_HEALTHY, words)]
    assert seen(["claw-1"], soon).conditions == {"claw-1": Condition.STARTING}


@pytest.mark.parametrize("launched", [NOW + 60, NOW])
def test_a_clock_that_is_behind_ec2_s_makes_no_host_ill(launched: float) -> None:
    coming = host("claw-1", health=Health.INITIALIZING, launched=launched)

    assert seen(["claw-1"], coming).conditions == {"claw-1": Condition.STARTING}


def test_a_host_starts_for_as_long_as_a_run_waits_for_it() -> None:
    assert read_pace({}).deadline == IN_PROGRESS_SECONDS == 1800


@pytest.mark.parametrize(
    ("revision", "built_from", "seconds"),
    [("a" * 40, "a" * 40, 900), ("a" * 40, "b" * 40, 1800), ("", "", 1800)],
    ids=["held", "of another", "of none"],
)
def test_a_host_whose_image_holds_its_system_starts_for_half_as_long(
    revision: str, built_from: str, seconds: float
) -> None:
    image = replace(NEW, commit=built_from)

    def condition(age: float) -> Condition:
        coming = host("claw-1", health=Health.INITIALIZING, launched=NOW - age)
        fleet = seen(["claw-1"], replace(coming, revision=revision), images=(image,))
        return fleet.conditions["claw-1"]

    assert condition(seconds - 1) is Condition.STARTING
    assert condition(seconds) is Condition.UNHEALTHY
    assert start_seconds(revision, image) == seconds
    assert start_seconds(revision, None) == 1800


def test_a_host_that_shuts_down_for_too_long_has_no_successor_any_more() -> None:
    going = host("claw-1", state=HostState.SHUTTING_DOWN, health=Health.UNKNOWN)
    stuck = replace(going, ending=LONG_AGO)

    row = seen(["claw-1"], stuck).rows[0]

    words = "no host, and i-00000001 has been shutting down for 30 minutes; a deploy creates it"
    assert (row.replacing, row.condition) == (False, Condition.MISSING)
    assert told(row.faults) == [(Problem.MISSING, words)]
    for soon in (going, replace(going, ending=LONG_AGO + 1)):
        assert seen(["claw-1"], soon).conditions == {"claw-1": Condition.STARTING}


def test_between_the_old_host_and_the_new_one_it_is_being_replaced() -> None:
    going = host("claw-1", state=HostState.SHUTTING_DOWN, health=Health.UNKNOWN)

    row = seen(["claw-1"], going).rows[0]

    assert (row.replacing, row.faults, row.condition) == (True, (), Condition.STARTING)


def test_a_host_without_an_entry_that_leaves_is_not_shown_at_all() -> None:
    going = host("claw-9", 9, state=HostState.SHUTTING_DOWN, health=Health.UNKNOWN)

    assert [row.id for row in seen(["claw-1"], host("claw-1"), going).rows] == ["claw-1"]


def test_the_worst_comes_first_and_ids_as_people_count() -> None:
    ids = ("claw-10", "claw-9", "claw-2", "claw-1", "claw-7", "claw-5", "claw-4")
    fleet = seen(
        ids,
        host("claw-10", 10),
        host("claw-2", 2),
        host("claw-9", 9, image=OLD.id),
        host("claw-1", 1, type_="t3.small"),
        host("claw-7", 7, health=Health.IMPAIRED, image=OLD.id),
        host("claw-5", 51),
        host("claw-5", 52),
        host("stray", 99),
    )

    assert [row.id for row in fleet.rows] == [
        "claw-4",
        "claw-7",
        "claw-5",
        "stray",
        "claw-1",
        "claw-9",
        "claw-2",
        "claw-10",
    ]
    assert [row.worst for row in fleet.rows] == [
        Problem.MISSING,
        Problem.NOT_HEALTHY,
        Problem.TWO_HOSTS,
        Problem.UNREGISTERED,
        Problem.WRONG_TYPE,
        Problem.OLDER_IMAGE,
        None,
        None,
    ]


def test_each_problem_is_counted() -> None:
    fleet = seen(
        ("claw-1", "claw-2", "claw-3"),
        host("claw-2", 2, image=OLD.id),
        host("claw-3", 3, image=OLD.id, type_="t3.small"),
    )

    assert fleet.counts == {
        Problem.MISSING: 1,
        Problem.WRONG_TYPE: 1,
        Problem.OLDER_IMAGE: 2,
    }


def test_an_empty_ec2_leaves_every_instance_missing() -> None:
    fleet = seen(("claw-1", "claw-2"), images=())

    assert fleet.counts == {Problem.MISSING: 2}
    assert set(fleet.conditions.values()) == {Condition.MISSING}


def test_numbers_in_names_count() -> None:
    names = ["claw-10", "claw-2", "claw", "babel-1", "10", "9"]

    assert sorted(names, key=natural) == ["babel-1", "claw", "claw-2", "claw-10", "9", "10"]


@given(st.text())
@example("claw-1²")
def test_whatever_a_machine_is_named_it_is_shown(name: str) -> None:
    fleet = seen(("claw-1",), host("claw-1"), host(name, 2) if name else host("", 2))

    assert len(fleet.rows) == 2 - (name == "claw-1")


def test_five_hundred_instances_are_shaped() -> None:
    ids = [f"claw-{number}" for number in range(1, 501)]
    hosts = [host(id_, number) for number, id_ in enumerate(ids, 1)]
    hosts[399] = replace(hosts[399], health=Health.IMPAIRED)

    fleet = seen(ids, *hosts, images=(*IMAGES, Image("ami-0", "oldest", 0)))

    assert [row.id for row in fleet.rows[:3]] == ["claw-400", "claw-1", "claw-2"]
    assert fleet.counts == {Problem.NOT_HEALTHY: 1}


def test_a_hosts_revision_stands_beside_the_branchs() -> None:
    branch = tuple(Revision(digit * 40, "", "2026-09-21T13:00:00Z") for digit in "cba")
    hosts = [
        replace(host(f"claw-{number}", number), revision=commit)
        for number, commit in enumerate(("a" * 40, "c" * 40, "d" * 40, ""), 1)
    ]
    ids = [one.name for one in hosts]
    reading = Reading(tuple(hosts), IMAGES, NOW)
    status = shape(replace(known(*ids), revisions=branch), reading)

    assert [status.ahead(row) for row in status.rows] == [2, 0, None, None]
    assert [phrases.revision(row, status) for row in status.rows] == [
        "aaaaaaa, 2 behind",
        "ccccccc",
        "ddddddd",
        "unknown",
    ]
    assert [row.faults for row in status.rows] == [()] * 4
    assert status.newest_revision == branch[0]


def test_without_the_branch_nothing_is_said_of_it() -> None:
    status = seen(["claw-1"], replace(host("claw-1"), revision="a" * 40))

    assert phrases.revision(status.rows[0], status) == "aaaaaaa"
    assert status.newest_revision is None


def test_a_host_of_a_newer_revision_than_the_branch_was_read_at_shows_that_it_is_old() -> None:
    """What we read may have been kept a minute already where it was read."""
    read = replace(known("claw-1"), revisions=(Revision("a" * 40, "", ""),))
    newer = replace(host("claw-1"), revision="b" * 40)
    seen_at = {
        launched: shape(read, Reading((replace(newer, launched=launched),), IMAGES, NOW))
        for launched in (read.read_at - 61, read.read_at - 59)
    }

    assert [status.newest_revision for status in seen_at.values()] == [read.revisions[0], None]


def test_of_a_commit_s_first_line_eighty_characters_are_told() -> None:
    one = Revision("a" * 40, "x" * 200, "2026-09-21T12:13:20Z")

    assert phrases.told(one, NOW).partition(": ")[2] == "x" * 80
