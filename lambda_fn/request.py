"""A request of the Control API: AWS's event, checked and read into one value.

An event is a Function URL's (payload 2.0), or what was handed over by direct invoke. Everything in
it may have any shape.
"""

import json
import re
from binascii import a2b_base64
from collections.abc import Mapping
from enum import StrEnum, auto
from typing import NamedTuple

from fleet_control import announcement, freeze
from fleet_control.ledger import Entry
from fleet_control.run_title import FIELD_FORMS, TITLE_FIELDS, wrong_fields
from lambda_fn.failure import Code, Failure

MOST_BYTES = 16 * 1024
# Of what a watch keeps; written as JSON, each may take two bytes.
LONGEST_STATE = 6000
_BOT = re.compile(r"[A-Za-z0-9_-]{1,32}")
_MESSAGE = re.compile(r"[0-9]{1,20}")


class RawRequest(NamedTuple):
    """A request as it came, unchecked.

    Attributes:
        token: what it shows as the control token.
        iam: what AWS says of the signer; None where no signer can be seen.
        body: as it came.
        base64: whether the body is base64.
        request_id: of the ask that it is made for, for the log alone.
    """

    token: str
    iam: object
    body: str
    base64: bool = False
    request_id: str = ""


def read(event: object) -> RawRequest:
    event = _object(event)
    if "requestContext" not in event:
        rest = {key: value for key, value in event.items() if key != "control_token"}
        return RawRequest(_text(event.get("control_token")), None, json.dumps(rest))
    context = _object(event["requestContext"])
    if _object(context.get("http")).get("method") != "POST":
        raise Failure(Code.METHOD_NOT_ALLOWED, "Only POST is answered.")
    headers = _object(event.get("headers"))
    authorizer = context.get("authorizer")
    # What is there in a wrong shape must not be mistaken for nothing.
    iam = authorizer.get("iam") if isinstance(authorizer, Mapping) else authorizer
    return RawRequest(
        _text(headers.get("x-clawdinator-token")),
        iam,
        _text(event.get("body")),
        bool(event.get("isBase64Encoded")),
        _text(headers.get("x-clawdinator-request-id")),
    )


def _object(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def payload(request: RawRequest) -> Mapping[str, object]:
    """The JSON object that was sent."""
    body = None
    try:
        raw = request.body.encode("utf-8", "surrogatepass")
        if request.base64 and len(raw) < 2 * MOST_BYTES:
            raw = a2b_base64(raw, strict_mode=True)
        if len(raw) > MOST_BYTES:
            raise Failure(Code.TOO_LARGE, f"The body may have {MOST_BYTES} bytes.")
        body = json.loads(raw)
    except (ValueError, RecursionError):
        pass
    if isinstance(body, dict):
        return body
    raise Failure(Code.BAD_REQUEST, "The body must be a JSON object.")


class ApiAction(StrEnum):
    DEPLOY = auto()
    RUN = auto()
    RUNS = auto()
    REGISTRY = auto()
    CANCEL = auto()
    STOP = auto()
    TOLD = auto()
    HISTORY = auto()
    FREEZE = auto()
    UNFREEZE = auto()
    HOLDS = auto()
    PREFLIGHT = auto()
    LIVING = auto()
    ANNOUNCE = auto()
    WATCH = auto()


class ApiRequest(NamedTuple):
    """`entry` holds what a title of the ledger would; `unfinished` asks for runs that have not
    ended, and those that ended within a day; `revisions`, `last_words` and `operations` for what a
    bot of before there were any could not read; `end` is what an asker was told of; `page` counts
    from 1; `duration` in seconds and `reason` are a freeze's; `channel` and `message` an
    announcement's, `answered` that the dead reply was, `bot` is who asks for it; `state` and
    `version` are a watch's, the state None where it is only read; `began` is when the process that
    asks did, Unix milliseconds, 0 of a bot of before."""

    action: ApiAction
    entry: Entry
    run_id: int
    limit: int
    unfinished: bool
    revisions: bool = False
    last_words: bool = False
    operations: bool = False
    end: str = ""
    page: int = 1
    duration: int = freeze.USUAL_SECONDS
    reason: str = ""
    channel: str = ""
    bot: str = ""
    message: str = ""
    answered: bool = False
    state: str | None = None
    version: int = 0
    began: int = 0


_KEYS = {
    ApiAction.DEPLOY: TITLE_FIELDS,
    ApiAction.RUN: ("run_id", "revisions", "last_words", "operations"),
    ApiAction.RUNS: ("limit", "request_id", "unfinished", "revisions", "operations"),
    ApiAction.REGISTRY: (),
    ApiAction.CANCEL: ("run_id", "requested_by"),
    ApiAction.STOP: ("requested_by",),
    ApiAction.TOLD: ("request_id", "end"),
    ApiAction.HISTORY: ("target", "page"),
    ApiAction.FREEZE: ("seconds", "reason", "requested_by"),
    ApiAction.UNFREEZE: ("requested_by",),
    ApiAction.HOLDS: (),
    ApiAction.PREFLIGHT: (),
    ApiAction.LIVING: ("request_id", "began"),
    ApiAction.ANNOUNCE: ("run_id", "channel", "bot", "message", "end", "answered", "began"),
    ApiAction.WATCH: ("channel", "bot", "state", "version", "began"),
}
_NEEDED = (
    (ApiAction.DEPLOY, "target"),
    (ApiAction.TOLD, "request_id"),
    (ApiAction.LIVING, "request_id"),
)
_FORMS = {
    "request_id": "<platform>.<bot>.<channel>.<asked>",
    "reply": "the id of a message",
    "target": "`all` or an instance id",
    "ami_override": "an image id, ami-…",
    "revision": "the first digits of a commit, seven or more",
    "caller": "an instance id or null",
    "requested_by": "<platform>:<user id> <name>",
    "operation": "rollback, resume or unlock, or nothing to deploy",
    "override": "`freeze` or nothing",
    "channel": "discord:<channel> or telegram:<chat>, there with /<topic>",
    "bot": "the name that the chat key carries",
    "message": "the id of a message",
}


def parse(body: Mapping[str, object]) -> ApiRequest:
    """The request that this body holds; the Failure does not quote it, since it may hold a
    secret."""
    try:
        return _parse(body)
    except ValueError as error:
        raise Failure(Code.BAD_REQUEST, f"{error}.") from error


def _parse(body: Mapping[str, object]) -> ApiRequest:
    action = next((one for one in ApiAction if one == body.get("action")), None)
    if not action:
        raise ValueError(f"`action` must be one of {', '.join(ApiAction)} (status: ask EC2)")
    known = "action", *_KEYS[action]
    if not body.keys() <= set(known):
        raise ValueError(f"A key is unknown: `{action}` takes {', '.join(known)}")
    if body.get("ami_override") and body.get("revision"):
        raise ValueError("`ami_override` and `revision` exclude each other: name one of them")
    entry = Entry(*(_field(body, key, needed=(action, key) in _NEEDED) for key in TITLE_FIELDS))
    if wrong_fields(entry):
        raise ValueError("`target` must be a run's id to resume, or a lock's to unlock")
    return ApiRequest(
        action,
        entry,
        _number(body.get("run_id"), "run_id", 2**63) if "run_id" in known else 0,
        _number(body.get("limit", 10), "limit", 100),
        _flag(body, "unfinished"),
        _flag(body, "revisions"),
        _flag(body, "last_words"),
        _flag(body, "operations"),
        _end(body.get("end", "")),
        _number(body.get("page", 1), "page", 100),
        _number(body.get("seconds", freeze.USUAL_SECONDS), "seconds", freeze.LONGEST_SECONDS),
        _reason(body.get("reason", "")),
        _formed(body, "channel", announcement.CHANNEL) if "channel" in known else "",
        _formed(body, "bot", _BOT) if "bot" in known else "",
        _formed(body, "message", _MESSAGE) if body.get("message") else "",
        _flag(body, "answered"),
        _state(body.get("state")),
        _number(body.get("version", 0), "version", 2**53, least=0),
        _number(body.get("began", 0), "began", 2**53, least=0),
    )


def _field(body: Mapping[str, object], key: str, *, needed: bool) -> str:
    value = body.get(key)
    if value in (None, "") and not needed:
        return ""
    if isinstance(value, str) and FIELD_FORMS[key](value):
        return value
    raise ValueError(f"`{key}` must be {_FORMS[key]}")


def _flag(body: Mapping[str, object], key: str) -> bool:
    value = body.get(key, False)
    if isinstance(value, bool):
        return value
    raise ValueError(f"`{key}` must be true or false")


def _end(value: object) -> str:
    if isinstance(value, str) and re.fullmatch(r"[a-z]{0,20}", value):
        return value
    raise ValueError("`end` must be a word of small letters")


def _reason(value: object) -> str:
    if isinstance(value, str):
        return freeze.one_line(value)
    raise ValueError("`reason` must be a text")


def _formed(body: Mapping[str, object], key: str, form: re.Pattern[str]) -> str:
    value = body.get(key)
    if isinstance(value, str) and form.fullmatch(value):
        return value
    raise ValueError(f"`{key}` must be {_FORMS[key]}")


def _state(value: object) -> str | None:
    if value is None or (isinstance(value, str) and len(value) <= LONGEST_STATE):
        return value
    raise ValueError(f"`state` must be a text of at most {LONGEST_STATE} characters")


def _number(value: object, key: str, most: int, least: int = 1) -> int:
    if type(value) is int and least <= value <= most:  # True is an int too
        return value
    raise ValueError(f"`{key}` must be a whole number from {least} to {most}")
