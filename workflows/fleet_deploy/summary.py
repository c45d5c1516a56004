"""The job's summary: markdown that a person likes to read."""

from collections.abc import Iterable, Mapping, Sequence

from fleet_control import duration
from fleet_control.last_words import LastWords, quoted
from fleet_control.ledger import Entry, Operation
from fleet_control.status import InstanceStatus
from workflows.fleet_deploy.revision import DeployedRevision, ImageAndRevision
from workflows.fleet_deploy.roll import HostTurn
from workflows.fleet_deploy.stopped import Stopped

_ROWS = 50
_SUBJECT = 80
_KINDS: Mapping[str, str] = {
    Operation.ROLLBACK: "what ran before the last successful deploy, or the nearest to it",
    Operation.RESUME: "what that run made of its hosts",
}


def asked(entry: Entry, who: str, made_of: Sequence[ImageAndRevision], now: float) -> str:
    """Headline, a line of what was asked, and one of what the hosts become, or for each of what
    they do."""
    kind = _KINDS.get(entry.operation, "the newest image")
    if entry.ami_override and not entry.operation:
        kind = "an image that was asked for"
    if entry.revision and not entry.operation:
        kind = f"a commit that was asked for, `{entry.revision}`, on"
    each = [f"`{one.image.id}`. {revision(one.revision, now)}" for one in made_of]
    said = f"Asked by `{who}`; {kind}:"
    told = f"{said} {each[0]}" if len(each) == 1 else f"{said}\n\n{bullets(each)}"
    what = entry.operation.capitalize() or "Deploy"
    return f"## {what} of `{entry.target}`\n\n{told}"


def revision(one: DeployedRevision, now: float) -> str:
    """Its name, its age, and the first line of its message, which anybody may have written."""
    first = "".join(one.subject.split("`"))[:_SUBJECT]
    return f"Revision `{one.short}`, {duration.older(now - one.committed)} old: `{first or '-'}`."


def turns(roll: Sequence[HostTurn], there: Mapping[str, InstanceStatus]) -> str:
    """The roll before it begins."""
    lines = [
        f"| {number} | `{turn.id}` | {_now(there.get(turn.id))} |"
        for number, turn in enumerate(roll, 1)
    ]
    return _table("| turn | host | now |\n| ---: | --- | --- |", lines)


def hosts(ids: Iterable[str], there: Mapping[str, InstanceStatus]) -> str:
    """Where these hosts are now."""
    lines = [f"| `{id_}` | {_now(there.get(id_))} |" for id_ in ids]
    return _table("| host | now |\n| --- | --- |", lines)


def left_alone(rows: Iterable[InstanceStatus]) -> str:
    """Which hosts have no entry in the registry and stay, or nothing."""
    names = ", ".join(row.id for row in rows)
    return f"{names}, not in the registry; `all` removes what a deploy made." if names else ""


def stays(rows: Iterable[InstanceStatus]) -> str:
    """Which hosts without an entry are there after `all`, or nothing."""
    hosts = ((row.id, row.host) for row in rows)
    names = ", ".join(f"{id_} ({host.id})" if host and host.name else id_ for id_, host in hosts)
    why = "not in the registry and unknown to OpenTofu: remove it by hand"
    return f"{names}, {why}." if names else ""


def cleared(turn: HostTurn) -> str:
    """What went before a host was made, since both would have shared something."""
    names = ", ".join(f"`{id_}`" for id_ in turn.clears)
    return f"Removed before `{turn.id}` was made: {names}, which left the registry."


def replaced(turn: HostTurn, machine: str, took: str) -> str:
    was = f"was `{turn.seen}`" if turn.seen else "was missing"
    return f"### `{turn.id}` is healthy\n\nNow `{machine}` on `{turn.image}`, {was}; took {took}."


def finished(hosts: str, gone: Sequence[str], stays: str) -> str:
    """How the fleet stands after a deploy of `all`."""
    removed = f"Removed: {', '.join(f'`{id_}`' for id_ in gone)}." if gone else "Nothing to remove."
    parts = ("## The whole fleet is deployed", hosts, removed, stays and f"Stays: {stays}")
    return "\n\n".join(part for part in parts if part)


def stopped(title: str, sentence: str, words: LastWords | None, details: str) -> str:
    said = f"{last_words(words)}\n\n" if words else ""
    return f"## Stopped: {title}\n\n{sentence}\n\n{said}{details}"


def last_words(words: LastWords) -> str:
    """A block by its indent, which nothing within can end."""
    lines = "\n".join(f"    {line}" for line in quoted(words))
    return f"The last words of {words.instance}:\n\n{lines}"


def followed(request_id: str) -> str:
    """By what this ask is found in every log."""
    return f"Request id `{request_id}`."


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def stop(title: str, begins: str, problems: Sequence[object]) -> Stopped:
    """The error for these: the first ends its sentence, and all are in its details."""
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Stopped(title, f"{begins}{problems[0]}{more}.", bullets(map(str, problems)))


def span(seconds: float) -> str:
    """A length of time, as people say it."""
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"


def _now(row: InstanceStatus | None) -> str:
    if row is None or row.host is None:
        return "no host"
    return f"`{row.host.id}` on `{row.host.image}`, {row.condition}"


def _table(head: str, lines: list[str]) -> str:
    more = [f"\n… and {len(lines) - _ROWS} more."] if len(lines) > _ROWS else []
    return "\n".join((head, *lines[:_ROWS], *more))
