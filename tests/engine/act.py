"""`act`, another reader of the workflow file: it runs the jobs as processes of this machine."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from sandbox.actions import STAND_IN
from sandbox.engine import cache
from sandbox.run_record import PERSON
from sandbox.sandbox import CHECKOUT, REPO, WORKFLOW, Sandbox

VERSION = "0.2.89"
_TOKEN = "ghs_act"


def found() -> Path:
    """From PATH or the cache, else built with Go; without it, skips, or under CI fails."""
    on_path = shutil.which("act")
    if on_path and _version(on_path) == VERSION:
        return Path(on_path)
    built = cache(os.environ) / f"act-{VERSION}" / "act"
    missing = "" if built.is_file() else _build(built)
    if not missing:
        return built
    if os.environ.get("CI") == "true":
        pytest.fail(f"Under CI there must be an act. {missing}")
    pytest.skip(missing)


def _version(program: str) -> str:
    command = [program, "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  (found by its name)
    return done.stdout.rpartition(" ")[2].strip()


def _build(built: Path) -> str:
    """Why it could not be built, or nothing."""
    go = shutil.which("go")
    if not go:
        return f"act {VERSION} is built with Go, and there is no `go`."
    command = [go, "install", f"github.com/nektos/act@v{VERSION}"]
    done = subprocess.run(  # noqa: S603  (fixed)
        command, env={**os.environ, "GOBIN": str(built.parent)}, capture_output=True, check=False
    )
    return f"act {VERSION} can't be built: {done.stderr[-300:].decode()}" if done.returncode else ""


@dataclass(frozen=True)
class ActCheckout:
    """act in a checkout of its own, against `sandbox`."""

    program: Path
    folder: Path
    sandbox: Sandbox

    async def run(self, inputs: Mapping[str, str]) -> dict[str, str]:
        """What became of each job, by its name."""
        self._lay_out(inputs)
        self.sandbox.github.runner.context.tokens[_TOKEN] = {"actions": "read", "contents": "read"}
        process = await asyncio.create_subprocess_exec(
            *self._command(),
            cwd=self.folder / "checkout",
            env=self._environ(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        said, _ = await process.communicate()
        (self.folder / "act.log").write_bytes(said)
        return _results(said.decode(errors="replace"))

    def _lay_out(self, inputs: Mapping[str, str]) -> None:
        checkout = self.folder / "checkout"
        repository = self.sandbox.github.runner.context.repository
        repository.check_out("main", checkout, with_history=True)
        text = (CHECKOUT / WORKFLOW).read_text()
        # act knows neither the queue nor another GitHub than the one on the internet.
        text = text.replace("  queue: max\n", "")
        token = "          GITHUB_TOKEN: ${{ github.token }}\n"
        assert token in text
        url = f"          GITHUB_API_URL: {self.sandbox.github.url}\n"
        (checkout / WORKFLOW).write_text(text.replace(token, token + url))
        event = {"ref": "refs/heads/main", "inputs": dict(inputs)}
        (self.folder / "event.json").write_text(json.dumps(event))
        for name, action in self._actions().items():
            place = self.folder / "actions" / name
            place.mkdir(parents=True, exist_ok=True)
            (place / "action.yml").write_text(json.dumps(action))
        for command in (
            ["git", "checkout", "--quiet", "-B", "main"],
            ["git", "remote", "set-url", "origin", f"https://github.com/{REPO}"],
            ["git", "-c", "user.name=a", "-c", "user.email=a@example.test", "commit", "--quiet",
             "--allow-empty", "--message=x"],
        ):  # fmt: skip
            subprocess.run(command, cwd=checkout, check=True)  # noqa: S603  (fixed)

    def _actions(self) -> dict[str, object]:
        """Stand-ins by name: what each leaves behind, and nothing it does."""
        tofu = self.folder / "bin"
        tofu.mkdir(exist_ok=True)
        launcher = tofu / "tofu"
        path = f"{CHECKOUT}:{CHECKOUT / 'skills'}"
        launcher.write_text(f'#!/bin/sh\nPYTHONPATH={path} exec {" ".join(STAND_IN)} "$@"\n')
        launcher.chmod(0o755)
        role = self.sandbox.seeded.deployer.environ | {"AWS_REGION": self.sandbox.seeded.region}
        lines = " ".join(f"'{name}={value}'" for name, value in role.items())
        commit = "echo commit=$(git rev-parse HEAD)"
        copied = f'cp -r "{self.folder}/checkout/." .; {commit} >> "$GITHUB_OUTPUT"'
        return {
            "checkout": _composite(copied, {"commit": "${{ steps.one.outputs.commit }}"}),
            "setup-opentofu": _composite(f'echo {tofu} >> "$GITHUB_PATH"'),
            "configure-aws-credentials": _composite(f'printf "%s\\n" {lines} >> "$GITHUB_ENV"'),
        }

    def _command(self) -> list[str]:
        runner = self.sandbox.github.runner.context
        command = [str(self.program), "workflow_dispatch", "--json", "--no-skip-checkout"]
        command += ["-W", WORKFLOW, "-e", str(self.folder / "event.json")]
        command += ["-P", "ubuntu-24.04=-self-hosted", "--action-offline-mode"]
        command += ["--actor", PERSON.login]
        command += ["-s", f"GITHUB_TOKEN={_TOKEN}"]
        for name, value in runner.variables.items():
            command += ["--var", f"{name}={value}"]
        environ = dict(runner.environ) | {
            "GITHUB_WORKFLOW_REF": f"{REPO}/{WORKFLOW}@refs/heads/main",
            "GITHUB_RUN_ATTEMPT": "1",
            "GITHUB_ACTOR_ID": str(PERSON.id),
            "GITHUB_TRIGGERING_ACTOR": PERSON.login,
        }
        for name, value in environ.items():
            command += ["--env", f"{name}={value}"]
        for uses in sorted(_used()):
            name = uses.partition("@")[0].rpartition("/")[2]
            command += ["--local-repository", f"{uses}={self.folder / 'actions' / name}"]
        return command

    def _environ(self) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        path = os.pathsep.join(self.sandbox.github.runner.context.path)
        return {"PATH": path, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}


def _composite(command: str, outputs: Mapping[str, str] | None = None) -> dict[str, object]:
    named = {name: {"description": name, "value": one} for name, one in (outputs or {}).items()}
    step = {"id": "one", "shell": "bash", "run": command}
    return {
        "name": "stand-in",
        "description": "stand-in",
        "outputs": named,
        "runs": {"using": "composite", "steps": [step]},
    }


def _used() -> set[str]:
    file = yaml.safe_load((CHECKOUT / WORKFLOW).read_text())
    steps = (step for job in file["jobs"].values() for step in job["steps"])
    return {step["uses"] for step in steps if "uses" in step}


def _results(said: str) -> dict[str, str]:
    results = {}
    for line in said.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict) and "jobResult" in entry:
            # act numbers the jobs of a matrix; their entries tell them apart.
            job = entry["matrix"].get("name") or entry["jobID"]
            results[str(job)] = str(entry["jobResult"])
    return results
