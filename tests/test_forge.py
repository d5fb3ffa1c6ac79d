"""What the forge mints is well formed: the library accepts it, and refuses it for the reason that was meant."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

import pytest
from c2pa import Context, Reader

from assay.vocabulary import Settings
from forensics import trust
from tests.authority import Authority
from tests.carriers import AVIF, CARRIERS, JPEG, Carrier
from tests.forge import (
    GENERATED,
    STANDARD,
    BmffHash,
    Draft,
    Ingredient,
    Recorded,
    Stamp,
    actions,
    avif,
    opened,
    sign,
    stamper,
)
from tests.forge.bindings import Exclusion
from tests.seeds import encoded, photograph
from tests.tamper import shown


def read(settings: Settings, data: bytes) -> tuple[str, list[dict[str, Any]]]:
    """The library's own state, and the manifests, the active one first."""
    context = Context.from_dict(trust.reader_settings(trust.load(settings)))
    reader = Reader.try_create(None, BytesIO(data), context=context)
    assert reader is not None
    with reader:
        return reader.get_validation_state(), json.loads(reader.crjson())["manifests"]


def codes(manifest: dict[str, Any]) -> set[str]:
    results = manifest["validationResults"]
    return {status["code"] for kind in ("success", "informational", "failure") for status in results[kind]}


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("carrier", CARRIERS.values(), ids=CARRIERS)
def test_a_plain_manifest_is_trusted(settings: Settings, authority: Authority, carrier: Carrier, version: int) -> None:
    data = sign(carrier, encoded(carrier.name), Draft(key=authority.signer(), version=version))
    state, (manifest,) = read(settings, data)
    assert (state, manifest["validationResults"]["failure"]) == ("Trusted", [])


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    "further",
    [
        {"xpath": "/free"},
        {"xpath": "/meta"},
        {"xpath": "/meta/iloc"},
        {"xpath": "meta[1]/iloc"},
        {"xpath": "/meta/iloc", "version": 7},
        {"xpath": "/meta/iloc", "length": 30},
        {"xpath": "/meta/iloc", "flags": b"\0\0\0"},
        {"xpath": "/meta/iloc", "flags": b"\0\0\1", "exact": False},
        {"xpath": "/meta/iloc", "data": [{"offset": 4, "value": b"iloc"}]},
        {"xpath": "/meta/iloc", "data": [{"offset": 4, "value": b"iinf"}]},
        {"xpath": "/meta/iprp/ipco"},
        {"xpath": "/mdat", "subset": [{"offset": 8, "length": 10}, {"offset": 30, "length": 0}]},
    ],
    ids=lambda each: "-".join(map(str, each.values())),
)
def test_a_hash_of_boxes_leaves_out_what_the_library_leaves_out(
    settings: Settings, authority: Authority, further: Exclusion, version: int
) -> None:
    binding = BmffHash(exclusions=(*STANDARD, further), version=version)
    state, (manifest,) = read(settings, sign(AVIF, encoded("AVIF"), Draft(key=authority.signer(), binding=binding)))
    assert state == "Trusted"
    assert "assertion.bmffHash.match" in codes(manifest)


def test_a_manifest_inside_its_own_hash_never_verifies(settings: Settings, authority: Authority) -> None:
    draft = Draft(key=authority.signer(), binding=BmffHash(exclusions=()))
    assert read(settings, sign(AVIF, encoded("AVIF"), draft))[0] == "Invalid"


def test_a_changed_byte_is_noticed(settings: Settings, authority: Authority) -> None:
    data = sign(JPEG, encoded("JPEG"), Draft(key=authority.signer()))
    state, (manifest,) = read(settings, data[:-10] + bytes([data[-10] ^ 1]) + data[-9:])
    assert state == "Invalid"
    assert "assertion.dataHash.mismatch" in codes(manifest)


@pytest.mark.parametrize(("version", "header"), [(1, ""), (2, ""), (1, "sigTst2"), (2, "sigTst")])
def test_a_time_stamp_is_over_this_signature(
    settings: Settings, authority: Authority, version: int, header: str
) -> None:
    stamp = Stamp(key=stamper(authority), at=datetime.now(UTC) - timedelta(hours=1), header=header)
    _, (manifest,) = read(
        settings, sign(JPEG, encoded("JPEG"), Draft(key=authority.signer(), version=version, stamp=stamp))
    )
    assert "timeStamp.validated" in codes(manifest)
    assert manifest["signature"]["timeStampInfo"]["timestamp"].startswith(f"{stamp.at:%Y-%m-%dT%H:%M:%S}")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_an_ingredient_brings_its_manifests(settings: Settings, authority: Authority, version: int) -> None:
    key = authority.signer()
    first = sign(JPEG, encoded("JPEG"), Draft(key=key, assertions=(GENERATED,)))
    parent = Ingredient(carrier=JPEG, data=first, version=version)
    draft = Draft(key=key, ingredients=(parent,), assertions=(actions(opened(parent.assertion_label)),))
    state, manifests = read(settings, sign(JPEG, encoded("JPEG"), draft))
    assert (state, len(manifests)) == ("Trusted", 2)
    (delta,) = manifests[0]["ingredientDeltas"]
    assert "ingredient.manifest.validated" in {each["code"] for each in delta["validationDeltas"]["success"]}


def test_what_was_recorded_of_an_ingredient_is_whatever_was_asked_for(settings: Settings, authority: Authority) -> None:
    first = sign(JPEG, encoded("JPEG"), Draft(key=authority.signer()))
    recorded = Recorded(success=("claimSignature.validated",), failure=("signingCredential.untrusted",))
    parent = Ingredient(carrier=JPEG, data=first, recorded=recorded)
    draft = Draft(key=authority.signer(), ingredients=(parent,), assertions=(actions(opened()),))
    _, (manifest, _) = read(settings, sign(JPEG, encoded("JPEG"), draft))
    kept = manifest["assertions"]["c2pa.ingredient.v3"]["validationResults"]["activeManifest"]
    assert [each["code"] for each in kept["failure"]] == ["signingCredential.untrusted"]


CHINA, FLOWER = avif.frame(photograph("china")), avif.frame(photograph("flower"), quality=40)


@pytest.mark.parametrize("place", [b"mdat", b"idat", b"free", b"skip", b"ftyp", b"uuid"])
def test_picture_data_may_lie_anywhere(place: bytes) -> None:
    assert shown(avif.write([CHINA], place=place)) == shown(avif.write([CHINA]))


def test_pictures_are_exchanged_in_place_or_by_an_appended_box() -> None:
    data, other = avif.write([CHINA]), shown(avif.write([FLOWER]))
    assert shown(data) != other
    assert shown(avif.exchanged(data, CHINA, FLOWER)) == other
    assert shown(avif.pointed_at(data, CHINA, FLOWER, b"free")) == other


def test_a_grid_shows_its_tiles_in_the_order_of_the_references() -> None:
    tiles = [avif.frame(photograph(which).crop((0, 0, 64, 64))) for which in ("china", "flower")]
    whole = avif.grid(1, 2, (64, 64), tiles[0])
    orders = [(2, 3), (3, 2)]
    one, other = (
        shown(avif.write([whole, *tiles], references=[avif.Reference(kind=b"dimg", source=1, targets=order)]))
        for order in orders
    )
    assert one[0][0] == other[0][0] == (128, 64)
    assert one != other
