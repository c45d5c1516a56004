# The registry as the modules use it: what is null is left out, as it is there for clawbot.
#
# Its rules are those of fleet_control/registry.py, which holds them before anything is evaluated: at
# each change of the branch, before an image is built, in a deploy's run, and at a host's boot.
file:
let
  inherit (builtins) attrNames filter fromJSON mapAttrs readFile;
  given = entry: removeAttrs entry (filter (field: entry.${field} == null) (attrNames entry));
in
mapAttrs (_: given) (fromJSON (readFile file))
