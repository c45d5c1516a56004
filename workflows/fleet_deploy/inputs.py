"""The workflow's inputs: what was asked, and by whom, checked whoever checked before."""

from collections.abc import Collection, Mapping

from fleet_control import ledger, run_title
from fleet_control.caller import BotInstance, Caller, Human, Unknown
from workflows.fleet_deploy.github_account import Starter
from workflows.fleet_deploy.stopped import Stopped

# What only a chat has, or an agent.
_OF_A_CHAT = ("request_id", "reply", "caller", "requested_by")


def read(environ: Mapping[str, str], starter: Starter) -> ledger.Entry:
    """The inputs; Stopped names every one that has not the form it must have, or that is not
    this starter's to give."""
    entry = ledger.Entry(**{name: environ.get(name.upper(), "") for name in run_title.TITLE_FIELDS})
    wrong = [f"{name} is {getattr(entry, name)[:40]!r}" for name in run_title.wrong_fields(entry)]
    if not entry.target:
        wrong.append("target is ''")
    if wrong:
        raise Stopped("Bad inputs", f"I can't read what was asked: {', '.join(wrong)}.")
    if entry.ami_override and entry.revision:
        both = "Name an image or a commit, not both: either one says what the other is."
        raise Stopped("Bad inputs", both)
    if entry.caller and entry.is_for_people:
        what = entry.operation or f"override of the {entry.override}"
        only = f"Only a person may ask for that ({what}), and the caller is {entry.caller}."
        raise Stopped("Bad inputs", only)
    claimed = [name for name in _OF_A_CHAT if getattr(entry, name)]
    if claimed and not starter.chat:
        raise Stopped(
            "Bad inputs",
            f"Who asked in a chat, only the Control API says: `{starter.login}`, who pressed the "
            f"button on GitHub, must leave {', '.join(claimed)} empty.",
        )
    return entry


def request_id(environ: Mapping[str, str]) -> str:
    """The ask's, before anything else is read; empty where there is none that has its form."""
    said = environ.get("REQUEST_ID", "")
    return said if run_title.has_form("request_id", said) else ""


def speaker(entry: ledger.Entry, starter: Starter, registered: Collection[str]) -> Caller:
    """The caller that the policy judges. That a person is an operator was decided where the
    person could be seen."""
    heard = ledger.parse_request_id(entry.request_id) if entry.request_id else None
    if heard and heard.platform == "agent" and heard.bot != entry.caller:
        return Unknown(f"`{entry.caller or 'a person'}` with a request of {heard.bot}'s agent")
    if not entry.caller:
        account, _, name = entry.requested_by.partition(" ")
        return Human(account or f"github:{starter.login}", name, operator=True)
    if entry.caller not in registered:
        return Unknown(f"`{entry.caller}`, which is not in the registry")
    return BotInstance(entry.caller)


def carrier(entry: ledger.Entry) -> str:
    """The bot that heard the ask, by its name: often the instance whose host carries it."""
    return ledger.parse_request_id(entry.request_id).bot if entry.request_id else ""


def asker(entry: ledger.Entry, starter: Starter) -> str:
    """Who asked, for people to read."""
    return entry.caller or entry.requested_by or f"{starter.login} (on GitHub)"
