"""The real engine: OpenTofu, or terraform where there is none; and where its provider lies."""

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
MODULE = CHECKOUT / "tofu" / "engine"
VERSION = (CHECKOUT / ".opentofu-version").read_text().strip() if MODULE.is_dir() else ""
# What the roots pin; any other in a mirror is of no use.
_PIN = re.compile(r'version *= *"= ([0-9.]+)"')
_COMMAND = "github.com/opentofu/opentofu/cmd/tofu"
_SAYS_VERSION = "OpenTofu v"
_FLAGS = "-s -w -X github.com/opentofu/opentofu/version.dev=no"

# Where added software usually lies, one's own first.
_PREFIXES = (
    "~/.terraform.d",
    "~/.local/share",
    "/opt",
    "/usr/local",
    "/usr/share",
    "/usr/lib",
    "/var/lib",
)
_DEPTH = 4
_REGISTRIES = ("registry.opentofu.org", "registry.terraform.io")
_PROVIDER = Path("hashicorp/aws")
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64"}


class NoEngine(RuntimeError):
    """There is none, and why; the message is a sentence."""


@dataclass(frozen=True, slots=True)
class TofuEngine:
    """A program that applies `tofu/`.

    Attributes:
        environ: what it must run with beside its caller's environment.
    """

    program: Path
    environ: Mapping[str, str]

    @property
    def is_tofu(self) -> bool:
        """Whether it is OpenTofu, which alone reads the `.tofu` files."""
        return self.program.name == "tofu"


def cache(environ: Mapping[str, str]) -> Path:
    """The folder for built engines, outside every work tree, for all checkouts to find."""
    base = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".cache"
    return Path(base) / "clawbot"


def find(environ: Mapping[str, str]) -> TofuEngine:
    """OpenTofu of the pinned version from PATH or the cache, else terraform; NoEngine."""
    path = environ.get("PATH", os.defpath)
    built = _built(environ)
    tofu = shutil.which("tofu", path=path)
    if tofu and _version(tofu) == VERSION:
        return with_provider(Path(tofu), environ)
    if built.is_file():
        return with_provider(built, environ)
    terraform = shutil.which("terraform", path=path)
    if terraform:
        return with_provider(Path(terraform), environ)
    raise NoEngine(
        f"There is no OpenTofu {VERSION}: `make tofu` builds one where there is Go, and one on "
        "PATH is taken. Nor is there a terraform to fall back on."
    )


def build(environ: Mapping[str, str]) -> Path:
    """Build the pinned OpenTofu where it is not there yet; NoEngine where that can't be."""
    built = _built(environ)
    tofu = shutil.which("tofu", path=environ.get("PATH", os.defpath))
    if tofu and _version(tofu) == VERSION:
        return Path(tofu)
    if built.is_file():
        return built
    go = shutil.which("go", path=environ.get("PATH", os.defpath))
    if not go:
        raise NoEngine(f"OpenTofu {VERSION} is built with Go 1.26.6 or newer; there is no `go`.")
    built.parent.mkdir(parents=True, exist_ok=True)
    unfinished = built.with_name(f"tofu.{os.getpid()}")
    command = [go, "build", "-trimpath", "-ldflags", _FLAGS, "-o", str(unfinished), _COMMAND]
    with subprocess.Popen(command, cwd=MODULE, env=dict(environ)) as process:  # noqa: S603  (fixed)
        _say_while(process, f"building OpenTofu {VERSION} (once; about five minutes)")
    if process.returncode:
        raise NoEngine(f"OpenTofu {VERSION} could not be built: `go build` ended badly.")
    unfinished.replace(built)
    return built


def _built(environ: Mapping[str, str]) -> Path:
    return cache(environ) / f"opentofu-{VERSION}" / "tofu"


def _version(program: str) -> str:
    try:
        said = subprocess.run(  # noqa: S603  (found on PATH by its name)
            [program, "version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
    # It may have warnings to print first.
    lines = (line for line in said.splitlines() if line.startswith(_SAYS_VERSION))
    return next(lines, "").removeprefix(_SAYS_VERSION).strip()


def _say_while(process: "subprocess.Popen[bytes]", what: str) -> None:
    began = time.monotonic()
    while True:
        sys.stderr.write(f"{what}: {time.monotonic() - began:.0f} s\n")
        sys.stderr.flush()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            continue
        return


def with_provider(program: Path, environ: Mapping[str, str] = os.environ) -> TofuEngine:
    """The engine with a configuration of its own: the user's may name a file that is not there."""
    folder = cache(environ) / "provider"
    folder.mkdir(parents=True, exist_ok=True)
    registry = _REGISTRIES[0 if program.name == "tofu" else 1]
    source = next(_packages(environ), None)
    file = folder / f"{registry}.tfrc"
    if source is None:
        text = "# No mirror was found: the provider comes from its registry.\n"
    else:
        _mirror(folder, registry, source)
        text = (
            f'provider_installation {{\n  filesystem_mirror {{\n    path = "{folder}"\n  }}\n}}\n'
        )
    _write(file, text)
    return TofuEngine(program, {"TF_CLI_CONFIG_FILE": str(file), "CHECKPOINT_DISABLE": "1"})


def _mirror(folder: Path, registry: str, source: Path) -> None:
    """Show the package under this registry's name; only the last folder may be a symlink."""
    package = folder / registry / _PROVIDER / source.parent.name / source.name
    if package.is_symlink() and package.readlink() == source:
        return
    package.parent.mkdir(parents=True, exist_ok=True)
    unfinished = package.with_name(f"{package.name}.{os.getpid()}")
    unfinished.symlink_to(source)
    unfinished.replace(package)


def _packages(environ: Mapping[str, str]) -> Iterator[Path]:
    """Folders that hold the pinned AWS provider for this machine."""
    pinned = _PIN.search((CHECKOUT / "tofu" / "fleet" / "main.tf").read_text())
    system = f"{platform.system().lower()}_{_MACHINES.get(platform.machine(), platform.machine())}"
    for provider in _mirrors(environ):
        package = provider / (pinned[1] if pinned else "none is pinned") / system
        if package.is_dir():
            yield package


def _mirrors(environ: Mapping[str, str]) -> Iterator[Path]:
    home = environ.get("HOME", "/")
    for prefix in _PREFIXES:
        place = Path(prefix.replace("~", home, 1))
        for depth in range(_DEPTH):
            for registry in _REGISTRIES:
                yield from place.glob(f"{'*/' * depth}{registry}/{_PROVIDER}")


def _write(file: Path, text: str) -> None:
    """Replace the file as a whole, since another process may be reading it."""
    unfinished = file.with_name(f"{file.name}.{os.getpid()}")
    unfinished.write_text(text)
    unfinished.replace(file)


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build(os.environ)}\n")
    except NoEngine as error:
        sys.exit(str(error))
