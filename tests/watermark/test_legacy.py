import io
import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image
from scipy.stats import binom

from assay.vocabulary import Pixels
from tests.pictures import photograph, smoothed
from tests.watermark.legacy_embedder import PATHS, Path, embed
from watermark import legacy
from watermark.legacy import LOG10_LEVEL, MESSAGES, Message, find, readings

BY_NAME = {message.name: message for message in MESSAGES}


def _sky() -> Pixels:
    """Smooth colour, in which the package's own decoder reads the same bit everywhere."""
    down, across = np.mgrid[:320, :336]
    return np.stack([90 + down / 8, 130 + across / 9, 190 + down / 12], axis=-1).astype(np.uint8)


def _noise() -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (264, 264, 3), dtype=np.uint8)


def _grey() -> Pixels:
    return np.full((256, 300, 3), 128, np.uint8)


SCENES: dict[str, Callable[[], Pixels]] = {
    "sky": _sky,
    "noise": _noise,
    "grey": _grey,
    "photograph": lambda: photograph(0),
    "decoded": lambda: smoothed(photograph(1)),
}


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """With halved chroma."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling=2)
    return np.array(Image.open(stream))


def stripes(seed: int, width: int) -> Pixels:
    """Upright, as wide as a block."""
    colours = np.random.default_rng(seed).integers(0, 256, (1, width // 8, 3), dtype=np.uint8)
    return np.tile(np.repeat(colours, 8, axis=1), (264, 1, 1))


def test_the_messages_are_as_long_as_they_are_embedded() -> None:
    assert {message.name: len(message.bits) for message in MESSAGES} == {"SD1": 136, "SD2": 32, "SDXL": 48, "FLUX": 46}
    assert np.packbits(BY_NAME["SD1"].bits).tobytes() == b"StableDiffusionV1"
    assert np.packbits(BY_NAME["SD2"].bits).tobytes() == b"SDV2"
    assert "".join(map(str, BY_NAME["SDXL"].bits)) == "101100111110110010010000011110111011000110011110"
    assert "".join(map(str, BY_NAME["FLUX"].bits)) == "1010101111111010000111100111001111010100101110"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.name)
@pytest.mark.parametrize("scene", SCENES)
def test_a_mark_is_found(scene: str, message: Message, path: Path) -> None:
    marked = embed(SCENES[scene](), message.bits, path)
    found = find(marked)
    assert found is not None
    assert (found.message, found.generators) == (message.name, message.generators)
    assert found.bits == np.count_nonzero(message.compared)
    if scene == "photograph":  # enough colour to tell how it was embedded, but for ties
        assert (path, found.log10_p) in {(each.variant, each.log10_p) for each in readings(marked)}


@pytest.mark.parametrize("message", [BY_NAME["SD2"], BY_NAME["SDXL"]], ids=lambda message: message.name)
def test_a_large_picture_is_read_in_bands_and_its_mark_is_found(message: Message) -> None:
    """Of an odd size, so that no row of blocks begins with the same bit as the one above it."""
    large = np.asarray(Image.fromarray(photograph(0)).resize((2300, 1500), Image.Resampling.BICUBIC))
    found = find(embed(large, message.bits, "uint8 BGR"))
    assert found is not None
    assert (found.message, found.matching) == (message.name, found.bits)
    assert find(large) is None


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_rows_that_are_read_are_bounded_and_lie_over_the_whole_picture(height: int, width: int) -> None:
    rows = legacy._rows_read(height, width)
    assert np.all(np.diff(rows) > 0)
    assert rows[0] == 0
    assert len(rows) == height or 64 * width * len(rows) <= max(legacy.MOST_PIXELS, 64 * width * legacy._BAND)
    assert len(rows) <= legacy._BAND or rows[-1] == height - 1


def test_the_test_embedder_moves_one_entry_of_a_block_by_less_than_a_step() -> None:
    before = photograph(0)[:256, :256]
    after = embed(before, BY_NAME["SDXL"].bits, "float BGR")
    assert after.shape == before.shape
    assert 30 < 10 * math.log10(255**2 / np.mean((after - before.astype(float)) ** 2)) < 45


@pytest.mark.parametrize("message", [BY_NAME["SDXL"], BY_NAME["FLUX"]], ids=lambda message: message.name)
@pytest.mark.parametrize("path", PATHS)
def test_a_mark_is_found_after_jpeg_with_halved_chroma(message: Message, path: Path) -> None:
    """And no worse for restoring what was halved."""
    received = jpeg(embed(photograph(1), message.bits, path), 95)
    found = find(received)
    assert found is not None
    assert found.message == message.name
    best = {True: 0.0, False: 0.0}
    for each in readings(received):
        halved = "halved" in each.variant
        best[halved] = min(best[halved], each.log10_p)
    assert best[True] <= best[False]
    assert path != "float RGB" or best[False] > LOG10_LEVEL


def test_halved_chroma_is_restored() -> None:
    plane = np.random.default_rng(2).normal(0, 20, (40, 56)).astype(np.float32)
    blurred = plane
    for axis in (0, 1):
        edges = [(1, 1) if axis == each else (0, 0) for each in (0, 1)]
        padded = np.pad(blurred, edges, mode="edge")
        before, here, after = (np.take(padded, np.arange(plane.shape[axis]) + shift, axis) for shift in (0, 1, 2))
        blurred = (before / 8 + 3 * here / 4 + after / 8).astype(np.float32)
    np.testing.assert_allclose(legacy._sharpened(blurred), plane, atol=0.1)


@pytest.mark.parametrize("name", ["SDXL", "FLUX"])
def test_a_mark_is_found_where_rows_repeat_the_same_bits(name: str) -> None:
    message = BY_NAME[name]
    width = 8 * len(message.bits)
    picture = np.array(Image.fromarray(photograph(2)).resize((width, 400)))
    found = find(embed(picture, message.bits, "float BGR"))
    assert found is not None
    assert found.message == name


@pytest.mark.parametrize(("height", "width"), [(257, 263), (260, 268), (340, 399)])
def test_sizes_need_not_be_multiples(height: int, width: int) -> None:
    found = find(embed(photograph(3)[:height, :width], BY_NAME["SDXL"].bits, "uint8 BGR"))
    assert found is not None
    assert found.message == "SDXL"


@pytest.mark.parametrize("scene", SCENES)
def test_nothing_is_found_where_nothing_is_embedded(scene: str) -> None:
    picture = SCENES[scene]()
    assert find(picture) is None
    assert find(jpeg(picture, 90)) is None


@pytest.mark.parametrize("name", ["SDXL", "FLUX"])
def test_another_message_is_not_found(name: str) -> None:
    other = replace(
        BY_NAME[name], bits=tuple(np.random.default_rng(7).integers(0, 2, len(BY_NAME[name].bits)).tolist())
    )
    assert find(embed(photograph(4), other.bits, "float BGR")) is None


def test_stripes_are_not_taken_for_text() -> None:
    for seed in range(60):
        best = min(readings(stripes(seed, (256, 272, 384)[seed % 3])), key=lambda finding: finding.log10_p)
        assert best.log10_p > -4


@pytest.mark.parametrize("value", [0, 1, 127, 128, 254, 255])
def test_nothing_is_found_in_flat_pictures(value: int) -> None:
    assert find(np.full((256, 256, 3), value, np.uint8)) is None


@pytest.mark.parametrize("shape", [(1, 1), (7, 20_000), (20_000, 7), (255, 256), (64, 64), (0, 0)])
def test_what_is_too_small_for_a_mark_has_no_readings(shape: tuple[int, int]) -> None:
    assert readings(np.zeros((*shape, 3), np.uint8)) == []
    assert find(np.zeros((*shape, 3), np.uint8)) is None


def test_a_narrow_picture_is_read() -> None:
    assert len(readings(np.zeros((8, 8_192, 3), np.uint8))) == 32


def test_the_p_value_is_the_binomial_tail_times_the_tries() -> None:
    found = readings(embed(photograph(5), BY_NAME["SDXL"].bits, "float RGB"))
    assert len(found) == 32
    for finding in found:
        tail = binom.logsf(finding.matching - 1, finding.bits, 0.5) / math.log(10)
        assert finding.log10_p == pytest.approx(min(0.0, tail + math.log10(32)), abs=1e-9)
    for size in (32, 46, 48, 85):
        for matching in range(size + 1):
            expected = binom.logsf(matching - 1, size, 0.5) / math.log(10)
            assert legacy._log10_binomial_tail(matching, size) == pytest.approx(expected, abs=1e-9)


def test_evidence_of_unmarked_noise_is_fair() -> None:
    """Bits read from noise agree with each message half of the time."""
    chance = np.random.default_rng(11)
    shares = [
        (finding.matching / finding.bits, 0.5 / math.sqrt(finding.bits))
        for _ in range(20)
        for finding in readings(chance.integers(0, 256, (256, 256, 3), dtype=np.uint8))
    ]
    deviations = np.array([(share - 0.5) / spread for share, spread in shares])
    assert abs(deviations.mean()) < 0.5
    assert np.abs(deviations).max() < 5


@given(
    tile=arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    height=st.integers(0, 40) | st.integers(256, 340),
    width=st.integers(256, 340) | st.integers(1_600, 8_200),
)
@settings(max_examples=40, deadline=None)
def test_any_picture_can_be_read(tile: Pixels, height: int, width: int) -> None:
    rows, columns = (-(-length // side) for length, side in zip((height, width), tile.shape[:2], strict=True))
    picture = np.tile(tile, (rows, columns, 1))[:height, :width]
    for finding in readings(picture):
        assert 0 <= finding.matching <= finding.bits
        assert math.isfinite(finding.log10_p)
        assert finding.log10_p <= 0
