"""Round trips with the real library, the real ledger and real workers: deliver, strip, recover, verify."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assay.binding import SoftBinding, pixel_sha256
from assay.errors import ConfigurationError, LedgerError, UnreadableError
from assay.jobs.recover import Fit, Match, Recovery, recover
from assay.jobs.verify import examine
from assay.ledger import Entry, Ledger, new_image_id, open_ledger
from assay.vocabulary import Attestation, History, Integrity, Pixels, Settings
from generation.declaration import Declaration
from generation.sign import sign_and_keep
from generation.signing_key import SigningKey
from tests.assay.ledger.entries import entry_for
from tests.authority import Authority
from tests.carriers import CARRIERS
from tests.seeds import decoded, encode, encoded


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with open_ledger(tmp_path / "ledger.sqlite3") as opened:
        yield opened


@pytest.fixture(scope="session")
def signer(authority: Authority) -> SigningKey:
    return authority.signer()


class Desk:
    """Delivers pictures and recovers what became of them."""

    def __init__(self, folder: Path, ledger: Ledger, settings: Settings, signer: SigningKey) -> None:
        self.folder, self.ledger, self.settings, self.signer = folder, ledger, settings, signer
        self.delivered = b""

    def deliver(self, format_name: str = "PNG", *, which: str = "china", **changes: Any) -> Entry:
        image_id, carrier = new_image_id(), CARRIERS[format_name]
        declaration = Declaration(title="tulip", bindings=(SoftBinding(scheme="sealed-seed", image_id=image_id),))
        signed = sign_and_keep(encoded(format_name, which), carrier.mime, self.signer, declaration)
        values = {
            "image_id": image_id,
            "manifest": signed.manifest,
            "pixel_sha256": pixel_sha256(pixels_of(signed.data)),
            "name": f"tulip{carrier.extension}",
        }
        entry = entry_for(signed.data, **(values | changes))
        self.ledger.deliver(entry, self.folder / entry.name, signed.data)
        self.delivered = signed.data
        return entry

    def recover(self, data: bytes, name: str = "found.png", **more: Any) -> Recovery:
        found = self.try_recover(data, name, **more)
        assert found is not None
        return found

    def try_recover(self, data: bytes, name: str = "found.png", **more: Any) -> Recovery | None:
        source, target = self.folder / f"stripped-{name}", self.folder / name
        source.write_bytes(data)
        found = recover(source, target, ledger=self.ledger, settings=self.settings, **more)
        assert source.read_bytes() == data
        return found

    def verify(self, name: str = "found.png") -> Attestation:
        (report,) = examine([self.folder / name], settings=self.settings, workers=1)
        (attestation,) = (outcome for outcome in report.outcomes if isinstance(outcome, Attestation))
        return attestation


@pytest.fixture
def desk(tmp_path: Path, ledger: Ledger, settings: Settings, signer: SigningKey) -> Desk:
    return Desk(tmp_path, ledger, settings, signer)


def resaved(data: bytes) -> bytes:
    """The same pixels in other bytes."""
    stream = BytesIO()
    decoded(data).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


def pixels_of(data: bytes) -> Pixels:
    return np.asarray(decoded(data), dtype=np.uint8)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP"])
def test_a_file_that_lost_nothing_else_is_whole_again(format_name: str, desk: Desk) -> None:
    entry, carrier = desk.deliver(format_name), CARRIERS[format_name]
    stripped = carrier.strip(desk.delivered)
    assert sha256(stripped).hexdigest() != entry.file_sha256
    name = f"found{carrier.extension}"
    found = desk.recover(stripped, name)
    assert (found.entry, found.match, found.fit, found.names_row) == (entry, Match.PIXELS, Fit.WHOLE, True)
    assert found.written == (desk.folder / name,)
    assert (desk.folder / name).read_bytes() == desk.delivered
    assert desk.verify(name).state == found.attestation.state == "trusted"


def test_equal_pixels_in_another_file_get_their_credentials_beside_them(desk: Desk) -> None:
    """Saved anew as another PNG: not a pixel differs, and yet the hard binding cannot match."""
    entry = desk.deliver()
    data = resaved(desk.delivered)
    found = desk.recover(data)
    assert (found.entry, found.match, found.fit, found.names_row) == (entry, Match.PIXELS, Fit.LOOSE, True)
    assert found.written == (desk.folder / "found.c2pa", desk.folder / "found.png")
    assert (desk.folder / "found.c2pa").read_bytes() == entry.manifest
    assert (desk.folder / "found.png").read_bytes() == data
    seen = desk.verify()
    assert seen == found.attestation
    assert (seen.integrity, seen.state) == (Integrity.BROKEN, "does not verify")
    assert "kept beside this file does not match" in seen.summary
    assert "hard binding does not match" in found.fit.value


def test_a_hard_binding_that_still_matches_beside_the_copy_is_said_to(desk: Desk) -> None:
    """In AVIF the boxes are hashed, and the one that held the manifest may be padding now."""
    entry = desk.deliver("AVIF")
    found = desk.recover(CARRIERS["AVIF"].strip(desk.delivered), "found.avif")
    assert (found.entry, found.match, found.fit) == (entry, Match.PIXELS, Fit.BESIDE)
    seen = desk.verify("found.avif")
    assert (seen.integrity, seen.history, seen.state) == (Integrity.INTACT, History.INTACT, "trusted")
    assert ("Manifest", "kept beside the file") in [(each.name, each.value) for each in seen.details]


def test_the_delivered_file_itself_has_lost_nothing(desk: Desk) -> None:
    entry = desk.deliver()
    found = desk.recover(desk.delivered)
    assert (found.entry, found.match, found.fit) == (entry, Match.FILE, Fit.WHOLE)
    assert (desk.folder / "found.png").read_bytes() == desk.delivered


def test_other_pixels_need_the_watermark(desk: Desk) -> None:
    entry = desk.deliver()
    compressed = encode(decoded(desk.delivered), "JPEG")
    assert desk.try_recover(compressed, "found.jpg") is None
    assert not (desk.folder / "found.jpg").exists()
    seen: list[Pixels] = []

    def find(pixels: Pixels) -> Entry | None:
        seen.append(pixels)
        return entry

    found = desk.recover(compressed, "found.jpg", find=find)
    assert (found.match, found.fit, found.names_row) == (Match.MARK, Fit.LOOSE, True)
    assert np.array_equal(seen[0], pixels_of(compressed))
    assert "not those that were delivered" in found.match.value


def test_a_watermark_that_leads_nowhere(desk: Desk) -> None:
    desk.deliver()
    assert desk.try_recover(encoded("PNG", "flower"), find=lambda _: None) is None


def test_the_row_whose_file_can_be_put_together_goes_before_a_younger_one(desk: Desk) -> None:
    entry = desk.deliver()
    delivered = desk.delivered
    desk.deliver()
    found = desk.recover(CARRIERS["PNG"].strip(delivered))
    assert (found.entry, found.fit) == (entry, Fit.WHOLE)


def test_a_manifest_that_names_another_row_is_noticed(desk: Desk) -> None:
    desk.deliver(image_id=new_image_id())
    found = desk.recover(CARRIERS["PNG"].strip(desk.delivered))
    assert (found.fit, found.names_row) == (Fit.WHOLE, False)


def test_credentials_inside_are_not_covered_up(desk: Desk, signer: SigningKey) -> None:
    desk.deliver()
    others = sign_and_keep(CARRIERS["PNG"].strip(desk.delivered), "image/png", signer, Declaration(title="mine now"))
    with pytest.raises(ConfigurationError, match="has Content Credentials inside"):
        desk.try_recover(others.data)
    assert not (desk.folder / "found.png").exists()


@pytest.mark.parametrize("manifest", [b"", b"garbage", "flower"])
def test_a_row_without_a_usable_manifest(manifest: bytes | str, desk: Desk) -> None:
    """Empty, no manifest at all, or one in which a byte of an assertion was changed."""
    if isinstance(manifest, str):
        store = sign_and_keep(encoded("PNG"), "image/png", desk.signer, Declaration(title="t", software=manifest))
        manifest = store.manifest.replace(b"flower", b"flowed")
    desk.deliver(manifest=manifest)
    with pytest.raises(LedgerError, match="the manifest in its row cannot be used"):
        desk.try_recover(CARRIERS["PNG"].strip(desk.delivered))
    assert not (desk.folder / "found.png").exists()
    assert not (desk.folder / "found.c2pa").exists()


@pytest.mark.parametrize("there", ["found.png", "found.c2pa"])
def test_nothing_is_written_over_unless_asked_for(there: str, desk: Desk) -> None:
    desk.deliver()
    data = resaved(desk.delivered)
    (desk.folder / there).write_bytes(b"precious")
    with pytest.raises(ConfigurationError, match="is there already") as caught:
        desk.try_recover(data)
    assert "--force" in caught.value.hint
    assert (desk.folder / there).read_bytes() == b"precious"
    assert {path.name for path in desk.folder.glob("found.*")} == {there}
    assert desk.recover(data, force=True).fit is Fit.LOOSE
    assert (desk.folder / there).read_bytes() != b"precious"


def test_a_copy_cannot_be_called_like_its_manifest(desk: Desk) -> None:
    desk.deliver()
    with pytest.raises(ConfigurationError, match="name of the manifest"):
        desk.try_recover(resaved(desk.delivered), "found.c2pa")


def test_a_folder_that_is_not_there(desk: Desk) -> None:
    desk.deliver()
    source = desk.folder / "stripped.png"
    source.write_bytes(CARRIERS["PNG"].strip(desk.delivered))
    with pytest.raises(ConfigurationError, match="nowhere"):
        recover(source, desk.folder / "nowhere" / "out.png", ledger=desk.ledger, settings=desk.settings)


@pytest.mark.parametrize("data", [b"", b"hello", encoded("PNG")[:600], encoded("GIF")[:20]])
def test_what_cannot_be_read_is_named(data: bytes, desk: Desk) -> None:
    with pytest.raises(UnreadableError, match=r"stripped-found\.png"):
        desk.try_recover(data)


def test_a_file_that_is_not_there(desk: Desk) -> None:
    with pytest.raises(UnreadableError, match=r"missing\.png"):
        recover(desk.folder / "missing.png", desk.folder / "o.png", ledger=desk.ledger, settings=desk.settings)


def test_a_file_beyond_the_limits(desk: Desk) -> None:
    from dataclasses import replace

    from assay.vocabulary import Limits

    source = desk.folder / "large.png"
    source.write_bytes(encoded("PNG"))
    tight = replace(desk.settings, limits=Limits(max_bytes=1000))
    with pytest.raises(UnreadableError, match="more than 1,000 bytes"):
        recover(source, desk.folder / "o.png", ledger=desk.ledger, settings=tight)


def test_the_pixel_hash_is_of_what_a_worker_decodes(desk: Desk) -> None:
    """A palette, transparency and an orientation tag: the row is found by upright pixels as Assay reads them."""
    from assay import exhibit
    from assay.vocabulary import Limits

    exif, stream = Image.Exif(), BytesIO()
    exif[0x0112] = 6
    decoded(encoded("PNG")).convert("RGBA").save(stream, "PNG", exif=exif)
    received = exhibit.receive(stream.getvalue(), "x.png", Limits())
    pixels, _ = exhibit.decode(exhibit.inspect(received, Limits()), Limits())
    assert pixels.shape == (160, 107, 3)
    entry = desk.deliver(pixel_sha256=pixel_sha256(pixels))
    assert desk.recover(stream.getvalue()).entry == entry
