"""`fleet-control`: fleet control for the agent on a host, and for a person logged in there.

It speaks as the bot instance of this host, always.
"""

import argparse
import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from fleet_control import agent, command, ec2
from fleet_control.agent import Agent
from fleet_control.clock import Clock, SystemClock
from fleet_control.command import CommandContext, ExitCode, Result
from fleet_control.control_api import ControlApi
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import FleetError
from fleet_control.fleet import Fleet
from fleet_control.registry_source import RegistrySource

Act = Callable[[CommandContext, argparse.Namespace], Awaitable[Result]]

_EPILOG = """\
exit codes:
  0  it worked; for `wait` and `deploy --wait`, the deploy succeeded
  2  this is not how it is used
  3  refused, by the policy or by the Control API: ask again only once the reason is gone
  4  broken: a setting is missing, or EC2 or the Control API can't be reached
  5  the deploy failed or was cancelled; for `preflight`, something is wrong
  6  the outcome is not known: look at `fleet-control runs` before asking again

settings (a variable, else the file on the host):
  FLEET_CONTROL_INSTANCE               /etc/clawdinator/instance
  FLEET_CONTROL_API_URL                /etc/clawdinator/control-api-url
  FLEET_CONTROL_REGION                 /etc/clawdinator/region
  FLEET_CONTROL_TOKEN                  /run/agenix/clawdinator-control-token
  FLEET_CONTROL_AWS_ACCESS_KEY_ID      /run/agenix/clawdinator-control-aws-access-key-id
  FLEET_CONTROL_AWS_SECRET_ACCESS_KEY  /run/agenix/clawdinator-control-aws-secret-access-key
  FLEET_CONTROL_REGISTRY_FILE          a copy of the registry, for when its source is away
  FLEET_CONTROL_PLACE                  where the asks come from, in their request ids (cli)
  FLEET_CONTROL_POLL_SECONDS           between two looks at a run (10)
  FLEET_CONTROL_EC2_URL                another EC2 than AWS's
  FLEET_CONTROL_ROOT                   the folder these files are below (/)
"""


def main(
    argv: Sequence[str] | None = None,
    environ: Mapping[str, str] = os.environ,
    clock: Clock | None = None,
) -> int:
    try:
        asked = _parser().parse_args(argv)
    except SystemExit as left:
        return int(left.code or 0)
    try:
        answer = asyncio.run(_answer(asked, environ, clock or SystemClock()))
    except KeyboardInterrupt:
        return 130
    # A program reads its answer in one place, whatever it is.
    result = asked.json or answer.exit in (ExitCode.OK, ExitCode.FAILED)
    (sys.stdout if result else sys.stderr).write(f"{answer.shown(as_json=asked.json)}\n")
    return answer.exit


async def _answer(asked: argparse.Namespace, environ: Mapping[str, str], clock: Clock) -> Result:
    act: Act = asked.act
    try:
        async with _here(agent.load(environ), clock) as here:
            return await act(here, asked)
    except FleetError as error:
        return command.broken(error)


@asynccontextmanager
async def _here(who: Agent, clock: Clock) -> AsyncIterator[CommandContext]:
    access_key = who.aws_access_key_id.get_secret_value()
    secret_key = who.aws_secret_access_key.get_secret_value()
    token = who.token.get_secret_value()
    api = ControlApi(str(who.api_url), token, access_key, secret_key, who.region, clock)
    ec2_url = str(who.ec2_url) if who.ec2_url else None
    reads = ec2.client(who.region, access_key, secret_key, ec2_url)
    registry = RegistrySource(api.registry, clock, who.registry_file)
    fleet = Fleet(registry, Ec2Reader(reads, clock), api, clock)
    try:
        yield CommandContext(who, fleet, clock)
    finally:
        await fleet.close()
        await api.close()
        reads.close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="fleet-control",
        description="See the fleet and replace its hosts, as the bot instance of this host.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    def add(name: str, act: Act, what: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=what, description=what)
        added.add_argument("--json", action="store_true", help="answer in JSON, failures too")
        added.set_defaults(act=act)
        return added

    add("status", command.status, "every instance, its host, and what is wrong")
    deploy = add("deploy", command.deploy, "replace one other instance's host")
    deploy.add_argument("target", nargs="?", default="", help="an id of the registry")
    deploy.add_argument(
        "image_or_commit", nargs="?", default="", help="instead of the newest image"
    )
    deploy.add_argument("--wait", action="store_true", help="until the deploy ends")
    _looking_up(add)
    for name, act, what in (
        ("run", command.run, "one deploy: its jobs, and why it failed"),
        ("wait", command.wait, "until a deploy ends, telling each change on standard error"),
    ):
        add(name, act, what).add_argument(
            "run", type=_up_to(2**63 - 1), metavar="ID", help="of the run"
        )
    for waiting in (deploy, commands.choices["wait"]):
        _add_timeout(waiting)
    add("registry", command.registry, "which instances should exist")
    add("preflight", command.preflight, "whether a deploy would work, and what to mend")
    return parser


def _add_timeout(waiting: argparse.ArgumentParser) -> None:
    waiting.add_argument(
        "--timeout",
        type=_up_to(10**6),
        default=float("inf"),
        metavar="SECONDS",
        help="then exit 6",
    )


def _looking_up(add: Callable[[str, Act, str], argparse.ArgumentParser]) -> None:
    """The commands that list what was deployed."""
    runs = add("runs", command.runs, "the newest deploys, newest first")
    runs.add_argument("--limit", type=_up_to(100), default=10, metavar="N", help="at most 100")
    runs.add_argument("--request-id", default="", metavar="ID", help="only this ask's")
    history = add("history", command.history, "the last deploys, and what each changed")
    history.add_argument("target", nargs="?", default="", help="only those of an id, or of all")
    history.add_argument("--page", type=_up_to(10**6), default=1, metavar="N", help="another page")


def _up_to(most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not (text.isascii() and text.isdigit() and 1 <= int(text) <= most):
            raise argparse.ArgumentTypeError(f"it must be a whole number from 1 to {most}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
