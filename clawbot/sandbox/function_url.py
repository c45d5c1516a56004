"""A Function URL with AWS_IAM: checks who signed, makes the event, runs the handler."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from clawbot.sandbox.principal import Principal
from fleet_control.clock import Clock

Handler = Callable[[dict[str, Any], Any, Mapping[str, str]], Any]


@dataclass(frozen=True, slots=True)
class Invocation:
    """One request that arrived.

    Attributes:
        principal: ARN of who signed it, or empty where that was not established.
        action: `action` of the JSON body, or empty.
        status: what was answered.
        invoked: whether it came through to the handler.
    """

    principal: str
    action: str
    status: int
    invoked: bool


class FunctionUrl:
    """Its `environ` is the function's environment and is read at each call.

    Attributes:
        invocations: what arrived, oldest first.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        principals: Iterable[Principal],
        region: str,
        clock: Clock,
        handler: Handler | None = None,
        port: int = 0,
    ) -> None:
        self.invocations: list[Invocation] = []
        self._environ = environ
        self._principals = {one.access_key: one for one in principals}
        self._region = region
        self._clock = clock
        self._handler = handler
        self._port = port

    async def start(self) -> str:
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError
