"""What is asked: a JSON object, read into one of five asks."""

from collections.abc import Mapping
from typing import NamedTuple

from fleet_control import ledger
from fleet_control.caller import is_instance_id, is_target
from lambda_fn.failure import Code, Failure


class Deploy(NamedTuple):
    entry: ledger.Entry


class ReadRun(NamedTuple):
    run_id: int


class ListRuns(NamedTuple):
    """`unfinished`: those that have not ended, and those that ended within a day."""

    limit: int = 10
    request_id: str = ""
    unfinished: bool = False


class ReadRegistry(NamedTuple):
    pass


class Cancel(NamedTuple):
    run_id: int
    requested_by: str


Ask = Deploy | ReadRun | ListRuns | ReadRegistry | Cancel

_KEYS = {
    "deploy": ledger.TITLE_FIELDS,
    "run": ("run_id",),
    "runs": ("limit", "request_id", "unfinished"),
    "registry": (),
    "cancel": ("run_id", "requested_by"),
}
ACTIONS = tuple(_KEYS)


def parse(body: Mapping[str, object]) -> Ask | Failure:
    """What was sent is not quoted back: it may hold anything, a secret too."""
    action = body.get("action")
    if action == "status":
        return Failure(
            Code.BAD_REQUEST, "`status` is not asked here: it is read from EC2 directly."
        )
    if not isinstance(action, str) or action not in _KEYS:
        return Failure(Code.BAD_REQUEST, f"`action` must be one of {', '.join(ACTIONS)}.")
    unknown = len(body.keys() - {"action", *_KEYS[action]})
    if unknown:
        known = ", ".join(("action", *_KEYS[action]))
        return Failure(Code.BAD_REQUEST, f"{unknown} unknown key(s): `{action}` takes {known}.")
    try:
        return _read(action, body)
    except ValueError as error:
        return Failure(Code.BAD_REQUEST, str(error))


def _read(action: str, body: Mapping[str, object]) -> Ask:
    match action:
        case "deploy":
            return Deploy(_entry(body))
        case "run":
            return ReadRun(_run_id(body))
        case "runs":
            return ListRuns(_limit(body), _request_id(body), _unfinished(body))
        case "cancel":
            return Cancel(_run_id(body), _requested_by(body))
        case _:
            return ReadRegistry()


def _entry(body: Mapping[str, object]) -> ledger.Entry:
    entry = ledger.Entry(
        request_id=_request_id(body),
        reply=_text(body, "reply"),
        target=_text(body, "target"),
        ami_override=_text(body, "ami_override"),
        caller=_text(body, "caller"),
        requested_by=_requested_by(body),
    )
    if not is_target(entry.target):
        raise ValueError("`target` must be `all` or an instance id.")
    if entry.ami_override and not ledger.is_image_id(entry.ami_override):
        raise ValueError("`ami_override` must be an image id: ami- and 8 or 17 hex digits.")
    if entry.caller and not is_instance_id(entry.caller):
        raise ValueError("`caller` must be an instance id, or null for a person.")
    if entry.reply and not ledger.is_reply_id(entry.reply):
        raise ValueError("`reply` must be the id of a message: at most 20 letters, digits, _ or -.")
    return entry


def _text(body: Mapping[str, object], key: str) -> str:
    value = body.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ValueError(f"`{key}` must be text.")
    return value


def _request_id(body: Mapping[str, object]) -> str:
    text = _text(body, "request_id")
    if text:
        try:
            ledger.parse_request_id(text)
        except ValueError as error:
            raise ValueError(f"`request_id`: {error}.") from error
    return text


def _requested_by(body: Mapping[str, object]) -> str:
    text = _text(body, "requested_by")
    if text and not ledger.is_requested_by(text):
        raise ValueError(
            "`requested_by` must be <platform>:<user id>, a space, and a name of at most 32 "
            "letters, digits, _ . @ or -."
        )
    return text


def _run_id(body: Mapping[str, object]) -> int:
    return _number(body, "run_id", None, 2**63 - 1)


def _limit(body: Mapping[str, object]) -> int:
    return _number(body, "limit", 10, 100)


def _number(body: Mapping[str, object], key: str, default: int | None, most: int) -> int:
    value = body.get(key, default)
    # type(), since True is an int too
    if type(value) is not int or not 1 <= value <= most:
        raise ValueError(f"`{key}` must be a whole number from 1 to {most}.")
    return value


def _unfinished(body: Mapping[str, object]) -> bool:
    value = body.get("unfinished", False)
    if not isinstance(value, bool):
        raise ValueError("`unfinished` must be true or false.")
    return value
