from __future__ import annotations

import math
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from assay.perturb import perturbation
from assay.vocabulary import Pixels
from tests.pictures import photograph
from watermark.carrier import LONG, SHORT, SMALL
from watermark.spread import Spread, SpreadWatermarker

SECRET = sha256(b"a key").digest()
PAYLOAD = 0xC0FFEE123456


@pytest.fixture(scope="module")
def marked() -> Pixels:
    return Spread().mark(photograph(0), SECRET, PAYLOAD)


@pytest.mark.parametrize(
    "change",
    [
        *("jpeg-40", "webp-60", "blur-1", "median-3", "noise-0.05", "grey", "contrast-1.6", "resize-0.5"),
        *("turn-90", "flip-horizontal", "flip-vertical", "rotate-7", "rotate--33", "aspect-1.2", "screenshot"),
        *("crop-75+jpeg-80", "rotate-10+crop-80+jpeg-75", "perspective-2", "scale-0.7", "scale-1.8"),
    ],
)
def test_the_payload_survives(marked: Pixels, change: str) -> None:
    found = Spread().read(perturbation(change).apply(marked), [SECRET])
    assert found is not None
    assert (found.payload, found.bits) == (PAYLOAD, LONG.payload_bits)


@pytest.mark.parametrize(("change", "degrees"), [("rotate-20", 20), ("rotate--35", -35), ("turn-90", 90)])
def test_the_transform_is_recovered(marked: Pixels, change: str, degrees: float) -> None:
    found = Spread().read(perturbation(change).apply(marked), [SECRET])
    assert found is not None
    linear = found.matrix[:2, :2] / found.matrix[2, 2]
    assert math.sqrt(abs(np.linalg.det(linear))) == pytest.approx(1, abs=0.02)
    assert math.degrees(math.atan2(-linear[1, 0], linear[0, 0])) == pytest.approx(degrees, abs=1)


def test_a_mirrored_picture_is_known_as_one(marked: Pixels) -> None:
    found = Spread().read(marked[:, ::-1], [SECRET])
    assert found is not None
    assert np.linalg.det(found.matrix[:2, :2]) < 0


def test_scale_is_told(marked: Pixels) -> None:
    found = Spread().read(perturbation("scale-1.5").apply(marked), [SECRET])
    assert found is not None
    assert math.sqrt(abs(np.linalg.det(found.matrix[:2, :2]))) == pytest.approx(1.5, rel=0.02)


def test_large_pictures_have_larger_cells_and_survive_being_reduced() -> None:
    large = np.repeat(np.repeat(photograph(1), 3, axis=0), 3, axis=1)
    marked = Spread().mark(large, SECRET, PAYLOAD)
    found = Spread().read(perturbation("fit-400+jpeg-80").apply(marked), [SECRET])
    assert found is not None
    assert found.payload == PAYLOAD


def test_small_pictures_carry_sixteen_bits() -> None:
    small = photograph(2)[:180, :180]
    assert min(small.shape[:2]) < SMALL
    found = Spread().read(Spread().mark(small, SECRET, 0xBEEF), [SECRET])
    assert found is not None
    assert (found.payload, found.bits) == (0xBEEF, SHORT.payload_bits)


def test_a_second_mark_of_the_same_key_and_payload_changes_little(marked: Pixels) -> None:
    again = Spread().mark(marked, SECRET, PAYLOAD)
    found = Spread().read(again, [SECRET])
    assert found is not None
    assert found.payload == PAYLOAD


def test_marks_of_two_keys_are_both_read(marked: Pixels) -> None:
    other = sha256(b"another").digest()
    both = Spread().mark(marked, other, 5)
    first, second = Spread().read(both, [SECRET]), Spread().read(both, [other])
    assert first is not None
    assert second is not None
    assert (first.payload, second.payload) == (PAYLOAD, 5)


def test_marks_of_two_owners_are_both_reported(marked: Pixels) -> None:
    other = sha256(b"another").digest()
    both = perturbation("jpeg-90").apply(Spread().mark(marked, other, 5))
    read = Spread().search(both, [SECRET, other]).readings
    assert {(one.key, one.payload) for one in read} == {(0, PAYLOAD), (1, 5)}


@pytest.mark.parametrize(("name", "payload"), [("48-bits.jpg", PAYLOAD), ("16-bits.webp", 0xBEEF)])
def test_the_first_layout_is_still_read_where_it_is_asked_for(name: str, payload: int) -> None:
    """Files that were marked before there was a second one."""
    pixels = np.asarray(Image.open(Path(__file__).parent / "layout-1" / name).convert("RGB"))
    found = Spread().read(pixels, [SECRET], earlier=True)
    assert found is not None
    assert (found.payload, found.version) == (payload, 1)
    assert Spread().read(pixels, [SECRET]) is None


def test_a_negative_is_read_and_known_as_one(marked: Pixels) -> None:
    found = Spread().read(255 - marked, [SECRET])
    assert found is not None
    assert (found.payload, found.is_negative) == (PAYLOAD, True)


@pytest.mark.parametrize("change", ["aspect-0.6", "aspect-1.7", "crop-45"])
def test_stretched_and_tightly_cut_pictures_are_read(marked: Pixels, change: str) -> None:
    found = Spread().read(perturbation(change).apply(marked), [SECRET])
    assert found is not None
    assert found.payload == PAYLOAD


def test_a_picture_on_a_screen_is_read_where_it_lies(marked: Pixels) -> None:
    screen = np.full((900, 1100, 3), 240, np.uint8)
    screen[200:540, 500:900] = marked
    (found,) = Spread().search(screen, [SECRET]).readings
    assert found.payload == PAYLOAD
    assert found.box is not None
    left, top, right, bottom = found.box
    assert min(left - 400, top - 100, 1000 - right, 640 - bottom) > 0  # within the picture and a tile around it
    assert (right - left) * (bottom - top) > 400 * 340 / 2


def test_each_part_of_a_collage_is_read_where_it_lies() -> None:
    parts = [Spread().mark(photograph(number), SECRET, number) for number in range(4)]
    collage = np.vstack([np.hstack(parts[:2]), np.hstack(parts[2:])])
    read = Spread().search(collage, [SECRET]).readings
    assert {one.payload for one in read} == {0, 1, 2, 3}
    for one in read:
        assert one.box is not None
        left, top, right, bottom = one.box
        middle = (top + bottom) / 2 // 340, (left + right) / 2 // 400
        assert middle == divmod(one.payload, 2)


def test_a_picture_that_is_shown_at_half_its_size_is_read() -> None:
    large = np.asarray(Image.fromarray(photograph(0)).resize((640, 544)))
    screen = np.full((900, 1440, 3), 235, np.uint8)
    screen[300:572, 500:820] = np.asarray(Image.fromarray(Spread().mark(large, SECRET, PAYLOAD)).resize((320, 272)))
    (found,) = Spread().search(screen, [SECRET]).readings
    assert found.payload == PAYLOAD


def test_quarters_of_four_marked_copies_are_all_read() -> None:
    large = np.asarray(Image.fromarray(photograph(0)).resize((640, 544)))
    copies = [Spread().mark(large, SECRET, payload) for payload in range(4)]
    joined = copies[0].copy()
    joined[:272, 320:], joined[272:, :320], joined[272:, 320:] = (
        copies[1][:272, 320:], copies[2][272:, :320], copies[3][272:, 320:],
    )  # fmt: skip
    assert {one.payload for one in Spread().search(joined, [SECRET]).readings} == {0, 1, 2, 3}


def test_a_pattern_without_a_payload_is_told() -> None:
    copies = [Spread().mark(photograph(0), SECRET, payload) for payload in (1, 2**47, 2**46 + 5, 2**30 + 9)]
    averaged = np.mean(copies, axis=0).round().astype(np.uint8)
    found = Spread().search(averaged, [SECRET, sha256(b"another").digest()])
    assert not found.readings
    ours, others = found.traces
    assert (ours.key, others.key) == (0, 1)
    assert ours.log10_p < -9
    assert others.log10_p > -3


def test_more_keys_are_paid_for(marked: Pixels) -> None:
    one, many = Spread().read(marked, [SECRET]), Spread().read(marked, [SECRET] * 10)
    assert one is not None
    assert many is not None
    assert many.log10_p == pytest.approx(one.log10_p + 1)


def test_pictures_without_a_mark_yield_nothing() -> None:
    keys = [sha256(bytes([number])).digest() for number in range(5)]
    assert all(Spread().read(photograph(number), keys) is None for number in range(3))


@settings(deadline=None, max_examples=10)
@given(
    payload=st.integers(0, 2**48 - 1),
    secret=st.binary(min_size=32, max_size=32),
    height=st.integers(256, 340),
    width=st.integers(256, 400),
)
def test_every_payload_key_and_size_is_read_back(payload: int, secret: bytes, height: int, width: int) -> None:
    pixels = photograph(0)[:height, :width]
    found = Spread().read(Spread().mark(pixels, secret, payload), [secret])
    assert found is not None
    assert found.payload == payload


def test_pipelines_of_diffusers_can_call_it() -> None:
    images = torch.stack([torch.from_numpy(photograph(number)[:300, :300].copy()) for number in range(2)])
    drawn = images.permute(0, 3, 1, 2).to(torch.float16) / 127.5 - 1
    marked = SpreadWatermarker(secret=SECRET, payloads=iter([3, 4])).apply_watermark(drawn)
    assert (marked.shape, marked.dtype) == (drawn.shape, torch.float16)
    for number, image in enumerate(marked):
        pixels = ((image.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy()
        found = Spread().read(pixels, [SECRET])
        assert found is not None
        assert found.payload == 3 + number
