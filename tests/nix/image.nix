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
    image
    swapDevices
    system
    warnings
    ;
  inherit (config.systemd.tmpfiles) rules;
  ofHosts = builtins.attrNames config.systemd.services;
}
