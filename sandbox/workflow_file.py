"""The workflow file, read by the few forms that it has; any other is refused in a sentence.

What GitHub's language means beyond these forms is held by act, actionlint and zizmor.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from sandbox.expression import FAILED, Scope, filled

TEXT, NUMBER = "a text", "a number"

# Every place of the file, and what may stand there: in it `*` is any name, `#` a place in a list.
FORMS: Mapping[str, tuple[str, ...]] = {
    "name": (TEXT,),
    "run-name": (
        TEXT,
        "${{ inputs.* }}",
        "${{ inputs.* || '-' }}",
        "${{ inputs.* || inputs.* || '-' }}",
        "${{ inputs.* && ':' || '' }}",
        "${{ inputs.* && '!' || '' }}",
    ),
    "on.workflow_dispatch.inputs.*.description": (TEXT,),
    "on.workflow_dispatch.inputs.*.required": ("true",),
    "on.workflow_dispatch.inputs.*.type": ("string",),
    "permissions": ("{}",),
    "concurrency.group": (TEXT,),
    "concurrency.cancel-in-progress": ("false",),
    "concurrency.queue": ("max",),
    "env.*": (TEXT, "${{ inputs.* }}", "${{ vars.* }}"),
    "jobs.*.name": (TEXT, "${{ matrix.* }}"),
    "jobs.*.needs": (TEXT,),
    "jobs.*.needs.#": (TEXT,),
    "jobs.*.if": ("needs.*.outputs.* == '*'", "inputs.* != '*'"),
    "jobs.*.runs-on": ("ubuntu-24.04",),
    "jobs.*.timeout-minutes": (NUMBER,),
    "jobs.*.environment": (TEXT,),
    "jobs.*.permissions.actions": ("read",),
    "jobs.*.permissions.contents": ("read",),
    "jobs.*.permissions.id-token": ("write",),
    "jobs.*.outputs.*": ("${{ steps.*.outputs.* }}",),
    "jobs.*.strategy.fail-fast": ("true",),
    "jobs.*.strategy.max-parallel": ("1",),
    "jobs.*.strategy.matrix.include": ("${{ fromJSON(needs.*.outputs.*) }}",),
    "jobs.*.steps.#.name": (
        TEXT,
        "${{ steps.*.outputs.* }}",
        "${{ matrix.* || 'nothing known' }}",
    ),
    "jobs.*.steps.#.id": (TEXT,),
    "jobs.*.steps.#.if": (
        "steps.*.outputs.* != ''",
        f"{FAILED}steps.*.outputs.* != ''",
    ),
    "jobs.*.steps.#.uses": (
        "actions/checkout@*",
        "opentofu/setup-opentofu@*",
        "aws-actions/configure-aws-credentials@*",
    ),
    "jobs.*.steps.#.with.ref": ("${{ github.ref }}", "${{ needs.*.outputs.* }}"),
    "jobs.*.steps.#.with.fetch-depth": ("0",),
    "jobs.*.steps.#.with.persist-credentials": ("false",),
    "jobs.*.steps.#.with.tofu_version_file": (TEXT,),
    "jobs.*.steps.#.with.tofu_wrapper": ("false",),
    "jobs.*.steps.#.with.aws-region": ("${{ vars.* }}",),
    "jobs.*.steps.#.with.role-to-assume": ("${{ vars.* }}",),
    "jobs.*.steps.#.with.role-duration-seconds": (NUMBER,),
    "jobs.*.steps.#.env.*": (
        "${{ steps.*.outputs.* }}",
        "${{ needs.*.outputs.* }}",
        "${{ matrix.* }}",
        "${{ github.token }}",
        "${{ vars.* }}",
    ),
    "jobs.*.steps.#.run": (TEXT,),
}

_BRACES = re.compile(r"(\$\{\{.*?\}\})", re.DOTALL)
_WORDS = {"*": "any name", "#": "a list"}
_PATTERNS = {TEXT: r"(?s:(?!.*\$\{\{).*)", NUMBER: r"\d+"}
# What one job of a matrix gets.
MatrixEntry = dict[str, str | bool | list[str]]
# 256 is GitHub's own limit.
_MATRIX: TypeAdapter[list[MatrixEntry]] = TypeAdapter(
    Annotated[list[MatrixEntry], Field(min_length=1, max_length=256)]
)


class WorkflowError(Exception):
    """What is wrong with the workflow file, or with a run of it; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class StepSpec:
    """Either `uses` an action, which is `given` something, or `run`s a script."""

    name: str
    id: str
    uses: str
    given: Mapping[str, str]
    env: Mapping[str, str]
    run: str
    condition: str


@dataclass(frozen=True, slots=True)
class JobSpec:
    """`needs` are jobs before it; `matrix` is empty where the job is one."""

    name: str
    needs: tuple[str, ...]
    condition: str
    timeout_minutes: int
    environment: str
    permissions: Mapping[str, str]
    outputs: Mapping[str, str]
    matrix: str
    steps: tuple[StepSpec, ...]


@dataclass(frozen=True, slots=True)
class WorkflowFile:
    """`inputs` says of each whether it is required; each of `jobs` needs the one before it."""

    name: str
    run_name: str
    inputs: Mapping[str, bool]
    env: Mapping[str, str]
    jobs: Mapping[str, JobSpec]


class FormMatch(NamedTuple):
    """A piece of the file, and the entry of `FORMS` it matches: `known` and `form`, or empty."""

    place: str
    piece: str
    known: str
    form: str


def load(path: Path) -> WorkflowFile:
    """Read the file; WorkflowError names every place whose form is not known."""
    try:
        raw = parse(path.read_text())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise WorkflowError(f"{path.name} can't be read: {error}") from error
    if wrong := [_unknown(found) for found in forms_of(raw) if not found.form]:
        raise WorkflowError(f"{path.name}: {'; '.join(wrong)}")
    _has(raw, "", "name", "run-name", "on", "permissions", "concurrency", "env", "jobs")
    return WorkflowFile(
        name=raw["name"],
        run_name=raw["run-name"],
        inputs={
            name: "required" in one
            for name, one in raw["on"]["workflow_dispatch"]["inputs"].items()
        },
        env=raw["env"],
        jobs=_jobs(raw["jobs"]),
    )


def parse(text: str) -> Any:
    """The file's YAML; every scalar is a text, `on` and `true` among them."""
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (makes strings only)


def forms_of(value: object, place: str = "") -> Iterator[FormMatch]:
    """Each piece of a file's YAML: an expression in its braces, or the text beside it."""
    if isinstance(value, dict | list) and value:
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, inner in items:
            yield from forms_of(inner, f"{place}.{key}" if place else str(key))
        return
    known = next((one for one in FORMS if _fits(one, place)), "")
    for piece in [one for one in _BRACES.split(str(value)) if one] or [""]:
        form = next((one for one in FORMS.get(known, ()) if _fits(one, piece)), "")
        yield FormMatch(place, piece, known, form)


def _fits(form: str, text: str) -> bool:
    name = re.escape(form).replace(r"\*", r"[\w-]+").replace(r"\#", r"\d+")
    return re.fullmatch(_PATTERNS.get(form, name), text) is not None


def _unknown(found: FormMatch) -> str:
    if found.known:
        forms = " or ".join(f"`{one}`" for one in FORMS[found.known])
        return f"`{found.place}`: I don't know the form of `{found.piece}`; here I know {forms}"
    parts = found.place.split(".")
    for depth in range(len(parts) - 1, -1, -1):
        if names := _names_below(parts[:depth]):
            break
    within = f"in `{'.'.join(parts[:depth])}`" if depth else "at the top"
    return f"`{found.place}`: I don't know `{parts[depth]}`; {within} I know {', '.join(names)}"


def _names_below(parts: list[str]) -> list[str]:
    """The names that `FORMS` has below a place."""
    depth, head = len(parts), ".".join(parts)
    places = [one.split(".") for one in FORMS]
    fitting = [one for one in places if len(one) > depth and _fits(".".join(one[:depth]), head)]
    return sorted({_WORDS.get(one[depth], one[depth]) for one in fitting})


def _has(raw: Mapping[str, Any], place: str, *names: str) -> None:
    if missing := [name for name in names if name not in raw]:
        raise WorkflowError(f"`{place}{missing[0]}` is missing, and I know no file without it")


def _jobs(raw: Mapping[str, Any]) -> dict[str, JobSpec]:
    jobs: dict[str, JobSpec] = {}
    for key, one in raw.items():
        job, before = _job(key, one), list(jobs)
        if not (set(before[-1:]) <= set(job.needs) <= set(before)):
            last = f"`{before[-1]}`" if before else "nothing"
            raise WorkflowError(
                f"`jobs.{key}.needs`: I run one job after the other, so that this one must need "
                f"{last}, and only jobs before it"
            )
        jobs[key] = job
    return jobs


def _job(key: str, raw: Mapping[str, Any]) -> JobSpec:
    place, strategy = f"jobs.{key}.", raw.get("strategy")
    _has(raw, place, "name", "runs-on", "timeout-minutes", "environment", "permissions", "steps")
    if strategy:
        _has(strategy, f"{place}strategy.", "fail-fast", "max-parallel", "matrix")
    needs = raw.get("needs", ())
    return JobSpec(
        name=raw["name"],
        needs=(needs,) if isinstance(needs, str) else tuple(needs),
        condition=raw.get("if", ""),
        timeout_minutes=int(raw["timeout-minutes"]),
        environment=raw["environment"],
        permissions=raw["permissions"],
        outputs=raw.get("outputs", {}),
        matrix=strategy["matrix"]["include"] if strategy else "",
        steps=tuple(_step(f"{place}steps.{at}.", one) for at, one in enumerate(raw["steps"])),
    )


def _step(place: str, raw: Mapping[str, Any]) -> StepSpec:
    _has(raw, place, "name")
    if ("uses" in raw) == ("run" in raw):
        raise WorkflowError(f"`{place[:-1]}`: a step has either `uses` or `run`")
    return StepSpec(
        name=raw["name"],
        id=raw.get("id", ""),
        uses=raw.get("uses", ""),
        given=raw.get("with", {}),
        env=raw.get("env", {}),
        run=raw.get("run", ""),
        condition=raw.get("if", ""),
    )


def entries(matrix: str, scope: Scope) -> list[MatrixEntry]:
    """The entries of a matrix; WorkflowError where its expression gives no list of 1 to 256."""
    try:
        return _MATRIX.validate_json(filled(matrix, scope))
    except ValidationError as error:
        why = error.errors()[0]["msg"]
        raise WorkflowError(f"fromJSON gave no list of jobs for the matrix: {why}") from error
