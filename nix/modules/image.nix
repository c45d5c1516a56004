# What hosts are created from: a machine that is nobody yet, with every host's system of its
# revision on its disk. User data says at boot which one it becomes.
#
# Evaluated in the tests, never built there: that wants KVM and the whole of nixpkgs.
{
  config,
  lib,
  pkgs,
  ...
}:
let
  inherit (config.clawdinator) agentCommand hosts seed;
  why =
    if agentCommand == "" then
      "nix/facts.json: `agentCommand` is not filled in, so this image holds no host's system."
    else if seed.revision == null || seed.contentSha256 == null then
      "This is no seed's folder (REVISION, SEED_SHA256), so this image holds no host's system."
    else
      null;
  held = seed // {
    inherit why;
    systems = if why == null then hosts else { };
  };
in
{
  imports = [ ./machine.nix ];

  options.clawdinator.hosts = lib.mkOption {
    type = lib.types.attrsOf lib.types.package;
    description = "The system of each host, by host name.";
  };
  options.clawdinator.agentCommand = lib.mkOption {
    type = lib.types.str;
    default = (builtins.fromJSON (builtins.readFile ../facts.json)).agentCommand or "";
    description = "What starts the agent; where nothing does, no host's system can be built.";
  };

  config = {
    # It names the systems, and so they are in the image. Outside /etc, whose files go at the switch
    # to a host's own system.
    systemd.tmpfiles.rules = [
      "C /var/lib/clawd/image.json 0644 root root - ${
        pkgs.writeText "image.json" (builtins.toJSON held)
      }"
    ];
    warnings = lib.optional (why != null) why;

    image.modules.amazon = {
      # Hosts' systems have most of their files in common; nixpkgs' 4 GiB would leave little room.
      virtualisation.diskSize = 8192;
      # The machine that copies them there has 1 GiB by default, and nixpkgs no option for it.
      nixpkgs.overlays = [
        (_: before: {
          vmTools = before.vmTools // {
            runInLinuxVM =
              drv: before.vmTools.runInLinuxVM (drv.overrideAttrs (_: { memSize = 4096; }));
          };
        })
      ];
    };
  };
}
