"""The three actions our workflow files use, played by ourselves."""

import shlex
import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.repository import Repository
from sandbox.workflow_error import WorkflowError
from sandbox.workspace import Workspace

STAND_IN = (sys.executable, "-m", "sandbox.tofu")

CHECKOUT = "actions/checkout"
SETUP_OPENTOFU = "opentofu/setup-opentofu"
CONFIGURE_AWS = "aws-actions/configure-aws-credentials"


@dataclass(frozen=True, slots=True)
class Action:
    """`known` is what may stand in its `with`; `play` gives its outputs, or fails its step."""

    known: Collection[str]
    play: Callable[[Mapping[str, str], Workspace], dict[str, str]]


def played(
    repository: Repository,
    engine: tuple[str, ...],
    aws: Mapping[str, str],
    import_from: Path,
    environment: str = "fleet",
) -> dict[str, Action]:
    """By the name that `uses:` has before its `@`.

    `engine` is the command that serves as tofu, `aws` the deploy role's credentials as variables,
    `import_from` where the stand-in engine is imported from; `environment` the one that the role
    trusts, empty for any.
    """

    def checkout(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _needs(CHECKOUT, workspace, "contents", "read")
        ref = given.get("ref") or str(workspace.github["sha"])
        commit = repository.check_out(
            ref, workspace.work, with_history=given.get("fetch-depth") == "0"
        )
        if commit is None:
            raise WorkflowError(f"{CHECKOUT}: there is no branch or commit `{ref}`")
        return {"ref": given.get("ref", ""), "commit": commit}

    def setup_opentofu(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        if given.get("tofu_wrapper", "true") != "false":
            raise WorkflowError(f"{SETUP_OPENTOFU}: I play it with `tofu_wrapper: false` only")
        version = _version(given, workspace)
        folder = workspace.tools / "opentofu"
        folder.mkdir(exist_ok=True)
        launcher = folder / "tofu"
        path = shlex.quote(f"{import_from}:{import_from / 'skills'}")
        launcher.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {shlex.join(engine)} "$@"\n')
        launcher.chmod(0o755)
        workspace.path.insert(0, str(folder))
        return {"tofu_version": version}

    def configure_aws(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _needs(CONFIGURE_AWS, workspace, "id-token", "write")
        for key in ("role-to-assume", "aws-region"):
            if not given.get(key):
                raise WorkflowError(f"{CONFIGURE_AWS}: `{key}` must be set")
        if environment and workspace.environment != environment:
            raise WorkflowError(
                "Could not assume role with OIDC: Not authorized to perform "
                f"sts:AssumeRoleWithWebIdentity (the role trusts the environment `{environment}`)"
            )
        region = given["aws-region"]
        workspace.log.mask(aws.values())
        workspace.environ |= {**aws, "AWS_REGION": region, "AWS_DEFAULT_REGION": region}
        return {}

    return {
        CHECKOUT: Action(("fetch-depth", "persist-credentials", "ref"), checkout),
        SETUP_OPENTOFU: Action(
            ("tofu_version", "tofu_version_file", "tofu_wrapper"), setup_opentofu
        ),
        CONFIGURE_AWS: Action(("aws-region", "role-to-assume"), configure_aws),
    }


def _needs(action: str, workspace: Workspace, permission: str, level: str) -> None:
    if workspace.permissions.get(permission) not in (level, "write"):
        raise WorkflowError(f"{action}: the job has no permission `{permission}: {level}`")


def _version(given: Mapping[str, str], workspace: Workspace) -> str:
    """The version asked for: there is one engine, so it is only looked at."""
    file = given.get("tofu_version_file")
    if not file:
        return given.get("tofu_version", "latest")
    try:
        return (workspace.work / file).read_text().strip()
    except OSError as error:
        raise WorkflowError(f"{SETUP_OPENTOFU}: `{file}` can't be read: {error}") from error
