"""The three roots as the engines read them, before anything is applied."""

import shutil
import subprocess
from pathlib import Path

import pytest

from sandbox.engine import VERSION, TofuEngine, with_provider
from sandbox.tofu_commands import lay_out
from tests.engine.site import ROOT
from tests.workflows import test_hcl
from workflows.fleet_deploy import hcl


def _run(engine: TofuEngine, folder: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(folder), "TF_VAR_region": "eu-central-1"}
    return subprocess.run(  # noqa: S603  (the engine)
        [engine.program, *options],
        cwd=folder,
        env={**environ, **engine.environ},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    lay_out(ROOT, tmp_path, (ROOT / "nix/instances.json").read_bytes())
    (tmp_path / "build/control-api.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    return tmp_path


def _validated(engine: TofuEngine, checkout: Path) -> dict[str, str]:
    """What each root is told, but for success."""
    told = {}
    for root in ("state", "control", "fleet"):
        place = f"-chdir=tofu/{root}"
        done = _run(engine, checkout, place, "init", "-backend=false", "-input=false", "-no-color")
        if not done.returncode:
            done = _run(engine, checkout, place, "validate", "-no-color")
        if done.returncode:
            told[root] = done.stdout + done.stderr
    return told


def test_each_root_is_valid(engine: TofuEngine, checkout: Path) -> None:
    assert _validated(engine, checkout) == {}


def test_a_machine_with_terraform_alone_validates_them_too(
    engine: TofuEngine, checkout: Path
) -> None:
    terraform = shutil.which("terraform")
    if not terraform:
        pytest.skip("there is no terraform here")

    assert _validated(with_provider(Path(terraform)), checkout) == {}


def test_the_files_are_formatted(engine: TofuEngine) -> None:
    done = _run(engine, ROOT, "fmt", "-check", "-recursive", "-diff", "tofu")

    assert done.returncode == 0, done.stdout


def test_the_engine_is_of_the_pinned_version(engine: TofuEngine) -> None:
    if not engine.is_tofu:
        pytest.skip("terraform serves here")
    said = _run(engine, ROOT, "version")

    assert said.stdout.startswith(f"OpenTofu v{VERSION}\n")


# Its `locals` hold no blocks of their own.
PLAIN = [text for text in test_hcl.READ if text.startswith("a")]
HIDDEN = 'module "hidden" {\n  source = "./nowhere"\n}\n'


@pytest.mark.parametrize("text", [*PLAIN, *test_hcl.DISPUTED])
def test_no_block_hides_from_ours_that_the_engine_sees(
    engine: TofuEngine, tmp_path: Path, text: str
) -> None:
    """A block is put into each text; a module is looked for before anything else is."""
    around = text.replace("@", f"}}\n{HIDDEN}locals {{\n")
    file = f"locals {{\n{around}}}\n"
    (tmp_path / "main.tf").write_text(file, newline="")

    done = _run(engine, tmp_path, "init", "-backend=false", "-no-color")

    seen = "Unreadable module directory" in done.stderr
    if text in PLAIN:
        assert seen
    try:
        headers = [block.header for block in hcl.read(file).blocks]
    except hcl.BadHcl:
        return
    assert ("module hidden" in headers) is seen
