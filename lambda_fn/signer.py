"""Who signed the request, from the IAM principal AWS vouches for; never from the payload."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from fleet_control.caller import is_instance_id
from lambda_fn.failure import Code, Failure

_ARN = re.compile(r"arn:([\w-]+):(iam|sts)::(\d{12}):([\x21-\x7e]+)", re.ASCII)
_FUNCTION = re.compile(r"arn:([\w-]+):lambda:[\w-]+:(\d{12}):function:\S+", re.ASCII)
_BOT = re.compile(r"[A-Za-z0-9_-]{1,32}")
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


class Agent(NamedTuple):
    """The agent's key of an instance: it speaks as that bot instance and no other."""

    instance: str

    def __str__(self) -> str:
        return f"agent:{self.instance}"


class Chat(NamedTuple):
    """A bot process: it may speak for a person, or for a bot instance it heard in chat."""

    bot: str

    def __str__(self) -> str:
        return f"chat:{self.bot}"


class Operator(NamedTuple):
    """A person whose own ARN is listed, by user or session name."""

    name: str

    def __str__(self) -> str:
        return f"operator:{self.name}"


class Unproven(NamedTuple):
    """No signer to be seen, and the deployment says to take callers at their word."""

    def __str__(self) -> str:
        return "unproven"


Signer = Agent | Chat | Operator | Unproven


def who(
    iam: object, function_arn: str, operators: frozenset[str], allow_unproven: bool
) -> Signer | Failure:
    """`iam` is AWS's ``requestContext.authorizer.iam``, None where no signer can be seen.

    `function_arn` says which account is ours.
    """
    if iam is None:
        return Unproven() if allow_unproven else _unproven()
    arn = iam.get("userArn") if isinstance(iam, Mapping) else None
    parts = _ARN.fullmatch(arn) if isinstance(arn, str) else None
    if not isinstance(iam, Mapping) or parts is None:
        return Failure(Code.UNKNOWN_CALLER, "Who signed this request can't be read.")
    partition, service, account, resource = parts.groups()
    if iam.get("accountId", account) != account:
        return Failure(Code.FORGED_CALLER, "The signer's ARN and account do not agree.")
    if service == "iam" and resource.startswith(("user/fleet/agent/", "user/fleet/chat/")):
        return _of_the_fleet(resource.split("/"), ours=_own(function_arn) == (partition, account))
    return _listed(parts[0], resource, operators)


def _unproven() -> Failure:
    return Failure(
        Code.UNPROVEN_CALLER,
        "Who signed this request can't be seen. Call the Function URL with AWS_IAM, "
        "or set ALLOW_UNPROVEN_CALLER=1 to take callers at their word.",
    )


def _own(function_arn: str) -> tuple[str, ...] | None:
    function = _FUNCTION.fullmatch(function_arn)
    return function.groups() if function else None


def _listed(arn: str, resource: str, operators: frozenset[str]) -> Operator | Failure:
    if arn in operators:
        return Operator(_UNSAFE.sub("-", resource.rpartition("/")[2])[:32])
    return Failure(
        Code.UNKNOWN_CALLER,
        "The signer is no agent and no bot of the fleet, nor listed in CONTROL_API_OPERATORS.",
    )


def _of_the_fleet(path: list[str], *, ours: bool) -> Agent | Chat | Failure:
    """`path` is ``user/fleet/<role>/<owner>/<owner>-<role>``, taken apart at its slashes."""
    if not ours:
        return Failure(Code.FORGED_CALLER, "The signer is of another account than ours.")
    if len(path) == 5 and path[4] == f"{path[3]}-{path[2]}":
        role, owner = path[2], path[3]
        if role == "agent" and is_instance_id(owner):
            return Agent(owner)
        if role == "chat" and _BOT.fullmatch(owner):
            return Chat(owner)
    return Failure(
        Code.FORGED_CALLER,
        "The signer's path and name do not agree. They must be "
        "/fleet/agent/<instance>/<instance>-agent or /fleet/chat/<bot>/<bot>-chat.",
    )
