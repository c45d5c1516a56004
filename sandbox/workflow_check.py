"""What GitHub looks at in a workflow file before it starts anything: each expression, each action.

Which contexts may stand where is GitHub's own table ("Context availability").
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from sandbox.expression_syntax import (
    STATUS_FUNCTIONS,
    Call,
    Context,
    Literal,
    Node,
    Part,
    condition,
    inside,
    parts,
)
from sandbox.workflow_error import WorkflowError
from sandbox.workflow_file import Job, Step, WorkflowFile

_WORKFLOW = frozenset({"github", "inputs", "vars"})
_WORKFLOW_ENV = _WORKFLOW | {"secrets"}
_JOB_IF = _WORKFLOW | {"needs"}
_JOB = _JOB_IF | {"strategy", "matrix"}
_JOB_ENV = _JOB | {"secrets"}
_STEP = _JOB_ENV | {"env", "job", "runner", "steps"}
_STEP_IF = _STEP - {"secrets"}

# Of these contexts GitHub has more than the stand-in does; elsewhere what is not there is null.
KNOWN: Mapping[str, frozenset[str]] = {
    "github": frozenset(
        {
            "actor",
            "actor_id",
            "api_url",
            "base_ref",
            "event",
            "event_name",
            "event_path",
            "head_ref",
            "job",
            "ref",
            "ref_name",
            "ref_type",
            "repository",
            "repository_owner",
            "run_attempt",
            "run_id",
            "run_number",
            "server_url",
            "sha",
            "token",
            "triggering_actor",
            "workflow",
            "workflow_ref",
            "workflow_sha",
            "workspace",
        }
    ),
    "job": frozenset({"status"}),
    "runner": frozenset({"arch", "environment", "name", "os", "temp", "tool_cache"}),
    "strategy": frozenset({"fail-fast", "job-index", "job-total", "max-parallel"}),
}


class _Text(NamedTuple):
    """A text of the file; `needs` are the jobs whose results it may name."""

    where: str
    text: object
    contexts: frozenset[str]
    needs: tuple[str, ...] = ()
    is_condition: bool = False


def problems(file: WorkflowFile, actions: Mapping[str, Collection[str]] | None) -> Iterator[str]:
    """Everything in a well-formed file that GitHub would refuse, or that is not played here."""
    yield from _wrong_order(file)
    for text in _texts(file):
        yield from _wrong_text(text)
    for key, job in file.jobs.items():
        ids = [step.id for step in job.steps if step.id]
        for twice in sorted({one for one in ids if ids.count(one) > 1}):
            yield f"`jobs.{key}.steps`: two steps have the id `{twice}`"
        for number, step in enumerate(job.steps):
            if step.uses and actions is not None:
                yield from _wrong_use(f"jobs.{key}.steps.{number}", step, actions)


def _wrong_order(file: WorkflowFile) -> Iterator[str]:
    """`needs` that name no job, or go round in a circle."""
    missing = {need for job in file.jobs.values() for need in job.needs} - file.jobs.keys()
    yield from (f"`needs` names no job: {need}" for need in sorted(missing))
    done: set[str] = set(missing)
    while ready := [
        key for key, job in file.jobs.items() if key not in done and done.issuperset(job.needs)
    ]:
        done.update(ready)
    if circle := [key for key in file.jobs if key not in done]:
        yield f"`needs` goes round in a circle: {', '.join(circle)}"


def _wrong_use(where: str, step: Step, actions: Mapping[str, Collection[str]]) -> Iterator[str]:
    name, at, version = step.uses.partition("@")
    if name not in actions:
        yield f"`{where}.uses`: I don't play the action `{name}`"
        return
    if not (at and version):
        yield f"`{where}.uses`: `{name}` needs a version, `{name}@…`"
    for key in sorted(step.given.keys() - set(actions[name])):
        yield f"`{where}.with`: {name} knows no `{key}`, or I don't"


def _wrong_text(text: _Text) -> Iterator[str]:
    if not isinstance(text.text, str):
        return
    try:
        nodes = [condition(text.text)] if text.is_condition else parts(text.text)
    except WorkflowError as error:
        yield f"`{text.where}`: {error}"
        return
    for top in nodes:
        for node in () if isinstance(top, str) else inside(top):
            if wrong := _wrong_node(node, text):
                yield f"`{text.where}`: {wrong}"


def _wrong_node(node: Node, text: _Text) -> str:
    match node:
        case Context(name) if name not in _STEP:
            return f"I don't know the context `{name}`"
        case Context(name) if name not in text.contexts:
            return f"the context `{name}` is not available here"
        case Call(function, _) if function in STATUS_FUNCTIONS and not text.is_condition:
            return f"`{function}()` is for an `if`"
        case Part(Context("needs"), Literal(str(name))) if name not in text.needs:
            return f"`needs.{name}` is not among the job's `needs`"
        case Part(Context(name), Literal(str(key))) if key not in KNOWN.get(name, {key}):
            return f"I don't know `{name}.{key}`"
        case _:
            return ""


def _texts(file: WorkflowFile) -> Iterator[_Text]:
    yield _Text("run-name", file.run_name, _WORKFLOW)
    if file.concurrency:
        yield _Text("concurrency.group", file.concurrency.group, _WORKFLOW)
    for name, value in file.env.items():
        yield _Text(f"env.{name}", value, _WORKFLOW_ENV)
    for key, job in file.jobs.items():
        for text in _of_job(job):
            yield text._replace(where=f"jobs.{key}.{text.where}", needs=job.needs)


def _of_job(job: Job) -> Iterator[_Text]:
    yield _Text("name", job.name, _JOB)
    yield _Text("if", job.condition, _JOB_IF, is_condition=True)
    yield _Text("environment", job.environment, _JOB)
    for name, value in job.env.items():
        yield _Text(f"env.{name}", value, _JOB_ENV)
    for name, value in job.outputs.items():
        yield _Text(f"outputs.{name}", value, _STEP)
    if job.strategy:
        yield from _of_matrix(job.strategy.matrix)
    for number, step in enumerate(job.steps):
        for text in _of_step(step):
            yield text._replace(where=f"steps.{number}.{text.where}")


def _of_matrix(matrix: object, where: str = "strategy.matrix") -> Iterator[_Text]:
    match matrix:
        case dict():
            for name, inner in matrix.items():
                yield from _of_matrix(inner, f"{where}.{name}")
        case list():
            for number, inner in enumerate(matrix):
                yield from _of_matrix(inner, f"{where}.{number}")
        case _:
            yield _Text(where, matrix, _JOB_IF)


def _of_step(step: Step) -> Iterator[_Text]:
    yield _Text("name", step.name, _STEP)
    yield _Text("if", step.condition, _STEP_IF, is_condition=True)
    yield _Text("run", step.run, _STEP)
    yield _Text("working-directory", step.working_directory, _STEP)
    for kind, values in (("env", step.env), ("with", step.given)):
        for name, value in values.items():
            yield _Text(f"{kind}.{name}", value, _STEP)
