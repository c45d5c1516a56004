# A Python with clawbot in it: `clawbot`, `fleet-control`, and the programs of the boot.
{ lib, python3 }:
let
  # What it is tested on at the oldest (`make test-oldest`), by nixpkgs' names; as pyproject.toml has it.
  needs = {
    aiohttp = "3.13.5";
    boto3 = "1.42";
    pydantic = "2.12.5";
    pydantic-settings = "2.12";
    discordpy = "2.6.4";
    python-telegram-bot = "22.7";
    zstandard = "0.25";
  };
  # Nobody speaks here, and what speaking needs is much.
  changed.discordpy = package: package.override { withVoice = false; };
  found =
    packages: name:
    let
      package = (changed.${name} or (one: one)) packages.${name};
    in
    if builtins.compareVersions package.version needs.${name} < 0 then
      throw "nixpkgs has ${name} ${package.version}, and clawbot is tested on ${needs.${name}} and newer (nix/package.nix): take a newer nixpkgs, as with `nix flake update nixpkgs`."
    else
      package;
in
python3.withPackages (
  packages:
  [
    (packages.buildPythonPackage {
      pname = "clawbot-fleet";
      version = "0.1.0";
      pyproject = true;
      src = lib.fileset.toSource {
        root = ../.;
        fileset = lib.fileset.unions [
          ../pyproject.toml
          ../LICENSE
          ../clawbot
          ../skills
        ];
      };
      build-system = [ packages.hatchling ];
      dependencies = map (found packages) (builtins.attrNames needs);
      doCheck = false;
      pythonImportsCheck = [
        "clawbot.serve"
        "clawbot.provision.boot"
        "fleet_control.cli"
      ];
    })
  ]
)
