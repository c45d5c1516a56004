"""What can break on the way to a deploy.

FleetError
├── SettingsError           settings are missing or wrong; `problems` lists all of it
├── RegistryError           the registry is not what it must be; `problems` lists all of it
│   └── RegistryUnread      there is none to look at: not at its source, and no copy
├── ManifestError           what lies beside a bundle does not say what is in it
├── archive.ArchiveError    these bytes are no archive of ours
├── Ec2Error                EC2 did not answer, or refused
└── ControlApiError
    ├── ControlApiRefused   it answered, and said no; `code` is from its closed set
    ├── ControlApiDown      nothing was done: it could not be reached, or answered nonsense
    │   └── AwsRefused      AWS answered in its place, and said no
    ├── OutcomeUnknown      a deploy was asked for, and whether it began can't be confirmed
    └── api_answer.Lost     of one call, before it is known which of the last two it was
"""


class FleetError(Exception):
    """Anything of ours that broke; its message is a sentence for people, to its stop."""

    def __init__(self, message: str) -> None:
        super().__init__(message if message.endswith((".", "!", "?", "…")) else f"{message}.")


class SettingsError(FleetError):
    def __init__(self, problems: list[str]) -> None:
        super().__init__("The settings are not complete: " + "; ".join(problems))
        self.problems = problems


class RegistryError(FleetError):
    def __init__(self, problems: list[str]) -> None:
        super().__init__("The registry is not valid: " + "; ".join(problems))
        self.problems = problems


class RegistryUnread(RegistryError):
    """`invalid` is what is wrong with the one at its source, where that was reached."""

    def __init__(self, why: str, invalid: tuple[str, ...] = ()) -> None:
        FleetError.__init__(self, why)  # its own words: nothing is said to be not valid
        self.problems = [why]
        self.invalid = invalid


class ManifestError(FleetError):
    pass


class Ec2Error(FleetError):
    pass


class ControlApiError(FleetError):
    pass


class ControlApiRefused(ControlApiError):
    """`status` is the HTTP status, `retry_after` seconds where the API named them."""

    def __init__(
        self, code: str, message: str, status: int, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.retry_after = retry_after

    @property
    def may_have_acted(self) -> bool:
        """Whether the API itself does not know what became of it: of a write to its table."""
        return self.code in ("table_unreachable", "internal")


class ControlApiDown(ControlApiError):
    pass


class AwsRefused(ControlApiDown):
    """`status` is the HTTP status; `of_time` whether it is for the clocks, which differ."""

    def __init__(self, message: str, status: int, *, of_time: bool) -> None:
        super().__init__(message)
        self.status = status
        self.of_time = of_time


class OutcomeUnknown(ControlApiError):
    pass
