"""How a deploy goes, read from its run."""

import pytest

from clawbot import wording
from clawbot.progress import HostProgress, HostStage, Stage
from clawbot.run_progress import progress
from clawbot.wording import host_stage
from fleet_control.deploy_jobs import (
    MOVING_STEP,
    REMARKED,
    UNTOUCHED_STEP,
    EndState,
    begins,
    ran_before,
)
from fleet_control.ledger import Job, Revision, Step
from fleet_control.rollback import unreached
from tests.clawbot.control_api import job, run
from tests.clawbot.rolls import Moved, roll
from tests.discord.ec2 import NEWEST

OLD, NEW = "ami-0000000000000001", "ami-0000000000000002"

LOOK = "To look at it first: `A host that did not come up` in docs/runbook.md."


def host(id_: str, conclusion: str | None = "success", status: str = "completed", old: str = OLD):  # type: ignore[no-untyped-def]  # job's own type
    return job(f"{id_}: {old} -> {NEW}", conclusion, status)


def test_a_run_whose_turn_has_not_come_is_queued() -> None:
    for status in ("queued", "pending", "requested"):
        seen = progress(run(7, status), ahead=2)
        assert (seen.stage, seen.ahead) == (Stage.QUEUED, 2)
        assert wording.stage(seen) == "queued, 2 before it"


def test_one_that_runs_waits_for_nothing_and_says_nothing_of_an_end() -> None:
    seen = progress(run(7, jobs=(host("claw-1", None, "queued"),)), ahead=2)

    assert (seen.stage, seen.ahead, seen.left) == (Stage.RUNNING, 0, ())
    assert (seen.step, seen.reason, seen.advice) == ("", "", "")


def test_one_of_which_no_job_has_begun_is_queued() -> None:
    assert progress(run(7, "queued", jobs=(job("plan", None, "queued"),))).stage is Stage.QUEUED


def test_one_that_a_reviewer_has_to_let_begin_or_go_on_is_not_called_queued() -> None:
    waits = progress(run(7, "waiting"))
    halted = progress(run(7, "waiting", jobs=(job("plan"), host("claw-1", None, "waiting"))))

    assert [waits.stage, halted.stage] == [Stage.QUEUED, Stage.RUNNING]
    assert wording.stage(waits) == wording.stage(halted) == "waiting for a reviewer on GitHub"


def test_each_host_is_shown_by_name() -> None:
    jobs = (
        job("plan"),
        host("claw-1"),
        host("claw-2", None, "in_progress"),
        host("claw-3", None, "queued"),
    )

    seen = progress(run(7, jobs=jobs))

    assert seen.stage is Stage.RUNNING
    assert [(one.id, one.old, one.new, one.stage) for one in seen.hosts] == [
        ("claw-1", OLD, NEW, HostStage.HEALTHY),
        ("claw-2", OLD, NEW, HostStage.REPLACING),
        ("claw-3", OLD, NEW, HostStage.WAITING),
    ]


@pytest.mark.parametrize(
    ("jobs", "what"),
    [
        ((job("plan"),), "Deploy"),
        ((job("plan"), host("claw-1", None, "in_progress")), "Deploy claw-1"),
        ((host("claw-1"), host("claw-2"), job("finish", None, "queued")), "Deploy all"),
    ],
)
def test_of_somebody_s_button_the_jobs_tell_what_it_deploys(
    jobs: tuple[Job, ...], what: str
) -> None:
    """Its title is believed of nobody but the Control API's account."""
    seen = progress(run(7, target="", jobs=jobs))

    assert wording.what(seen.operation, seen.target) == what


def test_once_every_host_is_done_a_deploy_that_goes_on_is_finishing() -> None:
    done, last = host("claw-1"), job("finish", None, "in_progress")

    assert wording.stage(progress(run(7, jobs=(done, host("claw-2", None, "queued"))))) == (
        "replacing"
    )
    assert wording.stage(progress(run(7, jobs=(done, host("claw-2"), last)))) == "finishing"


def test_what_the_hosts_become_is_as_old_as_it_was_when_asked_for() -> None:
    made_of = Revision("a" * 40, " Hosts `greet` " + "x" * 99, "2026-11-24T07:30:00Z")
    seen = progress(run(7, made_of=made_of))

    assert wording.made_of(seen) == f"Revision aaaaaaa, 2 hours old: Hosts greet {'x' * 67}"
    assert wording.made_of(progress(run(7, made_of=Revision("0a1b2c3")))) == "Revision 0a1b2c3"
    assert wording.made_of(progress(run(7))) == ""


def test_hosts_that_become_different_revisions_each_tell_their_own() -> None:
    alike, other = roll(7, Moved("claw-1"), Moved("claw-2")), Moved("claw-2", revision="3333333")
    seen, of_two = progress(alike), progress(roll(8, Moved("claw-1"), other))

    assert [wording.becomes(one) for one in seen.hosts] == [NEWEST, NEWEST]
    assert wording.made_of(seen).startswith("Revision 2222222, ")
    told = [f"{NEWEST} @2222222", f"{NEWEST} @3333333"]
    assert [wording.becomes(one) for one in of_two.hosts] == told
    assert wording.made_of(of_two) == ""


def test_a_host_that_was_not_there_has_no_old_image() -> None:
    seen = progress(run(7, jobs=(host("claw-1", old="none"),)))

    assert seen.hosts[0].old == ""


def test_a_failure_names_its_step_its_reason_and_what_to_do() -> None:
    jobs = (
        job("plan"),
        host("claw-1"),
        host("claw-2", "failure"),
        job(f"claw-3: {OLD} -> {NEW}", "cancelled", "completed")._replace(steps=()),
    )

    ill = f"{begins('claw-2', EndState.REPLACED_ILL)} within 15 min"
    seen = progress(run(7, "completed", "failure", jobs=jobs, reason=ill))

    assert seen.stage is Stage.FAILED
    assert seen.step == "claw-2, Replace"
    assert seen.reason == ill
    back = f"`/fleet deploy claw-2 {OLD}`"
    rest = "For the hosts after it: `/fleet resume 7`."
    assert seen.advice == f"To go back to its old image: {back}. {LOOK} {rest}"
    assert [one.stage for one in seen.hosts] == [
        HostStage.HEALTHY,
        HostStage.FAILED,
        HostStage.UNTOUCHED,
    ]


def test_a_run_that_stopped_in_plan_touched_no_host() -> None:
    seen = progress(run(7, "completed", "failure", jobs=(job("plan", "failure"),), reason="no"))

    assert (seen.step, seen.reason) == ("plan, Replace", "no")
    assert "No host was touched" in seen.advice


def test_a_failure_names_the_step_that_failed_where_one_did() -> None:
    plan, step = job("plan", "failure"), Step("Set up", "completed", "success")
    second = progress(
        run(7, "completed", "failure", jobs=(plan._replace(steps=(step, *plan.steps)),))
    )
    none = progress(run(7, "completed", "failure", jobs=(plan._replace(steps=(step,)),)))

    assert [second.step, none.step] == ["plan, Replace", "plan"]


def test_where_every_host_moved_what_failed_after_them_names_the_status() -> None:
    jobs = (host("claw-1"), job("finish", "failure"))
    seen = progress(run(7, "completed", "failure", jobs=jobs, reason="no"))

    assert seen.advice == "See `/fleet status` for what moved, then ask again."


def test_of_one_that_was_cancelled_a_host_is_moved_only_where_its_job_began_to() -> None:
    began = (Step(MOVING_STEP, "completed", "cancelled"),)
    jobs = (host("claw-1", "cancelled"), host("claw-2", None, "queued"))
    before = (jobs[0]._replace(steps=()), jobs[1])
    cut = (jobs[0]._replace(steps=began), jobs[1])
    waits, untouched, moved = (
        progress(run(7, "completed", "cancelled", jobs=each)) for each in (jobs[1:], before, cut)
    )

    assert [one.stage for one in waits.hosts + untouched.hosts] == [HostStage.UNTOUCHED] * 3
    assert [one.stage for one in moved.hosts] == [HostStage.FAILED, HostStage.UNTOUCHED]


def test_every_other_end_is_told_in_words() -> None:
    for conclusion, stage, words in (
        ("cancelled", Stage.CANCELLED, "cancelled"),
        ("timed_out", Stage.FAILED, "longer than"),
        ("startup_failure", Stage.FAILED, "not valid"),
        ("action_required", Stage.FAILED, "approval"),
        ("stale", Stage.FAILED, "GitHub says: stale"),
    ):
        seen = progress(run(7, "completed", conclusion))
        assert seen.stage is stage
        assert words in seen.reason


def test_one_that_was_cancelled_while_it_waited_says_what_to_do_next() -> None:
    seen = progress(run(7, "completed", "cancelled"))

    assert seen.advice == "No host was touched. Ask again if it is still wanted."


def test_hosts_after_the_one_that_failed_are_untouched_whatever_their_jobs_say() -> None:
    jobs = (host("claw-1", "failure"), host("claw-2", "failure"), host("claw-3", "failure"))

    seen = progress(run(7, "completed", "failure", jobs=jobs))

    assert [one.stage for one in seen.hosts] == [
        HostStage.FAILED,
        HostStage.UNTOUCHED,
        HostStage.UNTOUCHED,
    ]
    assert seen.step == "claw-1, Replace"


@pytest.mark.parametrize("left", [EndState.UNTOUCHED, EndState.UNMOVED])
def test_a_host_that_is_the_machine_it_was_is_untouched(left: EndState) -> None:
    jobs = (host("claw-1"), host("claw-2", "failure"), host("claw-3", "cancelled"))
    jobs = (*jobs[:2], jobs[2]._replace(steps=()))
    reason = f"{begins('claw-2', left)}why"
    spared = [HostStage.HEALTHY, HostStage.UNTOUCHED, HostStage.UNTOUCHED]

    seen = progress(run(7, "completed", "failure", jobs=jobs, reason=reason))
    first = progress(run(7, "completed", "failure", jobs=jobs[1:], reason=reason))

    assert [one.stage for one in seen.hosts] == spared
    assert seen.advice == "To go on from there: `/fleet resume 7`."
    assert [one.stage for one in first.hosts] == spared[1:]
    assert first.advice == "No host was touched. Ask again once that is put right."


def test_a_host_that_its_job_may_have_moved_is_not_offered_to_be_taken_up() -> None:
    failed = host("claw-2", "failure")
    untouched = failed._replace(steps=(*failed.steps, Step(UNTOUCHED_STEP, "completed", "success")))
    for job_of_it, left in ((failed, ()), (untouched, ("claw-2",))):
        reason = f"{begins('claw-2', EndState.UNMOVED)}why"
        ended = run(7, "completed", "failure", jobs=(host("claw-1"), job_of_it), reason=reason)

        assert progress(ended).left == left == tuple(one.id for one in unreached(ended))
        assert ("resume 7" in progress(ended).advice) is bool(left)


def test_a_host_whose_job_stopped_while_it_was_set_up_is_untouched() -> None:
    steps = (
        Step("Install what the run needs", "completed", "failure"),
        Step(MOVING_STEP, "completed", "skipped"),
    )
    jobs = (host("claw-2", "failure")._replace(steps=steps),)

    seen = progress(run(7, "completed", "failure", jobs=jobs, reason="no network"))

    assert seen.hosts[0].stage is HostStage.UNTOUCHED
    assert "No host was touched." in seen.advice


def test_what_another_host_was_spared_says_nothing_of_this_one() -> None:
    jobs = (host("claw-2", "failure"),)

    seen = progress(
        run(7, "completed", "failure", jobs=jobs, reason=begins("claw-22", EndState.GONE))
    )

    assert seen.hosts[0].stage is HostStage.FAILED
    assert "It has no host" not in seen.advice


def test_a_host_whose_job_github_never_started_is_untouched() -> None:
    jobs = (host("claw-2", "failure")._replace(steps=()),)

    seen = progress(run(7, "completed", "failure", jobs=jobs, reason="GitHub never started it"))

    assert seen.hosts[0].stage is HostStage.UNTOUCHED


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (
            f"{begins('claw-2', EndState.GONE)}OpenTofu's apply failed: no capacity",
            "It has no host: `/fleet deploy claw-2` when what it says has changed.",
        ),
        (
            begins("claw-2", EndState.NEW),
            "See `/fleet status` for where it is now; `/fleet deploy claw-2` replaces it again.",
        ),
        (
            'The job "claw-2" ran out of time.',
            "See `/fleet status` for where it is now; `/fleet deploy claw-2` replaces it again.",
        ),
        (
            begins("claw-2", EndState.CREATED_ILL),
            f"See what it says, then `/fleet deploy claw-2` again. {LOOK}",
        ),
    ],
)
def test_only_a_host_that_runs_its_new_image_is_told_to_go_back(reason: str, advice: str) -> None:
    jobs = (job("plan"), host("claw-2", "failure"))

    seen = progress(run(7, "completed", "failure", jobs=jobs, reason=reason))

    assert (seen.hosts[0].stage, seen.advice) == (HostStage.FAILED, advice)


def test_going_back_never_names_the_image_that_failed() -> None:
    again = job(f"claw-2: {NEW} -> {NEW}", "failure")

    ill = begins("claw-2", EndState.REPLACED_ILL)
    seen = progress(run(7, "completed", "failure", jobs=(job("plan"), again), reason=ill))

    assert NEW not in seen.advice
    assert seen.advice == (
        "It had this image before. If what was merged since is at fault: "
        f"`/fleet deploy claw-2 <commit>`, of the revision that it ran before. {LOOK}"
    )


def test_the_commit_that_it_ran_before_is_named_where_the_run_says_it() -> None:
    again = job(f"claw-2: {NEW} -> {NEW}", "failure")
    ill = (
        f"{begins('claw-2', EndState.REPLACED_ILL)} within 30 min: why. {ran_before('0a1b2c3' * 5)}"
    )

    seen = progress(run(7, "completed", "failure", jobs=(job("plan"), again), reason=ill))

    assert seen.advice == f"To go back: `/fleet deploy claw-2 0a1b2c3`. {LOOK}"


def test_one_that_had_another_image_is_told_to_go_back_to_that_and_to_no_commit() -> None:
    ill = f"{begins('claw-2', EndState.REPLACED_ILL)}: why. {ran_before('0a1b2c3')}"
    had, none = (
        progress(
            run(7, "completed", "failure", jobs=(host("claw-2", "failure", old=old),), reason=ill)
        )
        for old in (OLD, "none")
    )

    assert had.advice == f"To go back to its old image: `/fleet deploy claw-2 {OLD}`. {LOOK}"
    assert none.advice == f"See what it says, then `/fleet deploy claw-2` again. {LOOK}"


def test_a_healthy_host_that_restarted_on_the_way_is_told_with_that() -> None:
    name = f"{REMARKED}clawdinator.service restarted once"
    steps = (Step(MOVING_STEP, "completed", "success"), Step(name, "completed", "success"))
    forged = (Step(f"{REMARKED}`/fleet deploy all`", "completed", "success"),)
    skipped = (Step(name, "completed", "skipped"),)
    jobs = tuple(host("claw-2")._replace(steps=each) for each in (steps, forged, skipped))

    seen = progress(run(7, "completed", "success", jobs=jobs))

    assert [one.remarks for one in seen.hosts] == ["clawdinator.service restarted once", "", ""]
    assert host_stage(seen.hosts[0]) == ("replaced, healthy (clawdinator.service restarted once)")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("clawbot.service says: Telegram is away", True),
        ("clawbot.service says: Discord is away; Telegram is away", True),
        ("clawdinator.service restarted 3 times; clawbot.service says: Discord is away", True),
        ("clawbot.service says: deploy all", False),
        ("clawdinator.service says: listening on 8080", False),
        ("clawbot.service says: Discord is away and /fleet deploy all", False),
    ],
)
def test_a_platform_that_is_away_is_told_and_no_other_words_of_a_host(
    said: str, told: bool
) -> None:
    steps = (Step(f"{REMARKED}{said}", "completed", "success"),)
    jobs = (host("claw-2")._replace(steps=steps),)

    seen = progress(run(7, "completed", "success", jobs=jobs))

    assert seen.hosts[0].remarks == (said if told else "")


def test_a_restart_is_told_beside_words_that_are_not() -> None:
    said = "clawdinator.service restarted once; clawdinator.service says: listening on 8080"
    steps = (Step(f"{REMARKED}{said}", "completed", "success"),)

    seen = progress(run(7, "completed", "success", jobs=(host("claw-2")._replace(steps=steps),)))

    assert seen.hosts[0].remarks == "clawdinator.service restarted once"


def test_of_a_host_s_remarks_eighty_characters_are_told() -> None:
    seen = HostProgress("claw-1", OLD, NEW, HostStage.HEALTHY, remarks="x" * 200)

    assert host_stage(seen) == f"replaced, healthy ({'x' * 79}…)"
