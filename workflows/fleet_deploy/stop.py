"""What stops a run: said once, then the job ends."""

from fleet_control.error import FleetError


class Stopped(FleetError):
    """The run must not go on; the message is a sentence for the chat.

    Attributes:
        title: two or three words for a headline.
        details: markdown for the job's summary, below the sentence.
    """

    def __init__(self, title: str, sentence: str, details: str = "") -> None:
        super().__init__(sentence)
        self.title = title
        self.details = details
