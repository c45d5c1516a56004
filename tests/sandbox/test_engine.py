"""Which engine is taken, and where its provider comes from; none of them is run."""

import platform
from pathlib import Path

import pytest

from sandbox.engine import VERSION, NoEngine, build, cache, find

SYSTEM = "linux_amd64"
PINNED = "5.100.0"


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """A machine with nothing on it."""
    (tmp_path / "bin").mkdir()
    return {"PATH": str(tmp_path / "bin"), "HOME": str(tmp_path)}


def program(path: Path, says: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def built(environ: dict[str, str]) -> Path:
    return program(cache(environ) / f"opentofu-{VERSION}" / "tofu")


def test_a_tofu_of_the_pinned_version_on_path_is_taken(
    environ: dict[str, str], tmp_path: Path
) -> None:
    built(environ)
    there = program(tmp_path / "bin/tofu", f"OpenTofu v{VERSION}")

    assert find(environ).program == there
    assert build(environ) == there


def test_one_of_another_version_is_not(environ: dict[str, str], tmp_path: Path) -> None:
    program(tmp_path / "bin/tofu", "OpenTofu v1.6.0")
    own = built(environ)

    assert find(environ).program == own
    assert build(environ) == own


def test_terraform_is_the_fallback(environ: dict[str, str], tmp_path: Path) -> None:
    there = program(tmp_path / "bin/terraform")
    engine = find(environ)

    assert (engine.program, engine.is_tofu) == (there, False)


def test_without_any_it_says_what_to_do(environ: dict[str, str]) -> None:
    with pytest.raises(NoEngine, match="make tofu"):
        find(environ)


def test_without_go_none_is_built(environ: dict[str, str]) -> None:
    with pytest.raises(NoEngine, match="there is no `go`"):
        build(environ)


def test_a_build_that_fails_leaves_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    go = program(tmp_path / "bin/go")
    go.write_text("#!/bin/sh\nexit 1\n")

    with pytest.raises(NoEngine, match="could not be built"):
        build(environ)
    assert not list(cache(environ).rglob("tofu*.*"))


def test_what_go_builds_is_kept(environ: dict[str, str], tmp_path: Path) -> None:
    go = tmp_path / "bin/go"
    program(go).write_text('#!/bin/sh\nwhile [ "$1" != -o ]; do shift; done\necho built > "$2"\n')

    assert build(environ).read_text() == "built\n"
    go.unlink()
    assert build(environ).read_text() == "built\n"


@pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"), reason="of this system's name"
)
@pytest.mark.parametrize(
    ("name", "registry"),
    [("tofu", "registry.opentofu.org"), ("terraform", "registry.terraform.io")],
)
def test_the_pinned_provider_of_a_mirror_is_shown_under_the_engines_registry(
    environ: dict[str, str], tmp_path: Path, name: str, registry: str
) -> None:
    program(tmp_path / "bin" / name, f"OpenTofu v{VERSION}")
    mirror = tmp_path / ".terraform.d/plugins/registry.terraform.io/hashicorp/aws"
    for version in ("5.99.1", PINNED, "5.101.0", "6.1.0"):
        (mirror / version / SYSTEM).mkdir(parents=True)
    engine = find(environ)
    shown = cache(environ) / "provider" / registry / "hashicorp/aws" / PINNED / SYSTEM

    assert shown.is_symlink()
    assert shown.readlink() == mirror / PINNED / SYSTEM
    assert [one.name for one in shown.parents[1].iterdir()] == [PINNED]
    assert (
        str(cache(environ) / "provider") in Path(engine.environ["TF_CLI_CONFIG_FILE"]).read_text()
    )
