# The registry, held to the rules of fleet_control/registry.py; a wrong entry stops the evaluation.
file:
let
  inherit (builtins)
    all
    attrNames
    concatMap
    elem
    filter
    fromJSON
    head
    isAttrs
    isList
    isString
    mapAttrs
    match
    readFile
    stringLength
    substring
    ;

  form =
    most: pattern: text:
    stringLength text <= most && match pattern text != null;
  name = most: form most "[a-z0-9](-?[a-z0-9])*";

  account = {
    holds = form 20 "[0-9]+";
    like = "the account's number";
  };
  secret = {
    # A token of such a name would give its reader the fleet's own key or identity.
    holds = text: name 100 text && match "clawdinator-(control|chat|identity)(-.*)?" text == null;
    like = "a secret's name, as in clawdinator-discord-token-1, and none that the fleet uses itself (clawdinator-control-…, clawdinator-chat-…, clawdinator-identity-…)";
  };
  fields = {
    host = {
      holds = name 63;
      like = "a host name, as in clawdinator-1";
    };
    instanceType = {
      holds = form 32 "[a-z][a-z0-9-]*\\.[a-z0-9-]+";
      like = "an instance type, as in t3.large";
    };
    bootstrapPrefix = {
      holds = form 200 "[a-z0-9-]+(/[a-z0-9-]+)*";
      like = "a prefix, as in bootstrap/clawdinator-1";
    };
    discordUserId = account;
    telegramUserId = account;
    discordTokenSecret = secret;
    telegramTokenSecret = secret;
    clawbotDiscordTokenSecret = secret;
    clawbotTelegramTokenSecret = secret;
    agentSecrets = {
      holds = list: isList list && all (one: isString one && secret.holds one) list;
      like = "a list of secrets' names, each ${secret.like}";
    };
  };
  required = [
    "host"
    "instanceType"
    "bootstrapPrefix"
    "discordTokenSecret"
  ];
  tokens = filter (field: match ".*TokenSecret" field != null) (attrNames fields);

  # What is null is left out, as it is there for clawbot.
  given =
    _: entry:
    if isAttrs entry then
      removeAttrs entry (filter (field: entry.${field} == null) (attrNames entry))
    else
      entry;
  written = fromJSON (readFile file);
  registry = if isAttrs written then mapAttrs given written else written;
  wrong = id: words: throw "nix/instances.json: `${id}` ${words}";

  # Of fields that may be missing, and of an entry that may be anything.
  values = entry: of: map (field: entry.${field}) (filter (field: entry ? ${field}) of);
  agents = entry: if isList (entry.agentSecrets or null) then entry.agentSecrets else [ ];
  logins = entry: values entry tokens;
  among = some: filter (one: elem one some);
  within =
    outer: inner:
    isString inner && substring 0 (stringLength outer + 1) "${inner}/" == "${outer}/";
  twice = list: filter (one: 1 < builtins.length (filter (other: other == one) list)) list;

  # What the two have in common that each needs for itself.
  common =
    one: other:
    concatMap
      (
        { what, of }:
        if filter (value: elem value (values other of)) (values one of) != [ ] then [ what ] else [ ]
      )
      [
        {
          what = "host";
          of = [ "host" ];
        }
        {
          what = "token secret";
          of = tokens;
        }
        {
          what = "Discord account";
          of = [ "discordUserId" ];
        }
        {
          what = "Telegram account";
          of = [ "telegramUserId" ];
        }
      ]
    ++ map (name: "token secret `${name}`") (
      among (logins other) (agents one) ++ among (agents other) (logins one)
    )
    ++ (
      if within one.bootstrapPrefix (other.bootstrapPrefix or null) then [ "bootstrap prefix" ] else [ ]
    );

  check =
    id: entry:
    let
      missing = filter (field: !(entry ? ${field})) required;
      unknown = filter (field: !(fields ? ${field})) (attrNames entry);
      notText = filter (field: field != "agentSecrets" && !(isString entry.${field})) (attrNames entry);
      named = twice (logins entry ++ agents entry);
      unlike = filter (field: !(fields.${field}.holds entry.${field})) (attrNames entry);
      shared = concatMap (
        other:
        map (what: "shares its ${what} with `${other}`") (
          if other == id then [ ] else common entry registry.${other}
        )
      ) (attrNames registry);
    in
    if id == "all" || !(name 32 id) then
      wrong id "is no id: take lower-case letters and digits, single hyphens between them, at most 32, and not `all`."
    else if !(isAttrs entry) then
      wrong id "must be an object with host, instanceType, bootstrapPrefix and discordTokenSecret."
    else if missing != [ ] then
      wrong id "lacks `${head missing}`: write it as the other entries have it."
    else if unknown != [ ] then
      wrong id "has the unknown field `${head unknown}`: remove it, or correct its name."
    else if notText != [ ] then
      wrong id "must have text in `${head notText}`: put it in quotes."
    else if unlike != [ ] then
      wrong id "has a wrong `${head unlike}`: it must be ${fields.${head unlike}.like}."
    else if named != [ ] then
      wrong id "names `${head named}` twice: each login, and each secret of the agent, needs a name of its own."
    else if shared != [ ] then
      wrong id "${head shared}: each needs its own."
    else
      entry;
in
if !(isAttrs registry) then
  throw "nix/instances.json must be an object of instances by id."
else if registry == { } then
  throw "nix/instances.json is empty: `clawbot instance add <id>` writes the first entry."
else
  mapAttrs check registry
