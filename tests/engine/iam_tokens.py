"""GitHub's tokens that could ask for a role: the one that may, and its neighbours."""

from sandbox.run_record import ANY_WORKFLOW, CONTROL_API, PERSON
from tests.engine.site import REPOSITORY

_SOMEBODY = "2718281"


def tokens(workflow: str, environment: str) -> list[tuple[str, dict[str, str]]]:
    """GitHub's tokens, as claims: that of the workflow's run, and others unlike it in one thing."""
    good = {
        "aud": "sts.amazonaws.com",
        "sub": f"repo:{REPOSITORY}:environment:{environment}",
        "repository_id": "1234567",
        "environment": environment,
        "actor_id": str(CONTROL_API.id),
        "job_workflow_ref": f"{REPOSITORY}/.github/workflows/{workflow}@refs/heads/main",
    }
    other = f"{REPOSITORY}/.github/workflows/ci.yml@refs/heads/main"
    branch = good["job_workflow_ref"].replace("main", "feature")
    stranger = {
        "sub": f"repo:mallory/clawdinators:environment:{environment}",
        "repository_id": "7654321",
    }
    no_environment = {key: one for key, one in good.items() if key != "environment"}
    return [
        (f"`{workflow}` on the branch, in the environment `{environment}`", good),
        ("the same, started by a person who may press the button", good | {
            "actor_id": str(PERSON.id)}),
        ("the same, started by anybody else", good | {"actor_id": _SOMEBODY}),
        ("the same, started by a workflow of any branch", good | {
            "actor_id": str(ANY_WORKFLOW.id)}),
        ("the same without the environment", no_environment | {
            "sub": f"repo:{REPOSITORY}:ref:refs/heads/main"}),
        ("the same in another environment", good | {
            "environment": "test", "sub": f"repo:{REPOSITORY}:environment:test"}),
        ("another workflow of the repository", good | {"job_workflow_ref": other}),
        (f"`{workflow}` on another branch", good | {"job_workflow_ref": branch}),
        ("a fork", good | stranger | {
            "job_workflow_ref": good["job_workflow_ref"].replace("openclaw", "mallory")}),
        ("another repository that took the name", good | {"repository_id": "7654321"}),
        ("a token for another audience", good | {"aud": "https://github.com/openclaw"}),
    ]  # fmt: skip
