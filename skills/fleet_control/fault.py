"""What can be wrong with a host, or with the whole fleet, and what mends it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from fleet_control.caller import is_instance_id
from fleet_control.deployed import HostLeft
from fleet_control.duration import older
from fleet_control.host import Health, Host, HostState, Image

# So long before its day GitHub's token is worth exchanging.
TOKEN_ENDS_SECONDS = 14 * 86_400.0
# An image is built each week: the second that did not come is no accident.
IMAGE_AGE_SECONDS = 21 * 86_400.0
# What a run's look at a host wrote of a unit that is started again and again.
_LOOPS = re.compile(r"\brestarted \d{1,4} times\b|\bauto-restart\b")
_SHORT = 7


class Problem(StrEnum):
    """What can be wrong with an instance, or with the whole fleet, worst first."""

    MISSING = "missing"
    NOT_HEALTHY = "not_healthy"
    RETIRING = "retiring"
    CRASH_LOOPING = "crash_looping"
    TWO_HOSTS = "two_hosts"
    NOT_DEPLOYED = "not_deployed"
    """It never had a host, as far as that can be seen."""
    UNREGISTERED = "unregistered"
    NOT_AS_DEPLOYED = "not_as_deployed"
    WRONG_TYPE = "wrong_type"
    OLDER_IMAGE = "older_image"
    TOKEN_ENDED = "token_ended"  # noqa: S105  (the name of one)
    TOKEN_ENDS = "token_ends"  # noqa: S105  (the name of one)
    NO_IMAGE_BUILT = "no_image_built"


SEVERITY = {problem: rank for rank, problem in enumerate(Problem)}
# Those that keep an instance from serving, or will.
GRAVE = (
    Problem.MISSING,
    Problem.NOT_HEALTHY,
    Problem.RETIRING,
    Problem.CRASH_LOOPING,
    Problem.TWO_HOSTS,
)
_RENEW = "Make another at GitHub, then type `clawbot secrets github` at a desk."
_ADVICE = {
    Problem.MISSING: "`/fleet deploy {of}` creates it.",
    Problem.NOT_HEALTHY: "`/fleet deploy {of}` replaces it.",
    Problem.RETIRING: "`/fleet deploy {of}` replaces it before that.",
    Problem.CRASH_LOOPING: "`/fleet rollback {of}` goes back, `/fleet deploy {of}` replaces it.",
    Problem.TWO_HOSTS: "`/fleet status` names the machines; end the one that no deploy made.",
    Problem.NOT_DEPLOYED: "`/fleet deploy {of}` creates it.",
    Problem.UNREGISTERED: "`/fleet status` names it; find out whose it is before you end it.",
    Problem.NOT_AS_DEPLOYED: "`/fleet deploy {of}` replaces it.",
    Problem.WRONG_TYPE: "`/fleet deploy {of}` replaces it.",
    Problem.OLDER_IMAGE: "`/fleet deploy {of}` replaces it.",
    Problem.TOKEN_ENDED: _RENEW,
    Problem.TOKEN_ENDS: _RENEW,
    Problem.NO_IMAGE_BUILT: "Type `gh workflow run image-build.yml` at a desk.",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes:
        words: what it is, as it goes on after the id; not what mends it.
        repair: what mends it, in a sentence; may hold `code` in backquotes.
        hint: the same where there is no room for that, as it goes on after the words.
    """

    problem: Problem
    words: str
    repair: str = ""
    hint: str = ""

    @property
    def in_short(self) -> str:
        """What a status says of it."""
        return f"{self.words}{self.hint}"


def repair(problem: Problem, of: str = "") -> str:
    """What mends this, in a sentence; nothing where a deploy could not name the instance."""
    advice = _ADVICE.get(problem, "")
    named = "{of}" not in advice or is_instance_id(of)
    return advice.format(of=of) if named else ""


def missing(id_: str, stuck: Host | None, now: float) -> Fault:
    """There is no host; `stuck` is one that was to go and does not."""
    words = "no host"
    if stuck is not None:
        words += f", and {stuck.id} has been shutting down for {older(shutting_down(stuck, now))}"
    return Fault(Problem.MISSING, words, repair(Problem.MISSING, id_), "; a deploy creates it")


def not_deployed(id_: str) -> Fault:
    """There is no host, and nothing tells that there ever was one."""
    words, advice = "no host, and no deploy of it is known", repair(Problem.NOT_DEPLOYED, id_)
    return Fault(Problem.NOT_DEPLOYED, words, advice, "; a deploy creates it")


def shutting_down(host: Host, now: float) -> float:
    """For how many seconds; none where EC2 does not tell: it ends by force what takes hours."""
    return 0.0 if host.ending is None else now - host.ending


def ill(host: Host, now: float) -> Fault:
    """A host that is not healthy; one whose machine EC2 is going to end is by itself well yet."""
    retires = host.state is HostState.RUNNING and host.health is Health.ENDING
    problem = Problem.RETIRING if retires else Problem.NOT_HEALTHY
    return Fault(problem, _ill(host, now), repair(problem, host.name))


def _ill(host: Host, now: float) -> str:
    since_launch = f"{older(now - host.launched)} after its launch"
    if host.state is HostState.PENDING:
        return f"the host is still pending {since_launch}"
    if host.state is not HostState.RUNNING:
        return f"the host is {host.state}"
    if host.ill:
        return host.ill
    if host.health is Health.IMPAIRED:
        return "fails EC2's status checks"
    if host.health is Health.INITIALIZING:
        return f"EC2's status checks are not done {since_launch}"
    return f"EC2 tells nothing of its health {since_launch}"


def crash_looping(host: Host) -> Iterable[Fault]:
    """By the host's own last answer to a run: nothing else that may be read tells of units."""
    said = host.answer
    if said is None or said.well or said.when < host.launched or not _LOOPS.search(said.why):
        return
    words = "kept restarting when a run asked it last"
    yield Fault(Problem.CRASH_LOOPING, words, repair(Problem.CRASH_LOOPING, host.name))


def two_hosts(staying: Sequence[Host]) -> Fault:
    others = ", ".join(other.id for other in staying[1:])
    words = f"{len(staying)} hosts of this name: also {others}"
    ids = " ".join(other.id for other in staying[1:])
    end = f"`aws ec2 terminate-instances --instance-ids {ids}` ends the older"
    return Fault(Problem.TWO_HOSTS, words, f"{end}, where no deploy made that.")


def unregistered(host: Host) -> Fault:
    """What becomes of a host that no entry asks for. Only OpenTofu's state tells who made it."""
    may_be_ours = is_instance_id(host.name)
    words = f"{host.id} is not in the registry"
    hint = ": `all` removes it if a deploy made it, else remove it by hand"
    if not may_be_ours:
        words, hint = f"{words}: made by nobody I know", ", remove it by hand"
    by_hand = f"`aws ec2 terminate-instances --instance-ids {host.id}` removes it by hand"
    first = "`/fleet deploy all` removes it if a deploy made it, and replaces all others; else "
    return Fault(Problem.UNREGISTERED, words, f"{first * may_be_ours}{by_hand}.", hint)


def not_as_deployed(host: Host, left: HostLeft | None) -> Iterable[Fault]:
    """Where it is not what its last deploy left; a revision that one does not tell is any."""
    if left is None:
        return
    runs = host.revision[:_SHORT]
    if host.image == left.image and left.revision in ("", runs):
        return
    is_ = f"{host.image} ({runs or 'of no revision'})"
    was = f"{left.image} ({left.revision})" if left.revision else left.image
    words = f"is {is_}, where run {left.run} left {was}"
    yield Fault(Problem.NOT_AS_DEPLOYED, words, repair(Problem.NOT_AS_DEPLOYED, host.name))


def wrong_type(host: Host, asked: str) -> Fault:
    words = f"type {host.type}, the registry says {asked}"
    return Fault(Problem.WRONG_TYPE, words, repair(Problem.WRONG_TYPE, host.name))


def older_image(host: Host, images: tuple[Image, ...]) -> Iterable[Fault]:
    if not images or host.image == images[0].id:
        return
    mine = next((image for image in images if image.id == host.image), None)
    words = f"image {host.image} is no longer one of ours"
    if mine is not None:
        words = f"image is {older(images[0].created - mine.created)} older than the newest"
    yield Fault(Problem.OLDER_IMAGE, words, repair(Problem.OLDER_IMAGE, host.name))


def of_the_fleet(
    token_ends: float | None, images: tuple[Image, ...], now: float
) -> Iterable[Fault]:
    """What is wrong with no single instance, worst first."""
    if token_ends is not None and now >= token_ends - TOKEN_ENDS_SECONDS:
        problem = Problem.TOKEN_ENDED if now >= token_ends else Problem.TOKEN_ENDS
        ends = "ended" if problem is Problem.TOKEN_ENDED else "ends"
        yield Fault(problem, f"GitHub's token {ends} on {_day(token_ends)}", repair(problem))
    if images and now - images[0].created > IMAGE_AGE_SECONDS:
        built = f"{images[0].id}, was built on {_day(images[0].created)}"
        words = f"the newest image, {built}; one is built every week"
        yield Fault(Problem.NO_IMAGE_BUILT, words, repair(Problem.NO_IMAGE_BUILT))


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d")
