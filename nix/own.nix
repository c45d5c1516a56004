# What a fleet has of its own, such as its agent: the only Nix file to write it in. `inputs` are the
# flake's; another flake comes by `builtins.getFlake` with its commit.
inputs: {
  # Of every host, beside ../flake.nix's nixosModules.host.
  modules = [ ];
  # Of every host's nixpkgs, and of the image's.
  overlays = [ ];
}
