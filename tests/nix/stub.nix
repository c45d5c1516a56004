# As much of nixpkgs' module library as our modules use, so that they are evaluated, not only parsed.
{ modules }:
let
  inherit (builtins)
    all
    attrNames
    concatLists
    concatMap
    elem
    filter
    head
    isAttrs
    isFunction
    isList
    isPath
    isString
    length
    mapAttrs
    substring
    zipAttrsWith
    ;

  lib = {
    mkOption = option: option // { _type = "option"; };
    mkForce = content: {
      _type = "force";
      inherit content;
    };
    mkMerge = contents: {
      _type = "merge";
      inherit contents;
    };
    optional = condition: one: if condition then [ one ] else [ ];
    optionalAttrs = condition: some: if condition then some else { };
    types = rec {
      str = {
        name = "text";
        check = isString;
      };
      anything = {
        name = "anything";
        check = _: true;
      };
      path = {
        name = "a path";
        check = one: isPath one || (isString one && substring 0 1 one == "/");
      };
      package = path;
      either = one: other: {
        name = "${one.name} or ${other.name}";
        check = value: one.check value || other.check value;
      };
      listOf = type: {
        name = "a list of ${type.name}";
        check = list: isList list && all type.check list;
      };
      nullOr = type: {
        name = "${type.name}, or null";
        check = one: one == null || type.check one;
      };
      attrsOf = type: {
        name = "a set whose values are ${type.name}";
        check = set: isAttrs set && all (name: type.check set.${name}) (attrNames set);
      };
    };
  };

  pkgs = {
    callPackage = _: _: "/nix/store/clawbot";
    runCommand = name: _: _: "/nix/store/${name}";
    # With its text, to be looked at.
    writeText = name: text: "/nix/store/${name} ${text}";
    writeShellScriptBin = name: text: "/nix/store/bin/${name} ${text}";
    bash = "/nix/store/bash";
    git = "/nix/store/git";
  };

  arguments = { inherit config lib pkgs; };
  load = module: if isFunction module then module arguments else module;
  collect =
    module:
    let
      loaded = load (if isPath module then import module else module);
    in
    [ loaded ] ++ concatMap collect (loaded.imports or [ ]);
  loadedModules = concatMap collect modules;

  flatten = concatMap (one: if one._type or "" == "merge" then flatten one.contents else [ one ]);
  merge =
    path: definitions:
    let
      flat = flatten definitions;
      forced = filter (one: one._type or "" == "force") flat;
      where = builtins.concatStringsSep "." path;
    in
    if forced != [ ] then
      (head forced).content
    else if all isAttrs flat then
      zipAttrsWith (name: merge (path ++ [ name ])) flat
    else if all isList flat then
      concatLists flat
    else if all (one: one == head flat) flat then
      head flat
    else
      throw "the option `${where}` is defined ${toString (length flat)} times";

  definitions = map (
    module:
    module.config or (removeAttrs module [
      "imports"
      "options"
    ])
  ) loadedModules;
  tops = [
    "age"
    "clawdinator"
    "environment"
    "image"
    "networking"
    "nix"
    "security"
    "services"
    "swapDevices"
    "system"
    "systemd"
    "users"
    "warnings"
  ];
  known =
    name: if elem name tops then merge [ name ] else throw "there is no option `${name}` in this stub";
  defined = zipAttrsWith known definitions;

  options = zipAttrsWith (_: head) (
    map (module: (module.options or { }).clawdinator or { }) loadedModules
  );
  undeclared = filter (name: !(options ? ${name})) (attrNames (defined.clawdinator or { }));
  value =
    name: option:
    let
      found = (defined.clawdinator or { }).${name} or option.default;
    in
    if option.type.check found then found else throw "clawdinator.${name} must be ${option.type.name}";

  config = defined // {
    clawdinator = mapAttrs value options;
  };
in
if undeclared != [ ] then throw "there is no option clawdinator.${head undeclared}" else config
