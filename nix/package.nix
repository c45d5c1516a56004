# A Python with clawbot in it: `clawbot`, `fleet-control`, and the programs of the boot.
{ lib, python3 }:
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
      dependencies = [
        packages.aiohttp
        packages.boto3
        packages.pydantic
        packages.pydantic-settings
        packages.discordpy
        packages.python-telegram-bot
        packages.zstandard
      ];
      # nixpkgs has its own idea of what is newest; what is tested is in requirements/.
      pythonRelaxDeps = true;
      doCheck = false;
      pythonImportsCheck = [
        "clawbot.serve"
        "clawbot.provision.boot"
        "fleet_control.cli"
      ];
    })
  ]
)
