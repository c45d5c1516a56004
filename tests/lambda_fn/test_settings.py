"""Secrets from parameters, against moto's SSM, which checks every signature."""

import asyncio
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer

from lambda_fn.failure import Failure
from lambda_fn.handler import Call
from lambda_fn.settings import KEPT_SECONDS, Secret, Vault, signature
from lambda_fn.wire import Budget
from tests.lambda_fn.events import AGENT_1, CONTROL_TOKEN, Context, function_url
from tests.lambda_fn.small_github import TOKEN, SmallGitHub

CONTROL = Secret("CONTROL_API_TOKEN", "", "/clawbot/control-token")


@dataclass
class Ssm:
    """The keys are the function's role's: it may read parameters and nothing else."""

    url: str
    client: Any
    keys: dict[str, str] = field(default_factory=dict)

    def put(self, name: str, value: str) -> None:
        self.client.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)

    @property
    def environ(self) -> dict[str, str]:
        return {"AWS_REGION": "eu-central-1", "AWS_ENDPOINT_URL": self.url, **self.keys}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def post(url: str, body: str = "") -> None:
    request = urllib.request.Request(url, body.encode(), {"content-type": "text/plain"})  # noqa: S310  (moto, on loopback)
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (the same)
        answer.read()


@pytest.fixture
def ssm(moto: str) -> Iterator[Ssm]:
    """Signatures are checked once the keys are there; `client` has keys of its own."""
    post(f"{moto}/moto-api/reset")
    post(f"{moto}/moto-api/reset-auth", "inf")
    iam = session("x", "x").client("iam", endpoint_url=moto)
    keys = {who: user_with_key(iam, who, allowed) for who, allowed in ROLES.items()}
    client = session(*keys["admin"]).client("ssm", endpoint_url=moto)
    ours = keys["function"]
    post(f"{moto}/moto-api/reset-auth", "0")
    yield Ssm(moto, client, {"AWS_ACCESS_KEY_ID": ours[0], "AWS_SECRET_ACCESS_KEY": ours[1]})
    post(f"{moto}/moto-api/reset-auth", "inf")
    client.close()
    iam.close()


def session(access_key: str, secret_key: str) -> boto3.Session:
    return boto3.Session(access_key, secret_key, region_name="eu-central-1")


ROLES = {"admin": "ssm:*", "function": "ssm:GetParameter"}


def user_with_key(iam: Any, name: str, allowed: str) -> tuple[str, str]:
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def test_a_session_tokens_request_is_signed_as_botocore_signs_it() -> None:
    at, body = "20261124T120000Z", b'{"Name": "x"}'
    headers = {
        "x-amz-target": "AmazonSSM.GetParameter",
        "content-type": "application/x-amz-json-1.1",
        "host": "ssm.eu-central-1.amazonaws.com",
        "x-amz-date": at,
        "x-amz-security-token": "session",
    }
    request = AWSRequest("POST", "https://ssm.eu-central-1.amazonaws.com/", headers, body)
    request.context["timestamp"] = at
    auth = SigV4Auth(Credentials("AKIA", "secret", "session"), "ssm", "eu-central-1")
    words = auth.string_to_sign(request, auth.canonical_request(request))

    ours = signature(
        headers,
        body,
        "eu-central-1",
        {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"},
    )

    assert ours.endswith(f"Signature={auth.signature(words, request)}")
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target" in ours


@dataclass
class Now:
    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_parameter_is_kept_five_minutes(ssm: Ssm) -> None:
    now = Now()
    vault = Vault(now)
    ssm.put("/clawbot/control-token", "first\nsecond\n")

    assert vault.read(CONTROL, ssm.environ, Budget()) == ["first", "second"]
    ssm.put("/clawbot/control-token", "third")
    now.seconds += KEPT_SECONDS - 1
    assert vault.read(CONTROL, ssm.environ, Budget()) == ["first", "second"]
    now.seconds += 1
    assert vault.read(CONTROL, ssm.environ, Budget()) == ["third"]


def test_a_clock_that_is_set_back_keeps_no_parameter_for_longer(ssm: Ssm) -> None:
    now = Now()
    vault = Vault(now)
    ssm.put("/clawbot/control-token", "first")
    vault.read(CONTROL, ssm.environ, Budget())

    now.seconds -= 3600
    ssm.put("/clawbot/control-token", "second")

    assert vault.read(CONTROL, ssm.environ, Budget()) == ["second"]
    assert vault.known(CONTROL) == ["second"]
    now.seconds += KEPT_SECONDS
    ssm.put("/clawbot/control-token", "third")
    assert vault.read(CONTROL, ssm.environ, Budget()) == ["third"]


def test_a_value_in_the_environment_needs_no_parameter() -> None:
    assert Vault().read(CONTROL._replace(value="here"), {}, Budget()) == ["here"]


def test_a_parameter_that_is_not_there_is_named(ssm: Ssm) -> None:
    ssm.put("/clawbot/another", "x")  # moto's first call of SSM takes it seconds

    with pytest.raises(Failure, match=r"/clawbot/control-token.*ParameterNotFound") as failed:
        Vault().read(CONTROL, ssm.environ, Budget())

    assert failed.value.code == "misconfigured"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "signature"),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODY"}, "token"),
        ({"AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:1"}, "refused"),
    ],
)
def test_a_wrong_key_is_told_in_awss_words(ssm: Ssm, wrong: dict[str, str], words: str) -> None:
    ssm.put("/clawbot/control-token", "value-that-stays")

    with pytest.raises(Failure, match=words) as failed:
        Vault().read(CONTROL, ssm.environ | wrong, Budget())

    assert failed.value.code == "misconfigured"
    assert "value-that-stays" not in str(failed.value)


def test_a_parameter_that_can_be_no_header_is_not_quoted(ssm: Ssm) -> None:
    ssm.put("/clawbot/control-token", "tökèn")

    with pytest.raises(Failure, match="printable") as failed:
        Vault().read(CONTROL, ssm.environ, Budget())

    assert "kèn" not in str(failed.value)


async def test_githubs_token_is_read_again_once_after_a_401(ssm: Ssm, github: SmallGitHub) -> None:
    environ = {
        **ssm.environ,
        "CONTROL_API_TOKEN_PARAMETER": "/clawbot/control-token",
        "GITHUB_TOKEN_PARAMETER": "/clawbot/github-token",
        "GITHUB_API_URL": github.url,
    }
    vault = Vault()

    async def registry() -> tuple[object, int]:
        call = Call(Context(), environ, vault, Budget())
        event = function_url({"action": "registry"}, AGENT_1)
        answer = await asyncio.to_thread(call.answer, event)
        asked = len(github.asked)
        github.asked.clear()
        return answer["statusCode"], asked

    ssm.put("/clawbot/control-token", CONTROL_TOKEN)
    ssm.put("/clawbot/github-token", "the-old-github-token")

    assert await registry() == (502, 1)
    ssm.put("/clawbot/github-token", TOKEN)
    assert await registry() == (200, 2)
    assert await registry() == (200, 1)
