"""The Control API's client: what it sends, how it signs, what it reads, and when it is told no."""

import pytest

from fleet_control import json_output
from fleet_control.api_answer import Dispatched, Stopping
from fleet_control.control_api import ControlApi
from fleet_control.error import ControlApiDown, ControlApiRefused, OutcomeUnknown
from fleet_control.history import HistoryPage
from fleet_control.last_words import LastWords
from fleet_control.ledger import Job, Revision, Step
from fleet_control.registry_source import RegistryRead
from tests.fleet_control import lambdas
from tests.fleet_control.deploys import DISPATCHED, ENTRY, RUN, TAKEN
from tests.fleet_control.fleets import run
from tests.fleet_control.hasty_clock import HastyClock
from tests.fleet_control.lambdas import ACCESS_KEY, REGION, SECRET_KEY, TOKEN, Lambda

STEP = Step("It ran 1234567", "completed", "success")


async def test_a_deploy_says_everything_and_is_taken(control: Lambda, api: ControlApi) -> None:
    control.answers(TAKEN)

    assert await api.deploy(ENTRY) == DISPATCHED
    assert control.asked == [
        {
            "action": "deploy",
            "request_id": "agent.claw-1.cli.1",
            "reply": "",
            "target": "claw-2",
            "ami_override": "",
            "revision": "",
            "caller": "claw-1",
            "requested_by": "",
        }
    ]


async def test_a_person_is_no_caller(control: Lambda, api: ControlApi) -> None:
    control.answers(TAKEN)

    await api.deploy(ENTRY._replace(caller="", requested_by="discord:8035 sam"))

    assert control.asked[0]["caller"] is None


async def test_a_caller_taken_at_its_word_is_passed_on(control: Lambda, api: ControlApi) -> None:
    control.answers({**TAKEN, "unproven_caller": True})

    assert (await api.deploy(ENTRY)).unproven_caller


async def test_a_deploy_whose_run_is_not_known_yet_is_taken(
    control: Lambda, api: ControlApi
) -> None:
    control.answers(
        {"ok": True, "message": "deploy queued", "run": {"id": None, "url": "https://r"}}
    )

    assert await api.deploy(ENTRY) == Dispatched(None, "https://r", "deploy queued")


async def test_every_call_is_signed_over_what_arrives(control: Lambda, api: ControlApi) -> None:
    control.answers(TAKEN)
    control.answers({"ok": True, "run": json_output.run(RUN)})

    await api.deploy(ENTRY._replace(requested_by="discord:8035 sämtliche"))
    await api.run(7)

    assert control.signed == [True, True]
    for headers in control.headers:
        assert headers["x-clawdinator-token"] == TOKEN
        assert "x-clawdinator-token" in headers["authorization"]
        assert f"/{REGION}/lambda/aws4_request" in headers["authorization"]


async def test_of_two_tokens_in_the_secret_the_first_is_sent(
    control: Lambda, clock: HastyClock
) -> None:
    control.answers({"ok": True, "runs": []})
    both = f"{TOKEN}\nolder\n"

    async with ControlApi(control.url, both, ACCESS_KEY, SECRET_KEY, REGION, clock) as api:
        await api.runs()

    assert control.headers[0]["x-clawdinator-token"] == TOKEN


async def test_a_url_without_its_last_slash_is_the_same_url(
    control: Lambda, clock: HastyClock
) -> None:
    control.answers({"ok": True, "runs": []})

    async with lambdas.client(control.url.rstrip("/"), clock) as api:
        assert await api.runs() == ()
    assert control.signed == [True]


async def test_one_connection_serves_every_call(control: Lambda, api: ControlApi) -> None:
    for _ in range(5):
        control.answers({"ok": True, "runs": []})
        await api.runs()

    assert len(set(control.connections)) == 1


async def test_a_run_is_read_whole(control: Lambda, api: ControlApi) -> None:
    steps = (Step("Plan", "completed", "failure"),)
    jobs = (Job("plan", "completed", "failure", "2026-11-24T08:00:00Z", None, steps),)
    made_of = Revision("0a1b2c3", "A change", "2026-11-24T07:00:00Z")
    whole = RUN._replace(
        jobs=jobs,
        reason="no such image",
        conclusion="failure",
        revision="0a1b",
        made_of=made_of,
        last_words=LastWords("clawdinator-2", ("no model", "exited")),
    )
    control.answers({"ok": True, "run": json_output.run(whole)})

    assert await api.run(7) == whole
    assert control.asked == [
        {"action": "run", "run_id": 7, "revisions": True, "last_words": True, "operations": True}
    ]


async def test_the_history_is_read_a_page_at_a_time(control: Lambda, api: ControlApi) -> None:
    control.history = None
    whole = RUN._replace(jobs=(Job("plan", "completed", "success", None, None, (STEP,)),))
    page = {"page": 3, "pages": 13, "unlooked": 4, "unseen": [7], "why": "GitHub asks to wait"}
    rows = [json_output.run(whole), {"id": "not a run"}]
    control.answers({"ok": True, "runs": rows, "of a newer one": 1, **page})
    control.answers({"ok": True, "runs": []})

    assert await api.history("claw-2", 3) == HistoryPage(
        (whole,), 3, 13, 4, (7,), "GitHub asks to wait"
    )
    assert await api.history(page=10**6) == HistoryPage(())
    assert control.asked == [
        {"action": "history", "target": "claw-2", "page": 3},
        {"action": "history", "target": "", "page": 100},
    ]


@pytest.mark.parametrize("field", [{"page": "x"}, {"runs": 7}, {"unseen": ["a"]}, {"why": None}])
async def test_a_history_that_cant_be_read_is_no_history(
    control: Lambda, api: ControlApi, field: dict[str, object]
) -> None:
    control.history = None
    control.answers({"ok": True, "runs": [], **field})

    with pytest.raises(ControlApiDown, match=r"^The Control API's answer has no valid `"):
        await api.history()


async def test_of_an_api_without_a_history_that_is_said(control: Lambda, api: ControlApi) -> None:
    control.history = None
    control.refuses("bad_request", 400)
    control.refuses("unauthorized", 401)

    with pytest.raises(
        ControlApiDown, match=r"^The Control API is older than this and can't tell the history"
    ):
        await api.history()
    with pytest.raises(ControlApiRefused, match="unauthorized"):
        await api.history()


async def test_runs_are_read_in_the_order_they_come(control: Lambda, api: ControlApi) -> None:
    control.has_runs(run(9), run(8))

    assert await api.runs(limit=2, request_id="discord.demo.5.9", unfinished=True) == (
        run(9),
        run(8),
    )
    assert control.asked == [
        {
            "action": "runs",
            "limit": 2,
            "revisions": True,
            "operations": True,
            "request_id": "discord.demo.5.9",
            "unfinished": True,
        }
    ]


@pytest.mark.parametrize("said", [{"committed": "yesterday"}, "0a1b2c3"])
async def test_a_revision_must_be_one(control: Lambda, api: ControlApi, said: object) -> None:
    made_of = {"commit": "0a1b2c3", **said} if isinstance(said, dict) else said
    control.answers({"ok": True, "run": {**json_output.run(RUN), "made_of": made_of}})
    control.answers({"ok": True, "registry": "{}", "version": "1", "revisions": [made_of]})

    for asked in (lambda: api.run(7), api.registry):
        with pytest.raises(ControlApiDown, match=r"no valid `(run|revisions)`"):
            await asked()


async def test_the_branchs_revisions_come_with_the_registry(
    control: Lambda, api: ControlApi
) -> None:
    one = Revision("0a1b2c3", "A change", "2026-11-24T07:00:00Z")
    control.answers({"ok": True, "registry": "{}", "version": "1", "revisions": [one._asdict()]})

    assert (await api.registry()).revisions == (one,)


async def test_the_registry_comes_word_for_word(control: Lambda, api: ControlApi) -> None:
    text = '{"claw-1": {}, "claw-1": {}}\n'
    control.answers({"ok": True, "registry": text, "version": "abc"})

    assert await api.registry() == RegistryRead(text, "abc")


@pytest.mark.parametrize(
    ("said", "ends"), [(1823331600, 1823331600.0), (None, None), ("soon", None)]
)
async def test_when_githubs_token_ends_comes_with_it(
    control: Lambda, api: ControlApi, said: object, ends: float | None
) -> None:
    control.answers({"ok": True, "registry": "{}", "version": "1", "token_ends": said})

    assert (await api.registry()).token_ends == ends


async def test_a_cancel_names_who_asked(control: Lambda, api: ControlApi) -> None:
    control.answers({"ok": True, "message": "cancelled run 7"})

    assert await api.cancel(7, "discord:8035 sam") == "cancelled run 7"
    assert control.asked == [{"action": "cancel", "run_id": 7, "requested_by": "discord:8035 sam"}]


async def test_a_stop_names_who_asked_and_the_run_that_it_stops(
    control: Lambda, api: ControlApi
) -> None:
    run = {"id": 7, "url": "https://github.example/7", "target": "all", "at": "clawdinator-2"}
    control.answers({"ok": True, "message": "Run 7 was told.", "run": run, "by": "discord:1 al"})

    assert await api.stop("discord:8035 sam") == Stopping(
        7, "https://github.example/7", "Run 7 was told.", "all", "clawdinator-2", "discord:1 al"
    )
    assert control.asked == [{"action": "stop", "requested_by": "discord:8035 sam"}]


@pytest.mark.parametrize("answer", [{"message": "told"}, {"run": {"id": "7"}, "message": "told"}])
async def test_a_stop_of_no_run_is_none(
    control: Lambda, api: ControlApi, answer: dict[str, object]
) -> None:
    control.answers({"ok": True, **answer})

    with pytest.raises(ControlApiDown, match="does not say which run it stops"):
        await api.stop("discord:8035 sam")


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
    control: Lambda, api: ControlApi, code: str, status: int
) -> None:
    control.refuses(code, status)

    with pytest.raises(ControlApiRefused, match=f"{code}, in words") as raised:
        await api.deploy(ENTRY)

    assert (raised.value.code, raised.value.status) == (code, status)
    assert control.actions == ["deploy"]


async def test_when_github_is_busy_it_is_said_for_how_long(
    control: Lambda, api: ControlApi
) -> None:
    control.refuses("github_busy", 429, retry_after=17)

    with pytest.raises(ControlApiRefused) as raised:
        await api.deploy(ENTRY)

    assert raised.value.retry_after == 17.0


@pytest.mark.parametrize("status", [403, 413, 429])
async def test_what_aws_refuses_before_the_function_has_done_nothing(
    control: Lambda, api: ControlApi, status: int
) -> None:
    control.answers({"Message": "No.\nThe canonical request was POST / x-amz…"}, status)

    with pytest.raises(ControlApiDown) as raised:
        await api.deploy(ENTRY)

    assert str(raised.value) == f"AWS refused the call (HTTP {status}): No."
    assert control.actions == ["deploy"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_a_redirect_is_never_followed(control: Lambda, api: ControlApi, status: int) -> None:
    """Another server would get the token, and a deploy that is signed for this one."""
    async with lambdas.serving() as elsewhere:
        elsewhere.answers(TAKEN)
        elsewhere.has_runs(RUN)
        for _ in range(2):
            control.redirects(elsewhere.url, status)

        with pytest.raises(OutcomeUnknown, match=rf"can't be read \(HTTP {status}\)"):
            await api.deploy(ENTRY)

    assert elsewhere.asked == []
    assert control.actions.count("deploy") == 1
