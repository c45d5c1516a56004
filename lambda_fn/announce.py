"""Who announces a deploy in a channel of the fleet: a lease of one bot's, in the control table.

A deploy is announced where no living reply of an asker tells of it. What was read may be old by the
time of a write: every write is made in the place of what was read, or not at all.
"""

import json
from typing import NamedTuple

from fleet_control.announcement import LEASED_SECONDS, Announcement, Silence, platform
from fleet_control.duplicate import deploy_among, same_ask
from fleet_control.ledger import Run, parse_request_id, seconds
from fleet_control.table_item import Item
from lambda_fn import told
from lambda_fn.failure import Failure
from lambda_fn.github import GitHubClient
from lambda_fn.holder import is_anothers
from lambda_fn.request import ApiRequest
from lambda_fn.table import Table, known
from lambda_fn.told import AskerRow

# GitHub ends every run after 35 days; DynamoDB may then forget who told of it.
_KEPT = 40 * 24 * 3600
# Of the messages of bots that had the lease before: the last ones.
MOST_EARLIER = 10


class AnnounceLease(NamedTuple):
    """The row of one deploy in one channel: whose the lease is, and what was told.

    Attributes:
        by: the bot whose it is, or was until `until`, Unix seconds.
        request_id: of the deploy's ask, `reply` its reply, and `created` the run's beginning, Unix
            seconds: its bot goes on by these where GitHub can't be asked for the run.
        message: of that bot's, in which the deploy is told.
        end: the end that the channel was told of.
        earlier: messages of bots that had it before, as (bot, message).
        began: which process of that bot's has it, by its beginning.
    """

    by: str = ""
    until: int = 0
    request_id: str = ""
    reply: str = ""
    created: int = 0
    message: str = ""
    end: str = ""
    earlier: tuple[tuple[str, str], ...] = ()
    began: int = 0

    def with_earlier(self, bot: str, message: str) -> "AnnounceLease":
        """With that message among the earlier ones, if it is one, and once."""
        if not message or (bot, message) in self.earlier:
            return self
        return self._replace(earlier=(*self.earlier, (bot, message))[-MOST_EARLIER:])

    def standing_in(self, message: str) -> "AnnounceLease":
        """With this message as its bot's own; another that it had is an earlier one."""
        row = self if message == self.message else self.with_earlier(self.by, self.message)
        others = tuple(one for one in row.earlier if one != (self.by, message))
        return row._replace(message=message, earlier=others)


class DeployFacts(NamedTuple):
    """What the ledger says of a run.

    Attributes:
        created: Unix seconds.
        is_deploy: whether it is the deploy of its ask, and no other run.
    """

    request_id: str
    reply: str
    created: int
    is_deploy: bool = True

    @property
    def has_asker(self) -> bool:
        """Whether a bot's reply tells of it, or should."""
        return bool(self.request_id and self.reply)

    @property
    def asked_bot(self) -> str:
        """Whose reply that is; empty for none."""
        return parse_request_id(self.request_id).bot if self.request_id else ""

    def is_asked_on(self, channel: str) -> bool:
        """Whether that reply is of this channel's platform."""
        return self.request_id.partition(".")[0] == platform(channel)


def announce(
    ask: ApiRequest, github: GitHubClient, table: Table, now: float
) -> tuple[str, Announcement]:
    """Take or renew the lease and note what is said, or say why not; the run's request id, too."""
    since = begin(table, ask.channel, now)
    deploy = _deploy(ask, github, table)
    why, asker = _silence(deploy, since, table, now)
    before, after = table.change(
        _key(ask), lambda item: _item(ask, leased(read(item), ask, deploy, why, now), item, now)
    )
    silence, row = silenced(read(before), ask, why, now), read(after)
    if row is None:
        return deploy.request_id, Announcement(silence)
    dead = _dead_reply(ask, deploy, row, table, now) if asker else ""
    return deploy.request_id, Announcement(silence, row.by, row.message, row.end, row.earlier, dead)


def _dead_reply(
    ask: ApiRequest, deploy: DeployFacts, row: AnnounceLease, table: Table, now: float
) -> str:
    """Note for the asker what this row says; their reply, where the bot that asks is to answer
    it."""
    asked_here = deploy.is_asked_on(ask.channel)

    def announced(asker: AskerRow) -> AskerRow:
        if ask.answered and asked_here and not asker.answered:
            asker = asker._replace(answered=int(now))
        return asker.announced(ask.channel, row.message, row.end, to_asker=asked_here)

    asker = told.change(table, deploy.request_id, now, announced)
    # Its author says in the reply itself where it goes on.
    is_to_answer = asker.is_to_answer and row.by == ask.bot != deploy.asked_bot
    return deploy.reply if asked_here and is_to_answer else ""


def begin(table: Table, channel: str, now: float) -> float:
    """Since when this channel is told of deploys, Unix seconds: from now on, where it never was."""
    first: Item = {"pk": f"channel#{channel}", "since": int(now)}
    # A read costs a fifth of a write that is refused, and this is asked some times a minute.
    _, stands = table.change(str(first["pk"]), lambda item: None if item else first)
    return float((stands or first)["since"])


def _deploy(ask: ApiRequest, github: GitHubClient, table: Table) -> DeployFacts:
    """As GitHub lists it; where that can't be had, a lease of the bot's own says it, too."""
    try:
        return _listed(ask.run_id, github)
    except Failure:
        row = read(table.get(_key(ask)))
        if row is None or row.by != ask.bot:
            raise
        return DeployFacts(row.request_id, row.reply, row.created)


def _listed(run_id: int, github: GitHubClient) -> DeployFacts:
    """GitHub is asked for more than its list only of a run that is older than that, and of one that
    was cancelled where its ask has several."""
    runs = github.runs()
    run = next((one for one in runs if one.id == run_id), None) or github.run(run_id)
    same = same_ask(run, runs)
    if len(same) > 1:
        same = [_with_jobs(one, github) if one.conclusion == "cancelled" else one for one in same]
    is_deploy = deploy_among(same).id == run.id
    return DeployFacts(run.request_id, run.reply, int(seconds(run.created)), is_deploy)


def _with_jobs(run: Run, github: GitHubClient) -> Run:
    return run._replace(jobs=tuple(one.job for one in github.jobs(run)))


def _silence(
    deploy: DeployFacts, since: float, table: Table, now: float
) -> tuple[Silence, AskerRow | None]:
    """Why nobody announces it, and what is known of its asker; a dead reply is given up."""
    if not deploy.is_deploy:
        return Silence.DUPLICATE, None
    if deploy.created < since:
        return Silence.EARLIER, None
    if not deploy.has_asker:
        return Silence.NONE, None
    asker = told.give_up(table, deploy.request_id, deploy.created, now)
    if asker.was_told:
        return Silence.TOLD, asker
    return Silence.NONE if asker.given_up else Silence.LIVING, asker


def leased(
    row: AnnounceLease | None, ask: ApiRequest, deploy: DeployFacts, why: Silence, now: float
) -> AnnounceLease | None:
    """What is to stand in the place of this row. What a bot notes too late counts as far as it
    takes nothing from the one whose lease it is then."""
    until = int(now + LEASED_SECONDS)
    mine = AnnounceLease(ask.bot, until, *deploy[:3], ask.message, ask.end, began=ask.began)
    if row is None:
        return None if why else mine
    if row.by == ask.bot and not _is_anothers(row, ask, now):
        row = row.standing_in(ask.message or row.message)
        return row._replace(until=until, end=ask.end or row.end, began=ask.began)
    if silenced(row, ask, why, now):
        # Two processes of one bot may tell it in one message.
        is_its_own = (row.by, row.message) == (ask.bot, ask.message)
        row = row if is_its_own else row.with_earlier(ask.bot, ask.message)
        return row._replace(end=row.end or ask.end)
    earlier = row.with_earlier(row.by, row.message).earlier
    # Whoever had it in between may have said nothing: then it goes on where it stands.
    last_by, last = earlier[-1] if earlier else ("", "")
    goes_on = last if last_by == ask.bot else ""
    return mine._replace(earlier=earlier).standing_in(ask.message or goes_on)


def silenced(row: AnnounceLease | None, ask: ApiRequest, why: Silence, now: float) -> Silence:
    """Why the bot that asks does not announce it, where this row stands."""
    if why or row is None:
        return why
    held = _is_anothers(row, ask, now)
    if row.by == ask.bot:
        # A younger process tells it: what this one shows of the end, though that was told, may
        # stand in a second message.
        told = Silence.TOLD if row.end and not ask.end else Silence.NONE
        return Silence.LEASED if held else told
    if row.end:
        return Silence.TOLD
    return Silence.LEASED if held else Silence.NONE


def _is_anothers(row: AnnounceLease, ask: ApiRequest, now: float) -> bool:
    return is_anothers(row.by, row.began, row.until, ask.bot, ask.began, now)


def _key(ask: ApiRequest) -> str:
    return f"announce#{ask.run_id}#{ask.channel}"


def _item(
    ask: ApiRequest, row: AnnounceLease | None, stands: Item | None, now: float
) -> Item | None:
    """The row as the table has it; None where nothing is to be written."""
    if row is None:
        return None
    if row == read(stands):
        return None
    fields = {**row._asdict(), "earlier": json.dumps(row.earlier)}
    return {"pk": _key(ask), "expires": int(now) + _KEPT, **fields}


def read(item: Item | None) -> AnnounceLease | None:
    if item is None:
        return None
    fields = known(item, AnnounceLease._fields)
    earlier = tuple(map(tuple, json.loads(fields.get("earlier", "[]"))))
    return AnnounceLease(**fields | {"earlier": earlier})
