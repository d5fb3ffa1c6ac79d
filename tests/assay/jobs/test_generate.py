from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from assay import fingerprint
from assay.binding import pixel_sha256
from assay.catalog import latent_watermark
from assay.errors import AssayError, ConfigurationError, KeyStoreError, SelfCheckError, SigningError
from assay.jobs import generate as job
from assay.jobs import marks
from assay.jobs.generate import SELF_CHECK_LOG10_P, Step, Wish, generate
from assay.jobs.marks import Watermark
from assay.jobs.verify import examine
from assay.keys import key_store
from assay.ledger import location, open_ledger
from assay.report.as_json import render_lines
from assay.vocabulary import AiUse, Attestation, Basis, Claim, Integrity, Measurement, Seal, Settings
from generation.models import SPECS, spec_named
from generation.toy import toy_pipeline
from tests.assay.jobs.studio import WISH, Studio, furnish, pixels_of
from tests.generation.checkpoints import as_checkpoint


def test_the_row_says_what_was_delivered(studio: Studio) -> None:
    with open_ledger(location(studio.settings)) as ledger:
        assert ledger.count() == 1
        assert studio.made.image_id is not None
        entry = ledger.get(studio.made.image_id)
        assert ledger.check() == []
    assert entry is not None
    assert entry.file_sha256 == sha256(studio.picture.read_bytes()).hexdigest()
    assert entry.pixel_sha256 == pixel_sha256(pixels_of(studio.picture))
    assert entry.latent_shape == (4, 32, 32)
    assert (entry.model, entry.scheduler, entry.steps) == ("pocket", "DDIMScheduler", 10)
    assert fingerprint.likeness(pixels_of(studio.picture), entry.thumbnail).agrees
    assert entry.key_id == key_store(studio.settings.home).current().id


def test_the_mark_was_read_back_before_it_was_handed_over(studio: Studio) -> None:
    assert studio.made.log10_p is not None
    assert studio.made.log10_p <= SELF_CHECK_LOG10_P


def test_verify_closes_the_loop(studio: Studio) -> None:
    (report,) = examine([studio.picture], settings=studio.settings, workers=1)
    (credentials,) = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    assert credentials.integrity is Integrity.INTACT
    assert credentials.ai_use is AiUse.FULLY
    assert studio.made.image_id is not None
    assert f"{studio.made.image_id:016x}" in [detail.value for detail in credentials.details]
    marks = [outcome for outcome in report.outcomes if isinstance(outcome, Measurement)]
    assert {mark.check for mark in marks} >= {"watermark"}
    assert all(mark.summary.startswith("Ours, unaltered") for mark in marks)
    assert (report.verdict.claim, report.verdict.basis) == (Claim.OURS, Basis.MARKED)


def test_the_manifest_names_the_marks_that_were_read_back(studio: Studio) -> None:
    (report,) = examine([studio.picture], settings=studio.settings, workers=1)
    (credentials,) = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    named = [detail.value for detail in credentials.details if detail.name == "Soft binding"]
    assert named[0] == "alt.assay.sealed-seed.1"
    assert set(named[1:]) <= {"alt.assay.spread.2"}
    found = {outcome.check for outcome in report.outcomes if isinstance(outcome, Measurement)}
    assert ("pixel-watermark" in found) == (len(named) > 1)


def test_the_mark_in_the_pixels_works_alone(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    for attempt in range(5):  # a picture of 128 pixels holds it nearly always
        with suppress(SelfCheckError):
            (made,) = generate(replace(WISH, watermark="spread"), [tmp_path / f"{attempt}.png"], settings=settings)
            break
    (report,) = examine([made.path], settings=settings, workers=1)
    (mark,) = [outcome for outcome in report.outcomes if isinstance(outcome, Measurement)]
    assert mark.check == "pixel-watermark"
    assert mark.summary.startswith("Ours, unaltered")


def test_a_seed_draws_the_same_picture_again_without_a_mark(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    wish = Wish(prompt="a pink tulip", watermark="none", seed=7, steps=2)
    first, second = tmp_path / "first.png", tmp_path / "second.png"
    for target in (first, second):
        (made,) = generate(wish, [target], settings=settings)
        assert made.image_id is None
    assert np.array_equal(pixels_of(first), pixels_of(second))
    (other,) = generate(replace(wish, seed=8), [second], settings=settings)
    assert not np.array_equal(pixels_of(first), pixels_of(other.path))
    assert not (tmp_path / "home" / "ledger.sqlite3").exists()


def test_progress_is_told_of_every_step(tmp_path: Path) -> None:
    told: list[Step] = []
    wish = Wish(prompt="", watermark="none", steps=3)
    list(generate(wish, [tmp_path / "x.webp"], settings=furnish(tmp_path / "home"), progress=told.append))
    assert [(step.number, step.total) for step in told] == [(1, 3), (2, 3), (3, 3)]


def test_looking_at_every_step_changes_nothing(tmp_path: Path) -> None:
    settings, previews = furnish(tmp_path / "home"), []
    wish = Wish(prompt="a pink tulip", watermark="none", seed=7, steps=4)
    (plain,) = generate(wish, [tmp_path / "plain.png"], settings=settings)
    (watched,) = generate(
        wish, [tmp_path / "watched.png"], settings=settings, progress=lambda step: previews.append(step.preview())
    )
    drawn = pixels_of(plain.path)
    assert np.array_equal(pixels_of(watched.path), drawn)
    assert np.array_equal(watched.noise, plain.noise)
    away = [float(np.square(preview.astype(float) - drawn).mean()) for preview in previews]
    assert {preview.dtype for preview in previews} == {np.dtype(np.uint8)}
    assert away == sorted(away, reverse=True)
    assert away[-1] == 0


def test_the_noise_is_what_the_picture_was_drawn_from(studio: Studio) -> None:
    noise = studio.made.noise
    with open_ledger(location(studio.settings)) as ledger:
        (entry,) = (recorded.entry for recorded in ledger.entries())
    key = key_store(studio.settings.home).current()
    seal = Seal(secret=key.secret, nonce=entry.nonce, payload=entry.payload)
    assert noise.shape == entry.latent_shape
    assert abs(float(noise.mean())) < 0.1 > abs(float(noise.std()) - 1)
    assert latent_watermark("sealed-seed").measure(noise, seal).log10_p < -100
    assert "noise" not in repr(studio.made)


@pytest.mark.parametrize(
    ("changes", "name", "problem"),
    [
        ({"seed": 1}, "x.png", "exclude each other"),
        ({"steps": 0}, "x.png", "draw nothing"),
        ({}, "x.bmp", "not a format"),
        ({}, "missing/x.png", "cannot be written"),
        ({"model": "unheard-of"}, "x.png", "neither a model"),
        ({"scheduler": "unheard-of"}, "x.png", "not a scheduler"),
        ({"size": (100, 130)}, "x.png", "too few"),
        ({"size": (100, 130), "watermark": "sealed-seed"}, "x.png", "not a size"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_drawn(
    tmp_path: Path, changes: dict[str, object], name: str, problem: str
) -> None:
    settings = furnish(tmp_path / "home")
    with pytest.raises(ConfigurationError, match=problem) as caught:
        list(generate(replace(WISH, **changes), [tmp_path / name], settings=settings))
    assert caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_keys_are_never_made_on_the_way(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    with pytest.raises(SigningError, match="no signing key"):
        list(generate(WISH, [tmp_path / "x.png"], settings=settings))
    furnish(tmp_path / "other")
    (tmp_path / "other" / "keys" / "watermark" / "keys.json").unlink()
    with pytest.raises(KeyStoreError, match="no watermark key"):
        list(generate(WISH, [tmp_path / "x.png"], settings=Settings(home=tmp_path / "other")))


def test_an_image_without_its_mark_is_not_handed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "SELF_CHECK_LOG10_P", -1e6)
    settings = furnish(tmp_path / "home")
    with pytest.raises(SelfCheckError, match="not in the image") as caught:
        list(generate(replace(WISH, steps=2), [tmp_path / "x.png"], settings=settings))
    assert isinstance(caught.value, AssayError)
    assert not (tmp_path / "x.png").exists()
    with open_ledger(location(settings)) as ledger:
        assert ledger.count() == 0


def test_a_model_of_ones_own_is_named_by_what_it_holds(tmp_path: Path) -> None:
    spec = SPECS["stable-diffusion-v1-5/stable-diffusion-v1-5"]
    toy_pipeline(spec).save_pretrained(tmp_path / "toy")
    settings = furnish(tmp_path / "home")
    wish = Wish(prompt="a tulip", model=str(tmp_path / "toy"), steps=2, size=(192, 192), watermark="spread")
    (made,) = generate(wish, [tmp_path / "tulip.png"], settings=settings)
    assert made.image_id is not None
    with open_ledger(location(settings)) as ledger:
        entry = ledger.get(made.image_id)
    assert entry is not None
    assert entry.model == spec_named(str(tmp_path / "toy")).id
    (report,) = examine([tmp_path / "tulip.png"], settings=settings, workers=1)
    text = render_lines([report])
    assert "toy (sha256 " in text
    assert f"{tmp_path}/toy" not in text
    assert report.verdict.claim is Claim.OURS


def test_a_checkpoint_draws_what_is_recognised(tmp_path: Path) -> None:
    pipeline = toy_pipeline(SPECS["stable-diffusion-v1-5/stable-diffusion-v1-5"])
    pipeline.save_pretrained(tmp_path / "like")
    checkpoint = as_checkpoint(pipeline, tmp_path / "mine.safetensors")
    settings = furnish(tmp_path / "home")
    wish = Wish(
        prompt="a tulip",
        model=str(checkpoint),
        config=str(tmp_path / "like"),
        steps=2,
        size=(192, 192),
        watermark="spread",
    )
    (made,) = generate(wish, [tmp_path / "tulip.png"], settings=settings)
    assert made.image_id is not None
    with open_ledger(location(settings)) as ledger:
        entry = ledger.get(made.image_id)
    assert entry is not None
    assert entry.model == spec_named(str(checkpoint), config=str(tmp_path / "like")).id
    (report,) = examine([tmp_path / "tulip.png"], settings=settings, workers=1)
    assert report.verdict.claim is Claim.OURS
    assert "mine.safetensors (sha256 " in render_lines([report])
    assert str(checkpoint) not in render_lines([report])


def test_a_mark_is_read_with_the_lora_that_it_was_drawn_with_or_not_at_all(tmp_path: Path) -> None:
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    chance = torch.Generator().manual_seed(1)
    shapes = {f"{name}.lora_A.weight": (2, 192), f"{name}.lora_B.weight": (192, 2)}
    lora = tmp_path / "dots.safetensors"
    save_file({each: torch.randn(*shape, generator=chance) / 20 for each, shape in shapes.items()}, lora)
    settings = furnish(tmp_path / "home")
    wish = replace(WISH, loras=(f"{lora}:0.5",), watermark="sealed-seed")
    (made,) = generate(wish, [tmp_path / "sunflower.png"], settings=settings)
    pixels = pixels_of(tmp_path / "sunflower.png")
    looked = Watermark(settings).look(pixels)
    assert looked.sighting is not None
    assert looked.sighting.entry.image_id == made.image_id
    assert looked.sighting.entry.model == spec_named("pocket", loras=[f"{lora}:0.5"]).id
    save_file({each: torch.zeros(shape) for each, shape in shapes.items()}, lora)
    marks._adapter.cache_clear()
    looked = Watermark(settings).look(pixels)
    assert (looked.sighting, looked.is_blind) == (None, True)
    assert "its weights are not here: dots.safetensors holds others now" in looked.untried[0]
    assert str(tmp_path) not in looked.untried[0]
    lora.unlink()
    looked = Watermark(settings).look(pixels)
    assert (looked.sighting, looked.is_blind) == (None, True)
    (reason,) = looked.untried
    assert reason.startswith("Rows of pocket + LoRA dots.safetensors (sha256 ")
    assert "its weights are not here" in reason
    assert str(tmp_path) not in reason
