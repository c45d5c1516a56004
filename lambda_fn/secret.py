"""Where a secret comes from: the environment, or a parameter in SSM, kept five minutes."""

import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from lambda_fn.failure import Broken, Code

KEPT_SECONDS = 300.0


class Secret(NamedTuple):
    """A secret's `value`, or the name of the `parameter` that holds it."""

    variable: str
    value: str
    parameter: str

    def __repr__(self) -> str:
        return f"Secret({self.variable})"


class Vault:
    """Reads secrets; `fetch(parameter, environ)` asks SSM, `now` is Unix seconds."""

    def __init__(
        self,
        fetch: Callable[[str, Mapping[str, str]], str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._fetch = fetch or _from_ssm
        self._now = now
        self._kept: dict[tuple[str, str], tuple[float, str]] = {}

    def read(self, secret: Secret, environ: Mapping[str, str]) -> str:
        """The secret, printable; Broken where it cannot be had."""
        if secret.value:
            return _printable(secret, secret.value)
        key = (secret.parameter, environ.get("AWS_ENDPOINT_URL", ""))
        read_at, value = self._kept.get(key, (float("-inf"), ""))
        if not 0 <= self._now() - read_at < KEPT_SECONDS:
            value = _printable(secret, self._fetch(secret.parameter, environ).strip())
            self._kept[key] = (self._now(), value)
        return value

    def known(self, *secrets: Secret) -> tuple[str, ...]:
        """What of these is in hand, line by line, without asking anybody."""
        values = [secret.value for secret in secrets]
        named = {secret.parameter for secret in secrets if secret.parameter}
        values += [value for (name, _), (_, value) in self._kept.items() if name in named]
        return tuple(line for value in values for line in lines(value))

    def forget(self, secret: Secret) -> None:
        for key in [key for key in self._kept if key[0] == secret.parameter]:
            del self._kept[key]


def lines(value: str) -> list[str]:
    """The secrets that a value holds, one a line: two while one is being replaced."""
    return [line.strip() for line in value.splitlines() if line.strip()]


def _printable(secret: Secret, value: str) -> str:
    """Held here, since a header refuses anything else in words that quote it."""
    if value and all(" " <= char <= "~" or char in "\r\n" for char in value):
        return value
    raise Broken(Code.MISCONFIGURED, f"{secret.variable} must be printable ASCII, and not empty.")


def _from_ssm(parameter: str, environ: Mapping[str, str]) -> str:
    from lambda_fn.parameter import fetch  # noqa: PLC0415  (costs what signing and HTTP cost)

    return fetch(parameter, environ)
