"""A mark in the pixels that needs no weights and no original: spread over a picture, and found after geometry.

Marking adds the key's tile (`watermark.carrier`) under a mask. Reading takes the picture away as a denoiser would,
finds the lattice of the tile's copies in what is left (`watermark.lattice`), folds them onto one, finds its place by
the key's sync cells, and decodes the polar code softly (`watermark.tiles`). The design is that of NAWE (2026), with a
code whose CRC bounds false finds.

**The null.** Payload and CRC are masked by bits of the key that nothing else depends on. Whatever the picture is, and
however places are chosen to decode at, a list of L messages passes a CRC of 32 bits with a chance of L / 2^32 over the
draw of the key. So a payload that is read has a p-value of at most tries x L / 2^32, where tries counts every list that
might have been looked at, for every key.

**What it does not do.** The tile depends on the key and the payload only. Whoever averages many pictures of one key
sees its sync cells; whoever has one marked picture can put its mark on another. A mark says who marked, not what.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import ClassVar

import numpy as np
import torch
import torch.nn.functional as nnf
from numpy.typing import NDArray
from torch import Tensor

from assay.perturb import Matrix
from assay.vocabulary import PixelReading, Pixels
from watermark import lattice
from watermark.carrier import (
    BASE,
    CELL,
    COLOUR,
    LONG,
    LUMA,
    PSNR,
    SHORT,
    SMALL,
    Carrier,
    amplitude,
    carrier,
    cell_size,
    code_for,
    spread_out,
)
from watermark.codes import LIST_SIZE, PolarCode, log10_chance_of_payload
from watermark.tiles import SIDE, Folded, Place, decode, folded, improved, places

WORKING = 640
"""Larger pictures are reduced to this side, of a square of their area, before they are read."""
LATTICES = 8
"""Lattices that are tried at each size."""
_LEAST_SYNC, _CLEAR_SYNC = 3.5, 4.7
"""Standard deviations from which on a place is decoded, and from which on its geometry is improved where that fails."""
_PLAIN, _DECODED = 2, 3
"""Places that are decoded where no geometry is assumed; where one is; as many again after improving it."""
_NOISES = (lattice.COARSE, lattice.FINE)
_SMALLEST_MARKED, _SMALLEST_READ = 128, 64
"""Pixels of the shorter side."""
_ROWS = 256
"""Rows that are marked at once."""


class Spread:
    """The mark in the pixels: 48 bits, or 16 in pictures whose shorter side is below 256 pixels."""

    id: ClassVar[str] = "spread"

    def bits(self, size: tuple[int, int]) -> int:
        """Bits of payload that a picture of this height and width carries; 0 where it is too small for a mark."""
        return 0 if min(size) < _SMALLEST_MARKED else code_for(*size).payload_bits

    def mark(self, pixels: Pixels, secret: bytes, payload: int) -> Pixels:
        """A picture that carries the payload.

        Args:
            pixels: uint8 of shape (height, width, 3), upright; left as it is.
            secret: 32 bytes.
            payload: Below 2^bits.

        Returns:
            uint8 of the same shape, with a PSNR of at least 40 dB.

        Raises:
            ValueError: The payload, or the picture, is out of range.
        """
        height, width = pixels.shape[:2]
        bits = self.bits((height, width))
        if not bits:
            raise ValueError(f"a picture of {width} x {height} pixels is too small for a mark")
        if not 0 <= payload < 1 << bits:
            raise ValueError(f"a picture of {width} x {height} pixels carries {bits} bits of payload")
        tile = torch.from_numpy(carrier(secret).tile(payload, code_for(height, width)))
        colour = torch.from_numpy(COLOUR if _is_coloured(pixels) else np.ones_like(COLOUR))
        strength = _strength(pixels, colour)
        marked = np.empty_like(pixels)
        for top in range(0, height, _ROWS):
            rows = slice(top, min(height, top + _ROWS))
            added = (spread_out(tile, height, width, rows) * _rows(strength, rows, (height, width)))[..., None] * colour
            exact = torch.from_numpy(pixels[rows].astype(np.float32)) + added.round_()
            marked[rows] = exact.clamp_(0, 255).to(torch.uint8).numpy()
        return marked

    def read(self, pixels: Pixels, secrets: Sequence[bytes]) -> PixelReading | None:
        """The payload in a picture, by whichever of these keys; None where none is found.

        Args:
            pixels: As received: uint8 of shape (height, width, 3).
            secrets: Of the keys, 32 bytes each.
        """
        keys = [carrier(secret) for secret in secrets]
        sizes, codes = _sizes(*pixels.shape[:2]), _codes(*pixels.shape[:2])
        tries = len(sizes) * len(_NOISES) * len(codes) * (_PLAIN + 2 * _DECODED) * len(keys)
        brightness = _brightness(pixels)
        for noise, (scale, cell) in product(_NOISES, sizes):
            left = lattice.residual(_resized(brightness, scale), noise)
            for place, number, code, payload in _found(left, keys, cell, codes):
                return PixelReading(
                    key=number,
                    payload=payload,
                    bits=code.payload_bits,
                    log10_p=log10_chance_of_payload(LIST_SIZE, code.crc_bits, tries),
                    tries=tries,
                    matrix=np.diag([1 / scale, 1 / scale, 1.0]) @ np.linalg.inv(place.matrix),
                )
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class SpreadWatermarker:
    """Marks what a pipeline of diffusers has decoded: `pipeline.watermark = SpreadWatermarker(...)`.

    Pipelines of the SDXL family call it natively; it is given all that they draw, and each picture takes the next
    payload.
    """

    secret: bytes = field(repr=False)
    payloads: Iterator[int]

    def apply_watermark(self, images: Tensor) -> Tensor:
        """Marked images of the same shape (B, 3, H, W), type and device, in [-1, 1]."""
        pixels = ((images.float().cpu() / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(0, 2, 3, 1)
        marked = [Spread().mark(one.numpy(), self.secret, next(self.payloads)) for one in pixels]
        return (torch.from_numpy(np.stack(marked)).permute(0, 3, 1, 2).to(images) / 255 * 2 - 1).contiguous()


def _brightness(pixels: Pixels) -> Tensor:
    return torch.from_numpy(pixels.astype(np.float32)) @ torch.tensor(LUMA)


# --- marking ----------------------------------------------------------------------------------------------------------


def _is_coloured(pixels: Pixels) -> bool:
    """A grey picture stays grey."""
    return bool((pixels != pixels[..., :1]).any())


def _strength(pixels: Pixels, colour: Tensor) -> Tensor:
    """The amplitude of the mark, at a size at which a cell has `CELL` pixels; rounded, it keeps the PSNR, too."""
    height, width = pixels.shape[:2]
    strength = amplitude(_resized(_brightness(pixels), CELL / cell_size(height, width)))
    most = 255**2 / 10 ** (PSNR / 10)
    while float((strength[..., None] * colour).round_().square_().mean()) > most:
        strength *= 0.98
    return strength


def _rows(strength: Tensor, rows: slice, size: tuple[int, int]) -> Tensor:
    """The strength of some rows of the picture, interpolated."""
    if strength.shape == size:
        return strength[rows]
    at = [(torch.arange(length) + 0.5) / length * 2 - 1 for length in size]
    grid = torch.stack(torch.meshgrid(at[1], at[0][rows], indexing="xy"), dim=-1)[None]
    return nnf.grid_sample(strength[None, None], grid, padding_mode="border", align_corners=False)[0, 0]


def _resized(brightness: Tensor, scale: float) -> Tensor:
    if scale == 1:
        return brightness
    size = [max(1, round(length * scale)) for length in brightness.shape]
    return nnf.interpolate(brightness[None, None], size=size, mode="bicubic", antialias=True)[0, 0]


# --- reading ----------------------------------------------------------------------------------------------------------


def _sizes(height: int, width: int) -> list[tuple[float, float | None]]:
    """Scales at which a picture is read, and the size of a cell where it is as it was made, or only reduced.

    At the second, parts that were cut out and enlarged are found; the third is for pictures that were reduced.
    """
    side = math.sqrt(height * width)
    scale = min(1.0, WORKING / side)
    sizes = [(scale, scale * cell_size(height, width)), (scale / 2, None)]
    if side < BASE:
        sizes.append((BASE / side, float(CELL)))
    return [(scale, cell) for scale, cell in sizes if min(height, width) * scale >= _SMALLEST_READ]


def _codes(height: int, width: int) -> tuple[PolarCode, ...]:
    """What a picture may carry that was enlarged no more than twice."""
    return (LONG,) if min(height, width) >= 2 * SMALL else (LONG, SHORT)


def _found(
    left: Tensor, keys: Sequence[Carrier], cell: float | None, codes: Sequence[PolarCode]
) -> Iterator[tuple[Place, int, PolarCode, int]]:
    """What is decoded in a residual: where, by which key, in which code, and the payload."""
    plain = [] if cell is None else [folded(left, np.diag([CELL / cell, CELL / cell, 1.0]))]
    placed = [_best(plain, key, _DECODED) for key in keys]
    for number, (key, met) in enumerate(zip(keys, placed, strict=True)):
        yield from _decoded(met[:_PLAIN], key, number, codes)
    lattices = [folded(left, _to_tile(sides)) for sides in lattice.find(left, LATTICES)]
    for number, (key, met) in enumerate(zip(keys, placed, strict=True)):
        turned = _best(lattices, key, _DECODED)
        yield from _decoded(turned, key, number, codes)
        clear = [place for place in _ranked([*met, *turned])[:_DECODED] if place.sync >= _CLEAR_SYNC]
        yield from _decoded([improved(left, place, key) for place in clear], key, number, codes)


def _to_tile(sides: NDArray[np.float64]) -> Matrix:
    matrix = np.eye(3)
    matrix[:2, :2] = SIDE * np.linalg.inv(sides)
    return matrix


def _best(tried: Sequence[Folded], key: Carrier, count: int) -> list[Place]:
    """The places whose sync cells stand out, over all geometries."""
    met = [place for one in tried for place in places(one, key, count) if place.sync >= _LEAST_SYNC]
    return _ranked(met)[:count]


def _ranked(met: Sequence[Place]) -> list[Place]:
    return sorted(met, key=lambda place: -place.sync)


def _decoded(
    best: Sequence[Place], key: Carrier, number: int, codes: Sequence[PolarCode]
) -> Iterator[tuple[Place, int, PolarCode, int]]:
    for place, code in product(best, codes):
        payload = decode(place, key, code)
        if payload is not None:
            yield place, number, code, payload
