"""The `clawbot` command."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from clawbot.serve import serve

# What an operator does at a desk, each with sub-commands of its own.
_DESK = {
    "secrets": "make, keep and check the fleet's secrets",
    "bundle": "what each host fetches at boot: build, upload, check",
    "instance": "add or remove an instance of the fleet",
}


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """0 when all went well; what each command adds is in its help."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in _DESK:
        return _at_the_desk(argv, environ)
    options = _parser().parse_args(argv)
    match options.command:
        case "demo":
            from clawbot.sandbox.demo import Wish, demo  # noqa: PLC0415  (a sandbox is an extra)

            wish = {name: getattr(options, name) or "" for name in Wish.__dataclass_fields__}
            return demo(Wish(**wish))
        case _:
            return serve(environ)


def _at_the_desk(argv: Sequence[str], environ: Mapping[str, str]) -> int:
    try:
        from clawbot.provision.command import main as provision  # noqa: PLC0415  (an extra)
    except ModuleNotFoundError as error:
        sys.stderr.write(f"{error.name} is not installed: install clawbot[provision].\n")
        return 1
    return provision(argv, environ)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="clawbot", description="Replace the hosts of a fleet of chat bots from the chat."
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, what in _DESK.items():
        commands.add_parser(name, help=what)
    commands.add_parser("run", help="serve every front that is configured")
    demo = commands.add_parser(
        "demo",
        help="the whole loop on this machine, with no account and no token",
        epilog="exit code: 0; 1 if something failed or broke, or its end could not be learnt; "
        "2 if a line was not a command",
    )
    demo.add_argument("--registry", metavar="FILE", help="the registry at its source")
    demo.add_argument("--unhealthy", metavar="IDS", help="their next host never becomes healthy")
    demo.add_argument("--instance", metavar="ID", help="the bot rides on this instance's host")
    demo.add_argument("--front", metavar="NAME", help="terminal, discord or telegram")
    demo.add_argument("--engine", metavar="NAME", help="stand-in, or tofu: the real one")
    demo.add_argument("--log", metavar="FILE", help="write the bot's log there")
    return parser
