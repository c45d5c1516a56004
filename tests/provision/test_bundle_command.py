"""`clawbot bundle`, typed at a desk; what it uploads is what a host can use, and no more."""

import hashlib
import json
import subprocess
from contextlib import closing

import pytest

from clawbot.provision import age
from fleet_control.archive import File, unpack
from tests.provision import uploads
from tests.provision.desks import Operator, token, token_name

FIRST, SECOND = "clawdinator-1", "clawdinator-2"


def in_s3(operator: Operator, instance: str, name: str) -> tuple[bytes, dict[str, str]]:
    with closing(operator.account.client("s3")) as s3:
        answer = s3.get_object(
            Bucket=operator.account.bucket, Key=f"bootstrap/{instance}/{name}.tar.zst"
        )
        return answer["Body"].read(), answer["Metadata"]


def secrets_in_s3(operator: Operator, instance: str) -> dict[str, File]:
    return unpack(in_s3(operator, instance, "secrets")[0])


def test_a_bundle_holds_what_the_instance_needs_and_nothing_of_another(
    operator: Operator,
) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")

    vault = operator.vault
    for mine, other in ((FIRST, SECOND), (SECOND, FIRST)):
        files = secrets_in_s3(operator, mine)
        number = mine.rpartition("-")[2]
        assert set(files) == {
            "instance.agekey",
            "clawdinator-control-token.age",
            "clawdinator-control-aws-access-key-id.age",
            "clawdinator-control-aws-secret-access-key.age",
            "clawdinator-chat-aws-access-key-id.age",
            "clawdinator-chat-aws-secret-access-key.age",
            f"{token_name(number)}.age",
        }
        key = age.identity(files["instance.agekey"].data.decode())
        assert age.decrypt(files[f"{token_name(number)}.age"].data, key) == token(number).encode()
        unpacked = b"".join(file.data for file in files.values())
        theirs = [name for name in vault.names() if name.endswith((other, f"token-{other[-1]}"))]
        assert len(theirs) == 6
        for name in theirs:
            value = vault.reveal(name)
            encrypted = vault.read(name)
            assert value is not None
            assert encrypted is not None
            assert value not in unpacked
            assert encrypted not in unpacked
        # Whatever its key opens is its own.
        opened = [age.decrypt(file.data, key) for file in files.values()]
        assert token(other[-1]).encode() not in opened


def test_the_repository_comes_along_with_what_the_flake_names(operator: Operator) -> None:
    operator.make_secrets()
    (operator.checkout / ".env").write_text("not for a host")
    (operator.checkout / "nix/.hidden").write_text("nor this")
    operator.does("bundle", "upload", FIRST)

    assert set(unpack(in_s3(operator, FIRST, "repo-seeds")[0])) == {
        "flake.nix",
        "flake.lock",
        "nix/facts.json",
        "nix/instances.json",
        "nix/hosts/clawdinator-1.nix",
        "nix/hosts/clawdinator-2.nix",
    }


def test_in_a_clone_only_what_git_tracks_comes_along_and_the_lock(operator: Operator) -> None:
    operator.make_secrets()
    (operator.checkout / "nix/draft.nix").write_text("{ }")
    for words in (["init", "--quiet"], ["add", "flake.nix", "nix/hosts", "nix/instances.json"]):
        subprocess.run(["git", "-C", str(operator.checkout), *words], check=True)  # noqa: S603, S607  (git)
    operator.does("bundle", "upload", FIRST)

    files = set(unpack(in_s3(operator, FIRST, "repo-seeds")[0]))
    assert "nix/draft.nix" not in files
    assert {"flake.nix", "flake.lock", "nix/hosts/clawdinator-1.nix"} <= files


def test_the_same_is_built_twice_and_its_checksum_travels_with_it(operator: Operator) -> None:
    operator.make_secrets()
    first = operator.does("bundle", "build", "all")
    for path in operator.checkout.rglob("*"):
        path.touch()

    assert operator.does("bundle", "build", "all") == first
    operator.does("bundle", "upload", FIRST)
    data, metadata = in_s3(operator, FIRST, "secrets")
    assert metadata["sha256"] == hashlib.sha256(data).hexdigest()
    assert metadata["sha256"][:12] in first


def test_upload_tells_its_progress(operator: Operator) -> None:
    operator.make_secrets()

    lines = operator.does("bundle", "upload", "all").splitlines()

    assert [line.split(":")[0] for line in lines] == ["[1/2] s3", "[2/2] s3"]


@pytest.mark.parametrize("verb", ["build", "upload"])
@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("missing", "is missing: take it in with `clawbot secrets take"),
        ("plain", "is not an age file"),
        ("nobody", "can't be read by clawdinator-1"),
        ("another's", "holds the token of clawdinator-2"),
        ("one more", "encrypted to one more than should read it: clawdinator-2"),
    ],
)
def test_a_bundle_with_a_wrong_secret_is_refused(
    operator: Operator, verb: str, how: str, sentence: str
) -> None:
    operator.make_secrets()
    vault, name = operator.vault, token_name("1")
    right = {vault.recipients.instances[FIRST], *vault.recipients.operators}
    match how:
        case "missing":
            vault.delete(name)
        case "plain":
            (vault.folder / f"{name}.age").write_text(token("1"))
        case "nobody":
            vault.write(name, token("1").encode(), vault.recipients.operators)
        case "another's":
            vault.write(name, token("2").encode(), right)
        case _:
            vault.write(name, token("1").encode(), right | {vault.recipients.instances[SECOND]})

    ended = operator.types("bundle", verb, "all")

    assert ended.code == 1
    assert "clawdinator-1" not in ended.out
    assert "s3://" not in ended.out
    assert f"clawdinator-1: {name}.age" in ended.err
    assert sentence in ended.err


def test_a_repository_with_a_secret_in_it_or_without_agent_or_lock_is_refused(
    operator: Operator,
) -> None:
    operator.make_secrets()
    (operator.checkout / "nix/note.txt").write_text(f"remember {token('2')}")
    assert "nix/note.txt holds the value of clawdinator-discord-token-2" in (
        operator.types("bundle", "build", "all").err
    )

    facts = operator.checkout / "nix/facts.json"
    facts.write_text(facts.read_text().replace("/bin/agent", ""))
    assert "nix/facts.json: `agentCommand` is not filled in: write there what starts the agent" in (
        operator.types("bundle", "build", "all").err
    )

    (operator.checkout / "flake.lock").unlink()
    assert "nix flake lock" in operator.types("bundle", "build", "all").err


def test_check_says_what_is_there_and_what_is_stale(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", FIRST)

    ended = operator.types("bundle", "check", "all")
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "clawdinator-1: as it should be"
    assert "bootstrap/clawdinator-2/secrets.tar.zst is missing." in ended.out

    operator.does("bundle", "upload", "all")
    assert operator.does("bundle", "check", "all").count("as it should be") == 2

    operator.does("secrets", "take", token_name("2"), given="a-new-token-entirely\n")
    (operator.checkout / "flake.nix").write_text("{ }  # newer\n")
    ended = operator.types("bundle", "check", "all")
    assert ended.out.count("repo-seeds.tar.zst is stale.") == 2
    assert ended.out.count("secrets.tar.zst is stale.") == 1


def test_check_finds_a_repository_that_does_not_know_the_instance(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    files = unpack(in_s3(operator, SECOND, "repo-seeds")[0])
    only_first = {FIRST: json.loads(files["nix/instances.json"].data)[FIRST]}
    files["nix/instances.json"] = File(json.dumps(only_first).encode())
    uploads.upload(
        operator.account, "repo-seeds.tar.zst", uploads.packed(files), f"bootstrap/{SECOND}"
    )

    ended = operator.types("bundle", "check", SECOND)

    assert "repo-seeds.tar.zst is a repository that does not know clawdinator-2." in ended.out


def test_the_bundle_of_one_that_left_is_found_and_forgotten_with_its_old_versions(
    operator: Operator,
) -> None:
    with closing(operator.account.client("s3")) as s3:
        s3.put_bucket_versioning(
            Bucket=operator.account.bucket, VersioningConfiguration={"Status": "Enabled"}
        )
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    operator.does("bundle", "upload", SECOND)
    prefix = f"bootstrap/{SECOND}"
    assert "is the prefix of clawdinator-2, which is in the registry" in (
        operator.types("bundle", "forget", prefix).err
    )
    operator.does("instance", "remove", SECOND)
    operator.does("secrets", "forget", SECOND)
    operator.does("bundle", "upload", "all")

    found = operator.types("bundle", "check", "all")
    assert (found.code, found.out) == (1, "clawdinator-1: as it should be\n")
    assert f"{prefix} is the bundle of no instance, with an age identity in it" in found.err

    assert operator.does("bundle", "forget", prefix).count("deleted") == 2
    operator.does("bundle", "check", "all")
    with closing(operator.account.client("s3")) as s3:
        left = s3.list_object_versions(Bucket=operator.account.bucket, Prefix=prefix)
    assert not left.get("Versions")
    assert not left.get("DeleteMarkers")
    assert "There is no bundle at" in operator.types("bundle", "forget", prefix).err


def test_an_unknown_instance_is_named(operator: Operator) -> None:
    assert "it has clawdinator-1, clawdinator-2, or say all" in (
        operator.types("bundle", "build", "clawdinator-9").err
    )
