"""A chat gets 300 characters of why a run stopped: what to do is within them, whatever it is of."""

from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet_control import manifest
from fleet_control.deploy_jobs import EndState, begins
from fleet_control.host import Host, Reading
from fleet_control.registry_source import KnownRegistry
from fleet_control.state_lock import StateLock
from lambda_fn.mask import shown
from tests.workflows.fleets import IMAGES, NOW, host, registry
from tests.workflows.test_identity_conflict import entry, fleet
from tests.workflows.test_launch_check import ARM, LARGE, LAUNCH, OFFER
from workflows.fleet_deploy.cloud import FleetView, seen
from workflows.fleet_deploy.ec2_offer import VcpuQuota
from workflows.fleet_deploy.engine_error import failure
from workflows.fleet_deploy.identity_conflict import make_room
from workflows.fleet_deploy.known_machines import hidden
from workflows.fleet_deploy.launch_check import over_quota, unfit
from workflows.fleet_deploy.lock import stays
from workflows.fleet_deploy.roll import WHERE_LENGTH, HostTurn, cleared
from workflows.fleet_deploy.stopped import ROOM, Stopped, brief, cut

IN_PLAN = "Nothing was touched: "
ID, OTHER = "a" * 32, "b" * 32
IN_ITS_TURN = begins(ID, EndState.UNTOUCHED)
MACHINE, IMAGE, TYPE = "i-0123456789abcdef0", "ami-0123456789abcdef0", "u-24tb1.112xlarge"
LAUNCHED = replace(LAUNCH, id=ID, image=IMAGE, type=TYPE)


def of(number: int, *, unsure: bool) -> FleetView:
    ids = tuple(f"i-{one:017x}" for one in range(number))
    known = KnownRegistry(registry([ID]), "", NOW, fresh=True)
    reading = Reading((), IMAGES, NOW)
    reading = replace(reading, unsure=ids) if unsure else replace(reading, unlisted=ids)
    return seen(known, reading, dict.fromkeys(ids, ID))


def not_listed() -> Iterable[str]:
    for unsure in (True, False):
        view = of(250, unsure=unsure)
        yield hidden(view, dict.fromkeys((*view.unlisted, *view.unsure), ID))


def not_launched() -> Iterable[str]:
    large, image = replace(LARGE, vcpus=448), OFFER.image
    assert image
    here = replace(OFFER, place="ap-southeast-2a", offered=frozenset({TYPE}), types={TYPE: large})
    for found in (
        replace(here, image=None),
        replace(here, offered=frozenset({"u-24tb1.112xlargf"})),
        replace(here, types={TYPE: ARM}),
        replace(here, image=replace(image, boot_mode="legacy-bios"), types={TYPE: ARM}),
        replace(here, image=replace(image, disk=16000)),
    ):
        yield from unfit([LAUNCHED], found)
    full = replace(here, types={"t3.large": large}, quota=VcpuQuota(10000, {"x": 10000}))
    yield from over_quota([replace(LAUNCHED, type="t3.large")], full, ())


def not_made() -> Iterable[str]:
    mine = {ID: entry(ID), OTHER: entry(OTHER)}
    left = replace(host("c" * 32, 9), id=MACHINE)
    kept = replace(host(OTHER, 9), id=MACHINE)
    held = {one.name: entry(ID, discordTokenSecret="") for one in (left, kept)}
    cases: list[tuple[Host, dict[str, dict[str, str]], tuple[str, ...]]] = [
        (left, held, (left.name,)),
        (left, held, ()),
        (left, {}, ()),
        (kept, held, ()),
    ]
    for one, told, known in cases:
        with pytest.raises(Stopped) as stopped:
            make_room(ID, [HostTurn(ID, "", "")], fleet(one, held=told, known=known, said=mine))
        yield str(stopped.value)
    other = replace(host(ID, 8), id=MACHINE)
    swapped = {**held, ID: entry(OTHER, discordTokenSecret="")}
    with pytest.raises(Stopped, match="in turn") as stopped:
        make_room(ID, [HostTurn(ID, MACHINE, "")], fleet(kept, other, held=swapped, said=mine))
    yield str(stopped.value)


def test_the_room_is_what_the_lambda_leaves() -> None:
    assert shown("x" * ROOM) == "x" * ROOM
    assert shown("x" * 999) == f"{'x' * (ROOM - 1)}…"
    assert shown(f"{'x' * 290} somewhere far away") == f"{'x' * 290}…"
    assert shown(f"{'x' * 290} somewhere") == f"{'x' * 290} somewhere"
    assert shown(f"{'x' * 100} {'y' * 400}") == f"{'x' * 100} {'y' * 198}…"


def test_a_bundle_that_lacks_everything_is_told_with_what_mends_it() -> None:
    there = manifest.Manifest(
        instance=ID, bootstrap_prefix=f"bootstrap/{ID}", files={}, archive="0" * 64
    )
    one, *others = manifest.lacks(registry([ID])[ID], there, ID)

    said = brief(f"{IN_PLAN}{one}")

    assert not others
    assert len(IN_PLAN + one) > ROOM >= len(said)
    assert said.startswith(f"{IN_PLAN}The bundle of {ID} lacks clawdinator-control-token, ")
    assert said.endswith(f"… Upload it anew with `clawbot bundle upload {ID}`.")


_SENTENCES = st.lists(st.text(alphabet="abc ", min_size=1, max_size=200), min_size=2, max_size=5)


@given(sentences=_SENTENCES, last=st.text(alphabet="abc ", min_size=1, max_size=ROOM // 2 - 1))
def test_of_any_text_the_last_sentence_stays_whole(sentences: list[str], last: str) -> None:
    text = ". ".join([*sentences, f"{last}."])

    said = brief(text)

    assert len(said) <= ROOM
    assert said.endswith(f"{last}.")
    assert said == text or len(text) > ROOM


def test_a_last_sentence_that_is_most_of_it_is_cut_itself() -> None:
    said = brief(f"Something went wrong. {'word ' * 100}.")

    assert said.startswith("Something went wrong. word ")
    assert said.endswith("word…")
    assert len(said) <= ROOM
    assert brief("x" * 999) == f"{'x' * (ROOM - 1)}…"


def test_what_ec2_does_not_list() -> None:
    for why in not_listed():
        assert len(IN_ITS_TURN + why) <= ROOM, why


def test_what_would_not_start() -> None:
    found = list(not_launched())

    assert len(found) == 6
    for why in found:
        assert len(f"{IN_ITS_TURN}{why} (and 249 more).") <= ROOM, why


def test_what_would_share() -> None:
    for why in not_made():
        assert len(IN_PLAN + why) <= ROOM, why


def test_a_lock_is_told_with_what_releases_it_and_where_the_hosts_are() -> None:
    held = StateLock("11111111-2222-3333-4444-555555555555", "sam@laptop", NOW)
    text = f"{begins('claw-2', EndState.UNTOUCHED)}OpenTofu's plan failed: {stays(held)}."

    said = brief(text, ROOM - WHERE_LENGTH)

    assert said.startswith("claw-2 was not touched: OpenTofu's plan failed: ")
    assert said.endswith(f"release it: /fleet unlock (lock {held.id}).")


def test_where_a_host_is_goes_before_what_to_do() -> None:
    facts = begins(ID, EndState.UNMOVED)

    said = brief(f"{facts}OpenTofu's apply failed: why. {'word ' * 47}.")

    assert len(facts) < ROOM - 47 * len("word ") < len(facts) + 5
    assert said.startswith(facts)
    assert len(said) <= ROOM


@pytest.mark.parametrize("left", EndState)
def test_with_the_longest_names_there_is_room_for_the_begin_of_the_reason(left: EndState) -> None:
    facts = begins(ID, left) + cleared(HostTurn(ID, "", "", clears=(OTHER, "c" * 32)))
    reason = failure("apply", 1, f"Error: {'word ' * 100}")

    said = cut(facts + reason, ROOM - WHERE_LENGTH)

    assert said.startswith(f"{facts}OpenTofu's apply failed: word ")
    assert said.endswith("word…")


@pytest.mark.parametrize("between", [". ", " "])
def test_a_cut_keeps_half_of_what_there_is_room_for(between: str) -> None:
    short, long = (f"{'x' * length}{between}{'y' * 400}" for length in (100, 200))

    assert cut(short, ROOM) == f"{short[:299]}…"
    assert cut(long, ROOM) == f"{'x' * 200}{'' if between == '. ' else '…'}"


@pytest.mark.parametrize(("last", "whole"), [(230, True), (240, False)])
def test_sixty_six_characters_are_for_the_begin(last: int, whole: bool) -> None:
    said = brief(f"{'word ' * 40}. {'z' * last}")

    assert said.startswith("word word ")
    assert said.endswith("z" * last) == whole
