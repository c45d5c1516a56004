# The registry as the modules use it: what is null is left out, as it is there for clawbot.
#
# Its rules are those of fleet_control/registry.py, which holds them before anything is evaluated: at
# each change of the branch, before an image is built, in a deploy's run, and at a host's boot.
file:
let
  given = entry: removeAttrs entry (builtins.filter (field: entry.${field} == null) (builtins.attrNames entry));
in
builtins.mapAttrs (_: given) (builtins.fromJSON (builtins.readFile file))
