"""Whom a signer may speak for: the rules of DESIGN.md per kind of key."""

from typing import NamedTuple

from fleet_control.caller import BotInstance, Caller, Human, caller_field
from fleet_control.ledger import Entry, parse_request_id
from lambda_fn.failure import Code, Failure
from lambda_fn.signer import Agent, Chat, Operator, Signer, Unproven

_CHAT_PLATFORMS = ("discord", "telegram", "terminal")


class Spoken(NamedTuple):
    """Who really asks, and the ask with only what that one may say in it."""

    caller: Caller
    entry: Entry


def speak(signer: Signer, entry: Entry) -> Spoken | Failure:
    match signer:
        case Agent():
            return _agent(signer, entry)
        case Chat():
            return _chat(signer, entry)
        case Operator():
            return _operator(signer, entry)
        case Unproven():
            return _spoken(_heard(entry), entry)


def _agent(signer: Agent, entry: Entry) -> Spoken | Failure:
    wrong = _wrong_request_id(entry, ("agent",), signer.instance)
    if wrong:
        return wrong
    if entry.reply:
        return Failure(Code.FORGED_CALLER, "An agent's key has no reply to keep up to date.")
    return _spoken(BotInstance(signer.instance), entry._replace(requested_by=""))


def _chat(signer: Chat, entry: Entry) -> Spoken | Failure:
    wrong = _wrong_request_id(entry, _CHAT_PLATFORMS, signer.bot)
    if wrong:
        return wrong
    if entry.requested_by or not entry.caller:
        refused = person_missing(entry.requested_by)
        if refused:
            return refused
    return _spoken(_heard(entry), entry)


def _operator(signer: Operator, entry: Entry) -> Spoken | Failure:
    wrong = _wrong_request_id(entry, ("operator",), signer.name)
    if wrong:
        return wrong
    if entry.caller:
        return Failure(Code.BAD_REQUEST, "An operator speaks as a person: leave `caller` out.")
    return _spoken(Human(str(signer), operator=True), entry._replace(requested_by=str(signer)))


def person_missing(requested_by: str) -> Failure | None:
    """Why a chat key's `requested_by` names no person that a bot can have heard."""
    if not requested_by:
        return Failure(Code.BAD_REQUEST, "`requested_by` must say which person asks.")
    if not requested_by.startswith(tuple(f"{platform}:" for platform in _CHAT_PLATFORMS)):
        return Failure(Code.FORGED_CALLER, "A chat key can't speak for an operator's own key.")
    return None


def may_cancel(signer: Signer, requested_by: str) -> Failure | None:
    match signer:
        case Agent():
            return Failure(Code.FORGED_CALLER, "Only a person may cancel; this key is an agent's.")
        case Chat():
            return person_missing(requested_by)
        case Operator() | Unproven():
            return None


def _wrong_request_id(entry: Entry, platforms: tuple[str, ...], bot: str) -> Failure | None:
    expected = f"{'|'.join(platforms)}.{bot}.<channel>.<asked>"
    if not entry.request_id:
        return Failure(Code.BAD_REQUEST, f"`request_id` is missing: {expected}.")
    request_id = parse_request_id(entry.request_id)
    if request_id.platform in platforms and request_id.bot == bot:
        return None
    return Failure(Code.FORGED_CALLER, f"This key's request ids are {expected}.")


def _heard(entry: Entry) -> Caller:
    """Whom the depth before says it heard. It looked up whether a person is an operator."""
    if entry.caller:
        return BotInstance(entry.caller)
    return Human(entry.requested_by, operator=True)


def _spoken(caller: Caller, entry: Entry) -> Spoken:
    return Spoken(caller, entry._replace(caller=caller_field(caller)))
