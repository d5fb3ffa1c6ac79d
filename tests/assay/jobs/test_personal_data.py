from __future__ import annotations

import struct
from dataclasses import replace
from datetime import date
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from assay.cli import main
from assay.errors import ConfigurationError
from assay.jobs.mark import Refused, mark, mark_each
from assay.jobs.personal_data import require_impersonal, sift
from assay.jobs.verify import examine
from assay.luggage.tiff import exif_without
from assay.repaint import repainted, require_same
from assay.rules import RULES, Context
from assay.rules.parameters import build
from assay.vocabulary import AiUse, Attestation, Observation, Report, Settings
from generation.declaration import Declaration
from generation.development import signing_key_for
from generation.sign import sign
from tests.assay.jobs.studio import furnish
from tests.conftest import SLOW
from tests.forensics import metadata_files as files
from tests.forensics.shapes import ROWS, Row
from tests.pictures import photograph

SECRETS = (b"Jane Doe", b"SN4711", b"Nowhereville", b"52,31.2N", b"Quiet Lane")
GPS = {1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0), 6: 34.0, 0x1C: b"ASCII\0\0\0Quiet Lane"}
EXIF = files.exif(
    {files.MAKE: "Maker", files.ORIENTATION: 1, files.ARTIST: "Jane Doe", files.COPYRIGHT: "(c) Jane Doe"},
    exif={files.BODY_SERIAL: "SN4711", files.OWNER: "Jane Doe", 0xA435: "SN4711", 0x927C: b"SN4711 Jane Doe" * 9},
    gps=GPS,
)
TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
XMP = files.packet(
    files.listed("dc:creator", "Jane Doe")
    + files.listed("dc:subject", "tulips")
    + '<d:DroneSerialNumber xmlns:d="http://www.dji.com/drone-dji/1.0/">SN4711</d:DroneSerialNumber>'
    + '<d:GpsLatitude xmlns:d="http://www.dji.com/drone-dji/1.0/">52,31.2N</d:GpsLatitude>'
    + "<!-- Jane Doe -->",
    exif_GPSLatitude="52,31.2N",
    exif_GPSLongitude="13,24.3E",
    aux_SerialNumber="SN4711",
    photoshop_City="Nowhereville",
    Iptc4xmpExt_DigitalSourceType=TYPE,
)
IIM = files.iim((2, 80, b"Jane Doe"), (2, 90, b"Nowhereville"), (2, 120, b"Tulips"), (2, 116, b"Jane Doe"))


SUFFIXES = {"JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif"}


def sniffed(data: bytes) -> str:
    with Image.open(BytesIO(data)) as image:
        return image.format or ""


def picture(suffix: str, size: int = 256) -> bytes:
    """A file with all that its container has a place for."""
    image = Image.fromarray(photograph(0)[:size, :size])
    match suffix:
        case ".jpg":
            data = files.save("JPEG", image, exif=EXIF, xmp=XMP, comment=b"a comment", quality=95, dpi=(240, 240))
            resources = files.photoshop((0x0404, IIM), (1035, b"Jane Doe"), (1005, b"resolution"))
            foreign = files.segment(0xE7, b"SN4711 of a camera's own")
            return files.with_segments(data, files.segment(0xED, b"Photoshop 3.0\0" + resources), foreign) + b"SN4711"
        case ".png":
            text = PngInfo()
            text.add_itxt("XML:com.adobe.xmp", XMP.decode())
            text.add_text("Author", "Jane Doe", zip=True)
            text.add_text("Serial number", "SN4711")
            text.add_text("Comment", "a comment")
            text.add(b"gAMA", struct.pack(">I", 45455))
            text.add(b"prVt", b"SN4711")
            return files.save("PNG", image, exif=EXIF, pnginfo=text, dpi=(300, 300))
        case ".webp":
            return files.save("WEBP", image, exif=EXIF, xmp=XMP, quality=95)
        case _:
            tags = ImageFileDirectory_v2()
            tags[files.ARTIST], tags[files.DESCRIPTION], tags[700], tags[33723] = "Jane Doe", "Tulips", XMP, IIM
            tags.tagtype[33723] = 7
            tags[0xC62F] = "SN4711"
            return files.save("TIFF", image, tiffinfo=tags, exif=None)


def broken_by(report: Report) -> list[str]:
    rule = build(RULES["no-personal-data"], {}, where="assay.toml")
    return list(rule.check(report, Context(today=date(2026, 11, 23), name="out")))


def look(settings: Settings, path: Path) -> Report:
    (report,) = examine([path], settings=replace(settings, skip=(*SLOW, "watermark", "pixel-watermark")), workers=1)
    return report


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_marked_file_holds_no_personal_data_and_still_declares_ai(tmp_path: Path, suffix: str) -> None:
    settings = furnish(tmp_path / "home")
    source = tmp_path / f"jane{suffix}"
    source.write_bytes(picture(suffix))
    assert broken_by(look(settings, source)) != []
    (one,) = mark([(source, tmp_path / f"out{suffix}")], settings=settings, strips_personal=True)
    data, report = one.path.read_bytes(), look(settings, one.path)
    assert broken_by(report) == []
    assert [secret for secret in SECRETS if secret in data] == []
    assert b"jane" not in data
    assert "digital-source-type" in [each.signal for each in report.outcomes if isinstance(each, Observation)]
    (credentials,) = [each for each in report.outcomes if isinstance(each, Attestation)]
    assert credentials.ai_use is AiUse.FULLY
    assert {"XMP dc:creator", "XMP exif:GPSLatitude", "XMP DroneSerialNumber"} <= set(one.removed)
    assert not any(secret.decode() in name for secret in SECRETS for name in one.removed)


def stripped(data: bytes, suffix: str) -> tuple[bytes, tuple[str, ...]]:
    wanted = repainted(data, "in", suffix, lambda pixels: pixels, sift)
    require_same(wanted.data, wanted, "in")
    return wanted.data, wanted.left_out


def test_the_rest_of_a_jpeg_stays() -> None:
    data, left_out = stripped(picture(".jpg", 64), ".jpg")
    for kept in (b"a comment", b"tulips", b"Tulips", b"resolution", TYPE.encode(), b"Maker"):
        assert kept in data
    with Image.open(BytesIO(data)) as image:
        assert image.info["dpi"] == (240, 240)
    assert {"APP7", "bytes behind the picture", "EXIF GPS", "EXIF MakerNote", "IPTC City"} <= set(left_out)
    assert "Photoshop's copyright address" in left_out


def test_the_rest_of_a_png_stays() -> None:
    data, left_out = stripped(picture(".png", 64), ".png")
    for kept in (b"a comment", b"gAMA", b"pHYs", TYPE.encode()):
        assert kept in data
    assert {"prVt", "PNG text Author", "PNG text Serial number"} <= set(left_out)


def test_a_picture_without_metadata_loses_nothing() -> None:
    assert stripped(files.save("PNG"), ".png")[1] == ()


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_written_anew_in_either_byte_order(order: str) -> None:
    mark_of = b"II*\0" if order == "<" else b"MM\0*"
    entries = struct.pack(f"{order}HHI4s", 0x010F, 2, 4, b"Abc\0") + struct.pack(f"{order}HHII", 0xA431, 2, 8, 38)
    whole = mark_of + struct.pack(f"{order}IH", 8, 2) + entries + bytes(4) + b"SN47110\0"
    found = exif_without(whole, lambda tag, _: tag == 0xA431)
    assert found is not None
    assert found[1] == (0xA431,)
    assert b"Abc" in found[0]
    assert b"SN4711" not in found[0]
    assert exif_without(b"no EXIF at all", lambda *_: True) is None


@pytest.mark.parametrize(
    ("packet", "stays"),
    [
        (files.packet(files.listed("dc:creator", "DALL-E 3")), True),
        (files.packet(files.listed("dc:creator", "Leonardo Bianchi")), False),
        (files.packet(photoshop_Credit="Made with Google AI"), True),
        (files.packet(photoshop_Credit="Leonardo Bianchi"), False),
    ],
)
def test_the_name_of_a_generator_is_no_person(packet: bytes, *, stays: bool) -> None:
    data, left_out = stripped(files.save("JPEG", xmp=packet), ".jpg")
    assert (left_out == ()) is stays
    assert (b"Leonardo" in data) is False


def test_a_packet_that_cannot_be_taken_apart_goes_whole() -> None:
    data, left_out = stripped(files.save("JPEG", xmp=XMP[:-40]), ".jpg")
    assert left_out == ("XMP (whole)",)
    assert b"Jane" not in data


def test_a_declaration_that_would_be_lost_is_refused_by_name(tmp_path: Path) -> None:
    settings, source = furnish(tmp_path / "home"), tmp_path / "in.jpg"
    source.write_bytes(files.save("JPEG", Image.fromarray(photograph(0)[:256, :256]), xmp=XMP[:-40]))
    with pytest.raises(ConfigurationError, match="declares AI") as caught:
        list(mark([(source, tmp_path / "out.jpg")], settings=settings, strips_personal=True))
    assert "--strip-personal" in caught.value.hint
    assert not (tmp_path / "out.jpg").exists()


@pytest.mark.parametrize("row", [row for row in ROWS if sniffed(row.file) in SUFFIXES], ids=lambda row: row.form)
def test_every_shape_of_a_declaration_stays(row: Row) -> None:
    exhibit = files.exhibit(row.file)
    data, _ = stripped(row.file, SUFFIXES[exhibit.picture.format])
    require_impersonal(exhibit, data, Settings(home=Path("/nowhere")))


def test_text_that_the_mark_overwrites_is_no_lost_declaration() -> None:
    row = next(row for row in ROWS if row.form == "`stealth_rgbinfo` in the lowest bits, PNG")
    changed = repainted(row.file, "in", ".png", lambda pixels: pixels & np.uint8(0xFE), sift).data
    require_impersonal(files.exhibit(row.file), changed, Settings(home=Path("/nowhere")))


def test_earlier_credentials_do_not_go_on_but_their_use_of_ai_is_stated(tmp_path: Path) -> None:
    settings = furnish(tmp_path / "home")
    made = declare(Image.fromarray(photograph(0)[:256, :256]), "jane.png", settings)
    source = tmp_path / "in.png"
    source.write_bytes(made)
    (one,) = mark([(source, tmp_path / "out.png")], settings=settings, strips_personal=True)
    (credentials,) = [each for each in look(settings, one.path).outcomes if isinstance(each, Attestation)]
    assert credentials.ai_use is AiUse.FULLY
    assert credentials.manifest is not None
    (parent,) = credentials.manifest.ingredients
    assert parent.signer is None
    assert "Content Credentials (whole)" in one.removed
    assert b"jane" in made
    assert b"jane" not in one.path.read_bytes()


def declare(image: Image.Image, title: str, settings: Settings) -> bytes:
    return sign(files.save("PNG", image), "image/png", signing_key_for(settings.home), Declaration(title=title))


def test_a_copy_that_was_marked_with_everything_is_not_taken_for_a_stripped_one(tmp_path: Path) -> None:
    settings, source, target = furnish(tmp_path / "home"), tmp_path / "in.png", tmp_path / "out.png"
    source.write_bytes(picture(".png"))
    list(mark_each([(source, target)], settings=settings))
    (refused,) = mark_each([(source, target)], settings=settings, strips_personal=True)
    assert isinstance(refused, Refused)
    assert "without --strip-personal" in str(refused.error)


def test_what_was_removed_is_said_and_a_stripped_copy_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ASSAY_HOME", str(tmp_path / "home"))
    furnish(tmp_path / "home")
    (tmp_path / "in.webp").write_bytes(picture(".webp"))
    command = ["mark", str(tmp_path / "in.webp"), "--strip-personal", "--output-dir", str(tmp_path / "out")]
    assert main(command) == 0
    said = capsys.readouterr().out
    assert "in.webp  removed: EXIF " in said
    assert "Jane" not in said
    assert main(command) == 0
    assert "left as it is" in capsys.readouterr().out
