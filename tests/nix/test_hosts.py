"""Each host as Nix evaluates it, for three registries: what the registry and the design say."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from clawbot.deadline import END_WITHIN_SECONDS
from clawbot.in_flight import FINISH_WITHIN_SECONDS
from clawbot.provision import boot
from clawbot.provision.fleet_secret import Readers, needed_by
from clawbot.readiness import AWAY_AFTER_SECONDS
from clawbot.settings import load
from fleet_control.registry import parse
from tests.nix.evaluation import ROOT, evaluate, evaluate_host, needs_nix

PLAIN = json.loads((ROOT / "nix/instances.json").read_text())
TELEGRAM = {
    id_: {**entry, "telegramTokenSecret": f"telegram-token-{id_[-1]}"}
    for id_, entry in PLAIN.items()
}
OWN_APPLICATION = {
    id_: {
        **entry,
        "clawbotDiscordTokenSecret": f"bot-discord-token-{id_[-1]}",
        "clawbotTelegramTokenSecret": f"bot-telegram-token-{id_[-1]}",
    }
    for id_, entry in TELEGRAM.items()
}
AGENTS = {
    id_: {**entry, "agentSecrets": ["model-key", f"app-pem-{id_[-1]}"]}
    for id_, entry in PLAIN.items()
}
OWN_DISCORD = {
    id_: {**entry, "clawbotDiscordTokenSecret": f"bot-discord-token-{id_[-1]}"}
    for id_, entry in TELEGRAM.items()
}
REGISTRIES = {
    "plain": PLAIN, "telegram": TELEGRAM, "own application": OWN_APPLICATION, "agents": AGENTS,
    "own on Discord alone": OWN_DISCORD,
}  # fmt: skip
FIRST = "clawdinator-1"
METADATA = ["169.254.169.254", "fd00:ec2::254"]
AGENT, BOT = "clawdinator", "clawbot"

pytestmark = needs_nix
WITH_BOT = ("own application", "own on Discord alone")
every_host = pytest.mark.parametrize(
    ("registry", "host"), [(name, host) for name in REGISTRIES for host in PLAIN]
)
every_bot = pytest.mark.parametrize(
    ("registry", "host"), [(name, host) for name in WITH_BOT for host in PLAIN]
)


@pytest.fixture(scope="module")
def evaluated() -> dict[tuple[str, str], Any]:
    """What was evaluated already, since that takes its time."""
    return {}


@pytest.fixture
def config(tmp_path: Path, evaluated: dict[tuple[str, str], Any], registry: str, host: str) -> Any:
    if (registry, host) not in evaluated:
        found = evaluate_host(tmp_path, REGISTRIES[registry], host)
        assert found.value is not None, found.complaint
        evaluated[registry, host] = found.value
    return evaluated[registry, host]


def readers(config: Any) -> dict[str, set[str]]:
    """Which of our users may read each file below /run/agenix."""
    members = {
        user: {of["group"], *of.get("extraGroups", [])}
        for user, of in config["users"]["users"].items()
    }
    found = {}
    for name, secret in config["age"]["secrets"].items():
        mode = int(secret["mode"], 8)
        assert mode & 0o007 == 0, name
        by_group = {user for user, groups in members.items() if secret.get("group") in groups}
        found[name] = {secret["owner"]} | (by_group if mode & 0o040 else set())
    return {name: users - {"root"} for name, users in found.items()}


def designed(registry: str, host: str) -> dict[str, set[str]]:
    """The table of the design, "What lies on a host"."""
    entry = REGISTRIES[registry][host]
    found = {
        "clawdinator-control-token": {AGENT, BOT},
        "clawdinator-control-aws-access-key-id": {AGENT},
        "clawdinator-control-aws-secret-access-key": {AGENT},
        "clawdinator-chat-aws-access-key-id": {BOT},
        "clawdinator-chat-aws-secret-access-key": {BOT},
    }
    found |= {name: {AGENT} for name in entry.get("agentSecrets", [])}
    for platform in ("discord", "telegram"):
        own = entry.get(f"clawbot{platform.capitalize()}TokenSecret")
        instances = entry.get(f"{platform}TokenSecret")
        if instances:
            found[instances] = {AGENT}
        if own:
            found[own] = {BOT}
    return found


@every_host
def test_a_host_has_its_own_secrets_for_those_who_may_read_them(
    config: Any, registry: str, host: str
) -> None:
    assert config["hostName"] == REGISTRIES[registry][host]["host"]
    assert readers(config) == designed(registry, host)


@every_host
def test_the_inventory_knows_who_may_read_each(config: Any, registry: str, host: str) -> None:
    users = {Readers.AGENT: {AGENT}, Readers.BOT: {BOT}, Readers.BOTH: {AGENT, BOT}}
    needed = needed_by(parse(json.dumps(REGISTRIES[registry])), host)

    assert {one.on_host: users[one.readers] for one in needed} == readers(config)


@every_host
def test_the_secrets_are_those_of_its_bundle_where_the_boot_side_puts_them(
    config: Any, registry: str, host: str
) -> None:
    bundled = {one.on_host for one in needed_by(parse(json.dumps(REGISTRIES[registry])), host)}
    folder = f"/{boot.SECRETS_FOLDER}"

    assert set(config["age"]["secrets"]) == bundled
    assert {one["file"] for one in config["age"]["secrets"].values()} == {
        f"{folder}/{name}.age" for name in bundled
    }
    assert config["age"]["identityPaths"] == [f"{folder}/{boot.IDENTITY}"]


@every_host
def test_no_host_sees_the_token_of_another(config: Any, registry: str, host: str) -> None:
    for other, entry in REGISTRIES[registry].items():
        if other != host:
            secrets = {secret for field, secret in entry.items() if field.endswith("TokenSecret")}
            own = REGISTRIES[registry][host].get("agentSecrets", [])
            for secret in secrets | {*entry.get("agentSecrets", [])} - {*own}:
                assert secret not in json.dumps(config)


@every_bot
def test_the_bot_gets_its_secrets_as_credentials_and_nothing_else(
    config: Any, registry: str, host: str, tmp_path: Path
) -> None:
    service = config["systemd"]["services"]["clawbot"]["serviceConfig"]
    credentials = dict(one.split(":", 1) for one in service["LoadCredential"])

    assert all(path == f"/run/agenix/{name}" for name, path in credentials.items())
    # What the bot's own settings find where systemd puts them.
    registry_file = tmp_path / "registry.json"
    registry_file.write_text(json.dumps(REGISTRIES[registry]))
    for name in credentials:
        (tmp_path / name).write_text(name)
    settings = load(
        {
            "CLAWBOT_INSTANCE": host,
            "CLAWBOT_REGION": "eu-central-1",
            "CLAWBOT_CONTROL_API_URL": "https://control.test/",
            "CLAWBOT_REGISTRY_FILE": str(registry_file),
            "CREDENTIALS_DIRECTORY": str(tmp_path),
        },
        tmp_path,
    )
    found = [one.get_secret_value() for _, one in settings if isinstance(one, SecretStr)]
    assert sorted(found) == sorted(credentials)
    assert all(BOT in readers(config)[name] for name in credentials)


@every_bot
def test_agent_and_bot_are_users_of_their_own_that_reach_no_metadata(
    config: Any, registry: str, host: str
) -> None:
    services, users = config["systemd"]["services"], config["users"]["users"]

    assert config["nix"]["settings"]["allowed-users"] == ["root"]
    for name in (AGENT, BOT):
        unit = services[name]["serviceConfig"]
        assert unit["User"] == name
        assert unit["IPAddressDeny"] == METADATA
        assert unit["NoNewPrivileges"] is True
        assert unit["ProtectSystem"] == "strict"
        assert unit["Restart"] == "always"
        assert users[name]["isSystemUser"] is True
        assert users[name]["group"] == name
        assert services[name]["wantedBy"] == ["multi-user.target"]
    assert users[AGENT]["home"] == "/var/lib/clawdinator"
    assert "/var/lib/clawd" not in services[AGENT]["serviceConfig"]["ReadWritePaths"]
    assert services[BOT]["serviceConfig"]["WatchdogSec"] == 60
    patience = services[BOT]["serviceConfig"]["TimeoutStartSec"]
    # Long enough to find a platform away; a start with a bad token is a login at Discord, of a
    # thousand a day.
    assert patience > 10 * AWAY_AFTER_SECONDS
    assert 24 * 3600 / patience < 200
    rules = config["networking"]["nftables"]["tables"]["instance-metadata"]["content"]
    for address, family in zip(METADATA, ("ip", "ip6"), strict=True):
        assert f"{family} daddr {address} meta skuid != root reject" in rules


# Discord resets the token of an application that logs in more often.
LOGINS_A_DAY = 1000


@every_bot
def test_a_bot_that_fails_again_and_again_is_started_ever_more_slowly(
    config: Any, registry: str, host: str
) -> None:
    unit = config["systemd"]["services"][BOT]
    first, steps, longest = (
        unit["serviceConfig"][name] for name in ("RestartSec", "RestartSteps", "RestartMaxDelaySec")
    )

    assert (first, steps, longest) == (5, 6, 300)
    assert steps + 24 * 3600 / longest < LOGINS_A_DAY / 3
    # No limit of starts, after which it would stay down.
    assert unit["startLimitIntervalSec"] == 0


@every_bot
def test_a_stop_ends_by_itself_well_before_systemd_would_kill_it(
    config: Any, registry: str, host: str
) -> None:
    killed_after = config["systemd"]["services"][BOT]["serviceConfig"]["TimeoutStopSec"]

    assert (killed_after, END_WITHIN_SECONDS, FINISH_WITHIN_SECONDS) == (90, 45, 30)
    assert FINISH_WITHIN_SECONDS < END_WITHIN_SECONDS <= killed_after / 2


@every_host
def test_the_agent_comes_after_what_it_was_bootstrapped_from(
    config: Any, registry: str, host: str
) -> None:
    services = config["systemd"]["services"]
    fetching = {"clawdinator-bootstrap": "secrets", "clawdinator-repo-seed": "repository"}
    for name, part in fetching.items():
        assert f"{name}.service" in services[AGENT]["after"]
        assert f"{name}.service" in services[AGENT]["wants"]
        assert services[name]["restartIfChanged"] is False
        program = services[name]["serviceConfig"]["ExecStart"]
        bucket = json.loads((ROOT / "nix/facts.json").read_text())["bootstrapBucket"]
        assert program.endswith(f"python -m clawbot.provision.boot {part} --bucket {bucket}")
        assert services[name]["serviceConfig"]["Type"] == "oneshot"


@every_host
def test_who_comes_after_the_network_wants_it(config: Any, registry: str, host: str) -> None:
    """NixOS says so of every other at each evaluation."""
    network = "network-online.target"

    for name, unit in config["systemd"]["services"].items():
        assert network not in unit["after"] or network in unit["wants"], name


@every_host
def test_a_host_has_the_memory_to_build_itself(config: Any, registry: str, host: str) -> None:
    assert config["swapDevices"] == [{"device": "/var/swapfile", "size": 4096}]


@every_host
def test_a_host_has_the_programs_of_its_boot(config: Any, registry: str, host: str) -> None:
    programs = [one.split(" ", 1) for one in config["environment"]["systemPackages"] if " " in one]
    texts = {Path(path).name: text for path, text in programs}
    bucket = json.loads((ROOT / "nix/facts.json").read_text())["bootstrapBucket"]

    assert texts["clawdinator-boot"] == (
        f'exec /nix/store/clawbot/bin/python -m clawbot.provision.boot "$@" --bucket {bucket}\n'
    )
    assert "clawdinator-boot secrets --refresh" in texts["clawdinator-refresh-secrets"]


@every_host
def test_a_host_answers_for_the_units_that_it_must_have(
    config: Any, registry: str, host: str
) -> None:
    """The bot's only where it has a token of its own: elsewhere there is none."""
    programs = [one.split(" ", 1) for one in config["environment"]["systemPackages"] if " " in one]
    texts = {Path(path).name: text for path, text in programs}
    bot = " clawbot.service" if registry in WITH_BOT else ""

    said = texts["clawdinator-health"]
    assert said.startswith(
        f"exec /nix/store/clawbot/bin/python -m clawbot.provision.health --instance {host} "
    )
    assert said.endswith(f" clawdinator.service{bot}\n")


def test_the_agents_own_health_command_runs_as_the_agent_does_and_only_when_asked(
    tmp_path: Path,
) -> None:
    found = evaluate_host(tmp_path, TELEGRAM, FIRST, health_command="/bin/agent health")

    assert found.value is not None, found.complaint
    services = found.value["systemd"]["services"]
    agent, check = services[AGENT], services["clawdinator-agent-health"]
    assert check["environment"] == agent["environment"]
    assert "CLAWDINATOR_TELEGRAM_TOKEN_FILE" in check["environment"]
    assert check["path"] == agent["path"]
    assert "wantedBy" not in check
    kept = {name: how for name, how in agent["serviceConfig"].items() if "Restart" not in name}
    own = {"Type": "oneshot", "ExecStart": "/bin/agent health", "TimeoutStartSec": 5}
    assert check["serviceConfig"] == {**kept, **own}
    assert kept["User"] == AGENT
    said = next(one for one in found.value["environment"]["systemPackages"] if "-health " in one)
    assert said.endswith(
        '--revision "" --asking clawdinator-agent-health.service clawdinator.service\n'
    )


@every_host
def test_without_one_nothing_is_asked_of_the_agent(config: Any, registry: str, host: str) -> None:
    assert "clawdinator-agent-health" not in config["systemd"]["services"]
    assert not any("--asking" in one for one in config["environment"]["systemPackages"])


@every_host
def test_nothing_listens_and_people_come_in_through_ssm(
    config: Any, registry: str, host: str
) -> None:
    assert config["networking"]["firewall"] == {"enable": True, "allowedTCPPorts": []}
    assert config["services"]["openssh"]["enable"] is False
    assert config["services"]["amazon-ssm-agent"]["enable"] is True
    # ssm-user may sudo, by the module of nixpkgs; the wheel is empty, and no unit of ours could.
    assert config["security"]["sudo"] == {"enable": True}
    assert not any("wheel" in user["extraGroups"] for user in config["users"]["users"].values())


@every_host
def test_a_host_without_a_token_of_the_bot_s_own_has_no_bot_and_says_what_to_add(
    config: Any, registry: str, host: str
) -> None:
    said = [
        f"nix/instances.json: `{host}` names no token of the bot's own, so no bot serves /fleet "
        "from its host: add `clawbotDiscordTokenSecret` or `clawbotTelegramTokenSecret` to serve "
        "it there."
    ]

    assert (BOT in config["systemd"]["services"]) == (registry in WITH_BOT)
    assert (config["warnings"] == said) == (registry not in WITH_BOT)


def test_a_bot_that_is_named_no_channel_of_the_fleet_says_which_setting_names_one(
    tmp_path: Path,
) -> None:
    """Only where it has a token; what is named reaches the bot as it stands."""
    channels = {
        "CLAWBOT_DISCORD_FLEET_CHANNEL": "41771983423143940",
        "CLAWBOT_TELEGRAM_FLEET_CHAT": "-1001234567890/5",
    }
    unnamed = {
        setting: f"nix/facts.json: `bot` has no {setting}, so the bot of `{FIRST}` tells nobody "
        "there of agents' deploys, nor that the fleet is not as it should be: name a channel of "
        "the fleet."
        for setting in channels
    }
    discord, telegram = channels
    for registry, bot, said in (
        (OWN_APPLICATION, {}, list(unnamed.values())),
        (OWN_APPLICATION, {discord: channels[discord]}, [unnamed[telegram]]),
        (OWN_APPLICATION, channels | {"CLAWBOT_LOG": "json"}, []),
        (OWN_DISCORD, {}, [unnamed[discord]]),
        (OWN_DISCORD, channels, []),
    ):
        found = evaluate_host(tmp_path, registry, FIRST, bot=json.dumps(bot))

        assert found.value is not None, found.complaint
        assert found.value["warnings"] == said
        assert found.value["systemd"]["services"]["clawbot"]["environment"] == bot


def test_the_four_fields_alone_are_a_registry() -> None:
    four = ["host", "instanceType", "bootstrapPrefix", "discordTokenSecret"]

    assert [list(entry) for entry in PLAIN.values()] == [four, four]


def test_configurations_are_keyed_by_host_and_not_by_id(tmp_path: Path) -> None:
    registry = {"first": {**PLAIN["clawdinator-1"]}, "second": PLAIN["clawdinator-2"]}

    assert evaluate_host(tmp_path, registry).value == [FIRST, "clawdinator-2"]


def test_what_is_null_is_left_out_for_nix_too(tmp_path: Path) -> None:
    null = dict.fromkeys(
        ("telegramTokenSecret", "clawbotDiscordTokenSecret", "discordUserId", "agentSecrets")
    )
    registry = {**PLAIN, FIRST: {**PLAIN[FIRST], **null}}
    found = evaluate_host(tmp_path, registry, FIRST)

    assert parse(json.dumps(registry)) == parse(json.dumps(PLAIN))
    assert found.value is not None, found.complaint
    assert found.value == evaluate_host(tmp_path, PLAIN, FIRST).value


@pytest.mark.parametrize(
    ("host", "registry", "sentence"),
    [
        (FIRST, {"clawdinator-2": PLAIN["clawdinator-2"], "other": PLAIN["clawdinator-1"]},
         "has no entry `clawdinator-1`: add it with `clawbot instance add clawdinator-1`"),
        ("claws", {**PLAIN, FIRST: {**PLAIN[FIRST], "host": "claws"}},
         "is not there or not tracked by git, beyond which a flake sees nothing: "
         "`git add nix/hosts/claws.nix` if it is there; `clawbot instance add` writes both."),
    ],
)  # fmt: skip
def test_a_registry_without_its_host_files_stops_the_evaluation_with_what_to_do(
    tmp_path: Path, host: str, registry: object, sentence: str
) -> None:
    found = evaluate_host(tmp_path, registry, host)

    assert found.value is None
    assert sentence in found.complaint


def test_a_host_file_that_names_another_instance_is_told(tmp_path: Path) -> None:
    evaluate_host(tmp_path, PLAIN)
    (tmp_path / "hosts" / f"{FIRST}.nix").write_text(
        (tmp_path / "hosts" / "clawdinator-2.nix").read_text()
    )

    found = evaluate_host(tmp_path, PLAIN, FIRST)

    assert found.value is None
    assert (
        "nix/hosts/clawdinator-1.nix says that it is `clawdinator-2`, whose host is clawdinator-2:"
        " correct `clawdinator.instance` there." in found.complaint
    )


def test_a_host_without_an_agent_to_run_is_not_built(tmp_path: Path) -> None:
    assert json.loads((ROOT / "nix/facts.json").read_text())["agentCommand"] == ""

    found = evaluate_host(tmp_path, PLAIN, FIRST, command="")

    assert found.value is None
    assert "nix/facts.json: `agentCommand` is not filled in: write there" in found.complaint


def test_the_flake_makes_a_configuration_of_each_and_an_image_that_is_given_them(
    tmp_path: Path,
) -> None:
    inputs = """rec {
      nixpkgs = {
        outPath = "/nix/store/nixpkgs";
        lib.nixosSystem = { modules, ... }: {
          config.system.build.images.amazon = builtins.elemAt modules 2;
          config.system.build.toplevel =
            baseNameOf (builtins.head (builtins.head (builtins.elemAt modules 2).imports).imports);
        };
      };
      agenix.nixosModules.default = "agenix";
    }"""
    flake = f"(import {ROOT / 'flake.nix'}).outputs ({inputs})"
    shown = (
        f"let it = {flake}; in {{ hosts = builtins.attrNames it.nixosConfigurations;"
        " image = with it.packages.x86_64-linux.image;"
        " { module = baseNameOf (builtins.head imports); given = clawdinator.hosts; }; }"
    )

    found = evaluate(tmp_path, "--eval", "--strict", "--json", "-E", shown)

    given = {entry["host"]: f"{entry['host']}.nix" for entry in PLAIN.values()}
    image = {"module": "image.nix", "given": given}
    assert found.value == {"hosts": sorted(PLAIN), "image": image}, found.complaint


def test_a_fleets_own_modules_and_overlays_come_from_one_file(tmp_path: Path) -> None:
    for name in ("flake.nix", "nix"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    own = tmp_path / "nix/own.nix"
    assert "modules = [ ];" in own.read_text()
    own.write_text('inputs: { modules = [ inputs.agent ]; overlays = [ "overlay" ]; }')
    inputs = """{
      agent = "agent";
      nixpkgs = {
        outPath = "/nix/store/nixpkgs";
        lib.nixosSystem = { modules, ... }: {
          overlays = (builtins.elemAt modules 3).nixpkgs.overlays;
          own = builtins.tail (builtins.elemAt modules 2).imports;
          config.system.build.toplevel = "/nix/store/toplevel";
          config.system.build.images.amazon = (builtins.elemAt modules 3).nixpkgs.overlays;
        };
      };
      agenix.nixosModules.default = "agenix";
    }"""
    shown = (
        f"let it = (import {tmp_path / 'flake.nix'}).outputs ({inputs}); in {{"
        ' host = removeAttrs it.nixosConfigurations.clawdinator-1 [ "config" ];'
        " image = it.packages.x86_64-linux.image;"
        " exported = builtins.mapAttrs (_: file: builtins.pathExists file) it.nixosModules; }"
    )

    found = evaluate(tmp_path, "--eval", "--strict", "--json", "-E", shown)

    assert found.value == {
        "host": {"own": ["agent"], "overlays": ["overlay"]},
        "image": ["overlay"],
        "exported": {"host": True, "image": True, "machine": True},
    }, found.complaint


def test_the_package_parses(tmp_path: Path) -> None:
    shown = f"builtins.functionArgs (import {ROOT / 'nix/package.nix'})"

    assert evaluate(tmp_path, "--eval", "--strict", "--json", "-E", shown).value == {
        "lib": False,
        "python3": False,
    }
