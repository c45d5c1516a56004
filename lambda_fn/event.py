"""What AWS hands the function, taken apart: a Function URL event (payload 2.0), or a payload
handed over by direct invoke.

Everything in it may have any shape, so nothing here trusts one.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from lambda_fn.failure import Code, Failure

MOST_BYTES = 16 * 1024
TOKEN_HEADER = "x-clawdinator-token"  # noqa: S105  (the header's name)


class Request(NamedTuple):
    """One call, not yet believed.

    Attributes:
        token: what it shows as the control token.
        iam: what AWS says of the signer; None where no signer can be seen.
        body: the text of the body, or the payload itself of a direct invoke.
        base64: whether the text is base64.
    """

    token: str
    iam: object
    body: str | Mapping[str, object]
    base64: bool = False


def read(event: object) -> Request | Failure:
    if not isinstance(event, Mapping):
        return Failure(Code.BAD_REQUEST, "The event must be a JSON object.")
    if "requestContext" not in event:
        body = {key: value for key, value in event.items() if key != "control_token"}
        return Request(_text(event.get("control_token")), None, body)
    context = event["requestContext"]
    if not isinstance(context, Mapping):
        return Failure(Code.BAD_REQUEST, "The event's requestContext must be a JSON object.")
    http = context.get("http")
    if not isinstance(http, Mapping) or http.get("method") != "POST":
        return Failure(Code.METHOD_NOT_ALLOWED, "Only POST is answered here.")
    headers = event.get("headers")
    token = headers.get(TOKEN_HEADER) if isinstance(headers, Mapping) else None
    base64 = event.get("isBase64Encoded") is True
    return Request(_text(token), _signer(context), _text(event.get("body")), base64)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _signer(context: Mapping[str, object]) -> object:
    """None only where AWS really shows no signer: what is there in a wrong shape is kept, so
    that it is never mistaken for nothing."""
    authorizer = context.get("authorizer")
    return authorizer.get("iam") if isinstance(authorizer, Mapping) else authorizer


def payload(request: Request) -> Mapping[str, object] | Failure:
    """The JSON object that was sent."""
    try:
        body = request.body
        raw = _bytes(body, request.base64) if isinstance(body, str) else json.dumps(body).encode()
        if len(raw) > MOST_BYTES:
            return Failure(Code.TOO_LARGE, f"The body may be {MOST_BYTES} bytes at most.")
        parsed = json.loads(raw, object_pairs_hook=_object)
    except (ValueError, TypeError, RecursionError) as error:
        # Its own words may quote the body; its class says enough.
        return Failure(Code.BAD_REQUEST, f"The body must be JSON ({type(error).__name__}).")
    if not isinstance(parsed, dict):
        return Failure(Code.BAD_REQUEST, "The body must be a JSON object.")
    return parsed


def _bytes(body: str, base64: bool) -> bytes:
    if len(body) > 2 * MOST_BYTES or not base64:
        return body.encode("utf-8", "surrogatepass")
    from binascii import a2b_base64  # noqa: PLC0415  (bodies seldom are)

    return a2b_base64(body, strict_mode=True)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A key that stands twice could say one thing to us and another to whoever reads the log."""
    seen = dict(pairs)
    if len(seen) != len(pairs):
        raise ValueError("a key stands twice")
    return seen
