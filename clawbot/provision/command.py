"""The operator's commands: `clawbot secrets`, `bundle`, `instance`, `preflight` and `audit`."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision import (
    audit_command,
    bundle_command,
    instance_command,
    preflight_command,
    secret_command,
)
from clawbot.provision.error import ProvisionError
from clawbot.provision.operator_context import OperatorContext
from fleet_control import aws_error

Subcommand = Callable[[OperatorContext, argparse.Namespace], Iterator[str]]

_EPILOG = """\
exit code: 0; 1 where something is wrong, each with its sentence

  CLAWBOT_OPERATOR_IDENTITY  file with your age identity (~/.config/clawbot/operator.agekey)
  CLAWBOT_NIX_SECRETS        the folder of encrypted secrets (nix-secrets, beside the checkout)
  CLAWBOT_BOOTSTRAP_BUCKET   the bootstrap bucket (as nix/facts.json has it)
  AWS_…                      your own AWS credentials and region, as the AWS CLI takes them
"""


def main(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command, printing each step as it is done; 0 when all is well."""
    options = _parser().parse_args(argv)
    act: Subcommand = options.act
    try:
        for line in act(OperatorContext(options.checkout, environ), options):
            sys.stdout.write(f"{line}\n")
            sys.stdout.flush()
    except ProvisionError as error:
        sys.stderr.write("".join(f"{problem}\n" for problem in error.problems))
        return 1
    except (BotoCoreError, ClientError) as error:
        otherwise = f"AWS did not do what was asked of it ({aws_error.name(error)})."
        sys.stderr.write(f"{aws_error.words(error, otherwise)}\n")
        return 1
    except BrokenPipeError:
        # As `head` closes it. What is left in the buffer has nowhere to go, at the very end too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        why = error.strerror or type(error).__name__
        sys.stderr.write(
            f"{error.filename or 'A file'} can't be used ({why}); what was said above is done. "
            "Mend that, then type the same again.\n"
        )
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clawbot")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    secret_command.add_to(_room(commands, "secrets", "make, keep and check the fleet's secrets"))
    bundle_command.add_to(_room(commands, "bundle", "what each host fetches at boot"))
    instance_command.add_to(_room(commands, "instance", "add or remove an instance of the fleet"))
    what = "whether a deploy would work: everything that it needs, within ten seconds"
    _command(commands, "preflight", what).set_defaults(act=preflight_command.preflight)
    audit_command.add_to(_command(commands, "audit", "who did what, by the ledger and the log"))
    return parser


def _room(commands: Any, name: str, what: str) -> Any:
    parser = _command(commands, name, what)
    return parser.add_subparsers(title="what", metavar="WHAT", required=True)


def _command(commands: Any, name: str, what: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=what,
        description=what,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--checkout", type=Path, default=Path(), metavar="FOLDER", help="the repository (.)"
    )
    return parser
