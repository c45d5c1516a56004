"""The words of a line, whatever a keyboard, a copied line or an editor made of them."""

import pytest

from clawbot.words import after_a_name, read

STATUS, DEPLOY = ("/fleet", "status"), ("deploy", "claw-2")


@pytest.mark.parametrize(
    "line",
    [
        "\ufeff/fleet status",
        "／fleet status",  # noqa: RUF001  (a full-width slash)
        "/fleet\u00a0status",
        "/fleet\u2003status\u3000",
        "/fleet\nstatus\r\n",
        "/fl\u200beet \u2060status\u200d",
        "\u202a/fleet status\u202c",
        "`/fleet status`",
        "```\n/fleet status\n```",
        "“/fleet status”",
        "‘/fleet’ ‚status‛",  # noqa: RUF001  (quotes of all kinds)
        "«/fleet» ‹status›",  # noqa: RUF001
        "**/fleet** __status__",
        "/fleet, status.",
        "/fleet: status!",
        "/fleet … status",
        "(/fleet [status])",
        "/fleet <status>",
        "´/fleet´ ´status´",  # noqa: RUF001
    ],
)
def test_what_is_round_the_words_or_can_not_be_seen_is_nothing(line: str) -> None:
    assert read(line) == STATUS


@pytest.mark.parametrize(
    "line",
    [
        "deploy `claw-2`",
        "deploy claw-2,",
        "deploy claw-2.",
        "`deploy claw-2`",
        "deploy 'claw-2'",
        'deploy "claw-2"',
        "deploy “claw-2”",
        "deploy <claw-2>",
        "deploy claw‑2",  # noqa: RUF001  (a hyphen that does not break)
        "deploy claw–2",  # noqa: RUF001  (a dash)
        "deploy claw−2",  # noqa: RUF001  (a minus)
        "deploy claw\u00ad-2",
        "ｄｅｐｌｏｙ ｃｌａｗ－２",  # noqa: RUF001
    ],
)
def test_a_target_is_that_target_however_it_is_written(line: str) -> None:
    assert read(line) == DEPLOY


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", ()),
        (" \ufeff\n", ()),
        ("… , `` !", ()),
        ("status -1", ("status", "-1")),
        ("claw-2?", ("claw-2?",)),
        ("<b>dance</b> <", ("<b>dance</b>", "<")),
        ("> /fleet deploy all", (">", "/fleet", "deploy", "all")),
        ("| /fleet deploy all", ("|", "/fleet", "deploy", "all")),
        ("a.b/c@d", ("a.b/c@d",)),
        ("Statsu", ("Statsu",)),
        ("\x1b[2J", ("\x1b[2J",)),
    ],
)
def test_what_is_in_a_word_stays(line: str, words: tuple[str, ...]) -> None:
    assert read(line) == words


@pytest.mark.parametrize(
    ("text", "asked", "named"),
    [
        (" /fleet deploy claw-2", DEPLOY, True),
        (", /Fleet deploy claw-2", DEPLOY, True),
        ("`/FLEET` deploy claw-2", DEPLOY, True),
        ("/fleet", (), True),
        (" fleet deploy claw-2", DEPLOY, False),
        (" Fleet", (), False),
        (" deploy claw-2", DEPLOY, False),
        (" /deploy claw-2", DEPLOY, False),
        (" hello", ("hello",), False),
        ("", (), False),
        (" ,", (), False),
        (" / fleet deploy claw-2", DEPLOY, False),
        (" //fleet deploy claw-2", DEPLOY, False),
        (" /", (), False),
    ],
)
def test_once_a_bot_was_named_the_command_s_name_may_be_missing(
    text: str, asked: tuple[str, ...], named: bool
) -> None:
    assert after_a_name(text) == (asked, named)
