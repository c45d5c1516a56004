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
      throw "nix/hosts/${entry.host}.nix, which `${id}` of nix/instances.json is built from, is not there or not tracked by git, beyond which a flake sees nothing: `git add nix/hosts/${entry.host}.nix` if it is there; `clawbot instance add` writes both.";
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
