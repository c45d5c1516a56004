"""The function's environment: every variable, and the secrets that these hold or name."""

import json
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambda_fn.aws import SSM, AwsApi
from lambda_fn.failure import Code, Failure
from lambda_fn.http_client import Budget
from lambda_fn.mask import shown

KEPT_SECONDS = 300.0
_OURS = ("CONTROL_", "GITHUB_", "ALLOW_UNPROVEN_CALLER")


class SecretSource(NamedTuple):
    """A secret's `value`, or the name of the `parameter` that holds it."""

    variable: str
    value: str
    parameter: str


class FunctionSettings(NamedTuple):
    """`branch` is where the ledger's runs are and the registry is read; `operators` are ARNs;
    `account` is the number of the one whose runs' titles are believed, empty for anybody's;
    `table` is the control table's name, or empty where there is none; `lock_table` is OpenTofu's,
    and `state_lock` the key of the fleet's lock in it."""

    control_token: SecretSource
    github_token: SecretSource
    repo: str
    workflow: str
    branch: str
    api_url: str
    operators: tuple[str, ...]
    allow_unproven: bool
    account: str = ""
    table: str = ""
    lock_table: str = ""
    state_lock: str = ""


def read_settings(environ: Mapping[str, str]) -> FunctionSettings:
    def text(variable: str, default: str = "") -> str:
        return environ.get(variable, "").strip() or default

    secrets = [
        SecretSource(variable, text(variable), text(f"{variable}_PARAMETER"))
        for variable in ("CONTROL_API_TOKEN", "GITHUB_TOKEN")
    ]
    problems = [
        f"{variable} stands in quotes: leave them out"
        for variable in environ
        if variable.startswith(_OURS) and _in_quotes(text(variable))
    ]
    problems += [
        f"{variable} (or {variable}_PARAMETER) is missing"
        for variable, value, parameter in secrets
        if not (value or parameter)
    ]
    api_url = text("GITHUB_API_URL", "https://api.github.com").rstrip("/")
    if not api_url.startswith(("https://", "http://")):
        problems.append("GITHUB_API_URL must be an http(s) URL")
    if problems:
        raise Failure(Code.MISCONFIGURED, "The environment: " + "; ".join(problems))
    control_token, github_token = secrets
    return FunctionSettings(
        control_token,
        github_token,
        repo=text("GITHUB_REPO", "openclaw/clawdinators"),
        workflow=text("GITHUB_WORKFLOW", "fleet-deploy.yml"),
        branch=text("GITHUB_REF", "main").removeprefix("refs/heads/"),
        api_url=api_url,
        operators=tuple(text("CONTROL_API_OPERATORS").replace(",", " ").split()),
        allow_unproven=text("ALLOW_UNPROVEN_CALLER") == "1",
        account=text("CONTROL_API_ACCOUNT").rpartition(":")[2],
        table=text("CONTROL_TABLE"),
        lock_table=text("LOCK_TABLE"),
        state_lock=text("STATE_LOCK"),
    )


class SecretReader:
    """Reads secrets; those from parameters are cached for five minutes of `now`."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._kept: dict[str, tuple[float, list[str]]] = {}

    def read(
        self, secret: SecretSource, environ: Mapping[str, str], budget: Budget, fresh: bool = False
    ) -> list[str]:
        """The secrets it holds, one a line: two while one is being replaced."""
        if secret.value:
            return _lines(secret, secret.value)
        read_at, lines = self._kept.get(secret.parameter, (0.0, []))
        if fresh or not 0 <= self._now() - read_at < KEPT_SECONDS:
            lines = _lines(secret, _from_ssm(secret.parameter, environ, budget))
            self._kept[secret.parameter] = self._now(), lines
        return lines

    def known(self, *secrets: SecretSource) -> list[str]:
        """Those of these secrets that are cached or set, without asking anybody."""
        held = [secret.value.split() for secret in secrets]
        held += [self._kept[one.parameter][1] for one in secrets if one.parameter in self._kept]
        return [line for lines in held for line in lines]


def _in_quotes(text: str) -> bool:
    return len(text) > 1 and text[0] == text[-1] and text[0] in "\"'`"


def _lines(secret: SecretSource, text: str) -> list[str]:
    """Printable: a header refuses anything else, in words that quote it."""
    lines = text.split()
    if any(map(_in_quotes, lines)):
        raise Failure(Code.MISCONFIGURED, f"{secret.variable} stands in quotes: leave them out.")
    if lines and all(line.isascii() and line.isprintable() for line in lines):
        return lines
    raise Failure(Code.MISCONFIGURED, f"{secret.variable} must be printable ASCII, not empty.")


def _from_ssm(parameter: str, environ: Mapping[str, str], budget: Budget) -> str:
    name = f"SSM's {parameter}"
    said = {"Name": parameter, "WithDecryption": True}
    answer = AwsApi(environ, budget).ask(SSM, "GetParameter", said, Code.MISCONFIGURED, name)
    if answer.status != 200:
        why = shown(answer.body.decode("utf-8", "replace"))
        raise Failure(Code.MISCONFIGURED, f"{name} can't be read: {why}")
    return str(json.loads(answer.body)["Parameter"]["Value"])
