"""The newest revisions of the branch, and the subject and date of a commit.

Asked in one question each of GitHub's GraphQL API, whose quota is not the one that deploys need.
What can't be had is left out: nobody asks for it alone.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from fleet_control.ledger import Job, Revision
from fleet_control.seed import PATHS
from lambda_fn.failure import Failure
from lambda_fn.github import FOR_GOOD, REVISIONS_KEPT, GitHubClient

COMMITS_LOOKED_AT = 50
# What an answer may wait for these words.
WITHIN_SECONDS = 2.0
_HISTORY = """
query($owner: String!, $name: String!, $at: String!, $count: Int!) {
  repository(owner: $owner, name: $name) {
    object(expression: $at) {
      ... on Commit {
        history(first: $count) {
          nodes {
            oid messageHeadline committedDate
            parents(first: 1) { nodes { oid } }
            tree { entries { name mode oid } }
          }
        }
      }
    }
  }
}"""
# What is refused, late, or of no form of GitHub's.
_NOT_TO_BE_HAD = (Failure, ValueError, LookupError, TypeError, AttributeError)
_OF_A_HOST = re.compile(r".* @([0-9a-f]{7})")


def revisions(github: GitHubClient) -> list[Revision]:
    """Those among the branch's newest commits, the newest first."""
    branch = f"refs/heads/{github.branch}"
    try:
        commits = _history(github, branch, COMMITS_LOOKED_AT, REVISIONS_KEPT)
        return [_revision(one, github) for one in _changing(commits)]
    except _NOT_TO_BE_HAD:
        return []


def made_of(jobs: Iterable[Job], github: GitHubClient) -> Revision | None:
    """What all of a run's hosts become, by the digits in the names of their jobs; None where they
    become different ones, as by a rollback."""
    named = {found[1] for job in jobs if (found := _OF_A_HOST.fullmatch(job.name))}
    if len(named) != 1:
        return None
    (digits,) = named
    try:
        told = _revision(_history(github, digits, 1, FOR_GOOD)[0], github)
    except _NOT_TO_BE_HAD:
        return Revision(digits)
    # A branch or a tag may have any name.
    return told if told.commit.startswith(digits) else Revision(digits)


def _history(github: GitHubClient, at: str, count: int, kept: float) -> list[Mapping[str, Any]]:
    found = github.within(WITHIN_SECONDS).object_at(at, _HISTORY, kept, count=count)
    commits: list[Mapping[str, Any]] = found["history"]["nodes"]
    return commits


def _changing(commits: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """The branch's own commits that change what a seed holds; not those within what was merged."""
    known = {one["oid"]: one for one in commits}
    newest = next(iter(commits), None)
    while newest:
        parents = newest["parents"]["nodes"]
        before = known.get(parents[0]["oid"]) if parents else None
        if not parents or (before and _seed(newest) != _seed(before)):
            yield newest
        newest = before


def _seed(commit: Mapping[str, Any]) -> Mapping[str, object]:
    """Git's names for what a seed of this commit would hold, and the modes."""
    entries = {one["name"]: (one["mode"], one["oid"]) for one in commit["tree"]["entries"]}
    return {path: entries.get(path) for path in PATHS}


def _revision(commit: Mapping[str, Any], github: GitHubClient) -> Revision:
    return Revision(
        commit["oid"], github.shown(commit["messageHeadline"]), str(commit["committedDate"])
    )
