"""Pixel watermarks of others on the same pictures as ours: `python -m tests.benchmarks.pixel_peers FOLDER --out FILE`.

The peers are the packages `invisible-watermark` (dwtDct, dwtDctSvd, and RivaGAN by ONNX) and `blind-watermark`. They
need not be installed in the environment of Assay, only on the path:

    PYTHONPATH=PEERS/lib/python3.11/site-packages python -m tests.benchmarks.pixel_peers FOLDER --out FILE
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from assay import catalog
from assay.jobs.robustness.pixels import measure, photographs
from assay.perturb import perturbation
from assay.vocabulary import PixelReading, Pixels, PixelSearch, PixelWatermark

ROWS = (
    *("clean", "jpeg-90", "jpeg-75", "jpeg-50", "jpeg-20", "webp-50", "blur-2", "noise-0.0627", "grey"),
    *("rotate-7", "flip-horizontal", "crop-75", "crop-50+jpeg-80", "resize-0.5", "scale-0.5", "screenshot"),
)
SIDE = 512


class _Told:
    """A peer: it needs no key here, knows the size of the original, and always reads something."""

    id = "peer"
    version = 1
    payload_bits = 48

    def bits(self, size: tuple[int, int]) -> int:  # noqa: ARG002
        return self.payload_bits

    def mark(self, pixels: Pixels, secret: bytes, payload: int) -> Pixels:  # noqa: ARG002
        digits = [int(digit) for digit in f"{payload:0{self.payload_bits}b}"]
        return np.ascontiguousarray(self.embedded(pixels[..., ::-1].copy(), digits)[..., ::-1])

    def read(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelReading | None:  # noqa: ARG002
        if pixels.shape[:2] != (SIDE, SIDE):
            pixels = perturbation(f"scale-{SIDE / max(pixels.shape[:2]):.6f}").apply(pixels)
            canvas = np.zeros((SIDE, SIDE, 3), np.uint8)
            height, width = (min(SIDE, length) for length in pixels.shape[:2])
            canvas[:height, :width] = pixels[:height, :width]
            pixels = canvas
        digits = self.extracted(pixels[..., ::-1].copy())
        payload = int("".join("1" if digit else "0" for digit in digits), 2)
        return PixelReading(key=0, payload=payload, bits=self.payload_bits, log10_p=0.0, tries=1, matrix=np.eye(3))

    def search(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelSearch:  # noqa: ARG002
        found = self.read(pixels, secrets)
        return PixelSearch(readings=() if found is None else (found,))

    def embedded(self, bgr: Pixels, digits: list[int]) -> Pixels:
        raise NotImplementedError

    def extracted(self, bgr: Pixels) -> Sequence[bool]:
        raise NotImplementedError


class _Invisible(_Told):
    """One method of `invisible-watermark`."""

    def __init__(self, method: str, payload_bits: int) -> None:
        self._package: Any = importlib.import_module("imwatermark")
        self._method, self.payload_bits = method, payload_bits
        if method == "rivaGan":
            self._package.WatermarkEncoder.loadModel()

    def embedded(self, bgr: Pixels, digits: list[int]) -> Pixels:
        encoder = self._package.WatermarkEncoder()
        encoder.set_watermark("bits", digits)
        return np.asarray(encoder.encode(bgr, self._method)).clip(0, 255).astype(np.uint8)

    def extracted(self, bgr: Pixels) -> Sequence[bool]:
        decoder = self._package.WatermarkDecoder("bits", self.payload_bits)
        return [bool(bit) for bit in decoder.decode(bgr, self._method)]


class _Blind(_Told):
    """`blind-watermark`, with its default passwords."""

    def __init__(self) -> None:
        self._package: Any = importlib.import_module("blind_watermark")
        self._package.bw_notes.close()

    def embedded(self, bgr: Pixels, digits: list[int]) -> Pixels:
        mark = self._package.WaterMark(password_img=1, password_wm=1)
        mark.read_img(img=bgr)
        mark.read_wm([bool(digit) for digit in digits], mode="bit")
        return np.rint(mark.embed()).clip(0, 255).astype(np.uint8)

    def extracted(self, bgr: Pixels) -> Sequence[bool]:
        mark = self._package.WaterMark(password_img=1, password_wm=1)
        return [bool(bit > 0.5) for bit in mark.extract(embed_img=bgr, wm_shape=self.payload_bits, mode="bit")]


def main() -> None:
    """Measure, and print as rows come in."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, required=True, help="results file; rows that it has are not made again")
    parser.add_argument("--count", type=int, default=100)
    options = parser.parse_args()
    methods: dict[str, PixelWatermark] = {
        "spread": catalog.pixel_watermark("spread"),
        "dwtDct": _Invisible("dwtDct", 48),
        "dwtDctSvd": _Invisible("dwtDctSvd", 48),
        "blind-watermark": _Blind(),
        "rivaGan": _Invisible("rivaGan", 32),
    }
    words = f"photographs at {SIDE} x {SIDE} pixels, beside peers"
    pictures = photographs(options.folder, count=options.count, side=SIDE, words=words)
    for row in measure(pictures, options.out, methods, ROWS):
        print(
            f"{row.name:20} {row.method:16} exact {np.mean(row.exact):.3f}  found {np.mean(row.found):.3f}", flush=True
        )


if __name__ == "__main__":
    main()
