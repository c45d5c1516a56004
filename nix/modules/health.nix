# `clawdinator-health`: what the fleet's SSM document runs. A host names its units itself.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.clawdinator) entry instance package;
  # A host that is built from no seed runs no revision.
  revision = toString config.system.configurationRevision;
  # Without a token of its own the bot may serve no chat from here.
  hasBot = entry ? clawbotDiscordTokenSecret || entry ? clawbotTelegramTokenSecret;
  units = [ "clawdinator.service" ] ++ lib.optional hasBot "clawbot.service";
in
{
  environment.systemPackages = [
    (pkgs.writeShellScriptBin "clawdinator-health" ''
      exec ${package}/bin/python -m clawbot.provision.health --instance ${instance} --revision "${revision}" ${toString units}
    '')
  ];
}
