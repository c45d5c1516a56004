"""What is mutated, and which test files are asked about it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CHAT = ("tests/clawbot/test_policy_table.py", "tests/clawbot/test_policy_in_chat.py")
LAMBDA = tuple(
    str(one.relative_to(ROOT)) for one in sorted((ROOT / "tests/lambda_fn").glob("test_*.py"))
)

TESTS: dict[str, tuple[str, ...]] = {
    "skills/fleet_control/policy.py": ("tests/fleet_control/test_policy.py", *CHAT),
    "skills/fleet_control/caller.py": ("tests/fleet_control/test_caller.py", *CHAT),
    "skills/fleet_control/ledger.py": ("tests/fleet_control/test_ledger.py",),
    "workflows/fleet_deploy/guard.py": tuple(
        f"tests/workflows/{name}.py"
        for name in (
            "test_guard",
            "test_guard_finish",
            "test_guard_fleet",
            "test_guard_made",
            "test_guard_own",
        )
    ),
    "clawbot/confirmation.py": ("tests/clawbot/test_confirmation.py",),
    "clawbot/discord/speaker.py": (
        "tests/discord/test_mention.py",
        "tests/discord/test_policy.py",
        "tests/discord/test_buttons.py",
    ),
    "clawbot/telegram/speaker.py": (
        "tests/telegram/test_identity.py",
        "tests/telegram/test_policy.py",
    ),
} | {
    str(one.relative_to(ROOT)): LAMBDA
    for one in sorted((ROOT / "lambda_fn").glob("*.py"))
    if one.name != "__init__.py"
}


def missing() -> list[str]:
    """Names of the table that the tree does not have."""
    named = {name for file, tests in TESTS.items() for name in (file, *tests)}
    return sorted(name for name in named if not (ROOT / name).is_file())
