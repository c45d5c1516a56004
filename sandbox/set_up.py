"""Set up the sandbox's AWS account with the real OpenTofu; `seed` does the same without it."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.config import Config

from fleet_control import ec2
from sandbox import tofu_commands
from sandbox.bucket import BootstrapBucket
from sandbox.engine import TofuEngine
from sandbox.image import SeededImage
from sandbox.principal import ACCOUNT, REGION, IamPrincipal
from sandbox.seed import BOOTSTRAP_BUCKET, Seeded, SeededHost
from sandbox.tofu_commands import URL, TofuCommands

_KEY = "AKIAADMINISTRATOR", "sandbox"
_ADMINISTRATOR = dict(zip(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), _KEY, strict=True))
_FUNCTION = "clawdinator-control-api"
_CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 3}, proxies={})


@dataclass(frozen=True, slots=True)
class SetUp:
    """What the set-up made.

    Attributes:
        function: the Lambda's environment, as tofu/control wrote it.
        variables: what docs/set-up.md has people set at GitHub.
    """

    seeded: Seeded
    function: Mapping[str, str]
    variables: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SetUpRequest:
    """Where the account is set up, and for which registry.

    Attributes:
        checkout: the repository.
        registry: the file's content.
        secrets: the control token and GitHub's, as the variables of tofu/control.
        bots: bots that ride no host.
        images: the oldest first; the hosts begin on the last but one, and as its commit.
        repository: which has that commit.
    """

    url: str
    checkout: Path
    folder: Path
    registry: bytes
    repo: str
    secrets: Mapping[str, str]
    bots: Sequence[str]
    images: Sequence[SeededImage]
    repository: Path


async def set_up(asked: SetUpRequest, engine: TofuEngine, say: Callable[[str], None]) -> SetUp:
    """Apply tofu/state and tofu/control as people do, tofu/fleet as a deploy; CommandFailed.

    Cancelled, it ends what it started.
    """
    asked.folder.mkdir()
    tofu_commands.lay_out(asked.checkout, asked.folder, asked.registry)
    environ = tofu_commands.environment(engine, asked.folder, asked.url, _ADMINISTRATOR, asked.repo)
    bots = "[" + ",".join(f'"{bot}"' for bot in asked.bots) + "]"
    environ |= {**asked.secrets, "TF_VAR_chat_bots": bots}
    tofu = TofuCommands(asked.folder, environ, say)
    try:
        return await asyncio.to_thread(_make, asked, tofu)
    except asyncio.CancelledError:
        tofu.stop()
        raise


def _make(asked: SetUpRequest, tofu: TofuCommands) -> SetUp:
    tofu.apply_state()
    tofu.apply_control()
    image = asked.images[-2]
    bucket = BootstrapBucket(asked.url, BOOTSTRAP_BUCKET)
    sum_ = bucket.put_seed(asked.repository, image.commit, tofu.environ["PATH"])
    bucket.close()
    tofu.apply_fleet(image.id, image.commit, sum_)
    role = tofu.ask("tofu -chdir=tofu/control output -raw deploy_role_arn")
    variables = {"CONTROL_API_URL": tofu.ask(URL), "DEPLOY_ROLE_ARN": role}
    cloud = _Cloud(asked.url)
    function = cloud.client("lambda").get_function_configuration(FunctionName=_FUNCTION)
    seeded = Seeded(
        images=tuple(asked.images),
        hosts=tuple(_hosts(cloud)),
        agents=cloud.users("agent"),
        chats=cloud.users("chat"),
        operator=cloud.key(cloud.person("sam")),
        deployer=cloud.assumed(role),
        function=cloud.assumed(function["Role"]),
    )
    return SetUp(seeded, function["Environment"]["Variables"], variables)


def _hosts(cloud: "_Cloud") -> list[SeededHost]:
    hosts = ec2.read(cloud.client("ec2"), 0.0).hosts
    return [SeededHost(host.id, host.name, host.image, host.launched) for host in hosts]


class _Cloud:
    """The administrator's view of the account."""

    def __init__(self, url: str) -> None:
        self._url = url

    def client(self, service: str) -> Any:
        return ec2.keyed_client(service, *_KEY, REGION, self._url, _CONFIG)

    def users(self, role: str) -> dict[str, IamPrincipal]:
        """A new key for each of the fleet's users of this role, by whom it is for."""
        listed = self.client("iam").list_users(PathPrefix=f"/fleet/{role}/")["Users"]
        return {user["Path"].split("/")[3]: self.key(user) for user in listed}

    def person(self, name: str) -> Any:
        return self.client("iam").create_user(UserName=name, Path="/people/")["User"]

    def key(self, user: Mapping[str, Any]) -> IamPrincipal:
        made = self.client("iam").create_access_key(UserName=user["UserName"])["AccessKey"]
        return IamPrincipal(
            user["Arn"],
            ACCOUNT,
            # AWS's own look.
            f"AIDA{user['UserId'][:17].upper()}",
            made["AccessKeyId"],
            made["SecretAccessKey"],
        )

    def assumed(self, role: str) -> IamPrincipal:
        """A session of the role, as a run or the function takes it."""
        taken = self.client("sts").assume_role(RoleArn=role, RoleSessionName="sandbox")
        keys, who = taken["Credentials"], taken["AssumedRoleUser"]
        return IamPrincipal(
            who["Arn"],
            ACCOUNT,
            who["AssumedRoleId"],
            keys["AccessKeyId"],
            keys["SecretAccessKey"],
            keys["SessionToken"],
            may_invoke=False,
        )
