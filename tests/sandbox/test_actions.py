"""The three actions that are played: what they give, what they demand."""

from pathlib import Path

import pytest

from tests.sandbox.workflows import HEAD, Client, github_of, steps

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
SETUP = "opentofu/setup-opentofu@a1320f892987e89d278cc92dc5adc984fb93aca4"
AWS = "aws-actions/configure-aws-credentials@e6de054238d6b7531b4efff3b6587d9aade6a06c"
READ = "    permissions: {contents: read}"
ROLE = "    permissions: {id-token: write}\n    environment: fleet"
TAKE = f"uses: {AWS}\nwith: {{aws-region: '${{{{ vars.AWS_REGION }}}}', role-to-assume: 'arn:x'}}"


def registry_is(github: Client, text: str) -> None:
    (github.folder / "instances.json").write_text(text)


async def test_a_checkout_lays_the_repository_and_its_registry(tmp_path: Path) -> None:
    file = steps(
        f"id: c\nuses: {CHECKOUT}\nwith: {{persist-credentials: false, fetch-depth: 1}}",
        "run: cat there nix/instances.json; echo; echo ${{ steps.c.outputs.commit == github.sha }}",
        job=READ,
    )
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == ("success", ["a file of the repository{}", "true"])


async def test_unasked_a_checkout_takes_the_commit_of_the_dispatch(tmp_path: Path) -> None:
    file = steps(f"uses: {CHECKOUT}", "run: cat nix/instances.json", job=READ)
    async with github_of(file, tmp_path) as github:
        github.github.hold()
        run_id = await github.dispatch()
        registry_is(github, "later")
        github.github.release()
        await github.ended(run_id)

        assert github.said(run_id) == ["{}"]


async def test_a_branch_is_what_it_is_when_it_is_checked_out(tmp_path: Path) -> None:
    file = steps(
        f"uses: {CHECKOUT}\nwith: {{ref: '${{{{ github.ref }}}}'}}",
        "run: cat nix/instances.json",
        job=READ,
    )
    async with github_of(file, tmp_path) as github:
        github.github.hold()
        run_id = await github.dispatch()
        registry_is(github, "later")
        github.github.release()
        await github.ended(run_id)

        assert github.said(run_id) == ["later"]


TWO_JOBS = f"""{HEAD}
  first:
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    outputs:
      commit: ${{{{ steps.c.outputs.commit }}}}
    steps:
      - id: c
        uses: {CHECKOUT}
        with: {{ref: main}}
      - run: cat nix/instances.json; echo changed > REGISTRY
  second:
    needs: first
    runs-on: ubuntu-24.04
    permissions: {{contents: read}}
    steps:
      - uses: {CHECKOUT}
        with: {{ref: '${{{{ needs.first.outputs.commit }}}}'}}
      - run: echo " then $(cat nix/instances.json)"
"""


async def test_a_commit_that_was_checked_out_stays_what_it_was(tmp_path: Path) -> None:
    file = TWO_JOBS.replace("REGISTRY", str(tmp_path / "instances.json"))
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == ("success", ["{}", " then {}"])


async def test_a_registry_that_is_gone_is_gone_from_the_checkout(tmp_path: Path) -> None:
    file = steps(f"uses: {CHECKOUT}\nwith: {{ref: main}}", "run: ls nix; echo end", job=READ)
    async with github_of(file, tmp_path) as github:
        (tmp_path / "checkout" / "nix" / "instances.json").write_text("the checkout's own")
        (tmp_path / "instances.json").unlink()

        assert await github.outcome() == ("success", ["end"])


async def test_caches_and_environments_are_not_checked_out(tmp_path: Path) -> None:
    file = steps(f"uses: {CHECKOUT}", "run: ls -A", job=READ)
    async with github_of(file, tmp_path) as github:
        for name in (".git", ".venv", ".venv-demo", ".mypy_cache", "__pycache__", "build", "more"):
            (tmp_path / "checkout" / name).mkdir()

        assert await github.outcome() == ("success", ["more", "nix", "there"])


async def test_the_engine_is_on_the_path(tmp_path: Path) -> None:
    file = steps(
        f"uses: {CHECKOUT}",
        f"id: s\nuses: {SETUP}\nwith: {{tofu_version_file: there, tofu_wrapper: false}}",
        "run: tofu init; echo ${{ steps.s.outputs.tofu_version }}",
        job=READ,
    )
    async with github_of(file, tmp_path) as github:
        assert await github.outcome() == (
            "success",
            ["engine init", "a file of the repository"],
        )


async def test_the_role_comes_with_its_keys_and_none_is_shown(tmp_path: Path) -> None:
    file = steps(
        TAKE, "run: echo $AWS_REGION $AWS_DEFAULT_REGION ${#AWS_SECRET_ACCESS_KEY}", job=ROLE
    )
    async with github_of(file, tmp_path) as github:
        run_id = await github.dispatch()
        await github.ended(run_id)

        assert github.said(run_id) == ["eu-central-1 eu-central-1 6"]
        assert "sk-123" not in "\n".join(github.log(run_id))


@pytest.mark.parametrize(
    ("step", "job", "sentence"),
    [
        (f"uses: {CHECKOUT}", "    permissions: {actions: read}", "no permission `contents: read`"),
        (f"uses: {CHECKOUT}\nwith: {{ref: other}}", READ, "no branch or commit `other`"),
        (f"uses: {SETUP}", READ, "with `tofu_wrapper: false` only"),
        (
            f"uses: {SETUP}\nwith: {{tofu_version_file: none, tofu_wrapper: false}}",
            READ,
            "`none` can't be read",
        ),
        (TAKE, "    environment: fleet", "no permission `id-token: write`"),
        (TAKE, "    permissions: {id-token: write}", "the role trusts the environment `fleet`"),
        (f"uses: {AWS}\nwith: {{aws-region: x}}", ROLE, "`role-to-assume` must be set"),
        (f"uses: {AWS}\nwith: {{role-to-assume: x}}", ROLE, "`aws-region` must be set"),
    ],
)
async def test_what_an_action_lacks_fails_its_step_with_a_sentence(
    step: str, job: str, sentence: str, tmp_path: Path
) -> None:
    async with github_of(steps(step, job=job), tmp_path) as github:
        conclusion, (said,) = await github.outcome()

    assert conclusion == "failure"
    assert said.startswith("##[error]")
    assert sentence in said
