"""Every variable of the function's environment, and what is wrong with it, all at once."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambda_fn.failure import Code, Failure
from lambda_fn.secret import Secret

_REPO = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)
_WORKFLOW = re.compile(r"[\w.-]+", re.ASCII)
_REF = re.compile(r"[\w./-]+", re.ASCII)
_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", re.ASCII)
_ARN = re.compile(r"arn:[\w-]+:(?:iam|sts)::\d{12}:\S+", re.ASCII)


class Settings(NamedTuple):
    """`branch` is where the ledger's runs are and the registry is read; `operators` are ARNs."""

    control_token: Secret
    github_token: Secret
    repo: str
    workflow: str
    branch: str
    api_url: str
    operators: frozenset[str]
    allow_unproven: bool


def read(environ: Mapping[str, str]) -> Settings | Failure:
    def text(variable: str, default: str = "") -> str:
        return environ.get(variable, "").strip() or default

    def secret(variable: str) -> Secret:
        return Secret(variable, text(variable), text(f"{variable}_PARAMETER"))

    settings = Settings(
        control_token=secret("CONTROL_API_TOKEN"),
        github_token=secret("GITHUB_TOKEN"),
        repo=text("GITHUB_REPO", "openclaw/clawdinators"),
        workflow=text("GITHUB_WORKFLOW", "fleet-deploy.yml"),
        branch=text("GITHUB_REF", "main").removeprefix("refs/heads/"),
        api_url=text("GITHUB_API_URL", "https://api.github.com").rstrip("/"),
        operators=frozenset(text("CONTROL_API_OPERATORS").replace(",", " ").split()),
        allow_unproven=text("ALLOW_UNPROVEN_CALLER") == "1",
    )
    problems = _problems(settings)
    if problems:
        return Failure(Code.MISCONFIGURED, "The Control API's environment: " + "; ".join(problems))
    return settings


def _problems(settings: Settings) -> list[str]:
    shapes = (
        ("GITHUB_REPO", settings.repo, _REPO, "owner/name"),
        ("GITHUB_WORKFLOW", settings.workflow, _WORKFLOW, "a workflow's file name"),
        ("GITHUB_REF", settings.branch, _REF, "a branch"),
        ("GITHUB_API_URL", settings.api_url, _URL, "an http or https URL"),
    )
    return [
        *(
            f"{secret.variable} (or {secret.variable}_PARAMETER) is missing"
            for secret in (settings.control_token, settings.github_token)
            if not (secret.value or secret.parameter)
        ),
        *(
            f"{variable} must be {what}"
            for variable, value, shape, what in shapes
            if not shape.fullmatch(value)
        ),
        *(
            "CONTROL_API_OPERATORS must be ARNs of users or role sessions, separated by spaces"
            for _ in [0]
            if not all(_ARN.fullmatch(arn) for arn in settings.operators)
        ),
    ]
