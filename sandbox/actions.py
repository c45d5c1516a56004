"""Stand-ins for the three GitHub actions that our workflow file uses."""

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.repository import Repository
from sandbox.workflow_file import WorkflowError
from sandbox.workspace import Workspace

STAND_IN = (sys.executable, "-m", "sandbox.tofu")

CHECKOUT = "actions/checkout"
SETUP_OPENTOFU = "opentofu/setup-opentofu"
CONFIGURE_AWS = "aws-actions/configure-aws-credentials"
# The environment that the role trusts.
ENVIRONMENT = "fleet"

# Takes what stands in `with`; gives its outputs, or fails its step.
ActionStandIn = Callable[[Mapping[str, str], Workspace], dict[str, str]]


def played(
    repository: Repository, engine: tuple[str, ...], aws: Mapping[str, str], import_from: Path
) -> dict[str, ActionStandIn]:
    """The stand-ins, by the name that `uses:` has before its `@`.

    `engine` is the command that serves as tofu, `aws` the deploy role's credentials as variables,
    `import_from` where the stand-in engine is imported from.
    """

    def checkout(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _may(CHECKOUT, workspace, "contents", "read")
        ref = _needed(CHECKOUT, given, "ref")
        with_history = given.get("fetch-depth") == "0"
        commit = repository.check_out(ref, workspace.work, with_history=with_history)
        if commit is None:
            raise WorkflowError(f"{CHECKOUT}: there is no branch or commit `{ref}`")
        return {"commit": commit}

    def setup_opentofu(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _needed(SETUP_OPENTOFU, given, "tofu_wrapper")
        file = _needed(SETUP_OPENTOFU, given, "tofu_version_file")
        if not (workspace.work / file).is_file():
            raise WorkflowError(f"{SETUP_OPENTOFU}: `{file}` is not there")
        folder = workspace.tools / "opentofu"
        folder.mkdir(exist_ok=True)
        launcher = folder / "tofu"
        path = shlex.quote(f"{import_from}:{import_from / 'skills'}")
        launcher.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {shlex.join(engine)} "$@"\n')
        launcher.chmod(0o755)
        workspace.path.insert(0, str(folder))
        return {}

    def configure_aws(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _may(CONFIGURE_AWS, workspace, "id-token", "write")
        _needed(CONFIGURE_AWS, given, "role-to-assume")
        region = _needed(CONFIGURE_AWS, given, "aws-region")
        if workspace.job.environment != ENVIRONMENT:
            raise WorkflowError(
                "Could not assume role with OIDC: Not authorized to perform "
                f"sts:AssumeRoleWithWebIdentity (the role trusts the environment `{ENVIRONMENT}`)"
            )
        workspace.log.mask(aws.values())
        workspace.environ |= {**aws, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        return {}

    return {CHECKOUT: checkout, SETUP_OPENTOFU: setup_opentofu, CONFIGURE_AWS: configure_aws}


def _may(action: str, workspace: Workspace, permission: str, level: str) -> None:
    if workspace.job.permissions.get(permission) != level:
        raise WorkflowError(f"{action}: the job has no permission `{permission}: {level}`")


def _needed(action: str, given: Mapping[str, str], key: str) -> str:
    if not given.get(key):
        raise WorkflowError(f"{action}: `{key}` must be set")
    return given[key]
