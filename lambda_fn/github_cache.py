"""GitHub's answers, cached for as long as AWS keeps the process, and what is left of its quota."""

from collections import OrderedDict
from math import inf
from typing import NamedTuple

from fleet_control.github import Quota, Response, read_quota, read_token_end
from fleet_control.ledger import Job, Run
from lambda_fn.failure import Code, Failure

# A list of a hundred runs has a million.
MOST_BYTES = 32 * 1024 * 1024
MOST_RUNS = 200


class _CachedResponse(NamedTuple):
    answer: Response
    at: float


class GitHubCache:
    """Answers by their path, the oldest dropped first, and runs that have ended, or their jobs.

    Threads may share it: whatever they read is whole.

    Attributes:
        longest: seconds after which GitHub is asked in any case whether something has changed.
        token_ends: when our token ends, as GitHub said last, Unix seconds; None where it does not.
        used_up: which limits are, each with the last such minute of Unix time.
    """

    def __init__(self, longest: float = inf) -> None:
        self.longest = longest
        self._said: OrderedDict[str, _CachedResponse] = OrderedDict()
        self._bytes = 0
        self._ended: OrderedDict[int, Run] = OrderedDict()
        self._jobs: OrderedDict[tuple[int, int], tuple[Job, ...]] = OrderedDict()
        self._quota: Quota | None = None
        self._changed = 0.0
        self.token_ends: float | None = None
        self.used_up: dict[str, int] = {}

    def answer(self, path: str) -> Response | None:
        said = self._said.get(path)
        return said.answer if said else None

    def is_fresh(self, path: str, now: float, seconds: float) -> bool:
        """Whether the answer is younger than `seconds`, and than our last change."""
        said = self._said.get(path)
        return said is not None and 0 <= now - said.at < seconds and said.at > self._changed

    def note_change(self, when: float) -> None:
        """Remember that a run was started or cancelled, or ended: older answers do not tell of
        it."""
        self._changed = max(self._changed, when)

    def keep(self, path: str, answer: Response, now: float) -> None:
        """Cache this answer; the oldest make room."""
        self._drop(path)
        self._said[path] = _CachedResponse(answer, now)
        self._bytes += len(answer.body)
        while self._bytes > MOST_BYTES:
            self._drop(next(iter(self._said)))

    def _drop(self, path: str) -> None:
        if said := self._said.pop(path, None):
            self._bytes -= len(said.answer.body)

    def ended(self, run_id: int) -> Run | None:
        return self._ended.get(run_id)

    def keep_ended(self, run: Run) -> None:
        self._ended[run.id] = run
        if len(self._ended) > MOST_RUNS:
            self._ended.popitem(last=False)

    def jobs(self, run: Run) -> tuple[Job, ...] | None:
        """What `keep_jobs` was given of this attempt of the run."""
        return self._jobs.get((run.id, run.attempt))

    def keep_jobs(self, run: Run, jobs: tuple[Job, ...]) -> None:
        self._jobs[run.id, run.attempt] = jobs
        if len(self._jobs) > MOST_RUNS:
            self._jobs.popitem(last=False)

    def note_limits(self, answer: Response) -> None:
        """Remember what is left of the quota, and when the token ends."""
        self._quota = read_quota(answer) or self._quota
        ends = read_token_end(answer)
        # A refusal, or a 304, need not say it again.
        if ends or answer.status == 200:
            self.token_ends = ends

    def check_quota(self, spared: float, now: float) -> None:
        """Raise `github_busy` where less than that part is left, which others shall have."""
        quota = self._quota
        if quota and quota.reset > now and quota.remaining < quota.limit * spared:
            wait = int(quota.reset - now) + 1
            raise Failure(
                Code.GITHUB_BUSY,
                f"{quota.remaining} of GitHub's {quota.limit} calls an hour are left, which are "
                f"kept for others. Ask again in {wait} s; a deploy may be asked for now.",
                wait,
            )
