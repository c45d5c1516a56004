# A module of every entry of the registry, by host name: its host file.
{
  registryFile ? ./instances.json,
  hosts ? ./hosts,
}:
let
  registry = import ./registry.nix registryFile;

  hostFile =
    id: entry:
    let
      file = hosts + "/${entry.host}.nix";
    in
    if builtins.pathExists file then
      file
    else
      throw "nix/hosts/${entry.host}.nix is missing, which `${id}` of nix/instances.json is built from: `clawbot instance add` writes both.";
in
builtins.listToAttrs (
  map (id: rec {
    name = registry.${id}.host;
    value = {
      imports = [ (hostFile id registry.${id}) ];
      clawdinator.builtAs = name;
    };
  }) (builtins.attrNames registry)
)
