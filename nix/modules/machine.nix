# What every machine of the fleet has, and all that its image has.
{
  config,
  lib,
  pkgs,
  ...
}:
{
  imports = [
    ./bootstrap.nix
    ./metadata.nix
  ];

  options.clawdinator.package = lib.mkOption {
    type = lib.types.package;
    default = pkgs.callPackage ../package.nix { };
    description = "A Python with clawbot in it.";
  };

  config = {
    environment.systemPackages = [ config.clawdinator.package ];

    # User data ends with `nixos-rebuild switch --flake`.
    nix.settings.experimental-features = [
      "nix-command"
      "flakes"
    ];
    # Root builds what others must not steer.
    nix.settings.trusted-users = [ "root" ];

    # People come in through SSM, as ssm-user: nixpkgs lets it sudo, and nobody else. Nothing listens.
    security.sudo.enable = true;
    services.amazon-ssm-agent.enable = true;
    services.openssh.enable = lib.mkForce false;
    networking.firewall.enable = true;
    networking.firewall.allowedTCPPorts = [ ];

    system.stateVersion = "26.05";
  };
}
