"""Behind a proxy the outside is reached as boto3 reaches it, and this machine without."""

from collections.abc import Iterator

import pytest

from fleet_control import ec2
from fleet_control.clock import SystemClock
from fleet_control.error import ControlApiDown, Ec2Error
from fleet_control.machine import describe_machines
from fleet_control.proxy import proxy
from tests.fleet_control import lambdas
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, Lambda
from tests.recording_proxy import RecordingProxy, recording

FUNCTION = "https://fn.lambda-url.eu-central-1.on.aws/"


@pytest.fixture
def by_proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[RecordingProxy]:
    with recording() as one:
        one.is_set(monkeypatch)
        yield one


async def test_the_control_api_and_ec2_are_reached_by_it(by_proxy: RecordingProxy) -> None:
    async with lambdas.client(FUNCTION, SystemClock()) as api:
        with pytest.raises(ControlApiDown, match=r"proxy that HTTPS_PROXY names refuses.*403"):
            await api.runs()
    with pytest.raises(Ec2Error, match="proxy that HTTPS_PROXY names"):
        describe_machines(ec2.client(REGION, ACCESS_KEY, SECRET_KEY))

    assert by_proxy.asked[0] == "CONNECT fn.lambda-url.eu-central-1.on.aws:443"
    assert set(by_proxy.asked[1:]) == {f"CONNECT ec2.{REGION}.amazonaws.com:443"}


async def test_a_password_of_the_proxy_is_shown_to_it_alone(
    by_proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", by_proxy.url.replace("//", "//sam:pass@"))
    async with lambdas.client(FUNCTION, SystemClock()) as api:
        with pytest.raises(ControlApiDown) as down:
            await api.runs()

    assert "Proxy-Authorization: Basic c2FtOnBhc3M=" in by_proxy.headers
    assert "pass" not in str(down.value)


async def test_a_proxy_that_is_away_did_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    async with lambdas.client(FUNCTION, SystemClock()) as api:
        with pytest.raises(ControlApiDown, match="can't be reached by the proxy that HTTPS_PROXY"):
            await api.runs()


async def test_a_proxy_that_speaks_no_tls_is_named_as_what_is_in_the_way(
    by_proxy: RecordingProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", by_proxy.url.replace("http://", "https://"))
    async with lambdas.client(FUNCTION, SystemClock()) as api:
        with pytest.raises(ControlApiDown, match="can't be reached by the proxy that HTTPS_PROXY"):
            await api.runs()


@pytest.mark.parametrize("url", ["http://me:s3cret@p:99999", "http://me:s3[cret@p"])
async def test_a_proxy_that_is_no_url_is_told_without_it(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("https_proxy", url)
    async with lambdas.client(FUNCTION, SystemClock()) as api:
        with pytest.raises(ControlApiDown, match=r"or its proxy's, is no URL\.") as down:
            await api.runs()
    with pytest.raises(Ec2Error, match=r"HTTPS_PROXY, or the address .* is no URL") as unseen:
        describe_machines(ec2.client(REGION, ACCESS_KEY, SECRET_KEY))

    assert "cret" not in f"{down.value}{unseen.value}"


async def test_this_machine_is_reached_without(
    by_proxy: RecordingProxy, control: Lambda, cloud: FakeEc2
) -> None:
    control.answers({"ok": True, "runs": []})
    async with lambdas.client(control.url, SystemClock()) as api:
        assert await api.runs() == ()
    assert describe_machines(ec2.client(REGION, ACCESS_KEY, SECRET_KEY, cloud.url)) == ()

    assert by_proxy.asked == []


@pytest.mark.parametrize(
    ("url", "environ", "by"),
    [
        ("https://a.example/", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://a.example/", {"HTTPS_PROXY": "p:1"}, "http://p:1"),
        ("https://a.example/", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://a.example/", {"HTTP_PROXY": "http://p:1"}, "http://p:1"),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": ".example"}, None),
        ("https://a.example/", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://a.example/", {"ALL_PROXY": "socks5://p:1"}, None),
        ("http://127.0.0.1:80/", {"HTTP_PROXY": "http://p:1"}, None),
        ("https://127.8.8.8/", {"HTTPS_PROXY": "http://p:1"}, None),
        ("http://localhost/", {"HTTP_PROXY": "http://p:1"}, None),
        ("http://[::1]:8/", {"HTTP_PROXY": "http://p:1"}, None),
    ],
)
def test_the_rule(
    monkeypatch: pytest.MonkeyPatch, url: str, environ: dict[str, str], by: str | None
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    assert proxy(url) == by
