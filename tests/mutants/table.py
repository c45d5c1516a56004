"""What is mutated, and which test files are asked about it."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _path(folder: str, name: str) -> str:
    """A file of tests by its name alone, or as `another_folder/name`."""
    other, _, own = name.rpartition("/")
    return f"tests/{other or folder}/test_{own}.py"


# The fewest that say what the file does; whatever else fails with it comes later than they do.
TESTS: dict[str, tuple[str, ...]] = {
    file: tuple(_path(folder, name) for name in names.split())
    for file, folder, names in (
        ("skills/fleet_control/policy.py", "fleet_control", "policy"),
        ("skills/fleet_control/caller.py", "fleet_control", "caller"),
        ("skills/fleet_control/ledger.py", "fleet_control", "ledger"),
        ("skills/fleet_control/run_title.py", "fleet_control", "ledger"),
        ("skills/fleet_control/watch.py", "fleet_control", "watch watch_state watch_steps finding"),
        ("skills/fleet_control/watch_report.py", "fleet_control", "watch watch_steps finding"),
        ("skills/fleet_control/watch_state.py", "fleet_control", "watch_state watch_steps finding"),
        ("skills/fleet_control/finding.py", "fleet_control", "finding watch"),
        ("skills/fleet_control/fault.py", "fleet_control", "fault status"),
        ("skills/fleet_control/deployed.py", "fleet_control", "deployed"),
        (
            "skills/fleet_control/announcement.py",
            "lambda_fn",
            "announce living watch request clawbot/reply_lease",
        ),
        ("skills/fleet_control/estimate.py", "fleet_control", "estimate"),
        (
            "workflows/fleet_deploy/guard.py",
            "workflows",
            "guard guard_finish guard_fleet guard_made guard_own",
        ),
        ("clawbot/confirmation.py", "clawbot", "confirmation"),
        ("clawbot/words.py", "clawbot", "words"),
        ("clawbot/fleet_channel/announcing.py", "clawbot", "announcer announced_anew dead_reply"),
        ("clawbot/fleet_channel/lease.py", "clawbot", "channel_lease announcing dead_reply"),
        ("clawbot/fleet_channel/dead_reply.py", "clawbot", "channel_lease dead_reply"),
        ("clawbot/fleet_channel/pointers.py", "clawbot", "pointers announcing"),
        (
            "clawbot/fleet_channel/telling.py",
            "clawbot",
            "announcing announcing_away announced_anew told_anew",
        ),
        ("clawbot/fleet_channel/watching.py", "clawbot", "watching"),
        ("clawbot/fleet_channel/watch_words.py", "discord", "watch_report"),
        ("clawbot/run_progress.py", "clawbot", "progress progress_times stopped last_words"),
        ("clawbot/until_shown.py", "clawbot", "until_shown"),
        ("clawbot/reply_lease.py", "clawbot", "reply_lease"),
        ("clawbot/foresight.py", "clawbot", "foresight"),
        ("clawbot/log_line.py", "clawbot", "log_line"),
        ("clawbot/discord/speaker.py", "discord", "mention policy speaker"),
        ("clawbot/telegram/speaker.py", "telegram", "identity"),
        ("lambda_fn/action.py", "lambda_fn", "action revisions github_cache last_words"),
        ("lambda_fn/request.py", "lambda_fn", "request shapes"),
        ("lambda_fn/aws.py", "lambda_fn", "settings lease"),
        ("lambda_fn/revisions.py", "lambda_fn", "revisions"),
        ("lambda_fn/build.py", "lambda_fn", "build"),
        ("lambda_fn/deploy.py", "lambda_fn", "handler lease near_misses"),
        ("lambda_fn/failure.py", "lambda_fn", "failure handler lease"),
        (
            "lambda_fn/github.py",
            "lambda_fn",
            "github action revisions github_cache http_client settings last_words lease handler",
        ),
        ("lambda_fn/holds.py", "lambda_fn", "holds"),
        ("lambda_fn/handler.py", "lambda_fn", "handler secrets runtime action lease github"),
        ("lambda_fn/github_cache.py", "lambda_fn", "github_cache"),
        ("lambda_fn/held_lock.py", "lambda_fn", "held_lock"),
        ("lambda_fn/history.py", "lambda_fn", "history"),
        ("lambda_fn/holder.py", "lambda_fn", "younger_process"),
        ("lambda_fn/lease.py", "lambda_fn", "lease"),
        ("lambda_fn/mask.py", "lambda_fn", "secrets failure"),
        ("lambda_fn/preflight.py", "lambda_fn", "preflight"),
        ("lambda_fn/github_check.py", "lambda_fn", "preflight"),
        ("lambda_fn/lock_check.py", "lambda_fn", "preflight"),
        ("lambda_fn/read_limit.py", "lambda_fn", "github_cache preflight telling_limit"),
        ("lambda_fn/settings.py", "lambda_fn", "settings handler"),
        ("lambda_fn/signer.py", "lambda_fn", "signer near_misses"),
        ("lambda_fn/stop.py", "lambda_fn", "stop"),
        ("lambda_fn/table.py", "lambda_fn", "lease github_cache announce_races"),
        ("lambda_fn/holder.py", "lambda_fn", "younger_process"),
        (
            "lambda_fn/told.py",
            "lambda_fn",
            "told living announce announce_races dead_reply younger_process",
        ),
        (
            "lambda_fn/announce.py",
            "lambda_fn",
            "announce announce_races dead_reply younger_process",
        ),
        ("lambda_fn/watch.py", "lambda_fn", "watch younger_process"),
        ("lambda_fn/http_client.py", "lambda_fn", "http_client failure"),
    )
}


def missing() -> list[str]:
    """What the table names and the tree has not; and what of the Lambda's it does not name."""
    named = {name for file, tests in TESTS.items() for name in (file, *tests)}
    lambdas = {f"lambda_fn/{one.name}" for one in (ROOT / "lambda_fn").glob("*.py")}
    unnamed = lambdas - named - {"lambda_fn/__init__.py"}
    return sorted(unnamed | {name for name in named if not (ROOT / name).is_file()})
