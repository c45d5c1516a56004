"""Who signed the request, as AWS vouches for it, and for whom that signer may speak."""

import re
from collections.abc import Mapping
from enum import StrEnum, auto
from typing import NamedTuple

from fleet_control.caller import is_instance_id
from fleet_control.ledger import Entry, parse_request_id
from fleet_control.policy import RefusalCode
from lambda_fn.failure import Code, Failure
from lambda_fn.settings import FunctionSettings


class SignerRole(StrEnum):
    AGENT = auto()
    """An instance's agent: it speaks as that bot instance and no other."""
    CHAT = auto()
    """A bot process: it may speak for a person, or for a bot instance it heard in chat."""
    OPERATOR = auto()
    """A person whose own ARN is listed."""
    UNPROVEN = auto()
    """No signer to be seen, where the deployment says to take callers at their word."""


_CHAT = ("discord", "telegram", "terminal")


class Signer(NamedTuple):
    """`name`: of the instance, the bot, or the operator."""

    role: SignerRole
    name: str = ""


def read_signer(iam: object, function_arn: str, settings: FunctionSettings) -> Signer:
    """`iam` is AWS's ``requestContext.authorizer.iam``, None where no signer can be seen.

    `function_arn` says which account is ours.
    """
    if iam is None:
        if settings.allow_unproven:
            return Signer(SignerRole.UNPROVEN)
        raise Failure(
            Code.UNPROVEN_CALLER,
            "Who signed this can't be seen (see ALLOW_UNPROVEN_CALLER).",
        )
    seen = iam if isinstance(iam, Mapping) else {}
    arn = str(seen.get("userArn")).split(":")
    if len(arn) != 6 or arn[0] != "arn":
        raise Failure(Code.UNKNOWN_CALLER, "Who signed this can't be read.")
    account, path = arn[4], arn[5].split("/")
    fleet = path[:2] == ["user", "fleet"] and path[2:3] in (["agent"], ["chat"])
    ours = function_arn.split(":")
    if seen.get("accountId", account) != account or (fleet and ours[1:5:3] != [arn[1], account]):
        raise _forged("The signer is not of our account")
    if fleet:
        return _of_the_fleet(SignerRole(path[2]), path[3:])
    if seen["userArn"] in settings.operators:
        return Signer(SignerRole.OPERATOR, re.sub(r"[^A-Za-z0-9_-]+", "-", path[-1])[:32])
    raise Failure(
        Code.UNKNOWN_CALLER, "The signer is not of the fleet, nor in CONTROL_API_OPERATORS."
    )


def _of_the_fleet(role: SignerRole, path: list[str]) -> Signer:
    """`path` is ``<owner>/<owner>-<role>``, taken apart."""
    name = path[0] if path else ""
    is_bot = role is SignerRole.CHAT and re.fullmatch(r"[A-Za-z0-9_-]{1,32}", name)
    if path[1:] == [f"{name}-{role}"] and (is_bot or is_instance_id(name)):
        return Signer(role, name)
    raise _forged("The signer's path and name do not agree")


def spoken_by(signer: Signer, entry: Entry) -> Entry:
    """The entry under the signer's own name; a Failure where it claims another's, or asks for what
    no bot instance may."""
    if entry.is_for_people and (entry.caller or signer.role is SignerRole.AGENT):
        what = entry.operation or "override of a freeze"
        raise Failure(RefusalCode.NOT_OPERATOR, f"Only a person may ask for that: {what}.")
    if signer.role is SignerRole.UNPROVEN:
        return entry
    _check_request_id(signer, entry.request_id)
    if signer.role is SignerRole.AGENT:
        if entry.reply:
            raise _forged("An agent has no `reply`")
        return entry._replace(caller=signer.name, requested_by="")
    if signer.role is SignerRole.OPERATOR:
        if entry.caller:
            raise Failure(Code.BAD_REQUEST, "An operator has no `caller`.")
        return entry._replace(requested_by=f"operator:{signer.name}")
    if entry.requested_by or not entry.caller:
        check_person(signer, entry.requested_by)
    return entry


def check_person(signer: Signer, requested_by: str) -> None:
    """Whether a person speaks through this signer."""
    if signer.role is SignerRole.AGENT:
        raise _forged("An agent can't speak for a person")
    if signer.role is SignerRole.CHAT:
        if not requested_by:
            raise Failure(Code.BAD_REQUEST, "`requested_by` is missing.")
        if requested_by.startswith("operator:"):
            raise _forged("A chat key can't speak for an operator")


def person(signer: Signer, requested_by: str) -> str:
    """The person who speaks through this signer, by account and name."""
    check_person(signer, requested_by)
    who = f"operator:{signer.name}" if signer.role is SignerRole.OPERATOR else requested_by
    if not who:
        raise Failure(Code.BAD_REQUEST, "`requested_by` is missing.")
    return who


def check_bot(signer: Signer, request_id: str) -> None:
    """Whether it is the bot that heard this ask, who alone tells its asker."""
    if signer.role is SignerRole.UNPROVEN:
        return
    if signer.role is not SignerRole.CHAT:
        raise _forged("Only a chat key tells people how their deploys ended")
    _check_request_id(signer, request_id)


def check_itself(signer: Signer, bot: str) -> None:
    """Whether it is this bot that asks: a channel of the fleet is told by bots alone."""
    if signer.role is SignerRole.UNPROVEN:
        return
    if signer.role is not SignerRole.CHAT:
        raise _forged("Only a chat key tells the fleet's channels")
    if bot != signer.name:
        raise _forged(f"`bot` must be {signer.name}, whose key signed")


def followed(signer: Signer, request_id: str) -> str:
    """This request id, where the signer may say it: only the log has it."""
    try:
        _check_request_id(signer, request_id)
    except (Failure, ValueError):
        return ""
    return request_id


def _check_request_id(signer: Signer, text: str) -> None:
    platforms = _CHAT if signer.role is SignerRole.CHAT else (str(signer.role),)
    form = f"`request_id` must be {'|'.join(platforms)}.{signer.name}.<channel>.<asked>"
    if not text:
        raise Failure(Code.BAD_REQUEST, f"{form}.")
    request_id = parse_request_id(text)
    if request_id.platform not in platforms or request_id.bot != signer.name:
        raise _forged(form)


def _forged(why: str) -> Failure:
    return Failure(Code.FORGED_CALLER, f"{why}.")
