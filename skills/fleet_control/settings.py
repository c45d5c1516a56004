"""How a host's programs learn their settings: each from its variable, else from its file."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from fleet_control.error import SettingsError

SECRETS = "run/agenix"
# What a shell, a chat and a word processor put around a text; the last are curly ones.
_QUOTES = ('""', "''", "``", "«»", "\u201c\u201d", "\u201e\u201c", "\u2018\u2019")

T = TypeVar("T")


class HostFile(NamedTuple):
    """What a setting's file is called below the root folder; `named` if the setting is its path."""

    path: str
    named: bool = False


class HostSource(PydanticBaseSettingsSource):
    """Looks for a program's settings in `environ`, then in the files below `root`.

    Attributes:
        found: the settings that are there, in the order of the fields.
        places: where each was looked for, in words.
        problems: a sentence for each that can't be had, or is wrong.
    """

    def __init__(
        self, settings_cls: "type[HostSettings]", environ: Mapping[str, str], root: Path
    ) -> None:
        super().__init__(settings_cls)
        self._kind = settings_cls
        self._environ = environ
        self._root = root
        self.found: dict[str, Any] = {}
        self.places: dict[str, str] = {}
        self.problems: dict[str, str] = {}

    def __call__(self) -> dict[str, Any]:
        for name, field in self._kind.model_fields.items():
            value, _, _ = self.get_field_value(field, name)
            if value:
                self.found[name] = value
        if self.config.get("extra") == "forbid":
            self._refuse_slips()
        return self.found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """An empty variable counts as not set."""
        variable = self.places[field_name] = self._variable(field_name)
        file, needed = self.file(field, field_name), self.is_needed(field, field_name)
        value: Path | str = _Unshown(self._environ.get(variable, "").strip())
        if not value and file:
            value = self._lying(file, field_name, needed=needed)
        if isinstance(value, str) and unquoted(value) is not None:
            self.refuse(field_name, "stands in quotes", "leave them out")
            return "", field_name, False
        if not value and needed:
            self.refuse(field_name, "is not there" if file else "is not set")
        return value, field_name, False

    def file(self, field: FieldInfo, _name: str) -> HostFile | None:
        """Where a setting lies, as far as what was found before tells."""
        return next((one for one in field.metadata if isinstance(one, HostFile)), None)

    def is_needed(self, field: FieldInfo, _name: str) -> bool:
        return field.is_required()

    def refuse(self, name: str, why: str, right: str = "") -> None:
        """Tell why it can't be had or is wrong, once a setting, and what would be right."""
        right = right or f"it must be {self._kind.model_fields[name].description}"
        self.problems.setdefault(name, f"{self.places[name]} {why}: {right}")

    def _lying(self, file: HostFile, name: str, *, needed: bool) -> Path | str:
        path = self._path(file)
        self.places[name] += f" is not set, and {path}"
        try:
            if file.named:
                return path if needed or path.exists() else ""
            text = _Unshown(first_line(path.read_text()))
            if not text:
                self.refuse(name, "is empty")
            return text
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except PermissionError:
            whom = f"ask as the {self._kind.user}'s user, or as root"
            self.refuse(name, "is not yours to read", whom)
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "it is not text"
            self.refuse(name, f"can't be read ({why})")
        return ""

    def _path(self, file: HostFile) -> Path:
        """systemd hands a service its secrets in a folder of its own."""
        path = self._root / file.path
        folder = self._environ.get("CREDENTIALS_DIRECTORY")
        if not folder or path.parent != self._root / SECRETS:
            return path
        handed = Path(folder, path.name)
        return handed if handed.exists() else path

    def _refuse_slips(self) -> None:
        """Variables of our prefix that nobody reads are slips of the pen, surely."""
        names = (*self._kind.model_fields, *self._kind.read_elsewhere)
        known = [self._variable(name) for name in names]
        for variable, value in self._environ.items():
            if variable.startswith(self._variable("")) and value.strip() and variable not in known:
                near = get_close_matches(variable[:60], known, n=1)
                meant = f"; did you mean {near[0]}?" if near else ""
                self.problems[variable] = f"{variable[:60]} is no setting{meant}"

    def _variable(self, name: str) -> str:
        return f"{self.config['env_prefix']}{name.upper()}"


class HostSettings(BaseSettings):
    """The settings of one program; the description of a field says what is valid.

    Attributes:
        user: whose user the program runs as.
        read_elsewhere: what else its prefix stands before, spelt like a field.
    """

    model_config = SettingsConfigDict(
        frozen=True, hide_input_in_errors=True, validate_default=False
    )
    user: ClassVar[str]
    read_elsewhere: ClassVar[tuple[str, ...]] = ()
    source: ClassVar[type[HostSource]] = HostSource

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003  (the library's signature)
        init_settings: PydanticBaseSettingsSource,
        *_: PydanticBaseSettingsSource,
        **__: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings()["source"],)

    def __init__(self, source: HostSource) -> None:
        super().__init__(source=source)

    @classmethod
    def of(cls, environ: Mapping[str, str], root: Path) -> Self:
        """What is set there; SettingsError has a sentence for each that is missing or wrong."""
        source = cls.source(cls, environ, root)
        try:
            settings = cls(source)
        except ValidationError as error:
            for detail in error.errors():
                # Of the library's own words some quote the value; ours don't.
                ours = detail["ctx"]["error"] if detail["type"] == "value_error" else ""
                source.refuse(str(detail["loc"][0]), "is wrong", str(ours))
        if source.problems:
            raise SettingsError(list(source.problems.values()))
        return settings


class _Unshown(str):
    """A value that shows in no log: the library can be told to tell there what a source found."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "…"


def unquoted(text: str) -> str | None:
    """What stands between the quotes that a text begins and ends with; None where it has none."""
    ends = (text[:1], text[-1:])
    within = text[1:-1]
    if len(text) > 1 and "".join(ends) in _QUOTES and not any(end in within for end in ends):
        return within
    return None


def first_line(text: str) -> str:
    """The first that is not blank: a secret may hold its successor in the next."""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def holds(is_right: Callable[[str], object]) -> AfterValidator:
    """A check of a value's text; the field's description says what would be right."""

    def checked(value: T) -> T:
        text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
        if not is_right(text):
            raise ValueError
        return value

    return AfterValidator(checked)


def setting(right: str, default: Any = ..., **limits: Any) -> Any:
    """A field; `right` says what is valid."""
    return Field(default, description=right, **limits)


def _is_private_url(text: str) -> bool:
    """Whether what is sent there, a token among it, crosses no network in the clear."""
    parts = urlsplit(text)
    return parts.scheme == "https" or parts.hostname in ("127.0.0.1", "localhost", "::1")


# What every program of a host has.
INSTANCE = HostFile("etc/clawdinator/instance")
# From the seed of the host's revision, and as old: so it serves only when the source is away.
REGISTRY = HostFile("var/lib/clawd/repos/clawdinators/nix/instances.json", named=True)
PrivateUrl = Annotated[HttpUrl, holds(_is_private_url)]
Ec2Url = Annotated[
    PrivateUrl | None, setting("an EC2 endpoint, https://… (http:// to this machine only)")
]
Secret = Annotated[SecretStr, holds(re.compile(r"[\x21-\x7e]+").fullmatch)]
Region = Annotated[
    str,
    holds(re.compile(r"[a-z]{2}(-[a-z]+)+-\d").fullmatch),
    HostFile("etc/clawdinator/region"),
    setting("the fleet's AWS region, as in eu-central-1"),
]
ControlApiUrl = Annotated[
    PrivateUrl,
    HostFile("etc/clawdinator/control-api-url"),
    setting("the Control API's Function URL, https://… (http:// to this machine only)"),
]
ControlToken = Annotated[
    Secret,
    BeforeValidator(first_line),
    HostFile(f"{SECRETS}/clawdinator-control-token"),
    setting("the shared control token, one line of printable characters without spaces"),
]
