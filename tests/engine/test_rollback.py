"""Rollbacks with the real engine: each host is again exactly what it was."""

import time
from pathlib import Path
from typing import NamedTuple

from tests.engine.site import NEW, OLD, ONE, THREE, TWO, EngineSite
from tests.workflows import git


class Made(NamedTuple):
    """What a host was made of, all that tells one of its kind from another."""

    image: str
    revision: str
    user_data: str


def _made(site: EngineSite) -> dict[str, Made]:
    revisions = site.revisions()
    return {
        id_: Made(image, revisions[id_], _user_data(site, machine))
        for id_, (machine, image) in site.runner.hosts().items()
    }


def _user_data(site: EngineSite, machine: str) -> str:
    said = site.runner.ec2.describe_instance_attribute(InstanceId=machine, Attribute="userData")
    return said["UserData"]["Value"]


def _changes(site: EngineSite, words: str, *images: str) -> str:
    """The commit that changes what hosts are built from, and of which these images are built."""
    folder: Path = site.runner.folder
    (folder / "nix/module.nix").write_text(f"{words}\n")
    git.run(folder, "add", "nix/module.nix")
    git.run(folder, "commit", "--quiet", "-m", words, when=time.time())
    if images:
        site.runner.builds(site.runner.commit, *images)
    return site.runner.commit


def test_three_deploys_two_images_three_revisions_and_each_host_is_again_what_it_was(
    site: EngineSite,
) -> None:
    site.settles()
    site.registers(ONE, TWO)
    at_first = _made(site)
    revisions = [_changes(site, "First", OLD)]
    assert site.deploys(TARGET=ONE, AMI_OVERRIDE=OLD) == 0, site.runner.summary
    first = _made(site)
    revisions.append(_changes(site, "Second", NEW))
    assert site.deploys(TARGET=TWO) == 0, site.runner.summary
    second = _made(site)
    revisions.append(_changes(site, "Third"))
    assert site.deploys(TARGET=ONE) == 0, site.runner.summary
    third, before = _made(site), site.runner.hosts()
    of = [(one.image, one.revision) for one in (first[ONE], second[TWO], third[ONE])]
    assert of == list(zip((OLD, NEW, NEW), revisions, strict=True))
    _changes(site, "Fourth, which nobody has")

    assert site.deploys(TARGET=ONE, OPERATION="rollback", AMI_OVERRIDE=OLD) == 0
    assert _made(site) == third | {ONE: first[ONE]}
    after = site.runner.hosts()
    assert after[ONE] != before[ONE]
    assert {**after, ONE: before[ONE]} == before

    assert site.deploys(TARGET="all", OPERATION="rollback") == 0, site.runner.summary
    assert _made(site) == third | {TWO: at_first[TWO]}
    assert site.runner.hosts()[THREE] == before[THREE]
