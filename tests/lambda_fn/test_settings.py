"""Secrets from parameters, against moto's SSM, which checks every signature."""

import asyncio
from collections.abc import Iterator

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from lambda_fn.aws import SSM, signature, signed
from lambda_fn.failure import Failure
from lambda_fn.github_cache import GitHubCache
from lambda_fn.handler import Call
from lambda_fn.http_client import Budget
from lambda_fn.settings import SecretReader, SecretSource, read_settings
from tests.lambda_fn.conftest import TurnedNow
from tests.lambda_fn.events import AGENT_1, CONTROL_TOKEN, InvocationContext, function_url
from tests.lambda_fn.role import LambdaRole, playing
from tests.lambda_fn.small_github import TOKEN, SmallGitHub


@pytest.fixture
def ssm(moto: str) -> Iterator[LambdaRole]:
    with playing(moto, "ssm", "ssm:GetParameter") as role:
        yield role


def put(role: LambdaRole, name: str, value: str) -> None:
    role.admin.put_parameter(Name=name, Value=value, Type="SecureString", Overwrite=True)


CONTROL = SecretSource("CONTROL_API_TOKEN", "", "/clawbot/control-token")


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


def test_a_service_is_asked_in_its_region_with_the_session_s_token() -> None:
    environ = {"AWS_REGION": "eu-central-1", "AWS_SESSION_TOKEN": "session"}

    endpoint, headers = signed(environ, SSM, "GetParameter", b"{}", 1_795_521_600.9)

    assert endpoint == "https://ssm.eu-central-1.amazonaws.com"
    assert headers["host"] == "ssm.eu-central-1.amazonaws.com"
    assert headers["x-amz-date"] == "20261124T120000Z"
    assert headers["x-amz-security-token"] == "session"
    assert "x-amz-date;x-amz-security-token;x-amz-target" in headers["authorization"]


def test_a_service_is_asked_where_the_environment_says_and_without_a_session_by_no_token() -> None:
    environ = {"AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:7/", "AWS_ENDPOINT_URL": "http://x"}

    endpoint, headers = signed(environ, SSM, "GetParameter", b"{}", 0)

    assert (endpoint, headers["host"]) == ("http://127.0.0.1:7", "127.0.0.1:7")
    assert "x-amz-security-token" not in headers


def test_a_parameter_is_kept_five_minutes(ssm: LambdaRole) -> None:
    now = TurnedNow()
    secrets = SecretReader(now)
    put(ssm, "/clawbot/control-token", "first\nsecond\n")

    assert secrets.read(CONTROL, ssm.environ, Budget()) == ["first", "second"]
    put(ssm, "/clawbot/control-token", "third")
    now.ahead += 299
    assert secrets.read(CONTROL, ssm.environ, Budget()) == ["first", "second"]
    now.ahead += 1
    assert secrets.read(CONTROL, ssm.environ, Budget()) == ["third"]


def test_what_stands_in_quotes_is_told_by_name(ssm: LambdaRole) -> None:
    environ = {"CONTROL_API_TOKEN": "'a-token'", "GITHUB_TOKEN": "t", "GITHUB_REPO": '"o/r"'}
    with pytest.raises(Failure) as raised:
        read_settings(environ)

    assert str(raised.value) == (
        "The environment: CONTROL_API_TOKEN stands in quotes: leave them out; "
        "GITHUB_REPO stands in quotes: leave them out"
    )
    put(ssm, "/clawbot/control-token", '"a-token"')
    with pytest.raises(Failure, match=r"^CONTROL_API_TOKEN stands in quotes: leave them out"):
        SecretReader().read(CONTROL, ssm.environ, Budget())


def test_a_clock_that_is_set_back_keeps_no_parameter_for_longer(ssm: LambdaRole) -> None:
    now = TurnedNow()
    secrets = SecretReader(now)
    put(ssm, "/clawbot/control-token", "first")
    secrets.read(CONTROL, ssm.environ, Budget())

    now.ahead -= 3600
    put(ssm, "/clawbot/control-token", "second")

    assert secrets.read(CONTROL, ssm.environ, Budget()) == ["second"]
    assert secrets.known(CONTROL) == ["second"]
    now.ahead += 300
    put(ssm, "/clawbot/control-token", "third")
    assert secrets.read(CONTROL, ssm.environ, Budget()) == ["third"]


def test_a_value_in_the_environment_needs_no_parameter() -> None:
    assert SecretReader().read(CONTROL._replace(value="here"), {}, Budget()) == ["here"]


def test_a_parameter_that_is_not_there_is_named(ssm: LambdaRole) -> None:
    put(ssm, "/clawbot/another", "x")  # moto's first call of SSM takes it seconds

    with pytest.raises(Failure, match=r"/clawbot/control-token.*ParameterNotFound") as failed:
        SecretReader().read(CONTROL, ssm.environ, Budget())

    assert failed.value.code == "misconfigured"


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"AWS_SECRET_ACCESS_KEY": "wrong"}, "signature"),
        ({"AWS_ACCESS_KEY_ID": "AKIANOBODY"}, "token"),
        ({"AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:1"}, "refused"),
    ],
)
def test_a_wrong_key_is_told_in_awss_words(
    ssm: LambdaRole, wrong: dict[str, str], words: str
) -> None:
    put(ssm, "/clawbot/control-token", "value-that-stays")

    with pytest.raises(Failure, match=words) as failed:
        SecretReader().read(CONTROL, ssm.environ | wrong, Budget())

    assert failed.value.code == "misconfigured"
    assert "value-that-stays" not in str(failed.value)


def test_a_parameter_that_can_be_no_header_is_not_quoted(ssm: LambdaRole) -> None:
    put(ssm, "/clawbot/control-token", "tökèn")

    with pytest.raises(Failure, match="printable") as failed:
        SecretReader().read(CONTROL, ssm.environ, Budget())

    assert "kèn" not in str(failed.value)


async def test_githubs_token_is_read_again_once_after_a_401(
    ssm: LambdaRole, github: SmallGitHub
) -> None:
    environ = {
        **ssm.environ,
        "CONTROL_API_TOKEN_PARAMETER": "/clawbot/control-token",
        "GITHUB_TOKEN_PARAMETER": "/clawbot/github-token",
        "GITHUB_API_URL": github.url,
    }
    secrets = SecretReader()

    async def registry() -> tuple[object, int]:
        call = Call(InvocationContext(), environ, secrets, Budget(), GitHubCache())
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
    put(ssm, "/clawbot/github-token", "one-that-github-does-not-know-yet")
    assert await registry() == (200, 1)


@pytest.mark.parametrize("value", [" ", "\n", "to\x01ken", "to\x7fken", "first\nto\x01ken"])
def test_what_can_be_no_header_is_no_secret(value: str) -> None:
    with pytest.raises(Failure, match="must be printable ASCII, not empty") as failed:
        SecretReader().read(CONTROL._replace(value=value), {}, Budget())

    assert failed.value.code == "misconfigured"


def test_at_the_same_instant_a_parameter_is_read_once(ssm: LambdaRole) -> None:
    vault = SecretReader(TurnedNow())
    put(ssm, "/clawbot/control-token", "first")
    vault.read(CONTROL, ssm.environ, Budget())
    put(ssm, "/clawbot/control-token", "second")

    assert vault.read(CONTROL, ssm.environ, Budget()) == ["first"]


@pytest.mark.parametrize("value", ["7", "clawdinator[bot]:7"])
def test_an_account_is_its_number(value: str) -> None:
    environ = {"CONTROL_API_TOKEN": "c", "GITHUB_TOKEN": "g", "CONTROL_API_ACCOUNT": value}

    assert read_settings(environ).account == "7"
