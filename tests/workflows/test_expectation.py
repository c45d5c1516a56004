"""What tofu/fleet is told in a run, and what it then makes of a host."""

import shutil
from pathlib import Path

import pytest

from tests.workflows.aws_front import AwsFront
from tests.workflows.conftest import NEW as NEWEST
from tests.workflows.conftest import LocalRunner
from tests.workflows.fleets import registry
from tests.workflows.plans import (
    BUCKET,
    EXPECTATION,
    FLEET,
    HOST,
    NEW,
    ONE,
    REGION,
    REVISION,
    SEED,
    SEEN,
    TEMPLATE,
    TWO,
    URL,
    own,
    plan,
    replaced,
    told,
)
from workflows.fleet_deploy import expectation, user_data
from workflows.fleet_deploy.cloud import Cloud
from workflows.fleet_deploy.expectation import AwsAccount, Expectation
from workflows.fleet_deploy.guard import rolled
from workflows.fleet_deploy.stopped import Stopped

OWNER = AwsAccount("aws", "123456789012")
TOLD = {
    "TF_VAR_region": REGION,
    "TF_VAR_bootstrap_bucket": BUCKET,
    "TF_VAR_control_api_url": URL,
    "TF_VAR_revision": REVISION,
    "TF_VAR_seed_sha256": SEED,
}


def read(folder: Path = FLEET, **more: str) -> Expectation:
    return expectation.read({**TOLD, **more}, folder, registry((ONE, TWO)), OWNER)


def stopped_by(made: Expectation, **instead: object) -> list[str]:
    mine = replaced(TWO, after=own(HOST, TWO, **instead))
    return [one.why for one in rolled(plan(mine), [TWO], NEW, SEEN, made)]


def test_it_is_read_from_what_the_engine_is_told_and_the_files_it_is_told_of() -> None:
    made = read()

    assert (made.owner, made.bucket, made.network, made.disk, made.template) == (
        EXPECTATION.owner,
        EXPECTATION.bucket,
        EXPECTATION.network,
        EXPECTATION.disk,
        TEMPLATE,
    )
    assert stopped_by(made) == []


def test_what_the_environment_says_goes_before_a_default() -> None:
    made = read(TF_VAR_network="10.9.0.0/24", TF_VAR_root_gigabytes="80")

    assert (made.network, made.disk) == ("10.9.0.0/24", 80)


def test_every_value_tells_one_host_from_another() -> None:
    """Each of what the user data says is another for another run, instance or entry."""
    same = user_data.digest(read().user_data(TWO, registry((TWO,))[TWO]))
    entry = registry((TWO,))[TWO]
    others = [
        read().user_data(ONE, entry),
        read().user_data(TWO, entry.model_copy(update={"host": ONE})),
        read().user_data(TWO, entry.model_copy(update={"bootstrap_prefix": "bootstrap/x"})),
        read(TF_VAR_region="eu-west-1").user_data(TWO, entry),
        read(TF_VAR_control_api_url="https://elsewhere.example/").user_data(TWO, entry),
        read(TF_VAR_revision="1" * 40).user_data(TWO, entry),
        read(TF_VAR_seed_sha256="1" * 64).user_data(TWO, entry),
    ]

    assert same == told(TWO)
    assert len({same, *map(user_data.digest, others)}) == len(others) + 1


def test_a_host_is_tagged_with_the_revision_that_it_is_told() -> None:
    stopped = stopped_by(read(TF_VAR_revision="1" * 40))

    assert [why.partition(" would be ")[0] for why in stopped] == ["its tags"]
    assert stopped_by(read(), tags={"Name": TWO})[0].startswith("its tags would be ")


def test_a_template_that_asks_for_more_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FLEET, tmp_path / "fleet")
    (tmp_path / "fleet" / expectation.TEMPLATE).write_text(f"{TEMPLATE}${{zone}}")

    with pytest.raises(Stopped, match="it asks for `zone`, which this run does not tell"):
        read(tmp_path / "fleet")


def test_a_template_that_tells_less_is_refused(tmp_path: Path) -> None:
    shutil.copytree(FLEET, tmp_path / "fleet")
    text = TEMPLATE.replace("${control_api_url}", "https://elsewhere.example/")
    (tmp_path / "fleet" / expectation.TEMPLATE).write_text(text)

    with pytest.raises(Stopped, match="it does not tell the host its `control_api_url`"):
        read(tmp_path / "fleet")


def test_what_can_t_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / expectation.TEMPLATE).write_text(TEMPLATE)
    with pytest.raises(Stopped, match="No such file"):
        read(tmp_path)
    (tmp_path / expectation.VARIABLES).write_text('variable "network" {\n}\n')
    with pytest.raises(Stopped, match="`network` has no default"):
        read(tmp_path)
    with pytest.raises(Stopped, match="invalid literal"):
        read(TF_VAR_root_gigabytes="many")
    with pytest.raises(Stopped, match="TF_VAR_region, TF_VAR_revision"):
        read(TF_VAR_region="", TF_VAR_revision="")


def test_a_template_is_filled_as_opentofu_fills_it() -> None:
    text = "a ${one} $${two} %%{ if } $1 % {"

    assert user_data.render(text, {"one": "1", "none": ""}) == "a 1 ${two} %{ if } $1 % {"


@pytest.mark.parametrize("text", ["${upper(one)}", "${ one }", "%{ if one }", "${one ~}"])
def test_what_is_more_than_a_name_is_refused(text: str) -> None:
    with pytest.raises(user_data.Unrenderable, match="with more than a name"):
        user_data.render(f"${{one}} {text}", {"one": "1"})


def test_the_account_is_that_of_the_keys(cloud: Cloud) -> None:
    assert cloud.owner() == OWNER


def test_keys_of_nobody_stop_the_run(runner: LocalRunner, front: AwsFront) -> None:
    runner.registers(TWO)
    runner.plans(replaced(TWO, image=NEWEST, before={"id": runner.launches(TWO)}))
    front.refused["GetCallerIdentity"] = ""

    assert runner.does("plan") == 1
    assert "Nothing was touched: AWS does not say whose keys this job has" in runner.summary


def test_a_plan_that_was_told_otherwise_is_not_applied(runner: LocalRunner) -> None:
    runner.registers(TWO)
    machine = runner.launches(TWO)
    runner.environ["TF_VAR_control_api_url"] = "https://elsewhere.example/"
    runner.plans(replaced(TWO, image=NEWEST, before={"id": machine}))

    assert runner.does("plan") == 1
    assert "Nothing was applied, the plan goes too far" in runner.summary
    assert "its user_data would be " in runner.summary
