"""GitHub's variables of this run, and what the run writes back: outputs, summary, annotations."""

import re
import secrets
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from workflows.fleet_deploy.stopped import Stopped

_REPOSITORY = re.compile(r"[\w-]+/[\w.-]+")
_WORKFLOW = re.compile(r"[^/]+/[^/]+/\.github/workflows/([\w.-]+)@refs/heads/(.+)")
_OUTPUT = re.compile(r"[^\r\n]*")


@dataclass(frozen=True, slots=True)
class ThisRun:
    """This run.

    Attributes:
        attempt: 1, or more for a re-run.
        workflow: the file name of the workflow.
        branch: the branch that the workflow was started on.
        actor, actor_id: whose account started it.
        triggering_actor: whose started this attempt.
    """

    id: int
    attempt: int
    repository: str
    workflow: str
    branch: str
    actor: str
    actor_id: str
    triggering_actor: str


def read_run(environ: Mapping[str, str]) -> ThisRun:
    """This run, from a runner's environment; Stopped names every variable that is wrong."""
    workflow = _WORKFLOW.fullmatch(environ.get("GITHUB_WORKFLOW_REF", ""))
    checks = {
        "GITHUB_RUN_ID": environ.get("GITHUB_RUN_ID", "").isdecimal(),
        "GITHUB_RUN_ATTEMPT": environ.get("GITHUB_RUN_ATTEMPT", "").isdecimal(),
        "GITHUB_REPOSITORY": _REPOSITORY.fullmatch(environ.get("GITHUB_REPOSITORY", "")),
        "GITHUB_ACTOR": environ.get("GITHUB_ACTOR"),
        "GITHUB_ACTOR_ID": environ.get("GITHUB_ACTOR_ID", "").isdecimal(),
        "GITHUB_TRIGGERING_ACTOR": environ.get("GITHUB_TRIGGERING_ACTOR"),
        "GITHUB_WORKFLOW_REF (a workflow file on a branch)": workflow,
    }
    wrong = [name for name, holds in checks.items() if not holds]
    if wrong or workflow is None:
        raise Stopped("No runner", f"Not as on a GitHub runner: {', '.join(wrong)}.")
    return ThisRun(
        id=int(environ["GITHUB_RUN_ID"]),
        attempt=int(environ["GITHUB_RUN_ATTEMPT"]),
        repository=environ["GITHUB_REPOSITORY"],
        workflow=workflow[1],
        branch=workflow[2],
        actor=environ["GITHUB_ACTOR"],
        actor_id=environ["GITHUB_ACTOR_ID"],
        triggering_actor=environ["GITHUB_TRIGGERING_ACTOR"],
    )


def first_attempt_only(run: ThisRun) -> None:
    """A re-run would act on what was true for the first attempt; Stopped says what to do."""
    if run.attempt != 1:
        raise Stopped(
            "Not twice",
            f"This is attempt {run.attempt} of run {run.id}; a deploy is never run again. "
            "Start a new one.",
        )


def needed(environ: Mapping[str, str], *names: str) -> tuple[str, ...]:
    """The values of variables that must be set; Stopped names all that are not."""
    missing = [name for name in names if not environ.get(name)]
    if missing:
        raise Stopped("Not set up", f"Not set: {', '.join(missing)}. See docs/set-up.md.")
    return tuple(environ[name] for name in names)


def write_outputs(environ: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Hand values to later jobs. A value is one line, or it could write outputs of its own."""
    for name, value in outputs.items():
        if not _OUTPUT.fullmatch(value):
            raise ValueError(f"the output {name} has more than one line")
    _append(environ, "GITHUB_OUTPUT", "".join(f"{key}={one}\n" for key, one in outputs.items()))


def write_summary(environ: Mapping[str, str], markdown: str) -> None:
    _append(environ, "GITHUB_STEP_SUMMARY", markdown.rstrip() + "\n\n")


def _append(environ: Mapping[str, str], variable: str, text: str) -> None:
    path = environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text)


class Annotation(NamedTuple):
    """A notice on the run's page, which stops nothing."""

    title: str
    sentence: str


@contextmanager
def commands_stopped() -> Iterator[None]:
    """Keep the runner from taking what is written meanwhile for workflow commands.

    The engine repeats the values of tags, and an exception what AWS says: neither may set an output
    or speak as an error of ours. What other programs write must come by our own standard output,
    or it might arrive when the words are over.
    """
    token = secrets.token_hex(16)
    _say(f"::stop-commands::{token}")
    try:
        yield
    finally:
        _say(f"::{token}::")


def say_error(title: str, sentence: str) -> None:
    """What GitHub shows as an error, and keeps in the log."""
    _say(f"::error title={_escaped(title, ',:')}::{_escaped(sentence)}")


def say_notice(notice: Annotation) -> None:
    _say(f"::notice title={_escaped(notice.title, ',:')}::{_escaped(notice.sentence)}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _escaped(text: str, more: str = "") -> str:
    for character in ("%", "\r", "\n", *more):
        text = text.replace(character, f"%{ord(character):02X}")
    return text
