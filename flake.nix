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
    rec {
      nixosConfigurations = builtins.mapAttrs (_: configuration) (import ./nix/fleet.nix { });

      packages.${system}.image =
        (configuration {
          imports = [ ./nix/modules/image.nix ];
          clawdinator.hosts = builtins.mapAttrs (
            _: host: host.config.system.build.toplevel
          ) nixosConfigurations;
        }).config.system.build.images.amazon;
    };
}
