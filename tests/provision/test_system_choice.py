"""What a machine becomes: what it is, what its image holds, or what it builds."""

import json
from pathlib import Path
from typing import Any

import pytest

from clawbot.provision import boot, host_config, system_choice
from clawbot.provision.error import ProvisionError
from clawbot.provision.installation import InstallRecord
from clawbot.provision.system_choice import BUILD, KEEP, choose, record
from tests.provision import uploads

HOST, STORE = "claw-1", "/nix/store/one"
PACKED = uploads.packed(uploads.REPOSITORY).head
REPOSITORY = InstallRecord(
    "bucket", "key", "claw-1", uploads.REVISION, PACKED.sha256, PACKED.content_sha256
)
SAID: dict[str, Any] = {
    "revision": uploads.REVISION,
    "contentSha256": PACKED.content_sha256,
    "systems": {HOST: STORE},
    "why": None,
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "nix/store/one").mkdir(parents=True)
    says(tmp_path, SAID)
    return uploads.scratch(tmp_path)


def says(root: Path, image: object) -> None:
    (root / system_choice.IMAGE).parent.mkdir(parents=True, exist_ok=True)
    (root / system_choice.IMAGE).write_text(image if isinstance(image, str) else json.dumps(image))


def chosen(
    root: Path, repository: InstallRecord | None = REPOSITORY, host: str = HOST
) -> tuple[str, str]:
    choice = choose(root, host_config.read(root), host, repository)
    return choice.what, choice.why


def test_told_exactly_what_its_image_is_it_enters_the_images_system(root: Path) -> None:
    assert chosen(root) == (STORE, f"The image holds claw-1 of {uploads.REVISION}.")


@pytest.mark.parametrize(
    ("image", "why"),
    [
        ({"revision": "9" * 40}, f"The image is of {'9' * 40}, and this host is told otherwise."),
        ({"contentSha256": "9" * 64}, "and this host is told otherwise."),
        ({"systems": {"claw-2": STORE}}, "The image holds no system of claw-1."),
        ({"systems": {HOST: "/nix/store/gone"}}, "The image holds no system of claw-1."),
        ({"systems": {HOST: "/etc/clawdinator"}}, "The image holds no system of claw-1."),
        ({"systems": {}, "why": "No agent."}, "No agent."),
        ({"systems": None}, "The image says nothing of the systems it holds."),
    ],
)
def test_any_other_is_built(root: Path, image: dict[str, object], why: str) -> None:
    says(root, {**SAID, **image})

    what, because = chosen(root)

    assert what == BUILD
    assert because.endswith(why)


@pytest.mark.parametrize("image", ["", "[]", "{}", "7"])
def test_an_image_that_says_nothing_is_no_obstacle(root: Path, image: str) -> None:
    says(root, image)

    assert chosen(root)[0] == BUILD


def test_what_it_became_it_stays_whatever_its_image_is(root: Path) -> None:
    record(root, host_config.read(root), HOST)
    (root / system_choice.IMAGE).unlink()

    assert chosen(root, None) == (
        KEEP, f"It is claw-1 of {uploads.REVISION} already: nothing is changed.",
    )  # fmt: skip


@pytest.mark.parametrize(
    "other", [{"instance": "claw-2"}, {"revision": "9" * 40}, {"seed_sha256": "9" * 64}]
)
def test_told_anything_else_it_does_not_stay(root: Path, other: dict[str, str]) -> None:
    record(root, host_config.read(root), HOST)
    assert chosen(root, host="claw-2")[0] == BUILD
    uploads.scratch(root, **other)
    now = host_config.read(root)
    there = InstallRecord("b", "k", now.instance, now.revision, now.seed_sha256, "")

    assert chosen(root, there)[0] != KEEP


@pytest.mark.parametrize(
    "repository",
    [
        None,
        InstallRecord("b", "k", HOST, "9" * 40, PACKED.sha256, PACKED.content_sha256),
        InstallRecord("b", "k", HOST, uploads.REVISION, "9" * 64, PACKED.content_sha256),
    ],
)
def test_without_the_repository_it_was_told_of_it_becomes_nothing(
    root: Path, repository: InstallRecord | None
) -> None:
    with pytest.raises(ProvisionError, match=f"repository of {uploads.REVISION} is not there"):
        chosen(root, repository)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"instance": "claw-1"}'])
def test_a_record_that_is_none_keeps_nothing(root: Path, text: str) -> None:
    (root / system_choice.INSTALLED).write_text(text)

    assert chosen(root)[0] == STORE


def test_the_command_answers_in_a_word_and_says_why_beside_it(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--bucket", "b", "--root", str(root)]
    assert boot.main(["system", HOST, *words]) == 1
    assert "is not there to build from" in capsys.readouterr().err

    assert boot.main(["switched", HOST, *words]) == 0
    capsys.readouterr()
    assert boot.main(["system", HOST, *words]) == 0
    ended = capsys.readouterr()
    assert (ended.out, ended.err) == (
        "keep\n", f"It is claw-1 of {uploads.REVISION} already: nothing is changed.\n",
    )  # fmt: skip
