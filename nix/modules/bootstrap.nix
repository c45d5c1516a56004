# What a machine fetches before it is anybody, and how it becomes a host: `clawdinator-boot`.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  hardening = import ./hardening.nix;
  facts = builtins.fromJSON (builtins.readFile ../facts.json);
  program = "${config.clawdinator.package}/bin/python -m clawbot.provision.boot";
  bucket = "--bucket ${config.clawdinator.bootstrapBucket}";

  # User data starts them; a host's own services want them at later boots.
  fetch = part: description: {
    inherit description;
    after = [ "network-online.target" ];
    wants = [ "network-online.target" ];
    # Killed anywhere, it goes on where it was; killed by a switch, it would do so in vain.
    restartIfChanged = false;
    startLimitIntervalSec = 0;
    serviceConfig = hardening // {
      Type = "oneshot";
      RemainAfterExit = true;
      Restart = "on-failure";
      # Whoever started it goes on waiting.
      RestartMode = "direct";
      RestartSec = 15;
      ExecStart = "${program} ${part} ${bucket}";
      ReadWritePaths = [ "/var/lib" ];
      UMask = "0022";
      ProcSubset = "pid";
      MemoryDenyWriteExecute = true;
      # Root's, with what it takes to own the folders above what it writes.
      CapabilityBoundingSet = [
        "CAP_CHOWN"
        "CAP_DAC_OVERRIDE"
        "CAP_FOWNER"
      ];
      SystemCallFilter = hardening.SystemCallFilter ++ [ "@chown" ];
    };
  };
in
{
  options.clawdinator.bootstrapBucket = lib.mkOption {
    type = lib.types.str;
    default = facts.bootstrapBucket;
    description = "Where each instance's bundle lies, and every seed.";
  };

  config.environment.systemPackages = [
    (pkgs.writeShellScriptBin "clawdinator-boot" ''
      exec ${program} "$@" ${bucket}
    '')
    (pkgs.writeShellScriptBin "clawdinator-refresh-secrets" (builtins.readFile ./refresh-secrets.sh))
  ];
  config.systemd.services.clawdinator-bootstrap = fetch "secrets" "Fetch this instance's secrets";
  config.systemd.services.clawdinator-repo-seed = fetch "repository" "Fetch the repository this host is built from";
}
