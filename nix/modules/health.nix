# `clawdinator-health`: what the fleet's SSM document runs. A host names its units itself.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.clawdinator)
    agent
    botTokens
    healthCommand
    instance
    package
    ;
  facts = builtins.fromJSON (builtins.readFile ../facts.json);
  words = [
    "--instance ${instance}"
    # A host that is built from no seed runs no revision.
    "--revision \"${toString config.system.configurationRevision}\""
  ]
  ++ lib.optional (healthCommand != "") "--asking clawdinator-agent-health.service"
  ++ [ "clawdinator.service" ]
  ++ lib.optional (botTokens != [ ]) "clawbot.service";
in
{
  options.clawdinator.healthCommand = lib.mkOption {
    type = lib.types.str;
    default = facts.agentHealthCommand or "";
    description = "The agent's own health command, which fails where it is not well; empty for none.";
  };

  config = {
    environment.systemPackages = [
      (pkgs.writeShellScriptBin "clawdinator-health" ''
        exec ${package}/bin/python -m clawbot.provision.health ${toString words}
      '')
    ];

    systemd.services = lib.optionalAttrs (healthCommand != "") {
      # As the agent is: its user, its folders, its walls.
      clawdinator-agent-health = {
        description = "Is the agent well, by its own word?";
        inherit (agent) environment path;
        startLimitIntervalSec = 0;
        # The same /tmp.
        unitConfig.JoinsNamespaceOf = "clawdinator.service";
        serviceConfig =
          # Not what the agent's own start and end do to its folders.
          removeAttrs config.systemd.services.clawdinator.serviceConfig [
            "ExecReload"
            "ExecStartPost"
            "ExecStartPre"
            "ExecStop"
            "ExecStopPost"
            "NotifyAccess"
            "PIDFile"
            "Restart"
            "RestartSec"
            "RuntimeDirectory"
            "WatchdogSec"
          ]
          // {
            Type = "oneshot";
            ExecStart = healthCommand;
            # Less than `clawdinator-health` waits for it.
            TimeoutStartSec = 5;
          };
      };
    };
  };
}
