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
  options.clawdinator.seed = lib.mkOption {
    type = lib.types.attrsOf (lib.types.nullOr lib.types.str);
    default = import ../seed.nix ../..;
    description = "Which seed this is built from.";
  };

  config = {
    environment.systemPackages = [ config.clawdinator.package ];
    system.configurationRevision = config.clawdinator.seed.revision;

    # User data ends with `nixos-rebuild switch --flake`.
    nix.settings.experimental-features = [
      "nix-command"
      "flakes"
    ];
    # Root builds what others must not steer.
    nix.settings.trusted-users = [ "root" ];
    nix.settings.allowed-users = [ "root" ];
    # A build of a whole system takes more than the memory of the smallest types.
    swapDevices = [
      {
        device = "/var/swapfile";
        size = 4096;
      }
    ];

    # People come in through SSM, as ssm-user: nixpkgs lets it sudo, and nobody else. Nothing listens.
    security.sudo.enable = true;
    services.amazon-ssm-agent.enable = true;
    services.openssh.enable = lib.mkForce false;
    networking.firewall.enable = true;
    networking.firewall.allowedTCPPorts = [ ];

    system.stateVersion = "26.05";
  };
}
