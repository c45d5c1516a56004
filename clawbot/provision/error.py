"""The exception of the provisioning commands and of a host's boot."""


class ProvisionError(Exception):
    """`problems` has a sentence for each thing that is wrong; no secret is in any."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
