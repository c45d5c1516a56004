"""The README is held to what is there."""

import re
from pathlib import Path

from clawbot.settings import PREFIX, Settings
from fleet_control.policy import RefusalCode
from fleet_control.settings import HostFile

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_every_setting_is_in_its_table() -> None:
    shown = README.replace("`…_PORT`", "CLAWBOT_TELEGRAM_WEBHOOK_PORT").replace(
        "`…_SECRET`", "CLAWBOT_TELEGRAM_WEBHOOK_SECRET"
    )

    missing = [name for name in Settings.model_fields if PREFIX + name.upper() not in shown]

    assert missing == []


def test_every_file_that_holds_a_setting_is_named() -> None:
    metadata = [one for field in Settings.model_fields.values() for one in field.metadata]
    files = [one.path for one in metadata if isinstance(one, HostFile) and not one.named]

    assert len(files) == 6
    assert [file for file in files if f"/{file}" not in README] == []


def test_every_refusal_is_in_its_table() -> None:
    assert [code for code in RefusalCode if f"`{code}`" not in README] == []


def test_every_path_of_the_map_is_there() -> None:
    rooms = README.split("## The rooms")[1].split("```")[1]
    folder = ROOT
    for line in rooms.strip().splitlines():
        indent = len(line) - len(line.lstrip())
        names = re.match(r"((?:[\w.*/-]+(?: |$))+)", line.strip())
        assert names is not None, line
        if indent == 0:
            folder = ROOT
        for name in names[1].split():
            if "/" in name or "." in name:
                assert list(folder.glob(name.rstrip("/"))), name
        if indent == 0:
            folder = ROOT / names[1].split()[0].rstrip("/")


def test_every_module_of_the_bot_and_of_fleet_control_is_on_the_map() -> None:
    rooms = README.split("## The rooms")[1].split("```")[1]
    named = re.findall(r"[\w*]+\.py", rooms)
    modules = [
        *(ROOT / "clawbot").glob("[!_]*.py"),
        *(ROOT / "skills/fleet_control").glob("[!_]*.py"),
    ]

    assert [one.name for one in modules if not any(one.match(name) for name in named)] == []


def test_every_link_into_the_repository_leads_somewhere() -> None:
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", README)

    assert [link for link in links if not (ROOT / link).exists()] == []
