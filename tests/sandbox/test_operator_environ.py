"""What is the operator's own has no part in the sandbox."""

import os

import pytest

from sandbox.operator_environ import leave_out


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
