"""Seeded mutations of signed files through all of `assay verify`: `python -m tests.benchmarks.fuzz [--n N] [--seed S]`.

Ends with 1 if a worker died, an exception got out, a file took more than ten seconds or a gigabyte, or a mutant reads
as trusted although it shows other pixels than were signed. Files that did one of these are kept.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import Any

import pillow_heif
import pillow_jxl  # noqa: F401 - registers its reader
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from assay.formats import FORMATS
from assay.stats import clopper_pearson
from assay.vocabulary import Settings
from forensics import anchors, trust
from generation.declaration import Declaration, Ingredient, Relationship
from generation.sign import sign
from generation.signing_key import SigningKey
from tests.authority import Authority
from tests.benchmarks.endurance import Endurance, endure
from tests.benchmarks.mutations import mutate
from tests.seeds import photograph
from tests.tamper import SOFTWARE

BATCH = 1_000
"""Mutants on disk at the same time."""

KEEP = Path(tempfile.gettempdir()) / "assay-fuzz-failures"

_PARAMETERS = "a tulip\nNegative prompt: rose\nSteps: 20, Sampler: Euler, CFG scale: 7, Seed: 1, Size: 64x64, Model: m"
_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"'
    b' xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"'
    b' Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia">'
    b"<dc:creator><rdf:Seq><rdf:li>A. Tester</rdf:li></rdf:Seq></dc:creator>"
    b"</rdf:Description></rdf:RDF></x:xmpmeta>"
)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run found."""

    n: int
    seeds: int
    endurance: Endurance
    forged: tuple[str, ...]
    """Mutants that read as trusted, and show pixels that nobody signed."""
    trusted: int
    """Mutants that read as trusted: bytes changed that neither the signature nor a picture depends on."""

    @property
    def failures(self) -> tuple[str, ...]:
        """Everything that must never happen."""
        return self.endurance.failures + self.forged


def signed_files(key: SigningKey) -> list[tuple[str, bytes]]:
    """Format and bytes: each format plain, each with metadata where it has a place for it, and one with a history."""
    pillow_heif.register_heif_opener()
    files = [(name, _sign(name, _encode(name, options), key)) for name, options in _variants()]
    parent = Ingredient(data=files[0][1], mime="image/jpeg", title="parent", relationship=Relationship.PARENT)
    history = Declaration(title="child", source_type=None, ingredients=(parent,))
    return [*files, ("JPEG", sign(files[0][1], "image/jpeg", key, history))]


def _variants() -> Iterator[tuple[str, dict[str, Any]]]:
    exif = Image.Exif()
    exif[0x010F], exif[0x0110], exif[0x0131], exif[0x0112] = "Maker", "Model", "Software", 6
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + _PARAMETERS.encode("utf-16-be")
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 5.0, 0.0), 3: "E", 4: (4.0, 18.0, 0.0)})
    text = PngInfo()
    text.add_text("parameters", _PARAMETERS)
    text.add_itxt("XML:com.adobe.xmp", _XMP.decode())
    text.add_text("prompt", '{"3": {"class_type": "KSampler", "inputs": {"seed": 1}}}', zip=True)
    described = {"exif": exif.tobytes(), "xmp": _XMP}
    for name in ("JPEG", "PNG", "WEBP", "AVIF", "TIFF", "GIF", "HEIF"):
        yield name, {}
    yield "JXL", {"use_container": True}
    yield "JPEG", {**described, "progressive": True, "comment": b"hello"}
    yield "PNG", {"pnginfo": text, "exif": exif.tobytes()}
    yield "WEBP", {**described, "lossless": True}
    yield "AVIF", described
    yield "TIFF", {"compression": "tiff_deflate"}
    yield "GIF", {"comment": b"hello"}


def _encode(name: str, options: dict[str, Any]) -> bytes:
    stream = BytesIO()
    photograph().resize((96, 64)).save(stream, name, **options)
    return stream.getvalue()


def _sign(name: str, data: bytes, key: SigningKey) -> bytes:
    return sign(data, FORMATS[name].mime, key, Declaration(title="Fuzz", software=SOFTWARE))


def fuzz(n: int, seed: int, keep: Path) -> Outcome:
    """Examine `n` mutants.

    Args:
        n: How many.
        seed: The mutations are the same for the same seed; the files differ in their signatures from run to run.
        keep: Where files go that did what must never happen; made only for such.
    """
    authority = Authority.create()
    with tempfile.TemporaryDirectory(prefix="assay-fuzz-") as scratch:
        settings = _trusting(authority, Path(scratch) / "home")
        files = signed_files(authority.signer())
        signed = {_pixels(data) for _, data in files}
        runs, forged, trusted = [], [], 0
        for start in range(0, n, BATCH):
            folder = Path(scratch) / "mutants"
            folder.mkdir()
            paths = list(_write(folder, files, seed, range(start, min(start + BATCH, n))))
            run = endure(paths, settings)
            passed = [name for name, reading in run.readings.items() if reading == "trusted"]
            bad = [name for name in passed if _pixels(Path(name).read_bytes()) not in {*signed, None}]
            trusted += len(passed)
            forged += [f"{name}: reads as trusted, and shows other pixels" for name in bad]
            _keep(paths, (*run.failures, *forged), keep)
            runs.append(run)
            shutil.rmtree(folder)
    return Outcome(n=n, seeds=len(files), endurance=_joined(runs), forged=tuple(forged), trusted=trusted)


def _trusting(authority: Authority, home: Path) -> Settings:
    settings = Settings(home=home)
    anchors.add(
        settings,
        authority.anchors,
        kind=trust.ListKind.SIGNERS,
        source="test authority",
        issued=None,
        today=date(2026, 1, 1),
    )
    return settings


def _write(folder: Path, files: Sequence[tuple[str, bytes]], seed: int, numbers: range) -> Iterator[Path]:
    contents = [data for _, data in files]
    for number in numbers:
        index, mutant = mutate(seed, number, contents)
        name = files[index][0]
        path = folder / f"mutant-{seed}-{number:06}{FORMATS[name].extensions[0]}"
        path.write_bytes(mutant)
        yield path


def _pixels(data: bytes) -> str | None:
    """What a viewer would show, as a hash; None where it shows nothing."""
    try:
        with Image.open(BytesIO(data)) as image:
            shown = image.convert("RGB")
            return hashlib.sha256(repr(shown.size).encode() + shown.tobytes()).hexdigest()
    except Exception:  # decoders raise what they like
        return None


def _keep(paths: Sequence[Path], failures: Sequence[str], keep: Path) -> None:
    for path in paths:
        if any(path.name in text for text in failures):
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, keep / path.name)


def _joined(runs: Sequence[Endurance]) -> Endurance:
    return Endurance(
        tried=sum(run.tried for run in runs),
        deaths=tuple(text for run in runs for text in run.deaths),
        unhandled=tuple(text for run in runs for text in run.unhandled),
        slow=tuple(text for run in runs for text in run.slow),
        malformed=tuple(text for run in runs for text in run.malformed),
        seconds={name: took for run in runs for name, took in run.seconds.items()},
        readings={name: reading for run in runs for name, reading in run.readings.items()},
        peak_bytes=max((run.peak_bytes for run in runs), default=0),
    )


def describe(outcome: Outcome) -> Iterator[str]:
    """What the command prints, line by line."""
    endurance, failures = outcome.endurance, outcome.failures
    name, took = endurance.slowest
    _, bound = clopper_pearson(min(len(failures), outcome.n), outcome.n)
    yield f"mutants              {outcome.n} of {outcome.seeds} signed files"
    yield f"failures             {len(failures)}; at 95 % at most {bound:.2%} of such mutants fail"
    yield f"  dead workers       {len(endurance.deaths)}"
    yield f"  unhandled          {len(endurance.unhandled)}"
    yield f"  slower than 10 s   {len(endurance.slow)}"
    yield f"  not well reported  {len(endurance.malformed)}"
    yield f"  trusted, repainted {len(outcome.forged)}"
    yield f"slowest              {took:.2f} s, {Path(name).name}"
    yield f"peak memory          {endurance.peak_bytes / 2**20:.0f} MB"
    for reading, count in endurance.census().most_common():
        yield f"  reads {reading!r:45} {count}"
    yield from (f"FAILURE {text}" for text in failures)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; 1 where something happened that must not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=KEEP, help="where files that fail are kept")
    chosen = parser.parse_args(arguments)
    outcome = fuzz(chosen.n, chosen.seed, chosen.keep)
    for line in describe(outcome):
        print(line)
    if outcome.failures:
        print(f"kept in {chosen.keep}")
    return 1 if outcome.failures else 0


if __name__ == "__main__":
    sys.exit(main())
