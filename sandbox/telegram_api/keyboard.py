"""Which inline keyboards Telegram takes."""

import json
from typing import Any

from sandbox.telegram_api.refusal import bad_request

MOST_BUTTONS = 100
LONGEST_DATA = 64


def read_keyboard(raw: str | None) -> dict[str, Any] | None:
    """A `reply_markup` as it was sent; Refusal where Telegram would not take it."""
    if not raw:
        return None
    try:
        markup = json.loads(raw)
        rows = markup["inline_keyboard"]
        buttons = [button for row in rows for button in row]
    except (ValueError, KeyError, TypeError):
        raise bad_request("object expected as reply markup") from None
    if len(buttons) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    for button in buttons:
        _check(button)
    return {"inline_keyboard": rows} if buttons else None


def _check(button: dict[str, Any]) -> None:
    if not button.get("text"):
        raise bad_request("button text must be non-empty")
    kinds = {"callback_data", "url"} & set(button)
    if len(kinds) != 1:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= LONGEST_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
