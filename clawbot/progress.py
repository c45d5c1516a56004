"""How a deploy goes, and each of its hosts, as far as it is known."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import inf

from fleet_control.last_words import LastWords
from fleet_control.ledger import Revision


class Stage(StrEnum):
    """Where a deploy is. STOPPED: between two hosts, by a person; UNKNOWN: we lost sight of it and
    say so."""

    ASKING = "asking"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    STOPPED = "stopped"
    UNKNOWN = "unknown"


class HostStage(StrEnum):
    """Where one host of a deploy is."""

    WAITING = "waiting"
    REPLACING = "replacing"
    HEALTHY = "healthy"
    FAILED = "failed"
    UNTOUCHED = "untouched"


@dataclass(frozen=True, slots=True)
class HostProgress:
    """One host of a deploy.

    Attributes:
        old: its image before; empty where there was no host.
        began: when its turn came, Unix seconds; 0 before.
        took: seconds from then to its end; 0 before.
        revision: the first digits of what it becomes, where not all of the deploy become the same.
        remarks: what was remarkable on its way to be healthy.
    """

    id: str
    old: str
    new: str
    stage: HostStage
    began: float = 0.0
    took: float = 0.0
    remarks: str = ""
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """A deploy, as far as it is known.

    Attributes:
        image_or_commit: the image or the commit asked for; empty for the newest.
        made_of: what its hosts become, once that is settled; None where each becomes its own.
        asked: when, Unix seconds by GitHub's clock; 0 before it was seen there.
        ahead: how many deploys wait or run before this one.
        review: whether it waits for a person's approval on GitHub, and not for its turn.
        began: when the run's turn came, Unix seconds; 0 before.
        took: seconds from then to its end; 0 before.
        step: what was going on when it failed.
        reason: why it failed or what is not known, in a sentence.
        advice: what to do next; may hold `code` in backquotes.
        last_words: of the host that did not come up; anybody's, and no markup of ours.
        operation, override: as the ledger has them.
        stopped_by: who stopped it, an account and a name; empty where nobody did.
        left: the hosts that it did not reach, which a resume takes up; empty before its end.
        begins, ends: about when its turn comes, and when it is over, Unix seconds, by what deploys
            of its kind took; 0 where that can't be said. By themselves they are no news: they are
            shown with what is.
    """

    stage: Stage
    target: str
    image_or_commit: str = ""
    url: str = ""
    run_id: int | None = None
    ahead: int = 0
    review: bool = False
    hosts: tuple[HostProgress, ...] = ()
    began: float = 0.0
    took: float = 0.0
    step: str = ""
    reason: str = ""
    advice: str = ""
    made_of: Revision | None = None
    asked: float = field(default=0.0, compare=False)
    last_words: LastWords | None = None
    operation: str = ""
    override: str = ""
    stopped_by: str = ""
    left: tuple[str, ...] = ()
    begins: float = field(default=0.0, compare=False)
    ends: float = field(default=0.0, compare=False)

    @property
    def over(self) -> bool:
        """Whether it will not change any more, or not that we could see."""
        return self.stage not in (Stage.ASKING, Stage.QUEUED, Stage.RUNNING)

    @property
    def ended(self) -> float:
        """When it ended, in Unix seconds; infinite before, and where that is not known."""
        return self.began + self.took if self.took else inf


def lost(seen: Progress, reason: str) -> Progress:
    """What is said of a deploy whose end we could not learn."""
    return replace(
        seen,
        stage=Stage.UNKNOWN,
        reason=reason,
        advice="Look at the runs, and at `/fleet status`, before asking again.",
    )
