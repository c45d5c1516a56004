"""python -m sandbox.tofu [-chdir=FOLDER] init | plan | show | apply | force-unlock."""

import json
import os
import signal
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.tofu import TofuError, attributes, plan, state

_REGISTRY = "../../nix/instances.json"
_TEMPLATE = "user-data.sh.tftpl"


def main(argv: Sequence[str], environ: Mapping[str, str], here: Path) -> int:
    """Run a command; 0 where it is done, 1 where not. SystemExit where there is no such command."""
    asked = _command_line().parse_args(argv)
    try:
        _do(asked, environ, here / asked.chdir)
    except TofuError as error:
        sys.stderr.write(f"\nError: {error}\n")
        return 1
    return 0


def _command_line() -> ArgumentParser:
    """What a run and the runbook ask, and nothing else."""
    quiet = ArgumentParser(add_help=False)
    quiet.add_argument("-no-color", action="store_true")
    silent = ArgumentParser(add_help=False, parents=[quiet])
    silent.add_argument("-input", choices=["false"])
    locked = ArgumentParser(add_help=False, parents=[silent])
    locked.add_argument("-lock-timeout")
    tofu = ArgumentParser("tofu", allow_abbrev=False)
    tofu.add_argument("-chdir", default=".")
    commands = tofu.add_subparsers(dest="command", required=True)

    def command(name: str, *parents: ArgumentParser) -> ArgumentParser:
        return commands.add_parser(name, parents=parents, allow_abbrev=False)

    command("init", silent).add_argument("-backend-config", action="append", default=[])
    planning = command("plan", locked)
    planning.add_argument("-out")
    planning.add_argument("-var", required=True)
    planning.add_argument("-replace", action="append", default=[])
    planning.add_argument("-target", action="append", default=[])
    show = command("show")
    show.add_argument("-json", action="store_true", required=True)
    show.add_argument("file", nargs="?")
    command("apply", locked).add_argument("file")
    unlocking = command("force-unlock", quiet)
    unlocking.add_argument("-force", action="store_true", required=True)
    unlocking.add_argument("id")
    return tofu


def _do(asked: Namespace, environ: Mapping[str, str], folder: Path) -> None:
    match asked.command:
        case "init":
            state.initialise(folder, asked.backend_config)
            _say('Successfully configured the backend "s3"!\n\nOpenTofu has been initialized!')
        case "plan":
            state.initialised(folder)
            _plan(asked, environ, folder)
        case "show":
            shown = (folder / asked.file).read_text() if asked.file else state.read(folder, environ)
            _say(shown)
        case "apply":
            state.initialised(folder)
            _apply(plan.from_json((folder / asked.file).read_text()), environ, folder)
        case "force-unlock":
            state.unlock(folder, asked.id, environ)
            _say("OpenTofu state has been successfully unlocked!")


def _plan(asked: Namespace, environ: Mapping[str, str], folder: Path) -> None:
    from sandbox.tofu import aws, fleet  # noqa: PLC0415  (the SDK comes with them)

    registry = json.loads((folder / _REGISTRY).read_text())
    types = {id_: entry["instanceType"] for id_, entry in registry.items()}
    image = asked.var.removeprefix("ami=")
    known = state.machines(state.read(folder, environ))
    with aws.client("ec2", environ) as ec2:
        hosts = fleet.hosts(ec2, known)
        network = attributes.network(ec2)
    template = (folder / _TEMPLATE).read_text()
    setting = attributes.Setting(registry, template, environ, network)
    made = plan.make(types, known, hosts, image, asked.replace, asked.target, setting.revision)
    _say(made.words())
    if asked.out:
        (folder / asked.out).write_text(plan.to_json(made, setting))
        _say(f"\nSaved the plan to: {asked.out}")


def _apply(made: plan.HostPlan, environ: Mapping[str, str], folder: Path) -> None:
    """Apply a plan; TofuError where it is stale. What a failed one did is written down too."""
    from sandbox.tofu import aws, fleet  # noqa: PLC0415  (as above)

    if state.machines(state.read(folder, environ)) != made.known:
        raise TofuError(
            "Saved plan is stale\n\n"
            "The given plan file can no longer be applied because the state was changed by "
            "another operation after the plan was created."
        )
    machines = dict(made.refreshed)
    try:
        with aws.client("ec2", environ) as ec2:
            fleet.apply(made, ec2, machines, _say)
    finally:
        state.write(folder, environ, machines)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    # As the engine: Ctrl-C reaches it also where it was started by what ignores that.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.exit(main(sys.argv[1:], os.environ, Path.cwd()))
