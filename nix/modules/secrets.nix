# What lies below /run/agenix, and who may read it.
{ config, lib, ... }:
let
  inherit (config.clawdinator) botTokens entry;
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
    ++ [ (agent entry.discordTokenSecret) ]
    ++ lib.optional (entry ? telegramTokenSecret) (agent entry.telegramTokenSecret)
    ++ map bot botTokens
    ++ map agent (entry.agentSecrets or [ ])
  );

  # Those who may call the Control API at all.
  users.groups.clawdinator-control = { };
}
