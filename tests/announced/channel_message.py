"""What the bots say in the channels, whichever platform's they are."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sandbox.discord_api.guild import Message
from sandbox.telegram_api.history import Json
from tests.announced.three_bots import GROUP, ThreeBots

_ENDS = re.compile(r"\b(done|failed|cancelled|stopped|can't be confirmed)\b")
_MENTION = re.compile(r"<@&?\d+>")


class MessageKind(StrEnum):
    """What a message is to a deploy."""

    ASKING = "asking"
    """True by itself: it says what to do if it does not change."""
    LIVING = "living"
    FINAL = "final"
    CALL = "call"
    GOES_ON = "goes on elsewhere"
    """A dead reply's last word, by its author, or where it goes on, by another bot."""
    NOTHING = "nothing began"


@dataclass(frozen=True, slots=True)
class ChannelMessage:
    """One message of a bot's.

    Attributes:
        platform: `discord` or `telegram`.
        channel: `fleet`, or where else it was asked.
        by: the bot's name.
        answers: id of the message that it answers, or empty.
        calls: whether it notifies somebody.
    """

    platform: str
    channel: str
    id: str
    by: str
    text: str
    answers: str
    calls: bool

    @property
    def kind(self) -> MessageKind:
        text = self.text.lower()
        if "goes on in" in text or "no longer kept up to date" in text:
            return MessageKind.GOES_ON
        if self.calls:
            return MessageKind.CALL
        if "asking" in text:
            return MessageKind.ASKING
        if "began nothing" in text or "too late" in text:
            return MessageKind.NOTHING
        return MessageKind.FINAL if _ENDS.search(text) else MessageKind.LIVING

    def __str__(self) -> str:
        first = " / ".join(self.text.splitlines()[:2])
        return f"{self.platform} {self.channel} {self.id[-4:]} by {self.by}, {self.kind}: {first}"


def about(target: str, messages: Iterable[ChannelMessage]) -> list[ChannelMessage]:
    """Those that name this target, or answer one that does."""
    found: dict[tuple[str, str], ChannelMessage] = {}
    for one in messages:
        if target in one.text or (one.platform, one.answers) in found:
            found[one.platform, one.id] = one
    return list(found.values())


def said(bots: ThreeBots) -> list[ChannelMessage]:
    """All that the bots have said by now, oldest first."""
    return [*_on_discord(bots), *_on_telegram(bots)]


def _on_discord(bots: ThreeBots) -> Iterator[ChannelMessage]:
    names = {bot.app.bot.id: bot.name for bot in bots.bots if bot.app}
    for one in bots.discord.guild.messages.values():
        if one.author.id in names and not one.loading:
            yield _of_discord(
                one, names[one.author.id], bots.discord.guild.channels[one.channel].name
            )


def _of_discord(one: Message, by: str, channel: str) -> ChannelMessage:
    calls = bool(_MENTION.search(one.body.get("content") or ""))
    answers = one.reference or ""
    return ChannelMessage("discord", channel, one.id, by, one.text, answers, calls)


def _on_telegram(bots: ThreeBots) -> Iterator[ChannelMessage]:
    accounts = [(bot.name, bot.telegram) for bot in bots.bots if bot.telegram]
    names = {account.history.bot["id"]: name for name, account in accounts}
    for (chat, _), one in sorted(accounts[0][1].history.messages.items()):
        if chat == GROUP and one["from"]["id"] in names:
            yield _of_telegram(one, names[one["from"]["id"]])


def _of_telegram(one: Json, by: str) -> ChannelMessage:
    links = [entity.get("url", "") for entity in one.get("entities", [])]
    calls = any(link.startswith("tg://user") for link in links)
    answers = str(one.get("reply_to_message", {}).get("message_id", ""))
    number, text = str(one["message_id"]), one["text"]
    return ChannelMessage("telegram", "fleet", number, by, text, answers, calls)
