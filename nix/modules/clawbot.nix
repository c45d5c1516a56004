# The bot: hears /fleet and speaks for people, under a user that the agent is not.
{
  config,
  lib,
  ...
}:
let
  inherit (config.clawdinator) entry package;
  facts = builtins.fromJSON (builtins.readFile ../facts.json);

  secrets = [
    "clawdinator-control-token"
    "clawdinator-chat-aws-access-key-id"
    "clawdinator-chat-aws-secret-access-key"
    (entry.clawbotDiscordTokenSecret or entry.discordTokenSecret)
  ]
  ++ lib.optional (entry ? clawbotTelegramTokenSecret || entry ? telegramTokenSecret) (
    entry.clawbotTelegramTokenSecret or entry.telegramTokenSecret
  );
in
{
  options.clawdinator.bot = lib.mkOption {
    type = lib.types.attrsOf lib.types.str;
    default = facts.bot;
    description = "Settings of the bot that are no secrets, CLAWBOT_… by name.";
  };

  config.systemd.services.clawbot = {
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
      TimeoutStopSec = 30;
      ProcSubset = "pid";
      MemoryDenyWriteExecute = true;
    };
  };
}
