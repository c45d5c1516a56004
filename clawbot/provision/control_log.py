"""The Control API's log as CloudWatch keeps it: what it answered, a line for each request."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision.error import ProvisionError
from fleet_control import aws_error

# As tofu/control/function.tf has it.
FUNCTION = "clawdinator-control-api"
GROUP = f"/aws/lambda/{FUNCTION}"
EVENT = "control.answered"
# What does something, where it is not refused; a stop among them.
ACTS = ("deploy", "cancel", "stop", "freeze", "unfreeze")
_WANTED = " || ".join(("$.status != 200", *(f'$.action = "{one}"' for one in ACTS)))
# CloudWatch leaves out what was only read: bots read every ten seconds.
PATTERN = f'{{ $.event = "{EVENT}" && ({_WANTED}) }}'
_FORBIDDEN = 403
_NEEDS = f"It needs the right logs:FilterLogEvents on `{GROUP}`."


@dataclass(frozen=True, slots=True)
class ControlLine:
    """One answer of the Control API's.

    Attributes:
        at: Unix seconds.
        fields: whatever the line has, by its names.
    """

    at: float
    status: int
    fields: Mapping[str, object]

    def text(self, name: str) -> str:
        """One of its fields, in words; empty where it has none such."""
        return str(self.fields.get(name) or "")

    @property
    def action(self) -> str:
        return self.text("action")

    @property
    def request_id(self) -> str:
        return self.text("request_id")

    @property
    def code(self) -> str:
        """Of a refusal; empty where it did what was asked."""
        return self.text("code")


def read(logs: Any, since: float) -> list[ControlLine]:
    """The lines of what was done or refused since then, oldest first, by a client of CloudWatch
    Logs; ProvisionError where they can't be had."""
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=GROUP, startTime=int(since * 1000), filterPattern=PATTERN
        )
        events = [event for page in pages for event in page["events"]]
    except (BotoCoreError, ClientError) as error:
        raise ProvisionError(_why(error)) from error
    found = (_line(event["timestamp"] / 1000, event["message"]) for event in events)
    return sorted((one for one in found if one and _is_wanted(one)), key=lambda one: one.at)


def _why(error: BotoCoreError | ClientError) -> str:
    name = aws_error.name(error)
    if name == "ResourceNotFoundException":
        return (
            f"The Control API's log can't be read: this account has no log group `{GROUP}` in this "
            "region. Apply `tofu/control`; AWS_REGION names the region."
        )
    if name == "AccessDeniedException" or _status(error) == _FORBIDDEN:
        return f"The Control API's log can't be read with these credentials. {_NEEDS}"
    return f"The Control API's log can't be read. {aws_error.words(error, f'AWS says {name}.')}"


def _status(error: BotoCoreError | ClientError) -> int:
    """Of AWS's answer; 0 where there was none."""
    if not isinstance(error, ClientError):
        return 0
    return error.response["ResponseMetadata"]["HTTPStatusCode"]


def _is_wanted(line: ControlLine) -> bool:
    return line.action in ACTS or line.status != 200


def _line(at: float, message: str) -> ControlLine | None:
    """None for whatever AWS itself writes there, and for what is of before this form."""
    try:
        found = json.loads(message)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or found.get("event") != EVENT:
        return None
    status = found.get("status")
    return ControlLine(at, status if isinstance(status, int) else 0, found)
