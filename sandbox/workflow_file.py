"""What a workflow file may hold, as strict as GitHub: what is not known here is an error."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _many(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _events(value: object) -> object:
    match value:
        case str():
            return {value: None}
        case list():
            return dict.fromkeys(value)
        case _:
            return value


def _group(value: object) -> object:
    return {"group": value} if isinstance(value, str) else value


def _condition(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


Name = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_-]*$")]
Texts = dict[str, str | int | float | bool]
Condition = Annotated[str, BeforeValidator(_condition), Field(alias="if")]
Permissions = dict[Literal["actions", "contents", "id-token"], Literal["read", "write", "none"]]
Shell = Literal["", "bash", "sh"]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Input(Strict):
    description: str = ""
    required: bool = False
    default: str = ""
    type: Literal["string"] = "string"


class Dispatch(Strict):
    inputs: dict[Name, Input] = {}


class Events(Strict):
    workflow_dispatch: Dispatch | None


class Concurrency(Strict):
    """`queue` says who may wait: only the newest, or up to a hundred."""

    group: str
    cancel_in_progress: Annotated[bool, Field(alias="cancel-in-progress")] = False
    queue: Literal["single", "max"] = "single"

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.cancel_in_progress and self.queue == "max":
            raise ValueError("`queue: max` and `cancel-in-progress: true` exclude each other")
        return self


class RunDefaults(Strict):
    shell: Shell = ""
    working_directory: Annotated[str, Field(alias="working-directory")] = ""


class Defaults(Strict):
    run: RunDefaults = RunDefaults()


class Strategy(Strict):
    """`matrix` has `include` and names with their values, or is an expression of all that."""

    fail_fast: Annotated[bool, Field(alias="fail-fast")] = True
    max_parallel: Annotated[int | None, Field(alias="max-parallel", ge=1)] = None
    matrix: str | dict[Name, str | list[Any]]

    @model_validator(mode="after")
    def _no_exclude(self) -> Self:
        if isinstance(self.matrix, dict) and "exclude" in self.matrix:
            raise ValueError("I don't know `exclude`")
        return self


class Step(Strict):
    """Either `uses` an action or `run`s a script."""

    name: str = ""
    id: Name | Literal[""] = ""
    condition: Condition = ""
    uses: str = ""
    given: Annotated[Texts, Field(alias="with")] = {}
    env: Texts = {}
    run: str = ""
    shell: Shell = ""
    working_directory: Annotated[str, Field(alias="working-directory")] = ""

    @property
    def title(self) -> str:
        return self.name or f"Run {self.uses or self.run.strip().splitlines()[0]}"

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if bool(self.uses) == bool(self.run.strip()):
            raise ValueError("a step has either `uses` or `run`")
        if self.uses and (self.shell or self.working_directory):
            raise ValueError("`shell` and `working-directory` go with `run`")
        if self.run and self.given:
            raise ValueError("`with` goes with `uses`")
        return self


class Job(Strict):
    name: str = ""
    runs_on: Annotated[Literal["ubuntu-24.04", "ubuntu-latest"], Field(alias="runs-on")]
    needs: Annotated[tuple[str, ...], BeforeValidator(_many)] = ()
    condition: Condition = ""
    timeout_minutes: Annotated[float, Field(alias="timeout-minutes", gt=0)] = 360.0
    environment: str = ""
    permissions: Permissions | None = None
    outputs: dict[Name, str] = {}
    strategy: Strategy | None = None
    env: Texts = {}
    defaults: Defaults = Defaults()
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]


class WorkflowFile(Strict):
    name: str = ""
    run_name: Annotated[str, Field(alias="run-name")] = ""
    on: Annotated[Events, BeforeValidator(_events)]
    permissions: Permissions | None = None
    concurrency: Annotated[Concurrency | None, BeforeValidator(_group)] = None
    env: Texts = {}
    defaults: Defaults = Defaults()
    jobs: Annotated[dict[Name, Job], Field(min_length=1)]

    @property
    def inputs(self) -> dict[str, Input]:
        return self.on.workflow_dispatch.inputs if self.on.workflow_dispatch else {}

    def before(self, key: str) -> frozenset[str]:
        """Every job that `key` waits for, directly or not."""
        direct = frozenset(self.jobs[key].needs)
        return direct.union(*(self.before(need) for need in direct))
