"""The Bot API's methods, as far as a chat bot without files needs them."""

import json
import re
from collections import defaultdict
from typing import Any

from sandbox.telegram_api.history import ChatHistory, Json
from sandbox.telegram_api.markup import check_length, parsed, read_text
from sandbox.telegram_api.refusal import BotApiRefusal, bad_request
from sandbox.telegram_api.update_queue import WEBHOOK_ACTIVE, UpdateQueue

LONGEST_ANSWER = 200
MOST_COMMANDS = 100
MOST_BUTTONS = 100
LONGEST_DATA = 64
QUERY_SECONDS = 15.0
_GIFTS = (
    *("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription"),
    "gifts_from_channels",
)
_PERMISSIONS = ("can_send_messages", "can_send_other_messages", "can_add_web_page_previews")
_COMMAND = re.compile(r"[a-z0-9_]{1,32}")
_CAPITAL = re.compile("[A-Z]")
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly "
    "the same as a current content and reply markup of the message"
)
QUERY_TOO_OLD = "query is too old and response timeout expired or query ID is invalid"


class Methods:
    """Each `_get_me` and so on is one method of the Bot API, by the parameters it was sent.

    Attributes:
        queries: callback queries not answered yet, by id, with when they were made.
        answers: callback queries answered, by id: the text, and whether as an alert.
        menus: commands by scope, spelt as JSON.
    """

    def __init__(self, history: ChatHistory, updates: UpdateQueue) -> None:
        self.history = history
        self.updates = updates
        self.queries: dict[str, float] = {}
        self.answers: dict[str, tuple[str, bool]] = {}
        self.menus: dict[str, list[Json]] = defaultdict(list)
        self.webhook: Json = {"url": "", "has_custom_certificate": False}
        self.webhook_secret = ""

    async def call(self, name: str, sent: dict[str, str]) -> Any:
        snake = _CAPITAL.sub(lambda found: f"_{found[0].lower()}", name)
        found = getattr(self, f"_{snake}", None)
        if found is None or not name.isalpha():
            raise BotApiRefusal(404, "Not Found: method not found")
        result = self.history.as_numbered(await found(sent))
        await self.history.tell()
        return result

    async def _get_me(self, _sent: dict[str, str]) -> Json:
        return self.history.bot | {
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }

    async def _get_chat(self, sent: dict[str, str]) -> Json:
        chat = self.history.chat(int(sent["chat_id"]))
        gifts = dict.fromkeys(_GIFTS, False)
        return chat | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": gifts,
            "permissions": dict.fromkeys(_PERMISSIONS, chat["id"] not in self.history.mute),
        }

    async def _get_chat_member(self, sent: dict[str, str]) -> Json:
        chat, user = self.history.chat(int(sent["chat_id"]))["id"], int(sent["user_id"])
        return self.history.me(chat) if user == self.history.bot["id"] else self._other(chat, user)

    def _other(self, chat: int, user: int) -> Json:
        """Another than the bot, who is there if they ever said anything and did not leave."""
        if (chat, user) in self.history.members:
            return self.history.members[chat, user]
        for (where, _), message in self.history.messages.items():
            if where == chat and message.get("from", {}).get("id") == user:
                return {"status": "member", "user": message["from"]}
        raise bad_request("member not found")

    async def _get_updates(self, sent: dict[str, str]) -> list[Json]:
        if self.webhook["url"]:
            raise BotApiRefusal(409, WEBHOOK_ACTIVE)
        allowed = json.loads(sent["allowed_updates"]) if "allowed_updates" in sent else None
        return await self.updates.get(
            int(sent.get("offset", 0)),
            int(sent.get("limit", 100)),
            float(sent.get("timeout", 0)),
            allowed,
        )

    async def _send_message(self, sent: dict[str, str]) -> Json:
        chat = self.history.writable(int(sent["chat_id"]))
        plain, entities = parsed(sent.get("text", ""), sent.get("parse_mode"))
        more: Json = {"entities": entities} if entities else {}
        keyboard = _keyboard(sent.get("reply_markup"))
        more |= {"reply_markup": keyboard} if keyboard else {}
        if "reply_parameters" in sent:
            replied = self._replied(chat, json.loads(sent["reply_parameters"]))
            more |= {"reply_to_message": replied} if replied else {}
        more |= self._thread(chat, sent, more.get("reply_to_message"))
        check_length(plain)
        self.history.check_open(chat, more.get("message_thread_id"))
        return self.history.add(chat, self.history.bot, plain, **more)

    def _thread(self, chat: Json, sent: dict[str, str], replied: Json | None) -> Json:
        """Where in the chat a message goes; BotApiRefusal where that takes none."""
        there = self.history.thread_of(chat, replied)
        if "message_thread_id" in sent:
            there = {"message_thread_id": int(sent["message_thread_id"])}
            there |= {"is_topic_message": True} if chat.get("is_forum") else {}
        asked = "message_thread_id" in sent or "is_topic_message" in there
        if asked:
            self.history.check_thread(chat, there["message_thread_id"])
        return there

    async def _edit_message_text(self, sent: dict[str, str]) -> Json:
        message = self.history.message(int(sent["chat_id"]), int(sent["message_id"]))
        if message.get("from") != self.history.bot:
            raise bad_request("message can't be edited")
        plain, entities = read_text(sent.get("text", ""), sent.get("parse_mode"))
        keyboard = _keyboard(sent.get("reply_markup"))
        before = (message["text"], message.get("entities", []), message.get("reply_markup"))
        if (plain, entities, keyboard) == before:
            raise bad_request(NOT_MODIFIED)
        message |= {"text": plain, "edit_date": int(self.history.clock.now())}
        for name, value in (("entities", entities), ("reply_markup", keyboard)):
            message.pop(name, None)
            message |= {name: value} if value else {}
        self.history.edits.append((message["chat"]["id"], message["message_id"], plain))
        return message

    async def _answer_callback_query(self, sent: dict[str, str]) -> bool:
        text = sent.get("text", "")
        if len(text) > LONGEST_ANSWER:
            raise bad_request("MESSAGE_TOO_LONG")
        asked = self.queries.pop(sent.get("callback_query_id", ""), None)
        if asked is None or self.history.clock.now() - asked > QUERY_SECONDS:
            raise bad_request(QUERY_TOO_OLD)
        self.answers[sent["callback_query_id"]] = (text, sent.get("show_alert") == "true")
        return True

    async def _get_my_commands(self, sent: dict[str, str]) -> list[Json]:
        return self.menus.get(self._scope(sent), [])

    async def _set_my_commands(self, sent: dict[str, str]) -> bool:
        commands = json.loads(sent["commands"])
        if len(commands) > MOST_COMMANDS:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not _COMMAND.fullmatch(command["command"]):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command["description"]) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self.menus[self._scope(sent)] = commands
        return True

    async def _get_webhook_info(self, _sent: dict[str, str]) -> Json:
        return self.webhook | {"pending_update_count": len(self.updates.waiting)}

    async def _set_webhook(self, sent: dict[str, str]) -> bool:
        secret = sent.get("secret_token", "")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        if "allowed_updates" in sent:
            self.updates.allowed = json.loads(sent["allowed_updates"]) or None
        self.webhook |= {"url": sent.get("url", "")}
        self.webhook_secret = secret
        return True

    async def _delete_webhook(self, _sent: dict[str, str]) -> bool:
        self.webhook |= {"url": ""}
        return True

    def _scope(self, sent: dict[str, str]) -> str:
        scope = json.loads(sent.get("scope", '{"type": "default"}'))
        if "chat_id" in scope:
            self.history.chat(int(scope["chat_id"]))
        return json.dumps(scope | {"language_code": sent.get("language_code", "")}, sort_keys=True)

    def _replied(self, chat: Json, parameters: Json) -> Json | None:
        found = self.history.answerable(chat["id"], int(parameters["message_id"]))
        if found is None and not parameters.get("allow_sending_without_reply"):
            raise bad_request("message to be replied not found")
        return found


def _keyboard(raw: str | None) -> dict[str, Any] | None:
    """A `reply_markup` as it was sent; BotApiRefusal where Telegram would not take it."""
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
        _check_button(button)
    return {"inline_keyboard": rows} if buttons else None


def _check_button(button: dict[str, Any]) -> None:
    if not button.get("text"):
        raise bad_request("button text must be non-empty")
    kinds = {"callback_data", "url"} & set(button)
    if len(kinds) != 1:
        raise bad_request("can't parse inline keyboard button: Text buttons are unallowed")
    data = button.get("callback_data")
    if data is not None and not 1 <= len(data.encode()) <= LONGEST_DATA:
        raise bad_request("BUTTON_DATA_INVALID")
