"""What GitHub shows of whether a deploy could begin: its token, the workflow, the hosts' files.

The right to start a run is tried by a dispatch that GitHub refuses, but not before it has looked at
the right: with an input that the workflow does not have, and without the one that it requires.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from fleet_control.duration import older
from fleet_control.github import (
    Request,
    Response,
    read_quota,
    read_refusal,
    read_registry,
    read_token_end,
)
from fleet_control.preflight import Check, Point, ok, unseen, wrong
from lambda_fn.failure import Code, Failure
from lambda_fn.github import DAY, GitHubClient

# GitHub tells for how long a token is good; so long before its end that is said.
ENDS_SOON = 14 * DAY
# An input that the workflow does not have.
NO_INPUT = "preflight"
_RENEW = "Make another and renew it with `clawbot secrets github`."
_RIGHTS = f"The token needs Actions: write and Contents: read, on this repository alone. {_RENEW}"
_BACK = "Wait until GitHub is back; what runs there goes on."
_REGISTRY = "nix/instances.json"

Checks = Iterator[Check]


def workflow(github: GitHubClient) -> Checks:
    """Of GitHub itself, our token, the quota, the workflow, and the right to start it."""
    answer = _asked(github, github.workflow_path)
    if isinstance(answer, Failure):
        yield _without(answer)
        return
    if answer.status >= 500:
        yield wrong(Point.GITHUB, _refused(github, answer), _BACK)
        return
    yield ok(Point.GITHUB, "The Control API reaches it.")
    yield from _quota(github, answer)
    yield from _token(github, answer)
    if answer.status not in (401, 403, 429):
        yield from _workflow(github, answer)


def host_files(github: GitHubClient) -> Checks:
    """Of the registry on the branch, and a file for each of its hosts."""
    answer = _asked(github, _at(github, _REGISTRY))
    if isinstance(answer, Failure):
        return
    if answer.status == 404:
        told = f"`{_REGISTRY}` is not on `{github.branch}`."
        yield wrong(Point.REGISTRY, told, "Merge it; GITHUB_REF of the Control API says which.")
        return
    if answer.status == 403:
        yield from _token(github, answer)
        return
    try:
        hosts = _hosts(read_registry(json.loads(answer.body))[0])
    except (ValueError, LookupError, TypeError, AttributeError):
        yield unseen(Point.HOST_FILES, "The registry can't be read.", "Mend the registry first.")
        return
    listed = _asked(github, _at(github, "nix/hosts"))
    if not isinstance(listed, Failure) and listed.status in (200, 404):
        yield _files(github, hosts, listed)


def _asked(github: GitHubClient, path: str) -> Response | Failure:
    try:
        return github.look(Request("GET", path))
    except Failure as failure:
        return failure


def _without(failure: Failure) -> Check:
    match failure.code:
        case Code.GITHUB_BUSY:
            return wrong(Point.QUOTA, str(failure), "Look again when GitHub's hour is over.")
        case Code.MISCONFIGURED:
            return wrong(Point.GITHUB_TOKEN, str(failure), _RENEW)
        case _:
            return wrong(Point.GITHUB, str(failure), _BACK)


def _at(github: GitHubClient, path: str) -> str:
    return f"{github.contents_path}/{path}?ref={github.branch}"


def _refused(github: GitHubClient, answer: Response) -> str:
    return f"{read_refusal(answer, github.shown, github.now).words.rstrip('.')}."


def _quota(github: GitHubClient, answer: Response) -> Checks:
    refused = read_refusal(answer, github.shown, github.now) if answer.status >= 400 else None
    quota = read_quota(answer)
    if refused and refused.wait:
        yield wrong(Point.QUOTA, f"{refused.words}.", f"Look again in {refused.wait} s.")
    elif quota:
        yield ok(Point.QUOTA, f"{quota.remaining} of {quota.limit} calls an hour are left.")


def _token(github: GitHubClient, answer: Response) -> Checks:
    if answer.status == 401:
        yield wrong(Point.GITHUB_TOKEN, _refused(github, answer), _RENEW)
    elif answer.status == 403 and not read_refusal(answer, github.shown, github.now).wait:
        yield wrong(Point.GITHUB_TOKEN, _refused(github, answer), _RIGHTS)
    elif answer.status == 200:
        yield _end(read_token_end(answer), github.now)


def _end(ends: float | None, now: float) -> Check:
    if ends is None:
        return ok(Point.GITHUB_TOKEN, "GitHub takes it, and names no day on which it ends.")
    left, day = ends - now, f"{datetime.fromtimestamp(ends, UTC):%F}"
    if left <= 0:
        return wrong(Point.GITHUB_TOKEN, f"It ended on {day}.", _RENEW)
    told = f"It ends on {day}, in {older(left)}."
    return ok(Point.GITHUB_TOKEN, told if left > ENDS_SOON else f"{told} {_RENEW}")


def _workflow(github: GitHubClient, answer: Response) -> Checks:
    name = github.workflow_path.rpartition("/")[2]
    if answer.status != 200:
        told = f"GitHub shows the Control API's token no workflow `{name}` (HTTP {answer.status})."
        advice = (
            "Merge it to the default branch. Where it is there, GITHUB_REPO of the Control API or "
            "the repository of the token is another."
        )
        yield wrong(Point.WORKFLOW, told, advice)
        return
    state = str(_said(answer).get("state"))
    if state != "active":
        advice = f"Enable it on its page, or by `gh workflow enable {name}`."
        yield wrong(Point.WORKFLOW, f"`{name}` is disabled ({github.shown(state)}).", advice)
        return
    yield ok(Point.WORKFLOW, f"`{name}` is there and enabled.")
    yield from _dispatch(github)


def _dispatch(github: GitHubClient) -> Checks:
    body = json.dumps({"ref": github.branch, "inputs": {NO_INPUT: "true"}}).encode()
    try:
        answer = github.look(Request("POST", f"{github.workflow_path}/dispatches", body))
    except Failure as failure:
        yield unseen(Point.DISPATCH, str(failure), "Look again in a minute.")
        return
    said = str(_said(answer).get("message"))
    if answer.status == 422 and said.startswith("Unexpected inputs"):
        told = "It is there: GitHub refused a trial for its input alone, and no run began."
        yield ok(Point.DISPATCH, told)
    elif answer.status in (403, 404):
        yield wrong(Point.DISPATCH, _refused(github, answer), _RIGHTS)
    elif answer.status == 422 and "disabled workflow" in said:
        yield unseen(Point.DISPATCH, _refused(github, answer), "Enable the workflow first.")
    elif answer.status == 422:
        advice = f"Mend the workflow as it is on `{github.branch}`, or GITHUB_REF."
        yield wrong(Point.DISPATCH, _refused(github, answer), advice)
    elif answer.status < 300:
        told = f"GitHub took a trial that it should refuse for its input `{NO_INPUT}`."
        advice = (
            "Cancel that run, and merge the workflow as this version of the Control API has it."
        )
        yield wrong(Point.DISPATCH, told, advice)
    else:
        yield unseen(Point.DISPATCH, _refused(github, answer), "Look again in a minute.")


def _said(answer: Response) -> dict[str, Any]:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        said = None
    return said if isinstance(said, dict) else {}


def _hosts(registry: str) -> Sequence[str]:
    return [str(entry["host"]) for entry in json.loads(registry).values()]


def _files(github: GitHubClient, hosts: Sequence[str], listed: Response) -> Check:
    rows = json.loads(listed.body) if listed.status == 200 else []
    there = {str(row["name"]) for row in rows}
    missing = [f"`nix/hosts/{host}.nix`" for host in hosts if f"{host}.nix" not in there]
    if not missing:
        return ok(
            Point.HOST_FILES, f"`{github.branch}` has one for each of {len(hosts)} instances."
        )
    told = github.shown(f"{', '.join(missing[:5])} {'is' if len(missing) == 1 else 'are'} not on")
    more = f" ({len(missing)} in all)" if len(missing) > 5 else ""
    advice = "Write each as `clawbot instance add` does, and merge it."
    return wrong(Point.HOST_FILES, f"{told} `{github.branch}`{more}.", advice)
