"""A workflow file is read strictly: what is not known is an error, never skipped."""

from pathlib import Path

import pytest

from sandbox.actions import played
from sandbox.repository import Repository
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import WorkflowFile
from sandbox.workflow_reader import load
from tests.sandbox.workflows import ONE_JOB

ROOT = Path(__file__).parents[2]
OURS = ROOT / ".github" / "workflows" / "fleet-deploy.yml"
ACTIONS = {"actions/checkout": ("ref",)}


def read(text: str, folder: Path) -> WorkflowFile:
    path = folder / "w.yml"
    path.write_text(text)
    return load(path, ACTIONS)


def test_the_repositorys_own_workflow_is_understood() -> None:
    repository = Repository(ROOT, ROOT / "nix" / "instances.json")
    actions = played(repository, ("tofu",), {}, ROOT)

    file = load(OURS, {name: action.known for name, action in actions.items()})

    assert tuple(file.jobs) == ("plan", "host", "finish")
    assert file.concurrency is not None
    assert file.concurrency.queue == "max"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("    runs-on:", "    container: y\n    runs-on:"), "I don't know `jobs.only.container`"),
        (("permissions: {}", "colour: red"), "I don't know `colour`"),
        (("who: {type: string}", "who: {kind: string}"), "inputs.who.kind`"),
        (("name: Say it", "continue-on-error: true"), "steps.0.continue-on-error`"),
        (("on:\n", "on:\n  push:\n"), "I don't know `on.push`"),
        (("ubuntu-24.04", "windows-2025"), "`jobs.only.runs-on`"),
        (("run: echo", "shell: pwsh\n        run: echo"), "steps.0.shell`"),
        (("permissions: {}", "permissions: write-all"), "`permissions`"),
        (("actions: read", "packages: read"), "permissions.packages"),
        (("cancel-in-progress: false", "cancel-in-progress: true"), "exclude each other"),
        (("queue: max", "queue: many"), "queue"),
        (("{type: string}", "{type: choice}"), "inputs.who.type`"),
        (("    steps:", "    needs: other\n    steps:"), "`needs` names no job: other"),
        (("    steps:", "    needs: only\n    steps:"), "in a circle: only"),
        (("name: Say it", "uses: actions/checkout@v7"), "either `uses` or `run`"),
        (("name: Say it\n        run", "name"), "either `uses` or `run`"),
        (("run: echo", "with: {a: b}\n        run: echo"), "`with` goes with `uses`"),
        (("jobs:", "jobs: ["), "is not YAML"),
        (("name: small", "name: small\nname: large"), "`name` comes twice"),
        (("    steps:", "    timeout-minutes: 0\n    steps:"), "timeout-minutes"),
        (("    steps:", "    strategy: {matrix: {exclude: []}}\n    steps:"), "`exclude`"),
    ],
)
def test_what_is_not_known_is_named(change: tuple[str, str], named: str, tmp_path: Path) -> None:
    with pytest.raises(WorkflowError) as raised:
        read(ONE_JOB.replace(*change, 1), tmp_path)

    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("${{ colour.red }}", "I don't know the context `colour`"),
        ("${{ github.colour }}", "I don't know `github.colour`"),
        ("${{ runner.colour }}", "I don't know `runner.colour`"),
        ("${{ hashFiles('x') }}", "`hashFiles()`"),
        ("${{ needs.other.outputs.x }}", "`needs.other` is not among"),
        ("${{ success() }}", "is for an `if`"),
        ("${{ 'x' }", "not closed"),
    ],
)
def test_an_expression_is_looked_at_before_anything_runs(
    text: str, named: str, tmp_path: Path
) -> None:
    with pytest.raises(WorkflowError) as raised:
        read(ONE_JOB.replace("name: Say it", f'name: "{text}"'), tmp_path)

    assert "`jobs.only.steps.0.name`: " in str(raised.value)
    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (("name: small", "name: small\nrun-name: ${{ env.TARGET }}"), "run-name"),
        (("group: small", "group: '${{ secrets.KEY }}'"), "concurrency.group"),
        (("{{ inputs.target }}\njobs", "{{ matrix.id }}\njobs"), "env.TARGET"),
        (("    steps:", "    name: ${{ steps.x.outcome }}\n    steps:"), "jobs.only.name"),
        (("    steps:", "    if: matrix.id\n    steps:"), "jobs.only.if"),
        (("    steps:", "    env: {A: '${{ env.TARGET }}'}\n    steps:"), "jobs.only.env.A"),
        (
            ("    steps:", "    strategy: {matrix: {a: '${{ matrix.b }}'}}\n    steps:"),
            "jobs.only.strategy.matrix.a",
        ),
    ],
)
def test_each_place_has_githubs_contexts(
    change: tuple[str, str], place: str, tmp_path: Path
) -> None:
    text = ONE_JOB.replace(
        "run-name: \"${{ inputs.target }} for ${{ inputs.who || 'nobody' }}\"", ""
    )

    with pytest.raises(WorkflowError) as raised:
        read(text.replace(*change, 1), tmp_path)

    assert f"`{place}`: the context" in str(raised.value)
    assert "is not available here" in str(raised.value)


@pytest.mark.parametrize(
    ("uses", "named"),
    [
        ("actions/cache@v5", "I don't play the action `actions/cache`"),
        ("actions/checkout", "needs a version"),
        ("actions/checkout@v7\n        with: {lfs: true}", "knows no `lfs`"),
    ],
)
def test_an_action_that_is_not_played_is_named(uses: str, named: str, tmp_path: Path) -> None:
    text = ONE_JOB.replace('run: echo "target is $TARGET"', f"uses: {uses}")

    with pytest.raises(WorkflowError) as raised:
        read(text, tmp_path)

    assert named in str(raised.value)


def test_two_steps_of_one_id_are_refused(tmp_path: Path) -> None:
    text = ONE_JOB.replace("name: Say it", "id: a") + "      - {id: a, run: 'true'}\n"

    with pytest.raises(WorkflowError, match="two steps have the id `a`"):
        read(text, tmp_path)


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="can't be read"):
        load(tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("written", "meant"), [("no", "no"), ("on", "on"), ("010", 10), ("1.0", 1.0), ("true", True)]
)
def test_values_are_read_as_githubs_yaml_has_them(
    written: str, meant: object, tmp_path: Path
) -> None:
    file = read(ONE_JOB.replace("TARGET: ${{ inputs.target }}", f"TARGET: {written}"), tmp_path)

    assert file.env["TARGET"] == meant


@pytest.mark.parametrize(
    "event", ["workflow_dispatch", "[workflow_dispatch]", "{workflow_dispatch: }"]
)
def test_an_event_may_be_written_three_ways(event: str, tmp_path: Path) -> None:
    text = f"on: {event}\njobs: {{a: {{runs-on: ubuntu-latest, steps: [{{run: 'true'}}]}}}}\n"

    assert read(text, tmp_path).inputs == {}
