"""What is told unasked, as Telegram's HTML: a watch report, a call, and where a reply goes on."""

from collections.abc import Iterable, Iterator, Mapping
from html import escape

from clawbot import indicator, wording
from clawbot.fleet_channel import watch_words
from clawbot.fleet_channel.watch_words import WatchLine
from clawbot.page import fitted
from clawbot.replies import Deploying, GoesOn, WatchReport, user_id
from clawbot.telegram.markup import (
    LONGEST,
    ROW,
    bold,
    in_two_lines,
    mention,
    moment,
    plain,
    said,
    seen_units,
)
from clawbot.telegram.speaker import PLATFORM

# Of a title, and of each of the ten people whom a call may name.
LONGEST_TITLE, LONGEST_NAME = 120, 48
_CHANNEL = "in the fleet's channel"
# The ids of supergroups, whose messages have addresses, are below this one.
_SUPERGROUPS = -(10**12)

# Names of people, by their accounts' numbers, as far as they are known.
Names = Mapping[int, str]


def is_supergroup(chat: int) -> bool:
    """Whether all who are in it have the same numbers for its messages."""
    return chat < _SUPERGROUPS


def message_link(chat: int, topic: int | None, message: int) -> str:
    """The address of a message, for those who are in its chat; empty where it has none."""
    if not is_supergroup(chat):
        return ""
    places = (_SUPERGROUPS - chat, *([topic] if topic else []), message)
    return f"https://t.me/c/{'/'.join(map(str, places))}"


def goes_on(reply: GoesOn) -> Iterator[str]:
    yield f"⚪ {bold(reply.what)}"
    yield wording.goes_on(_told_in(reply.channel, reply.message))


def _told_in(channel: str, message: str) -> str:
    """Where a deploy is told, to stand after a sentence; names are as the Control API has them."""
    platform, _, place = channel.partition(":")
    chat, _, topic = place.removeprefix("-").partition("/")
    numbers = (chat, topic or "0", message)
    if platform != PLATFORM or not all(one.isdecimal() for one in numbers):
        return f" in {plain(platform.capitalize())}" if platform else ""
    url = message_link(-int(chat), int(topic or 0), int(message))
    return f" {_linked(url)}"


def pointing(url: str, *, below_it: bool) -> str:
    """What is said to a reply that its bot left; it stands for itself where that can't be shown.

    `below_it` is whether it answers the message where the deploy goes on, which has no address.
    """
    here = below_it and not url
    return wording.pointing("in the message that this answers" if here else _linked(url))


def _linked(url: str) -> str:
    return f'<a href="{escape(url)}">{_CHANNEL}</a>' if url else _CHANNEL


def called(reply: Deploying | WatchReport) -> tuple[int, ...]:
    """Whom it calls, by the numbers of their accounts in Telegram; each once."""
    if isinstance(reply, WatchReport):
        # What is well again is worth nobody's being called.
        named = reply.calls if reply.wrong or reply.flapping else ()
    else:
        named = (reply.asker, *reply.calls)
    return tuple(dict.fromkeys(filter(None, (user_id(one, PLATFORM) for one in named))))


def over(reply: Deploying, names: Names) -> str:
    """The line that calls those whom a deploy's end concerns; an edit calls nobody."""
    seen, asker = reply.progress, user_id(reply.asker, PLATFORM)
    others = [one for one in called(reply) if one != asker]
    if asker:
        what, subject = wording.own(seen.operation, seen.target)
        told = f"{mention(asker, 'Your')} {what} {bold(subject)}"
    else:
        told = bold(wording.what(seen.operation, seen.target))
    line = f"{indicator.RUNS[seen.stage]} {told}: {plain(wording.stage(seen))}."
    return f"{line} {_mentions(others, names)}." if others else line


def _mentions(users: Iterable[int], names: Names) -> str:
    """Telegram calls whoever is named so, by whatever name."""
    return ", ".join(mention(one, names.get(one) or str(one), LONGEST_NAME) for one in users)


def watch(report: WatchReport, names: Names) -> Iterator[str]:
    """What matters, then whom it calls, so that neither is ever cut off, then each thing."""
    head = [f"{watch_words.light(report)} {bold(watch_words.title(report), LONGEST_TITLE)}"]
    head += [_mentions(users, names)] if (users := called(report)) else []
    shown = watch_words.rows(report)[: watch_words.ROWS_AT_ALL]
    more = said(watch_words.more(report))
    tail = [*filter(None, (more,)), f"Seen {moment(report.taken)}"]
    yield from head
    room = LONGEST - 4 - sum(seen_units(line) + 1 for line in (*head, *tail))
    yield from fitted(shown, room, ROW, _found, seen_units)
    yield from tail


def _found(row: WatchLine, longest: int) -> str:
    return in_two_lines(row.light, row.who, row.words, row.repair, longest)
