"""The first deploy of an account that has no fleet yet: a run like any other makes all of it."""

from pathlib import Path

from sandbox.engine import TofuEngine
from tests.engine.site import ONE, TWO, open_site


def test_the_first_run_creates_every_host_and_what_they_stand_on(
    engine: TofuEngine, tmp_path: Path
) -> None:
    with open_site(engine, tmp_path / "site", fleet=False) as site:
        assert site.runner.hosts() == {}
        site.registers(ONE, TWO)

        assert site.deploys(TARGET="all") == 0, site.runner.summary

        assert set(site.runner.hosts()) == {ONE, TWO}
        assert not site.differs("fleet")
