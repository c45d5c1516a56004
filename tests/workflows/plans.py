"""Plans as `tofu show -json` writes them, made by hand."""

from typing import Any

NEW = "ami-0000000000000aaa0"
OLD = "ami-0000000000000bbb0"
MACHINES = {
    "clawdinator-1": "i-00000001",
    "clawdinator-2": "i-00000002",
    "clawdinator-9": "i-00000009",
}


def plan(*changes: object, **more: object) -> dict[str, Any]:
    return {"format_version": "1.2", "resource_changes": list(changes), "errored": False, **more}


def change(
    address: str,
    *actions: str,
    index: str | int | None = None,
    before: object = None,
    after: object = None,
    **more: object,
) -> dict[str, Any]:
    """A change; its type and name are read off the address, unless `more` says otherwise."""
    bare = address.split("[", maxsplit=1)[0].split(".")
    if bare[:1] == ["module"]:
        more.setdefault("module_address", ".".join(bare[:2]))
        bare = bare[2:]
    mode = "data" if bare[:1] == ["data"] else "managed"
    type_, name = bare[-2:]
    shape: dict[str, Any] = {
        "address": address,
        "mode": mode,
        "type": type_,
        "name": name,
        "provider_name": "registry.opentofu.org/hashicorp/aws",
        "change": {"actions": list(actions), "before": before, "after": after},
        **more,
    }
    if index is not None:
        shape["index"] = index
    return shape


def keyed(resource: str, id_: str, *actions: str, **more: Any) -> dict[str, Any]:
    return change(f'{resource}["{id_}"]', *actions, index=id_, **more)


def host(id_: str, *actions: str, image: str = NEW, **more: Any) -> dict[str, Any]:
    """A host's change, with the machine that EC2 shows and the image that was asked for."""
    if "delete" in actions or "update" in actions or "no-op" in actions:
        more.setdefault("before", {"id": MACHINES.get(id_, "i-0000dead"), "ami": OLD})
    if "create" in actions or "update" in actions:
        more.setdefault("after", {"ami": image})
    return keyed("aws_instance.clawdinator", id_, *actions, **more)


def replaced(id_: str, **more: Any) -> dict[str, Any]:
    return host(id_, "delete", "create", **more)
