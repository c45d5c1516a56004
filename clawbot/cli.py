"""The `clawbot` command."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from clawbot import missing
from clawbot.serve import serve

# What an operator does at a desk, most with sub-commands of their own.
_DESK = {
    "secrets": "make, keep and check the fleet's secrets",
    "bundle": "what each host fetches at boot: build, upload, check",
    "instance": "add or remove an instance of the fleet",
    "preflight": "whether a deploy would work",
    "audit": "who did what",
}


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """0 when all went well; what each command adds is in its help."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in _DESK:
        return _at_the_desk(argv, environ)
    _parser().parse_args(argv)
    return serve(environ)


def _at_the_desk(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    try:
        from clawbot.provision.command import main as provision  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{missing(str(error.name), 'provision')}\n")
        return 1
    try:
        return provision(argv, environ)
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clawbot", description="Replace the hosts of a fleet of chat bots from the chat."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _DESK.items():
        commands.add_parser(name, help=what)
    commands.add_parser("run", help="serve every front that is configured")
    return parser
