"""The workflow file is read by the forms that are listed; any other is said in a sentence."""

from pathlib import Path

import pytest

from sandbox.expression import filled, holds
from sandbox.workflow_file import WorkflowError, entries, load
from tests.sandbox.workflows import MATRIX, ONE_JOB

ROLL = '[{"id": "a"}, {"id": true}, {"id": []}, {"id": ["b"]}]'
SCOPE = {
    "inputs": {"target": "all", "caller": ""},
    "needs": {"plan": {"outputs": {"target": "All", "roll": ROLL}}},
    "matrix": {"adopt": True},
}


def refusal(text: str, folder: Path) -> str:
    path = folder / "w.yml"
    path.write_text(text)
    with pytest.raises(WorkflowError) as raised:
        load(path)
    return str(raised.value)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            ("runs-on:", "container: y\n    runs-on:"),
            "`jobs.only.container`: I don't know `container`; in `jobs.only` I know environment, "
            "if, name, needs, outputs, permissions, runs-on, steps, strategy, timeout-minutes",
        ),
        (
            ("permissions: {}", "defaults: {run: {shell: sh}}"),
            "`defaults.run.shell`: I don't know `defaults`; at the top I know concurrency, env, "
            "jobs, name, on, permissions, run-name",
        ),
        (
            ("on:\n", "on:\n  push:\n"),
            "`on.push`: I don't know `push`; in `on` I know workflow_dispatch",
        ),
        (
            ("queue: max", "queue: single"),
            "`concurrency.queue`: I don't know the form of `single`; here I know `max`",
        ),
        (
            ("${{ inputs.target }}\n", "${{ github.actor }}\n"),
            "`env.TARGET`: I don't know the form of `${{ github.actor }}`; here I know `a text` "
            "or `${{ inputs.* }}` or `${{ vars.* }}`",
        ),
        (
            ("run: echo", "run: ${{ inputs.target }} echo"),
            "`jobs.only.steps.0.run`: I don't know the form of `${{ inputs.target }}`; "
            "here I know `a text`",
        ),
        (("{{ inputs.target }}\n", "{{ inputs.target }\n"), "form of `${{ inputs.target }`"),
        (("|| '-' }} for", "|| inputs.who }} for"), "form of `${{ inputs.target || inputs.who }}`"),
        (("timeout-minutes: 60", "timeout-minutes: 0.5"), "form of `0.5`; here I know `a number`"),
        (("    name: only\n", ""), "`jobs.only.name` is missing"),
        (("concurrency:", "#"), "`concurrency` is missing"),
        (("run: echo", "id: echo"), "`jobs.only.steps.0`: a step has either `uses` or `run`"),
        (("run: echo", "uses: actions/checkout@v7\n        run: echo"), "either `uses` or `run`"),
        (("jobs:\n", "jobs:\n  a b: {}\n"), "I don't know `a b`; in `jobs` I know any name"),
        (("jobs:", "jobs: ["), "w.yml can't be read: "),
    ],
)
def test_another_form_is_named_with_its_place_and_what_is_known(
    change: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    assert change[0] in ONE_JOB

    assert sentence in refusal(ONE_JOB.replace(*change, 1), tmp_path)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("max-parallel: 1\n", "\n"), "`jobs.host.strategy.max-parallel` is missing"),
        (("needs: plan\n", "needs: {a: plan}\n"), "in `jobs.host.needs` I know a list"),
        (("needs: plan\n", "\n"), "`jobs.host.needs`: I run one job after the other"),
        (("needs: [plan, host]", "needs: plan"), "this one must need `host`, and only jobs before"),
        (("needs: plan\n", "needs: [plan, finish]\n"), "must need `plan`, and only jobs before it"),
    ],
)
def test_jobs_and_a_matrix_run_one_after_the_other(
    change: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    assert change[0] in MATRIX

    assert sentence in refusal(MATRIX.replace(*change, 1), tmp_path)


def test_every_unknown_form_is_named_at_once(tmp_path: Path) -> None:
    said = refusal(ONE_JOB.replace("runs-on", "runs-off").replace("max", "min"), tmp_path)

    assert "`jobs.only.runs-off`" in said
    assert "`concurrency.queue`" in said


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WorkflowError, match="can't be read"):
        load(tmp_path / "none.yml")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a text", "a text"),
        ("${{ inputs.target }}", "all"),
        ("${{ inputs.caller || '-' }} | ${{ inputs.target || '-' }}", "- | all"),
        ("${{ inputs.none }}", ""),
        ("${{ needs.plan.outputs.target }}", "All"),
        ("${{ needs.other.outputs.target }}", ""),
        ("${{ matrix.adopt }}", "true"),
    ],
)
def test_an_expression_has_githubs_value(text: str, expected: str) -> None:
    assert expected == filled(text, SCOPE)


def test_an_if_compares_texts_without_regard_to_case() -> None:
    assert holds("needs.plan.outputs.target == 'all'", SCOPE)
    assert not holds("needs.plan.outputs.target == 'claw'", SCOPE)
    assert holds("inputs.target != 'unlock'", SCOPE)
    assert not holds("inputs.target != 'ALL'", SCOPE)
    assert holds("", SCOPE)


def test_a_matrix_is_what_its_output_lists() -> None:
    found = entries("${{ fromJSON(needs.plan.outputs.roll) }}", SCOPE)

    assert found == [{"id": "a"}, {"id": True}, {"id": []}, {"id": ["b"]}]


def test_a_matrix_holds_256_jobs() -> None:
    assert len(entries(f"[{', '.join(['{}'] * 256)}]", SCOPE)) == 256
    with pytest.raises(WorkflowError, match="at most 256"):
        entries(f"[{', '.join(['{}'] * 257)}]", SCOPE)
