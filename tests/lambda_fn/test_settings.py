"""Secrets from parameters, against moto's SSM, which checks every signature."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambda_fn.aws import signature
from lambda_fn.failure import Failure
from lambda_fn.handler import Call
from lambda_fn.kept import Kept
from lambda_fn.settings import KEPT_SECONDS, Secret, Vault, read_settings
from lambda_fn.wire import Budget
from tests.lambda_fn.events import AGENT_1, CONTROL_TOKEN, Context, function_url
from tests.lambda_fn.role import Role, playing
from tests.lambda_fn.small_github import TOKEN, SmallGitHub


@pytest.fixture
def ssm(moto: str) -> Iterator[Role]:
    with playing(moto, "ssm", "ssm:GetParameter") as role:
        yield role


def put(role: Role, name: str, value: str) -> None:
    role.admin.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


CONTROL = Secret("CONTROL_API_TOKEN", "", "/clawbot/control-token")


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
        "ssm",
        {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "secret"},
    )

    assert ours.endswith(f"Signature={auth.signature(words, request)}")
    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target" in ours


@dataclass
class Now:
    seconds: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


def test_a_parameter_is_kept_five_minutes(ssm: Role) -> None:
    now = Now()
    vault = Vault(now)
    put(ssm, "/clawbot/control-token", "first\nsecond\n")

    assert vault.read(CONTROL, ssm.environ, Budget()) == ["first", "second"]
    put(ssm, "/clawbot/control-token", "third")
    now.seconds += KEPT_SECONDS - 1
    assert vault.read(CONTROL, ssm.environ, Budget()) == ["first", "second"]
    now.seconds += 1
    assert vault.read(CONTROL, ssm.environ, Budget()) == ["third"]


def test_a_clock_that_is_set_back_keeps_no_parameter_for_longer(ssm: Role) -> None:
    now = Now()
    vault = Vault(now)
    put(ssm, "/clawbot/control-token", "first")
    vault.read(CONTROL, ssm.environ, Budget())

    now.seconds -= 3600
    put(ssm, "/clawbot/control-token", "second")

    assert vault.read(CONTROL, ssm.environ, Budget()) == ["second"]
    assert vault.known(CONTROL) == ["second"]
    now.seconds += KEPT_SECONDS
    put(ssm, "/clawbot/control-token", "third")
    assert vault.read(CONTROL, ssm.environ, Budget()) == ["third"]


def test_a_value_in_the_environment_needs_no_parameter() -> None:
    assert Vault().read(CONTROL._replace(value="here"), {}, Budget()) == ["here"]


def test_a_parameter_that_is_not_there_is_named(ssm: Role) -> None:
    put(ssm, "/clawbot/another", "x")  # moto's first call of SSM takes it seconds

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
def test_a_wrong_key_is_told_in_awss_words(ssm: Role, wrong: dict[str, str], words: str) -> None:
    put(ssm, "/clawbot/control-token", "value-that-stays")

    with pytest.raises(Failure, match=words) as failed:
        Vault().read(CONTROL, ssm.environ | wrong, Budget())

    assert failed.value.code == "misconfigured"
    assert "value-that-stays" not in str(failed.value)


def test_a_parameter_that_can_be_no_header_is_not_quoted(ssm: Role) -> None:
    put(ssm, "/clawbot/control-token", "tökèn")

    with pytest.raises(Failure, match="printable") as failed:
        Vault().read(CONTROL, ssm.environ, Budget())

    assert "kèn" not in str(failed.value)


async def test_githubs_token_is_read_again_once_after_a_401(ssm: Role, github: SmallGitHub) -> None:
    environ = {
        **ssm.environ,
        "CONTROL_API_TOKEN_PARAMETER": "/clawbot/control-token",
        "GITHUB_TOKEN_PARAMETER": "/clawbot/github-token",
        "GITHUB_API_URL": github.url,
    }
    vault = Vault()

    async def registry() -> tuple[object, int]:
        call = Call(Context(), environ, vault, Budget(), Kept())
        event = function_url({"action": "registry"}, AGENT_1)
        answer = await asyncio.to_thread(call.answer, event)
        asked = len(github.rest)
        github.asked.clear()
        return answer["statusCode"], asked

    put(ssm, "/clawbot/control-token", CONTROL_TOKEN)
    put(ssm, "/clawbot/github-token", "the-old-github-token")

    assert await registry() == (502, 1)
    put(ssm, "/clawbot/github-token", TOKEN)
    assert await registry() == (200, 2)
    assert await registry() == (200, 1)


@pytest.mark.parametrize("value", [" ", "\n", "to\x01ken", "to\x7fken", "first\nto\x01ken"])
def test_what_can_be_no_header_is_no_secret(value: str) -> None:
    with pytest.raises(Failure, match="must be printable ASCII, not empty") as failed:
        Vault().read(CONTROL._replace(value=value), {}, Budget())

    assert failed.value.code == "misconfigured"


def test_at_the_same_instant_a_parameter_is_read_once(ssm: Role) -> None:
    vault = Vault(Now())
    put(ssm, "/clawbot/control-token", "first")
    vault.read(CONTROL, ssm.environ, Budget())
    put(ssm, "/clawbot/control-token", "second")

    assert vault.read(CONTROL, ssm.environ, Budget()) == ["first"]


@pytest.mark.parametrize("value", ["7", "clawdinator[bot]:7"])
def test_an_account_is_its_number(value: str) -> None:
    environ = {"CONTROL_API_TOKEN": "c", "GITHUB_TOKEN": "g", "CONTROL_API_ACCOUNT": value}

    assert read_settings(environ).account == "7"
