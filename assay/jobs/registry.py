"""The ledger's rows as the `watermark` check searches them: which fits the noise behind a picture best?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from assay import catalog, fingerprint
from assay.ledger import Entry, Ledger, Mark
from assay.vocabulary import Latents, Pixels, Reading, Seal
from watermark import sign_table
from watermark.sealed_seed import SealedSeed
from watermark.sign_table import SignTable, SignTableError

TABLED = 20_000
"""Sealed seeds of one shape from which on their signs are kept in a table: row by row, so many take seconds."""
REGISTERED_AMONG = 10_000
"""The newest rows, of which those whose colours a picture shares are laid over it: their thumbnails are all opened."""


class Fit(NamedTuple):
    """A row and how well it fits, not corrected for what else was tried."""

    image_id: int
    reading: Reading


class Registry:
    """All committed rows with a latent mark whose keys are here, as the ledger was at one head.

    Args:
        ledger: Read once; it may be closed then.
        secrets: Of the keys, by their id.
        folder: Where sign tables are kept; they are as secret as the keys.
    """

    def __init__(self, ledger: Ledger, secrets: Mapping[str, bytes], folder: Path) -> None:
        self.head = ledger.head()
        self._secrets, self._folder = secrets, folder
        self._rows = {row.image_id: row for row in ledger.marks() if row.key_id in secrets and _is_latent(row)}
        self.kinds = tuple(kind for kind in ledger.kinds() if self.count(kind.latent_shape))
        self._palettes: dict[int, NDArray[np.float64]] | None = None

    def count(self, shape: tuple[int, int, int]) -> int:
        """Rows with latents of this shape."""
        return len(self._of(shape))

    def best(self, noise: Latents) -> Fit | None:
        """The row that fits an estimate best, however well; None where no row has its shape."""
        rows = self._of(noise.shape)
        sealed = [row for row in rows if _is_sealed(row)]
        others = (self.fit(row.image_id, noise) for row in rows if not _is_sealed(row))
        fits = [*self._best_sealed(sealed, noise), *others]
        return min(fits, key=lambda fit: fit.reading.log10_p, default=None)

    def fit(self, image_id: int, noise: Latents) -> Fit:
        """How well one row fits."""
        row = self._rows[image_id]
        return Fit(image_id, catalog.latent_watermark(row.watermark).measure(noise, self._seal(row)))

    def alike(self, ledger: Ledger, pixels: Pixels, count: int) -> list[Entry]:
        """The rows whose thumbnails have the colours of a picture, the most alike first, among the newest.

        Args:
            ledger: The same, open.
            pixels: The picture.
            count: How many rows, at most.
        """
        if self._palettes is None:
            self._palettes = {
                entry.image_id: _palette(fingerprint.opened(entry.thumbnail)) for entry in self._newest(ledger)
            }
        own = _palette(pixels)
        order = sorted(self._palettes.items(), key=lambda pair: _apart(own, pair[1]))
        entries = (ledger.get(image_id) for image_id, _ in order[:count])
        return [entry for entry in entries if entry is not None]

    def _of(self, shape: tuple[int, ...]) -> list[Mark]:
        return [row for row in self._rows.values() if row.latent_shape == shape]

    def _seal(self, row: Mark) -> Seal:
        return Seal(secret=self._secrets[row.key_id], nonce=row.nonce, payload=row.payload)

    def _best_sealed(self, rows: Sequence[Mark], noise: Latents) -> Iterator[Fit]:
        if len(rows) < TABLED:
            found = SealedSeed().search(noise, map(self._seal, rows))
        else:
            found = sign_table.identify(self._table(rows), noise, lambda payload: self._seal(self._rows[payload]))
        if found is not None:
            yield self.fit(found.seal.payload, noise)

    def _table(self, rows: Sequence[Mark], *, again: bool = True) -> SignTable:
        """The table of these rows: as it is, with what it lacks, or anew."""
        shape = rows[0].latent_shape
        path = self._folder / f"signs-{'x'.join(map(str, shape))}.table"
        table = sign_table.open_table(path) if path.exists() else None
        if table is None or table.shape != shape or table.head != _head(rows[: table.rows]):
            self._folder.mkdir(parents=True, exist_ok=True)
            return sign_table.build(path, shape, map(self._seal, rows), _head(rows))
        if table.rows == len(rows):
            return table
        try:
            return sign_table.append(table, map(self._seal, rows[table.rows :]), _head(rows))
        except SignTableError:
            if not again:
                raise
            return self._table(rows, again=False)  # another process has appended meanwhile

    def _newest(self, ledger: Ledger) -> Iterator[Entry]:
        rows = list(self._rows.values())[-REGISTERED_AMONG:]
        recorded = ledger.entries(after=rows[0].seq - 1) if rows else ()
        return (each.entry for each in recorded if each.entry.image_id in self._rows)


def _is_latent(row: Mark) -> bool:
    return row.watermark in catalog.LATENT_WATERMARKS


def _is_sealed(row: Mark) -> bool:
    """Of sealed seed, and with its id as payload, as `assay generate` makes them: the payload leads back to the row."""
    return row.watermark == SealedSeed.id and row.payload == row.image_id


def _head(rows: Iterable[Mark]) -> bytes:
    """Of the rows that a table holds, and their order."""
    return sha256(b"".join(row.key_id.encode() + row.nonce for row in rows)).digest()


def _palette(pixels: Pixels) -> NDArray[np.float64]:
    """Shares of 4 x 4 x 4 colours: the same after any turn, and nearly so after a crop."""
    small = np.asarray(Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX)) >> 6
    codes = small[..., 0].astype(np.intp) * 16 + small[..., 1] * 4 + small[..., 2]
    shares: NDArray[np.float64] = np.bincount(codes.ravel(), minlength=64) / codes.size
    return shares


def _apart(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.abs(np.sqrt(first) - np.sqrt(second)).sum())
