# One host's configuration, of a registry that may be another than the repository's.
{
  registry ? toString ../../nix/instances.json,
  hosts ? toString ../../nix/hosts,
  host ? "",
  # Of an agent; empty where it is what nix/facts.json says.
  command ? "/bin/agent",
  healthCommand ? "",
  # Of the bot, as JSON; those that nix/facts.json has where it is empty.
  bot ? "",
}:
let
  registryFile = /. + registry;
  fleet = import ../../nix/fleet.nix {
    inherit registryFile;
    hosts = /. + hosts;
  };
  config = import ./stub.nix {
    modules = [
      fleet.${host}
      {
        clawdinator = {
          inherit healthCommand registryFile;
        }
        // (if command == "" then { } else { inherit command; })
        // (if bot == "" then { } else { bot = builtins.fromJSON bot; });
      }
    ];
  };
in
if host == "" then
  builtins.attrNames fleet
else
  builtins.removeAttrs config [ "clawdinator" ]
  // {
    hostName = config.networking.hostName;
  }
