# The image's configuration, with systems given in place of built ones.
{
  agentCommand,
}:
let
  config = import ./stub.nix {
    modules = [
      ../../nix/modules/image.nix
      {
        clawdinator = {
          inherit agentCommand;
          hosts = {
            clawdinator-1 = "/nix/store/one";
            clawdinator-2 = "/nix/store/two";
          };
        };
      }
    ];
  };
in
{
  inherit (config)
    swapDevices
    system
    warnings
    ;
  inherit (config.image.modules.amazon.virtualisation) diskSize;
  # What a nixpkgs with the image's overlay builds the disk with, of a machine that has 1 GiB there.
  inherit
    (
      (builtins.head config.image.modules.amazon.nixpkgs.overlays { } {
        vmTools.runInLinuxVM = machine: machine;
      }).vmTools.runInLinuxVM
      { overrideAttrs = change: { memSize = 1024; } // change { }; }
    )
    memSize
    ;
  inherit (config.systemd.tmpfiles) rules;
  ofHosts = builtins.attrNames config.systemd.services;
}
