"""How often the public marks of SDXL and FLUX are found: `python -m tests.benchmarks.legacy FOLDER`.

    python -m tests.benchmarks.legacy FOLDER [--pattern '*'] [--count 100] [--unmarked FOLDER] [--null 1000]

Photographs of a folder are marked by the package `invisible-watermark` itself, in the three ways in which generators
have called it, and read by ours and by its own decoder. Both must reach a p-value of 1e-6: ours after correction for
all that it tries, the package's without, as if its user knew which of the messages to expect. What is not marked must
not be found. The package need not be installed in the environment of Assay, only on the path:

    PYTHONPATH=PEERS/lib/python3.11/site-packages python -m tests.benchmarks.legacy FOLDER
"""

from __future__ import annotations

import argparse
import importlib
import io
import math
import sys
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from assay.stats import clopper_pearson
from assay.vocabulary import Pixels
from watermark.legacy import LEAST_PIXELS, LOG10_LEVEL, MESSAGES, find, readings

BITS = {message.name: message.bits for message in MESSAGES}
PATHS = ("uint8 BGR", "float BGR", "float RGB")
DELIVERIES = {"as it is": None, "JPEG 95": 95, "JPEG 90": 90, "JPEG 75": 75}
DECODED = {"SDXL": (48,), "FLUX": (48, 46)}
"""How many bits users ask the package's decoder for."""
PADDED = {("FLUX", 48): (0, 0, *BITS["FLUX"])}
"""What they compare them with, where it is not what was embedded."""
LARGEST = 16_000_000


def pictures(folder: Path, pattern: str = "*") -> Iterator[Pixels]:
    """Every picture of a folder, in the order of their names, that is not too small or too large for this."""
    for path in sorted(folder.rglob(pattern)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                with Image.open(path) as image:
                    if LEAST_PIXELS <= image.width * image.height <= LARGEST:
                        yield np.array(ImageOps.exif_transpose(image).convert("RGB"))
            except OSError:
                continue


def package() -> Any:
    """The package, if it is there."""
    try:
        return importlib.import_module("imwatermark")
    except ImportError as missing:
        sys.exit(f"`invisible-watermark` cannot be imported ({missing}): put it, OpenCV and PyWavelets on the path")


def embed(peer: Any, pixels: Pixels, name: str, path: str) -> Pixels:
    """Marked as the generators do it: diffusers rounds what the embedder returns, FLUX's own code cuts it off."""
    order = slice(None) if path == "float RGB" else slice(None, None, -1)
    encoder = peer.WatermarkEncoder()
    encoder.set_by_bits(list(BITS[name]))
    given = pixels[..., order].astype(np.uint8 if path == "uint8 BGR" else np.float32)
    marked = np.clip(encoder.encode(np.ascontiguousarray(given), "dwtDct"), 0, 255)
    whole: Pixels = (np.trunc(marked) if name == "FLUX" else np.rint(marked)).astype(np.uint8)
    return np.ascontiguousarray(whole[..., order])


def reference_finds(peer: Any, pixels: Pixels, name: str, bits: int) -> bool:
    """Whether the package's decoder, asked for so many bits, returns enough of the message's."""
    decoder = peer.WatermarkDecoder("bits", bits)
    found = np.asarray(decoder.decode(np.ascontiguousarray(pixels[..., ::-1]), "dwtDct"), int)
    matching = int(np.count_nonzero(found == PADDED.get((name, bits), BITS[name])))
    tail = sum(math.comb(bits, heads) for heads in range(matching, bits + 1))
    return math.log10(tail) - bits * math.log10(2) <= LOG10_LEVEL


def delivered(pixels: Pixels, quality: int | None) -> Pixels:
    """As received; JPEG with Pillow's defaults, so with halved chroma."""
    if quality is None:
        return pixels
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=quality)
    return np.array(Image.open(stream))


def share(found: Sequence[bool]) -> str:
    """A proportion with its interval."""
    low, high = clopper_pearson(sum(found), len(found))
    return f"{sum(found) / len(found):.3f} ({low:.3f} to {high:.3f})"


def rows(peer: Any, photographs: Sequence[Pixels]) -> Iterator[str]:
    """Rows of the table."""
    for name, lengths in DECODED.items():
        for path in PATHS:
            marked = [embed(peer, pixels, name, path) for pixels in photographs]
            for delivery, quality in DELIVERIES.items():
                received = [delivered(pixels, quality) for pixels in marked]
                named = [finding.message if finding else "" for finding in map(find, received)]
                theirs = [[reference_finds(peer, pixels, name, bits) for pixels in received] for bits in lengths]
                cells = [share([each == name for each in named]), *map(share, theirs), *["-"] * (2 - len(lengths))]
                wrong = sum(each not in ("", name) for each in named)
                yield f"| {name} | {path} | {delivery} | {' | '.join(cells)} | {wrong} |"


def null(unmarked: Iterator[Pixels]) -> str:
    """A sentence on pictures without a mark."""
    best = [min(finding.log10_p for finding in readings(pixels)) for pixels in unmarked]
    if not best:
        return "No unmarked pictures."
    false = sum(value <= LOG10_LEVEL for value in best)
    _, high = clopper_pearson(false, len(best))
    shares = ", ".join(f"{np.mean(np.array(best) <= level):.4f} at 1e{level}" for level in (-1, -2, -3))
    return (
        f"{false} of {len(best)} unmarked pictures were taken for marked (95 % interval up to {high:.4f}); lowest "
        f"corrected p-value 1e{min(best):.1f}; share below a p-value: {shares}."
    )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="photographs to mark, in any nesting")
    parser.add_argument("--pattern", default="*", help="of their file names")
    parser.add_argument("--count", type=int, default=100, help="how many to mark")
    parser.add_argument("--unmarked", type=Path, help="a folder of those not to be marked; default: the same")
    parser.add_argument("--null", type=int, default=1_000, help="how many not to mark")
    options = parser.parse_args()
    peer = package()
    photographs = list(islice(pictures(options.folder, options.pattern), options.count))
    if not photographs:
        sys.exit(f"{options.folder}: no pictures of {LEAST_PIXELS} pixels or more")
    print(f"{len(photographs)} photographs; shares found at a p-value of 1e-6, with 95 % intervals\n")
    print("| mark | embedded as | delivered | ours | package, 48 bits | package, 46 bits | ours: another message |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for row in rows(peer, photographs):
        print(row, flush=True)
    unmarked = pictures(options.unmarked) if options.unmarked else pictures(options.folder)
    print(f"\n{null(islice(unmarked, options.null))}")


if __name__ == "__main__":
    main()
