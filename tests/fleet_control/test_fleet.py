"""The facts of a verdict: enough of them, and asked for no further than needed."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fleet_control import json_output, phrases, text_output
from fleet_control.caller import BotInstance, Human, Unknown
from fleet_control.control_api import ControlApi
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import Ec2Error, RegistryError
from fleet_control.fleet import Fleet
from fleet_control.ledger import Job, Run, seconds
from fleet_control.policy import Allowed, Condition, RefusalCode, Refused, Usage, Verdict
from fleet_control.registry_source import RegistrySource
from tests.fleet_control import aws
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.fleets import IDS, doubt, registry_text, run
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import Lambda

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

BOT = BotInstance("claw-1")
OPERATOR = Human("discord:8035", "sam", operator=True)
LAUNCHED = seconds("2026-11-20T08:00:00Z")  # as tests.fleet_control.aws launches
NOW = LAUNCHED + 4 * 3600
# Minutes ago, as GitHub writes it.
AGO = {
    ago: f"{datetime.fromtimestamp(NOW - 60 * ago, UTC):%Y-%m-%dT%H:%M:%SZ}"
    for ago in (5, 10, 70, 140, 210)
}


@pytest.fixture(autouse=True)
def one_image(three_hosts: FakeEc2) -> None:
    three_hosts.scripts["DescribeImages"] = [aws.image("ami-1", "2026-11-20T08:00:00.000Z")]


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock(NOW)


@pytest.fixture
def fleet(ec2_client: "EC2Client", api: ControlApi, clock: HastyClock, tmp_path: Path) -> Fleet:
    registry = RegistrySource(api.registry, clock, tmp_path / "instances.json")
    return Fleet(registry, Ec2Reader(ec2_client, clock), api, clock, carrier="claw-3")


def asked(control: Lambda, cloud: FakeEc2) -> tuple[list[str], int]:
    """The Control API's actions, and how often EC2 was asked anything."""
    return control.actions, len(cloud.asked)


def code(verdict: Verdict) -> RefusalCode:
    assert isinstance(verdict, Refused), verdict
    return verdict.code


async def test_status_holds_the_registry_against_ec2(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS, "claw-4")

    status = await fleet.status()

    assert [row.id for row in status.rows] == ["claw-4", "claw-1", "claw-2", "claw-3"]
    assert status.conditions["claw-4"] is Condition.MISSING
    assert status.known.version == "v1"


async def test_a_status_without_ec2_is_an_error(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    control.has_registry(*IDS)
    cloud.always(aws.error(403, "UnauthorizedOperation"))

    with pytest.raises(Ec2Error):
        await fleet.status()


async def test_a_status_without_any_registry_is_an_error(fleet: Fleet, control: Lambda) -> None:
    with pytest.raises(RegistryError, match="there is no copy"):
        await fleet.status()


async def test_a_status_with_the_source_away_says_why(
    fleet: Fleet, control: Lambda, tmp_path: Path
) -> None:
    (tmp_path / "instances.json").write_text(registry_text(*IDS))

    known = (await fleet.status()).known

    assert (known.fresh, known.registry.ids) == (False, IDS)
    assert "can't be read (HTTP 500)" in known.trouble


@pytest.mark.parametrize(
    ("caller", "target", "expected"),
    [
        (Unknown("a webhook"), "all", RefusalCode.UNKNOWN_CALLER),
        (Human("discord:1"), "claw-2", RefusalCode.NOT_OPERATOR),
        (Human("discord:1"), "", RefusalCode.NOT_OPERATOR),
        (BOT, "claw-1", RefusalCode.SELF_DEPLOY),
        (BOT, "all", RefusalCode.SELF_DEPLOY),
    ],
    ids=["unknown", "stranger", "a stranger's usage", "itself", "all"],
)
async def test_what_needs_no_facts_asks_nobody(
    fleet: Fleet,
    control: Lambda,
    cloud: FakeEc2,
    caller: BotInstance | Human | Unknown,
    target: str,
    expected: RefusalCode,
) -> None:
    assert code(await fleet.judge(caller, target, "")) is expected
    assert asked(control, cloud) == ([], 0)


async def test_usage_asks_for_the_registry_once(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    control.has_registry(*IDS)

    for _ in range(2):
        assert await fleet.judge(OPERATOR, "", "") == Usage(IDS)
    assert asked(control, cloud) == (["registry"], 0)


async def test_usage_without_a_registry_names_no_ids(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    assert await fleet.judge(OPERATOR, "", "") == Usage(())
    assert asked(control, cloud) == (["registry"], 0)


@pytest.mark.parametrize("target", ["claw-22", "CLAW-2", "claw_2"])
async def test_an_unknown_target_is_held_against_a_fresh_registry_and_the_nearest_named(
    fleet: Fleet, control: Lambda, cloud: FakeEc2, target: str
) -> None:
    control.has_registry(*IDS)

    verdict = await fleet.judge(OPERATOR, target, "")

    assert code(verdict) is RefusalCode.UNKNOWN_TARGET
    assert isinstance(verdict, Refused)
    assert target == "CLAW-2" or "Did you mean `claw-2`?" in verdict.message
    assert asked(control, cloud) == (["registry"], 0)


async def test_an_old_registry_calls_no_target_unknown(
    fleet: Fleet, control: Lambda, tmp_path: Path
) -> None:
    (tmp_path / "instances.json").write_text(registry_text("claw-1"))

    assert await fleet.judge(OPERATOR, "claw-9", "") == Allowed()


# -- what came, or was mended, since it was read ---------------------------------------------


async def test_a_target_that_was_merged_since_is_known_at_once(
    fleet: Fleet, control: Lambda, clock: HastyClock
) -> None:
    control.has_registry(*IDS)
    await fleet.registry.get()
    control.has_registry(*IDS, "claw-9")
    await clock.sleep(5)

    assert await fleet.judge(OPERATOR, "claw-9", "") == Allowed()
    assert control.actions == ["registry"] * 2


async def test_however_many_ask_for_unknown_targets_the_source_is_asked_every_five_seconds(
    fleet: Fleet, control: Lambda, clock: HastyClock
) -> None:
    for _ in range(3):
        control.has_registry(*IDS)
    await fleet.registry.get()
    for seconds_ in (4, 0, 1, 0, 4.5, 0):
        await clock.sleep(seconds_)
        assert code(await fleet.judge(OPERATOR, "claw-9", "")) is RefusalCode.UNKNOWN_TARGET
    assert control.actions == ["registry"] * 2


async def test_what_can_be_no_id_is_looked_for_nowhere(
    fleet: Fleet, control: Lambda, clock: HastyClock
) -> None:
    control.has_registry(*IDS)
    await fleet.registry.get()
    await clock.sleep(30)

    assert code(await fleet.judge(OPERATOR, "claw_9", "")) is RefusalCode.UNKNOWN_TARGET
    assert control.actions == ["registry"]


async def test_an_image_that_was_built_since_is_known_at_once(
    fleet: Fleet, control: Lambda, clock: HastyClock, three_hosts: FakeEc2
) -> None:
    control.has_registry(*IDS)
    assert code(await fleet.judge(OPERATOR, "claw-2", "ami-2")) is RefusalCode.UNKNOWN_IMAGE
    listed = three_hosts.counts["DescribeImages"]
    assert code(await fleet.judge(OPERATOR, "claw-2", "ami-2")) is RefusalCode.UNKNOWN_IMAGE
    assert three_hosts.counts["DescribeImages"] == listed == 1
    three_hosts.scripts["DescribeImages"] = [
        aws.image("ami-2", "2026-11-20T09:00:00.000Z"),
    ]
    await clock.sleep(5)

    assert await fleet.judge(OPERATOR, "claw-2", "ami-2") == Allowed()


# -- a registry that is broken at its source ---------------------------------------------------


def broken(control: Lambda, text: str) -> None:
    control.answers({"ok": True, "registry": text, "version": "v2", "revisions": []})


BROKEN = [
    ("{", "it is not JSON"),
    ("{}", "it is empty"),
    ("[]", "it must be a JSON object"),
    (registry_text(*IDS).replace('"instanceType": "t3.large"', '"size": 1', 1), "`claw-1`: "),
]


@pytest.mark.parametrize(("text", "words"), BROKEN)
async def test_one_with_no_copy_hides_no_host_and_says_what_is_broken(
    fleet: Fleet, control: Lambda, text: str, words: str
) -> None:
    broken(control, text)

    status = await fleet.hosts()

    assert [row.id for row in status.rows] == list(IDS)
    assert [row.faults for row in status.rows] == [()] * 3
    assert words in phrases.registry_age(status.known, NOW)
    assert text_output.status(status, NOW).count("3 instances; nothing is wrong") == 1
    shown = json_output.status(status)
    assert [row["registered"] for row in shown["instances"]] == [None] * 3
    assert words in shown["registry"]["trouble"]


@pytest.mark.parametrize("kept", ["last", "copy", "none"])
@pytest.mark.parametrize(("text", "words"), BROKEN)
async def test_nothing_is_deployed_by_one_until_it_is_mended(
    fleet: Fleet,
    control: Lambda,
    clock: HastyClock,
    tmp_path: Path,
    text: str,
    words: str,
    kept: str,
) -> None:
    if kept == "last":
        control.has_registry(*IDS)
        await fleet.registry.get()
    if kept == "copy":
        (tmp_path / "instances.json").write_text(registry_text(*IDS))
    await clock.sleep(60)
    for _ in range(5):
        broken(control, text)
    status = await fleet.hosts()
    assert [row.id for row in status.rows] == list(IDS)
    assert words in phrases.registry_age(status.known, clock.now())

    for caller, target in ((OPERATOR, "claw-2"), (OPERATOR, "all"), (BOT, "claw-2")):
        with pytest.raises(RegistryError, match=f"^The registry is not valid: {re.escape(words)}"):
            await fleet.judge(caller, target, "")
    assert code(await fleet.judge(Human("discord:1"), "claw-2", "")) is RefusalCode.NOT_OPERATOR

    control.acts.clear()
    control.has_registry(*IDS)
    await clock.sleep(5)
    assert await fleet.judge(OPERATOR, "claw-2", "") == Allowed()


async def test_an_operator_needs_no_runs(fleet: Fleet, control: Lambda, cloud: FakeEc2) -> None:
    control.has_registry(*IDS)

    assert await fleet.judge(OPERATOR, "claw-2", "ami-1") == Allowed()
    assert asked(control, cloud) == (["registry"], 3)


async def test_the_host_that_carries_the_bot_is_asked_about(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS)

    verdict = await fleet.judge(OPERATOR, "claw-3", "")

    assert isinstance(verdict, Allowed)
    assert "the host I run on (claw-3)" in verdict.confirm


async def test_an_image_that_ec2_does_not_show_is_refused(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS)

    assert code(await fleet.judge(OPERATOR, "claw-2", "ami-00000000")) is RefusalCode.UNKNOWN_IMAGE


async def test_with_ec2_away_what_can_be_judged_is_judged(
    fleet: Fleet, control: Lambda, cloud: FakeEc2, caplog: pytest.LogCaptureFixture
) -> None:
    control.has_registry(*IDS)
    cloud.always(aws.error(403, "UnauthorizedOperation"))

    facts = await fleet.facts(OPERATOR, "claw-2", "ami-00000000")

    assert (facts.ids, facts.images, facts.conditions) == (IDS, None, None)
    assert await fleet.judge(OPERATOR, "claw-2", "ami-00000000") == Allowed()
    assert "fleet.unseen what=ec2" in caplog.text


async def test_a_bot_instance_may_deploy_another(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    control.has_registry(*IDS)
    control.has_runs()

    assert await fleet.judge(BOT, "claw-2", "") == Allowed()
    assert asked(control, cloud) == (["registry", "runs"], 3)
    assert control.asked[1]["limit"] == 30  # so many are one page of GitHub's


async def test_a_bot_instance_with_a_deploy_under_way_is_busy(
    fleet: Fleet, control: Lambda
) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(8, caller="claw-1", status="in_progress", conclusion=None), run(7))

    verdict = await fleet.judge(BOT, "claw-2", "")

    assert code(verdict) is RefusalCode.BUSY
    assert isinstance(verdict, Refused)
    assert "https://github.test/runs/8" in verdict.message


@pytest.mark.parametrize(
    "changed",
    [{"caller": "claw-3", "status": "in_progress"}, {"caller": "claw-1"}, {"status": "queued"}],
    ids=["another's", "its own and finished", "a person's"],
)
async def test_other_deploys_do_not_make_it_busy(
    fleet: Fleet, control: Lambda, changed: dict[str, str]
) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(8, **changed))

    assert (await fleet.facts(BOT, "claw-2", "")).unfinished == ""


async def test_a_bots_last_deploy_counts_whoever_made_the_present_host(
    fleet: Fleet, control: Lambda
) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(9, updated=AGO[5]), run(8, caller="claw-3", updated=AGO[10]))

    verdict = await fleet.judge(BOT, "claw-2", "")

    assert code(verdict) is RefusalCode.TOO_SOON
    assert isinstance(verdict, Refused)
    assert "claw-3 deployed it 10 min ago" in verdict.message


async def test_a_persons_deploy_does_not_count_against_a_bot(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(8, updated=AGO[10]))

    assert (await fleet.facts(BOT, "claw-2", "")).last_bot_deploy is None


FAILED = (
    Job("plan", "completed", "success"),
    Job("claw-2: ami-1 -> ami-2", "completed", "failure"),
)
REFUSED = (Job("plan", "completed", "failure"),)


def failed(id_: int, ago: int, jobs: tuple[Job, ...] = ()) -> Run:
    return run(id_, caller="claw-3", conclusion="failure", updated=AGO[ago], jobs=jobs)


async def test_what_two_bots_deploys_failed_at_is_a_persons(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    """Though it has no host; the jobs of just those two are asked for."""
    control.has_registry(*IDS)
    control.has_runs(failed(9, 70), failed(8, 140), failed(7, 210))
    control.shows(failed(9, 70, FAILED), failed(8, 140, FAILED))
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1", "i-3")]

    assert code(await fleet.judge(BOT, "claw-2", "")) is RefusalCode.TOO_SOON
    assert control.actions == ["registry", "runs", "run", "run"]
    assert [ask["run_id"] for ask in control.asked[2:]] == [9, 8]


async def test_what_two_looks_do_not_tell_is_left_to_the_run(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs(failed(9, 70), failed(8, 140), failed(7, 210))
    control.shows(failed(9, 70, REFUSED), failed(8, 140, FAILED))

    facts = await fleet.facts(BOT, "claw-2", "")

    assert facts.bot_failures == 1
    assert control.actions == ["registry", "runs", "run", "run"]


async def test_with_a_runs_jobs_away_they_are_left_out(
    fleet: Fleet, control: Lambda, caplog: pytest.LogCaptureFixture
) -> None:
    control.has_registry(*IDS)
    control.has_runs(failed(9, 10))

    assert await fleet.judge(BOT, "claw-2", "") == Allowed()
    assert "fleet.jobs_unseen run=9" in caplog.text


async def test_an_image_for_a_host_that_ec2_calls_healthy_is_left_to_the_run(
    fleet: Fleet, control: Lambda
) -> None:
    control.has_registry(*IDS)
    control.has_runs()

    assert await fleet.judge(BOT, "claw-2", "ami-1") == Allowed(
        doubt=doubt("claw-2", RefusalCode.REPAIR_ONLY)
    )
    assert control.actions == ["registry", "runs"]


async def test_what_bots_failed_at_twice_decides_before_that(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs(failed(9, 70), failed(8, 140))
    control.shows(failed(9, 70, FAILED), failed(8, 140, FAILED))

    assert code(await fleet.judge(BOT, "claw-2", "ami-1")) is RefusalCode.TOO_SOON


async def test_a_bot_that_is_busy_needs_no_jobs(fleet: Fleet, control: Lambda) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(9, status="in_progress", conclusion=None, caller="claw-1"), failed(8, 10))

    assert code(await fleet.judge(BOT, "claw-2", "")) is RefusalCode.BUSY
    assert control.actions == ["registry", "runs"]


async def test_whether_an_unwell_fleet_keeps_a_bot_from_a_host_is_left_to_the_run(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    control.has_registry(*IDS)
    control.has_runs()
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1", "i-2")]

    assert await fleet.judge(BOT, "claw-2", "") == Allowed(
        doubt=doubt("claw-2", RefusalCode.FLEET_UNWELL)
    )


async def test_the_first_row_that_fits_decides_though_a_later_one_is_seen_sooner(
    fleet: Fleet, control: Lambda, cloud: FakeEc2
) -> None:
    control.has_registry(*IDS)
    control.has_runs(run(9, status="in_progress", conclusion=None, caller="claw-1"))
    cloud.scripts["DescribeInstances"] = [aws.instances("i-1", "i-2")]

    assert code(await fleet.judge(BOT, "claw-2", "")) is RefusalCode.BUSY


async def test_with_the_runs_away_the_rest_is_judged(
    fleet: Fleet, control: Lambda, caplog: pytest.LogCaptureFixture
) -> None:
    control.has_registry(*IDS)

    assert await fleet.judge(BOT, "claw-2", "") == Allowed()
    assert "fleet.unseen what=runs" in caplog.text
