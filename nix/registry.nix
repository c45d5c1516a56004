# The registry, each entry held to what a host is built from; a wrong one stops the evaluation.
file:
let
  required = [
    "host"
    "instanceType"
    "bootstrapPrefix"
    "discordTokenSecret"
  ];
  optional = [
    "discordUserId"
    "telegramUserId"
    "telegramTokenSecret"
    "clawbotDiscordTokenSecret"
    "clawbotTelegramTokenSecret"
  ];

  registry = builtins.fromJSON (builtins.readFile file);
  ids = builtins.attrNames registry;
  wrong = id: words: throw "nix/instances.json: `${id}` ${words}";

  others = id: builtins.filter (other: other != id) ids;
  sharing = id: builtins.filter (other: registry.${other}.host or null == registry.${id}.host) (others id);

  check =
    id: entry:
    let
      missing = builtins.filter (field: !(entry ? ${field})) required;
      unknown = builtins.filter (field: !(builtins.elem field (required ++ optional))) (
        builtins.attrNames entry
      );
      notText = builtins.filter (field: !(builtins.isString entry.${field})) (builtins.attrNames entry);
    in
    if !(builtins.isAttrs entry) then
      wrong id "must be an object with host, instanceType, bootstrapPrefix and discordTokenSecret."
    else if missing != [ ] then
      wrong id "lacks `${builtins.head missing}`: write it as the other entries have it."
    else if unknown != [ ] then
      wrong id "has the unknown field `${builtins.head unknown}`: remove it, or correct its name."
    else if notText != [ ] then
      wrong id "must have text in `${builtins.head notText}`: put it in quotes."
    else if sharing id != [ ] then
      wrong id "shares its host with `${builtins.head (sharing id)}`: each needs its own."
    else
      entry;
in
if ids == [ ] then
  throw "nix/instances.json is empty: `clawbot instance add <id>` writes the first entry."
else
  builtins.mapAttrs check registry
