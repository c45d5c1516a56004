"""`clawbot bundle`, typed by an operator; what it uploads is what a host can use, and no more."""

import hashlib
import json
import re
import subprocess
from contextlib import closing

import pytest
import zstandard

from clawbot.provision import age
from clawbot.provision.bundle_object import Packed
from fleet_control.archive import File, unpack
from fleet_control.manifest import Manifest, lacks, read, write
from fleet_control.registry import parse
from tests.provision import uploads
from tests.provision.operator_shell import REGISTRY, Operator, token, token_name

FIRST, SECOND = "clawdinator-1", "clawdinator-2"


def in_s3(
    operator: Operator, instance: str, name: str = "secrets.tar.zst"
) -> tuple[bytes, dict[str, str]]:
    with closing(operator.account.client("s3")) as s3:
        answer = s3.get_object(Bucket=operator.account.bucket, Key=f"bootstrap/{instance}/{name}")
        return answer["Body"].read(), answer["Metadata"]


def secrets_in_s3(operator: Operator, instance: str) -> dict[str, File]:
    return unpack(in_s3(operator, instance)[0])


def said_in_s3(operator: Operator, instance: str) -> Manifest:
    return read(in_s3(operator, instance, "manifest.json")[0])


def test_a_bundle_holds_what_the_instance_needs_and_nothing_of_another(
    operator: Operator,
) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")

    folder = operator.secrets
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
        assert files["instance.agekey"].data.endswith(f"\n# identity of {mine}\n".encode())
        key = age.identity(files["instance.agekey"].data.decode())
        assert age.decrypt(files[f"{token_name(number)}.age"].data, key) == token(number).encode()
        unpacked = b"".join(file.data for file in files.values())
        theirs = [name for name in folder.names() if name.endswith((other, f"token-{other[-1]}"))]
        assert len(theirs) == 6
        for name in theirs:
            value = folder.reveal(name)
            encrypted = folder.read(name)
            assert value is not None
            assert encrypted is not None
            assert value not in unpacked
            assert encrypted not in unpacked
        # Whatever its key opens is its own.
        opened = [age.decrypt(file.data, key) for file in files.values()]
        assert token(other[-1]).encode() not in opened


def test_a_bundle_is_secrets_and_what_is_said_of_them(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    with closing(operator.account.client("s3")) as s3:
        listed = s3.list_objects_v2(Bucket=operator.account.bucket, Prefix="bootstrap/")

    assert {one["Key"] for one in listed["Contents"]} == {
        f"bootstrap/{id_}/{name}"
        for id_ in (FIRST, SECOND)
        for name in ("secrets.tar.zst", "manifest.json")
    }
    registry = parse(json.dumps(REGISTRY))
    for id_ in (FIRST, SECOND):
        data, _ = in_s3(operator, id_)
        said = said_in_s3(operator, id_)
        files = unpack(data)
        assert said.archive == hashlib.sha256(data).hexdigest()
        assert said.files == {
            name: hashlib.sha256(file.data).hexdigest()
            for name, file in files.items()
            if name != "instance.agekey"
        }
        assert lacks(registry[id_], said, id_) == ()


def test_the_same_is_built_twice_and_its_checksum_travels_with_it(operator: Operator) -> None:
    operator.make_secrets()
    first = operator.does("bundle", "build", "all")
    for path in operator.checkout.rglob("*"):
        path.touch()

    assert operator.does("bundle", "build", "all") == first
    operator.does("bundle", "upload", FIRST)
    data, metadata = in_s3(operator, FIRST)
    assert metadata["sha256"] == hashlib.sha256(data).hexdigest()
    told = rf"\b{len(data) / 1024:.0f} KiB sha256:{metadata['sha256'][:12]}\b"
    assert re.search(told, first)


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
    folder, name = operator.secrets, token_name("1")
    right = {folder.recipients.instances[FIRST], *folder.recipients.operators}
    match how:
        case "missing":
            folder.delete(name)
        case "plain":
            (folder.path / f"{name}.age").write_text(token("1"))
        case "nobody":
            folder.write(name, token("1").encode(), folder.recipients.operators)
        case "another's":
            folder.write(name, token("2").encode(), right)
        case _:
            folder.write(name, token("1").encode(), right | {folder.recipients.instances[SECOND]})

    ended = operator.types("bundle", verb, "all")

    assert ended.code == 1
    assert "clawdinator-1" not in ended.out
    assert "s3://" not in ended.out
    assert f"clawdinator-1: {name}.age" in ended.err
    assert sentence in ended.err


def test_check_finds_a_secret_that_lies_in_the_repository(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    for path in ("docs/note.txt", ".env"):
        (operator.checkout / path).parent.mkdir(exist_ok=True)
        (operator.checkout / path).write_text(f"remember {token('2')}")

    ended = operator.types("bundle", "check", FIRST)

    assert ended.code == 1
    assert ended.err.count("holds the value of clawdinator-discord-token-2, in plain.") == 1
    assert "docs/note.txt" in ended.err
    assert token("2") not in ended.out + ended.err


def test_in_a_clone_it_looks_at_what_git_tracks(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    (operator.checkout / ".hidden").write_text(f"remember {token('2')}")
    (operator.checkout / "draft").write_text(f"remember {token('1')}")
    for words in (["init", "--quiet"], ["add", ".hidden", "nix"]):
        subprocess.run(["git", "-C", str(operator.checkout), *words], check=True)  # noqa: S603, S607  (git)

    said = operator.types("bundle", "check", FIRST).err

    assert ".hidden holds the value of clawdinator-discord-token-2" in said
    assert "draft" not in said


def test_check_says_what_is_there_and_what_is_stale(operator: Operator) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", FIRST)

    ended = operator.types("bundle", "check", "all")
    assert ended.code == 1
    assert ended.out.splitlines()[0] == "clawdinator-1: as it should be"
    for name in ("secrets.tar.zst", "manifest.json"):
        assert f"bootstrap/clawdinator-2/{name} is missing." in ended.out

    operator.does("bundle", "upload", "all")
    assert operator.does("bundle", "check", "all").count("as it should be") == 2

    operator.does("secrets", "take", token_name("2"), given="a-new-token-entirely\n")
    # What code is on the branch is no bundle's business.
    (operator.checkout / "flake.nix").write_text("{ }  # newer\n")
    ended = operator.types("bundle", "check", "all")
    assert ended.out.count("secrets.tar.zst is stale.") == 1
    assert ended.out.count("manifest.json does not say what the bundle is.") == 1
    assert "clawbot bundle upload all" in ended.err


@pytest.mark.parametrize("what", ["of the other", "of another archive", "nothing of ours"])
def test_check_finds_a_manifest_that_is_not_the_bundles(operator: Operator, what: str) -> None:
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    mine = said_in_s3(operator, FIRST)
    wrong = {
        "of the other": write(said_in_s3(operator, SECOND)),
        "of another archive": write(mine.model_copy(update={"archive": "0" * 64})),
        "nothing of ours": b"{}",
    }[what]
    uploads.upload(operator.account, f"bootstrap/{FIRST}/manifest.json", Packed(wrong, wrong))

    ended = operator.types("bundle", "check", FIRST)

    assert ended.code == 1
    assert "manifest.json does not say what the bundle is." in ended.out


def test_another_zstd_makes_no_bundle_stale(operator: Operator) -> None:
    """The archive's bytes may be other ones; the manifest names those that lie there."""
    operator.make_secrets()
    operator.does("bundle", "upload", "all")
    data, _ = in_s3(operator, FIRST)
    content = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    other = zstandard.ZstdCompressor(level=1).compress(content)
    assert other != data
    uploads.upload(operator.account, f"bootstrap/{FIRST}/secrets.tar.zst", Packed(other, content))
    said = said_in_s3(operator, FIRST).model_copy(
        update={"archive": hashlib.sha256(other).hexdigest()}
    )
    uploads.upload(
        operator.account, f"bootstrap/{FIRST}/manifest.json", Packed(write(said), write(said))
    )

    assert operator.does("bundle", "check", FIRST) == f"{FIRST}: as it should be\n"


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
    # Of hosts of before: it goes with the rest.
    uploads.upload(operator.account, f"{prefix}/repo-seeds.tar.zst", uploads.packed({}))
    assert "is the prefix of clawdinator-2, which is in the registry" in (
        operator.types("bundle", "forget", prefix).err
    )
    operator.does("instance", "remove", SECOND)
    operator.does("secrets", "forget", SECOND)
    operator.does("bundle", "upload", "all")

    found = operator.types("bundle", "check", "all")
    assert (found.code, found.out) == (1, "clawdinator-1: as it should be\n")
    assert f"{prefix} is the bundle of no instance, with an age identity in it" in found.err

    assert operator.does("bundle", "forget", prefix).count("deleted") == 3
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
