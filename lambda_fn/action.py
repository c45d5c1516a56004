"""What the Control API does besides a deploy: read runs and the registry, cancel a run."""

import re
from collections.abc import Mapping

from fleet_control import last_words
from fleet_control.ledger import WAITING, Job, Run, seconds
from fleet_control.roll_stop import named
from lambda_fn import history, revisions
from lambda_fn.failure import Code, Failure
from lambda_fn.github import DAY, RUNS_KEPT, GitHubClient
from lambda_fn.request import ApiAction, ApiRequest

_STOPPED: Mapping[str | None, str] = {
    "failure": "",  # its log says more
    "timed_out": "ran out of time",
    "cancelled": "was cancelled or ran out of time",  # GitHub says the same of both
}
# Seconds after which a job's log is there, or never will be.
_SETTLED = 300
_ERROR = r"(?m)^(?:\ufeff?\d{4}-\S+Z )?##\[error\](.*)"
# GitHub ends every failed step with this, which says nothing.
_BARE = "Process completed with exit code"


def answer(ask: ApiRequest, github: GitHubClient) -> Mapping[str, object]:
    match ask.action:
        case ApiAction.RUN:
            found = run(ask.run_id, github)
            if ask.revisions:
                found = found._replace(made_of=revisions.made_of(found.jobs, github))
            return {"run": _told(found, ask)}
        case ApiAction.RUNS:
            return {"runs": [_told(one, ask) for one in runs(ask, github)]}
        case ApiAction.HISTORY:
            return history.answer(ask.entry.target, ask.page, github)
        case ApiAction.REGISTRY:
            text, version = github.registry()
            made_of = revisions.revisions(github)
            ends = github.cache.token_ends
            return {"registry": text, "version": version, "revisions": made_of, "token_ends": ends}
        case _:
            return {"message": cancel(ask.run_id, github)}


def _told(found: Run, ask: ApiRequest) -> Mapping[str, object]:
    """A bot takes a field that it does not know for no answer, and asks for what it knows."""
    fields = found._asdict()
    if not ask.revisions:
        del fields["revision"], fields["made_of"]
    if not ask.last_words:
        del fields["last_words"]
    if not ask.operations:
        del fields["operation"], fields["override"]
    return fields


def run(run_id: int, github: GitHubClient) -> Run:
    """The run with its jobs and why it failed; one that has ended is cached for good."""
    if known := github.cache.ended(run_id):
        return known
    found = _looked_at(run_id, github)
    if found.finished:
        # A list from before its end calls it unfinished. GitHub tells whole seconds, by its clock.
        github.cache.note_change(min(seconds(found.updated) + 1, github.now))
    is_whole = all(job.finished for job in found.jobs)
    told = is_whole and (found.conclusion == "success" or found.reason)
    if found.finished and (told or github.now - seconds(found.updated) > _SETTLED):
        github.cache.keep_ended(found)
    return found


def _looked_at(run_id: int, github: GitHubClient) -> Run:
    """Of a roll that stopped, the reason is the job's that stopped it: those after it only say that
    it did, or never began."""
    found, why, words = github.run(run_id), "", None
    jobs = github.jobs(found)
    stopped = [
        (_is_idle(one.job), one.job.completed_at or "~", one)
        for one in jobs
        if found.conclusion in _STOPPED and one.job.conclusion in _STOPPED
    ]
    if stopped:
        idle, _, (first, job, begun) = min(stopped)
        end = "was cancelled before it began" if idle else _STOPPED[job.conclusion]
        if end:
            why = f'The job "{job.name}" {end}.'
        elif begun:
            log = github.log(first)
            why, words = reason(log), last_words.read(log)
        else:
            said = github.annotations(first)
            why = f'GitHub never started the job "{job.name}" ({found.url}){said and ": "}{said}'
    return found._replace(
        jobs=tuple(one.job for one in jobs), reason=github.shown(why), last_words=words
    )


def _is_idle(job: Job) -> bool:
    """Whether it was cancelled while it waited."""
    return job.conclusion == "cancelled" and all(
        step.conclusion in (None, "skipped") for step in job.steps
    )


def reason(log: str) -> str:
    """The last ``##[error]`` line that says more than an exit code, or else the last of those."""
    said = re.findall(_ERROR, log)
    telling = [words for words in said if _BARE not in words]
    return "".join((telling or said)[-1:])


def runs(ask: ApiRequest, github: GitHubClient) -> list[Run]:
    """Newest first. A request id, and what is unfinished, is looked for in the last days only; for
    a request id, in the list as it is now, which lags enough by itself."""
    wanted = ask.entry.request_id
    newest = 0 if wanted or ask.unfinished else ask.limit
    found = github.runs(newest, 0 if wanted else RUNS_KEPT)
    if ask.unfinished:
        found = [one for one in found if not _is_past(one, github.now)]
    return [one for one in found if wanted in ("", one.request_id)][: ask.limit]


def _is_past(run: Run, now: float) -> bool:
    """Whether it ended more than a day ago."""
    return run.finished and seconds(run.updated) < now - DAY


def cancel(run_id: int, github: GitHubClient) -> str:
    """Whoever asked for the run, but only while nothing was done. A job that starts between our
    look and GitHub's is GitHub's to stop: the first minute's steps change nothing."""
    run = github.run(run_id, 0)
    waits = run.status in WAITING and all(one.job.status in WAITING for one in github.jobs(run, 0))
    if waits and github.cancel(run_id):
        return f"{named(run)} is cancelled; it changed nothing."
    raise Failure(Code.ALREADY_RUNNING, f"Run {run_id} has started.")
