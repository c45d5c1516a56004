"""Whether a deploy was told as it should be: each channel of its end once, and its people called.

A function of what the channels show and nothing else, so that what is wrong can be read.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.announced.channel_message import ChannelMessage, Kind

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
        runs: how many runs there are of it.
        messages: all of every channel, oldest first.
        before: those that stood when a bot was killed, which may not have heard that they do.
        back: whether every bot serves again.
    """

    deploy: AskedDeploy
    runs: int
    messages: Sequence[ChannelMessage]
    before: Sequence[ChannelMessage]
    back: bool

    def wrong(self) -> list[str]:
        """What is not as it should be, each in a sentence with what stands there."""
        if self.runs > 1:
            return [f"{self.runs} runs of {self.deploy.target}"]
        return list(self._without_run() if not self.runs else self._with_run())

    def _without_run(self) -> Iterator[str]:
        for one in self.messages:
            if one.kind not in (Kind.ASKING, Kind.NOTHING):
                yield f"nothing was begun, but: {one}"

    def _with_run(self) -> Iterator[str]:
        finals = Counter(one.platform for one in self._of(Kind.FINAL))
        calls = Counter(one.platform for one in self._of(Kind.CALL))
        for platform in PLATFORMS:
            yield from self._counted(
                "final messages", platform, finals, self._ends_due(platform), Kind.FINAL
            )
            yield from self._counted("calls", platform, calls, self._calls_due(platform), Kind.CALL)
        yield from self._left_open()

    def _counted(
        self, what: str, platform: str, found: "Counter[str]", due: int, kind: Kind
    ) -> Iterator[str]:
        """What was taken by the platform before the kill may be said once more."""
        heard = any(one.platform == platform for one in self.before if one.kind is kind)
        if not due <= found[platform] <= due + heard:
            yield f"{found[platform]} {what} on {platform} and not {due}"

    def _ends_due(self, platform: str) -> int:
        return int(platform == self.deploy.platform or not self._told_by_reply)

    def _calls_due(self, platform: str) -> int:
        is_asker_s = platform == self.deploy.platform
        return int(is_asker_s or (self.deploy.fails and not self._told_by_reply))

    @property
    def _told_by_reply(self) -> bool:
        """Whether the reply of whoever was asked tells how it ended."""
        return any(one.id in self._replies for one in self._of(Kind.FINAL))

    @property
    def _replies(self) -> set[str]:
        asked = self.deploy
        there = [
            one
            for one in self.messages
            if (one.platform, one.channel) == (asked.platform, asked.channel)
        ]
        return {one.id for one in there[:1]} if asked.platform else set()

    def _left_open(self) -> Iterator[str]:
        """A bot that serves leaves nothing open; what a dead one left is answered."""
        answered = {(one.platform, one.answers) for one in self.messages if one.answers}
        for one in self._of(Kind.LIVING, Kind.ASKING):
            if self.back:
                yield f"left open though its bot is back: {one}"
            elif (one.platform, one.id) not in answered:
                yield f"nobody says where it goes on: {one}"

    def _of(self, *kinds: Kind) -> list[ChannelMessage]:
        return [one for one in self.messages if one.kind in kinds]
