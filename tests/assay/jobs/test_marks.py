from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from assay.jobs.generate import Wish, generate
from assay.jobs.marks import FOUND_LOG10_P, Watermark, fitted
from assay.ledger import location, open_ledger
from assay.perturb import perturbation
from assay.vocabulary import Basis, Claim, Measurement, Nothing, Observation, Outcome, Pixels, Settings
from tests.assay.jobs.studio import Studio, as_jpeg, exhibit_of, furnish, pixels_of


def _look(studio: Studio, pixels: Pixels) -> Outcome:
    (outcome,) = Watermark(studio.settings).examine(exhibit_of(pixels))
    return outcome


def test_without_a_ledger_there_is_nothing_to_look_for(tmp_path: Path) -> None:
    check = Watermark(Settings(home=tmp_path))
    assert check.idle is not None
    assert "No ledger" in check.idle
    assert isinstance(check.examine(exhibit_of(np.zeros((8, 8, 3), np.uint8)))[0], Nothing)
    assert list(tmp_path.iterdir()) == []


def test_equal_pixels_are_unaltered(studio: Studio) -> None:
    outcome = _look(studio, pixels_of(studio.picture))
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, unaltered")
    assert (outcome.claim, outcome.basis) == (Claim.OURS, Basis.MARKED)
    assert outcome.p_value is not None
    assert outcome.p_value <= 10**FOUND_LOG10_P


def test_a_stripped_and_recompressed_copy_is_edited(studio: Studio) -> None:
    outcome = _look(studio, as_jpeg(pixels_of(studio.picture), 50))
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, edited")
    assert studio.made.image_id is not None
    assert f"{studio.made.image_id:016x}" in outcome.summary


def test_an_enlarged_copy_is_edited(studio: Studio) -> None:
    outcome = _look(studio, fitted(pixels_of(studio.picture), (300, 300)))
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, edited")


def test_a_rotated_copy_is_found_with_the_ledgers_thumbnail(studio: Studio) -> None:
    rotated = perturbation("rotate-20").apply(pixels_of(studio.picture))
    found = Watermark(studio.settings).find(rotated)
    assert found is not None
    assert found.undone != "nothing"
    assert found.likeness.agrees


def test_a_photograph_carries_nothing(studio: Studio) -> None:
    photograph = np.asarray(Image.fromarray(load_sample_image("china.jpg")).resize((128, 128)))
    assert isinstance(_look(studio, photograph), Nothing)
    assert Watermark(studio.settings).row_of(photograph) is None


def test_another_installation_finds_nothing(studio: Studio, tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    list(generate(Wish(prompt="a red rose", steps=2), [tmp_path / "rose.png"], settings=settings))
    (outcome,) = Watermark(settings).examine(exhibit_of(pixels_of(studio.picture)))
    assert isinstance(outcome, Nothing)


def test_a_mark_on_other_content_is_transplanted(studio: Studio) -> None:
    """Reprompting (Müller et al., CVPR 2025): the noise of a marked picture draws another one."""
    import torch

    from assay.jobs.generate import estimate, to_pixels
    from assay.jobs.marks import _adapter

    adapter = _adapter("pocket")
    (noise,) = estimate(adapter, [pixels_of(studio.picture)])
    forged = adapter.draw(["white daisies in a field"], torch.from_numpy(noise)[None], steps=10, guidance=6.0)
    outcome = _look(studio, to_pixels(forged)[0])
    assert isinstance(outcome, Observation)
    assert outcome.signal == "transplanted-watermark"
    assert outcome.contradiction
    assert Watermark(studio.settings).row_of(to_pixels(forged)[0]) is None


def test_kinds_are_the_models_and_sizes_of_the_ledger(studio: Studio) -> None:
    with open_ledger(location(studio.settings)) as ledger:
        (kind,) = ledger.kinds()
    assert (kind.model, kind.latent_shape, kind.height, kind.width) == ("pocket", (4, 32, 32), 128, 128)
