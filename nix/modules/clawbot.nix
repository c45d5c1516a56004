# The bot: hears /fleet and speaks for people, under a user that the agent is not.
#
# It has a token of its own or serves no chat: with the agent's, the agent could rewrite what the bot's
# buttons say. Where the registry names none, the host has no such unit.
{
  config,
  lib,
  ...
}:
let
  inherit (config.clawdinator)
    botTokens
    entry
    instance
    package
    ;
  facts = builtins.fromJSON (builtins.readFile ../facts.json);
  fields = [
    "clawbotDiscordTokenSecret"
    "clawbotTelegramTokenSecret"
  ];
  # The setting that names the fleet's channel, where the bot logs in with that.
  fleetChannels = {
    clawbotDiscordTokenSecret = "CLAWBOT_DISCORD_FLEET_CHANNEL";
    clawbotTelegramTokenSecret = "CLAWBOT_TELEGRAM_FLEET_CHAT";
  };
  unnamed = map (field: fleetChannels.${field}) (
    builtins.filter (
      field: entry ? ${field} && !(config.clawdinator.bot ? ${fleetChannels.${field}})
    ) fields
  );
  secrets = [
    "clawdinator-control-token"
    "clawdinator-chat-aws-access-key-id"
    "clawdinator-chat-aws-secret-access-key"
  ]
  ++ botTokens;
in
{
  options.clawdinator.botTokens = lib.mkOption {
    type = lib.types.listOf lib.types.str;
    readOnly = true;
    default = map (field: entry.${field}) (builtins.filter (field: entry ? ${field}) fields);
    description = "The secrets that the bot logs in with, by name.";
  };
  options.clawdinator.bot = lib.mkOption {
    type = lib.types.attrsOf lib.types.str;
    default = facts.bot;
    description = "Settings of the bot that are no secrets, CLAWBOT_… by name, the same on every host: who may deploy, where it answers, CLAWBOT_DISCORD_FLEET_CHANNEL and CLAWBOT_TELEGRAM_FLEET_CHAT, which are told of the fleet unasked, CLAWBOT_DISCORD_FLEET_CALLS and CLAWBOT_TELEGRAM_FLEET_CALLS, who is called there, and CLAWBOT_LOG.";
  };

  config.warnings =
    lib.optional (botTokens == [ ])
      "nix/instances.json: `${instance}` names no token of the bot's own, so no bot serves /fleet from its host: add `clawbotDiscordTokenSecret` or `clawbotTelegramTokenSecret` to serve it there."
    ++ map (
      setting:
      "nix/facts.json: `bot` has no ${setting}, so the bot of `${instance}` tells nobody there of agents' deploys, nor that the fleet is not as it should be: name a channel of the fleet."
    ) unnamed;

  config.systemd.services = lib.optionalAttrs (botTokens != [ ]) {
    clawbot = {
      description = "clawbot: /fleet in the chat";
      # It waits as long as it takes for a platform, or a Control API, that is away.
      startLimitIntervalSec = 0;
      environment = config.clawdinator.bot;
      serviceConfig = {
        Type = "notify";
        ExecStart = "${package}/bin/clawbot run";
        LoadCredential = map (name: "${name}:/run/agenix/${name}") secrets;
        # Until a platform that is not heard from counts as away, and what comes before (a switch waits).
        TimeoutStartSec = 600;
        WatchdogSec = 60;
        # The program ends by itself in half of that: clawbot/deadline.py.
        TimeoutStopSec = 90;
        # 5 s after its first end, 300 s from the seventh on. systemd counts from the unit's last start
        # by hand or by a switch, however long it ran in between. So it starts, and logs in, some 290
        # times a day at most: at a thousand Discord resets the token.
        RestartSteps = 6;
        RestartMaxDelaySec = 300;
        ProcSubset = "pid";
        MemoryDenyWriteExecute = true;
      };
    };
  };
}
