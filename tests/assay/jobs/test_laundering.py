from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.errors import ConfigurationError
from assay.jobs.laundering import SWEEPS, Laundering, Slider, Standing, fall, laundered, standings
from assay.jobs.verify import Examiner, examine
from assay.perturb import perturbation
from assay.repaint import encoded_png
from assay.vocabulary import Basis, Claim, Pixels
from tests.assay.jobs.studio import Studio, pixels_of
from tests.pictures import photograph

SMALL = photograph(0)[:64, :80]

LAUNDERINGS = st.builds(
    Laundering,
    crop=st.floats(0.01, 1),
    rotation=st.floats(-180, 180),
    blur=st.floats(0, 100),
    noise=st.floats(0, 255),
    jpeg=st.none() | st.integers(1, 100),
)


@pytest.fixture(scope="module")
def examiner(studio: Studio) -> Iterator[Examiner]:
    with Examiner(studio.settings, workers=1) as opened:
        yield opened


@pytest.fixture(scope="module")
def picture(studio: Studio) -> Pixels:
    return pixels_of(studio.picture)


def test_at_rest_nothing_happens() -> None:
    assert laundered(SMALL, Laundering()) is SMALL


def test_sliders_are_the_fields_and_begin_at_rest() -> None:
    resting = Laundering()
    assert [slider.value for slider in Slider] == [field.name for field in fields(Laundering)]
    assert {slider: values[0] for slider, values in SWEEPS.items()} == {
        slider: getattr(resting, slider) for slider in Slider
    }


@settings(max_examples=40, deadline=None)
@given(LAUNDERINGS, st.integers(0, 2**32))
def test_whatever_is_done_is_done_again_with_the_same_seed(laundering: Laundering, seed: int) -> None:
    before = SMALL.copy()
    done = laundered(SMALL, laundering, seed=seed)
    assert (done.shape, done.dtype) == (SMALL.shape, np.uint8)
    assert np.array_equal(SMALL, before)
    assert np.array_equal(done, laundered(SMALL, laundering, seed=seed))


def test_edits_are_those_of_the_one_list_in_their_order() -> None:
    laundering = Laundering(crop=0.75, rotation=-15, blur=1, noise=5.1, jpeg=50)
    pixels = SMALL
    for name in ("crop-75", "rotate--15", "blur-1", "noise-0.02", "jpeg-50"):
        pixels = perturbation(name).apply(pixels, 3)
    assert np.array_equal(laundered(SMALL, laundering, seed=3), pixels)


def test_another_seed_draws_other_noise() -> None:
    noisy, again = (laundered(SMALL, Laundering(noise=10), seed=seed) for seed in (0, 1))
    assert not np.array_equal(noisy, again)
    assert abs(float(np.std(noisy.astype(float) - again)) - 10 * 2**0.5) < 2


def test_a_model_draws_it_anew_before_it_is_encoded() -> None:
    weak, strong = (laundered(SMALL, Laundering(regeneration=strength)) for strength in (0.1, 0.6))
    away = [float(np.square(pixels.astype(float) - SMALL).mean()) for pixels in (weak, strong)]
    assert 0 < away[0] < away[1]
    encoded = laundered(SMALL, Laundering(regeneration=0.1, jpeg=30))
    assert np.array_equal(encoded, perturbation("jpeg-30").apply(weak))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"crop": 0.001}, {"crop": 2.0}, {"rotation": 200.0}, {"blur": -1.0}, {"noise": 300.0}),
        *({"noise": float("nan")}, {"regeneration": 1.5}, {"regeneration": -0.1}, {"jpeg": 0}, {"jpeg": 101}),
    ],
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        laundered(SMALL, Laundering(**wrong))  # type: ignore[arg-type]
    assert caught.value.hint


def test_the_evidence_falls_as_a_slider_moves(examiner: Examiner, picture: Pixels) -> None:
    points = list(fall(examiner, picture, Slider.NOISE, values=(0.0, 8.0, 255.0)))
    assert [point.value for point in points] == [0.0, 8.0, 255.0]
    assert np.array_equal(points[0].pixels, picture)
    marks = [one for point in points for one in point.standings if one.check == "watermark"]
    assert [mark.found for mark in marks] == [True, True, False]
    assert marks[0].summary.startswith("Ours, unaltered")
    assert marks[1].summary.startswith("Ours, edited")
    assert marks[0].p_value is not None
    assert marks[1].p_value is not None
    assert marks[0].p_value < marks[1].p_value <= 1e-6
    assert (marks[2].p_value, marks[2].log10_lr) == (None, None)
    assert marks[2].summary == "" or marks[2].summary.startswith(("Transplanted", "Cannot tell"))
    assert (points[0].report.verdict.claim, points[0].report.verdict.basis) == (Claim.OURS, Basis.MARKED)
    assert points[2].report.verdict.claim is None


def test_what_is_said_is_what_verify_says(studio: Studio, examiner: Examiner, picture: Pixels) -> None:
    others = Laundering(jpeg=80)
    (point,) = fall(examiner, picture, Slider.NOISE, others=others, values=(4.0,), seed=5)
    data = encoded_png(laundered(picture, Laundering(jpeg=80, noise=4.0), seed=5))
    (report,) = examine([data], settings=studio.settings, workers=1)
    assert point.report.verdict == report.verdict
    assert point.standings == standings(report)
    assert {one.check for one in point.standings} == {"watermark", "pixel-watermark"}, "what is skipped is left out"


def test_where_there_was_nothing_there_is_nothing(examiner: Examiner) -> None:
    (point,) = fall(examiner, photograph(1), Slider.JPEG, values=(None,))
    assert point.standings == tuple(
        Standing(check=check, p_value=None, log10_lr=None, found=False, summary="")
        for check in ("watermark", "pixel-watermark")
    )


def test_points_come_as_they_are_known(examiner: Examiner, picture: Pixels) -> None:
    points = fall(examiner, picture, Slider.JPEG, values=(None, 0))
    assert next(points).value is None
    with pytest.raises(ConfigurationError, match="jpeg-0"):
        next(points)
