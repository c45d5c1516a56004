"""Whether EC2 would launch what a plan makes: every reason, each with what would be right."""

from dataclasses import replace

import pytest

from workflows.fleet_deploy.ec2_offer import Ec2Offer, InstanceType, OfferedImage, VcpuQuota
from workflows.fleet_deploy.launch import Launch
from workflows.fleet_deploy.launch_check import over_quota, unfit

ONE, TWO = "clawdinator-1", "clawdinator-2"
IMAGE = "ami-0000000000000aaa0"
LAUNCH = Launch(
    id=TWO,
    image=IMAGE,
    type="t3.large",
    replaces="i-00000002",
    subnet="subnet-1",
    groups=("sg-1",),
    disk=60,
    encrypted=True,
    profile=f"{TWO}-host",
    tags={},
    placed=True,
)
LARGE = InstanceType(frozenset({"x86_64"}), frozenset({"legacy-bios", "uefi"}), 2)
ARM = InstanceType(frozenset({"arm64"}), frozenset({"uefi"}), 2)
OFFER = Ec2Offer(
    image=OfferedImage("x86_64", "uefi-preferred", "/dev/xvda", 20),
    place="eu-central-1a",
    offered=frozenset({"t3.large", "t4g.large", "g5.xlarge"}),
    types={"t3.large": LARGE, "t4g.large": ARM, "g5.xlarge": replace(LARGE, vcpus=4)},
)


def found(launch: Launch = LAUNCH, offer: Ec2Offer = OFFER) -> str:
    (why,) = unfit([launch], offer)
    return why


def test_what_goes_together_is_no_reason() -> None:
    assert not list(unfit([LAUNCH], OFFER))
    assert not list(unfit([replace(LAUNCH, disk=20)], OFFER))
    assert not list(unfit([replace(LAUNCH, disk=None)], OFFER))


def test_an_image_that_is_gone_is_one_reason_for_all() -> None:
    (why,) = unfit([LAUNCH, replace(LAUNCH, id=ONE)], replace(OFFER, image=None))

    assert why == (
        f"{IMAGE} is not, or not any more, an available image of ours tagged clawdinator=true; "
        "deploy the newest, or name another"
    )


def test_a_type_that_is_misspelt_is_named_with_the_nearest() -> None:
    assert found(replace(LAUNCH, type="t3.lagre")) == (
        f"{TWO} would not start: eu-central-1a offers no `t3.lagre`, did you mean `t3.large`? "
        "Write a type that it offers into nix/instances.json"
    )


def test_a_type_that_only_other_zones_have_is_not_offered() -> None:
    here = replace(OFFER, offered=frozenset({"g5.xlarge"}))

    assert found(offer=here).startswith(
        f"{TWO} would not start: eu-central-1a offers no `t3.large`. Write"
    )


def test_an_image_for_another_architecture_does_not_run() -> None:
    assert found(replace(LAUNCH, type="t4g.large")) == (
        f"{TWO} would not start: {IMAGE} is for x86_64, and `t4g.large` is arm64. Write a type for "
        "x86_64 into nix/instances.json, or deploy an image for that one"
    )


@pytest.mark.parametrize(
    ("mode", "boots"),
    [("uefi", False), ("legacy-bios", True), ("uefi-preferred", True), ("", True)],
)
def test_an_image_boots_by_its_own_mode_where_it_names_one(mode: str, boots: bool) -> None:
    image = replace(OFFER.image or OfferedImage("", "", "", 0), boot_mode=mode)
    old = {"t3.large": replace(LARGE, boot_modes=frozenset({"legacy-bios"}))}

    why = list(unfit([LAUNCH], replace(OFFER, image=image, types=old)))

    assert (not why) is boots
    assert boots or "boots by uefi, which `t3.large` does not" in why[0]


def test_an_image_larger_than_the_disk_does_not_fit() -> None:
    assert found(replace(LAUNCH, disk=19)) == (
        f"{TWO} would not start: the disk of {IMAGE} takes 20 GB, and a host gets 19. Raise "
        "root_gigabytes in tofu/fleet, or deploy another image"
    )


def of_quota(limit: float, running: dict[str, int]) -> Ec2Offer:
    return replace(OFFER, quota=VcpuQuota(limit, running))


OTHERS = {"i-00000002": 2, "i-of-somebody": 6}


@pytest.mark.parametrize(("limit", "fits"), [(8, True), (7, False)])
def test_what_runs_counts_and_the_host_that_is_replaced_makes_room(limit: int, fits: bool) -> None:
    why = list(over_quota([LAUNCH], of_quota(limit, OTHERS), ()))

    assert (not why) is fits
    assert fits or why == [
        f"{TWO} would not start: with it 8 vCPUs would run in this account, and its quota "
        "(L-1216C47A) is 7. Ask AWS for more in Service Quotas, or write a smaller type into "
        "nix/instances.json"
    ]


def test_hosts_are_counted_in_their_turn() -> None:
    made = replace(LAUNCH, id=ONE, replaces="")

    assert not list(over_quota([LAUNCH, made], of_quota(10, OTHERS), ()))
    (why,) = over_quota([made, LAUNCH], of_quota(9, OTHERS), ())
    assert why.startswith(f"{ONE} would not start: with it 10 vCPUs")


def test_what_is_removed_before_makes_room() -> None:
    made = replace(LAUNCH, replaces="")

    assert list(over_quota([made], of_quota(8, OTHERS), ()))
    assert not list(over_quota([made], of_quota(8, OTHERS), ["i-00000002"]))


def test_a_family_with_a_quota_of_its_own_is_not_held_to_this_one() -> None:
    assert not list(over_quota([replace(LAUNCH, type="g5.xlarge")], of_quota(1, OTHERS), ()))


def test_a_quota_that_can_not_be_read_stops_nothing() -> None:
    assert not list(over_quota([LAUNCH], OFFER, ()))


def test_a_type_that_is_like_no_other_brings_no_other_to_mind() -> None:
    assert "offers no `zz9.metal`. Write" in found(replace(LAUNCH, type="zz9.metal"))
