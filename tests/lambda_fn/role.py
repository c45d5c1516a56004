"""The function's role in an account of moto's, which checks every signature and every right."""

import json
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any

import boto3

TABLE = "clawdinator-control"
# OpenTofu's, and the key of the fleet's state in it.
LOCKS, STATE = "clawdinator-tofu-lock", "clawdinator-tofu-state/fleet.tfstate"


@dataclass
class LambdaRole:
    """`environ` is what the function is given; `admin` is a client of who may do anything there."""

    environ: dict[str, str]
    admin: Any


@contextmanager
def playing(moto: str, service: str, *actions: str) -> Iterator[LambdaRole]:
    """A role that may do these, in an account that is empty but for it."""
    _post(f"{moto}/moto-api/reset")
    _post(f"{moto}/moto-api/reset-auth", "inf")
    iam, _ = _client(moto, "iam")
    client, admins = _client(moto, service)
    admins.access_key, admins.secret_key = _user(iam, "admin", f"{service}:*")
    access_key, secret_key = _user(iam, "function", *actions)
    _post(f"{moto}/moto-api/reset-auth", "0")
    environ = {
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": moto,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
    }
    yield LambdaRole(environ, client)
    _post(f"{moto}/moto-api/reset-auth", "inf")


def _post(url: str, body: str = "") -> None:
    request = urllib.request.Request(url, body.encode(), {"content-type": "text/plain"})  # noqa: S310  (moto, on loopback)
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (the same)
        answer.read()


@cache
def _client(moto: str, service: str) -> tuple[Any, Any]:
    """One for all tests, since making it takes longer than most of them; and the credentials that
    it signs with, which each test sets."""
    session = boto3.Session("x", "x", region_name="eu-central-1")
    client = session.client(service, endpoint_url=moto)  # type: ignore[call-overload]  # of no service in particular
    return client, session.get_credentials()


def _user(iam: Any, name: str, *actions: str) -> tuple[str, str]:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]
