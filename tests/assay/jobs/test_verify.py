from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from PIL import Image

from assay import catalog
from assay.errors import ConfigurationError
from assay.jobs import guarded
from assay.jobs.verify import examine
from assay.report.view import view
from assay.vocabulary import (
    Attestation,
    Check,
    Claim,
    Detail,
    Exhibit,
    Failed,
    Limits,
    Nothing,
    Observation,
    Outcome,
    Settings,
    Skipped,
)
from forensics import distrust
from forensics.distrust import Distrusted
from generation.declaration import Declaration
from generation.sign import sign
from tests.authority import Authority
from tests.seeds import encoded


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, authority: Authority) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    signed = sign(encoded("JPEG"), "image/jpeg", authority.signer(), Declaration(title="a"))
    (folder / "signed.jpg").write_bytes(signed)
    (folder / "plain.png").write_bytes(encoded("PNG"))
    (folder / "broken.gif").write_bytes(b"GIF89a")
    return folder


def test_one_report_for_each_source_in_their_order(folder: Path, settings: Settings) -> None:
    sources = [folder / "plain.png", str(folder / "signed.jpg"), folder / "missing.jpg", folder / "broken.gif"]
    reports = list(examine(sources * 3, settings=settings, workers=2))
    assert [report.exhibit.name for report in reports] == [str(source) for source in sources] * 3
    signed = reports[1]
    assert signed.verdict.claim is Claim.GENERATED
    assert [type(item) for item in signed.outcomes if isinstance(item, Attestation)] == [Attestation]
    for report, name in ((reports[2], "missing.jpg"), (reports[3], "broken.gif")):
        assert len(report.failures) == 1
        assert name in report.failures[0].error
        assert report.verdict.headline.startswith("Not examined")


def test_verdicts_do_not_depend_on_the_number_of_workers(folder: Path, settings: Settings) -> None:
    sources = sorted(folder.iterdir()) * 4
    assert list(examine(sources, settings=settings, workers=1)) == list(examine(sources, settings=settings, workers=3))


def test_bytes_are_examined_like_a_file(folder: Path, settings: Settings) -> None:
    data = (folder / "signed.jpg").read_bytes()
    (report,) = examine([data], settings=settings, workers=1)
    assert report.exhibit.name == "<stdin>"
    (of_file,) = examine([folder / "signed.jpg"], settings=settings, workers=1)
    assert report.outcomes == of_file.outcomes
    assert report.exhibit.sha256 == of_file.exhibit.sha256


def test_every_report_says_what_made_it(folder: Path, settings: Settings) -> None:
    (report,) = examine([folder / "plain.png"], settings=settings, workers=1)
    assert {"c2pa-python", "c2pa-rs", "pillow"} <= set(report.tools.libraries)
    assert (report.tools.trust.profile, report.tools.trust.certificates) == ("c2pa", 1)


def test_preview_only_where_wanted(folder: Path, settings: Settings) -> None:
    (without,) = examine([folder / "plain.png"], settings=settings, workers=1)
    (with_one,) = examine([folder / "plain.png"], settings=settings, workers=1, previews=True)
    assert without.preview is None
    assert with_one.preview is not None
    with Image.open(BytesIO(with_one.preview)) as image:
        assert (image.format, image.size) == ("JPEG", (160, 107))


def test_damage_that_headers_hide_is_found_by_decoding(tmp_path: Path, settings: Settings) -> None:
    data = bytearray(encoded("PNG"))
    at = data.index(b"IDAT")
    data[at + 100 : at + 120] = bytes(20)
    path = tmp_path / "damaged.png"
    path.write_bytes(bytes(data))
    (report,) = examine([path], settings=settings, workers=1, decode=True)
    assert [failure.check for failure in report.failures] == ["decode"]
    assert str(path) in report.failures[0].error
    (quick,) = examine([path], settings=settings, workers=1)
    assert quick.failures == ()


def test_conversion_is_noted(tmp_path: Path, settings: Settings) -> None:
    path = tmp_path / "x.tif"
    Image.new("CMYK", (8, 8)).save(path)
    (report,) = examine([path], settings=settings, workers=1, decode=True)
    assert report.exhibit.picture is not None
    assert "CMYK converted to RGB" in report.exhibit.picture.notes


@pytest.mark.parametrize("source", ["abc.jpg", b"abc", Path("abc.jpg")])
def test_a_single_source_is_a_mistake(source: str | bytes | Path) -> None:
    with pytest.raises(TypeError, match="put a single one into a list"):
        next(examine(source))  # type: ignore[arg-type]


def test_limits_reach_the_worker(folder: Path, settings: Settings) -> None:
    small = replace(settings, limits=Limits(max_pixels=100))
    (report,) = examine([folder / "plain.png"], settings=small, workers=1, decode=True)
    assert report.failures == ()
    reason = "Not decoded: 160 x 107 pixels, more than 100. Raise --max-pixels if you trust the source."
    assert report.outcomes[-1] == Skipped(check="decode", reason=reason)
    (quick,) = examine([folder / "plain.png"], settings=small, workers=1)
    assert quick.outcomes == report.outcomes[:-1]


def test_damaged_trust_list_stops_everything(folder: Path, tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "trust" / "c2pa").mkdir(parents=True)
    (tmp_path / "trust" / "c2pa" / "lists.json").write_text("{")
    with pytest.raises(ConfigurationError, match="is damaged"):
        list(examine([folder / "plain.png"], settings=replace(settings, home=tmp_path), workers=1))


def test_who_is_distrusted_is_counted_and_a_damaged_list_stops_everything(
    folder: Path, tmp_path: Path, settings: Settings
) -> None:
    own = replace(settings, home=tmp_path)
    distrust.add(own, Distrusted(fingerprint="ab" * 32, reason="key published", added=date(2026, 11, 23)))
    (report,) = examine([folder / "plain.png"], settings=own, workers=1)
    assert report.tools.trust.distrusted == 1
    (tmp_path / "trust" / "distrusted.json").write_text("{")
    with pytest.raises(ConfigurationError, match=r"distrusted\.json is damaged"):
        list(examine([folder / "plain.png"], settings=own, workers=1))


class Flatness:
    """Flat pictures: notes whether all pixels have one colour."""

    id: ClassVar[str] = "flatness"
    claims: ClassVar[frozenset[Claim]] = frozenset()

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        spread = int(np.ptp(exhibit.pixels))
        return (Observation(check=self.id, signal="flat", claim=None, summary=f"The values span {spread}."),)


class Broken(Flatness):
    """Breaks."""

    id: ClassVar[str] = "broken"

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        raise RuntimeError(exhibit.facts.name)


def _plug_in(monkeypatch: pytest.MonkeyPatch, *kinds: type[Check]) -> None:
    references: Mapping[str, str] = {kind.id: f"{__name__}:{kind.__name__}" for kind in kinds}
    monkeypatch.setattr(catalog, "PIXEL_CHECKS", references)


def test_a_check_of_pixels_gets_what_the_worker_decoded(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plug_in(monkeypatch, Flatness)
    plain, broken = examine([folder / "plain.png", folder / "broken.gif"], settings=settings, workers=1)
    spread = int(np.ptp(np.asarray(Image.open(folder / "plain.png"))))
    assert plain.outcomes[-1].summary == f"The values span {spread}."  # type: ignore[union-attr]
    assert broken.outcomes[-1] == Skipped(check="flatness", reason="There are no pixels to look at.")


class Silent(Flatness):
    """Finds nothing."""

    id: ClassVar[str] = "silent"

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        assert exhibit.pixels.size
        return (Nothing(check=self.id),)


class Unfit(Flatness):
    """Is never satisfied."""

    id: ClassVar[str] = "unfit"

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        return (Skipped(check=self.id, reason=f"Too small: {exhibit.pixels.shape[0]} rows."),)


def test_every_check_of_pixels_says_that_it_saw_a_reduced_picture(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plug_in(monkeypatch, Flatness, Silent, Unfit)
    small = replace(settings, limits=Limits(max_pixels=80 * 54))
    (report,) = examine([folder / "signed.jpg"], settings=small, workers=1)
    assert report.failures == ()
    picture = report.exhibit.picture
    assert picture is not None
    assert (picture.width, picture.height, picture.reduced) == (160, 107, 2)
    seen = "at half of its width and height: 80 x 54 of 160 x 107 pixels"
    assert f"decoded {seen}" in picture.notes
    said = {outcome.check: outcome for outcome in report.outcomes}
    assert said["flatness"].details == (Detail(name="Seen", value=seen),)  # type: ignore[union-attr]
    assert said["unfit"] == Skipped(check="unfit", reason=f"Too small: 54 rows. It was seen {seen}.")
    lines = {line.check: line.text for line in view(report).lines}
    assert lines["silent"].endswith(f" It was seen {seen}.")
    assert "seen" not in lines["metadata"]


def test_checks_of_pixels_are_left_out_alone_with_the_reason(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plug_in(monkeypatch, Flatness)
    small = replace(settings, limits=Limits(max_pixels=4_000))
    large, plain = examine([folder / "signed.jpg", folder / "plain.png"], settings=small, workers=1)
    assert large.verdict.claim is Claim.GENERATED
    assert (large.failures, plain.failures) == ((), ())
    reason = "160 x 107 pixels, more than {}. Raise --max-pixels if you trust the source."
    assert large.outcomes[-1] == Skipped(check="flatness", reason="Not decoded: " + reason.format("16,000"))
    assert plain.outcomes[-1] == Skipped(check="flatness", reason="Not decoded: " + reason.format("4,000"))


def test_a_broken_check_never_hides_the_others(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _plug_in(monkeypatch, Broken, Flatness)
    (report,) = examine([folder / "signed.jpg"], settings=settings, workers=1)
    assert report.verdict.claim is Claim.GENERATED
    (failure,) = report.failures
    assert failure.check == "broken"
    assert "signed.jpg: broken could not be done: RuntimeError: " in failure.error
    assert isinstance(report.outcomes[-1], Observation)


def test_a_worker_that_lies_about_its_pixels_costs_one_report(
    folder: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hostile file may take a worker over; what it then says must not hurt the others."""
    monkeypatch.setattr(guarded, "WORKER", "tests.assay.jobs.lying_worker")
    reports = list(examine(["pixels", "shape", "kind", "fine"], settings=settings, workers=1, decode=True))
    assert [bool(report.failures) for report in reports] == [True, True, True, False]
    assert all(isinstance(report.outcomes[0], Failed) for report in reports[:3])
    assert "pixels" in reports[0].failures[0].error
