"""The three actions our workflow files use, played by ourselves."""

import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from clawbot.sandbox.expression import WorkflowError
from clawbot.sandbox.job_runner import Action, Workspace
from clawbot.sandbox.repository import Repository

STAND_IN = (sys.executable, "-m", "clawbot.sandbox.tofu")


def played(
    repository: Repository, engine: tuple[str, ...], aws: Mapping[str, str], import_from: Path
) -> dict[str, Action]:
    """By the name that `uses:` has before its `@`.

    `engine` is the command that serves as tofu, `aws` the deploy role's credentials as variables,
    `import_from` where the stand-in engine is imported from.
    """

    def checkout(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _known("actions/checkout", given, {"ref", "persist-credentials"})
        _needs("actions/checkout", workspace, "contents", "read")
        commit = repository.check_out(given.get("ref", ""), workspace.folder)
        if commit is None:
            raise WorkflowError(f"actions/checkout: there is no commit `{given['ref']}`")
        return {"ref": given.get("ref", ""), "commit": commit}

    def setup_opentofu(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        _known("opentofu/setup-opentofu", given, {"tofu_version_file", "tofu_wrapper"})
        folder = workspace.temp / "tofu-bin"
        folder.mkdir()
        launcher = folder / "tofu"
        command = shlex.join(engine)
        path = shlex.quote(f"{import_from}:{import_from / 'skills'}")
        launcher.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {command} "$@"\n')
        launcher.chmod(0o755)
        workspace.path.insert(0, str(folder))
        return {}

    def configure_aws(given: Mapping[str, str], workspace: Workspace) -> dict[str, str]:
        name = "aws-actions/configure-aws-credentials"
        _known(name, given, {"aws-region", "role-to-assume"})
        _needs(name, workspace, "id-token", "write")
        if not given.get("role-to-assume") or not given.get("aws-region"):
            raise WorkflowError(f"{name}: role-to-assume and aws-region must be set")
        if workspace.environment != "fleet":
            raise WorkflowError(f"{name}: the role trusts the environment `fleet` alone")
        region = given["aws-region"]
        workspace.environ.update(aws, AWS_REGION=region, AWS_DEFAULT_REGION=region)
        return {}

    return {
        "actions/checkout": checkout,
        "opentofu/setup-opentofu": setup_opentofu,
        "aws-actions/configure-aws-credentials": configure_aws,
    }


def _known(action: str, given: Mapping[str, str], keys: set[str]) -> None:
    if unknown := given.keys() - keys:
        raise WorkflowError(f"{action}: I don't know `{min(unknown)}`")


def _needs(action: str, workspace: Workspace, permission: str, level: str) -> None:
    if workspace.permissions.get(permission) not in (level, "write"):
        raise WorkflowError(f"{action}: the job has no permission `{permission}: {level}`")
