"""What can be wrong, each with the command that mends it."""

from dataclasses import replace

import pytest

from fleet_control import fault, phrases
from fleet_control.deployed import Deployed, HostLeft
from fleet_control.fault import GRAVE, IMAGE_AGE_SECONDS, TOKEN_ENDS_SECONDS, Fault, Problem
from fleet_control.host import Health, Host, HostState, Reading
from fleet_control.host_answer import HostAnswer
from fleet_control.policy import Condition
from fleet_control.status import FleetStatus, shape
from tests.fleet_control.fleets import DAY, IMAGES, NEW, NOW, OLD, host, known

LOOPS = "clawdinator.service is activating (auto-restart, restarted 7 times)"


def status(
    *hosts: Host, left: HostLeft | None = None, token_ends: float | None = None
) -> FleetStatus:
    ledger = Deployed(NOW, {"claw-1": left} if left else {})
    registry = replace(known("claw-1"), token_ends=token_ends)
    return shape(registry, Reading(hosts, IMAGES, NOW), ledger)


def faults(one: Host, left: HostLeft | None = None) -> tuple[Fault, ...]:
    return status(one, left=left).rows[0].faults


def test_a_machine_that_ec2_is_going_to_end_is_retiring_and_the_policy_takes_it_for_ill() -> None:
    ends = host("claw-1", health=Health.ENDING, ill="EC2 retires it on 2026-12-01 at 10:00 UTC")

    assert faults(ends) == (
        Fault(
            Problem.RETIRING,
            "EC2 retires it on 2026-12-01 at 10:00 UTC",
            "`/fleet deploy claw-1` replaces it before that.",
        ),
    )
    assert status(ends).conditions == {"claw-1": Condition.UNHEALTHY}


def test_a_machine_that_runs_no_longer_does_not_retire() -> None:
    stopped = host("claw-1", state=HostState.STOPPED, health=Health.ENDING, ill="EC2 retires it")

    assert fault.ill(stopped, NOW).problem is Problem.NOT_HEALTHY


def test_one_that_shuts_down_since_nobody_knows_when_has_just_begun() -> None:
    goes = host("claw-1", state=HostState.SHUTTING_DOWN)

    assert fault.shutting_down(goes, NOW) == 0
    assert fault.shutting_down(replace(goes, ending=NOW - 70), NOW) == 70


@pytest.mark.parametrize(
    ("image", "revision", "words"),
    [
        (NEW.id, "b" * 40, ""),
        (NEW.id, "c" * 40, f"is {NEW.id} (ccccccc), where run 7 left {NEW.id} (bbbbbbb)"),
        (NEW.id, "", f"is {NEW.id} (of no revision), where run 7 left {NEW.id} (bbbbbbb)"),
        ("ami-0", "b" * 40, f"is ami-0 (bbbbbbb), where run 7 left {NEW.id} (bbbbbbb)"),
    ],
    ids=["as it was left", "another revision", "no revision", "another image"],
)
def test_a_host_is_held_against_what_its_last_deploy_left(
    image: str, revision: str, words: str
) -> None:
    found = faults(
        replace(host("claw-1", image=image), revision=revision),
        HostLeft(NEW.id, "b" * 7, 7, NOW - DAY),
    )

    told = [one for one in found if one.problem is Problem.NOT_AS_DEPLOYED]
    repair = "`/fleet deploy claw-1` replaces it."
    assert told == [Fault(Problem.NOT_AS_DEPLOYED, words, repair)] * bool(words)


def test_a_deploy_that_told_no_revision_left_any() -> None:
    one = replace(host("claw-1"), revision="c" * 40)

    assert faults(one, HostLeft(NEW.id, "", 7, NOW - DAY)) == ()
    (other,) = fault.not_as_deployed(one, HostLeft("ami-7", "", 7, NOW - DAY))
    assert other.words == f"is {NEW.id} (ccccccc), where run 7 left ami-7"


@pytest.mark.parametrize(
    ("answer", "loops"),
    [
        (HostAnswer(False, NOW - 600, LOOPS), True),
        (HostAnswer(False, NOW - 600, "clawbot.service is activating (auto-restart)"), True),
        (HostAnswer(False, NOW - 600, "clawdinator.service is failed (failed)"), False),
        (HostAnswer(False, NOW - 4000, LOOPS), False),
        (HostAnswer(False, NOW - 3600, LOOPS), True),
        (HostAnswer(True, NOW - 600), False),
        (HostAnswer(True, NOW - 600, LOOPS), False),
        (None, False),
    ],
    ids=[
        *("restarts", "waits to", "failed", "of before it was launched", "of its launch"),
        *("well", "well since", "unasked"),
    ],
)
def test_a_host_crash_loops_by_its_own_last_answer(answer: HostAnswer | None, loops: bool) -> None:
    one = replace(host("claw-1"), answer=answer)

    told = Fault(
        Problem.CRASH_LOOPING,
        "kept restarting when a run asked it last",
        "`/fleet rollback claw-1` goes back, `/fleet deploy claw-1` replaces it.",
    )
    assert faults(one) == (told,) * loops
    assert status(one).conditions == {"claw-1": Condition.HEALTHY}


def test_one_that_just_starts_has_answered_nothing_yet() -> None:
    starts = host("claw-1", health=Health.INITIALIZING, launched=NOW - 700)

    assert faults(replace(starts, answer=HostAnswer(False, NOW - 600, LOOPS))) == ()


@pytest.mark.parametrize(
    ("ends", "words", "problem"),
    [
        (NOW + TOKEN_ENDS_SECONDS + 1, "", Problem.TOKEN_ENDS),
        (NOW + TOKEN_ENDS_SECONDS, "GitHub's token ends on 2026-10-05", Problem.TOKEN_ENDS),
        (NOW + 1, "GitHub's token ends on 2026-09-21", Problem.TOKEN_ENDS),
        (NOW, "GitHub's token ended on 2026-09-21", Problem.TOKEN_ENDED),
        (None, "", Problem.TOKEN_ENDS),
    ],
)
def test_github_s_token_is_told_of_two_weeks_before_its_day_and_on_it(
    ends: float | None, words: str, problem: Problem
) -> None:
    found = status(host("claw-1"), token_ends=ends).faults

    repair = "Make another at GitHub, then type `clawbot secrets github` at a desk."
    assert found == (Fault(problem, words, repair),) * bool(words)
    assert TOKEN_ENDS_SECONDS == 14 * DAY


def test_a_newest_image_of_three_weeks_means_that_none_is_built() -> None:
    aged = replace(NEW, created=NOW - IMAGE_AGE_SECONDS - 1)
    young = replace(NEW, created=NOW - IMAGE_AGE_SECONDS)

    (found,) = fault.of_the_fleet(None, (aged, OLD), NOW)

    words = f"the newest image, {NEW.id}, was built on 2026-08-31; one is built every week"
    repair = "Type `gh workflow run image-build.yml` at a desk."
    assert found == Fault(Problem.NO_IMAGE_BUILT, words, repair)
    assert [*fault.of_the_fleet(None, (young,), NOW), *fault.of_the_fleet(None, (), NOW)] == []
    assert IMAGE_AGE_SECONDS == 21 * DAY
    assert phrases.of_the_fleet(found) == f"T{words[1:]}. {repair}"


def test_every_problem_has_a_repair_and_one_that_deploys_names_the_instance() -> None:
    told = {one: fault.repair(one, "claw-1") for one in Problem if one is not Problem.UNREGISTERED}

    assert all("`" in repair for repair in told.values())
    assert all("claw-1`" in repair for repair in told.values() if "/fleet deploy" in repair)
    assert fault.repair(Problem.MISSING, "Some `machine`") == ""


def test_of_two_hosts_of_one_name_the_older_may_be_ended_by_hand() -> None:
    young, old = host("claw-1", 2), host("claw-1", 1, launched=NOW - DAY)

    (found,) = status(old, young).rows[0].faults

    by_hand = "`aws ec2 terminate-instances --instance-ids i-00000001`"
    assert found.repair == f"{by_hand} ends the older, where no deploy made that."


def test_one_that_nobody_knows_is_removed_by_hand_or_by_all() -> None:
    by_hand = "`aws ec2 terminate-instances --instance-ids i-00000009` removes it by hand."
    ours, stray = fault.unregistered(host("claw-9", 9)), fault.unregistered(host("Old", 9))

    assert stray.repair == by_hand
    by_deploy = "`/fleet deploy all` removes it if a deploy made it, and replaces all others"
    assert ours.repair == f"{by_deploy}; else {by_hand}"


def test_what_keeps_an_instance_from_serving_is_grave() -> None:
    assert [one.value for one in GRAVE] == [
        "missing",
        "not_healthy",
        "retiring",
        "crash_looping",
        "two_hosts",
    ]


def test_one_that_ended_counts_as_a_machine_that_ec2_showed() -> None:
    assert status(host("claw-1", state=HostState.TERMINATED)).machines == 1
    assert status().machines == 0
