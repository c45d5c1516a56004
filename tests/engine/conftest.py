"""Tests with the real engine: minutes, not seconds, so only where this folder is asked for."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engine import NoEngine, TofuEngine, find
from tests.engine.site import ONE, THREE, TWO, EngineSite, open_site

HERE = Path(__file__).parent


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """`make test` leaves these out; `make test-engine` names them."""
    named = (config.invocation_params.dir / arg.partition("::")[0] for arg in config.args)
    asked = any(path == HERE or HERE in path.parents for path in map(Path.resolve, named))
    return None if asked else True


@pytest.fixture(scope="session")
def engine() -> TofuEngine:
    try:
        return find(os.environ)
    except NoEngine as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"Under CI there must be an engine. {error}")
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def site(engine: TofuEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineSite]:
    """Shared by a worker's tests: each begins by settling it. None moves the control plane."""
    with open_site(engine, tmp_path_factory.mktemp("site")) as opened:
        yield opened
        opened.registers(ONE, TWO, THREE)
        assert not opened.differs("control")
