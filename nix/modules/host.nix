# A machine that is an instance of the registry.
{ config, lib, ... }:
let
  inherit (config.clawdinator) builtAs instance registryFile;
  registry = import ../registry.nix registryFile;
  named =
    registry.${instance}
      or (throw "nix/instances.json has no entry `${instance}`: add it with `clawbot instance add ${instance}`, or correct `clawdinator.instance` in its host file.");
in
{
  imports = [
    ./machine.nix
    ./secrets.nix
    ./programs.nix
    ./clawdinator.nix
    ./clawbot.nix
    ./health.nix
  ];

  options.clawdinator = {
    instance = lib.mkOption {
      type = lib.types.str;
      description = "Which instance this host is.";
    };
    builtAs = lib.mkOption {
      type = lib.types.str;
      description = "The host whose file this is.";
    };
    registryFile = lib.mkOption {
      type = lib.types.path;
      default = ../instances.json;
      description = "The registry.";
    };
    entry = lib.mkOption {
      type = lib.types.attrsOf (lib.types.either lib.types.str (lib.types.listOf lib.types.str));
      readOnly = true;
      default =
        if named.host == builtAs then
          named
        else
          throw "nix/hosts/${builtAs}.nix says that it is `${instance}`, whose host is ${named.host}: correct `clawdinator.instance` there.";
      description = "What the registry says of it.";
    };
  };

  config.networking.hostName = config.clawdinator.entry.host;
}
