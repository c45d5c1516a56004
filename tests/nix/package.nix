# The package, of a nixpkgs that has these versions by name.
{ versions }:
let
  package = name: version: {
    inherit name version;
    override = changes: package name version // changes;
  };
  packages = builtins.mapAttrs package (builtins.fromJSON versions) // {
    buildPythonPackage = parts: parts;
    hatchling = "hatchling";
  };
  built = builtins.head (
    import ../../nix/package.nix {
      lib.fileset = {
        toSource = source: source;
        unions = files: files;
      };
      python3.withPackages = choose: choose packages;
    }
  );
in
map (one: removeAttrs one [ "override" ]) built.dependencies
