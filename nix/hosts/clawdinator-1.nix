# What no other host has. The rest is of the registry and of ../modules.
{
  imports = [ ../modules/host.nix ];

  clawdinator.instance = "clawdinator-1";
}
