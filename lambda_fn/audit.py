"""One line per request: who asked for what, and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lambda_fn.ask import Deploy
from lambda_fn.failure import STATUS, Failure

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

    from lambda_fn.ask import Ask


class Trail:
    """What is known of a request so far. Only what was checked is noted, so that no field can
    hold a line's end or a secret."""

    def __init__(self, aws_request: str) -> None:
        self._fields = {"aws_request": aws_request}

    def note(self, **fields: object) -> None:
        """Fields that say nothing are left out."""
        self._fields.update((name, str(value)) for name, value in fields.items() if value)

    def asked(self, ask: Ask) -> None:
        fields = ask.entry._asdict() if isinstance(ask, Deploy) else ask._asdict()
        self.note(ask=type(ask).__name__, **{**fields, "requested_by": _quoted(fields)})

    def broken(self) -> None:
        """Within an exception's handling: leave its trace in the log."""
        _log().exception("control.broken aws_request=%s", self._fields["aws_request"])

    def write(self, outcome: Mapping[str, object] | Failure, environ: Mapping[str, str]) -> None:
        log = _log()
        if "AWS_LAMBDA_FUNCTION_NAME" in environ:
            log.setLevel("INFO")  # AWS starts at WARNING, and the trail is not to be lost
        if isinstance(outcome, Failure):
            self.note(status=STATUS[outcome.code], code=outcome.code, error=repr(outcome.error))
        else:
            run = outcome.get("run")
            self.note(status=200, run=run.get("id") if isinstance(run, dict) else None)
        log.info("control.answered %s", " ".join(f"{k}={v}" for k, v in self._fields.items()))


def _quoted(fields: Mapping[str, object]) -> str:
    """The requester with the name after a space, which would look like another field's start."""
    name = fields.get("requested_by")
    return repr(name) if name else ""


def _log() -> logging.Logger:
    # AWS's runtime has it by now; a bare process has not, and pays for it only here.
    import logging  # noqa: PLC0415

    return logging.getLogger("lambda_fn")
