"""The error answers of the Bot API."""

from typing import Any


class BotApiRefusal(Exception):
    """An answer that is not ok; `parameters` as in the Bot API's ResponseParameters."""

    def __init__(
        self, status: int, description: str, parameters: dict[str, Any] | None = None
    ) -> None:
        super().__init__(description)
        self.status = status
        self.parameters = parameters or {}

    def body(self) -> dict[str, Any]:
        said = {"ok": False, "error_code": self.status, "description": str(self)}
        return said | ({"parameters": self.parameters} if self.parameters else {})


def bad_request(what: str) -> BotApiRefusal:
    return BotApiRefusal(400, f"Bad Request: {what}")


def forbidden(what: str) -> BotApiRefusal:
    return BotApiRefusal(403, f"Forbidden: {what}")


def flood(seconds: int) -> BotApiRefusal:
    return BotApiRefusal(429, f"Too Many Requests: retry after {seconds}", {"retry_after": seconds})


def migrated(new_chat: int) -> BotApiRefusal:
    return BotApiRefusal(
        400,
        "Bad Request: group chat was upgraded to a supergroup chat",
        {"migrate_to_chat_id": new_chat},
    )
