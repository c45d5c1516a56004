"""Limits how often callers may read, so that GitHub's quota suffices for a person's deploy."""

from contextlib import suppress

from lambda_fn.failure import Code, Failure
from lambda_fn.request import ApiAction
from lambda_fn.signer import Signer, SignerRole
from lambda_fn.table import Table

# One that waits for its deploy reads 6 times a minute, and some ten times in the first if the
# answer to its ask is lost; twice that leaves room for a second one that waits.
A_MINUTE = 20
# What a preflight counts for: it asks GitHub so often.
PREFLIGHTS_READS = 5
# The parts of GitHub's quota that are kept: from agents, and from all but a deploy.
FROM_AGENTS = 1 / 5
FROM_ALL = 1 / 20


def spared(signer: Signer, action: ApiAction) -> float:
    """The part of GitHub's quota that this action may not use."""
    if action is ApiAction.DEPLOY:
        return 0.0
    return FROM_AGENTS if signer.role is SignerRole.AGENT else FROM_ALL


def count(signer: Signer, action: ApiAction, table: Table | None, now: float) -> None:
    """Count an agent's read in the table, since AWS may run many processes of ours; with the table
    away, what GitHub has left is the only measure."""
    if table is None or signer.role is not SignerRole.AGENT:
        return
    minute = int(now // 60)
    asked, reads = 0, PREFLIGHTS_READS if action is ApiAction.PREFLIGHT else 1
    with suppress(Failure):
        asked = table.count(f"reads#{signer.name}#{minute}", (minute + 2) * 60, reads)
    if asked > A_MINUTE:
        wait = int((minute + 1) * 60 - now) + 1
        words = f"{signer.name} has asked {A_MINUTE} times this minute. Ask again in {wait} s."
        raise Failure(Code.GITHUB_BUSY, words, wait)
