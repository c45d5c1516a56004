# What the agent and the bot have in common: each is a user of its own, once the bundle is there.
let
  each = what: {
    clawdinator = what "clawdinator";
    clawbot = what "clawbot";
  };
in
{
  users.groups = each (_: { });
  users.users = each (name: {
    isSystemUser = true;
    group = name;
    extraGroups = [ "clawdinator-control" ];
  });

  systemd.services = each (name: rec {
    wantedBy = [ "multi-user.target" ];
    wants = [
      "network-online.target"
      "clawdinator-bootstrap.service"
      "clawdinator-repo-seed.service"
    ];
    after = wants;
    serviceConfig = {
      User = name;
      Group = name;
      Restart = "always";
      RestartSec = 5;
      NoNewPrivileges = true;
      ProtectSystem = "strict";
      ProtectHome = true;
      PrivateTmp = true;
      ProtectKernelTunables = true;
      ProtectKernelModules = true;
      ProtectControlGroups = true;
      ProtectProc = "invisible";

      AmbientCapabilities = "";
      CapabilityBoundingSet = "";
      PrivateDevices = true;
      ProtectClock = true;
      ProtectHostname = true;
      ProtectKernelLogs = true;
      LockPersonality = true;
      RestrictNamespaces = true;
      RestrictRealtime = true;
      RestrictSUIDSGID = true;
      SystemCallArchitectures = "native";
      SystemCallFilter = [
        "@system-service"
        "~@privileged"
      ];
      # Refused, not killed: an agent's own programs may well try.
      SystemCallErrorNumber = "EPERM";
      UMask = "0077";

      IPAddressDeny = [
        "169.254.169.254"
        "fd00:ec2::254"
      ];
    };
  });
}
