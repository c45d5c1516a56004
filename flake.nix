{
  description = "A NixOS configuration for every entry of nix/instances.json, and the image they boot from.";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    agenix.url = "github:ryantm/agenix";
    agenix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    { nixpkgs, agenix, ... }:
    let
      system = "x86_64-linux";
      configuration =
        module:
        nixpkgs.lib.nixosSystem {
          inherit system;
          modules = [
            agenix.nixosModules.default
            "${nixpkgs}/nixos/modules/virtualisation/amazon-image.nix"
            module
          ];
        };
    in
    {
      nixosConfigurations = builtins.mapAttrs (_: configuration) (import ./nix/fleet.nix { });

      # Knows no instance: user data says at boot which one it becomes.
      packages.${system}.image = (configuration ./nix/modules/machine.nix).config.system.build.images.amazon;
    };
}
