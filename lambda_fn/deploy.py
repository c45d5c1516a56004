"""A deploy: judged by what can be seen from here, then handed to GitHub as one run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet_control import ledger, policy
from fleet_control.caller import BotInstance
from lambda_fn.failure import Broken, Code, Failure
from lambda_fn.voice import Spoken, speak

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lambda_fn.ask import Deploy
    from lambda_fn.github import Began, GitHub
    from lambda_fn.signer import Signer

# Enough for every run that can still be waiting or running: GitHub ends a job after six hours.
DAYS_LOOKED_BACK = 3
DAY = 24 * 60 * 60.0
# GitHub's list of runs lags a few seconds behind its dispatches, and its clock may differ.
_FIND_AFTER = (0.0, 0.5, 1.0, 1.5)
_CLOCK_SKEW = 60.0


def deploy(
    ask: Deploy, signer: Signer, connect: Callable[[], GitHub]
) -> Mapping[str, object] | Failure:
    """`connect` is called only where a refusal is not certain without it."""
    spoken = speak(signer, ask.entry)
    if isinstance(spoken, Failure):
        return spoken
    refused = _judged(spoken, policy.Facts())
    if refused:
        return refused
    github = connect()
    if isinstance(spoken.caller, BotInstance):
        unfinished = [run for run in _recent(github) if not run.finished]
        again = (
            ledger.oldest(unfinished, spoken.entry.request_id) if spoken.entry.request_id else None
        )
        if again:
            return _queued(spoken.entry, again.id, again.url)
        own = (run.url for run in unfinished if run.caller == spoken.caller.instance)
        refused = _judged(spoken, policy.Facts(unfinished=next(own, "")))
        if refused:
            return refused
    entry = ledger.fit(spoken.entry)
    began = _dispatch(github, entry)
    return _queued(entry, began.id, began.url)


def _judged(spoken: Spoken, facts: policy.Facts) -> Failure | None:
    """What a depth without a code of its own for a refusal is asked, `ask.parse` has refused."""
    verdict = policy.judge(spoken.caller, spoken.entry.target, spoken.entry.ami_override, facts)
    match verdict:
        case policy.Refused(code, message):
            return Failure(Code(code.value), message)
        case policy.Usage():
            return Failure(Code.BAD_REQUEST, "`target` must be `all` or an instance id.")
        case policy.Allowed():
            return None


def _recent(github: GitHub) -> list[ledger.Run]:
    return list(github.runs(since=github.budget.now() - DAYS_LOOKED_BACK * DAY))


def _queued(entry: ledger.Entry, run_id: int | None, url: str) -> Mapping[str, object]:
    return {"message": f"deploy queued for {entry.target}", "run": {"id": run_id, "url": url}}


def _dispatch(github: GitHub, entry: ledger.Entry) -> Began:
    from lambda_fn.github_failure import Doubtful  # noqa: PLC0415  (GitHub is in use by now)

    asked = github.budget.now()
    try:
        return github.dispatch(entry) or _find(github, entry, asked) or github.somewhere()
    except Doubtful as error:
        found = _find(github, entry, asked) if entry.request_id else None
        if found:
            return found
        raise Broken(
            error.failure.code,
            f"{error} Whether a deploy began can't be confirmed: look for its run before "
            "asking again.",
        ) from error


def _find(github: GitHub, entry: ledger.Entry, asked: float) -> Began | None:
    """The run of this ask, by its title, while there is time to look."""
    from lambda_fn.github import Began  # noqa: PLC0415  (GitHub is in use by now)

    said = ledger.parse_title(ledger.title(entry))
    for pause in _FIND_AFTER:
        if pause and not github.budget.wait(pause):
            break
        try:
            for run in github.runs(newest=30, since=asked - _CLOCK_SKEW):
                if ledger.Entry(*(getattr(run, field) for field in ledger.TITLE_FIELDS)) == said:
                    return Began(run.id, run.url)
        except Broken:
            break
    return None
