from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from assay.binding import pixel_sha256
from assay.errors import AssayError, ConfigurationError, KeyStoreError, SelfCheckError, UnreadableError
from assay.fingerprint import thumbnail
from assay.jobs.mark import Marked, mark
from assay.jobs.pixel_marks import PixelMark
from assay.jobs.verify import Examiner, examine
from assay.keys import key_store
from assay.ledger import location, open_ledger
from assay.perturb import perturbation
from assay.vocabulary import (
    AiUse,
    Attestation,
    Basis,
    Claim,
    Failed,
    History,
    Integrity,
    Limits,
    Measurement,
    Nothing,
    Observation,
    Outcome,
    Pixels,
    Settings,
)
from tests.assay.jobs.studio import exhibit_of, furnish, pixels_of
from tests.conftest import SLOW
from tests.pictures import photograph


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, Marked, Path]:
    """A photograph that was marked; nothing may be added to its ledger."""
    folder = tmp_path_factory.mktemp("desk")
    settings, source = furnish(folder / "home"), folder / "source.png"
    Image.fromarray(photograph(0)).save(source)
    (one,) = mark([(source, folder / "marked.png")], settings=settings)
    return settings, one, source


def look(settings: Settings, pixels: Pixels) -> Outcome:
    (outcome,) = PixelMark(settings).examine(exhibit_of(pixels))
    return outcome


def test_the_row_says_what_was_delivered(marked: tuple[Settings, Marked, Path]) -> None:
    settings, one, _ = marked
    with open_ledger(location(settings)) as ledger:
        entry = ledger.get(one.image_id)
        assert ledger.check() == []
        assert ledger.kinds() == () or all(not kind.model for kind in ledger.kinds())
    assert entry is not None
    assert (entry.watermark, entry.model) == ("spread.2", "")
    assert entry.pixel_sha256 == pixel_sha256(pixels_of(one.path))


def test_verify_closes_the_loop(marked: tuple[Settings, Marked, Path]) -> None:
    settings, one, _ = marked
    (report,) = examine([one.path], settings=settings, workers=1)
    (credentials,) = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    assert (credentials.integrity, credentials.history) == (Integrity.INTACT, History.INTACT)
    assert credentials.manifest is not None
    assert [part.relationship for part in credentials.manifest.ingredients] == ["parentOf"]
    assert "alt.assay.spread.2" in [detail.value for detail in credentials.details]
    (found,) = [outcome for outcome in report.outcomes if isinstance(outcome, Measurement)]
    assert found.summary.startswith("Ours, unaltered")
    assert "not made here" in found.summary
    assert (report.verdict.claim, report.verdict.basis) == (Claim.OURS, Basis.MARKED)


def test_earlier_credentials_stay_as_history(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, one, _ = marked
    home = tmp_path / "home"
    shutil.copytree(settings.home, home)
    own = replace(settings, home=home)
    key_store(home).init("desk")
    (again,) = mark([(one.path, tmp_path / "again.png")], settings=own, user="desk")
    (report,) = examine([again.path], settings=own, workers=1)
    (credentials,) = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    assert credentials.manifest is not None
    (parent,) = credentials.manifest.ingredients
    assert parent.signer is not None
    assert credentials.history is History.INTACT


def test_a_second_mark_of_the_same_key_is_refused(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, one, _ = marked
    with pytest.raises(ConfigurationError, match=f"already carries {one.image_id >> 16:012x}") as caught:
        list(mark([(one.path, tmp_path / "again.png")], settings=settings))
    assert "--user" in caught.value.hint
    assert not (tmp_path / "again.png").exists()


@pytest.mark.parametrize("change", ["jpeg-50", "rotate-20+crop-80", "flip-horizontal", "screenshot"])
def test_a_changed_copy_is_edited(marked: tuple[Settings, Marked, Path], change: str) -> None:
    settings, one, _ = marked
    outcome = look(settings, perturbation(change).apply(pixels_of(one.path)))
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, edited")
    assert f"{one.image_id:016x}" in outcome.summary


def test_a_mark_on_other_content_is_transplanted(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, one, _ = marked
    home = tmp_path / "home"
    shutil.copytree(settings.home / "keys", home / "keys")
    own = replace(settings, home=home)
    with open_ledger(location(settings)) as ledger:
        entry = ledger.get(one.image_id)
    assert entry is not None
    row = replace(entry, thumbnail=thumbnail(photograph(1)), pixel_sha256="0" * 64)
    with open_ledger(location(own)) as ledger:
        ledger.deliver(row, tmp_path / "moved.png", one.path.read_bytes())
    outcome = look(own, pixels_of(one.path))
    assert isinstance(outcome, Observation)
    assert (outcome.check, outcome.signal) == ("pixel-watermark", "transplanted-watermark")
    assert PixelMark(own).row_of(pixels_of(one.path)) is None


def test_a_mark_without_a_row_is_said_to_be_one(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, one, _ = marked
    home = tmp_path / "home"
    shutil.copytree(settings.home / "keys", home / "keys")
    outcome = look(replace(settings, home=home), pixels_of(one.path))
    assert isinstance(outcome, Measurement)
    assert "no row" in outcome.summary
    assert f"{one.image_id >> 16:012x}" in [detail.value for detail in outcome.details]


def test_a_mark_by_a_revoked_key_says_so_and_counts_only_with_a_row(
    marked: tuple[Settings, Marked, Path], tmp_path: Path
) -> None:
    settings, one, _ = marked
    home = tmp_path / "home"
    shutil.copytree(settings.home, home)
    key = key_store(home).revoke(key_store(home).current().id)
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    with_row = look(replace(settings, home=home), pixels_of(one.path))
    assert isinstance(with_row, Measurement)
    assert with_row.summary.endswith(f"Its key is revoked on {today}.")
    (home / "ledger.sqlite3").unlink()
    without = look(replace(settings, home=home), pixels_of(one.path))
    assert isinstance(without, Observation)
    assert (without.signal, without.claim) == ("mark-by-ended-key", None)
    for outcome in (with_row, without):
        assert f"{key.id}, revoked on {today}" in [detail.value for detail in outcome.details]


def test_many_keys_do_not_drown_a_mark_that_has_a_row(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, one, _ = marked
    home = tmp_path / "home"
    shutil.copytree(settings.home, home)
    for number in range(25):
        key_store(home).init(f"user {number}")
    pixels = pixels_of(one.path)
    outcome = look(replace(settings, home=home), pixels)
    assert isinstance(outcome, Measurement)
    assert outcome.summary.startswith("Ours, unaltered")
    (home / "ledger.sqlite3").unlink()
    assert isinstance(look(replace(settings, home=home), pixels), Nothing)  # 26 keys, and nothing but check bits


def test_keys_that_cannot_be_read_hide_no_other_check(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, one, _ = marked
    home = tmp_path / "home"
    shutil.copytree(settings.home, home)
    (home / "keys" / "watermark").chmod(0o755)
    (report,) = examine([one.path], settings=replace(settings, home=home), workers=1)
    (failed,) = [outcome for outcome in report.outcomes if outcome.check == "pixel-watermark"]
    assert isinstance(failed, Failed)
    assert "others may read it" in failed.error
    assert any(isinstance(outcome, Attestation) for outcome in report.outcomes)


def test_the_original_is_never_written_over(marked: tuple[Settings, Marked, Path], tmp_path: Path) -> None:
    settings, _, source = marked
    (tmp_path / "link.png").symlink_to(source)
    before = source.read_bytes()
    for target in (source, tmp_path / "link.png"):
        with pytest.raises(ConfigurationError, match="would be lost"):
            list(mark([(source, target)], settings=settings))
    assert source.read_bytes() == before


def test_without_keys_there_is_nothing_to_look_for(tmp_path: Path) -> None:
    check = PixelMark(Settings(home=tmp_path))
    assert check.idle is not None
    assert "No watermark key" in check.idle
    assert isinstance(check.examine(exhibit_of(photograph(0)))[0], Nothing)


def test_a_photograph_carries_nothing(marked: tuple[Settings, Marked, Path]) -> None:
    settings, _, _ = marked
    assert isinstance(look(settings, photograph(1)), Nothing)
    assert PixelMark(settings).row_of(photograph(1)) is None


def test_payloads_count_on(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    pairs = []
    for number in range(2):
        Image.fromarray(photograph(number)).save(tmp_path / f"{number}.png")
        pairs.append((tmp_path / f"{number}.png", tmp_path / f"out-{number}.webp"))
    done = list(mark(pairs, settings=settings, payload=0xABC))
    assert [one.image_id >> 16 for one in done] == [0xABC, 0xABD]


@pytest.mark.parametrize(
    ("name", "pixels", "problem", "error"),
    [
        ("x.gif", photograph(0), "not a format", ConfigurationError),
        ("x.png", photograph(0)[:64, :64], "too few", UnreadableError),
        ("missing/x.png", photograph(0), "no file can be delivered", AssayError),
    ],
)
def test_what_cannot_be_done_leaves_nothing_behind(
    tmp_path: Path, name: str, pixels: Pixels, problem: str, error: type[AssayError]
) -> None:
    settings = furnish(tmp_path / "home")
    Image.fromarray(pixels).save(tmp_path / "in.png")
    with pytest.raises(error, match=problem) as caught:
        list(mark([(tmp_path / "in.png", tmp_path / name)], settings=settings))
    assert caught.value.hint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "in.png"]


def test_limits_hold(tmp_path: Path) -> None:
    settings = replace(furnish(tmp_path / "home"), limits=Limits(max_pixels=1_000))
    Image.fromarray(photograph(0)).save(tmp_path / "in.png")
    with pytest.raises(UnreadableError, match="more than 1,000"):
        list(mark([(tmp_path / "in.png", tmp_path / "out.png")], settings=settings))
    with pytest.raises(UnreadableError, match="nowhere"):
        list(mark([(tmp_path / "nowhere.png", tmp_path / "out.png")], settings=settings))


def test_a_payload_has_to_fit(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    Image.fromarray(photograph(0)[:200, :200]).save(tmp_path / "in.png")
    with pytest.raises(ConfigurationError, match="carries 16 bits"):
        list(mark([(tmp_path / "in.png", tmp_path / "out.png")], settings=settings, payload=1 << 16))


def test_a_picture_that_does_not_hold_the_mark_is_not_handed_over(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    random = np.random.default_rng(0)
    Image.fromarray(random.integers(0, 256, (128, 128, 3), dtype=np.uint8)).save(tmp_path / "noise.png")
    with pytest.raises(SelfCheckError, match="cannot be read"):
        list(mark([(tmp_path / "noise.png", tmp_path / "out.jpg")], settings=settings))
    assert not (tmp_path / "out.jpg").exists()


def test_keys_are_never_made_on_the_way(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    (tmp_path / "home" / "keys" / "watermark" / "keys.json").unlink()
    with pytest.raises(KeyStoreError, match="no watermark key"):
        list(mark([], settings=settings))
    assert key_store(settings.home).keys() == ()


def test_an_examiner_sees_keys_and_rows_that_are_younger_than_it_is(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home", skip=SLOW)
    source = tmp_path / "photo.png"
    Image.fromarray(photograph(0)).save(source)
    with Examiner(settings, workers=1, decode=True) as examiner:
        (before,) = examiner.examine([source])
        furnish(settings.home)
        list(mark([(source, tmp_path / "marked.png")], settings=settings))
        (after,) = examiner.examine([tmp_path / "marked.png"])
    assert before.report.verdict.claim is None
    assert after.report.verdict.claim is Claim.OURS


_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" Iptc4xmpExt:DigitalSourceType='
    b'"http://cv.iptc.org/newscodes/digitalsourcetype/%s"/></rdf:RDF></x:xmpmeta>'
)


def _declaring(path: Path, term: bytes) -> Path:
    """A picture that declares how it was made, in the way of its container."""
    image, packet = Image.fromarray(photograph(0)[:256, :256]), _XMP % term
    match path.suffix:
        case ".png":
            text = PngInfo()
            text.add_itxt("XML:com.adobe.xmp", packet.decode())
            text.add_text("Comment", "a friend's")
            image.save(path, pnginfo=text)
        case ".tif":
            tags = ImageFileDirectory_v2()
            tags[700] = packet
            image.save(path, tiffinfo=tags)
        case _:
            image.save(path, xmp=packet, quality=95)
    return path


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".tif"])
def test_a_declaration_of_ai_is_carried_over_and_stated(tmp_path: Path, suffix: str) -> None:
    settings = furnish(tmp_path / "home")
    source = _declaring(tmp_path / f"in{suffix}", b"trainedAlgorithmicMedia")
    (one,) = mark([(source, tmp_path / f"out{suffix}")], settings=settings)
    (report,) = examine([one.path], settings=replace(settings, skip=(*SLOW, "watermark", "pixel-watermark")), workers=1)
    (credentials,) = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    assert (credentials.integrity, credentials.ai_use) == (Integrity.INTACT, AiUse.FULLY)
    assert "digital-source-type" in [each.signal for each in report.outcomes if isinstance(each, Observation)]


@pytest.mark.parametrize(
    ("term", "stated"),
    [(b"compositeWithTrainedAlgorithmicMedia", AiUse.PARTLY), (b"digitalCapture", AiUse.NONE)],
)
def test_what_is_stated_is_what_was_declared(tmp_path: Path, term: bytes, stated: AiUse) -> None:
    settings = furnish(tmp_path / "home")
    source = _declaring(tmp_path / "in.png", term)
    (one,) = mark([(source, tmp_path / "out.png")], settings=settings)
    (report,) = examine([one.path], settings=replace(settings, skip=(*SLOW, "watermark", "pixel-watermark")), workers=1)
    (credentials,) = [outcome for outcome in report.outcomes if isinstance(outcome, Attestation)]
    assert credentials.ai_use is stated
