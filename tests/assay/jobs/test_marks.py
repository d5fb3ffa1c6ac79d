from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from sklearn.datasets import load_sample_image

from assay.fingerprint import thumbnail
from assay.jobs.bindings import ROW
from assay.jobs.generate import Wish, generate
from assay.jobs.marks import FOUND_LOG10_P, Watermark, fitted
from assay.jobs.pixel_marks import PixelMark
from assay.jobs.verify import examine
from assay.keys import key_store
from assay.ledger import location, open_ledger
from assay.perturb import perturbation
from assay.policy import decide
from assay.vocabulary import (
    Attestation,
    Basis,
    Claim,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Picture,
    Pixels,
    Settings,
    Skipped,
)
from tests.assay.jobs.studio import Studio, as_jpeg, exhibit_of, furnish, pixels_of
from tests.assay.ledger.entries import entry_for
from watermark.comparison import Shows


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


def test_a_reduced_picture_cannot_tell_whether_it_was_changed(studio: Studio) -> None:
    seen = exhibit_of(fitted(pixels_of(studio.picture), (64, 64)))
    picture = Picture(format="JPEG", mime="image/jpeg", width=128, height=128, frames=1, mode="RGB", reduced=2)
    reduced = replace(seen, facts=replace(seen.facts, picture=picture))
    (outcome,) = Watermark(studio.settings).examine(reduced)
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours: it carries the mark of image ")
    assert outcome.summary.endswith("and shows the same. Whether it was changed since is not known.")


def test_a_rotated_copy_is_found_with_the_ledgers_thumbnail(studio: Studio) -> None:
    rotated = perturbation("rotate-20").apply(pixels_of(studio.picture))
    found = Watermark(studio.settings).find(rotated)
    assert found is not None
    assert found.undone != "nothing"
    assert found.comparison.shows is Shows.SAME


def test_the_mark_in_the_pixels_is_read_where_the_one_in_the_noise_lies(studio: Studio) -> None:
    alone = replace(studio.settings, skip=(*studio.settings.skip, "pixel-watermark"))
    found = Watermark(alone).find(perturbation("rotate-20").apply(pixels_of(studio.picture)))
    assert found is not None
    assert found.undone == "rotation, scale or crop, found with the ledger's thumbnail"
    assert found.is_in_pixels


def test_a_turned_and_cropped_copy_of_many_megapixels_is_found(studio: Studio) -> None:
    """Also one that is far larger than what marks are read at, and no multiple of it."""
    enlarged = Image.fromarray(pixels_of(studio.picture)).resize((2000, 2000), Image.Resampling.BICUBIC)
    turned = enlarged.rotate(7, Image.Resampling.BICUBIC).crop((201, 150, 1790, 1777))
    outcome = _look(studio, np.asarray(turned))
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, edited")
    assert outcome.p_value is not None
    assert outcome.p_value < 1e-30


HUB = "stable-diffusion-v1-5/stable-diffusion-v1-5"


def _with_a_row_of_the_hub(studio: Studio, folder: Path, *, only: bool = False, model: str = HUB) -> Settings:
    """A copy of the data folder whose ledger has a row of a model that is not here, too."""
    settings = replace(studio.settings, home=folder / "home")
    shutil.copytree(studio.settings.home, settings.home)
    if only:
        (settings.home / "ledger.sqlite3").unlink()
    key = key_store(settings.home).current()
    row = entry_for(
        b"elsewhere", model=model, key_id=key.id, latent_shape=(4, 64, 64), width=512, height=512, thumbnail=b""
    )
    with open_ledger(location(settings)) as ledger:
        ledger.deliver(row, folder / "elsewhere.png", b"elsewhere")
    return settings


def test_rows_of_a_model_whose_weights_are_not_here_cost_only_themselves(studio: Studio, tmp_path: Path) -> None:
    check = Watermark(_with_a_row_of_the_hub(studio, tmp_path))
    found, *_ = check.examine(exhibit_of(pixels_of(studio.picture)))
    assert isinstance(found, Measurement)
    assert found.summary.startswith("Ours, unaltered")
    nothing, untried = check.examine(exhibit_of(np.zeros((128, 128, 3), np.uint8)))
    assert isinstance(nothing, Nothing)
    assert isinstance(untried, Skipped)
    assert untried.reason.startswith(f"Rows of {HUB} were not tried: its weights are not here.")


def test_rows_of_a_folder_that_is_gone_are_named_without_its_path(studio: Studio, tmp_path: Path) -> None:
    gone = f"{tmp_path}/models/mine#sha256={'0123456789abcdef' * 4}"
    check = Watermark(_with_a_row_of_the_hub(studio, tmp_path, only=True, model=gone))
    (untried,) = check.examine(exhibit_of(pixels_of(studio.picture)))
    assert isinstance(untried, Skipped)
    assert untried.reason.startswith("Rows of mine (sha256 0123456789abcdef) were not tried: its weights are not here.")
    assert str(tmp_path) not in untried.reason


def test_a_ledger_without_its_keys_says_so(studio: Studio, tmp_path: Path) -> None:
    settings = replace(studio.settings, home=tmp_path / "home")
    settings.home.mkdir()
    shutil.copy(location(studio.settings), location(settings))
    for check in (Watermark(settings), PixelMark(settings)):
        assert check.idle is not None
        assert "a row, whose key is not here" in check.idle
    key_store(settings.home).init("somebody else")
    looked = Watermark(settings).look(pixels_of(studio.picture))
    assert (looked.sighting, looked.is_blind) == (None, True)
    assert looked.untried == ("A row was not tried: its key is not here.",)


def test_credentials_that_name_a_row_are_looked_up(studio: Studio, tmp_path: Path) -> None:
    def told(path: Path, home: Path) -> list[str]:
        (report,) = examine([path], settings=replace(studio.settings, home=home), workers=1)
        (credentials,) = (each for each in report.outcomes if isinstance(each, Attestation))
        return [detail.value for detail in credentials.details if detail.name == ROW]

    home, longer = studio.settings.home, tmp_path / "longer.png"
    longer.write_bytes(studio.picture.read_bytes() + b"more")
    (row,) = told(studio.picture, home)
    assert row.endswith("what was delivered is this very file")
    (row,) = told(longer, home)
    assert row.endswith("what was delivered is not this file, byte for byte")
    assert told(studio.picture, tmp_path / "nowhere") == []
    with open_ledger(tmp_path / "ledger.sqlite3"):
        pass
    (row,) = told(studio.picture, tmp_path)
    assert studio.made.image_id is not None
    assert row == f"no row of image {studio.made.image_id:016x} here"


def test_where_no_row_can_be_tried_nothing_is_said_to_be_absent(studio: Studio, tmp_path: Path) -> None:
    check = Watermark(_with_a_row_of_the_hub(studio, tmp_path, only=True))
    (untried,) = check.examine(exhibit_of(pixels_of(studio.picture)))
    assert isinstance(untried, Skipped)


def test_the_noise_is_read_where_the_mark_in_the_pixels_lies(studio: Studio) -> None:
    """Turned and in other colours: content does not speak for the row, and the mark in the pixels does."""
    turned = perturbation("turn-90+gamma-0.6").apply(pixels_of(studio.picture))
    found = Watermark(studio.settings).find(turned)
    assert found is not None
    assert found.undone.endswith(", as the mark in the pixels lies")
    alone = replace(studio.settings, skip=(*studio.settings.skip, "pixel-watermark"))
    assert Watermark(alone).find(turned) is None


def test_a_photograph_carries_nothing(studio: Studio) -> None:
    photograph = np.asarray(Image.fromarray(load_sample_image("china.jpg")).resize((128, 128)))
    assert isinstance(_look(studio, photograph), Nothing)
    assert Watermark(studio.settings).row_of(photograph) is None


def test_a_photograph_of_another_size_is_not_inverted_and_the_report_says_so(studio: Studio) -> None:
    photograph = exhibit_of(load_sample_image("china.jpg"))
    nothing, left_out = Watermark(studio.settings).examine(photograph)
    assert isinstance(nothing, Nothing)
    assert isinstance(left_out, Skipped)
    assert left_out.reason.startswith("Rows of pocket at 128 x 128 were not all tried")
    (nothing,) = Watermark(replace(studio.settings, thorough=True)).examine(photograph)
    assert isinstance(nothing, Nothing)


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
