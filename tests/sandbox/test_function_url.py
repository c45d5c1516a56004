"""The Function URL host: what AWS refuses it refuses, and the event is AWS's."""

import asyncio
import base64
import io
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import aiohttp
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from fleet_control.clock import SystemClock
from sandbox.function_url import FunctionUrl, Invocation
from sandbox.principal import IamPrincipal
from sandbox.sigv4 import Received, verify
from tests.clock import TurnedClock

REGION = "eu-central-1"
AGENT = IamPrincipal(
    "arn:aws:iam::123456789012:user/fleet/agent/clawdinator-1/clawdinator-1-agent",
    "123456789012",
    "AIDAEXAMPLE",
    "AKIAEXAMPLE1",
    "secret-one",
)
LOOKER = replace(AGENT, access_key="AKIALOOKER", may_invoke=False)
ASK = b'{"action": "runs"}'
JSON = {"content-type": "application/json"}


class Function:
    """A handler that answers as it is told, and keeps what it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[dict[str, Any], Any, Mapping[str, str]]] = []
        self.answer: Callable[[], Any] = lambda: {"statusCode": 200, "body": '{"ok": true}'}

    def __call__(self, event: dict[str, Any], context: Any, environ: Mapping[str, str]) -> Any:
        self.calls.append((event, context, environ))
        return self.answer()


class AwsUser:
    """Signs as botocore does, and may then be told to send something else."""

    def __init__(self, url: str, server: FunctionUrl, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.server = server
        self._session = session

    def sign(
        self,
        body: bytes = ASK,
        principal: IamPrincipal = AGENT,
        path: str = "",
        url: str = "",
        service: str = "lambda",
        region: str = REGION,
        method: str = "POST",
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, str]:
        request = AWSRequest(
            method, (url or self.url) + path, headers={**JSON, **(headers or {})}, data=body
        )
        key = Credentials(principal.access_key, principal.secret_key)
        SigV4Auth(key, service, region).add_auth(request)
        return dict(request.headers.items())

    async def send(
        self, headers: Mapping[str, str], body: bytes = ASK, path: str = "", method: str = "POST"
    ) -> tuple[int, Any, Mapping[str, str]]:
        async with self._session.request(
            method, self.url + path, data=io.BytesIO(body), headers=headers
        ) as answer:
            raw = await answer.read()
            return answer.status, json.loads(raw) if raw else None, answer.headers


@pytest.fixture
def function() -> Function:
    return Function()


@pytest.fixture
async def caller(function: Function) -> AsyncIterator[AwsUser]:
    server = FunctionUrl(
        {"GITHUB_REF": "main"}, [AGENT, LOOKER], REGION, SystemClock(), handler=function
    )
    url = await server.start()
    async with aiohttp.ClientSession() as session:
        yield AwsUser(url, server, session)
    await server.stop()


async def test_a_signed_request_comes_through_with_its_signer(
    caller: AwsUser, function: Function
) -> None:
    status, answer, headers = await caller.send(caller.sign())

    assert (status, answer) == (200, {"ok": True})
    assert headers["content-type"] == "application/json"
    ((event, context, environ),) = function.calls
    assert event["requestContext"]["authorizer"]["iam"] == {
        "accessKey": AGENT.access_key,
        "accountId": "123456789012",
        "callerId": "AIDAEXAMPLE",
        "cognitoIdentity": None,
        "principalOrgId": None,
        "userArn": AGENT.arn,
        "userId": "AIDAEXAMPLE",
    }
    assert environ == {"GITHUB_REF": "main"}
    assert context.invoked_function_arn.startswith(f"arn:aws:lambda:{REGION}:123456789012:function")
    assert context.aws_request_id == event["requestContext"]["requestId"]
    assert 0 < context.get_remaining_time_in_millis() <= 20_000
    assert caller.server.invocations == [Invocation(AGENT.arn, "runs", 200, invoked=True)]


async def test_the_event_is_payload_format_2(caller: AwsUser, function: Function) -> None:
    path = "some/path?a=1&b=x%20y&a=2"
    headers = caller.sign(path=path, headers={"X-Several": "one,two", "Cookie": "a=b; c=d"})

    await caller.send(headers, path=path)

    event = function.calls[0][0]
    assert (event["version"], event["routeKey"]) == ("2.0", "$default")
    assert (event["rawPath"], event["rawQueryString"]) == ("/some/path", "a=1&b=x%20y&a=2")
    assert event["queryStringParameters"] == {"a": "1,2", "b": "x y"}
    assert event["cookies"] == ["a=b", "c=d"]
    assert (event["body"], event["isBase64Encoded"]) == (ASK.decode(), False)
    assert event["headers"]["x-several"] == "one,two"
    assert event["headers"].keys() >= {"host", "x-amz-date", "x-forwarded-for", "x-amzn-trace-id"}
    assert all(name == name.lower() for name in event["headers"])
    context = event["requestContext"]
    assert context["http"]["method"] == "POST"
    assert context["http"]["path"] == "/some/path"
    assert context["http"]["protocol"] == "HTTP/1.1"
    assert context["http"]["sourceIp"] == "127.0.0.1"
    moment = datetime.strptime(context["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert int(moment.timestamp()) == context["timeEpoch"] // 1000


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/octet-stream", b"\x00\xff"),
        ("application/x-www-form-urlencoded", b"a=b"),
        ("application/json", b"\xff\xfe"),
    ],
)
async def test_a_body_that_is_no_text_comes_as_base64(
    caller: AwsUser, function: Function, content_type: str, body: bytes
) -> None:
    await caller.send(caller.sign(body, headers={"content-type": content_type}), body)

    event = function.calls[0][0]
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == body


async def test_without_a_signature_it_is_forbidden(caller: AwsUser, function: Function) -> None:
    status, answer, headers = await caller.send(JSON)

    assert (status, answer) == (403, {"Message": "Forbidden"})
    assert headers["x-amzn-ErrorType"] == "AccessDeniedException"
    assert function.calls == []
    assert caller.server.invocations == [Invocation("", "runs", 403, invoked=False)]


MISMATCH = "The request signature we calculated does not match the signature you provided."


async def test_a_wrong_secret_is_refused(caller: AwsUser) -> None:
    forger = replace(AGENT, secret_key="another")

    status, answer, headers = await caller.send(caller.sign(principal=forger))

    assert status == 403
    assert answer["message"].startswith(MISMATCH)
    assert headers["x-amzn-ErrorType"] == "InvalidSignatureException"


async def test_an_unknown_key_is_refused(caller: AwsUser) -> None:
    stranger = replace(AGENT, access_key="AKIANOBODY")

    status, answer, _ = await caller.send(caller.sign(principal=stranger))

    assert status == 403
    assert answer == {"message": "The security token included in the request is invalid."}


async def test_a_key_without_the_right_to_invoke_is_forbidden(
    caller: AwsUser, function: Function
) -> None:
    looker = caller.sign(principal=LOOKER)

    assert (await caller.send(looker))[:2] == (403, {"Message": "Forbidden"})
    assert function.calls == []
    assert caller.server.invocations == [Invocation(LOOKER.arn, "runs", 403, invoked=False)]


async def test_an_altered_body_is_refused(caller: AwsUser, function: Function) -> None:
    status, answer, _ = await caller.send(caller.sign(), b'{"action": "deploy"}')

    assert status == 403
    assert answer["message"].startswith(MISMATCH)
    assert function.calls == []


async def test_an_altered_method_path_query_or_signed_header_is_refused(caller: AwsUser) -> None:
    signed = caller.sign(path="a?b=c")

    assert (await caller.send(signed, path="a?b=c"))[0] == 200
    assert (await caller.send(signed, path="a?b=c", method="PUT"))[0] == 403
    assert (await caller.send(signed, path="b?b=c"))[0] == 403
    assert (await caller.send(signed, path="a?b=d"))[0] == 403
    assert (await caller.send({**signed, "content-type": "text/plain"}, path="a?b=c"))[0] == 403


async def test_a_header_of_amazons_must_be_signed(caller: AwsUser) -> None:
    status, answer, _ = await caller.send({**caller.sign(), "x-amz-extra": "1"})

    assert status == 403
    assert "not signed: x-amz-extra" in answer["message"]


async def test_a_signature_for_another_host_is_refused(caller: AwsUser) -> None:
    signed = caller.sign(url="http://elsewhere.example/")

    assert (await caller.send(signed))[1]["message"].startswith(MISMATCH)
    elsewhere = await caller.send({**signed, "Host": "elsewhere.example"})
    assert elsewhere[:2] == (403, {"Message": "Forbidden"})


async def test_the_host_must_be_signed(caller: AwsUser) -> None:
    signed = caller.sign()
    signed["Authorization"] = signed["Authorization"].replace(";host", "")

    assert "must be a 'SignedHeader'" in (await caller.send(signed))[1]["message"]


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({"service": "execute-api"}, "correct service: 'lambda'"),
        ({"region": "us-east-1"}, "valid region"),
    ],
)
async def test_the_scope_must_be_this_service_and_region(
    caller: AwsUser, scope: dict[str, str], words: str
) -> None:
    assert words in (await caller.send(caller.sign(**scope)))[1]["message"]  # type: ignore[arg-type]  # either is a string


@pytest.mark.parametrize("part", ["Credential", "SignedHeaders", "Signature"])
async def test_an_authorization_with_a_part_missing_says_which(caller: AwsUser, part: str) -> None:
    signed = caller.sign()
    signed["Authorization"] = signed["Authorization"].replace(part, "X")

    assert f"requires '{part}' parameter" in (await caller.send(signed))[1]["message"]


def received(headers: Mapping[str, str], url: str, body: bytes = ASK) -> Received:
    host = url.split("/")[2]
    return Received("POST", "/", [("Host", host), *headers.items()], body)


@pytest.mark.parametrize(
    ("later", "words"),
    [(299, ""), (301, "Signature expired"), (-299, ""), (-301, "Signature not yet current")],
)
async def test_five_minutes_of_skew_are_forgiven(caller: AwsUser, later: int, words: str) -> None:
    headers = caller.sign()
    signed = datetime.strptime(headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    now = signed.timestamp() + later

    verdict = verify(
        received(headers, caller.url), {AGENT.access_key: AGENT}, REGION, "lambda", now
    )

    assert verdict == AGENT if not words else str(verdict).find(words) > 0


async def test_the_url_keeps_its_own_time(function: Function) -> None:
    """A clock that stands in another year takes no signature of today."""
    server = FunctionUrl({}, [AGENT], REGION, TurnedClock(1_000_000_000), handler=function)
    url = await server.start()
    async with aiohttp.ClientSession() as session:
        caller = AwsUser(url, server, session)
        status, answer, _ = await caller.send(caller.sign())
    await server.stop()

    assert status == 403
    assert answer["message"].startswith("Signature not yet current")


@pytest.mark.parametrize(
    "path",
    ["", "a/b", "a//b", "a/./b", "a/../b", "a%20b", "%C3%BC?x=%C3%BC&y", "a?b=1&a=2&a=1", "x/"],
)
async def test_what_botocore_signs_is_verified_whatever_the_path(
    caller: AwsUser, path: str
) -> None:
    headers = caller.sign(path=path)

    request = replace(received(headers, caller.url), target=f"/{path}")

    now = SystemClock().now()
    assert verify(request, {AGENT.access_key: AGENT}, REGION, "lambda", now) == AGENT


async def test_over_6_mb_is_too_large(caller: AwsUser, function: Function) -> None:
    body = b"x" * (6 * 1024 * 1024 + 1)

    status, answer, _ = await caller.send(caller.sign(body), body)

    assert status == 413
    assert "must be smaller than 6291456 bytes" in answer["Message"]
    assert function.calls == []


async def test_base64_counts_towards_the_6_mb(caller: AwsUser, function: Function) -> None:
    body = b"\xff" * (5 * 1024 * 1024)
    signed = caller.sign(body, headers={"content-type": "application/octet-stream"})

    assert (await caller.send(signed, body))[0] == 413
    assert function.calls == []


async def test_an_answer_is_taken_apart_as_the_payload_format_says(
    caller: AwsUser, function: Function
) -> None:
    function.answer = lambda: {
        "statusCode": 418,
        "headers": {"Content-Type": "application/x-tea", "x-several": "1"},
        "cookies": ["a=b"],
        "isBase64Encoded": True,
        "body": base64.b64encode(b'"tea"').decode(),
    }

    status, answer, headers = await caller.send(caller.sign())

    assert (status, answer) == (418, "tea")
    assert headers["Content-Type"] == "application/x-tea"
    assert (headers["x-several"], headers["Set-Cookie"]) == ("1", "a=b")
    assert headers["x-amzn-RequestId"] == function.calls[0][1].aws_request_id


@pytest.mark.parametrize("returned", ["Hello", {"message": "no status code"}, [1], None])
async def test_what_has_no_status_code_is_json_itself(
    caller: AwsUser, function: Function, returned: object
) -> None:
    function.answer = lambda: returned

    status, answer, headers = await caller.send(caller.sign())

    assert (status, answer) == (200, returned)
    assert headers["content-type"].startswith("application/json")


def raises() -> None:
    raise ValueError("no secret of mine in any answer")


@pytest.mark.parametrize(
    "answer",
    [
        raises,
        lambda: {"statusCode": 200, "body": object()},
        lambda: {"statusCode": "many"},
        lambda: {"statusCode": 200, "isBase64Encoded": True, "body": "%"},
        lambda: "x" * (6 * 1024 * 1024),
        lambda: exit(1),  # noqa: PLR1722  (a function may)
    ],
)
async def test_a_function_that_breaks_is_a_502(
    caller: AwsUser, function: Function, answer: Callable[[], Any]
) -> None:
    function.answer = answer

    assert (await caller.send(caller.sign()))[:2] == (502, {"Message": "Internal Server Error"})
    assert caller.server.invocations == [Invocation(AGENT.arn, "runs", 502, invoked=True)]


async def test_two_are_answered_side_by_side(caller: AwsUser, function: Function) -> None:
    both = threading.Barrier(2)
    function.answer = lambda: both.wait(10)

    answers = await asyncio.gather(*(caller.send(caller.sign()) for _ in range(2)))

    assert sorted(answer for _, answer, _ in answers) == [0, 1]


async def test_a_handler_that_hangs_does_not_hold_up_the_end(function: Function) -> None:
    begun, never = threading.Event(), threading.Event()

    def hang() -> None:
        begun.set()
        never.wait(60)

    function.answer = hang
    server = FunctionUrl({}, [AGENT], REGION, SystemClock(), handler=function)
    url = await server.start()
    async with aiohttp.ClientSession() as session:
        caller = AwsUser(url, server, session)
        asked = asyncio.create_task(caller.send(caller.sign()))
        await asyncio.to_thread(begun.wait)
        await server.stop()
        with pytest.raises(aiohttp.ServerDisconnectedError):
            await asked
    never.set()
