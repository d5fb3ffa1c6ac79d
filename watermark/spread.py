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
from typing import ClassVar, assert_never

import numpy as np
import torch
import torch.nn.functional as nnf
from torch import Tensor

from assay.perturb import Matrix
from assay.vocabulary import PixelReading, Pixels, PixelSearch, PixelTrace
from watermark.carrier import (
    CELL,
    COLOUR,
    LONG,
    LUMA,
    PSNR,
    SHORT,
    SMALL,
    TILE,
    Layout,
    amplitude,
    carrier,
    cell_size,
    code_for,
    spread_out,
)
from watermark.codes import LIST_SIZE, PolarCode, log10_chance_of_payload
from watermark.reading import Hit, most_lists, resized, search

_SMALLEST_MARKED = 128
"""Pixels of the shorter side."""
_ROWS = 256
"""Rows that are marked at once."""


class Spread:
    """The mark in the pixels: 48 bits, or 16 in pictures whose shorter side is below 256 pixels."""

    id: ClassVar[str] = "spread"
    version: ClassVar[int] = Layout.SECOND.value

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
        key = carrier(secret)
        tile = torch.from_numpy(key.tile(payload, code_for(height, width)))
        colour = torch.from_numpy(COLOUR if _is_coloured(pixels) else np.ones_like(COLOUR))
        strength = _strength(pixels, colour)
        marked = np.empty_like(pixels)
        for top in range(0, height, _ROWS):
            rows = slice(top, min(height, top + _ROWS))
            added = (spread_out(tile, key.grid, height, width, rows) * _rows(strength, rows, (height, width)))[
                ..., None
            ] * colour
            exact = torch.from_numpy(pixels[rows].astype(np.float32)) + added.round_()
            marked[rows] = exact.clamp_(0, 255).to(torch.uint8).numpy()
        return marked

    def read(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelReading | None:
        """The payload in a picture that is found first, by whichever of these keys; None where none is found.

        Args:
            pixels: As received: uint8 of shape (height, width, 3).
            secrets: Of the keys, 32 bytes each.
            earlier: Whether marks of the first layout are looked for, too.
        """
        found = self._found(pixels, secrets, earlier=earlier)
        return next((one for one in found if isinstance(one, PixelReading)), None)

    def search(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelSearch:
        """Every payload in a picture, of each key and part, and traces of other keys. Takes what `read` does."""
        readings: dict[tuple[int, int, int], PixelReading] = {}
        traces = []
        for one in self._found(pixels, secrets, earlier=earlier):
            match one:
                case PixelReading():
                    readings.setdefault((one.key, one.version, one.payload), one)
                case PixelTrace():
                    traces.append(one)
                case _:
                    assert_never(one)
        return PixelSearch(readings=tuple(readings.values()), traces=tuple(traces))

    def _found(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool) -> Iterator[PixelReading | PixelTrace]:
        layouts = (Layout.SECOND, Layout.FIRST) if earlier else (Layout.SECOND,)
        keys = [(number, layout) for layout in layouts for number in range(len(secrets))]
        carriers = [carrier(secrets[number], layout) for number, layout in keys]
        size = (pixels.shape[0], pixels.shape[1])
        codes = _codes(*size)
        tries = most_lists(size, codes) * len(carriers)
        for one in search(_brightness(pixels), carriers, codes):
            number, layout = keys[one.carrier]
            if isinstance(one, Hit):
                yield _reading(one, number, layout, carriers[one.carrier].grid, tries)
            else:
                log10_p = one.log10_p + math.log10(len(carriers))
                yield PixelTrace(key=number, version=layout.value, log10_p=min(0.0, log10_p))


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
    strength = amplitude(resized(_brightness(pixels), CELL / cell_size(height, width)))
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


# --- reading ----------------------------------------------------------------------------------------------------------


def _reading(hit: Hit, number: int, layout: Layout, grid: Matrix, tries: int) -> PixelReading:
    return PixelReading(
        key=number,
        version=layout.value,
        payload=hit.payload,
        bits=hit.code.payload_bits,
        log10_p=log10_chance_of_payload(LIST_SIZE, hit.code.crc_bits, tries),
        tries=tries,
        matrix=np.linalg.inv(grid @ hit.matrix).astype(np.float64),
        box=hit.box,
        is_negative=hit.is_negative,
        period=TILE * CELL * float(grid[0, 0]),
    )


def _codes(height: int, width: int) -> tuple[PolarCode, ...]:
    """What a picture may carry that was enlarged no more than twice."""
    return (LONG,) if min(height, width) >= 2 * SMALL else (LONG, SHORT)
