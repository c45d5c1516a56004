"""A state that somebody else holds, and an engine that is killed while it holds it."""

import json
import re
import shlex
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox.tofu.__main__ import main as stand_in
from tests.engine.site import NEW, ONE, THREE, TWO, EngineSite

LOCK = "clawdinator-tofu-state/fleet.tfstate"
HELD = {
    "ID": "11111111-2222-3333-4444-555555555555",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "sam@laptop",
    "Version": "1.12.6",
    "Created": "2026-11-24T08:00:00Z",
    "Path": LOCK,
}


@pytest.fixture
def impatient(site: EngineSite, tmp_path: Path) -> Iterator[str]:
    """The engine, waiting four seconds for a lock where a run has it wait five minutes."""
    engine = shlex.quote(site.runner.environ["TOFU"])
    launcher = tmp_path / "tofu"
    launcher.write_text(f'#!/bin/bash\nexec {engine} "${{@/#-lock-timeout=5m/-lock-timeout=4s}}"\n')
    launcher.chmod(0o755)
    yield str(launcher)
    _release(site)


def _hold(site: EngineSite, lock: Mapping[str, str] = HELD) -> None:
    client = site.client("dynamodb")
    client.put_item(
        TableName="clawdinator-tofu-lock",
        Item={"LockID": {"S": LOCK}, "Info": {"S": json.dumps(lock)}},
    )
    client.close()


def _release(site: EngineSite) -> None:
    client = site.client("dynamodb")
    client.delete_item(TableName="clawdinator-tofu-lock", Key={"LockID": {"S": LOCK}})
    client.close()


def test_a_run_waits_for_a_lock_that_another_keeps_then_fails_in_words(
    site: EngineSite, impatient: str, capfd: pytest.CaptureFixture[str]
) -> None:
    before = site.settles()
    _hold(site)

    assert site.deploys(TARGET=TWO, TOFU=impatient) == 1
    # The engine says so once it has to wait; with no time to wait it fails before.
    assert "Acquiring state lock." in capfd.readouterr().out
    assert before == site.runner.hosts()
    assert "sam@laptop" in site.runner.summary
    assert "/fleet unlock" in site.runner.summary


def test_a_run_goes_on_when_the_lock_is_released_in_time(site: EngineSite, tmp_path: Path) -> None:
    before = site.settles()
    _hold(site)
    planning, telling = tmp_path / "planning", tmp_path / "tofu"
    engine = shlex.quote(site.runner.environ["TOFU"])
    telling.write_text(f'#!/bin/bash\n[ "$2" = plan ] && touch {planning}\nexec {engine} "$@"\n')
    telling.chmod(0o755)
    over = threading.Event()

    def release_while_it_waits() -> bool:
        while not planning.exists():
            if over.wait(0.1):
                return False
        over.wait(3)
        _release(site)
        return not over.is_set()

    with ThreadPoolExecutor() as beside:
        released = beside.submit(release_while_it_waits)
        try:
            code = site.deploys(TARGET=TWO, TOFU=str(telling))
        finally:
            over.set()
            _release(site)
    after = site.runner.hosts()

    assert code == 0
    assert released.result()

    assert before | {TWO: after[TWO]} == after
    assert after[TWO][1] == NEW


def test_both_locks_are_taken(site: EngineSite) -> None:
    """The table is the one that was promised, the file the one that OpenTofu prefers."""
    site.settles()
    s3 = site.client("s3")
    s3.put_object(
        Bucket="clawdinator-tofu-state", Key="fleet.tfstate.tflock", Body=json.dumps(HELD).encode()
    )
    refused = site.account.ask(
        "tofu -chdir=tofu/fleet plan -input=false -no-color -lock-timeout=0s 2>&1; test $? -eq 1",
        TF_VAR_ami=NEW,
        TF_VAR_control_api_url="https://example.test/",
    )
    s3.delete_object(Bucket="clawdinator-tofu-state", Key="fleet.tfstate.tflock")
    s3.close()

    assert "sam@laptop" in refused


def test_the_stand_in_names_a_lock_as_the_engine_does(
    site: EngineSite, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.settles()
    s3 = site.client("s3")
    where = {"Bucket": "clawdinator-tofu-state", "Key": "fleet.tfstate.tflock"}
    s3.put_object(**where, Body=json.dumps(HELD).encode())
    _hold(site)
    words = "force-unlock -no-color -force whose"
    refused = site.account.ask(f"tofu -chdir=tofu/fleet {words} 2>&1; test $? -eq 1")
    _release(site)
    s3.delete_object(**where)
    s3.close()

    environ = site.account.environ
    backend = ("bucket=clawdinator-tofu-state", "dynamodb_table=clawdinator-tofu-lock")
    assert (
        stand_in(["init", *(f"-backend-config={one}" for one in backend)], environ, tmp_path) == 0
    )
    _hold(site)
    code = stand_in(words.split(), environ, tmp_path)
    _release(site)

    assert code == 1
    assert "  Who:       sam@laptop" in _told(refused)
    assert _told(refused) == _told(capsys.readouterr().err)


def _told(said: str) -> list[str]:
    """What it says of the lock: seven lines."""
    return [line.rstrip() for line in said.partition("Lock Info:\n")[2].splitlines()[:7]]


def test_a_digest_that_does_not_match_is_told_and_its_value_mends_it(site: EngineSite) -> None:
    before = site.settles()
    _write_digest(site, "0" * 32)

    assert site.deploys(TARGET=TWO) == 1
    (right,) = re.findall(r"it should be ([0-9a-f]{32})\)", site.runner.summary)
    assert before == site.runner.hosts()

    _write_digest(site, right)
    assert site.deploys(TARGET=TWO) == 0


def _write_digest(site: EngineSite, digest: str) -> None:
    """As the runbook has it written."""
    client = site.client("dynamodb")
    client.put_item(
        TableName="clawdinator-tofu-lock",
        Item={"LockID": {"S": f"{LOCK}-md5"}, "Digest": {"S": digest}},
    )
    client.close()


@pytest.mark.parametrize("moment", ["destroying", "creating"])
def test_the_next_deploy_recovers_from_an_engine_killed_in_the_middle(
    site: EngineSite, tmp_path: Path, moment: str
) -> None:
    site.settles()
    killer = _killed_when(
        site, tmp_path, {"destroying": "Destroying...", "creating": "Creating..."}[moment]
    )

    assert site.deploys(TARGET=TWO, TOFU=killer) == 1
    assert site.deploys(TARGET=TWO) == 0
    after = site.runner.hosts()

    assert {ONE, TWO, THREE} == set(after)
    assert after[TWO][1] == NEW
    assert not site.differs("fleet")


@pytest.mark.parametrize("command", ["apply", "plan"])
def test_a_lock_that_a_killed_engine_left_is_told_with_what_releases_it(
    site: EngineSite, tmp_path: Path, impatient: str, command: str
) -> None:
    """Its job can't give it back, and still lives; a person does as is said, by the lock's id."""
    before = site.settles()
    killer = _killed_when(site, tmp_path, WORDS[command], command, releases="false")

    assert site.deploys(TARGET=TWO, TOFU=killer) == 1
    said = site.runner.summary
    left = re.search(r"release it: /fleet unlock \(lock ([0-9a-f-]{36})\)\.", said)
    assert f"OpenTofu's {command} was killed (signal 9). Its lock is not given back: " in said
    assert left
    assert site.deploys(TARGET=TWO, TOFU=impatient) == 1
    assert "which has ended, but what it began may not have" in site.runner.summary

    assert site.deploys(OPERATION="unlock", TARGET=left[1]) == 0, site.runner.summary
    assert site.deploys(TARGET=TWO) == 0, site.runner.summary
    assert before.keys() == site.runner.hosts().keys()
    assert not site.differs("fleet")


def test_a_plan_that_is_killed_leaves_no_lock(site: EngineSite, tmp_path: Path) -> None:
    before = site.settles()

    assert site.deploys(TARGET=TWO, TOFU=_killed_when(site, tmp_path, WORDS["plan"], "plan")) == 1
    assert "was killed (signal 9). Its lock on the state is given back: " in site.runner.summary
    assert before == site.runner.hosts()
    assert site.deploys(TARGET=TWO) == 0


@pytest.mark.parametrize("created", [None, "0001-01-01T00:00:00Z"])
def test_a_lock_without_a_date_is_told_without_one(
    site: EngineSite, impatient: str, created: str | None
) -> None:
    site.settles()
    _hold(site, {key: one for key, one in (HELD | {"Created": created}).items() if one})

    assert site.deploys(TARGET=TWO, TOFU=impatient) == 1
    assert "sam@laptop has held the lock on the state. No job of a deploy" in site.runner.summary


def test_a_machine_in_the_place_of_the_one_that_was_left_is_not_adopted(
    site: EngineSite, tmp_path: Path
) -> None:
    site.settles()
    assert site.deploys(TARGET=TWO, TOFU=_killed_when(site, tmp_path, "Creating...")) == 1
    left = site.runner.hosts()[TWO][0]
    site.runner.ec2.terminate_instances(InstanceIds=[left])
    strange = site.runner.launches(TWO)

    assert site.deploys(TARGET=TWO) == 1
    assert f"The state does not know {strange}, which EC2 shows as {TWO}" in site.runner.summary
    assert site.runner.hosts()[TWO][0] == strange
    assert strange not in site.account.ask("tofu -chdir=tofu/fleet state pull")
    site.runner.ec2.terminate_instances(InstanceIds=[strange])


# What the engine says when it has the lock and is at work.
WORDS = {"apply": "Creating...", "plan": "Refreshing state..."}


def _killed_when(
    site: EngineSite, folder: Path, word: str, command: str = "apply", releases: str = "true"
) -> str:
    """The engine, killed outright in this command, two seconds after it says this of the host;
    `releases` whether it gives a lock back when told to."""
    engine = shlex.quote(site.runner.environ["TOFU"])
    program = folder / "killed-tofu"
    program.write_text(
        f"""#!/bin/bash
if [ "$2" = force-unlock ] && ! {releases}; then exec {engine} "${{@:1:$#-1}}" whose; fi
if [ "$2" != {command} ]; then exec {engine} "$@"; fi
exec 3< <(exec {engine} "$@"); engine=$!
while read -r line <&3; do
  echo "$line"
  if [[ $line == *'aws_instance.clawdinator["{TWO}"]'*'{word}'* ]]; then
    sleep {0 if command == "plan" else 2}; kill -KILL $engine; kill -KILL $$
  fi
done
"""
    )
    program.chmod(0o755)
    return str(program)
