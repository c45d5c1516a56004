"""Who signed decides who speaks."""

from typing import Any

import pytest

from fleet_control.ledger import Entry
from lambda_fn.failure import Failure
from lambda_fn.settings import FunctionSettings, read_settings
from lambda_fn.signer import (
    Signer,
    SignerRole,
    check_itself,
    check_person,
    read_signer,
    spoken_by,
)
from tests.lambda_fn.events import ACCOUNT, AGENT_1, CHAT_1, FUNCTION_ARN, fleet_key, iam

USER = f"arn:aws:iam::{ACCOUNT}:user"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/Admin/alice@example.com"
ELSEWHERE = "999999999999"


def settings(**environ: str) -> FunctionSettings:
    return read_settings({"CONTROL_API_TOKEN": "c", "GITHUB_TOKEN": "g", **environ})


def seen(iam_: object, function_arn: str = FUNCTION_ARN, **environ: str) -> Signer | str:
    try:
        return read_signer(iam_, function_arn, settings(**environ))
    except Failure as failure:
        return failure.code


def test_an_agents_key_is_its_instances() -> None:
    assert seen(iam(AGENT_1)) == Signer(SignerRole.AGENT, "clawdinator-1")


@pytest.mark.parametrize("bot", ["clawdinator-1", "demo", "Ops_Bot", "b" * 32])
def test_a_chat_key_is_its_bots(bot: str) -> None:
    assert seen(iam(fleet_key("chat", bot))) == Signer(SignerRole.CHAT, bot)


@pytest.mark.parametrize(
    "path",
    [
        "fleet/agent/clawdinator-1/clawdinator-2-agent",
        "fleet/agent/clawdinator-1/clawdinator-1-chat",
        "fleet/agent/clawdinator-1/clawdinator-1",
        "fleet/agent/clawdinator-1/x/clawdinator-1-agent",
        "fleet/agent/clawdinator-1/clawdinator-1-agent\n",
        "fleet/agent/clawdinator-1-agent",
        "fleet/agent/clawdinator-1/",
        "fleet/agent/",
        "fleet/agent",
        "fleet/chat",
        "fleet/agent//-agent",
        "fleet/agent/all/all-agent",
        "fleet/agent/Clawdinator-1/Clawdinator-1-agent",
        "fleet/agent/a--b/a--b-agent",
        f"fleet/agent/{'a' * 33}/{'a' * 33}-agent",
        "fleet/chat/demo/other-chat",
        "fleet/chat/demo/demo-agent",
        "fleet/chat/a.b/a.b-chat",
        f"fleet/chat/{'b' * 33}/{'b' * 33}-chat",
    ],
)
def test_a_path_and_a_name_that_do_not_agree_are_forged(path: str) -> None:
    assert seen(iam(f"{USER}/{path}")) == "forged_caller"


@pytest.mark.parametrize("arn", [AGENT_1, CHAT_1])
def test_a_key_of_another_account_is_forged(arn: str) -> None:
    theirs = arn.replace(ACCOUNT, ELSEWHERE)

    assert seen(iam(theirs, ELSEWHERE)) == "forged_caller"
    assert seen(iam(theirs)) == "forged_caller"
    assert seen(iam(arn, ELSEWHERE)) == "forged_caller"
    assert seen(iam(arn.replace("arn:aws:", "arn:aws-cn:"))) == "forged_caller"
    for function in (
        "",
        FUNCTION_ARN.replace(ACCOUNT, ELSEWHERE),
        f"arn:aws:lambda:x:{ELSEWHERE}:function:{ACCOUNT}",
        f"arn:aws:lambda:x:{ELSEWHERE}:function:a:{ACCOUNT}:",
    ):
        assert seen(iam(arn), function) == "forged_caller"


@pytest.mark.parametrize(
    "arn",
    [
        f"{USER}/sam",
        f"{USER}/fleet/sam",
        f"{USER}/fleet/root/x/x-root",
        f"{USER}/other/fleet/agent/clawdinator-1/clawdinator-1-agent",
        f"arn:aws:iam::{ACCOUNT}:root",
        f"arn:aws:iam::{ACCOUNT}:role/fleet/agent/clawdinator-1/clawdinator-1-agent",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/fleet/agent",
        SESSION,
        f" {AGENT_1}",
        f"{AGENT_1}:more",
        "arn:aws:iam",
        "",
        None,
        7,
        [AGENT_1],
        {"arn": AGENT_1},
        "\ud800",
    ],
)
def test_anybody_else_is_unknown(arn: object) -> None:
    assert seen({**iam(""), "userArn": arn}) == "unknown_caller"


@pytest.mark.parametrize("shape", ["", 0, False, [], "iam", AGENT_1, [AGENT_1], {}, {"user": 1}])
@pytest.mark.parametrize("allowed", ["0", "1"])
def test_a_signer_of_a_wrong_shape_is_not_taken_for_none(shape: Any, allowed: str) -> None:
    assert seen(shape, ALLOW_UNPROVEN_CALLER=allowed) == "unknown_caller"


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        (f"{USER}/staff/bob", "bob"),
        (SESSION, "alice-example-com"),
        (f"{USER}/{'b' * 64}", "b" * 32),
    ],
)
def test_a_listed_principal_is_an_operator(arn: str, name: str) -> None:
    listed = f"{USER}/x {arn}"

    assert seen(iam(arn), CONTROL_API_OPERATORS=listed) == Signer(SignerRole.OPERATOR, name)


def test_a_listed_role_does_not_list_its_sessions() -> None:
    role = SESSION.rpartition("/")[0]

    assert seen(iam(SESSION), CONTROL_API_OPERATORS=role) == "unknown_caller"


def test_a_fleet_key_stays_one_though_it_is_listed() -> None:
    assert seen(iam(AGENT_1), CONTROL_API_OPERATORS=AGENT_1) == Signer(
        SignerRole.AGENT, "clawdinator-1"
    )


@pytest.mark.parametrize("value", ["", "0", "true", "yes"])
def test_only_1_lets_nobody_pass(value: str) -> None:
    assert seen(None, ALLOW_UNPROVEN_CALLER=value) == "unproven_caller"


AGENT = Signer(SignerRole.AGENT, "clawdinator-1")
CHAT = Signer(SignerRole.CHAT, "clawdinator-1")
OPERATOR = Signer(SignerRole.OPERATOR, "alice")
SAM = "discord:1 sam"


@pytest.mark.parametrize(
    ("signer", "entry"),
    [
        (AGENT, Entry("agent.clawdinator-2.c.a")),
        (AGENT, Entry("discord.clawdinator-1.c.a")),
        (AGENT, Entry("operator.clawdinator-1.c.a")),
        (AGENT, Entry("agent.clawdinator-1.c.a", reply="3")),
        (CHAT, Entry("discord.clawdinator-2.c.a", requested_by=SAM)),
        (CHAT, Entry("agent.clawdinator-1.c.a", requested_by=SAM)),
        (CHAT, Entry("operator.clawdinator-1.c.a", requested_by=SAM)),
        (CHAT, Entry("discord.clawdinator-1.c.a", requested_by="operator:alice")),
        (CHAT, Entry("discord.clawdinator-1.c.a", caller="x", requested_by="operator:alice")),
        (OPERATOR, Entry("operator.bob.c.a")),
        (OPERATOR, Entry("discord.alice.c.a")),
    ],
)
def test_nobody_speaks_with_anothers_request_id(signer: Signer, entry: Entry) -> None:
    with pytest.raises(Failure) as failed:
        spoken_by(signer, entry)

    assert failed.value.code == "forged_caller"
    assert str(failed.value).endswith(".")


@pytest.mark.parametrize(
    ("signer", "entry"),
    [
        (AGENT, Entry()),
        (CHAT, Entry(requested_by=SAM)),
        (CHAT, Entry("discord.clawdinator-1.c.a")),
        (OPERATOR, Entry()),
        (OPERATOR, Entry("operator.alice.c.a", caller="clawdinator-1")),
    ],
)
def test_who_asks_must_be_said(signer: Signer, entry: Entry) -> None:
    with pytest.raises(Failure) as failed:
        spoken_by(signer, entry)

    assert failed.value.code == "bad_request"
    assert str(failed.value).endswith(".")


@pytest.mark.parametrize("platform", ["discord", "telegram", "terminal"])
def test_a_chat_key_passes_on_whom_it_heard(platform: str) -> None:
    request_id = f"{platform}.clawdinator-1.c.a"
    for entry in (
        Entry(request_id, "3", "all", requested_by=f"{platform}:1 sam"),
        Entry(request_id, "3", "all", caller="clawdinator-2"),
        Entry(request_id, "3", "all", caller="clawdinator-2", requested_by=f"{platform}:1 b"),
    ):
        assert spoken_by(CHAT, entry) == entry


def test_an_operator_is_named_by_the_key() -> None:
    entry = Entry("operator.alice.c.a", target="all", requested_by=SAM)

    assert spoken_by(OPERATOR, entry) == entry._replace(requested_by="operator:alice")


def test_an_agent_is_no_person() -> None:
    with pytest.raises(Failure, match="agent"):
        check_person(AGENT, SAM)


def test_a_listed_principal_may_be_of_any_account_and_its_name_is_cut() -> None:
    theirs = SESSION.replace(ACCOUNT, ELSEWHERE).replace("alice", "a" * 40)

    assert seen(iam(theirs, ELSEWHERE), CONTROL_API_OPERATORS=theirs) == Signer(
        SignerRole.OPERATOR, "a" * 32
    )


def test_where_callers_are_taken_at_their_word_nobody_is_somebody_who_may_say_anything() -> None:
    unproven = Signer(SignerRole.UNPROVEN)
    entry = Entry("discord.demo.c.a", "3", "all", caller="x", requested_by="operator:alice")

    assert seen(None, ALLOW_UNPROVEN_CALLER="1") == unproven
    assert spoken_by(unproven, entry) == entry


def test_a_function_may_be_called_by_an_alias() -> None:
    assert seen(iam(AGENT_1), f"{FUNCTION_ARN}:live") == Signer(SignerRole.AGENT, "clawdinator-1")


@pytest.mark.parametrize("signer", [OPERATOR, Signer(SignerRole.UNPROVEN)])
def test_whoever_is_no_chat_need_name_no_person(signer: Signer) -> None:
    check_person(signer, "")


@pytest.mark.parametrize(
    ("signer", "bot", "may"),
    [
        (CHAT, "clawdinator-1", True),
        (CHAT, "clawdinator-2", False),
        (CHAT, "", False),
        (AGENT, "clawdinator-1", False),
        (OPERATOR, "alice", False),
        (Signer(SignerRole.UNPROVEN), "clawdinator-2", True),
    ],
)
def test_a_bot_speaks_of_a_channel_in_its_own_name(signer: Signer, bot: str, may: bool) -> None:
    if may:
        check_itself(signer, bot)
        return
    with pytest.raises(Failure) as failed:
        check_itself(signer, bot)
    assert failed.value.code == "forged_caller"
