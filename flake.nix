{
  description = "A NixOS configuration for every entry of nix/instances.json, and the image they boot from.";

  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-26.05";
    agenix.url = "github:ryantm/agenix";
    agenix.inputs.nixpkgs.follows = "nixpkgs";
  };

  outputs =
    { nixpkgs, agenix, ... }@inputs:
    let
      system = "x86_64-linux";
      own = import ./nix/own.nix inputs;
      configuration =
        module:
        nixpkgs.lib.nixosSystem {
          inherit system;
          modules = [
            agenix.nixosModules.default
            "${nixpkgs}/nixos/modules/virtualisation/amazon-image.nix"
            module
            { nixpkgs.overlays = own.overlays; }
          ];
        };
      host = module: configuration { imports = [ module ] ++ own.modules; };
    in
    rec {
      # For a flake of somebody else's; each wants agenix's module beside it.
      nixosModules = {
        host = ./nix/modules/host.nix;
        image = ./nix/modules/image.nix;
        machine = ./nix/modules/machine.nix;
      };

      nixosConfigurations = builtins.mapAttrs (_: host) (import ./nix/fleet.nix { });

      packages.${system}.image =
        (configuration {
          imports = [ ./nix/modules/image.nix ];
          clawdinator.hosts = builtins.mapAttrs (
            _: host: host.config.system.build.toplevel
          ) nixosConfigurations;
        }).config.system.build.images.amazon;
    };
}
