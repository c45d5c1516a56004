"""A client of AWS's JSON services that signs its own requests, since importing boto3 costs more
than all else the function does."""

import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import NamedTuple

from fleet_control.github import Response
from lambda_fn.failure import Code
from lambda_fn.http_client import Budget, HttpServer


class AwsService(NamedTuple):
    """`name` is the one it is signed and addressed by; `version` is of its JSON."""

    name: str
    target: str
    version: str


SSM = AwsService("ssm", "AmazonSSM", "1.1")
DYNAMODB = AwsService("dynamodb", "DynamoDB_20120810", "1.0")


class AwsApi(NamedTuple):
    """Asks AWS's services with the function's keys, within a time."""

    environ: Mapping[str, str]
    budget: Budget

    def ask(
        self, service: AwsService, action: str, said: Mapping[str, object], code: Code, name: str
    ) -> Response:
        """`code` and `name` are for the Failure where it can't be reached."""
        body = json.dumps(said).encode()
        endpoint, headers = signed(self.environ, service, action, body, time.time())
        return HttpServer(endpoint, code, name, self.budget).ask("POST", "/", headers, body)


def signed(
    environ: Mapping[str, str], service: AwsService, action: str, body: bytes, now: float
) -> tuple[str, Mapping[str, str]]:
    """Where a service is asked, and the headers with which it takes this body; `now` in Unix
    seconds."""
    region = environ.get("AWS_REGION", "")
    own = environ.get(f"AWS_ENDPOINT_URL_{service.name.upper()}")
    set_ = own or environ.get("AWS_ENDPOINT_URL")
    endpoint = (set_ or f"https://{service.name}.{region}.amazonaws.com").rstrip("/")
    headers = {
        "content-type": f"application/x-amz-json-{service.version}",
        "host": endpoint.split("/")[2],
        "x-amz-date": time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now)),
        "x-amz-target": f"{service.target}.{action}",
    }
    if token := environ.get("AWS_SESSION_TOKEN"):
        headers["x-amz-security-token"] = token
    authorization = signature(headers, body, region, service.name, environ)
    return endpoint, headers | {"authorization": authorization}


def signature(
    headers: Mapping[str, str], body: bytes, region: str, service: str, environ: Mapping[str, str]
) -> str:
    """SigV4 for ``POST /`` with these headers, their names in lower case."""
    at = headers["x-amz-date"]
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{at[:8]}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environ.get('AWS_SECRET_ACCESS_KEY', '')}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return (
        f"AWS4-HMAC-SHA256 Credential={environ.get('AWS_ACCESS_KEY_ID', '')}/{scope}, "
        f"SignedHeaders={names}, Signature={key.hex()}"
    )
