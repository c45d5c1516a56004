"""What the five actions do: a deploy is judged by what can be seen from here and handed to GitHub
as one run; the others read the ledger and the registry, or take a run back.
"""

import re
from collections.abc import Callable, Mapping

from fleet_control.caller import BotInstance, Human
from fleet_control.ledger import Entry, Job, Run, fit, oldest, seconds
from fleet_control.policy import Allowed, Facts, Refused, Verdict, judge
from lambda_fn.ask import Action, Ask
from lambda_fn.failure import Code, Failure
from lambda_fn.github import DAY, GitHub

_STOPPED: Mapping[str | None, str] = {
    "failure": "",  # its log says more
    "timed_out": "ran out of time",
    "cancelled": "was cancelled or ran out of time",  # GitHub says the same of both
}
_WAITING = ("queued", "pending", "waiting", "requested")
_ERROR = r"(?m)^(?:\ufeff?\d{4}-\S+Z )?##\[error\](.*)"
# GitHub ends every failed step with this, which says nothing.
_BARE = "Process completed with exit code"


def deploy(entry: Entry, connect: Callable[[], GitHub]) -> Mapping[str, object]:
    """`entry` is what the signer may say; `connect` is called only where no refusal is certain
    without it."""
    _check(entry, Facts())
    github = connect()
    if entry.caller:
        unfinished = [run for run in github.runs() if not run.finished]
        if entry.request_id and (again := oldest(unfinished, entry.request_id)):
            return _queued(entry, again.id, again.url)
        own = [run.url for run in unfinished if run.caller == entry.caller]
        _check(entry, Facts(unfinished=own[-1] if own else ""))
    return _queued(entry, *github.dispatch(fit(entry)))


def _check(entry: Entry, facts: Facts) -> None:
    """Whether a person is an operator was looked up by who signed for the person."""
    caller = BotInstance(entry.caller) if entry.caller else Human(entry.requested_by, "", True)
    let_by(judge(caller, entry.target, entry.ami_override, facts))


def let_by(verdict: Verdict) -> None:
    match verdict:
        case Allowed():
            return
        case Refused(code, message):
            raise Failure(code, message)
        case _:
            raise Failure(Code.BAD_REQUEST, "`target` is missing.")


def _queued(entry: Entry, run_id: int | None, url: str) -> Mapping[str, object]:
    return {"message": f"deploy queued for {entry.target}", "run": {"id": run_id, "url": url}}


def answer(ask: Ask, github: GitHub) -> Mapping[str, object]:
    match ask.action:
        case Action.RUN:
            return {"run": run(ask.run_id, github)}
        case Action.RUNS:
            return {"runs": runs(ask, github)}
        case Action.REGISTRY:
            text, version = github.registry()
            return {"registry": text, "version": version}
        case _:
            return {"message": cancel(ask.run_id, github)}


def run(run_id: int, github: GitHub) -> Run:
    """Of a roll that stopped, the reason is the job's that stopped it: those after it only say that
    it did, or never began."""
    found, jobs, why = github.run(run_id), github.jobs(run_id), ""
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
            why = reason(github.log(first))
        else:
            said = github.annotations(first)
            why = f'GitHub never started the job "{job.name}" ({found.url}){said and ": "}{said}'
    return found._replace(jobs=tuple(one.job for one in jobs), reason=github.shown(why))


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


def runs(ask: Ask, github: GitHub) -> list[Run]:
    """Newest first. A request id, and what is unfinished, is looked for in the last days only."""
    wanted = ask.entry.request_id
    found = github.runs(0 if wanted or ask.unfinished else ask.limit)
    ended = github.now - DAY if ask.unfinished else 0
    return [
        one
        for one in found
        if wanted in ("", one.request_id) and not (one.finished and seconds(one.updated) < ended)
    ][: ask.limit]


def cancel(run_id: int, github: GitHub) -> str:
    """Only while nothing was done. A job that starts between our look and GitHub's is GitHub's to
    stop: the first minute's steps change nothing."""
    waits = not github.run(run_id).finished and all(
        one.job.status in _WAITING for one in github.jobs(run_id)
    )
    if waits and github.cancel(run_id):
        return f"run {run_id} is cancelled; it changed nothing"
    raise Failure(Code.ALREADY_RUNNING, f"Run {run_id} has started.")
