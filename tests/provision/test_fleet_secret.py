"""Every secret of the fleet is one thing, with one kind of readers."""

from typing import Any

import pytest

from clawbot.provision.error import ProvisionError
from clawbot.provision.fleet_secret import Kind, Readers, identity_name, needed_by, secrets
from fleet_control import manifest
from fleet_control.registry import Instance, Registry, is_fleets_own

ONE, TWO = "clawdinator-1", "clawdinator-2"


def registry(**first: Any) -> Registry:
    """Two instances; `first` is what the first has besides, held to no rule."""

    def entry(id_: str, **more: Any) -> Instance:
        return Instance.model_construct(
            host=id_,
            instance_type="t3.large",
            bootstrap_prefix=f"bootstrap/{id_}",
            **{"discord_token_secret": f"{id_}-token", **more},
        )

    return Registry({ONE: entry(ONE, **first), TWO: entry(TWO)})


def test_each_names_its_readers() -> None:
    entry = {"clawbot_discord_token_secret": "bots", "agent_secrets": ("model-key",)}
    found = needed_by(registry(**entry), ONE)

    assert {one.on_host: one.readers for one in found} == {
        "clawdinator-control-token": Readers.BOTH,
        "clawdinator-control-aws-access-key-id": Readers.AGENT,
        "clawdinator-control-aws-secret-access-key": Readers.AGENT,
        "clawdinator-chat-aws-access-key-id": Readers.BOT,
        "clawdinator-chat-aws-secret-access-key": Readers.BOT,
        f"{ONE}-token": Readers.AGENT,
        "bots": Readers.BOT,
        "model-key": Readers.AGENT,
    }
    assert needed_by(registry(), TWO)[-1].readers is Readers.AGENT


@pytest.mark.parametrize("first", [{}, {"telegram_token_secret": "t"}, {
    "clawbot_discord_token_secret": "b", "clawbot_telegram_token_secret": "c"},
    {"agent_secrets": ("k", "pem")}])  # fmt: skip
def test_a_manifest_is_held_to_what_a_bundle_is_made_of(first: dict[str, Any]) -> None:
    fleet = registry(**first)

    assert {one.on_host for one in needed_by(fleet, ONE)} == set(manifest.needed(fleet[ONE]))


def test_every_name_that_the_fleet_uses_itself_is_one_the_registry_refuses() -> None:
    own = [one for one in secrets(registry()) if one.kind is not Kind.TOKEN]

    assert len(own) == 9
    for name in (identity_name(ONE), *(name for one in own for name in (one.name, one.on_host))):
        assert is_fleets_own(name), name


@pytest.mark.parametrize(
    ("first", "said"),
    [
        (
            {"discord_token_secret": f"clawdinator-chat-aws-secret-access-key-{ONE}"},
            f"clawdinator-chat-aws-secret-access-key-{ONE} would be the invoker's key of the bot "
            "(clawdinator-chat-aws-secret-access-key) and the token of the agent",
        ),
        (
            {"discord_token_secret": "clawdinator-chat-aws-access-key-id"},
            f"/run/agenix/clawdinator-chat-aws-access-key-id of {ONE} would be "
            f"clawdinator-chat-aws-access-key-id and clawdinator-chat-aws-access-key-id-{ONE}",
        ),
        (
            {"telegram_token_secret": f"clawdinator-identity-{TWO}"},
            f"clawdinator-identity-{TWO} would be an identity and the token of",
        ),
        (
            {"telegram_token_secret": "clawdinator-control-token"},
            "clawdinator-control-token would be the control token of the agent and the bot",
        ),
        (
            {"agent_secrets": (f"{TWO}-token",)},
            f"{TWO}-token would be the secret of the agent ({TWO}-token) and the token of the "
            "agent",
        ),
        (
            {"clawbot_discord_token_secret": f"{ONE}-token"},
            f"{ONE}-token would be the token of the agent ({ONE}-token) and the token of the bot",
        ),
        (
            {"clawbot_telegram_token_secret": f"{TWO}-token"},
            f"{TWO}-token would be the token of the agent ({TWO}-token) and the token of the bot",
        ),
    ],
)
def test_a_name_that_would_be_two_things_is_refused(first: dict[str, Any], said: str) -> None:
    for ask in (secrets, lambda registry: needed_by(registry, TWO)):
        with pytest.raises(ProvisionError) as refused:
            ask(registry(**first))

        assert any(one.startswith(said) for one in refused.value.problems), refused.value.problems
