"""What people, other bots and Telegram itself do in the chats."""

import re
from copy import deepcopy
from itertools import count
from typing import Any

from sandbox.telegram_api.history import Json, group
from sandbox.telegram_api.markup import units
from sandbox.telegram_api.server import BotApi

_COMMAND = re.compile(r"/[A-Za-z0-9_]+(?:@[A-Za-z0-9_]+)?")
ANONYMOUS_ADMIN = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
CHANNEL_BOT = {
    "id": 136817688,
    "is_bot": True,
    "first_name": "Channel",
    "username": "Channel_Bot",
}
_RIGHTS = (
    *("can_send_messages", "can_change_info", "can_invite_users", "can_pin_messages"),
    *("can_send_polls", "can_send_other_messages", "can_add_web_page_previews"),
    *("can_manage_topics", "can_send_audios", "can_send_documents", "can_send_photos"),
    *("can_send_videos", "can_send_video_notes", "can_send_voice_notes", "can_edit_tag"),
    "can_react_to_messages",
)
# A member without any right.
RESTRICTED = dict.fromkeys(_RIGHTS, False) | {"is_member": True, "until_date": 0}


class People:
    """What is done in the chats; each makes an update, delivered if the bot asked for its kind.

    In a group the other bots there are told of what concerns them.
    """

    def __init__(self, api: BotApi) -> None:
        self._api = api
        self._queries = count(4_382_000_000_000_000_000)

    async def say(self, chat: Json, sender: Json | None, text: str, **more: Any) -> Json:
        """Say something; the message. `more` are further fields of it (`date`, `via_bot`, …)."""
        message = self.write(chat, sender, text, **more)
        await self._tell(message)
        return message

    async def _tell(self, message: Json) -> None:
        await self._api.updates.put("message", self._api.history.as_numbered(message))
        for other in self._api.all:
            if other is not self._api and message["chat"]["id"] < 0 and other.hears(message):
                await other.updates.put("message", other.history.as_numbered(message))

    def write(self, chat: Json, sender: Json | None, text: str, **more: Any) -> Json:
        """A message that no update tells the bot about."""
        entities = {"entities": commands(text)} if commands(text) else {}
        return self._api.history.add(chat, sender, text, **entities, **more)

    async def edit(self, message: Json, text: str) -> None:
        """The message's author changes it: an `edited_message`, even to the same words."""
        now = int(self._api.history.clock.now())
        message |= {"text": text, "entities": commands(text), "edit_date": now}
        await self._api.updates.put("edited_message", dict(message))

    def delete(self, message: Json) -> None:
        self._api.history.messages.pop((message["chat"]["id"], message["message_id"]))
        for other in self._api.history.messages.values():
            if other.get("reply_to_message") is message:
                del other["reply_to_message"]

    async def press(self, message: Json, sender: Json, label: str, **more: Any) -> str:
        """Press the button with that label; returns the query's id."""
        rows = message.get("reply_markup", {}).get("inline_keyboard", [])
        labels = [button["text"] for row in rows for button in row]
        if label not in labels:
            raise LookupError(f"no button {label} among {labels}")
        data = next(b["callback_data"] for row in rows for b in row if b["text"] == label)
        return await self.send_data(message, sender, data, **more)

    async def send_data(self, message: Json, sender: Json, data: str, **more: Any) -> str:
        """A callback query with any data, as somebody's own client could send it."""
        query = str(next(self._queries))
        self._api.methods.queries[query] = self._api.history.clock.now()
        told = {
            "id": query,
            "from": sender,
            # As it was then, however late it is brought.
            "message": self._api.history.as_numbered(deepcopy(message)),
            "chat_instance": "1",
            "data": data,
        }
        await self._api.updates.put("callback_query", told | more)
        return query

    def topic(self, forum: Json, name: str) -> Json:
        """Open a topic; the fields that a message in it has."""
        made = self._api.history.add(forum, None, None, forum_topic_created={"name": name})
        thread = {"message_thread_id": made["message_id"], "is_topic_message": True}
        made |= thread
        self._api.history.topics[forum["id"], made["message_id"]] = True
        return thread

    def close(self, forum: Json, thread: int, *, is_open: bool = False) -> None:
        """Close a topic, or open it again: none but administrators may speak in a closed one."""
        self._api.history.topics[forum["id"], thread] = is_open

    def delete_topic(self, forum: Json, thread: int) -> None:
        """Delete a topic with all its messages."""
        del self._api.history.topics[forum["id"], thread]
        for key, message in tuple(self._api.history.messages.items()):
            if key[0] == forum["id"] and message.get("message_thread_id") == thread:
                del self._api.history.messages[key]

    async def put_out(self, chat: Json) -> None:
        """Remove the bot from a group, or block it; `let_in` lets it in again."""
        await self.change_bot(chat, "kicked", until_date=0)

    async def silence(self, chat: Json) -> None:
        """Take every right from the bot in a group; `let_in` gives them back."""
        await self.change_bot(chat, "restricted", **RESTRICTED)

    async def let_in(self, chat: Json) -> None:
        await self.change_bot(chat, "member")

    async def change_bot(self, chat: Json, status: str, **more: Any) -> None:
        """An administrator puts the bot out of a chat, takes it back, restricts it there, …"""
        history = self._api.history
        before = history.me(chat["id"])
        history.standing[chat["id"]] = now = {"status": status, "user": history.bot, **more}
        told = {"chat": chat, "from": history.bot, "date": int(history.clock.now())}
        changed = told | {"old_chat_member": before, "new_chat_member": now}
        await self._api.updates.put("my_chat_member", changed)

    def mute(self, chat: Json, *, speak: bool = False) -> None:
        """Forbid a group's ordinary members to write, or let them again: no update tells that."""
        mute = self._api.history.mute
        (mute.discard if speak else mute.add)(chat["id"])

    async def upgrade(self, chat: Json, new_id: int) -> Json:
        """The group becomes a supergroup with another id."""
        new = group(new_id, chat["title"])
        self._api.history.chats[new_id] = new
        message = self._api.history.add(chat, None, None, migrate_to_chat_id=new_id)
        self._api.history.moved[chat["id"]] = new_id
        await self._tell(message)
        return new


def commands(text: str) -> list[Json]:
    """The entities Telegram finds: commands, wherever they stand."""
    return [
        {
            "type": "bot_command",
            "offset": units(text[: found.start()]),
            "length": units(found.group()),
        }
        for found in _COMMAND.finditer(text)
    ]
