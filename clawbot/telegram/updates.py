"""What Telegram sends, as the library reads it; what it can't read costs nothing else.

The library refuses a whole batch for one update in it, and so never tells the id to go on from.
"""

import logging
from typing import Any

from telegram import Bot, Update
from telegram.request import HTTPXRequest

Json = dict[str, Any]

log = logging.getLogger(__name__)


def read(sent: Json, telegram: Bot | None = None) -> Update | None:
    """The update, or None where the library can't read it."""
    try:
        return Update.de_json(sent, telegram)
    except Exception as error:  # noqa: BLE001  (whatever it is, the next update is another)
        # The error's own words may quote what somebody wrote.
        log.error(
            "telegram.update_unreadable update_id=%s why=%s",
            sent.get("update_id"),
            type(error).__name__,
        )
        return None


class UpdatesRequest(HTTPXRequest):
    """Asks for updates; one that can't be read comes as its id alone, and says nothing."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> Json:
        answer = HTTPXRequest.parse_json_payload(payload)
        if isinstance(answer.get("result"), list):
            answer["result"] = [
                update if read(update) else {"update_id": update["update_id"]}
                for update in answer["result"]
            ]
        return answer
