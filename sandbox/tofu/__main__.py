"""python -m sandbox.tofu [-chdir=FOLDER] init | plan | show | apply | force-unlock."""

import json
import os
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.tofu import backend, command, configuration, plan, words
from sandbox.tofu.address import checked
from sandbox.tofu.failure import Failed

if TYPE_CHECKING:
    from sandbox.tofu.fleet import Fleet


def main(argv: Sequence[str], environ: Mapping[str, str], here: Path) -> int:
    """0 where it is done, 1 where not; why is framed on standard error."""
    try:
        _run(command.parse(argv, here), environ)
    except Failed as error:
        sys.stderr.write(error.framed + "\n")
        return 1
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _run(asked: command.Command, environ: Mapping[str, str]) -> None:
    match asked.name:
        case "init":
            backend.initialise(asked)
            _say('Successfully configured the backend "s3"!\n\nOpenTofu has been initialized!')
        case "show" if asked.file:
            if "-json" not in asked.flags:
                raise Failed("show needs -json here")
            _say(json.dumps(plan.as_json(plan.read(asked.file))))
        case "plan":
            _plan(asked, Cloud(backend.initialised(asked), environ, _interruption()))
        case "apply" if asked.file:
            _apply(asked.file, asked, Cloud(backend.initialised(asked), environ, _interruption()))
        case "force-unlock" if asked.file:
            cloud = Cloud(backend.initialised(asked), environ, threading.Event())
            with cloud.talking():
                cloud.unlock(asked.file.name)
            _say("OpenTofu state has been successfully unlocked!")


def _plan(asked: command.Command, cloud: "Cloud") -> None:
    types = configuration.instance_types(asked)
    image = configuration.image(asked, cloud.environ)
    replace = checked("-replace", asked.flags.get("-replace", ()))
    targets = checked("-target", asked.flags.get("-target", ()))
    with cloud.talking(), cloud.lock("OperationTypePlan", asked.lock_timeout):
        made = plan.make(types, cloud.fleet().hosts(), image, replace, targets)
    _say(words.planned(made, targeted=bool(targets)))
    if out := asked.last("-out"):
        plan.write(made, asked.folder / out)
        _say(f"\nSaved the plan to: {out}")


def _apply(file: Path, asked: command.Command, cloud: "Cloud") -> None:
    from sandbox.tofu.apply import apply  # noqa: PLC0415  (the SDK comes with it)

    made = plan.read(file)
    with cloud.talking(), cloud.lock("OperationTypeApply", asked.lock_timeout):
        apply(made, cloud.fleet(), _say)


@dataclass(frozen=True, slots=True)
class Cloud:
    """AWS, by the credentials of the environment. The SDK is imported when it is first used."""

    backend: backend.Backend
    environ: Mapping[str, str]
    stop: threading.Event

    def fleet(self) -> "Fleet":
        from sandbox.tofu.fleet import Fleet  # noqa: PLC0415  (see above)

        return Fleet(self._client("ec2"), self.stop)

    def lock(self, operation: str, timeout: float) -> AbstractContextManager[None]:
        from sandbox.tofu.lock import held  # noqa: PLC0415  (see above)

        table, path = self.backend.dynamodb_table, self.backend.path
        return held(self._client("dynamodb"), table, path, operation, timeout, self.stop, _say)

    def unlock(self, id_: str) -> None:
        from sandbox.tofu.lock import broken  # noqa: PLC0415  (see above)

        broken(self._client("dynamodb"), self.backend.dynamodb_table, self.backend.path, id_)

    def talking(self) -> AbstractContextManager[None]:
        from sandbox.tofu.refusal import told  # noqa: PLC0415  (see above)

        return told()

    def _client(self, service: str) -> Any:
        import botocore.session  # noqa: PLC0415  (see above)
        from botocore.config import Config  # noqa: PLC0415  (see above)

        if not (
            self.environ.get("AWS_ACCESS_KEY_ID") and self.environ.get("AWS_SECRET_ACCESS_KEY")
        ):
            raise Failed("No valid credential sources found", "AWS_ACCESS_KEY_ID is not set.")
        return botocore.session.get_session().create_client(
            service,
            region_name=self.environ.get("AWS_REGION") or self.backend.region,
            aws_access_key_id=self.environ["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environ["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=self.environ.get("AWS_SESSION_TOKEN"),
            endpoint_url=self.environ.get("AWS_ENDPOINT_URL"),
            config=Config(
                connect_timeout=5,
                read_timeout=30,
                retries={"mode": "standard", "total_max_attempts": 5},
                max_pool_connections=10,
            ),
        )


def _interruption() -> threading.Event:
    """Set by SIGINT and SIGTERM: like OpenTofu, stop at once and give the lock back."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ, Path.cwd()))
