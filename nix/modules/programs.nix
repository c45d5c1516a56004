# What the agent and the bot have in common: each is a user of its own, once the bundle is there.
{ config, lib, ... }:
let
  each = what: {
    clawdinator = what "clawdinator";
    clawbot = what "clawbot";
  };
  unit = name: rec {
    wantedBy = [ "multi-user.target" ];
    wants = [
      "network-online.target"
      "clawdinator-bootstrap.service"
      "clawdinator-repo-seed.service"
    ];
    after = wants;
    serviceConfig = import ./hardening.nix // {
      User = name;
      Group = name;
      Restart = "always";
      RestartSec = 5;
      CapabilityBoundingSet = "";
      # Refused, not killed: an agent's own programs may well try.
      SystemCallErrorNumber = "EPERM";
      UMask = "0077";
      IPAddressDeny = [
        "169.254.169.254"
        "fd00:ec2::254"
      ];
    };
  };
  # A host whose bot has no token has no unit of it.
  absent = lib.optional (config.clawdinator.botTokens == [ ]) "clawbot";
in
{
  users.groups = each (_: { });
  users.users = each (name: {
    isSystemUser = true;
    group = name;
    extraGroups = [ "clawdinator-control" ];
  });

  systemd.services = removeAttrs (each unit) absent;
}
