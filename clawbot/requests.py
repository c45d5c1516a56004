"""What can be asked of the bot: one class a command, its fields the command's options."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """How the fleet is; `page` counts from 1, as people do."""

    page: int = 1


@dataclass(frozen=True, slots=True)
class Deploy:
    """Replace hosts, with the newest image where none is named; no target asks which there are."""

    target: str = ""
    image_or_commit: str = ""


@dataclass(frozen=True, slots=True)
class Help:
    """What can be asked."""


@dataclass(frozen=True, slots=True)
class History:
    """The last deploys, of one target where one is named; `page` counts from 1."""

    target: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class ShowRun:
    """One deploy by its run's id; none asks which there are."""

    run: int = 0


@dataclass(frozen=True, slots=True)
class Rollback:
    """Replace hosts with what they ran before their last successful deploy."""

    target: str = ""


@dataclass(frozen=True, slots=True)
class Resume:
    """Take up a roll that stopped, by its run's id."""

    run: int = 0


@dataclass(frozen=True, slots=True)
class FreezeFor:
    """Refuse deploys for so many seconds, 0 for the usual time."""

    duration: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Unfreeze:
    """Allow deploys again."""


@dataclass(frozen=True, slots=True)
class Stop:
    """End the roll that runs after the host that it is at."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel a deploy that has not started, by its run's id; none asks which there are."""

    run: int = 0


@dataclass(frozen=True, slots=True)
class Unlock:
    """Break the lock on the state."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Whether a deploy would work."""


# What is for operators alone, but for a deploy, which bot instances may ask for too.
OperatorsRequest = Rollback | Resume | FreezeFor | Unfreeze | Stop | Cancel | Unlock
Request = Status | Deploy | Help | History | ShowRun | Preflight | OperatorsRequest
