"""The pages of docs/, and those beside the README, are held to what is there."""

import re
from pathlib import Path

import pytest

from bench.__main__ import BEGIN, END, between
from bench.__main__ import PAGE as SPEED
from clawbot.settings import PREFIX, Settings
from fleet_control.policy import RefusalCode
from fleet_control.settings import HostFile
from tests.test_imports import ROOMS

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
SETTINGS = (ROOT / "docs/settings.md").read_text()
POLICY = (ROOT / "docs/policy.md").read_text()
# Where files may be that a page names.
HOMES = [*ROOMS.values(), *(ROOT / name for name in (".github", "nix", "tofu"))]
FILES = [f"/{file.relative_to(ROOT)}" for home in HOMES for file in home.rglob("*.*")]


def test_every_setting_is_in_its_table() -> None:
    shown = SETTINGS.replace("`…_PORT`", "CLAWBOT_TELEGRAM_WEBHOOK_PORT").replace(
        "`…_SECRET`", "CLAWBOT_TELEGRAM_WEBHOOK_SECRET"
    )

    missing = [name for name in Settings.model_fields if PREFIX + name.upper() not in shown]

    assert missing == []


def test_every_file_that_holds_a_setting_is_named() -> None:
    metadata = [one for field in Settings.model_fields.values() for one in field.metadata]
    files = [one.path for one in metadata if isinstance(one, HostFile) and not one.named]

    assert len(files) == 6
    assert [file for file in files if f"/{file}" not in SETTINGS] == []


def test_every_refusal_is_in_its_table() -> None:
    assert [code for code in RefusalCode if f"`{code}`" not in POLICY] == []


def test_what_the_bench_measures_has_its_place() -> None:
    page = SPEED.read_text()
    shown = page.split(BEGIN)[1].split(END)[0].strip("\n")

    assert shown.startswith("Medians, Python ")
    assert between(page, shown) == page


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_into_the_repository_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text())

    for path, heading in links:
        target = page.parent / path if path else page
        assert target.exists(), path
        assert not heading or heading in headings(target), f"{path}#{heading}"


def headings(page: Path) -> list[str]:
    """Each as GitHub names it in a link."""
    text = re.sub(r"^```.*?^```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    # A path that begins with a slash is one on a host.
    named = re.findall(r"`(\w[\w./-]*\.(?:py|tf|nix|json|yml|md))`", page.read_text())

    assert [name for name in named if not any(file.endswith(f"/{name}") for file in FILES)] == []


def test_every_page_is_linked_from_the_readme() -> None:
    readme = (ROOT / "README.md").read_text()
    pages = [
        page for page in PAGES if page.parent != ROOT / "docs/adr" and page.name != "README.md"
    ]

    assert [page for page in pages if f"({page.relative_to(ROOT)})" not in readme] == []


def test_no_sentence_sends_anybody_to_a_page_that_is_not_there() -> None:
    """In messages, docstrings and comments."""
    sources = [file for name in ROOMS if name != "tests" for file in ROOMS[name].rglob("*.py")]
    named = {
        name for file in sources for name in re.findall(r"\bdocs/[\w-]+\.md", file.read_text())
    }

    assert [name for name in named if not (ROOT / name).exists()] == []
