"""One SecureString from SSM, by a request signed with the standard library (SigV4).

Importing boto3 would cost more than everything else the function does.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime

from lambda_fn.budget import Budget
from lambda_fn.failure import Broken, Code
from lambda_fn.wire import Unanswered, Wire

_SECONDS = 2.5


def fetch(parameter: str, environ: Mapping[str, str]) -> str:
    """The parameter's value; Broken in AWS's words where it has none for us."""
    region = environ.get("AWS_REGION") or environ.get("AWS_DEFAULT_REGION", "")
    endpoint = (
        environ.get("AWS_ENDPOINT_URL_SSM")
        or environ.get("AWS_ENDPOINT_URL")
        or f"https://ssm.{region}.amazonaws.com"
    ).rstrip("/")
    body = json.dumps({"Name": parameter, "WithDecryption": True}).encode()
    headers = signed(
        {
            "content-type": "application/x-amz-json-1.1",
            "host": endpoint.partition("://")[2].partition("/")[0],
            "x-amz-target": "AmazonSSM.GetParameter",
        },
        body,
        region,
        environ,
        datetime.now(UTC),
    )
    try:
        with Wire(endpoint, Budget(_SECONDS)) as wire:
            answer = wire.ask("POST", "/", headers, body)
    except Unanswered as error:
        raise _broken(parameter, f"SSM can't be reached: {error}") from error
    try:
        said = json.loads(answer.body)
        if answer.status == 200:
            return str(said["Parameter"]["Value"])
        raise _broken(parameter, f"SSM says {str(said['__type'])[-60:]}")
    except (ValueError, TypeError, LookupError) as error:
        raise _broken(parameter, f"SSM answered {answer.status}, in no form it has") from error


def _broken(parameter: str, why: str) -> Broken:
    return Broken(Code.MISCONFIGURED, f"The parameter {parameter} can't be read. {why}.")


def signed(
    headers: Mapping[str, str],
    body: bytes,
    region: str,
    environ: Mapping[str, str],
    moment: datetime,
) -> dict[str, str]:
    """`headers` (lower-case, with `host`) and those that sign them for ``POST /`` of SSM."""
    at = moment.strftime("%Y%m%dT%H%M%SZ")
    token = environ.get("AWS_SESSION_TOKEN")
    headers = {
        **headers,
        "x-amz-date": at,
        **({"x-amz-security-token": token} if token else {}),
    }
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{at[:8]}/{region}/ssm/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{at}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"AWS4{environ.get('AWS_SECRET_ACCESS_KEY', '')}".encode()
    for part in (*scope.split("/"), text):
        key = hmac.digest(key, part.encode(), "sha256")
    return {
        **headers,
        "authorization": f"AWS4-HMAC-SHA256 Credential={environ.get('AWS_ACCESS_KEY_ID', '')}/"
        f"{scope}, SignedHeaders={names}, Signature={key.hex()}",
    }
