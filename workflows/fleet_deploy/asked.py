"""What was asked, from the inputs; and by whom. Checked again, whoever checked before."""

from collections.abc import Collection, Mapping

from fleet_control import ledger
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from workflows.fleet_deploy.stop import Stopped


def read(environ: Mapping[str, str]) -> ledger.Entry:
    """The six inputs; Stopped names every one that has not the form it must have."""
    entry = ledger.Entry(**{name: environ.get(name.upper(), "") for name in ledger.TITLE_FIELDS})
    wrong = [
        f"{name} is {value[:40]!r}"
        for name, value in entry._asdict().items()
        if (value or name == "target") and not ledger.has_form(name, value)
    ]
    if wrong:
        raise Stopped("Bad inputs", f"I can't read what was asked: {', '.join(wrong)}.")
    return entry


def speaker(entry: ledger.Entry, actor: str, registered: Collection[str]) -> Caller:
    """Who asks. That a person is an operator was decided where the person could be seen."""
    heard = ledger.parse_request_id(entry.request_id) if entry.request_id else None
    if heard and heard.platform == "agent" and heard.bot != entry.caller:
        return Unknown(f"`{entry.caller or 'a person'}` with a request of {heard.bot}'s agent")
    if not entry.caller:
        account, _, name = entry.requested_by.partition(" ")
        return Human(account or f"github:{actor}", name, operator=True)
    if entry.caller not in registered:
        return Unknown(f"`{entry.caller}`, which is not in the registry")
    return BotInstance(entry.caller)


def carrier(entry: ledger.Entry) -> str:
    """The bot that heard the ask, by its name: often the instance whose host carries it."""
    return ledger.parse_request_id(entry.request_id).bot if entry.request_id else ""


def asker(entry: ledger.Entry, actor: str) -> str:
    """Who asked, for people to read."""
    return entry.caller or entry.requested_by or (f"{actor} (on GitHub)" if actor else "somebody")
