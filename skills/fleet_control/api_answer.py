"""An answer of the Control API, or of AWS before it: its JSON, or the error that it means."""

import json
from typing import Any, TypeVar

import aiohttp
from pydantic import TypeAdapter, ValidationError

from fleet_control import skew
from fleet_control.error import ControlApiDown, ControlApiError, ControlApiRefused

LONGEST_ANSWER = 1024 * 1024  # bytes

T = TypeVar("T")


class Lost(ControlApiError):
    """Nobody knows whether the request was acted on: its answer did not arrive, or is
    unreadable."""


class BrokenOff(Lost):
    """The connection ended, perhaps a kept-alive one that the other end had closed before."""


async def limited(response: aiohttp.ClientResponse) -> bytes:
    """The body of the response; Lost where it is longer than `LONGEST_ANSWER`."""
    text = bytearray()
    async for chunk in response.content.iter_any():
        text += chunk
        if len(text) > LONGEST_ANSWER:
            raise Lost("The Control API's answer is longer than 1 MiB.")
    return bytes(text)


def understood(status: int, text: bytes, date: str | None = None) -> dict[str, Any]:
    """The JSON of a call that succeeded; raises the error that any other answer means.

    `date` is when it was answered, in the answer's own words.
    """
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _unreadable(status) from error
    if not isinstance(answer, dict):
        raise _unreadable(status)
    if answer.get("ok") is True:
        return answer
    if answer.get("ok") is False and isinstance(answer.get("code"), str):
        raise _refused(status, answer)
    # Not the handler's words but AWS's own: these it says before it would invoke anything.
    if status in (403, 413, 429):
        said = _words(answer)
        skewed = skew.refused(date, str(status), said)
        raise ControlApiDown(skewed or f"AWS refused the call (HTTP {status}): {said}")
    raise _unreadable(status)


def _refused(status: int, answer: dict[str, Any]) -> ControlApiError:
    message = str(answer.get("error", answer["code"]))
    if answer["code"] == "github_unreachable":
        return Lost(message)
    after = answer.get("retry_after")
    return ControlApiRefused(
        answer["code"], message, status, float(after) if isinstance(after, int | float) else None
    )


def _words(answer: dict[str, Any]) -> str:
    """AWS's sentence, but never the canonical request it may quote after it."""
    words = str(answer.get("Message") or answer.get("message") or "Forbidden")
    return words.splitlines()[0][:200]


def _unreadable(status: int) -> ControlApiError:
    return Lost(f"The Control API's answer can't be read (HTTP {status}).")


def part(adapter: TypeAdapter[T], answer: dict[str, Any], field: str) -> T:
    """One field of an answer, checked; ControlApiDown where it is not what it should be."""
    try:
        return adapter.validate_python(answer.get(field))
    except ValidationError as error:
        raise ControlApiDown(f"The Control API's answer has no valid `{field}`.") from error
