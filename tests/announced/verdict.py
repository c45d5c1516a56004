"""Whether a deploy was told as it should be: each channel of its end once, and its people called.

A function of what the channels show and nothing else, so that what is wrong can be read.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tests.announced.channel_message import ChannelMessage, MessageKind

PLATFORMS = ("discord", "telegram")


@dataclass(frozen=True, slots=True)
class AskedDeploy:
    """A deploy, and who is to hear of it.

    Attributes:
        platform, channel: where a person asked; empty for an agent's and the button's.
        fails: whether it ends badly, so that those who are called for failures are.
    """

    target: str
    platform: str = ""
    channel: str = ""
    fails: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What was said of one deploy.

    Attributes:
        replies: of each of its runs the id of the reply that answers, empty for none.
        messages: all of every channel, oldest first.
        noted: the ids of messages that the control table has as those in which it is told.
        before: those that stood when a bot was killed, which may not have heard that they do.
        back: whether every bot serves again.
    """

    deploy: AskedDeploy
    replies: Sequence[str]
    messages: Sequence[ChannelMessage]
    noted: Collection[str]
    before: Sequence[ChannelMessage]
    back: bool

    def wrong(self) -> list[str]:
        """What is not as it should be, each in a sentence with what stands there."""
        if len(self.replies) > 1:
            return [f"{len(self.replies)} runs of {self.deploy.target}"]
        return list(self._with_run() if self.replies else self._without_run())

    def _without_run(self) -> Iterator[str]:
        for one in self.messages:
            if one.kind not in (MessageKind.ASKING, MessageKind.NOTHING):
                yield f"nothing was begun, but: {one}"

    def _with_run(self) -> Iterator[str]:
        finals = Counter(one.platform for one in self._of(MessageKind.FINAL))
        calls = Counter(one.platform for one in self._of(MessageKind.CALL))
        for platform in PLATFORMS:
            yield from self._counted("final messages", platform, finals, self._ends_due(platform))
            yield from self._counted("calls", platform, calls, self._calls_due(platform))
        yield from self._left_open()

    def _counted(self, what: str, platform: str, found: "Counter[str]", due: int) -> Iterator[str]:
        """What a platform had taken of the end before the kill may be said once more."""
        begun = any(one.kind in (MessageKind.FINAL, MessageKind.CALL) for one in self.before)
        if not due <= found[platform] <= due + begun:
            yield f"{found[platform]} {what} on {platform} and not {due}"

    def _ends_due(self, platform: str) -> int:
        return int(platform == self.deploy.platform or not self._told_by_reply)

    def _calls_due(self, platform: str) -> int:
        is_asker_s = platform == self.deploy.platform
        return int(is_asker_s or (self.deploy.fails and not self._told_by_reply))

    @property
    def _told_by_reply(self) -> bool:
        """Whether the reply of whoever was asked tells how it ended."""
        return any(one.id in self.replies for one in self._of(MessageKind.FINAL))

    def _left_open(self) -> Iterator[str]:
        """A bot that serves leaves nothing open, and what a dead one left is answered: unless
        nobody knows of it, since the bot died before it heard that the platform had taken it. What
        no run answers to says by itself what to do."""
        answered = {(one.platform, one.answers) for one in self.messages if one.answers}
        # An hour later Discord takes no edit any more: its author goes on in an answer to it.
        moved = {(one.platform, one.answers, one.by) for one in self._of(MessageKind.FINAL)}
        for one in self._of(MessageKind.LIVING, MessageKind.ASKING):
            known = one.id in (*self.replies, *self.noted)
            if not known or (one.platform, one.id, one.by) in moved:
                continue
            if self.back:
                yield f"left open though its bot is back: {one}"
            elif (one.platform, one.id) not in answered:
                yield f"nobody says where it goes on: {one}"

    def _of(self, *kinds: MessageKind) -> list[ChannelMessage]:
        return [one for one in self.messages if one.kind in kinds]
