"""That a signature is refused for its time is told as clocks that differ, and by how much."""

import ssl
import time
from collections.abc import AsyncIterator
from email.utils import formatdate

import pytest

from fleet_control import ec2, skew
from fleet_control.clock import SystemClock
from fleet_control.error import ControlApiDown, Ec2Error
from fleet_control.machine import describe_machines
from sandbox.function_url import FunctionUrl
from sandbox.principal import IamPrincipal
from tests.fleet_control import aws, lambdas
from tests.fleet_control.aws import FakeEc2
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, Lambda
from tests.fleet_control.on_host import OnHost

AGENT = IamPrincipal("arn:aws:iam::1:user/agent", "1", "AIDA", ACCESS_KEY, SECRET_KEY)
SET = "`timedatectl` tells whether this one is kept right; `systemctl restart chronyd`"
SIDES = [(-600, "10 min ahead of AWS's clock"), (600, "10 min behind AWS's clock")]


class OffClock(SystemClock):
    """The clock of a machine that is wrong."""

    off = 0.0

    def now(self) -> float:
        return super().now() + self.off


@pytest.fixture
async def clock() -> OffClock:
    return OffClock()


@pytest.fixture
async def url(clock: OffClock) -> AsyncIterator[str]:
    """A Function URL that goes by that clock."""
    server = FunctionUrl({}, [AGENT], REGION, clock, handler=lambda *_: {"statusCode": 200})
    yield await server.start()
    await server.stop()


@pytest.mark.parametrize(("off", "told"), [*SIDES, (-5400, "1 h ahead of"), (86400 * 400, "400 d")])
async def test_the_control_api_refuses(clock: OffClock, url: str, off: float, told: str) -> None:
    clock.off = off
    async with lambdas.client(url, SystemClock()) as api:
        with pytest.raises(ControlApiDown) as down:
            await api.runs()

        assert api.ahead == pytest.approx(-off, abs=60)
    said = str(down.value)
    assert said.startswith("AWS refuses this machine's signature for its time. This machine's cl")
    assert told in said
    assert SET in said


@pytest.mark.parametrize(("off", "told"), SIDES)
@pytest.mark.parametrize("code", ["RequestExpired", "AuthFailure"])
async def test_ec2_refuses(
    host: OnHost, control: Lambda, three_hosts: FakeEc2, code: str, off: float, told: str
) -> None:
    control.has_registry("claw-1")
    three_hosts.always(aws.error(400, code, "Request has expired." if code[0] == "R" else "No."))
    three_hosts.off = off

    ended = await host.types("status", "--json")

    assert ended.code == 4
    assert told in ended.answer["error"]
    assert SET in ended.answer["error"]


def test_a_key_that_may_not_is_no_clock_that_is_wrong(cloud: FakeEc2) -> None:
    cloud.always(aws.error(400, "AuthFailure"))
    client = ec2.client(REGION, ACCESS_KEY, SECRET_KEY, cloud.url)

    cloud.off = 200
    with pytest.raises(Ec2Error, match="Check the control AWS access key"):
        describe_machines(client)

    cloud.off = 600
    cloud.always(aws.error(400, "InvalidParameterValue"))
    with pytest.raises(Ec2Error, match=r"InvalidParameterValue\.$"):
        describe_machines(client)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("403", ""),
        ("Forbidden", ""),
        ("AuthFailure", ""),
        ("SignatureDoesNotMatch", ""),
        ("InvalidSignatureException", ""),
        ("RequestTimeTooSkewed", ""),
        ("RequestInTheFuture", ""),
        ("RequestExpired", ""),
        ("AccessDenied", "Request has expired"),
        ("X", "Signature expired: 20261127T100000Z is now earlier than …"),
        ("X", "Signature not yet current: 20261127T100000Z is still later than …"),
    ],
)
def test_what_aws_calls_it(code: str, said: str) -> None:
    moment = time.time()

    assert "5 min behind" in skew.refused(formatdate(moment + 302), code, said)
    assert "5 min ahead" in skew.refused(formatdate(moment - 302), code, said)
    if code in ("RequestExpired", "X"):
        for date, told in (
            (None, "does not say by how"),
            ("soon", "does not say"),
            ("", "not say"),
        ):
            assert told in skew.refused(date, code, said)
        assert "though the clocks agree" in skew.refused(formatdate(moment + 290), code, said)
    assert skew.refused(formatdate(moment + 302), "ValidationError", "no") == ""


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("certificate verify failed: certificate is not yet valid", True),
        ("certificate verify failed: certificate has expired", True),
        ("certificate verify failed: self-signed certificate", False),
    ],
)
def test_a_certificate_of_another_time_is_told_with_ours(words: str, told: bool) -> None:
    said = skew.by_certificate(ssl.SSLCertVerificationError(1, words))

    assert said.startswith("Its certificate is not valid at this machine's time, 20") == told
    assert bool(said) == told
