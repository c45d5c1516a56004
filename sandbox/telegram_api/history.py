"""The state of the Bot API: its chats, and every message in them."""

import asyncio
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from fleet_control.clock import Clock
from sandbox.telegram_api.by_account import ByAccount
from sandbox.telegram_api.refusal import BotApiRefusal, bad_request, forbidden, migrated

Json = dict[str, Any]

_THREAD = ("message_thread_id", "is_topic_message")
# A forum's first topic, whose messages carry no thread, and which no message may name.
GENERAL = 1
# Between the numbers that two bots have for one message of a group that is no supergroup.
APART = 100_000
_KINDS = {"group": "group chat", "supergroup": "supergroup chat"}


def user(id_: int, name: str = "", *, is_bot: bool = False, **more: Any) -> Json:
    return {"id": id_, "is_bot": is_bot, "first_name": name or f"user{id_}", **more}


def private(id_: int) -> Json:
    return {"id": id_, "type": "private", "first_name": f"user{id_}"}


def group(id_: int, title: str = "ops", **more: Any) -> Json:
    """Supergroups and channels have ids from -100…; ordinary groups small negative ones.

    `is_forum=True` makes one that has topics.
    """
    kind = "supergroup" if id_ < -(10**12) else "group"
    return {"id": id_, "type": kind, "title": title, **more}


@dataclass
class ChatHistory:
    """Messages by chat and id.

    Attributes:
        edits: (chat, message id, text) of each edit that changed something.
        changed: told at each change.
        moved: chats that became supergroups, by their old id.
        shut: what any call about a chat is refused with, by its id.
        members: what others are in a chat, as ChatMembers, by its id and theirs.
        standing: what the bot is in a chat, as a ChatMember; an ordinary member elsewhere.
        mute: chats in which ordinary members may not write.
        topics: of a forum, by its id and theirs, with whether they are open.
        apart: by how much its numbers differ from the first bot's in a group that is no supergroup.
        sees_bots: whether it may answer what other bots said.
    """

    bot: Json
    clock: Clock
    messages: MutableMapping[tuple[int, int], Json] = field(default_factory=dict)
    edits: list[tuple[int, int, str]] = field(default_factory=list)
    moved: dict[int, int] = field(default_factory=dict)
    chats: MutableMapping[int, Json] = field(default_factory=dict)
    shut: dict[int, BotApiRefusal] = field(default_factory=dict)
    standing: dict[int, Json] = field(default_factory=dict)
    members: dict[tuple[int, int], Json] = field(default_factory=dict)
    mute: set[int] = field(default_factory=set)
    topics: dict[tuple[int, int], bool] = field(default_factory=dict)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    apart: int = 0
    sees_bots: bool = True
    _last_id: MutableMapping[int, int] = field(default_factory=dict)

    def of_another(self, bot: Json) -> "ChatHistory":
        """The same groups as another bot has them, and its own chats with people."""
        return ChatHistory(
            bot,
            self.clock,
            ByAccount(self.messages),
            moved=self.moved,
            chats=ByAccount(self.chats),
            mute=self.mute,
            members=self.members,
            topics=self.topics,
            changed=self.changed,
            apart=self.apart + APART,
            _last_id=ByAccount(self._last_id),
        )

    def as_numbered(self, told: Any) -> Any:
        """What is told of messages, by the numbers that this bot has for them."""
        if not self.apart or not isinstance(told, dict | list):
            return told
        if isinstance(told, list):
            return [self.as_numbered(one) for one in told]
        own = {name: self.as_numbered(one) for name, one in told.items()}
        if "message_id" in own and own.get("chat", {}).get("type") == "group":
            own["message_id"] += self.apart
        return own

    def number(self, chat_id: int, message_id: int) -> int:
        """The number in `messages` of what this bot has under another."""
        is_apart = self.chats.get(chat_id, {}).get("type") == "group"
        return message_id - self.apart if is_apart else message_id

    def chat(self, chat_id: int) -> Json:
        if chat_id in self.moved:
            raise migrated(self.moved[chat_id])
        if chat_id not in self.chats:
            raise bad_request("chat not found")
        if chat_id in self.shut:
            raise self.shut[chat_id]
        chat = self.chats[chat_id]
        me = self.me(chat_id)
        if me["status"] in ("kicked", "left") or not me.get("is_member", True):
            raise _put_out(chat, me["status"])
        return chat

    def me(self, chat_id: int) -> Json:
        """What the bot is in a chat."""
        return self.standing.get(chat_id) or {"status": "member", "user": self.bot}

    def writable(self, chat_id: int) -> Json:
        """A chat in which the bot may write; BotApiRefusal where it may not."""
        chat, me = self.chat(chat_id), self.me(chat_id)
        muted = me["status"] == "member" and chat_id in self.mute
        if muted or not me.get("can_send_messages", True):
            raise bad_request("not enough rights to send text messages to the chat")
        return chat

    def check_thread(self, chat: Json, thread: int) -> None:
        """BotApiRefusal where nothing can be sent there: neither a topic nor a thread."""
        threads = {
            one.get("message_thread_id")
            for (chat_id, _), one in self.messages.items()
            if chat_id == chat["id"] and not chat.get("is_forum")
        }
        if (chat["id"], thread) not in self.topics and thread not in threads:
            raise bad_request("message thread not found")

    def check_open(self, chat: Json, thread: int | None) -> None:
        """BotApiRefusal where a forum's topic is closed."""
        is_open = self.topics.get((chat["id"], thread or GENERAL))
        if chat.get("is_forum") and is_open is False:
            raise bad_request("TOPIC_CLOSED")

    def thread_of(self, chat: Json, replied: Json | None) -> Json:
        """Where an answer to that stands: in its topic, or in a supergroup's thread."""
        if replied is None or chat["type"] != "supergroup":
            return {}
        same = {key: replied[key] for key in _THREAD if key in replied}
        if chat.get("is_forum") or same:
            return same
        return {"message_thread_id": replied["message_id"]}

    def message(self, chat_id: int, message_id: int) -> Json:
        self.writable(chat_id)
        found = self.messages.get((chat_id, self.number(chat_id, message_id)))
        if found is None:
            raise bad_request("message to edit not found")
        return found

    def answerable(self, chat_id: int, message_id: int) -> Json | None:
        """What it may answer there by that number; None where it sees no such message."""
        found = self.messages.get((chat_id, self.number(chat_id, message_id)))
        sender = (found or {}).get("from", self.bot)
        is_hidden = sender["is_bot"] and sender != self.bot and not self.sees_bots
        return None if is_hidden else found

    def add(self, chat: Json, sender: Json | None, text: str | None, **more: Any) -> Json:
        """A new message, numbered as its chat goes on."""
        self.chats.setdefault(chat["id"], chat)
        number = self._last_id.get(chat["id"], 0) + 1
        self._last_id[chat["id"]] = number
        message = {"message_id": number, "date": int(self.clock.now()), "chat": chat}
        message |= {"from": sender} if sender else {}
        message |= {"text": text} if text is not None else {}
        message |= self.thread_of(chat, more.get("reply_to_message"))
        message |= more
        self.messages[chat["id"], number] = message
        return message

    def shown(self, chat_id: int) -> list[Json]:
        """What the bot has said in a chat, oldest first."""
        return [
            message
            for (chat, _), message in sorted(self.messages.items())
            if chat == chat_id and message.get("from") == self.bot
        ]

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()

    async def until(self, holds: Callable[[], Any], within: float = 10.0) -> Any:
        """What `holds` returns once it is true; TimeoutError after `within` seconds."""
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(holds)
            return holds()


def _put_out(chat: Json, status: str) -> BotApiRefusal:
    if chat["type"] == "private":
        return forbidden("bot was blocked by the user")
    kind = _KINDS[chat["type"]]
    kicked = status == "kicked"
    return forbidden(
        f"bot was kicked from the {kind}" if kicked else f"bot is not a member of the {kind}"
    )
