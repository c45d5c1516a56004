"""What a host ran before comes from its job's first step to whoever asks for the history, by way of
GitHub, the function and the client, whatever the length of the other names."""

import asyncio
import json
import re
from pathlib import Path

from fleet_control.api_answer import history, understood
from fleet_control.history import HistoryPage, rows
from fleet_control.host_change import HOST_JOB, changes
from fleet_control.ledger import Entry
from fleet_control.run_title import fit, title
from lambda_fn.github_cache import GitHubCache
from lambda_fn.handler import handler
from lambda_fn.settings import SecretReader
from tests.lambda_fn.events import CHAT_1, CONTROL_TOKEN, InvocationContext, function_url
from tests.sandbox.workflows import FILE, MATRIX, ROLL, TOKEN, github_of

WORKFLOW = Path(__file__).parents[2] / ".github/workflows/fleet-deploy.yml"
OLD, NEW, IDS = f"ami-{'0' * 17}", f"ami-{'f' * 17}", ("a" * 32, "b" * 32)
NAMES = [f"{id_}: {OLD} -> {NEW} @7654321" for id_ in IDS]
LONGEST = fit(
    Entry(
        request_id=".".join(("telegram", "b" * 32, "c" * 20, "d" * 20)),
        reply="r" * 20,
        target=IDS[0],
        ami_override=NEW,
        requested_by=f"telegram:{'1' * 36} {'m' * 32}",
        override="freeze",
    )
)


def workflow() -> str:
    """A small one whose title is what it is given, and whose host jobs are named as the real ones
    are, with the real first step."""
    first = re.search(r"- name: (\"It ran .*\")\n +run: \"true\"\n", WORKFLOW.read_text())
    assert first is not None
    turns = [{"id": id_, "name": name} for id_, name in zip(IDS, NAMES, strict=True)]
    turns[0]["ran"] = "1234567"
    file = MATRIX.replace(
        "run-name: \"${{ inputs.target || '-' }} for ${{ inputs.who || '-' }}\"",
        'run-name: "${{ inputs.who }}"',
    ).replace(ROLL, json.dumps(turns))
    named = file.replace("name: ${{ matrix.id }}", "name: ${{ matrix.name }}")
    head, host, rest = named.partition("  host:\n")
    return head + host + rest.replace("- name: step 0", f"- name: {first[1]}", 1)


def asked(url: str) -> HistoryPage:
    environ = {
        "CONTROL_API_TOKEN": CONTROL_TOKEN,
        "GITHUB_TOKEN": TOKEN,
        "GITHUB_API_URL": url,
        "GITHUB_WORKFLOW": FILE,
    }
    event = function_url({"action": "history"}, CHAT_1)
    answer = handler(event, InvocationContext(), environ, SecretReader(), GitHubCache())
    status, body = answer["statusCode"], answer["body"]
    assert isinstance(status, int)
    assert isinstance(body, str)
    return history(understood(status, body.encode()))


async def test_what_a_host_ran_before_comes_through_beside_the_longest_names(
    tmp_path: Path,
) -> None:
    assert len(title(LONGEST)) == 250
    assert [(len(name), bool(HOST_JOB.fullmatch(name))) for name in NAMES] == [(89, True)] * 2
    async with github_of(workflow(), tmp_path) as github:
        run = await github.ended(await github.dispatch(who=title(LONGEST)))
        assert run["display_title"] == title(LONGEST)
        page = await asyncio.to_thread(asked, github.github.url)

    (found,) = page.runs
    assert (found.target, found.override, found.reply) == (IDS[0], "freeze", "r" * 20)
    assert [(one.id, one.old_revision, one.new_revision) for one in changes(found)] == [
        (IDS[0], "1234567", "7654321"),
        (IDS[1], "", "7654321"),
    ]
    (row,) = rows(page)
    assert row.result == "done"
