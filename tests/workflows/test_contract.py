"""The workflow file against what the rest of the project takes it for."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from fleet_control import deploy_jobs, ledger, run_title, state_lock
from sandbox.workflow_file import FORMS, forms_of, load, parse
from workflows.fleet_deploy.__main__ import JOBS, LOOK
from workflows.fleet_deploy.change import targets
from workflows.fleet_deploy.forgotten_host import profile
from workflows.fleet_deploy.github_account import CONTROL_API, PEOPLE
from workflows.fleet_deploy.roll import HostTurn, encode

ROOT = Path(__file__).parents[2]
PATH = ROOT / ".github/workflows/fleet-deploy.yml"
TEXT = PATH.read_text()
# BaseLoader keeps `on` a word and every value a string, as GitHub reads them.
FILE: dict[str, Any] = yaml.load(TEXT, Loader=yaml.BaseLoader)  # noqa: S506  (makes strings only)
EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")

ENTRIES = [
    ledger.Entry(target="all"),
    ledger.Entry(target="clawdinator-2", caller="clawdinator-1"),
    ledger.Entry(
        request_id="discord.clawdinator-1.1234567890123456789.9876543210987654321",
        reply="1112223334445556667",
        target="clawdinator-babelfish",
        ami_override="ami-0123456789abcdef0",
        caller="clawdinator-1",
        requested_by="discord:80351110224678912 sam",
    ),
    ledger.Entry(target="all", revision="0123456789ab"),
    ledger.Entry(target="all", operation="rollback", override="freeze"),
    ledger.Entry(target="17", operation="resume"),
    ledger.Entry(target="01234567-89ab-cdef-0123-456789abcdef", operation="unlock"),
    ledger.Entry(target="clawdinator-2", override="freeze"),
]


def steps() -> Iterator[tuple[str, dict[str, Any]]]:
    for name, job in FILE["jobs"].items():
        for step in job["steps"]:
            yield name, step


def program(job: str) -> dict[str, Any]:
    """The step that does what the job is for."""
    (found,) = (
        step
        for name, step in steps()
        if name == job and step.get("run") == f"python3 -m workflows.fleet_deploy {job}"
    )
    return found


def strings(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    else:
        yield str(value)


def test_the_file_has_no_form_that_the_sandbox_does_not_know() -> None:
    assert list(load(PATH).jobs) == list(FILE["jobs"])


@pytest.mark.parametrize(
    ("place", "form"), [(place, form) for place, forms in FORMS.items() for form in forms]
)
def test_the_sandbox_knows_no_form_that_the_file_does_not_have(place: str, form: str) -> None:
    assert (place, form) in {(found.known, found.form) for found in forms_of(parse(TEXT))}


def test_behind_the_step_that_moves_a_host_is_only_what_tells_of_the_way() -> None:
    moves, tells, untouched = [step for name, step in steps() if name == "host"][-3:]

    assert moves["name"] == deploy_jobs.MOVING_STEP
    assert tells["name"] == f"{deploy_jobs.REMARKED}${{{{ steps.{moves['id']}.outputs.remarks }}}}"
    assert untouched["name"] == deploy_jobs.UNTOUCHED_STEP
    assert {tells["run"], untouched["run"]} == {"true"}


@pytest.mark.parametrize(
    ("job", "moves"),
    [("host", deploy_jobs.MOVING_STEP), ("finish", deploy_jobs.FINISHING_STEP)],
)
def test_what_moves_anything_is_behind_a_look_whether_the_roll_was_stopped(
    job: str, moves: str
) -> None:
    """A stop fails under a name of its own, which no other failure has."""
    own = [step for name, step in steps() if name == job]
    at = [step["name"] for step in own].index(moves)
    looks, stops = own[at - 2 : at]

    assert looks["run"] == f"python3 -m workflows.fleet_deploy {LOOK}"
    assert looks.get("env", {}) == ({"INSTANCE": "${{ matrix.id }}"} if job == "host" else {})
    by = f"steps.{looks['id']}.outputs.by"
    assert stops["name"] == f"{deploy_jobs.STOPPED_STEP}${{{{ {by} }}}}"
    assert (stops["if"], stops["run"]) == (f"{by} != ''", "exit 1")
    assert "if" not in own[at]
    assert own[at]["run"] == program(job)["run"]


def test_the_inputs_are_what_a_dispatch_sends() -> None:
    inputs = FILE["on"]["workflow_dispatch"]["inputs"]

    assert set(run_title.TITLE_FIELDS) == set(inputs)
    assert {"target"} == {name for name, one in inputs.items() if one.get("required") == "true"}
    assert list(FILE["on"]) == ["workflow_dispatch"]


@pytest.mark.parametrize("entry", ENTRIES)
def test_the_title_is_the_ledgers(entry: ledger.Entry) -> None:
    def put(match: re.Match[str]) -> str:
        if mark := re.fullmatch(r"inputs\.(\w+) && '(.)' \|\| ''", match[1]):
            return mark[2] if getattr(entry, mark[1]) else ""
        names = re.findall(r"inputs\.(\w+)", match[1])
        values = [getattr(entry, name) for name in names]
        otherwise = "-" if match[1].endswith("|| '-'") else ""
        assert match[1].split(" || ") == [f"inputs.{n}" for n in names] + ["'-'"] * bool(otherwise)
        return next(filter(None, values), otherwise)

    title = EXPRESSION.sub(put, FILE["run-name"])

    assert run_title.title(entry) == title
    assert entry == run_title.parse_title(title)


def test_what_plan_hands_over_is_an_output_of_its_job() -> None:
    handed = {
        name: f"${{{{ needs.plan.outputs.{output} }}}}"
        for name, output in {
            "IMAGE": "image",
            "TF_VAR_revision": "revision",
            "TF_VAR_seed_sha256": "seed_sha256",
        }.items()
    }
    roll = {"ROLL": "${{ needs.plan.outputs.roll }}"}
    own = {name: one.replace("needs.plan.outputs", "matrix") for name, one in handed.items()}

    assert FILE["jobs"]["plan"]["outputs"] == {
        name: f"${{{{ steps.plan.outputs.{name} }}}}"
        for name in ("commit", "image", "revision", "seed_sha256", "roll", "finishes")
    }
    for job, given in (("host", own), ("finish", handed)):
        assert (given | roll).items() <= program(job)["env"].items()


def test_inputs_reach_programs_as_environment() -> None:
    for name in run_title.TITLE_FIELDS:
        assert f"${{{{ inputs.{name} }}}}" == FILE["env"][name.upper()]


def test_nothing_is_put_into_a_command() -> None:
    assert not [step["run"] for _, step in steps() if "${{" in step.get("run", "")]


def test_every_command_is_a_job_of_the_program() -> None:
    runs = [
        (name, step["run"].rpartition(" ")[2])
        for name, step in steps()
        if "fleet_deploy" in str(step)
    ]

    looks = [("host", LOOK), ("finish", LOOK)]
    assert sorted([*((name, name) for name in JOBS), *looks]) == sorted(runs)
    assert list(JOBS) == list(FILE["jobs"])


def test_every_variable_is_one_the_program_reads() -> None:
    source = "".join(path.read_text() for path in (ROOT / "workflows/fleet_deploy").glob("*.py"))
    own = {name for _, step in steps() for name in step.get("env", {})}

    handed = {"IMAGE", "ROLL", "TF_VAR_revision", "TF_VAR_seed_sha256"}
    pace = {"FLEET_HEALTH_DEADLINE", "FLEET_STEADY_SECONDS"}
    assert own == {"COMMIT", "GITHUB_TOKEN", "INSTANCE", *handed, *pace, CONTROL_API, PEOPLE}
    assert not [name for name in own if f'"{name}"' not in source]


@pytest.mark.parametrize("job", ["plan", "host"])
def test_who_asks_a_host_is_told_the_pace_by_the_environments_own_variables(job: str) -> None:
    env = program(job)["env"]

    for name in ("FLEET_HEALTH_DEADLINE", "FLEET_STEADY_SECONDS"):
        assert env[name] == f"${{{{ vars.{name} }}}}"


def test_each_job_knows_whose_orders_it_takes() -> None:
    """From the environment's own variables, which a step sees, and the whole file does not."""
    for job in JOBS:
        for name in (CONTROL_API, PEOPLE):
            assert program(job)["env"][name] == f"${{{{ vars.{name} }}}}"


def test_no_job_starts_after_a_cancel_or_a_failure() -> None:
    conditions = [job["if"] for job in FILE["jobs"].values() if "if" in job]
    conditions += [step["if"] for _, step in steps() if "if" in step]

    assert conditions == [
        "inputs.operation != 'unlock'",
        "needs.plan.outputs.finishes == 'true'",
        "steps.stop.outputs.by != ''",
        "steps.host.outputs.remarks != ''",
        "failure() && steps.host.outputs.untouched != ''",
        "steps.stop.outputs.by != ''",
    ]
    assert FILE["jobs"]["host"]["needs"] == "plan"
    assert FILE["jobs"]["finish"]["needs"] == ["plan", "host"]
    assert "continue-on-error" not in TEXT


def test_rights_are_named_job_by_job() -> None:
    assert FILE["permissions"] == {} or FILE["permissions"] == "{}"
    assert {name: job["permissions"] for name, job in FILE["jobs"].items()} == {
        "plan": {"contents": "read", "actions": "read", "id-token": "write"},
        "host": {"contents": "read", "id-token": "write"},
        "finish": {"contents": "read", "id-token": "write"},
    }


def test_actions_are_pinned_with_their_version_beside() -> None:
    uses = [line for line in TEXT.splitlines() if "uses:" in line]

    assert len(uses) == 9
    for line in uses:
        assert re.search(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line), line


def test_no_checkout_leaves_a_credential_behind() -> None:
    checkouts = [step for _, step in steps() if "actions/checkout@" in step.get("uses", "")]

    assert [step["with"]["persist-credentials"] for step in checkouts] == ["false"] * 3


def test_plan_takes_the_branch_as_it_is_and_the_others_what_was_planned() -> None:
    refs = {
        name: step["with"]["ref"]
        for name, step in steps()
        if "actions/checkout@" in step.get("uses", "")
    }

    assert refs == {
        "plan": "${{ github.ref }}",
        "host": "${{ needs.plan.outputs.commit }}",
        "finish": "${{ needs.plan.outputs.commit }}",
    }


def test_plan_has_the_branchs_history_and_the_others_need_none() -> None:
    depths = {
        name: step["with"].get("fetch-depth")
        for name, step in steps()
        if "actions/checkout@" in step.get("uses", "")
    }

    assert depths == {"plan": "0", "host": None, "finish": None}


def test_a_jobs_credentials_last_as_long_as_is_noted_of_them() -> None:
    """Of whatever job may lock the state; the role gives them for no longer."""
    steps_ = [one["with"] for _, one in steps() if "configure-aws-credentials@" in str(one)]
    role = (ROOT / "tofu/control/deploy_role.tf").read_text()

    assert [one["role-duration-seconds"] for one in steps_] == ["3600"] * len(JOBS)
    assert state_lock.SESSION_SECONDS == 3600
    assert re.findall(r"max_session_duration = (\d+)", role) == ["3600"]


def test_no_job_moves_a_host_where_a_lock_is_to_be_broken() -> None:
    """Whatever `plan` hands over: `finish` needs that job."""
    assert FILE["jobs"]["host"]["if"] == f"inputs.operation != '{ledger.Operation.UNLOCK}'"


def test_one_deploy_at_a_time_and_none_is_lost() -> None:
    assert FILE["concurrency"] == {
        "group": "fleet-deploy",
        "cancel-in-progress": "false",
        "queue": "max",
    }


def test_no_other_workflow_is_in_its_concurrency_group() -> None:
    """From there it could cancel an apply."""
    others = [file for file in (ROOT / ".github/workflows").iterdir() if file.name != PATH.name]
    groups = [
        re.search(r"^concurrency:\n  group: (.*)$", file.read_text(), re.MULTILINE)
        for file in others
    ]

    assert len(groups) == 2
    for group in groups:
        assert group
        # However its expressions come out.
        assert not FILE["concurrency"]["group"].startswith(group[1].partition("${{")[0])


def test_every_job_has_a_limit_and_the_environment_that_the_role_trusts() -> None:
    for job in FILE["jobs"].values():
        assert 0 < int(job["timeout-minutes"]) <= 60  # a role's session lasts an hour
        assert (job["runs-on"], job["environment"]) == ("ubuntu-24.04", "fleet")


def test_hosts_are_moved_one_by_one() -> None:
    strategy = FILE["jobs"]["host"]["strategy"]

    assert strategy == {
        "fail-fast": "true",
        "max-parallel": "1",
        "matrix": {"include": "${{ fromJSON(needs.plan.outputs.roll) }}"},
    }


def test_the_matrix_holds_what_the_host_job_takes_from_it() -> None:
    taken = re.findall(r"matrix\.(\w+)", " ".join(strings(FILE["jobs"]["host"])))
    given = encode([HostTurn("clawdinator-1", "", "clawdinator-1: none -> ami-00000001")])

    assert {"name", "id", "ran", "image", "revision", "seed_sha256"} == set(taken)
    assert all(f'"{name}":' in given for name in taken)


def test_the_engine_is_pinned_to_one_version() -> None:
    version = (ROOT / ".opentofu-version").read_text().strip()
    setups = [step["with"] for _, step in steps() if "setup-opentofu@" in step.get("uses", "")]

    assert setups == [{"tofu_version_file": ".opentofu-version", "tofu_wrapper": "false"}] * 3
    assert f"github.com/opentofu/opentofu v{version}" in (ROOT / "tofu/engine/go.mod").read_text()


def test_the_fleets_configuration_gets_every_variable_it_needs() -> None:
    text = (ROOT / "tofu/fleet/variables.tf").read_text()
    blocks = re.findall(r'^variable "(\w+)" \{(.*?)^\}', text, re.DOTALL | re.MULTILINE)
    needed = {name for name, body in blocks if "default" not in body}
    for job in ("host", "finish"):
        env = {**FILE["env"], **program(job)["env"]}
        given = {name.removeprefix("TF_VAR_") for name in env if name.startswith("TF_VAR_")}
        assert needed == {"ami"} | given


def test_what_a_refusal_tells_to_change_is_there() -> None:
    text = (ROOT / "tofu/fleet/hosts.tf").read_text()

    assert "volume_size = var.root_gigabytes" in text
    assert "instance_type          = each.value.instanceType" in text


def test_a_hosts_plan_names_everything_that_is_keyed_by_its_id() -> None:
    text = "".join(path.read_text() for path in (ROOT / "tofu/fleet").glob("*.tf"))
    keyed = re.findall(
        r'^resource "(\w+)" "(\w+)" \{\s+for_each\s+= local\.registry$', text, re.MULTILINE
    )

    assert {f'{type_}.{name}["claw"]' for type_, name in keyed} == set(targets("claw"))


def test_a_hosts_profile_is_the_one_that_its_configuration_names() -> None:
    text = (ROOT / "tofu/fleet/identity.tf").read_text()
    (body,) = re.findall(
        r'^resource "aws_iam_instance_profile" .*?^\}', text, re.DOTALL | re.MULTILINE
    )
    path, name = (
        re.findall(rf'^  {key} = "(.*)"$', body, re.MULTILINE)[0] for key in ("path", "name")
    )

    assert f"instance-profile{path}{name}".replace("${each.key}", "claw") == profile("claw")
