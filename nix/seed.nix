# Which seed a folder is: the commit that its file REVISION names, and the SHA-256 of what it holds,
# which whoever builds an image writes beside it. A checkout has neither.
folder:
let
  line =
    name: form:
    let
      file = folder + "/${name}";
      found = builtins.match "(${form})\n" (builtins.readFile file);
    in
    if !(builtins.pathExists file) then
      null
    else if found == null then
      throw "${name} must be ${form} and a newline."
    else
      builtins.head found;
in
{
  revision = line "REVISION" "[0-9a-f]{40}";
  contentSha256 = line "SEED_SHA256" "[0-9a-f]{64}";
}
