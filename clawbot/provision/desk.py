"""The fleet as an operator reaches it from a desk, for looks at it."""

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, Self, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from clawbot.provision import desk_preflight
from clawbot.provision.control_log import FUNCTION
from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import CONTROL_TOKEN, invokers
from clawbot.provision.operator_context import OperatorContext
from fleet_control import agent, aws_error
from fleet_control.agent import Agent
from fleet_control.clock import SystemClock
from fleet_control.control_api import ControlApi
from fleet_control.daemon import in_daemon
from fleet_control.ec2 import Ec2Reader
from fleet_control.error import FleetError, SettingsError
from fleet_control.fleet import Fleet
from fleet_control.fleet_preflight import api_looks, ec2_look
from fleet_control.look import Look, look
from fleet_control.preflight import Check, Point, unseen, wrong
from fleet_control.registry_source import RegistrySource

# What is left of a look's time once it is known where the Control API is, and with which key.
_API_SECONDS = 8.0
_API = (Point.API, Point.TOKEN, Point.SIGNATURE, Point.CLOCK, Point.REGISTRY, Point.BRANCH)
_NO_WAY = (ProvisionError, FleetError, BotoCoreError, ClientError)
_ELSEWHERE = "Mend that, or look by `/fleet preflight` in the chat."

T = TypeVar("T")


class Desk:
    """EC2 with the operator's own credentials; the Control API with the key of the first instance's
    agent, as nix-secrets has it for its host, or as fleet-control's own settings name one."""

    def __init__(self, context: OperatorContext) -> None:
        self.clock = SystemClock()
        self._context = context

    async def __aenter__(self) -> Self:
        self._reader = _begun(self._made_reader())
        self._fleet = _begun(self._made_fleet())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._fleet.done() and not self._fleet.cancelled() and not self._fleet.exception():
            await self._fleet.result()[1].api.close()

    async def fleet(self) -> Fleet:
        """The fleet, by the Control API; what `looks` tells in words is raised here."""
        return (await asyncio.shield(self._fleet))[1]

    def looks(self) -> tuple[Look, ...]:
        return (
            Look(_API, self._api),
            Look((Point.HOSTS, Point.IMAGE), self._ec2, blamed=Point.HOSTS),
            Look((Point.SEED,), self._seed),
        )

    async def _api(self) -> Iterable[Check]:
        try:
            who, fleet = await asyncio.shield(self._fleet)
        except _NO_WAY as error:
            return _unreached(error)
        return await look(api_looks(fleet, f"agent:{who.instance}"), self.clock, _API_SECONDS)

    async def _ec2(self) -> Iterable[Check]:
        try:
            reader = await asyncio.shield(self._reader)
        except ProvisionError as error:
            return [unseen(Point.HOSTS, " ".join(error.problems), _ELSEWHERE)]
        return await ec2_look(reader, lambda: None, self.clock).see()

    async def _seed(self) -> Iterable[Check]:
        """Of the branch's newest revision."""
        try:
            _, fleet = await asyncio.shield(self._fleet)
            newest = next(iter((await fleet.registry.get()).revisions), None)
        except _NO_WAY:
            return ()
        if newest is None:
            return ()
        return await in_daemon(desk_preflight.seed, self._context, newest.commit)

    async def _made_reader(self) -> Ec2Reader:
        return Ec2Reader(await in_daemon(self._context.ec2), self.clock)

    async def _made_fleet(self) -> tuple[Agent, Fleet]:
        who = await in_daemon(_agent, self._context)
        reader = await asyncio.shield(self._reader)
        api = ControlApi(
            str(who.api_url),
            who.token.get_secret_value(),
            who.aws_access_key_id.get_secret_value(),
            who.aws_secret_access_key.get_secret_value(),
            who.region,
            self.clock,
        )
        registry = RegistrySource(api.registry, self.clock)
        return who, Fleet(registry, reader, api, self.clock)


def _begun(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Its error is for whoever waits for it, if anybody still does."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())
    return task


def _agent(context: OperatorContext) -> Agent:
    """Whose key is asked with, and where."""
    try:
        return agent.load(context.environ)
    except SettingsError:
        pass
    instance = context.registry.ids[0]
    key, _ = invokers(instance)
    known = {
        "INSTANCE": instance,
        "REGION": context.region,
        "API_URL": context.environ.get(f"{agent.PREFIX}API_URL") or _url(context),
        "TOKEN": _secret(context, CONTROL_TOKEN),
        "AWS_ACCESS_KEY_ID": _secret(context, key.access_key_id),
        "AWS_SECRET_ACCESS_KEY": _secret(context, key.secret_access_key),
    }
    return agent.load({f"{agent.PREFIX}{name}": value for name, value in known.items()})


def _url(context: OperatorContext) -> str:
    with context.client("lambda") as functions:
        found: str = functions.get_function_url_config(FunctionName=FUNCTION)["FunctionUrl"]
        return found


def _secret(context: OperatorContext, name: str) -> str:
    value = context.secrets.reveal(name)
    if value is None:
        raise ProvisionError(f"{name}.age is missing, or not for you: see `clawbot secrets check`.")
    return value.decode("utf-8", "replace")


def _unreached(error: Exception) -> Iterable[Check]:
    """Without a way to ask the Control API; that it is not there is the one thing that is known."""
    if isinstance(error, ClientError) and aws_error.name(error) == "ResourceNotFoundException":
        told = f"This account has no function `{FUNCTION}` with a URL, in this region."
        return [wrong(Point.API, told, "Apply `tofu/control`; AWS_REGION names the region.")]
    if isinstance(error, BotoCoreError | ClientError):
        why = aws_error.words(error, f"AWS did not say where it is ({aws_error.name(error)}).")
    else:
        why = " ".join(str(error).split("\n"))
    return [unseen(point, why, _ELSEWHERE) for point in _API]
