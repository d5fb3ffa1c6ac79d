from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from assay.fingerprint import thumbnail
from assay.jobs.generate import Wish, generate
from assay.jobs.marks import FOUND_LOG10_P, Watermark, fitted
from assay.ledger import location, open_ledger
from assay.perturb import perturbation
from assay.policy import decide
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


def test_a_turned_and_cropped_copy_of_many_megapixels_is_found(studio: Studio) -> None:
    """Also one that is far larger than what marks are read at, and no multiple of it."""
    enlarged = Image.fromarray(pixels_of(studio.picture)).resize((2000, 2000), Image.Resampling.BICUBIC)
    turned = enlarged.rotate(7, Image.Resampling.BICUBIC).crop((201, 150, 1790, 1777))
    outcome = _look(studio, np.asarray(turned))
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, edited")
    assert outcome.p_value is not None
    assert outcome.p_value < 1e-30


def test_a_photograph_carries_nothing(studio: Studio) -> None:
    photograph = np.asarray(Image.fromarray(load_sample_image("china.jpg")).resize((128, 128)))
    assert isinstance(_look(studio, photograph), Nothing)
    assert Watermark(studio.settings).row_of(photograph) is None


def test_another_installation_finds_nothing(studio: Studio, tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    list(generate(Wish(prompt="a red rose", steps=2), [tmp_path / "rose.png"], settings=settings))
    (outcome,) = Watermark(settings).examine(exhibit_of(pixels_of(studio.picture)))
    assert isinstance(outcome, Nothing)


def test_a_mark_on_other_content_is_transplanted(studio: Studio, tmp_path: Path) -> None:
    """The same noise and keys, and a row that says that something else was made of them."""
    shutil.copytree(studio.settings.home / "keys", tmp_path / "home" / "keys")
    settings = replace(studio.settings, home=tmp_path / "home")
    assert studio.made.image_id is not None
    with open_ledger(location(studio.settings)) as ledger:
        entry = ledger.get(studio.made.image_id)
    assert entry is not None
    row = replace(entry, thumbnail=thumbnail(load_sample_image("china.jpg")), pixel_sha256="0" * 64)
    with open_ledger(location(settings)) as ledger:
        ledger.deliver(row, tmp_path / "moved.png", studio.picture.read_bytes())
    check = Watermark(settings)
    (outcome,) = check.examine(exhibit_of(pixels_of(studio.picture)))
    assert isinstance(outcome, Observation)
    assert outcome.signal == "transplanted-watermark"
    assert outcome.contradiction
    assert check.row_of(pixels_of(studio.picture)) is None
    verdict = decide((outcome,))
    assert verdict.claim is None
    assert verdict.conflicts == (outcome.summary,)


def test_kinds_are_the_models_and_sizes_of_the_ledger(studio: Studio) -> None:
    with open_ledger(location(studio.settings)) as ledger:
        (kind,) = ledger.kinds()
    assert (kind.model, kind.latent_shape, kind.height, kind.width) == ("pocket", (4, 32, 32), 128, 128)
