"""What every latent watermark in the catalog owes, whoever wrote it. A new line is covered from that moment."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from hashlib import sha256
from typing import cast

import numpy as np
import pytest
from scipy.stats import kstest

from assay import catalog
from assay.vocabulary import Latents, LatentWatermark, Reading, Seal

NAMES = list(catalog.LATENT_WATERMARKS)
SHAPES = ((4, 32, 32), (3, 32, 32), (4, 64, 64))

STATIC = {"tree-ring", "prc", "gaussian-shading-fixed"}
"""Need no nonce: the pattern, or the code, is the key's."""
IGNORES_PAYLOAD = {"tree-ring"}
OVER_IMAGES = {"tree-ring"}
"""Their null is about the noise of unmarked images, not about the draw of the key."""
CONTINUOUS = {"sealed-seed", "tree-ring"}
"""Their p-values are uniform; those of the others are bounds or come in steps, and may only be too large. So may that
of a constant, in which nothing can be found."""
DRAWS = {"prc": 20, "sealed-seed-stateless": 60}
"""Fewer where a draw is dear."""

AWKWARD: dict[str, Latents] = {
    "white": np.random.default_rng(1).normal(size=(4, 32, 32)).astype(np.float32),
    "constant": np.full((4, 32, 32), 0.5, np.float32),
    "heavy tails": np.random.default_rng(2).standard_cauchy((4, 32, 32)).astype(np.float32),
    "smooth": np.cumsum(np.random.default_rng(3).normal(size=(4, 32, 32)), axis=2).astype(np.float32),
}


def make(name: str) -> LatentWatermark:
    factory = cast("type[LatentWatermark]", catalog.load(catalog.LATENT_WATERMARKS[name]))
    return factory()


def seal(number: int = 0) -> Seal:
    digest = sha256(number.to_bytes(8, "big")).digest()
    return Seal(secret=digest, nonce=sha256(digest).digest()[:12], payload=int.from_bytes(digest[24:], "big"))


def noise(seed: int = 0, shape: tuple[int, ...] = SHAPES[0]) -> Latents:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def is_found(reading: Reading) -> bool:
    return reading.log10_p < -6


@pytest.mark.parametrize("name", NAMES)
def test_it_is_what_the_catalog_says(name: str) -> None:
    mark = make(name)
    assert mark.id == name
    assert re.fullmatch(r"[a-z][a-z0-9-]*", name)
    text = inspect.getdoc(type(mark)) or ""
    assert text.partition("\n")[0].endswith(".")
    for word in ("score", "confidence", "fake", "authentic"):
        assert word not in text.lower()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", NAMES)
def test_marking_keeps_shape_and_type_and_finds_itself(name: str, shape: tuple[int, int, int]) -> None:
    given, before = noise(0, shape), noise(0, shape)
    marked = make(name).mark(given, seal())
    assert marked.shape == shape
    assert marked.dtype == np.float32
    assert np.isfinite(marked).all()
    assert (given == before).all(), "the caller's noise was written to"
    assert is_found(make(name).measure(marked, seal()))


@pytest.mark.parametrize("name", NAMES)
def test_it_is_determined_by_noise_and_seal(name: str) -> None:
    mark = make(name)
    marked = mark.mark(noise(), seal())
    assert (make(name).mark(noise(), seal()) == marked).all()
    assert make(name).measure(marked, seal()) == mark.measure(marked, seal())
    assert (mark.mark(noise(), seal(1)) != marked).any()


@pytest.mark.parametrize("name", NAMES)
def test_marked_noise_looks_like_noise(name: str) -> None:
    """Mean and power of a picture's noise; what a network learns from it is each method's own matter."""
    mark = make(name)
    values = np.stack([mark.mark(noise(number), seal(number)) for number in range(30)])
    assert abs(values.mean()) < 0.02
    assert values.std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("name", NAMES)
def test_the_payload_comes_back_or_there_is_none(name: str) -> None:
    mark = make(name)
    for number in range(3):
        marked = mark.mark(noise(number), seal(number))
        payload = mark.decode(marked, seal(number).secret, seal(number).nonce)
        assert payload == (None if name in IGNORES_PAYLOAD else seal(number).payload)


@pytest.mark.parametrize("name", NAMES)
def test_no_other_seal_is_found(name: str) -> None:
    mark = make(name)
    marked = mark.mark(noise(), seal())
    other_key = replace(seal(), secret=seal(1).secret)
    other_nonce = replace(seal(), nonce=seal(1).nonce)
    assert not is_found(mark.measure(marked, other_key))
    assert mark.decode(marked, other_key.secret, other_key.nonce) is None
    if name not in STATIC:
        assert not is_found(mark.measure(marked, other_nonce))


@pytest.mark.parametrize("name", NAMES)
def test_noise_holds_nothing(name: str) -> None:
    mark = make(name)
    for number in range(5):
        assert not is_found(mark.measure(noise(number), seal()))
        assert mark.decode(noise(number), seal().secret, seal().nonce) is None


@pytest.mark.parametrize("kind", AWKWARD)
@pytest.mark.parametrize("name", [name for name in NAMES if name not in OVER_IMAGES])
def test_p_values_hold_over_keys_for_any_fixed_vector(name: str, kind: str) -> None:
    mark = make(name)
    readings = [mark.measure(AWKWARD[kind], seal(number)) for number in range(DRAWS.get(name, 300))]
    _require_valid(readings, exact=name in CONTINUOUS and kind != "constant")


@pytest.mark.parametrize("name", [name for name in NAMES if name in OVER_IMAGES])
def test_p_values_hold_over_unmarked_noise(name: str) -> None:
    mark = make(name)
    readings = [mark.measure(noise(number), seal(number)) for number in range(300)]
    _require_valid(readings, exact=name in CONTINUOUS)


def _require_valid(readings: list[Reading], *, exact: bool) -> None:
    assert all(reading.log10_p <= 0 and reading.null for reading in readings)
    p_values = np.power(10.0, [reading.log10_p for reading in readings])
    alternative = "two-sided" if exact else "greater"
    assert kstest(p_values, "uniform", alternative=alternative).pvalue > 0.003


def test_ids_are_unique() -> None:
    assert len({make(name).id for name in NAMES}) == len(NAMES)
