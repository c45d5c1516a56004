"""An engine that plans what the test wrote down, and applies it to EC2. Standard library only.

It notes each command in `$CALLS`, but not the look for a lock; and behind that, with `.told`, which
revision and seed each plan was told of. `$PLAN` names the plan, with `.imported` behind it the one
that takes its place when something is imported; beside it, `state.json` is its state, and
`told.json` the revision, the seed and the user data that the plan was written with: it is shown
with those of the environment; and `lock.json` the lock on the state, for which no plan waits. It is
a program: tests start it.
"""

import hashlib
import json
import os
import re
import sys
from pathlib import Path


def main() -> None:
    command = sys.argv[2]
    if sys.argv[-1] != "whose":
        with Path(os.environ["CALLS"]).open("a") as calls:
            calls.write(" ".join(sys.argv[2:]) + "\n")
    if command == "plan":
        told = " ".join(os.environ.get(f"TF_VAR_{one}", "") for one in ("revision", "seed_sha256"))
        with Path(f"{os.environ['CALLS']}.told").open("a") as lines:
            lines.write(f"{told}\n")
    place = Path(os.environ["PLAN"])
    plan = place.read_text() if place.exists() else ""
    lock = place.with_name("lock.json")
    if command in ("plan", "apply", "force-unlock") and lock.exists():
        unlock(lock, sys.argv[-1])
    if command == "show" and sys.argv[3:] == ["-json"]:
        state = place.with_name("state.json")
        sys.stdout.write(state.read_text() if state.exists() else '{"format_version": "1.0"}')
    elif command == "show":
        sys.stdout.write(made_of(plan, place.with_name("told.json")))
    elif command == "import":
        place.with_name(f"{place.name}.imported").replace(place)
    elif command == "apply" and "-refresh-only" not in sys.argv:
        for change in json.loads(plan)["resource_changes"]:
            apply(change)


def unlock(place: Path, id_: str) -> None:
    """Take away the lock of that id; exit, telling of the lock, where it has another."""
    lock = json.loads(place.read_text())
    if lock["ID"] == id_:
        place.unlink()
        return
    told = "".join(f"  {key + ':':10} {one}\n" for key, one in lock.items())
    sys.exit(f"Error: Error acquiring the state lock\n\nLock Info:\n{told}")


def made_of(plan: str, written: Path) -> str:
    """The plan, of the revision and the seed that the environment tells of."""
    if not written.exists():
        return plan
    told = json.loads(written.read_text())
    now = {told[one]: os.environ.get(f"TF_VAR_{one}", "") for one in ("revision", "seed_sha256")}
    for digest, text in told["user_data"].items():
        plan = plan.replace(digest, sha1(replaced(text, now)))
    return replaced(plan, now)


def replaced(text: str, now: dict[str, str]) -> str:
    for old, new in now.items():
        text = text.replace(old, new)
    return text


def sha1(text: str) -> str:
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def apply(change: dict[str, object]) -> None:
    what = change["change"]
    if change["type"] != "aws_instance" or not isinstance(what, dict):
        return
    if "delete" in what["actions"]:
        ask("TerminateInstances", {"InstanceId.1": what["before"]["id"]})
    if "create" in what["actions"]:
        revision = os.environ["TF_VAR_revision"]  # noqa: SIM112  (as OpenTofu has it)
        tags = {"app": "clawdinator", "Name": str(change["index"]), "revision": revision}
        made = launch(what["after"]["ami"], tags)
        sys.stdout.write(f"{change['address']}: Creation complete after 1s [id={made}]\n")


def launch(image: str, tags: dict[str, str]) -> str:
    fields = {"ImageId": image, "InstanceType": "t3.large", "MinCount": "1", "MaxCount": "1"}
    fields["TagSpecification.1.ResourceType"] = "instance"
    for number, (key, value) in enumerate(tags.items(), 1):
        fields[f"TagSpecification.1.Tag.{number}.Key"] = key
        fields[f"TagSpecification.1.Tag.{number}.Value"] = value
    said = ask("RunInstances", fields)
    return str(re.findall(r"<instanceId>(i-[0-9a-f]+)<", said)[0])


def ask(action: str, fields: dict[str, str]) -> str:
    import urllib.parse  # noqa: PLC0415  (most commands ask nothing, and it costs more than they)
    import urllib.request  # noqa: PLC0415  (the same)

    form = urllib.parse.urlencode({"Action": action, "Version": "2016-11-15", **fields})
    scope = f"Credential=AKIAEXAMPLE/20261124/{os.environ['AWS_REGION']}/ec2/aws4_request"
    request = urllib.request.Request(  # noqa: S310  (the test's own server)
        os.environ["AWS_ENDPOINT_URL"],
        form.encode(),
        {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"},
    )
    with urllib.request.urlopen(request) as answer:  # noqa: S310  (the same)
        return str(answer.read(), "utf-8")


if __name__ == "__main__":
    main()
