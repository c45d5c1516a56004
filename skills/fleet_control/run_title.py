"""A run's title: what was asked, in a fixed form, and what each of its fields may hold.

The address stands first and the requester's name last, so that a cut costs only that. An image and
a commit share one field, since an ask names one of them at the most; so do the target and what is
done with it: `all`, `rollback:claw-2`, `claw-2!`, where the mark means that a freeze is overridden.
The contract test holds the workflow's `run-name` to `title`.

Standard library only: the Lambda carries this file.
"""

import re
from collections.abc import Callable, Mapping
from unicodedata import normalize

from fleet_control.caller import BotInstance, Caller, is_instance_id, is_target
from fleet_control.ledger import OVERRIDE, REVISION_LENGTH, Entry, Operation, parse_request_id
from fleet_control.line import printable
from fleet_control.seed import is_revision

SEPARATOR = " | "
NOTHING = "-"
TITLE_LENGTH = 250
NAME_LENGTH = 32

_REPLY = r"[A-Za-z0-9_-]{1,20}"
_IMAGE = r"ami-(?:[0-9a-f]{8}|[0-9a-f]{17})"
_ACCOUNT = r"(?:discord|telegram|terminal|operator):[A-Za-z0-9_+=,@-]{1,36}"
_NAME = r"[\w.@ -]*"
_UNSAFE = r"[^\w.@-]+"
_OPERATION_MARK, _OVERRIDE_MARK = ":", "!"
_LOCK = r"[0-9a-f-]{8,36}"
_RUN = r"[1-9][0-9]{0,18}"


def is_image_id(text: str) -> bool:
    return re.fullmatch(_IMAGE, text) is not None


def is_reply_id(text: str) -> bool:
    return re.fullmatch(_REPLY, text) is not None


def is_requested_by(text: str) -> bool:
    account, _, name = text.partition(" ")
    return (
        re.fullmatch(_ACCOUNT, account) is not None
        and len(name) <= NAME_LENGTH
        and re.fullmatch(_NAME, name) is not None
    )


def caller_field(caller: Caller) -> str:
    """The ledger's `caller`: the bot instance's id, or nothing for a person."""
    return caller.instance if isinstance(caller, BotInstance) else ""


def requested_by(account: str, name: str) -> str:
    """``<platform>:<user id> <name>``, the name cut to 32 characters that are safe in a title."""
    safe = re.sub(_UNSAFE, "-", normalize("NFC", printable(name))).strip("-")[:NAME_LENGTH]
    return f"{account} {safe}".rstrip()


def fit(entry: Entry) -> Entry:
    """The same ask with the requester's name cut so that the title is at most 250 characters, and
    the commit to as many digits as a title carries."""
    entry = entry._replace(revision=entry.revision[:REVISION_LENGTH])
    over = len(title(entry)) - TITLE_LENGTH
    if over <= 0:
        return entry
    return entry._replace(requested_by=entry.requested_by[:-over].rstrip())


def title(entry: Entry) -> str:
    """The run's title, as the workflow's `run-name` writes it."""
    fields = (
        entry.request_id,
        entry.reply,
        _marked(entry),
        entry.image_or_commit,
        entry.caller,
        entry.requested_by,
    )
    return SEPARATOR.join(field or NOTHING for field in fields)


def _marked(entry: Entry) -> str:
    begin = f"{entry.operation}{_OPERATION_MARK}" if entry.operation else ""
    return f"{begin}{entry.target or NOTHING}{_OVERRIDE_MARK if entry.override else ''}"


def parse_title(text: str) -> Entry | None:
    """The ask a run's title carries, or None where the title has another form."""
    fields = ["" if field == NOTHING else field for field in text.split(SEPARATOR)]
    if len(fields) != _TITLE_PARTS:
        return None
    request_id, reply, marked, named, caller, by = fields
    operation, mark, target = marked.rpartition(_OPERATION_MARK)
    whole = target.removesuffix(_OVERRIDE_MARK)
    override = OVERRIDE if whole != target else ""
    entry = Entry(request_id, reply, whole, "", "", caller, by, operation, override).naming(named)
    is_whole = entry.target and bool(operation) == bool(mark)
    return entry if is_whole and not wrong_fields(entry) else None


def is_run_id(text: str) -> bool:
    return re.fullmatch(_RUN, text) is not None


def is_lock_id(text: str) -> bool:
    return re.fullmatch(_LOCK, text) is not None


def _is_override(text: str) -> bool:
    return text == OVERRIDE


def _is_operation(text: str) -> bool:
    return text in list(Operation)


def _is_some_target(text: str) -> bool:
    return any(is_one(text) for is_one in _TARGETS.values())


# What the target must be, by what is done with it.
_TARGETS: Mapping[str, Callable[[str], bool]] = {
    Operation.DEPLOY: is_target,
    Operation.ROLLBACK: is_target,
    Operation.RESUME: is_run_id,
    Operation.UNLOCK: is_lock_id,
}
_TITLE_PARTS = 6
# What each field must be where it is not empty. A ValueError says what is wrong, as False does.
FIELD_FORMS: Mapping[str, Callable[[str], object]] = {
    "request_id": parse_request_id,
    "reply": is_reply_id,
    "target": _is_some_target,
    "ami_override": is_image_id,
    "revision": is_revision,
    "caller": is_instance_id,
    "requested_by": is_requested_by,
    "operation": _is_operation,
    "override": _is_override,
}
TITLE_FIELDS = tuple(FIELD_FORMS)


def has_form(field: str, value: str) -> bool:
    """Whether this field of a title may hold `value`."""
    try:
        return bool(FIELD_FORMS[field](value))
    except ValueError:
        return False


def wrong_fields(entry: Entry) -> tuple[str, ...]:
    """The fields that have not the form they must have: those said, and a target of its operation's
    kind."""
    said = {name: value for name, value in entry._asdict().items() if value}
    wrong = [name for name, value in said.items() if not has_form(name, value)]
    is_one = _TARGETS.get(entry.operation)
    if "target" in said and "target" not in wrong and is_one and not is_one(entry.target):
        wrong.append("target")
    return tuple(wrong)
