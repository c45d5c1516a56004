"""The order of an upgrade that CHANGELOG tells, from what the version before made, with the real
engine: its hosts have no revision, its images read no seed, and no bundle has a manifest."""

import re
import shutil
from contextlib import closing
from pathlib import Path

from fleet_control import ec2, phrases
from fleet_control.registry import parse
from fleet_control.registry_source import KnownRegistry
from fleet_control.seed import BOOT_TAG, FOLDER, key
from fleet_control.status import shape
from sandbox.engine import TofuEngine
from sandbox.principal import REGION
from sandbox.tofu_commands import lay_out
from tests.engine.site import (
    NEW,
    OLD,
    OLDEST,
    ONE,
    ROOT,
    SECRETS,
    THREE,
    TWO,
    EngineSite,
    open_site,
)
from tests.engine.test_rights import ROLE, authenticating, refusal, session
from tests.workflows.fleets import registry_text

ALL = (ONE, TWO, THREE)
REGISTRY = registry_text(ALL).encode()
CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def _statement(sid: str) -> str:
    return rf'  statement {{\n    sid +?= "{sid}"\n.*?\n  }}\n\n'


# What the files of the version before did not say.
SINCE = {
    "tofu/control/deploy_role.tf": (_statement("PutSeeds"), _statement("ReadSeedsAndManifests")),
    "tofu/control/host_boundary.tf": (r' +"[^"\n]+/seeds/\*",\n',),
    "tofu/fleet/hosts.tf": (
        r" +revision += var\.revision\n +seed_sha256 += var\.seed_sha256\n",
        r" +revision = var\.revision\n",
        r', tags\["revision"\], tags_all\["revision"\]',
    ),
    "tofu/fleet/identity.tf": (_statement("Seeds"),),
    "tofu/fleet/user-data.sh.tftpl": (r"tell revision .*?\ntell seed-sha256 .*?\n",),
}


def test_an_upgrade_in_its_order_moves_each_host_by_its_own_deploy_and_no_other(
    engine: TofuEngine, tmp_path: Path
) -> None:
    with open_site(engine, tmp_path / "site", checkout=_before(tmp_path / "before")) as site:
        _as_it_was_left(site)
        left = site.runner.hosts()
        assert _shown(site) == dict.fromkeys(ALL, "unknown")

        shutil.copytree(ROOT / "tofu", site.account.folder / "tofu", dirs_exist_ok=True)
        _refuses(site, "speaks the contract of boot of an earlier version")
        _applies_control(site)
        _refuses(site, "Start `image-build` for a new image", AMI_OVERRIDE=OLD)
        image = _builds(site)
        _refuses(site, f"Upload it with `clawbot bundle upload {TWO}`")
        for id_, entry in parse(REGISTRY).items():
            site.runner.uploads(id_, entry)

        _moves_one(site, left, image)
        assert site.deploys(TARGET="all") == 0, site.runner.summary
        after = site.runner.hosts()
        assert {machine for machine, _ in left.values()}.isdisjoint(
            one for one, _ in after.values()
        )
        assert {id_: at for id_, (_, at) in after.items()} == dict.fromkeys(ALL, image)
        assert _shown(site) == dict.fromkeys(ALL, site.runner.commit[: phrases.SHORT])
        assert _reading_seeds(site) == {*ALL}
        assert not [root for root in ("control", "fleet") if site.differs(root)]


def _before(folder: Path) -> Path:
    """A checkout of the version before."""
    lay_out(ROOT, folder, REGISTRY)
    for path, since in SINCE.items():
        text = (folder / path).read_text()
        for one in since:
            text, found = re.subn(one, "", text, flags=re.DOTALL)
            assert found == 1, (path, one)
        (folder / path).write_text(text)
    return folder


def _as_it_was_left(site: EngineSite) -> None:
    """Take away what no version before has put there."""
    site.runner.ec2.delete_tags(Resources=[OLDEST, OLD, NEW], Tags=[{"Key": BOOT_TAG}])
    s3, bucket = site.runner.s3, site.runner.bucket
    for one in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=one["Key"])


def _refuses(site: EngineSite, why: str, **asked: str) -> None:
    """A deploy of one stops in `plan`, and touches nothing."""
    before = site.runner.hosts()
    assert site.deploys(TARGET=TWO, **asked) == 1
    assert "Nothing was touched: " in site.runner.summary
    assert why in site.runner.summary
    assert site.runner.hosts() == before
    seeds = site.runner.s3.list_objects_v2(Bucket=site.runner.bucket, Prefix=f"{FOLDER}/")
    assert seeds["KeyCount"] == 0


def _applies_control(site: EngineSite) -> None:
    """The line of the order as it stands there, with anything for the tokens: a run may read
    manifests from then on, and the tokens are what they were."""
    (line,) = re.findall(r"^  2\. `(.+)`", CHANGELOG, re.MULTILINE)
    denied = _denied_a_manifest(site)
    site.account.run(line, **dict.fromkeys(SECRETS, "anything"))

    assert denied == "AccessDenied"
    assert _denied_a_manifest(site) == "NoSuchKey"
    assert _tokens(site) == {*SECRETS.values()}


def _tokens(site: EngineSite) -> set[str]:
    with closing(site.client("ssm")) as ssm:
        names = ["/clawdinator/control-token", "/clawdinator/github-token"]
        found = ssm.get_parameters(Names=names, WithDecryption=True)["Parameters"]
    return {one["Value"] for one in found}


def _denied_a_manifest(site: EngineSite) -> str:
    deployer = session(site, ROLE)
    where = {"Bucket": site.runner.bucket, "Key": f"bootstrap/{TWO}/manifest.json"}
    with authenticating(site):
        return refusal(site, deployer, "s3", "get_object", **where)


def _builds(site: EngineSite) -> str:
    """A new image with the tags of now; its id."""
    made = site.runner.ec2.copy_image(Name="new", SourceImageId=NEW, SourceRegion=REGION)
    tags = [{"Key": "clawdinator", "Value": "true"}]
    site.runner.ec2.create_tags(Resources=[made["ImageId"]], Tags=tags)  # type: ignore[arg-type]  # as said
    site.runner.builds(site.runner.commit, made["ImageId"])
    return made["ImageId"]


def _moves_one(site: EngineSite, left: dict[str, tuple[str, str]], image: str) -> None:
    """The neighbours' roles are as they were left, and stop nobody."""
    assert site.deploys(TARGET=TWO) == 0, site.runner.summary
    after = site.runner.hosts()
    assert after == left | {TWO: after[TWO]}
    assert (after[TWO][0] != left[TWO][0], after[TWO][1]) == (True, image)
    revision = site.runner.commit[: phrases.SHORT]
    assert _shown(site) == dict.fromkeys(ALL, "unknown") | {TWO: revision}
    assert _reading_seeds(site) == {TWO}


def _shown(site: EngineSite) -> dict[str, str]:
    """The revision of each instance, as a status tells it."""
    reading = ec2.read(site.runner.ec2, 0.0)
    status = shape(KnownRegistry(parse(REGISTRY), "", 0.0, fresh=True), reading)
    assert not [row.id for row in status.rows if row.condition != "healthy"]
    return {row.id: phrases.revision(row, status) for row in status.rows}


def _reading_seeds(site: EngineSite) -> set[str]:
    """Whose hosts may read the seed of what is the branch's now."""
    keys = {id_: session(site, f"{id_}-host") for id_ in ALL}
    where = {"Bucket": site.runner.bucket, "Key": key(site.runner.commit)}
    with authenticating(site):
        return {id_ for id_ in ALL if not refusal(site, keys[id_], "s3", "get_object", **where)}
