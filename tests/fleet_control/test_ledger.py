"""The list of runs as the ledger: the title's form, and what it says of the past."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_control.caller import BotInstance, Human, Unknown
from fleet_control.ledger import (
    BUTTON,
    OVERRIDE,
    Entry,
    RequestId,
    Run,
    asked_by,
    oldest,
    parse_request_id,
    seconds,
    unfinished,
)
from fleet_control.run_row import read_run
from fleet_control.run_title import (
    TITLE_FIELDS,
    caller_field,
    fit,
    is_requested_by,
    parse_title,
    requested_by,
    title,
)

ASKED = Entry(
    request_id="discord.demo.110000000000000000.120000000000000000",
    reply="130000000000000000",
    target="clawdinator-2",
    ami_override="",
    caller="",
    requested_by="discord:80351110224678912 sam",
)


def run(id_: int, **changed: Any) -> Run:
    return read_run(
        {
            "id": id_,
            "html_url": f"https://github.example/runs/{id_}",
            "status": "completed",
            "conclusion": "success",
            "display_title": title(ASKED),
            "created_at": "2026-11-24T10:00:00Z",
            "run_started_at": "2026-11-24T10:00:05Z",
            "updated_at": "2026-11-24T10:05:00Z",
            "run_attempt": 1,
        }
    )._replace(**changed)


def test_a_title_carries_the_address_first_and_the_name_last() -> None:
    assert title(ASKED) == (
        "discord.demo.110000000000000000.120000000000000000 | 130000000000000000 | clawdinator-2"
        " | - | - | discord:80351110224678912 sam"
    )


def test_an_image_and_a_commit_have_one_field() -> None:
    image = title(ASKED._replace(ami_override="ami-0123456789abcdef0"))
    commit = title(ASKED._replace(revision="0123456789ab"))

    assert " | clawdinator-2 | ami-0123456789abcdef0 | - | " in image
    assert " | clawdinator-2 | 0123456789ab | - | " in commit
    for entry in (parse_title(image), parse_title(commit)):
        assert entry
        assert not (entry.ami_override and entry.revision)


def test_a_title_reads_back_as_the_ask_it_carries() -> None:
    assert parse_title(title(ASKED)) == ASKED


def test_the_title_has_the_entrys_fields_in_their_order() -> None:
    assert Entry._fields == TITLE_FIELDS


@pytest.mark.parametrize(
    "other",
    [
        "",
        "Fleet deploy",
        "a | b",
        title(ASKED) + " | more",
        title(ASKED._replace(target="Clawdinator-2")),
        title(ASKED._replace(target="")),
        title(ASKED._replace(request_id="discord.demo.1")),
        title(ASKED._replace(request_id="irc.demo.1.2")),
        title(ASKED._replace(caller="all")),
        title(ASKED._replace(ami_override="ami-xyz")),
        title(ASKED._replace(revision="012345")),
        title(ASKED._replace(revision="0123456789AB")),
        title(ASKED._replace(revision="0" * 41)),
        title(ASKED._replace(requested_by="sam")),
        title(ASKED._replace(reply="a.b")),
        title(ASKED._replace(operation="resume")),
        title(ASKED._replace(operation="unlock")),
        title(ASKED._replace(operation="redo")),
        title(ASKED._replace(target=":clawdinator-2")),
        title(ASKED._replace(target="7")).replace("| 7 |", "| resume:07 |"),
        title(ASKED._replace(target="!")),
    ],
)
def test_a_title_of_another_form_is_somebodys_button(other: str) -> None:
    assert parse_title(other) is None


def test_a_button_on_github_has_only_a_target() -> None:
    assert parse_title("- | - | all | - | - | -") == Entry(target="all")


WORD = st.text("abcXYZ019_-", min_size=1, max_size=20)


@given(
    st.builds(
        Entry,
        request_id=st.builds(
            lambda bot, channel, asked: f"telegram.{bot}.{channel}.{asked}",
            st.text("abc019-", min_size=32, max_size=32),
            WORD,
            WORD,
        ),
        reply=WORD.filter(lambda reply: reply != "-"),
        target=st.just("a" * 32),
        ami_override=st.just(""),
        revision=st.just(""),
        caller=st.just("b" * 32),
        requested_by=st.builds(requested_by, st.just("telegram:" + "1" * 36), st.text(max_size=80)),
        operation=st.just(""),
        override=st.just(""),
    ).flatmap(
        lambda entry: st.sampled_from(
            [
                entry,
                entry._replace(ami_override="ami-0123456789abcdef0"),
                entry._replace(revision="0123456789abcdef" * 2 + "01234567"),
                entry._replace(revision="0123456"),
                entry._replace(caller="", operation="rollback", override=OVERRIDE),
                entry._replace(
                    caller="",
                    operation="unlock",
                    target="01234567-89ab-cdef-0123-456789abcdef",
                ),
            ]
        )
    )
)
def test_the_longest_title_fits_and_costs_only_the_name(entry: Entry) -> None:
    fitted = fit(entry)

    assert len(title(fitted)) <= 250
    cut = {"requested_by": "", "revision": entry.revision[:12]}
    assert entry._replace(**cut) == fitted._replace(requested_by="")
    assert fitted.requested_by.startswith("telegram:" + "1" * 36)
    assert parse_title(title(fitted)) == fitted


@given(st.text(max_size=100))
def test_no_name_breaks_the_title(name: str) -> None:
    entry = ASKED._replace(requested_by=requested_by("discord:1", name))

    assert parse_title(title(entry)) == entry


def test_a_request_id_names_platform_bot_channel_and_what_asked() -> None:
    told = RequestId("telegram", "clawdinator-1", "-1001234567890", "42")

    assert parse_request_id("telegram.clawdinator-1.-1001234567890.42") == told
    assert str(told) == "telegram.clawdinator-1.-1001234567890.42"


@pytest.mark.parametrize(
    "text",
    [
        *("", "a.b.c.d", "discord.x.y", "discord.x.y.z.w"),
        *("discord.x y.1.2", "discord.x.1 .2", "discord.x.1.2 ", "discord.x.1.2\n"),
        *("discord..1.2", "discord.x..2", "discord.x.1."),
    ],
)
def test_a_request_id_of_another_form_is_refused_with_what_would_be_right(text: str) -> None:
    with pytest.raises(ValueError, match=r"a request id"):
        parse_request_id(text)


def test_of_two_runs_of_one_request_the_older_is_the_deploy() -> None:
    other = run(1, request_id="discord.demo.1.1")
    assert oldest([run(9), other, run(5)], ASKED.request_id) == run(5)
    assert oldest([other], ASKED.request_id) is None


def test_only_a_bot_instance_is_named_as_the_ledgers_caller() -> None:
    assert caller_field(BotInstance("clawdinator-1")) == "clawdinator-1"
    assert caller_field(Human("discord:1", "clawdinator-1")) == ""
    assert caller_field(Unknown("clawdinator-1")) == ""


def test_a_person_is_named_by_the_account_and_32_safe_characters() -> None:
    assert requested_by("discord:1", "Sam | the\nOperator") == "discord:1 Sam-the-Operator"
    assert requested_by("discord:1", "n" * 40) == f"discord:1 {'n' * 32}"
    assert requested_by("discord:1", "|||") == "discord:1"
    assert requested_by("discord:1", "Rene\u0301 日本") == "discord:1 René-日本"
    assert requested_by("discord:1", "a\u3164b") == "discord:1 a-b"  # nothing is seen of it


@given(st.text(max_size=100))
def test_every_name_has_the_ledgers_form(name: str) -> None:
    assert is_requested_by(requested_by("discord:1", name))


DURING, ENDED = (seconds(f"2026-11-24T{moment}Z") for moment in ("10:01:00", "10:05:00"))


def bots(id_: int, **changed: Any) -> Run:
    return run(id_, caller="claw-1", **changed)


def at_work(id_: int) -> Run:
    return bots(id_, status="in_progress", conclusion=None)


def test_a_bot_has_its_own_deploys_under_way_oldest_first() -> None:
    others = at_work(7)._replace(caller="claw-2")

    assert unfinished([at_work(9), bots(8), others, at_work(5)], "claw-1") == (
        at_work(5),
        at_work(9),
    )


def test_what_was_not_over_then_was_under_way_then() -> None:
    assert unfinished([bots(5)], "claw-1", at=DURING) == (bots(5),)
    assert unfinished([bots(5)], "claw-1", at=ENDED) == ()


IMAGE = "ami-0123456789abcdef0"


def test_a_version_is_an_image_or_a_commit() -> None:
    assert ASKED.naming(IMAGE) == ASKED._replace(ami_override=IMAGE)
    assert ASKED.naming("0123456") == ASKED._replace(revision="0123456")
    for version in (IMAGE, "0123456", ""):
        entry = ASKED.naming(version)
        assert (entry.image_or_commit, run(1, **entry._asdict()).image_or_commit) == (
            version,
            version,
        )


@pytest.mark.parametrize(
    "text", [f"discord:1 {'n' * 33}", "discord:1 a|b", "discord:1 a\n", "irc:1 sam", "discord: sam"]
)
def test_what_is_no_account_with_a_safe_name_asked_for_nothing(text: str) -> None:
    assert not is_requested_by(text)


@pytest.mark.parametrize(("length", "left"), [(249, 32), (250, 32), (251, 31), (256, 26)])
def test_the_name_loses_as_many_characters_as_the_title_has_too_many(
    length: int, left: int
) -> None:
    longest = ASKED._replace(caller="b" * 32, target="a" * 32, ami_override=IMAGE)
    entry = longest._replace(requested_by=f"discord:{'1' * 20} {'n' * 32}")
    reply = "1" * (len(ASKED.reply) + length - len(title(entry)))
    entry = entry._replace(reply=reply)
    assert len(title(entry)) == length

    assert fit(entry) == entry._replace(requested_by=f"discord:{'1' * 20} {'n' * left}")


def read(**more: Any) -> Run:
    raw = {"id": 1, "html_url": "u", "status": "queued", "created_at": "c", "updated_at": "u"}
    return read_run(raw | more, believed=more.pop("believed", ""))


@pytest.mark.parametrize(
    ("actor", "believed", "ours"),
    [
        ({"id": 7}, "7", True),
        ({"id": 8}, "7", False),
        ({}, "7", False),
        (None, "7", False),
        (None, "", True),
    ],
)
def test_a_title_is_believed_of_whom_it_is_to_be_believed(
    actor: object, believed: str, ours: bool
) -> None:
    found = read(display_title=title(ASKED), actor=actor, believed=believed)

    assert (found.target, found.request_id) == (
        (ASKED.target, ASKED.request_id) if ours else ("", "")
    )


@pytest.mark.parametrize(
    ("shown", "login", "by"),
    [
        (title(ASKED), "x", "x on GitHub"),
        ("Fleet deploy", "claw-bot[bot]", "claw-bot[bot] on GitHub"),
        ("Fleet deploy", "@everyone | x", BUTTON),
        ("Fleet deploy", None, BUTTON),
    ],
)
def test_who_pressed_the_button_github_alone_tells(shown: str, login: str | None, by: str) -> None:
    found = read(display_title=shown, actor={"login": login, "id": 8}, believed="7")

    assert asked_by(found) == by


def test_whom_our_own_title_names_is_who_asked() -> None:
    found = read(display_title=title(ASKED), actor={"login": "x", "id": 7}, believed="7")

    assert asked_by(found) == "sam in Discord"


@pytest.mark.parametrize("shown", [None, "", "Fleet deploy"])
def test_a_run_without_an_ask_is_one_all_the_same(shown: str | None) -> None:
    found = read(display_title=shown)

    assert (found.id, found.target, found.image_or_commit) == (1, "", "")


@pytest.mark.parametrize(("said", "attempt"), [(None, 1), (1, 1), (3, 3)])
def test_a_run_is_at_its_first_attempt_unless_github_says_another(
    said: int | None, attempt: int
) -> None:
    assert read(run_attempt=said).attempt == attempt
