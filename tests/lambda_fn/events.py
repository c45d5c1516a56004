"""What AWS hands a function, as its documentation has it."""

import json
from dataclasses import dataclass
from typing import Any

from fleet_control.ledger import Entry

ACCOUNT = "123456789012"
FUNCTION_ARN = f"arn:aws:lambda:eu-central-1:{ACCOUNT}:function:clawdinator-control-api"
# When the function is asked first, Unix seconds. GitHub tells whole seconds, so this is none.
BEGAN = 1_795_700_000.7
CONTROL_TOKEN = "control-token-of-the-tests"


@dataclass(frozen=True)
class InvocationContext:
    invoked_function_arn: str = FUNCTION_ARN
    aws_request_id: str = "8a4b1f0e-0000-4000-8000-000000000000"


def fleet_key(role: str, owner: str, account: str = ACCOUNT) -> str:
    return f"arn:aws:iam::{account}:user/fleet/{role}/{owner}/{owner}-{role}"


AGENT_1 = fleet_key("agent", "clawdinator-1")
CHAT_1 = fleet_key("chat", "clawdinator-1")


def iam(user_arn: str, account: str = ACCOUNT) -> dict[str, Any]:
    return {
        "accessKey": "AKIAIOSFODNN7EXAMPLE",
        "accountId": account,
        "callerId": "AIDACKCEVSQ6C2EXAMPLE",
        "cognitoIdentity": None,
        "principalOrgId": "aws:PrincipalOrgID",
        "userArn": user_arn,
        "userId": "AIDACKCEVSQ6C2EXAMPLE",
    }


def function_url(
    body: object, signer: object = None, token: str | None = CONTROL_TOKEN, method: str = "POST"
) -> dict[str, Any]:
    """A Function URL's event; without a signer, as where its auth type is NONE."""
    context: dict[str, Any] = {
        "accountId": ACCOUNT if signer else "anonymous",
        "apiId": "urlid",
        "authentication": None,
        "domainName": "urlid.lambda-url.eu-central-1.on.aws",
        "domainPrefix": "urlid",
        "http": {
            "method": method,
            "path": "/",
            "protocol": "HTTP/1.1",
            "sourceIp": "203.0.113.7",
            "userAgent": "clawbot",
        },
        "requestId": "id",
        "routeKey": "$default",
        "stage": "$default",
        "time": "24/Nov/2026:12:00:00 +0000",
        "timeEpoch": 1795521600000,
    }
    if signer:
        context["authorizer"] = {"iam": iam(signer) if isinstance(signer, str) else signer}
    headers = {
        "content-type": "application/json",
        "host": "urlid.lambda-url.eu-central-1.on.aws",
        "x-amz-date": "20261124T120000Z",
    }
    if token is not None:
        headers["x-clawdinator-token"] = token
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": context,
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def by_agent(**fields: object) -> dict[str, Any]:
    """A deploy as clawdinator-1's agent asks for it."""
    return {
        "action": "deploy",
        "target": "clawdinator-2",
        "caller": "clawdinator-1",
        "request_id": "agent.clawdinator-1.cli.41",
        **fields,
    }


def by_person(**fields: object) -> dict[str, Any]:
    """A deploy as the bot that clawdinator-1 carries passes it on for a person."""
    return {
        "action": "deploy",
        "target": "clawdinator-2",
        "caller": None,
        "ami_override": "",
        "requested_by": "discord:80351110224678912 sam",
        "request_id": "discord.clawdinator-1.1001.2002",
        "reply": "3003",
        **fields,
    }


# What by_person and by_agent become in the ledger.
PERSONS = Entry(
    request_id="discord.clawdinator-1.1001.2002",
    reply="3003",
    target="clawdinator-2",
    requested_by="discord:80351110224678912 sam",
)
AGENTS = Entry(
    request_id="agent.clawdinator-1.cli.41", target="clawdinator-2", caller="clawdinator-1"
)
