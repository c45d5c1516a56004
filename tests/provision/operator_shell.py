"""An operator's shell in a scratch folder: a checkout, nix-secrets, an identity, AWS keys."""

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import pytest

from clawbot.provision.age import Identity, identity
from clawbot.provision.command import main
from clawbot.provision.fleet_secret import invokers
from clawbot.provision.operator_context import OperatorContext
from clawbot.provision.secret_folder import SecretFolder
from tests.provision.account import StagedAccount

REGISTRY = {
    f"clawdinator-{number}": {
        "host": f"clawdinator-{number}",
        "instanceType": "t3.large",
        "bootstrapPrefix": f"bootstrap/clawdinator-{number}",
        "discordTokenSecret": f"clawdinator-discord-token-{number}",
    }
    for number in (1, 2)
}


@dataclass(frozen=True)
class CommandResult:
    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Operator:
    """Runs `clawbot` commands as an operator types them."""

    folder: Path
    account: StagedAccount
    capsys: pytest.CaptureFixture[str]
    monkeypatch: pytest.MonkeyPatch

    @property
    def checkout(self) -> Path:
        return self.folder / "clawdinators"

    @property
    def environ(self) -> dict[str, str]:
        return self.account.environ | {"HOME": str(self.folder)}

    @property
    def identity(self) -> Identity:
        return identity(OperatorContext(self.checkout, self.environ).identity_file.read_text())

    @property
    def secrets(self) -> SecretFolder:
        """The folder as it is now."""
        return OperatorContext(self.checkout, self.environ).secrets

    def types(self, *words: str, given: str | bytes = "") -> CommandResult:
        self.monkeypatch.setattr("sys.stdin", Pipe(given))
        room, *rest = words
        code = main([room, "--checkout", str(self.checkout), *rest], self.environ)
        return CommandResult(code, *self.capsys.readouterr())

    def does(self, *words: str, given: str | bytes = "") -> str:
        """It is to work; what was printed."""
        ended = self.types(*words, given=given)
        assert (ended.code, ended.err) == (0, ""), words
        return ended.out

    def set_up(self, registry: object = REGISTRY) -> None:
        """A checkout with what a flake names, before any secret."""
        (self.checkout / "nix/hosts").mkdir(parents=True)
        self.set_registry(registry)
        (self.checkout / "nix/facts.json").write_text(
            json.dumps({"bootstrapBucket": self.account.bucket, "agentCommand": "/bin/agent"})
        )
        for id_ in REGISTRY:
            (self.checkout / f"nix/hosts/{id_}.nix").write_text("{ }\n")
        for name in ("flake.nix", "flake.lock"):
            (self.checkout / name).write_text("{ }\n")

    def set_registry(self, registry: object) -> None:
        (self.checkout / "nix/instances.json").write_text(json.dumps(registry, indent=2))

    def add_users(self, *instances: str) -> None:
        """As tofu/control makes them."""
        with closing(self.account.client("iam")) as iam:
            for id_ in instances:
                for invoker in invokers(id_):
                    role = invoker.user.removeprefix(f"{id_}-")
                    iam.create_user(UserName=invoker.user, Path=f"/fleet/{role}/{id_}/")

    def make_secrets(self, instances: Sequence[str] = tuple(REGISTRY)) -> None:
        self.does("secrets", "operator")
        self.does("secrets", "make", "all")
        for id_ in instances:
            number = id_.rpartition("-")[2]
            self.does("secrets", "take", token_name(number), given=f"{token(number)}\n")


class Pipe:
    """Standard input that is no terminal."""

    def __init__(self, given: str | bytes) -> None:
        self.buffer = BytesIO(given.encode() if isinstance(given, str) else given)

    def isatty(self) -> bool:
        return False


def token_name(number: str) -> str:
    return f"clawdinator-discord-token-{number}"


def token(number: str) -> str:
    return f"discord-token-of-number-{number}"
