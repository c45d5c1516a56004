"""A Function URL's event (payload format 2.0) and the function's context, as AWS makes them."""

import base64
import time
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from sandbox.principal import ACCOUNT, IamPrincipal
from sandbox.sigv4 import Received

FUNCTION = "clawdinator-control-api"
_TEXT = (
    "application/json",
    "application/javascript",
    "application/xml",
)


class LambdaContext:
    """What AWS passes as the second argument."""

    function_name = FUNCTION
    function_version = "$LATEST"
    memory_limit_in_mb = "512"
    log_group_name = f"/aws/lambda/{FUNCTION}"
    identity = None
    client_context = None

    def __init__(self, request_id: str, region: str, seconds: float) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = f"arn:aws:lambda:{region}:{ACCOUNT}:function:{FUNCTION}"
        self.log_stream_name = f"$LATEST/{uuid.uuid4().hex}"
        self._until = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return max(0, round((self._until - time.monotonic()) * 1000))


def event(
    request: Received, signer: IamPrincipal, request_id: str, source: str, now: float
) -> dict[str, Any]:
    """The event of a request; `source` is the client's address, `now` Unix seconds."""
    path, _, query = request.target.partition("?")
    headers = _headers(request, source)
    whole = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _context(request, signer, request_id, source, now),
        "isBase64Encoded": False,
    }
    if query:
        whole["queryStringParameters"] = _joined(
            (unquote_plus(name), unquote_plus(value))
            for name, value in (part.partition("=")[::2] for part in query.split("&") if part)
        )
    if cookies := request.header("cookie"):
        whole["cookies"] = [one.strip() for one in cookies.split(";")]
    return whole | _body(request.body, headers.get("content-type", ""))


def _headers(request: Received, source: str) -> dict[str, str]:
    given = _joined((name.lower(), value) for name, value in request.headers)
    host, _, port = given.get("host", "").partition(":")
    return given | {
        "host": host,
        "x-amzn-trace-id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]}",
        "x-forwarded-for": source,
        "x-forwarded-port": port or "443",
        "x-forwarded-proto": "https",
    }


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Pairs as a mapping, the values of a repeated name joined by commas."""
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


def _context(
    request: Received, signer: IamPrincipal, request_id: str, source: str, now: float
) -> dict[str, Any]:
    moment = datetime.fromtimestamp(now, UTC)
    host = (request.header("host") or "").partition(":")[0]
    return {
        "accountId": signer.account_id,
        "apiId": host.partition(".")[0],
        "authentication": None,
        "authorizer": {
            "iam": {
                "accessKey": signer.access_key,
                "accountId": signer.account_id,
                "callerId": signer.user_id,
                "cognitoIdentity": None,
                "principalOrgId": None,
                "userArn": signer.arn,
                "userId": signer.user_id,
            }
        },
        "domainName": host,
        "domainPrefix": host.partition(".")[0],
        "http": {
            "method": request.method,
            "path": request.target.partition("?")[0],
            "protocol": "HTTP/1.1",
            "sourceIp": source,
            "userAgent": request.header("user-agent") or "",
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": moment.strftime("%d/%b/%Y:%H:%M:%S +0000"),
        "timeEpoch": int(now * 1000),
    }


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """Text where the content type says so and it is; base64 else, form fields among them."""
    if not body:
        return {}
    kind = content_type.partition(";")[0].strip().lower()
    if kind.startswith("text/") or kind.endswith(("+json", "+xml")) or kind in _TEXT:
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
