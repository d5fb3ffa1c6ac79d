"""One row for each file: what a report says, flat, and the report itself."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from assay import codec
from assay.errors import ConfigurationError
from assay.exhibit import read_sidecar
from assay.files import printable, raw
from assay.fingerprint import dhash
from assay.jobs.verify import Examined
from assay.report.as_json import render_lines
from assay.report.privacy import masked
from assay.vocabulary import Basis, Claim, Limits, Pixels, Report

SCHEMA = "assay-scan/1"
THUMBNAIL_SIDE = 96
"""The longer side of a row's thumbnail, in pixels."""
_MOST = 2**63


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What there is to say of one file. All text is valid Unicode: what is not is shown escaped."""

    path: str
    """As given; printable."""
    sha256: str | None
    """Of the bytes as examined, like what follows; None where the file could not be read."""
    byte_size: int | None
    sidecar_sha256: str | None
    """Of the manifest beside the file, which a verdict may rest on; None without one."""
    format: str | None
    """See `Picture`, like what follows; None where the bytes are no image that can be opened."""
    width: int | None
    height: int | None
    claim: Claim | None
    """See `Verdict`, like what follows."""
    basis: Basis | None
    log10_lr: float | None
    headline: str
    conflicts: tuple[str, ...]
    error: str | None
    """What could not be examined, a line for each failure; None where all went well."""
    perceptual_hash: int | None
    """`fingerprint.dhash` of the upright pixels: 64 bits; None where they could not be decoded."""
    thumbnail: bytes | None
    """An upright JPEG of at most `THUMBNAIL_SIDE` pixels a side, encoded anew."""
    seconds: float
    """Time that this file took. All that differs between two scans of the same files."""
    report: str
    """A line of JSON, as `verify --decode --format jsonl` writes it; `report_of` reads it."""


def row_of(examined: Examined, *, sidecar_sha256: str | None, include_personal: bool, seconds: float) -> Row:
    """The row of one examined file.

    Args:
        examined: The report, and the upright pixels where they could be decoded.
        sidecar_sha256: See `Row`.
        include_personal: Leave places, serial numbers, names and handles in the report.
        seconds: See `Row`.
    """
    report = replace(examined.report, preview=None)
    report = report if include_personal else masked(report)
    exhibit, verdict, picture = report.exhibit, report.verdict, report.exhibit.picture
    image = None if examined.pixels is None else Image.fromarray(examined.pixels)
    return Row(
        path=_text(exhibit.name),
        sha256=None if exhibit.sha256 is None else _text(exhibit.sha256),
        byte_size=_count(exhibit.byte_size),
        sidecar_sha256=sidecar_sha256,
        format=_text(picture.format) if picture else None,
        width=_count(picture.width) if picture else None,
        height=_count(picture.height) if picture else None,
        claim=verdict.claim,
        basis=verdict.basis,
        log10_lr=verdict.log10_lr,
        headline=_text(verdict.headline),
        conflicts=tuple(map(_text, verdict.conflicts)),
        error=_text("\n".join(failure.error for failure in report.failures)) or None,
        perceptual_hash=None if image is None else dhash(image),
        thumbnail=None if examined.pixels is None else thumbnail(examined.pixels),
        seconds=seconds,
        report=render_lines([report]).rstrip("\n"),
    )


def thumbnail(pixels: Pixels) -> bytes:
    """A small JPEG of upright pixels, uint8 of shape (height, width, 3)."""
    image = Image.fromarray(pixels)
    image.thumbnail((THUMBNAIL_SIDE, THUMBNAIL_SIDE))
    stream = BytesIO()
    image.save(stream, "JPEG", quality=80)
    return stream.getvalue()


def sidecar_sha256(path: str, limits: Limits) -> str | None:
    """Of the manifest beside a file; None without one."""
    sidecar = read_sidecar(Path(path), limits)
    return None if sidecar is None else hashlib.sha256(sidecar).hexdigest()


def report_of(row: Row) -> Report:
    """The whole report behind a row: masked, unless the scan included personal data; without a preview.

    Raises:
        TypeError, ValueError, KeyError: The row was not made by a scan.
    """
    return codec.decode(Report, json.loads(row.report))


def renamed(row: Row, path: str) -> Row:
    """The row of a file of the same bytes and the same extension that goes by another name.

    Args:
        row: One without an error: what could not be examined is named by its file.
        path: The other name, as given.
    """
    report = report_of(row)
    exhibit = replace(report.exhibit, name=printable(path), raw_name=raw(path))
    line = render_lines([replace(report, exhibit=exhibit)]).rstrip("\n")
    return replace(row, path=_text(exhibit.name), report=line)


def foreign(path: Path) -> ConfigurationError:
    """What is said of a file that should be a table and is none."""
    return ConfigurationError(f"{path}: not a table that this version of assay scan wrote", hint="Name another file.")


def _text(text: str) -> str:
    """Text that can be encoded. Names that are no valid text look as in a report, other lone surrogates escaped."""
    try:
        return printable(text)
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()


def _count(number: int | None) -> int | None:
    """A number that a table can hold: a worker that a file has taken over may say anything."""
    return number if number is not None and 0 <= number < _MOST else None
