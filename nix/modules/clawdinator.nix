# The agent: a program that thinks for itself, under a user of its own.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.clawdinator)
    agent
    command
    entry
    package
    ;
  facts = builtins.fromJSON (builtins.readFile ../facts.json);
  home = "/var/lib/clawdinator";
  # As agents want it: a folder named as the skill, whose real path stays inside.
  skill = pkgs.runCommand "fleet-control-skill" { } ''
    install -D -m 0644 ${../../skills/fleet_control/SKILL.md} $out/SKILL.md
    install -D -m 0755 ${../../skills/fleet_control/scripts/fleet-control.sh} $out/scripts/fleet-control.sh
  '';
in
{
  options.clawdinator.command = lib.mkOption {
    type = lib.types.str;
    default =
      if facts.agentCommand or "" != "" then
        facts.agentCommand
      else
        throw "nix/facts.json: `agentCommand` is not filled in: write there what starts the agent, as in \"/run/current-system/sw/bin/agent serve\".";
    description = "What clawdinator.service runs: the agent itself.";
  };
  options.clawdinator.agent = lib.mkOption {
    type = lib.types.attrsOf lib.types.anything;
    readOnly = true;
    default = {
      path = [
        package
        pkgs.bash
        pkgs.git
      ];
      environment = {
        HOME = home;
        CLAWDINATOR_DISCORD_TOKEN_FILE = "/run/agenix/${entry.discordTokenSecret}";
      }
      // lib.optionalAttrs (entry ? telegramTokenSecret) {
        CLAWDINATOR_TELEGRAM_TOKEN_FILE = "/run/agenix/${entry.telegramTokenSecret}";
      };
    };
    description = "What the agent's own programs find around them.";
  };

  config = {
    users.users.clawdinator = {
      inherit home;
      createHome = true;
    };

    systemd.tmpfiles.rules = [
      "d ${home}/.openclaw 0700 clawdinator clawdinator -"
      "d ${home}/.openclaw/skills 0700 clawdinator clawdinator -"
      "R ${home}/.openclaw/skills/fleet-control - - - -"
      "C ${home}/.openclaw/skills/fleet-control 0755 clawdinator clawdinator - ${skill}"
    ];

    systemd.services.clawdinator = {
      description = "CLAWDINATOR, the agent";
      inherit (agent) environment path;
      serviceConfig = {
        ExecStart = command;
        WorkingDirectory = home;
        ReadWritePaths = [ home ];
        # What Node needs beside the bot: memory that it writes and runs, what it reads of the machine
        # below /proc, and the kernel's word for its networks.
        RestrictAddressFamilies = [ "AF_NETLINK" ];
      };
    };
  };
}
