"""AWS's own rules on policies that the roots really created, by an evaluator that runs offline."""

import json
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import cache
from sandbox.principal import ACCOUNT

FOLDER = Path(__file__).with_name("iam")
# Of a condition key; some have several values.
Context = str | Sequence[str]
# The evaluator drops these two of a GitHub token's keys; these two it knows, and no trust of ours
# names them.
_RENAMED = {":sub": ":actor", ":aud": ":workflow"}


@dataclass(frozen=True)
class EvaluatedPrincipal:
    """Who asks, and the policies that count for it.

    Attributes:
        arn: for the evaluator; of a federated caller, its provider's.
        boundary: the most it may do, where it has one.
    """

    arn: str
    policies: Sequence[Any] = ()
    boundary: Any = None


@dataclass(frozen=True)
class IamRequest:
    """One call.

    Attributes:
        context: what AWS knows beside, by condition key.
        trust: the policy of the role that would be taken.
    """

    action: str
    resource: str
    context: Mapping[str, Context] = field(default_factory=dict)
    trust: Any = None


def allowed(asked: Sequence[tuple[EvaluatedPrincipal, IamRequest]]) -> list[bool]:
    """Whether each would be let through; fails the test where the evaluator can't say."""
    done = subprocess.run(  # noqa: S603  (a program of ours)
        [_node(), "simulate.mjs"],
        cwd=_installed(),
        input=json.dumps([_simulation(*one) for one in asked]),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = json.loads(done.stdout)
    wrong = [
        (one, answer) for one, answer in zip(asked, answers, strict=True) if "errors" in answer
    ]
    assert not wrong, wrong[:2]
    return [answer["decision"] == "Allowed" for answer in answers]


def _simulation(principal: EvaluatedPrincipal, request: IamRequest) -> Any:
    boundary = [{"name": "boundary", "policy": principal.boundary}]
    return {
        "request": {
            "principal": principal.arn,
            "action": request.action,
            "resource": {"resource": request.resource, "accountId": ACCOUNT},
            "contextVariables": {_known(key): value for key, value in request.context.items()},
        },
        "identityPolicies": [
            {"name": f"policy-{number}", "policy": policy}
            for number, policy in enumerate(principal.policies)
        ],
        "permissionBoundaryPolicies": boundary if principal.boundary else None,
        "serviceControlPolicies": [],
        "resourceControlPolicies": [],
        "resourcePolicy": _renamed(request.trust),
    }


def _known(key: str) -> str:
    for name, instead in _RENAMED.items():
        if key.endswith(name):
            return key.removesuffix(name) + instead
    return key


def _renamed(policy: Any) -> Any:
    """A copy with every condition's keys as the evaluator knows them."""
    if isinstance(policy, dict):
        return {_known(key): _renamed(value) for key, value in policy.items()}
    return [_renamed(one) for one in policy] if isinstance(policy, list) else policy


def _node() -> str:
    program = shutil.which("node")
    if program and shutil.which("npm"):
        return program
    if os.environ.get("CI") == "true":
        pytest.fail("Under CI there must be node and npm, for the evaluator of AWS's policies.")
    pytest.skip("The evaluator of AWS's policies needs node and npm.")


def _installed() -> Path:
    """The evaluator where it was installed once, outside the work tree."""
    files = sorted(FOLDER.iterdir())
    mark = sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    place = cache(os.environ) / f"iam-{mark}"
    if not (place / "ready").is_file():
        place.mkdir(parents=True, exist_ok=True)
        for file in files:
            shutil.copy(file, place)
        subprocess.run(  # noqa: S603  (a fixed command)
            [shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=place,
            check=True,
            capture_output=True,
        )
        (place / "ready").touch()
    return place
