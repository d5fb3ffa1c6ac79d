from __future__ import annotations

import numpy as np
from PIL import Image

from assay.perturb import perturbation
from detection.features import LATTICE, describe, names
from tests.pictures import photograph


def _square(number: int = 0) -> np.ndarray:
    return photograph(number)[:256, :256]


def _named(square: np.ndarray, beginning: str) -> np.ndarray:
    chosen = [at for at, name in enumerate(names()) if name.startswith(beginning)]
    return describe(square[None])[0, chosen]


def test_each_feature_has_a_name_and_a_finite_value() -> None:
    flat, noise = (
        np.full((256, 256, 3), 7, np.uint8),
        np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8),
    )
    found = describe(np.stack([_square(), flat, noise]))
    assert found.shape == (3, len(names()))
    assert len(set(names())) == len(names())
    assert np.isfinite(found).all()


def test_cooccurrences_are_shares_and_do_not_see_direction_or_sign() -> None:
    square = _square()
    for order in (1, 2, 3):
        shares = _named(square, f"order {order} step 1")
        assert abs(shares.sum() - 1) < 1e-4
        for other in (square[::-1], square[:, ::-1], square.transpose(1, 0, 2), 255 - square):
            assert np.allclose(shares, _named(np.ascontiguousarray(other), f"order {order} step 1"), atol=1e-3)


def test_upsampling_by_two_shows_in_the_lattice() -> None:
    square = _square()
    half = Image.fromarray(square).resize((128, 128), Image.Resampling.BICUBIC)
    doubled = np.asarray(half.resize((256, 256), Image.Resampling.NEAREST))
    assert _named(doubled, "lattice").max() > _named(square, "lattice").max() + 0.3


def test_a_codec_shows_in_the_grid() -> None:
    square = _square()
    coded = perturbation("jpeg-20").apply(square)
    assert _named(coded, "grid")[7] > _named(square, "grid")[7] + 0.05


def test_the_spectrum_of_blurred_pictures_falls_off() -> None:
    square = _square()
    high, low = _named(perturbation("blur-2").apply(square), "spectrum")[20], _named(square, "spectrum")[20]
    assert high < low - 0.5


def test_the_lattice_has_as_many_values_as_frequencies() -> None:
    assert len(_named(_square(), "lattice")) == (LATTICE // 2 + 1) ** 2 - 1
