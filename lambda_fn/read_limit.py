"""Limits how often callers may read, so that GitHub's quota suffices for a person's deploy, and how
often a chat key may say what its bot tells, so that a stolen one floods no table."""

from contextlib import suppress
from typing import NamedTuple

from lambda_fn.failure import Code, Failure
from lambda_fn.github_cache import GitHubCache
from lambda_fn.request import ApiAction
from lambda_fn.signer import Signer, SignerRole
from lambda_fn.table import Table

# One that waits for its deploy reads 6 times a minute, and some ten times in the first if the
# answer to its ask is lost; twice that leaves room for a second one that waits.
A_MINUTE = 20
# What a preflight counts for: it asks GitHub so often.
PREFLIGHTS_READS = 5
# A bot with two channels asks 8 times in a minute for its watches. Of 21 runs, as many as agents
# may have waiting beside the one that runs, it asks four times of each, or renews two leases and
# says that a reply lives. One that was restarted asks once in each channel of a day's hundred runs.
TELLS_A_MINUTE = 300
# The parts of GitHub's quota that are kept: from agents, and from all but a deploy.
FROM_AGENTS = 1 / 5
FROM_ALL = 1 / 20


def spared(signer: Signer, action: ApiAction) -> float:
    """The part of GitHub's quota that this action may not use."""
    if action is ApiAction.DEPLOY:
        return 0.0
    return FROM_AGENTS if signer.role is SignerRole.AGENT else FROM_ALL


def count(
    signer: Signer, action: ApiAction, table: Table | None, cache: GitHubCache, now: float
) -> None:
    """Count an agent's read."""
    if signer.role is SignerRole.AGENT:
        reads = PREFLIGHTS_READS if action is ApiAction.PREFLIGHT else 1
        limit = _Limit(f"reads#{signer.name}", A_MINUTE, Code.GITHUB_BUSY)
        _count(signer, limit, reads, table, cache, now)


def count_telling(signer: Signer, table: Table | None, cache: GitHubCache, now: float) -> None:
    """Count what a chat key says of what its bot told and tells."""
    if signer.role is SignerRole.CHAT:
        limit = _Limit(f"tells#{signer.name}", TELLS_A_MINUTE, Code.ASKED_TOO_OFTEN)
        _count(signer, limit, 1, table, cache, now)


class _Limit(NamedTuple):
    of: str
    most: int
    code: Code


def _count(
    signer: Signer, limit: _Limit, more: int, table: Table | None, cache: GitHubCache, now: float
) -> None:
    """In the table, since AWS may run many processes of ours; with the table away, what GitHub has
    left is the only measure. What is used up is remembered: DynamoDB takes a thousand writes a
    second in one place, and a flood that it refuses must not pass for a table that is away."""
    if table is None:
        return
    minute = int(now // 60)
    asked = 0
    if cache.used_up.get(limit.of) == minute:
        asked = limit.most + 1
    else:
        with suppress(Failure):
            asked = table.count(f"{limit.of}#{minute}", (minute + 2) * 60, more)
    if asked > limit.most:
        cache.used_up[limit.of] = minute
        wait = int((minute + 1) * 60 - now) + 1
        words = f"{signer.name} has asked {limit.most} times this minute. Ask again in {wait} s."
        raise Failure(limit.code, words, wait)
