"""The drawing of a message says what the message says."""

import pytest

from docs.pictures import telegram_page
from docs.pictures.markdown import drawn, relative
from docs.pictures.page import page
from sandbox.discord_api.guild import Member, Message

NAMES = {"1": "sam", "2": "fleet", "3": "on-call"}


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("a **b `c`** d", "<div>a <b>b <code>c</code></b> d</div>"),
        ("`<b>` & \\*x\\*", "<div><code>&lt;b&gt;</code> &amp; *x*</div>"),
        ("-# small", '<div class="small">small</div>'),
        (
            "<@1> in <#2>",
            '<div><span class="mention">@sam</span> in <span class="mention">#fleet</span></div>',
        ),
        ("<@&3>", '<div><span class="mention">@on-call</span></div>'),
        ("\\<@1>", "<div>&lt;@1&gt;</div>"),
        ("[run 7](https://x)", '<div><span class="to">run 7</span></div>'),
        ("<t:90:R>", '<div><span class="moment">a minute ago</span></div>'),
        ("one\n\ntwo", "<div>one</div><div>&nbsp;</div><div>two</div>"),
    ],
)
def test_markdown(text: str, html: str) -> None:
    assert drawn(text, NAMES, 150.0) == html


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3600, "an hour ago"), (-3 * 86_400, "3 days ago"), (120, "in 2 minutes"), (0, "now")],
)
def test_moments(seconds: float, words: str) -> None:
    assert relative(seconds) == words


def test_a_message_whole() -> None:
    embed = {
        "title": "Deploy <all>",
        "url": "https://x",
        "description": "**replacing**",
        "color": 255,
        "fields": [{"name": "Why", "value": "because"}],
        "footer": {"text": "foot"},
        "timestamp": "2026-11-24T10:00:00+00:00",
    }
    button = {"type": 2, "style": 4, "label": "Cancel", "custom_id": "x"}
    body = {"embeds": [embed], "components": [{"type": 1, "components": [button]}]}
    text = page([Message("9", "2", Member("1", "clawbot", bot=True), body)], NAMES, 0.0, "asked")
    for part in (
        "Deploy &lt;all&gt;",
        "<b>replacing</b>",
        "#0000ff",
        "because",
        "foot • Today at 10:00",
        '<span class="button s4">Cancel</span>',
        "asked",
    ):
        assert part in text


def test_a_message_of_telegram_whole() -> None:
    message = {
        "from": {"first_name": "Fleet"},
        "date": 3600 * 10,
        "text": "🟢 claw-1 <up> ami-1",
        "entities": [
            {"type": "bold", "offset": 3, "length": 6},
            {"type": "code", "offset": 15, "length": 5},
        ],
        "reply_markup": {"inline_keyboard": [[{"text": "Refresh"}, {"text": "▶"}]]},
    }
    assert 'class="asked"' not in telegram_page.page(message)
    text = telegram_page.page(message, "/fleet status")
    for part in (
        '<div class="asked">/fleet status</div>',
        "🟢 <b>claw-1</b> &lt;up&gt; <code>ami-1</code>",
        '<div class="when">10:00</div>',
        '<span class="button">Refresh</span><span class="button">▶</span>',
    ):
        assert part in text


def test_a_moment_of_telegram_s_is_drawn_as_its_clients_do() -> None:
    message = {
        "from": {"first_name": "Fleet"},
        "date": 0,
        "text": "seen 1970-01-01 00:01 UTC by Sam",
        "entities": [
            {"type": "date_time", "offset": 5, "length": 20, "unix_time": 60},
            {"type": "text_link", "offset": 29, "length": 3, "url": "tg://user?id=1"},
        ],
    }
    assert "seen a minute ago by <a>Sam</a>" in telegram_page.page(message, now=120.0)
