"""The stand-ins for the three GitHub actions: their outputs, and the inputs they demand."""

from pathlib import Path

import pytest

from tests.sandbox.script_pipe import ScriptPipe
from tests.sandbox.workflows import HEAD, ApiClient, github_of, job, steps

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
SETUP = "opentofu/setup-opentofu@a1320f892987e89d278cc92dc5adc984fb93aca4"
AWS = "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c"
OURS = f"id: c\nuses: {CHECKOUT}\nwith: {{ref: '${{{{ github.ref }}}}'}}"
ENGINE = f"uses: {SETUP}\nwith: {{tofu_version_file: there, tofu_wrapper: false}}"
REGION = "aws-region: '${{ vars.AWS_REGION }}'"
TAKE = f"uses: {AWS}\nwith: {{{REGION}, role-to-assume: '${{{{ vars.AWS_REGION }}}}'}}"
ROLE = "{id-token: write}"


def registry_is(github: ApiClient, text: str) -> None:
    (github.folder / "instances.json").write_text(text)


async def test_a_checkout_lays_the_repository_and_its_registry(tmp_path: Path) -> None:
    file = steps(
        OURS,
        'run: cat there nix/instances.json; echo; test "$COMMIT" = "$GITHUB_SHA" && echo same\n'
        "env: {COMMIT: '${{ steps.c.outputs.commit }}'}",
    )
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == ("success", ["a file of the repository{}", "same"])


async def test_a_branch_is_what_it_is_when_it_is_checked_out(tmp_path: Path) -> None:
    witness = ScriptPipe(tmp_path)
    async with github_of(
        steps(f"run: cat {witness.pipe}", OURS, "run: cat nix/instances.json"), tmp_path
    ) as github:
        run_id = await github.dispatch()
        registry_is(github, "later")
        await witness.says_go_on()
        await github.ended(run_id)

        assert github.said(run_id)[-1] == "later"


def two_jobs(*first: str) -> str:
    """The second checks out what the first one's step `c` named."""
    planned = OURS.replace("github.ref", "needs.first.outputs.commit")
    outputs = "{commit: '${{ steps.c.outputs.commit }}'}"
    then = 'run: echo " then $(cat nix/instances.json)"'
    jobs = job("first", *first, outputs=outputs), job("second", planned, then, needs="first")
    return HEAD + "".join(jobs)


async def test_a_commit_that_was_checked_out_stays_what_it_was(tmp_path: Path) -> None:
    changing = f"run: cat nix/instances.json; echo changed > {tmp_path / 'instances.json'}"
    async with github_of(two_jobs(OURS, changing), tmp_path) as github:
        assert await github.outcome() == ("success", ["{}", " then {}"])


async def test_a_commit_that_never_was_is_none(tmp_path: Path) -> None:
    file = two_jobs("id: c\nrun: echo commit=0123 >> $GITHUB_OUTPUT")
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == (
            "failure",
            ["##[error]actions/checkout: there is no branch or commit `0123`"],
        )


async def test_a_registry_that_is_gone_is_gone_from_the_checkout(tmp_path: Path) -> None:
    file = steps(OURS, "run: ls nix | grep json; echo end")
    async with github_of(file, tmp_path) as github:
        (tmp_path / "checkout" / "nix" / "instances.json").write_text("the checkout's own")
        (tmp_path / "instances.json").unlink()

        assert await github.outcome() == ("success", ["facts.json", "end"])


async def test_the_engine_is_on_the_path(tmp_path: Path) -> None:
    async with github_of(steps(OURS, ENGINE, "run: tofu init"), tmp_path) as github:
        assert await github.outcome() == ("success", ["engine init"])


async def test_the_role_comes_with_its_keys_and_none_is_shown(tmp_path: Path) -> None:
    said = "run: echo $AWS_REGION $AWS_DEFAULT_REGION ${#AWS_SECRET_ACCESS_KEY}"
    async with github_of(steps(TAKE, said, permissions=ROLE), tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)

        assert github.said(run_id) == ["eu-central-1 eu-central-1 6"]
        assert "  AWS_SECRET_ACCESS_KEY: ***" in github.log(run_id)
        assert "sk-123" not in "\n".join(github.log(run_id))


@pytest.mark.parametrize(
    ("step", "keys", "sentence"),
    [
        (OURS, {"permissions": "{actions: read}"}, "no permission `contents: read`"),
        (f"uses: {CHECKOUT}\nwith: {{persist-credentials: false}}", {}, "`ref` must be set"),
        (OURS.replace("github.ref", "needs.none.outputs.x"), {}, "`ref` must be set"),
        (ENGINE.replace(", tofu_wrapper: false", ""), {}, "`tofu_wrapper` must be set"),
        (ENGINE.replace("there", "none"), {}, "`none` is not there"),
        (TAKE, {}, "no permission `id-token: write`"),
        (
            TAKE,
            {"permissions": ROLE, "environment": "image"},
            "the role trusts the environment `fleet`",
        ),
        (f"uses: {AWS}\nwith: {{{REGION}}}", {"permissions": ROLE}, "`role-to-assume` must be set"),
        (
            TAKE.replace(REGION, "aws-region: '${{ vars.NONE }}'"),
            {"permissions": ROLE},
            "`aws-region` must be set",
        ),
    ],
)
async def test_what_an_action_lacks_fails_its_step_with_a_sentence(
    step: str, keys: dict[str, str], sentence: str, tmp_path: Path
) -> None:
    async with github_of(steps(step, **keys), tmp_path) as github:
        conclusion, (said,) = await github.outcome()

    assert conclusion == "failure"
    assert said.startswith("##[error]")
    assert sentence in said
