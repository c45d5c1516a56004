"""Calls of the Control API: signed, on one kept-alive session, with a deadline on each."""

import json
from typing import Any

import aiohttp

from fleet_control import api_answer, skew
from fleet_control.api_answer import BrokenOff, Lost
from fleet_control.error import ControlApiDown
from fleet_control.proxy import proxy
from fleet_control.signature import FunctionUrlSigner

DEADLINE_SECONDS = 10.0


class SignedCalls:
    """Asks the Control API, and tells what it answered or why nothing came.

    Attributes:
        ahead: by how many seconds this machine's clock is ahead of the last answer's.
    """

    def __init__(
        self,
        url: str,
        token: str,
        access_key: str,
        secret_key: str,
        region: str,
        deadline: float,
    ) -> None:
        self._url = url if url.count("/") > 2 else f"{url}/"
        # The secret may hold two, one a line, while it is being exchanged; either is taken.
        self._token = next(iter(token.split()), "")
        self._signer = FunctionUrlSigner(access_key, secret_key, region)
        # A connection that never comes about has done nothing: that is worth telling apart.
        self._timeout = aiohttp.ClientTimeout(total=deadline, sock_connect=deadline / 2)
        self._kept: aiohttp.ClientSession | None = None
        self.ahead = 0.0

    async def close(self) -> None:
        if self._kept is not None:
            await self._kept.close()
            self._kept = None

    async def asked(self, ask: dict[str, Any], request_id: str = "") -> dict[str, Any]:
        """A call that may be lost without harm; on a connection that broke off, made once more."""
        try:
            try:
                return await self.ask(ask, request_id)
            except BrokenOff:
                return await self.ask(ask, request_id)
        except Lost as lost:
            raise ControlApiDown(str(lost)) from lost

    async def ask(self, ask: dict[str, Any], request_id: str = "") -> dict[str, Any]:
        """The answer to one call; raises what any other means, Lost where it may have been acted
        on. `request_id` is for the Control API's log, where the call itself has none."""
        body = json.dumps(ask).encode()
        headers = {"Content-Type": "application/json", "x-clawdinator-token": self._token}
        if request_id:
            # No key of the body: an older Control API refuses one that it does not know.
            headers["x-clawdinator-request-id"] = request_id
        headers = self._signer.signed(self._url, body, headers)
        if self._kept is None:
            self._kept = aiohttp.ClientSession(timeout=self._timeout, proxy=proxy(self._url))
        try:
            async with self._kept.post(
                self._url, data=body, headers=headers, allow_redirects=False
            ) as response:
                text = await api_answer.limited(response)
                status, date = response.status, response.headers.get("Date")
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError) as error:
            raise ControlApiDown("The Control API's URL, or its proxy's, is no URL.") from error
        except aiohttp.ClientHttpProxyError as error:
            raise ControlApiDown(
                f"The proxy that HTTPS_PROXY names refuses the Control API (HTTP {error.status})."
            ) from error
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            way = " by the proxy that HTTPS_PROXY names" if proxy(self._url) else ""
            why = skew.by_certificate(error)
            raise ControlApiDown(f"The Control API can't be reached{way}. {why}".strip()) from error
        except TimeoutError as error:
            raise Lost("The Control API did not answer in time.") from error
        except aiohttp.ClientError as error:
            raise BrokenOff("The Control API broke off in the middle of its answer.") from error
        self.ahead = skew.ahead(date) or 0.0
        return api_answer.understood(status, text, date)
