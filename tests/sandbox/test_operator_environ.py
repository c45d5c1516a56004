"""What is the operator's own has no part in the sandbox."""

import os

import pytest

from sandbox.bucket import BootstrapBucket
from sandbox.operator_environ import leave_out
from tests.http_server import listening
from tests.recording_proxy import recording


def test_their_account_is_left_out() -> None:
    environ = {"AWS_PROFILE": "mine", "BOTO_CONFIG": "mine", "HOME": "/home/sam"}

    leave_out(environ)

    assert environ == {
        "HOME": "/home/sam",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"NO_PROXY": "a.example"}, "a.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "a.example", "no_proxy": "b.example"}, "b.example,127.0.0.1,localhost"),
        ({"NO_PROXY": "*"}, None),
    ],
)
def test_whom_they_reach_without_a_proxy_stays(before: dict[str, str], after: str | None) -> None:
    environ = dict(before)

    leave_out(environ)

    assert environ["NO_PROXY"] == (after or "*")
    assert environ.get("no_proxy") == after


def test_a_client_of_the_sandbox_goes_by_its_own_keys_and_straight_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nope")
    with recording() as proxy, listening(lambda *_: (200, {}, b"")) as url:
        proxy.is_set(monkeypatch)

        bucket = BootstrapBucket(url, "bucket")
        bucket.spoil_seed("0" * 40)
        bucket.close()

        assert proxy.asked == []
