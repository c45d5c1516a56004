# What lies below /run/agenix, and who may read it.
{ config, lib, ... }:
let
  inherit (config.clawdinator) entry;
  # Where clawdinator-bootstrap.service puts what it fetched.
  folder = "/var/lib/clawd/nix-age-secrets";

  readBy =
    reader: name:
    {
      ${name} = {
        file = "${folder}/${name}.age";
        mode = "0400";
      }
      // reader;
    };
  agent = readBy { owner = "clawdinator"; };
  bot = readBy { owner = "clawbot"; };
  agentAndBot = readBy {
    owner = "clawdinator";
    group = "clawbot";
    mode = "0440";
  };

  # The bot logs in with the instance's own token where it has no application of its own.
  tokens =
    instances: bots:
    lib.optional (entry ? ${instances}) (
      (if entry ? ${bots} then agent else agentAndBot) entry.${instances}
    )
    ++ lib.optional (entry ? ${bots}) (bot entry.${bots});
in
{
  age.identityPaths = [ "${folder}/instance.agekey" ];
  age.secrets = lib.mkMerge (
    [
      (readBy {
        owner = "root";
        group = "clawdinator-control";
        mode = "0440";
      } "clawdinator-control-token")
      (agent "clawdinator-control-aws-access-key-id")
      (agent "clawdinator-control-aws-secret-access-key")
      (bot "clawdinator-chat-aws-access-key-id")
      (bot "clawdinator-chat-aws-secret-access-key")
    ]
    ++ tokens "discordTokenSecret" "clawbotDiscordTokenSecret"
    ++ tokens "telegramTokenSecret" "clawbotTelegramTokenSecret"
    ++ map agent (entry.agentSecrets or [ ])
  );

  # Those who may call the Control API at all.
  users.groups.clawdinator-control = { };
}
