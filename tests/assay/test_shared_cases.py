"""Small files on which a reader may go wrong, each with the right answer; they are kept beside the repository."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from assay.jobs.verify import examine
from assay.rules import evaluate, load
from assay.vocabulary import Attestation, Claim, Failed, Manifest, Observation, Report, Settings, Trust
from forensics import anchors
from forensics.trust import ListKind
from tests.conftest import REPO_ROOT

FILES = REPO_ROOT.parent / "shared" / "cases" / "files"
TODAY = date(2026, 11, 29)
PERSONAL = '[[rules]]\nid = "no-personal-data"\n'
VERIFY = '[[rules]]\nid = "credentials-verify"\n'
REQUIRED = '[[rules]]\nid = "credentials-required"\n'
ONLY_JPEG = '[[rules]]\nid = "allowed-format"\nformats = ["JPEG"]\n'

GENERATED = "Declared as made with generative AI, which nothing trusted vouches for"


@pytest.fixture(scope="module", autouse=True)
def _files() -> None:
    if not FILES.is_dir():
        pytest.skip("the shared cases are not here: ../shared/cases/files beside the repository")


@contextmanager
def _trusting(root: str) -> Iterator[Settings]:
    with TemporaryDirectory() as home:
        settings = Settings(home=Path(home), skip=("detector", "legacy-watermark"))
        if root:
            data = (FILES / root).read_bytes()
            anchors.add(settings, data, kind=ListKind.SIGNERS, source=root, issued=None, today=TODAY)
        yield settings


def report_of(name: str, root: str = "") -> Report:
    """What is said of a file, where a list of signers is all that is trusted."""
    with _trusting(root) as settings:
        (report,) = examine([FILES / name], settings=settings, workers=1)
    return report


def broken(report: Report, policy: str, tmp_path: Path) -> list[str]:
    path = tmp_path / "assay.toml"
    path.write_text(policy)
    (judged,) = evaluate(load(path), [report], today=TODAY, whatever_paths=True)
    return [each.rule for each in judged.violations]


def credentials(report: Report) -> Attestation:
    return next(each for each in report.outcomes if isinstance(each, Attestation))


def signals(report: Report) -> set[str]:
    return {each.signal for each in report.outcomes if isinstance(each, Observation)}


@pytest.mark.parametrize(
    ("name", "root", "state", "headline"),
    [
        (
            "c01-legacy-timestamp-by-nobody.jpg",
            "c01-trust-root.pem",
            "intact, signer's certificate expired",
            "Inconclusive: nothing found says how it was made",
        ),
        (
            "c01-control-claim-v2.jpg",
            "c01-trust-root.pem",
            "intact, signer's certificate expired",
            "Inconclusive: nothing found says how it was made",
        ),
        (
            "c02-exif-excluded-then-edited.jpg",
            "c02-trust-root.pem",
            "trusted",
            "Captured by a camera or scanner, says a trusted signer",
        ),
        (
            "c03-iloc-excluded-picture-swapped.avif",
            "c03-trust-root.pem",
            "the signature does not cover the picture",
            "Inconclusive: the signature in its Content Credentials does not cover the picture",
        ),
        (
            "c33-gemini-shape.jpg",
            "c33-trust-roots.pem",
            "trusted",
            "Made with generative AI, says a trusted signer",
        ),
        (
            "c04-ai-edit-then-crop.jpg",
            "c04-trust-roots.pem",
            "trusted",
            "Edited with generative AI, says a trusted signer",
        ),
        (
            "c06-chatgpt-shape.jpg",
            "c04-trust-roots.pem",
            "does not verify",
            "Declared as made with generative AI, in Content Credentials that do not verify",
        ),
        (
            "c08-no-hard-binding.jpg",
            "c04-trust-roots.pem",
            "does not verify",
            "Inconclusive: its Content Credentials do not verify",
        ),
        (
            "c28-bing-shape.jpg",
            "c28-trust-root.pem",
            "trusted",
            "Made with software that only generates images, says a trusted signer",
        ),
    ],
)
def test_credentials_read_as_they_should(name: str, root: str, state: str, headline: str) -> None:
    report = report_of(name, root)
    assert (credentials(report).state, report.verdict.headline) == (state, headline)


@pytest.mark.parametrize("name", ["c02-exif-excluded-then-edited.jpg", "c02-control-as-signed.jpg"])
def test_what_the_hash_leaves_out_is_named(name: str) -> None:
    found = credentials(report_of(name, "c02-trust-root.pem"))
    assert found.outside == ("EXIF",)
    assert "as it was when it was signed" not in found.summary
    assert "no signature vouches for it" in found.summary


@pytest.mark.parametrize("name", ["c03-iloc-excluded-picture-swapped.avif", "c03-control-as-signed.avif"])
def test_a_signature_that_covers_no_picture_carries_no_claim(name: str, tmp_path: Path) -> None:
    report = report_of(name, "c03-trust-root.pem")
    assert (credentials(report).claim, report.verdict.claim) == (None, None)
    assert broken(report, VERIFY + REQUIRED, tmp_path) == ["credentials-verify", "credentials-required"]


def test_an_earlier_version_is_vouched_for_by_the_list_of_today() -> None:
    found = credentials(report_of("c05-ancestor-vouched-shown-unknown.jpg", "c04-trust-roots.pem"))
    assert found.manifest is not None
    (parent,) = found.manifest.ingredients
    assert isinstance(parent, Manifest)
    assert (parent.trust, parent.failures) == (Trust.TRUSTED, ())


def test_a_malformed_manifest_is_no_changed_file(tmp_path: Path) -> None:
    report = report_of("c06-chatgpt-shape.jpg", "c04-trust-roots.pem")
    assert "assertion.action.malformed" in credentials(report).summary
    assert report.verdict.claim is Claim.GENERATED
    missing = report_of("c08-no-hard-binding.jpg", "c04-trust-roots.pem")
    assert "claim.hardBindings.missing" in credentials(missing).summary
    assert broken(missing, VERIFY, tmp_path) == ["credentials-verify"]


def test_a_redaction_is_named_with_who_made_it_and_why() -> None:
    found = credentials(report_of("c25-redacted.jpg", "c04-trust-roots.pem"))
    (removed,) = [each.value for each in found.details if each.name == "Removed from the history"]
    assert all(words in removed for words in ("org.example.location", "Desk News", "c2pa.PII.present"))


@pytest.mark.parametrize(
    ("name", "signal"),
    [
        ("c09-stealth-novelai-alpha.png", "novelai"),
        ("c09b-stealth-a1111-alpha-plain.png", "a1111-parameters"),
        ("c10-flux-writer.jpg", "flux"),
        ("c10b-flux-writer-and-dst.jpg", "flux"),
        ("c11-fooocus.jpg", "generator-settings"),
        ("c12-comfy-usercomment.jpg", "comfyui-workflow"),
        ("c34-comfy-save-image-extended.jpg", "comfyui-workflow"),
        ("c13-a1111-single-line.jpg", "a1111-parameters"),
        ("c35-hf-space-json.png", "generator-settings"),
        ("c14-easydiffusion.png", "generator-settings"),
        ("c14b-mold.png", "generator-settings"),
        ("c15-software-stable-diffusion.png", "generator-named"),
        ("c15b-creator-dalle.png", "openai"),
    ],
)
def test_declared_ai_is_read(name: str, signal: str) -> None:
    report = report_of(name)
    assert signal in signals(report)
    assert not signals(report) & {"camera", "camera-and-generator"}
    assert (report.verdict.headline, report.verdict.conflicts) == (GENERATED, ())


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("c19-png-exif-prefixed-gps.png", {"location"}),
        ("c20-dji-xmp-gps-serial.jpg", {"location", "serial-numbers"}),
        ("c36-gps-in-manifest.jpg", {"location", "serial-numbers"}),
    ],
)
def test_personal_data_are_found(name: str, found: set[str], tmp_path: Path) -> None:
    report = report_of(name)
    assert found <= signals(report)
    assert broken(report, PERSONAL, tmp_path) == ["no-personal-data"]


def test_a_later_date_beside_a_declared_edit_is_no_contradiction() -> None:
    assert report_of("c18-google-edit-dates.jpg").verdict.conflicts == ()


@pytest.mark.parametrize("name", ["c16-pixel-50mp-size.png", "c17-mpo-as-jpeg.jpg", "c22-jpeg-without-eoi.jpg"])
def test_large_double_and_cut_files_are_examined(name: str) -> None:
    assert report_of(name).failures == ()


def test_a_picture_with_another_behind_it_is_a_jpeg(tmp_path: Path) -> None:
    assert broken(report_of("c17-mpo-as-jpeg.jpg"), ONLY_JPEG, tmp_path) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [("c27-lfs-pointer.jpg", "Git LFS"), ("c27b-html-page.jpg", "a web page"), ("c27c-empty.jpg", "an empty file")],
)
def test_what_is_no_image_is_named(name: str, words: str) -> None:
    failures: list[Any] = [each for each in report_of(name).outcomes if isinstance(each, Failed)]
    assert words in failures[0].error
