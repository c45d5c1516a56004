"""What a function returned, as the HTTP response that AWS makes of it."""

import base64
import json
from typing import Any

from aiohttp import web

MOST_BYTES = 6 * 1024 * 1024


def refused(status: int, message: str, error: str, *, key: str = "Message") -> web.Response:
    """An error answer of AWS's own."""
    return web.json_response({key: message}, status=status, headers={"x-amzn-ErrorType": error})


def broken() -> web.Response:
    """The answer where the function raised, took too long, or returned nonsense."""
    return web.json_response({"Message": "Internal Server Error"}, status=502)


def response(returned: object) -> web.Response:
    """The HTTP response of what a function returned; ValueError where AWS calls that malformed."""
    text = json.dumps(returned)
    if len(text) > MOST_BYTES:
        raise ValueError("the response is over 6 MB")
    # Through JSON, as between AWS and the function: what it returned is no object of ours.
    whole = json.loads(text)
    if not isinstance(whole, dict) or "statusCode" not in whole:
        return web.Response(text=text, content_type="application/json")
    return _shaped(whole)


def _shaped(whole: dict[str, Any]) -> web.Response:
    status, headers = whole["statusCode"], whole.get("headers") or {}
    if not isinstance(status, int) or not 100 <= status <= 599 or not isinstance(headers, dict):
        raise ValueError("statusCode or headers are malformed")
    answer = web.Response(status=status, body=_body(whole))
    answer.content_type = "application/json"
    for name, value in headers.items():
        answer.headers[name] = _text(value)
    for cookie in whole.get("cookies") or ():
        answer.headers.add("set-cookie", _text(cookie))
    return answer


def _body(whole: dict[str, Any]) -> bytes:
    body = whole.get("body")
    if body is None:
        return b""
    text = body if isinstance(body, str) else json.dumps(body)
    return base64.b64decode(text, validate=True) if whole.get("isBase64Encoded") else text.encode()


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
