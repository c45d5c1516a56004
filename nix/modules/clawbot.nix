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
    description = "Settings of the bot that are no secrets, CLAWBOT_… by name.";
  };

  config.warnings = lib.optional (botTokens == [ ])
    "nix/instances.json: `${instance}` names no token of the bot's own, so no bot serves /fleet from its host: add `clawbotDiscordTokenSecret` or `clawbotTelegramTokenSecret` to serve it there.";

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
