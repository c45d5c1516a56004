"""What the fleet's folder may hold, looked at before the engine opens it."""

import json
import shutil
from pathlib import Path

import pytest

from tests.workflows.conftest import MADE_OF, NEW, LocalRunner
from workflows.fleet_deploy.configuration_check import offences

ROOT = Path(__file__).parents[2]
FOLDER = "tofu/fleet"
TWO = "clawdinator-2"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout with the fleet as it is here."""
    copied = shutil.ignore_patterns(".terraform*")
    shutil.copytree(ROOT / FOLDER, tmp_path / FOLDER, ignore=copied)
    return tmp_path


def write(root: Path, name: str, text: str = "") -> None:
    (root / FOLDER / name).write_text(text)


def put(root: Path, name: str, old: str, new: str) -> None:
    """Change a file of the fleet as somebody might."""
    text = (root / FOLDER / name).read_text()
    assert text.count(old) == 1
    write(root, name, text.replace(old, new))


def test_the_fleet_of_this_repository_may_be_opened(root: Path) -> None:
    write(root, ".terraform.lock.hcl", 'provider "registry.opentofu.org/hashicorp/aws" {}\n')

    assert offences(root, FOLDER) == ()


NEW_BLOCKS = {
    'module "x" {\n  source = "./x"\n}': "module x",
    'data "external" "x" {\n  program = ["id"]\n}': "data external x",
    'data "http" "x" {\n}': "data http x",
    'data "aws_lambda_invocation" "x" {\n}': "data aws_lambda_invocation x",
    'resource "null_resource" "x" {\n}': "resource null_resource x",
    'resource "terraform_data" "x" {\n}': "resource terraform_data x",
    'resource "aws_instance" "x" {\n}': "resource aws_instance x",
    'provider "external" {\n}': "provider external",
    'ephemeral "aws_secret" "x" {\n}': "ephemeral aws_secret x",
    'check "x" {\n}': "check x",
    'output "x" {\n  value = 1\n}': "output x",
    "import {\n}": "import",
    "moved {\n}": "moved",
    "removed {\n}": "removed",
    'variable "a" "b" {\n}': "variable a b",
}


@pytest.mark.parametrize(("text", "header"), NEW_BLOCKS.items(), ids=NEW_BLOCKS.values())
def test_a_block_that_is_on_no_list_is_an_offence(root: Path, text: str, header: str) -> None:
    write(root, "more.tf", text)

    assert offences(root, FOLDER) == (f"{FOLDER}/more.tf: `{header}` is on no list",)


CHANGES = {
    "a provisioner": ("hosts.tf", "  root_block_device {",
        '  provisioner "local-exec" {\n    command = "id"\n  }\n  root_block_device {',
        "`provisioner local-exec` in `resource aws_instance clawdinator` is on no list"),
    "one made of a list": ("hosts.tf", "  root_block_device {",
        '  dynamic "provisioner" {\n  }\n  root_block_device {',
        "`dynamic provisioner` in `resource aws_instance clawdinator` is on no list"),
    "a connection": ("hosts.tf", "  lifecycle {", "  connection {\n  }\n  lifecycle {",
        "`connection` in `resource aws_instance clawdinator` is on no list"),
    "another provider": ("main.tf", '    aws = {\n',
        '    evil = {\n      source = "evil/aws"\n    }\n    aws = {\n',
        "`evil` in `required_providers` is on no list"),
    "a provider from elsewhere": ("main.tf", '"hashicorp/aws"', '"evil.example/hashicorp/aws"',
        "its provider is not hashicorp/aws of one version"),
    "a provider of any version": ("main.tf", '"= 5.100.0"', '">= 5.100.0"',
        "its provider is not hashicorp/aws of one version"),
    "a provider that asks a program for its keys": ("main.tf", "  region = var.region\n",
        '  region = var.region\n  shared_config_files = ["./aws"]\n',
        "`shared_config_files` in `provider aws` is on no list"),
    "a second provider configuration": ("main.tf", "  region = var.region\n",
        '  region = var.region\n  alias = "x"\n', "`alias` in `provider aws` is on no list"),
    "another backend": ("main.tf", 'backend "s3"', 'backend "http"',
        "`backend http` in `terraform` is on no list"),
    "a backend that asks a program": ("main.tf", "    encrypt      = true\n",
        '    encrypt = true\n    shared_config_files = ["./aws"]\n',
        "`shared_config_files` in `backend s3` is on no list"),
    "a key from a program": ("encryption.tofu", 'key_provider "aws_kms"',
        'key_provider "external"', "`key_provider external state` in `encryption` is on no list"),
    "a state that may be clear": ("encryption.tofu", "    plan {",
        '    remote_state_data_sources {\n    }\n    plan {',
        "`remote_state_data_sources` in `encryption` is on no list"),
    "a heredoc": ("main.tf", "locals {", "locals {\n  x = <<E\n}\nE\n",
        "it can't be read for sure ('<<E"),
}  # fmt: skip


@pytest.mark.parametrize(("name", "old", "new", "said"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_would_act_before_any_plan_is_an_offence(
    root: Path, name: str, old: str, new: str, said: str
) -> None:
    put(root, name, old, new)

    (offence,) = offences(root, FOLDER)
    assert offence.startswith(f"{FOLDER}/{name}: {said}")


@pytest.mark.parametrize(
    "name",
    [
        "more.tf.json",
        "more.tofu.json",
        "override.tf",
        "main_override.tf",
        "main_override.tofu",
        "terraform.tfvars",
        "more.auto.tfvars",
        "main.tftest.hcl",
        "terraform.tfstate",
        ".terraformrc",
        "program",
        "Main.TF",
    ],
)
def test_a_file_that_no_fleet_has_is_an_offence(root: Path, name: str) -> None:
    write(root, name)

    assert offences(root, FOLDER) == (f"{FOLDER}/{name} is no file that a fleet has",)


def test_neither_folders_nor_links_are_files_of_a_fleet(root: Path, tmp_path: Path) -> None:
    (root / FOLDER / "terraform.d").mkdir()
    (root / FOLDER / "link.tf").symlink_to(root / FOLDER / "main.tf")

    assert offences(root, FOLDER) == (
        f"{FOLDER}/link.tf is no file that a fleet has",
        f"{FOLDER}/terraform.d is no file that a fleet has",
    )


def test_a_folder_that_is_elsewhere_is_none(root: Path) -> None:
    (root / "tofu").rename(root / "elsewhere")
    (root / "tofu").symlink_to(root / "elsewhere")

    assert offences(root, FOLDER) == (f"{FOLDER} is no folder of its own",)
    assert offences(root, "nowhere") == ("nowhere is no folder of its own",)


def test_plugins_beside_the_folder_are_an_offence(root: Path) -> None:
    (root / "terraform.d").symlink_to("nowhere")

    assert offences(root, FOLDER) == ("terraform.d may hold providers that nobody signed",)


@pytest.mark.parametrize("job", ["plan", "host", "finish"])
def test_no_job_starts_the_engine_there(runner: LocalRunner, job: str) -> None:
    runner.registers(TWO)
    seen = runner.launches(TWO, NEW)
    write(runner.folder, "evil.tf", 'module "x" {\n}\nimport {\n}\n')
    seen = seen if job == "host" else "i-00000001"
    roll = json.dumps([{"id": TWO, "seen": seen, "name": "x", **MADE_OF}])
    more = {"INSTANCE": TWO, "IMAGE": NEW, "ROLL": roll}

    assert runner.does(job, **more, **({"TARGET": "all"} if job == "finish" else {})) == 1
    said = f"OpenTofu was not started: {FOLDER}/evil.tf: `module x` is on no list (and 1 more)."
    assert said in runner.summary
    assert f"- {FOLDER}/evil.tf: `import` is on no list" in runner.summary
    assert runner.commands == []


def test_what_an_earlier_engine_left_is_not_used(runner: LocalRunner) -> None:
    runner.registers(TWO)
    runner.launches(TWO)
    runner.plans()
    left = runner.folder / FOLDER / ".terraform/providers"
    left.mkdir(parents=True)

    runner.does("plan")

    assert not left.exists()
    assert runner.commands[0] == "init"


def test_of_a_long_name_sixty_characters_are_told(root: Path) -> None:
    write(root, "x" * 99)

    assert offences(root, FOLDER) == (f"{FOLDER}/{'x' * 60} is no file that a fleet has",)
