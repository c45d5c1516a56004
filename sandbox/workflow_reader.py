"""A workflow file, read from its YAML and checked before anything of it starts."""

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, ClassVar

import yaml
from pydantic import ValidationError

from sandbox.workflow_check import problems
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import WorkflowFile


def load(path: Path, actions: Mapping[str, Collection[str]] | None = None) -> WorkflowFile:
    """WorkflowError names everything that is unknown, missing or of another form.

    `actions` are those that can be used, each with what may stand in its `with`; None for any.
    """
    try:
        raw = yaml.load(path.read_text(), Loader=_Loader)  # noqa: S506  (a SafeLoader of our own)
    except (OSError, UnicodeDecodeError) as error:
        raise WorkflowError(f"{path.name} can't be read: {error}") from error
    except yaml.YAMLError as error:
        raise WorkflowError(f"{path.name} is not YAML: {error}") from error
    try:
        file = WorkflowFile.model_validate(raw)
    except ValidationError as error:
        found = [_said(one["type"], one["loc"], one["msg"]) for one in error.errors()]
    else:
        found = list(problems(file, actions))
    if found:
        raise WorkflowError(f"{path.name}: {'; '.join(found)}")
    return file


def _said(kind: str, where: tuple[int | str, ...], message: str) -> str:
    place = ".".join(map(str, where))
    return f"I don't know `{place}`" if kind == "extra_forbidden" else f"`{place}`: {message}"


class _Loader(yaml.SafeLoader):
    """YAML 1.2, as GitHub reads it: `on` and `no` are words. No key comes twice."""

    yaml_implicit_resolvers: ClassVar[dict[str, list[tuple[str, re.Pattern[str]]]]] = {}  # type: ignore[misc]  # the stubs take it for an instance's

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := {str(key) for key in keys if keys.count(key) > 1}:
            raise yaml.constructor.ConstructorError(
                None, None, f"`{min(twice)}` comes twice", node.start_mark
            )
        return super().construct_mapping(node, deep)


for _tag, _form, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("null", r"null|Null|NULL|~|", ["n", "N", "~", ""]),
    ("int", r"[-+]?(0|[1-9][0-9]*)", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_form})$"), list(_first)
    )
