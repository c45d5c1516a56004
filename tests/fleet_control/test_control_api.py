"""The Control API's client, against one that answers well, badly, late or not at all."""

import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from fleet_control import document
from fleet_control.control_api import LISTED_AFTER_SECONDS, ControlApi, Dispatched
from fleet_control.error import ControlApiDown, ControlApiError, ControlApiRefused, OutcomeUnknown
from fleet_control.ledger import Entry, Job, Step
from tests.fleet_control import lambdas
from tests.fleet_control.fleets import run
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, Lambda

ENTRY = Entry("agent.claw-1.cli.1", "", "claw-2", "", "claw-1", "")
TAKEN = {"ok": True, "message": "deploy queued for claw-2", "run": {"id": 7, "url": "https://r/7"}}
DISPATCHED = Dispatched(7, "https://r/7", "deploy queued for claw-2")
RUN = run(7, request_id=ENTRY.request_id)
FOUND = Dispatched(RUN.id, RUN.url, "deploy queued for claw-2")
# The deadline is aiohttp's own to keep: these tests wait for it, and only for it.
SHORT = 0.15

Spoil = Callable[[Lambda], None]


@pytest.fixture
async def served() -> AsyncIterator[Lambda]:
    async with lambdas.serving() as served:
        yield served


@pytest.fixture
def clock() -> HastyClock:
    return HastyClock()


def client(url: str, clock: HastyClock, deadline: float = 5.0) -> ControlApi:
    return ControlApi(url, TOKEN, ACCESS_KEY, SECRET_KEY, REGION, clock, deadline)


@pytest.fixture
async def api(served: Lambda, clock: HastyClock) -> AsyncIterator[ControlApi]:
    async with client(served.url, clock) as made:
        yield made


@pytest.fixture
async def hasty(served: Lambda, clock: HastyClock) -> AsyncIterator[ControlApi]:
    async with client(served.url, clock, SHORT) as made:
        yield made


def lists(served: Lambda, *runs: Any) -> None:
    served.answers({"ok": True, "runs": [document.run(one) for one in runs]})


def asked(served: Lambda) -> list[str]:
    return [body["action"] for body in served.asked]


# What is asked, and how it is signed


async def test_a_deploy_says_everything_and_is_taken(served: Lambda, api: ControlApi) -> None:
    served.answers(TAKEN)

    assert await api.deploy(ENTRY) == DISPATCHED
    assert served.asked == [
        {
            "action": "deploy",
            "request_id": "agent.claw-1.cli.1",
            "reply": "",
            "target": "claw-2",
            "ami_override": "",
            "caller": "claw-1",
            "requested_by": "",
        }
    ]


async def test_a_person_is_no_caller(served: Lambda, api: ControlApi) -> None:
    served.answers(TAKEN)

    await api.deploy(ENTRY._replace(caller="", requested_by="discord:8035 sam"))

    assert served.asked[0]["caller"] is None


async def test_a_caller_taken_at_its_word_is_passed_on(served: Lambda, api: ControlApi) -> None:
    served.answers({**TAKEN, "unproven_caller": True})

    assert (await api.deploy(ENTRY)).unproven_caller


async def test_a_deploy_whose_run_is_not_known_yet_is_taken(
    served: Lambda, api: ControlApi
) -> None:
    served.answers(
        {"ok": True, "message": "deploy queued", "run": {"id": None, "url": "https://r"}}
    )

    assert await api.deploy(ENTRY) == Dispatched(None, "https://r", "deploy queued")


async def test_every_call_is_signed_over_what_arrives(served: Lambda, api: ControlApi) -> None:
    served.answers(TAKEN)
    served.answers({"ok": True, "run": document.run(RUN)})

    await api.deploy(ENTRY._replace(requested_by="discord:8035 sämtliche"))
    await api.run(7)

    assert served.signed == [True, True]
    for headers in served.headers:
        assert headers["x-clawdinator-token"] == TOKEN
        assert "x-clawdinator-token" in headers["authorization"]
        assert f"/{REGION}/lambda/aws4_request" in headers["authorization"]


async def test_of_two_tokens_in_the_secret_the_first_is_sent(
    served: Lambda, clock: HastyClock
) -> None:
    served.answers({"ok": True, "runs": []})
    both = f"{TOKEN}\nolder\n"

    async with ControlApi(served.url, both, ACCESS_KEY, SECRET_KEY, REGION, clock) as api:
        await api.runs()

    assert served.headers[0]["x-clawdinator-token"] == TOKEN


async def test_a_url_without_its_last_slash_is_the_same_url(
    served: Lambda, clock: HastyClock
) -> None:
    served.answers({"ok": True, "runs": []})

    async with client(served.url.rstrip("/"), clock) as api:
        assert await api.runs() == ()
    assert served.signed == [True]


async def test_one_connection_serves_every_call(served: Lambda, api: ControlApi) -> None:
    for _ in range(5):
        served.answers({"ok": True, "runs": []})
        await api.runs()

    assert len(set(served.connections)) == 1


# What is read


async def test_a_run_is_read_whole(served: Lambda, api: ControlApi) -> None:
    steps = (Step("Plan", "completed", "failure"),)
    jobs = (Job("plan", "completed", "failure", "2026-11-24T08:00:00Z", None, steps),)
    whole = RUN._replace(jobs=jobs, reason="no such image", conclusion="failure")
    served.answers({"ok": True, "run": document.run(whole)})

    assert await api.run(7) == whole
    assert served.asked == [{"action": "run", "run_id": 7}]


async def test_runs_are_read_in_the_order_they_come(served: Lambda, api: ControlApi) -> None:
    lists(served, run(9), run(8))

    assert await api.runs(limit=2, request_id="discord.demo.5.9", unfinished=True) == (
        run(9),
        run(8),
    )
    assert served.asked == [
        {"action": "runs", "limit": 2, "request_id": "discord.demo.5.9", "unfinished": True}
    ]


async def test_the_registry_comes_word_for_word(served: Lambda, api: ControlApi) -> None:
    text = '{"claw-1": {}, "claw-1": {}}\n'
    served.answers({"ok": True, "registry": text, "version": "abc"})

    assert await api.registry() == (text, "abc")


async def test_a_cancel_names_who_asked(served: Lambda, api: ControlApi) -> None:
    served.answers({"ok": True, "message": "cancelled run 7"})

    assert await api.cancel(7, "discord:8035 sam") == "cancelled run 7"
    assert served.asked == [{"action": "cancel", "run_id": 7, "requested_by": "discord:8035 sam"}]


# It said no


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("bad_request", 400),
        ("unauthorized", 401),
        ("self_deploy", 403),
        ("forged_caller", 403),
        ("busy", 409),
        ("github_refused", 502),
        ("misconfigured", 500),
    ],
)
async def test_a_refusal_is_passed_on_and_not_asked_again(
    served: Lambda, api: ControlApi, code: str, status: int
) -> None:
    served.refuses(code, status)

    with pytest.raises(ControlApiRefused, match=f"{code}, in words") as raised:
        await api.deploy(ENTRY)

    assert (raised.value.code, raised.value.status) == (code, status)
    assert asked(served) == ["deploy"]


async def test_when_github_is_busy_it_is_said_for_how_long(served: Lambda, api: ControlApi) -> None:
    served.refuses("github_busy", 429, retry_after=17)

    with pytest.raises(ControlApiRefused) as raised:
        await api.deploy(ENTRY)

    assert raised.value.retry_after == 17.0


@pytest.mark.parametrize("status", [403, 413, 429])
async def test_what_aws_refuses_before_the_function_has_done_nothing(
    served: Lambda, api: ControlApi, status: int
) -> None:
    served.answers({"Message": "No.\nThe canonical request was POST / x-amz…"}, status)

    with pytest.raises(ControlApiDown) as raised:
        await api.deploy(ENTRY)

    assert str(raised.value) == f"AWS refused the call (HTTP {status}): No."
    assert asked(served) == ["deploy"]


# It answered nonsense, or nothing


def a_500(served: Lambda) -> None:
    served.says("Internal Server Error", 500, "text/plain")


def html(served: Lambda) -> None:
    served.says("<html><h1>It works!</h1></html>")


def six_megabytes(served: Lambda) -> None:
    served.says(json.dumps({"ok": True, "run": "x" * 6 * 1024**2}), type_="application/json")


def a_list(served: Lambda) -> None:
    served.answers([1, 2, 3])


def an_abyss(served: Lambda) -> None:
    served.says("[" * 500_000, type_="application/json")


def no_verdict(served: Lambda) -> None:
    served.answers({"run": {}})


NONSENSE = [a_500, html, six_megabytes, a_list, an_abyss, no_verdict]


@pytest.mark.parametrize("spoil", NONSENSE)
async def test_nonsense_to_a_question_is_a_sentence(
    served: Lambda, api: ControlApi, spoil: Spoil
) -> None:
    spoil(served)

    with pytest.raises(ControlApiDown, match=r"^The Control API's answer .*\.$"):
        await api.run(7)


@pytest.mark.parametrize("spoil", NONSENSE)
async def test_nonsense_to_a_deploy_may_hide_a_run(
    served: Lambda, api: ControlApi, spoil: Spoil
) -> None:
    spoil(served)
    lists(served, RUN)

    assert await api.deploy(ENTRY) == FOUND
    assert asked(served) == ["deploy", "runs"]


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": True},
        {"ok": True, "run": [], "runs": {}},
        {"ok": True, "run": {"id": "seven"}, "runs": [{"id": "seven"}]},
        {
            "ok": True,
            "run": document.run(RUN._replace(created="yesterday")),
            "runs": [document.run(RUN._replace(updated="soon"))],
            "registry": {},
        },
    ],
    ids=["nothing", "wrong kinds", "wrong fields", "no time"],
)
@pytest.mark.parametrize("action", ["run", "runs", "registry"])
async def test_an_answer_of_the_wrong_shape_is_a_sentence(
    served: Lambda, api: ControlApi, answer: object, action: str
) -> None:
    served.answers(answer)
    ask: dict[str, Callable[[], Awaitable[object]]] = {
        "run": lambda: api.run(7),
        "runs": api.runs,
        "registry": api.registry,
    }

    with pytest.raises(ControlApiDown, match=r"The Control API.*\.$"):
        await ask[action]()


@pytest.mark.parametrize("spoil", [Lambda.stays_silent, Lambda.trickles])
async def test_silence_and_slowness_end_at_the_deadline(
    served: Lambda, hasty: ControlApi, spoil: Spoil
) -> None:
    spoil(served)

    with pytest.raises(ControlApiDown, match="did not answer in time"):
        await hasty.runs()


async def test_a_question_on_a_broken_connection_is_asked_once_more(
    served: Lambda, api: ControlApi
) -> None:
    served.breaks_off()
    served.answers({"ok": True, "runs": []})

    assert await api.runs() == ()


async def test_a_question_on_two_broken_connections_is_given_up(
    served: Lambda, api: ControlApi
) -> None:
    served.breaks_off()
    served.breaks_off()

    with pytest.raises(ControlApiDown, match="broke off"):
        await api.runs()
    assert asked(served) == ["runs", "runs"]


async def test_a_redirect_is_not_followed(served: Lambda, api: ControlApi) -> None:
    served.says("elsewhere", 307)

    with pytest.raises(ControlApiDown, match="HTTP 307"):
        await api.runs()


async def test_one_that_is_not_there_can_not_be_reached(clock: HastyClock) -> None:
    async with lambdas.serving() as served:
        gone = served.url

    async with client(gone, clock) as api:
        with pytest.raises(ControlApiDown, match="can't be reached"):
            await api.deploy(ENTRY)
    assert clock.slept == []


async def test_a_url_of_another_kind_is_said_to_be_none(clock: HastyClock) -> None:
    async with client("ftp://control.test/", clock) as api:
        with pytest.raises(ControlApiDown, match="URL"):
            await api.deploy(ENTRY)


# A dispatch is not idempotent


@pytest.mark.parametrize("lose", [Lambda.stays_silent, Lambda.trickles, Lambda.breaks_off])
async def test_a_deploy_whose_answer_is_lost_is_looked_for_and_found(
    served: Lambda, hasty: ControlApi, clock: HastyClock, lose: Spoil
) -> None:
    lose(served)
    lists(served, RUN)

    assert await hasty.deploy(ENTRY) == FOUND
    assert asked(served) == ["deploy", "runs"]
    assert served.asked[1]["request_id"] == ENTRY.request_id
    assert clock.slept == [LISTED_AFTER_SECONDS]


async def test_of_two_runs_the_older_is_the_deploy(served: Lambda, hasty: ControlApi) -> None:
    served.stays_silent()
    lists(served, RUN._replace(id=9, url="https://r/9"), RUN)

    assert (await hasty.deploy(ENTRY)).run_id == 7


async def test_a_deploy_that_came_to_no_run_is_asked_for_once_more(
    served: Lambda, hasty: ControlApi
) -> None:
    served.stays_silent()
    lists(served)
    served.answers(TAKEN)

    assert await hasty.deploy(ENTRY) == DISPATCHED
    assert asked(served) == ["deploy", "runs", "deploy"]
    assert served.asked[0] == served.asked[2]


async def test_a_second_lost_answer_is_looked_for_too(served: Lambda, hasty: ControlApi) -> None:
    for _ in range(2):
        served.stays_silent()
        lists(served)
    served.acts.pop()
    lists(served, RUN)

    assert await hasty.deploy(ENTRY) == FOUND


async def test_a_deploy_is_never_asked_for_a_third_time(served: Lambda, hasty: ControlApi) -> None:
    for _ in range(2):
        served.stays_silent()
        lists(served)

    with pytest.raises(OutcomeUnknown, match="I can't confirm whether the deploy began"):
        await hasty.deploy(ENTRY)

    assert asked(served) == ["deploy", "runs", "deploy", "runs"]


@pytest.mark.parametrize("spoil", [a_500, html, Lambda.stays_silent])
async def test_when_the_runs_can_not_be_seen_nothing_is_asked_for_again(
    served: Lambda, hasty: ControlApi, spoil: Spoil
) -> None:
    served.stays_silent()
    spoil(served)

    with pytest.raises(OutcomeUnknown, match="I can't confirm"):
        await hasty.deploy(ENTRY)

    assert asked(served) == ["deploy", "runs"]


async def test_a_no_to_the_second_ask_does_not_settle_the_first(
    served: Lambda, hasty: ControlApi
) -> None:
    served.stays_silent()
    lists(served)
    served.refuses("github_busy", 429)

    with pytest.raises(OutcomeUnknown, match=r"github_busy, in words\. I can't confirm"):
        await hasty.deploy(ENTRY)


async def test_when_github_may_have_taken_it_that_is_looked_for(
    served: Lambda, api: ControlApi
) -> None:
    served.refuses("github_unreachable", 502)
    lists(served, RUN)

    assert await api.deploy(ENTRY) == FOUND


async def test_a_deploy_without_a_request_id_can_not_be_looked_for(
    served: Lambda, hasty: ControlApi
) -> None:
    served.stays_silent()

    with pytest.raises(OutcomeUnknown):
        await hasty.deploy(ENTRY._replace(request_id=""))
    assert asked(served) == ["deploy"]


# What must not be seen


async def test_neither_token_nor_key_is_in_any_word_of_ours(
    served: Lambda, hasty: ControlApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    seen = [repr(hasty)]
    for spoil in (*NONSENSE, Lambda.stays_silent, Lambda.breaks_off):
        spoil(served)
        with pytest.raises(ControlApiError) as raised:
            await hasty.deploy(ENTRY)
        seen += _everything(raised.value)

    said = "\n".join((*seen, caplog.text))
    for secret in (TOKEN, ACCESS_KEY, SECRET_KEY):
        assert secret not in said


def _everything(error: BaseException | None) -> list[str]:
    return [str(error), repr(error), *_everything(error.__cause__)] if error else []
