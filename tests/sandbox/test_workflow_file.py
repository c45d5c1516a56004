"""A workflow file is read strictly: an unknown key is an error, never skipped."""

from pathlib import Path

import pytest

from clawbot.sandbox.expression import WorkflowError
from clawbot.sandbox.workflow_file import load
from tests.sandbox.workflows import ONE_JOB

OURS = Path(__file__).parents[2] / ".github" / "workflows" / "fleet-deploy.yml"


def test_the_repositorys_own_workflow_is_understood() -> None:
    file = load(OURS)

    assert tuple(file.jobs) == ("plan", "host", "finish")
    assert file.concurrency is not None
    assert file.concurrency.queue == "max"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("runs-on: ubuntu-24.04", "runs-on: x\n    container: y"), "container"),
        (("run: echo", "shell: pwsh\n        run: echo"), "shell"),
        (("permissions: {}", "permissions: write-all"), "permissions"),
        (("cancel-in-progress: false", "cancel-in-progress: true"), "cancel-in-progress"),
        (("queue: max", "queue: many"), "queue"),
        (("type: string}\n      who", "type: choice}\n      who"), "type"),
        (("runs-on: ubuntu-24.04", "runs-on: x\n    needs: other"), "`needs` names no job: other"),
        (("jobs:", "jobs: ["), "is not YAML"),
    ],
)
def test_what_is_not_known_is_named(change: tuple[str, str], named: str, tmp_path: Path) -> None:
    path = tmp_path / "w.yml"
    path.write_text(ONE_JOB.replace(*change))

    with pytest.raises(WorkflowError) as raised:
        load(path)

    assert named in str(raised.value)
