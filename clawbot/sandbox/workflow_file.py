"""A workflow file, read as strictly as GitHub does: a key that is not known here is an error."""

from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from clawbot.sandbox.expression import WorkflowError


def _many(value: object) -> object:
    return [value] if isinstance(value, str) else value


Texts = dict[str, str | int | float | bool]
Permissions = dict[Literal["actions", "contents", "id-token"], Literal["read", "write", "none"]]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=False)


class Input(Strict):
    description: str = ""
    required: bool = False
    default: str = ""
    type: Literal["string"] = "string"


class Dispatch(Strict):
    inputs: dict[str, Input] = {}


class Trigger(Strict):
    workflow_dispatch: Dispatch | None


class Concurrency(Strict):
    group: str
    cancel_in_progress: Annotated[Literal[False], Field(alias="cancel-in-progress")] = False
    queue: Literal["single", "max"] = "single"


class Matrix(Strict):
    include: str


class Strategy(Strict):
    fail_fast: Annotated[bool, Field(alias="fail-fast")] = True
    max_parallel: Annotated[Literal[1], Field(alias="max-parallel")]
    matrix: Matrix


class Step(Strict):
    """Either `uses` an action or `run`s a script; with `bash -e` as GitHub does unasked."""

    name: str = ""
    id: str = ""
    uses: str = ""
    given: Annotated[Texts, Field(alias="with")] = {}
    env: Texts = {}
    run: str = ""

    @property
    def title(self) -> str:
        return self.name or f"Run {self.uses or self.run.splitlines()[0]}"


class Job(Strict):
    name: str = ""
    runs_on: Annotated[str, Field(alias="runs-on")]
    needs: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    condition: Annotated[str, Field(alias="if")] = ""
    timeout_minutes: Annotated[float, Field(alias="timeout-minutes")] = 360.0
    environment: str = ""
    permissions: Permissions = {}
    outputs: dict[str, str] = {}
    strategy: Strategy | None = None
    env: Texts = {}
    steps: tuple[Step, ...]


class WorkflowFile(Strict):
    name: str
    run_name: Annotated[str, Field(alias="run-name")] = ""
    on: Trigger
    permissions: Permissions
    concurrency: Concurrency | None = None
    env: Texts = {}
    jobs: dict[str, Job]

    @property
    def inputs(self) -> dict[str, Input]:
        return self.on.workflow_dispatch.inputs if self.on.workflow_dispatch else {}


def load(path: Path) -> WorkflowFile:
    """WorkflowError names each key that is unknown, missing or of another form."""
    try:
        raw: Any = yaml.safe_load(path.read_text())
    except yaml.YAMLError as error:
        raise WorkflowError(f"{path.name} is not YAML: {error}") from error
    if isinstance(raw, dict) and True in raw:
        raw["on"] = raw.pop(True)  # YAML 1.1 reads the key `on` as a boolean
    try:
        file = WorkflowFile.model_validate(raw)
    except ValidationError as error:
        found = (f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise WorkflowError(f"{path.name}: {'; '.join(found)}") from error
    unknown = {need for job in file.jobs.values() for need in job.needs} - file.jobs.keys()
    if unknown:
        raise WorkflowError(f"{path.name}: `needs` names no job: {', '.join(sorted(unknown))}")
    return file
