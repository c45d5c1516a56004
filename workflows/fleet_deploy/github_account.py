"""Which accounts on GitHub may start a deploy, and which of them started this run.

Whoever can push a branch can have a workflow there start this one on the default branch. So it
takes orders from the account that the Control API's token belongs to, and from people that a
variable of the environment lists. An account is named by its login and its number: a login can
change hands, and for whoever started an attempt GitHub gives no more than the login.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from workflows.fleet_deploy.runner import ThisRun, needed
from workflows.fleet_deploy.stopped import Stopped

CONTROL_API = "CONTROL_API_ACCOUNT"
PEOPLE = "DEPLOY_PEOPLE"
# `github-actions[bot]`: what any workflow, on any branch, starts comes from it.
ANY_WORKFLOW = "41898282"
_ACCOUNT = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63}(?:\[bot\])?):([1-9][0-9]{0,19})")


class GitHubAccount(NamedTuple):
    """An account as a variable names it, ``<login>:<number>``."""

    login: str
    id: str


@dataclass(frozen=True, slots=True)
class Accounts:
    """Those who may start a deploy."""

    control_api: GitHubAccount
    people: tuple[GitHubAccount, ...]


class Starter(NamedTuple):
    """Who started this run. `chat`: whether it is the Control API, which tells who asked it."""

    login: str
    chat: bool


def read(environ: Mapping[str, str]) -> Accounts:
    """The accounts that the environment names; Stopped says which variable to set, and how."""
    (control_api,) = needed(environ, CONTROL_API)
    people = environ.get(PEOPLE, "").replace(",", " ").split()
    accounts = Accounts(
        _account(CONTROL_API, control_api), tuple(_account(PEOPLE, one) for one in people)
    )
    if accounts.control_api.id in {person.id for person in accounts.people}:
        raise _not_set_up(CONTROL_API, "must be an account of its own, and none of a person's")
    return accounts


def _account(variable: str, text: str) -> GitHubAccount:
    match = _ACCOUNT.fullmatch(text)
    if match is None:
        raise _not_set_up(variable, "must name accounts as <login>:<number>, such as sam:583231")
    if match[2] == ANY_WORKFLOW:
        raise _not_set_up(variable, "may not name github-actions[bot]: any workflow speaks as it")
    return GitHubAccount(match[1], match[2])


def _not_set_up(variable: str, why: str) -> Stopped:
    return Stopped("Not set up", f"{variable} {why}. See docs/set-up.md.")


def starter(run: ThisRun, accounts: Accounts) -> Starter:
    """Who started this run, by both names that GitHub gives; Stopped where nobody listed did."""
    for account in (accounts.control_api, *accounts.people):
        login = account.login.casefold()
        logins = {run.actor.casefold(), run.triggering_actor.casefold()}
        if run.actor_id == account.id and logins == {login}:
            return Starter(account.login, chat=account is accounts.control_api)
    who = f"`{run.actor}` ({run.actor_id})"
    if run.triggering_actor != run.actor:
        who = f"{who} for `{run.triggering_actor}`"
    raise Stopped(
        "Not theirs to start",
        f"{who} may not start a deploy: in the environment `fleet`, {CONTROL_API} names "
        f"`{':'.join(accounts.control_api)}`, and {PEOPLE} who else may.",
    )
