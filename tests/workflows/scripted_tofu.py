"""An engine that plans what the test wrote down, and applies it to EC2. Standard library only.

It notes each command in `$CALLS`, but not the look for a lock; and behind that, with `.told`, which
revision and seed each plan was told of. `$PLAN` names the plan, with `.imported` behind it the one
that takes its place when something is imported; beside it, `state.json` is its state, and `told`
the revision, the seed and the user data that the plan was written with: it is shown with those of
the environment; and `lock.json` the lock on the state, for which no plan waits. It is a program:
tests start it, a thousand times, so that it imports no more than it needs: `json` and `pathlib`
would cost twice what all the rest does, and `urllib.request` six times.
"""
# ruff: noqa: PTH105, PTH108, PTH110, PTH118, PTH120, PTH123  (without `pathlib`, as said)

import marshal
import os
import sys


def main() -> None:
    command = sys.argv[2]
    if sys.argv[-1] != "whose":
        noted("", " ".join(sys.argv[2:]))
    if command == "plan":
        noted(".told", " ".join(os.environ.get(one, "") for one in TOLD.values()))
    place = os.environ["PLAN"]
    lock = beside(place, "lock.json")
    if command in ("plan", "apply", "force-unlock") and os.path.exists(lock):
        unlock(lock, sys.argv[-1])
    if command == "show" and sys.argv[3:] == ["-json"]:
        sys.stdout.write(read(beside(place, "state.json")) or '{"format_version": "1.0"}')
    elif command == "show":
        sys.stdout.write(made_of(read(place), beside(place, "told")))
    elif command == "import":
        os.replace(f"{place}.imported", place)
    elif command == "apply" and "-refresh-only" not in sys.argv:
        import json  # noqa: PLC0415  (the others do without)

        for change in json.loads(read(place))["resource_changes"]:
            apply(change)


# What a plan is told of, and where.
TOLD = {"revision": "TF_VAR_revision", "seed_sha256": "TF_VAR_seed_sha256"}


def noted(where: str, line: str) -> None:
    with open(os.environ["CALLS"] + where, "a") as calls:
        calls.write(f"{line}\n")


def beside(place: str, name: str) -> str:
    return os.path.join(os.path.dirname(place), name)


def read(place: str) -> str:
    """Nothing where there is none."""
    try:
        with open(place) as file:
            return file.read()
    except FileNotFoundError:
        return ""


def unlock(place: str, id_: str) -> None:
    """Take away the lock of that id; exit, telling of the lock, where it has another."""
    import json  # noqa: PLC0415  (most find no lock)

    lock = json.loads(read(place))
    if lock["ID"] == id_:
        os.unlink(place)
        return
    told = "".join(f"  {key + ':':10} {one}\n" for key, one in lock.items())
    sys.exit(f"Error: Error acquiring the state lock\n\nLock Info:\n{told}")


def made_of(plan: str, written: str) -> str:
    """The plan, of the revision and the seed that the environment tells of."""
    if not os.path.exists(written):
        return plan
    with open(written, "rb") as file:
        told = marshal.load(file)  # noqa: S302  (the test's own)
    now = {told[one]: os.environ.get(name, "") for one, name in TOLD.items()}
    if all(old == new for old, new in now.items()):
        return plan
    for digest, text in told["user_data"].items():
        plan = plan.replace(digest, sha1(replaced(text, now)))
    return replaced(plan, now)


def replaced(text: str, now: dict[str, str]) -> str:
    for old, new in now.items():
        text = text.replace(old, new)
    return text


def sha1(text: str) -> str:
    import _sha1  # type: ignore[import-not-found]  # noqa: PLC0415  (`hashlib` brings all of OpenSSL)

    return str(_sha1.sha1(text.encode()).hexdigest())


def apply(change: dict[str, object]) -> None:
    what = change["change"]
    if change["type"] != "aws_instance" or not isinstance(what, dict):
        return
    if "delete" in what["actions"]:
        ask("TerminateInstances", {"InstanceId.1": what["before"]["id"]})
    if "create" in what["actions"]:
        revision = os.environ[TOLD["revision"]]
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
    return said.partition("<instanceId>")[2].partition("<")[0]


def ask(action: str, fields: dict[str, str]) -> str:
    """What EC2 answers; of its refusal the engine dies."""
    import _socket  # noqa: PLC0415  (most ask nothing; `http.client` costs five times the rest)

    asked = {"Action": action, "Version": "2016-11-15", **fields}
    form = "&".join(f"{key}={quoted(value)}" for key, value in asked.items())
    scope = f"Credential=AKIAEXAMPLE/20261124/{os.environ['AWS_REGION']}/ec2/aws4_request"
    host = os.environ["AWS_ENDPOINT_URL"].removeprefix("http://").rstrip("/")
    head = (
        "POST / HTTP/1.1",
        f"Host: {host}",
        "Connection: close",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(form)}",
        f"Authorization: AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0",
    )
    address, _, port = host.partition(":")
    connection = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    connection.connect((address, int(port)))
    connection.send("\r\n".join((*head, "", form)).encode())
    said = b""
    while part := connection.recv(1 << 16):
        said += part
    status, _, body = said.decode().partition("\r\n\r\n")
    if " 200 " not in status.partition("\r\n")[0]:
        sys.exit(f"Error: {action}: {body}")
    return body


def quoted(text: str) -> str:
    safe = "abcdefghijklmnopqrstuvwxyz0123456789-._"
    return "".join(one if one.lower() in safe else f"%{ord(one):02X}" for one in text)


if __name__ == "__main__":
    main()
