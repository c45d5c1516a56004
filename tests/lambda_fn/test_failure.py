"""Each code with its status of HTTP's, and which become of the policy's verdicts."""

import ast
from pathlib import Path

import pytest

from fleet_control import policy
from lambda_fn.failure import Code, Failure, raise_refusal

ROOT = Path(__file__).resolve().parents[2]

STATUSES = {
    "bad_request": 400,
    "unauthorized": 401,
    "forged_caller": 403,
    "unknown_caller": 403,
    "unproven_caller": 403,
    "unknown_run": 404,
    "method_not_allowed": 405,
    "busy": 409,
    "already_running": 409,
    "nothing_runs": 409,
    "at_its_last": 409,
    "too_large": 413,
    "github_busy": 429,
    "misconfigured": 500,
    "internal": 500,
    "github_refused": 502,
    "github_unreachable": 502,
    "table_unreachable": 502,
    "asked_too_often": 503,
}
OF_A_DEPLOY = {
    "unknown_caller": 403,
    "not_operator": 403,
    "unknown_target": 403,
    "self_deploy": 403,
    "unknown_image": 403,
    "unknown_revision": 403,
    "too_many_hosts": 403,
    "repair_only": 403,
    "busy": 409,
    "queue_full": 409,
    "too_soon": 403,
    "fleet_unwell": 403,
    "frozen": 409,
}


def test_every_code_has_its_status() -> None:
    assert {code: Failure(code, "").status for code in Code} == STATUSES


@pytest.mark.parametrize("code", policy.RefusalCode)
def test_what_the_policy_refuses_fails_with_its_code_and_words(code: policy.RefusalCode) -> None:
    with pytest.raises(Failure, match="No, and why") as failed:
        raise_refusal(policy.Refused(code, "No, and why."))

    assert (failed.value.code, failed.value.status) == (code, OF_A_DEPLOY[code])


@pytest.mark.parametrize("ids", [(), ("claw-1",), ("claw-1", "claw-2")])
def test_an_ask_without_a_target_is_misused(ids: tuple[str, ...]) -> None:
    with pytest.raises(Failure, match="`target` is missing") as failed:
        raise_refusal(policy.Usage(ids))

    assert (failed.value.code, failed.value.status) == ("bad_request", 400)


@pytest.mark.parametrize("verdict", [policy.Allowed(), policy.Allowed("This is yours to confirm.")])
def test_what_is_allowed_is_let_by(verdict: policy.Allowed) -> None:
    raise_refusal(verdict)


def test_no_auto_stands_in_a_tuple() -> None:
    """Python 3.11.0 would leave it there; 3.11.1 was the first to put the name in its place."""
    for room in ("clawbot", "lambda_fn", "skills", "workflows"):
        for path in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Tuple):
                    calls = [one.func for one in node.elts if isinstance(one, ast.Call)]
                    named = [one.id for one in calls if isinstance(one, ast.Name)]
                    assert "auto" not in named, f"{path.relative_to(ROOT)}:{node.lineno}"
