"""What many tests stand on."""

from collections.abc import Iterator

import pytest

from tests.fleet_control.aws import Aws, serving


@pytest.fixture(scope="session")
def ec2() -> Iterator[Aws]:
    """An EC2 that says what it is told to; whoever uses it lets it forget first."""
    with serving() as aws:
        yield aws
