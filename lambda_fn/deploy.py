"""A deploy: judged by what the function can see, then dispatched to GitHub as one run."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import NamedTuple

from fleet_control.caller import BotInstance, Human
from fleet_control.freeze import Freeze
from fleet_control.github import PER_PAGE
from fleet_control.ledger import Entry, oldest, unfinished
from fleet_control.policy import Facts, judge
from fleet_control.run_title import fit
from lambda_fn import told
from lambda_fn.failure import Code, Failure, raise_refusal
from lambda_fn.github import GitHubClient
from lambda_fn.holds import FreezeRow
from lambda_fn.http_client import Budget
from lambda_fn.lease import Leases
from lambda_fn.table import Table

# What a person's answer may wait for a look at the queue; the run is there by then.
_LOOK_SECONDS = 3.0


class DeployAction(NamedTuple):
    """One ask for a deploy, and what it needs.

    Attributes:
        entry: what the signer may say.
        connect: gives GitHub, within what is left of the call or less; called only where no
            refusal is certain without it.
        table: the control table, if there is one.
    """

    entry: Entry
    connect: Callable[[Budget], GitHubClient]
    table: Table | None
    budget: Budget

    def begin(self) -> Mapping[str, object]:
        self._check(Facts())
        if not self.entry.caller:
            return self._for_a_person()
        if self.table is None:
            return self._as_listed()
        self._check(Facts(frozen=self._frozen()))
        return self._leased(self.table)

    def _frozen(self) -> Freeze | None:
        """The freeze that keeps this back, if one does."""
        holds = FreezeRow(self.table, self.budget.now())
        return holds.frozen() if self.entry.moves_hosts else None

    def _check(self, facts: Facts) -> None:
        """Whether a person is an operator was looked up by who signed for the person."""
        entry = self.entry
        caller = BotInstance(entry.caller) if entry.caller else Human(entry.requested_by, "", True)
        verdict = judge(caller, entry.hosts, entry.image_or_commit, facts, override=entry.override)
        raise_refusal(verdict)

    def _for_a_person(self) -> Mapping[str, object]:
        """Nothing but a freeze is looked at before it is handed on: a person waits for no bot's
        sake, and where the table is away the run looks again."""
        frozen, trouble = None, ""
        try:
            frozen = self._frozen()
        except Failure as failure:
            trouble = f"I could not see whether the fleet is frozen. {_no_bots(failure)}"
        self._check(Facts(frozen=frozen))
        run, url = self.connect(self.budget).dispatch(fit(self.entry))
        overridden = frozen.overridden if frozen else ""
        note = f"{overridden} {trouble or self._trouble()}".strip()
        return self._queued(run, url, self._ahead(run), note)

    def _ahead(self, run: int | None) -> int:
        try:
            github = self.connect(self.budget.part(_LOOK_SECONDS))
            return github.queue().before(run) if run else 0
        except Exception:  # noqa: BLE001  (the run is there: nothing may make it look lost)
            return 0

    def _trouble(self) -> str:
        try:
            if self.table and self._has_asker:
                told.owe(self.table, self.entry.request_id, self.budget.now())
            elif self.table:
                self.table.check()
        except Failure as failure:
            return _no_bots(failure)
        return ""

    @property
    def _has_asker(self) -> bool:
        """Whether a bot heard it in a chat, and calls somebody there when it has ended."""
        return bool(self.entry.reply and self.entry.request_id)

    def _leased(self, table: Table) -> Mapping[str, object]:
        """What GitHub lists decides nothing but how many wait."""
        leases = Leases(table, lambda: self.connect(self.budget), self.budget.now())
        lease = leases.take(self.entry)
        if lease.run:
            return self._queued(lease.run, lease.url)
        github, begun = self.connect(self.budget), False
        try:
            queue = github.queue()
            self._check(Facts(waiting=queue.waiting))
            begun = True
            run, url = github.dispatch(fit(self.entry))
        except Failure as failure:
            if not (begun and failure.code == Code.GITHUB_UNREACHABLE):
                with suppress(Failure):
                    leases.is_over(lease)
            raise
        if run:
            with suppress(Failure):  # what can't be noted is settled later, by the request id
                leases.has_run(lease, run, url)
        if self._has_asker:
            with suppress(Failure):  # a bot that starts goes by what it sees in the chat, then
                told.owe(table, self.entry.request_id, self.budget.now())
        return self._queued(run, url, queue.before(run))

    def _as_listed(self) -> Mapping[str, object]:
        """Without a table, GitHub's list says what is under way, some seconds late."""
        github, entry = self.connect(self.budget), self.entry
        queue = github.queue(listed=PER_PAGE)
        if entry.request_id and (again := oldest(queue.runs, entry.request_id)):
            return self._queued(again.id, again.url)
        own = unfinished(queue.runs, entry.caller)
        self._check(Facts(unfinished=own[0].url if own else "", waiting=queue.waiting))
        run, url = github.dispatch(fit(entry))
        return self._queued(run, url, queue.before(run))

    def _queued(
        self, run: int | None, url: str, ahead: int = 0, note: str = ""
    ) -> Mapping[str, object]:
        message = f"deploy queued for {self.entry.target}"
        if ahead:
            message += f"; {ahead} {'run is' if ahead == 1 else 'runs are'} before it"
        answer: dict[str, object] = {"message": message, "run": {"id": run, "url": url}}
        if ahead:
            answer["ahead"] = ahead
        if note:
            answer["note"] = note
        return answer


def _no_bots(failure: Failure) -> str:
    return f"Bot instances can't deploy just now. {failure}"
