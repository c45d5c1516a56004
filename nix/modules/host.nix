# A machine that is an instance of the registry.
{ config, lib, ... }:
let
  inherit (config.clawdinator) instance registryFile;
  registry = import ../registry.nix registryFile;
in
{
  imports = [
    ./machine.nix
    ./secrets.nix
    ./clawdinator.nix
    ./clawbot.nix
  ];

  options.clawdinator = {
    instance = lib.mkOption {
      type = lib.types.str;
      description = "Which instance this host is.";
    };
    registryFile = lib.mkOption {
      type = lib.types.path;
      default = ../instances.json;
      description = "The registry.";
    };
    entry = lib.mkOption {
      type = lib.types.attrsOf lib.types.str;
      readOnly = true;
      default =
        registry.${instance}
          or (throw "nix/instances.json has no entry `${instance}`: add it with `clawbot instance add ${instance}`, or correct `clawdinator.instance` in its host file.");
      description = "What the registry says of it.";
    };
  };

  config.networking.hostName = config.clawdinator.entry.host;
}
