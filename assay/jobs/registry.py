"""The ledger's rows as the `watermark` check searches them: which fits the noise behind a picture best?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from assay import catalog
from assay.jobs import palettes
from assay.ledger import Entry, Ledger, Mark
from assay.ledger.reading import Kind
from assay.vocabulary import Latents, Pixels, Reading, Seal
from watermark import sign_table
from watermark.sealed_seed import SealedSeed
from watermark.sign_table import SignTable, SignTableError

TABLED = 20_000
"""Sealed seeds of one shape from which on their signs are kept in a table: row by row, so many take seconds."""
PALETTES = "palettes.npy"
"""The file of their colours, beside the sign tables."""
REGISTERED_AMONG = 10_000
"""The newest rows, of which those whose colours a picture shares are laid over it: their thumbnails are all opened."""


class Fit(NamedTuple):
    """A row and how well it fits, not corrected for what else was tried."""

    image_id: int
    reading: Reading


class Registry:
    """All committed rows with a latent mark whose keys are here, as the ledger was when it was last read.

    Args:
        ledger: Read at once; it may be closed then.
        secrets: Of the keys, by their id.
        folder: Where sign tables are kept; they are as secret as the keys.
    """

    def __init__(self, ledger: Ledger, secrets: Mapping[str, bytes], folder: Path) -> None:
        self.secrets, self._folder = secrets, folder
        self._rows: dict[int, Mark] = {}
        self._shaped: dict[tuple[int, ...], list[Mark]] = {}
        self._seen = 0
        self._hashes = np.zeros(0, np.uint64)
        self._palettes: dict[int, NDArray[np.uint16]] | None = None
        self.kinds: tuple[Kind, ...] = ()
        self.strange = 0
        """Rows with a latent mark whose keys are not here."""
        self.read(ledger)

    def read(self, ledger: Ledger) -> None:
        """Take in what the ledger has that it had not when it was last read."""
        self.head = ledger.head()
        fresh: list[Mark] = []
        for row in ledger.marks(after=self._seen):
            self._seen = row.seq
            if row.watermark not in catalog.LATENT_WATERMARKS:
                continue
            if row.key_id in self.secrets:
                fresh.append(row)
            else:
                self.strange += 1
        for row in fresh:
            self._rows[row.image_id] = row
            self._shaped.setdefault(row.latent_shape, []).append(row)
        self._hashes = np.append(self._hashes, np.array([row.perceptual_hash for row in fresh], np.uint64))
        self.kinds = tuple(sorted({*self.kinds, *(row.kind for row in fresh)}))

    def has(self, image_id: int) -> bool:
        """Whether a row has a mark in the noise, by a key that is here."""
        return image_id in self._rows

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

    def near(self, perceptual_hash: int, bits: int, count: int) -> list[int]:
        """Ids of the rows whose hashes differ in so many bits at most, the nearest first; none for a flat picture."""
        if not perceptual_hash or not len(self._hashes):
            return []
        distances = np.bitwise_count(self._hashes ^ np.uint64(perceptual_hash))
        order = np.argsort(distances, kind="stable")[:count]
        ids = list(self._rows)
        return [ids[at] for at in order if distances[at] <= bits]

    def alike(self, ledger: Ledger, pixels: Pixels, count: int, *, within: float = math.inf) -> list[Entry]:
        """The rows whose thumbnails have the colours of a picture, the most alike first, among the newest.

        Args:
            ledger: The same, open.
            pixels: The picture.
            count: How many rows, at most.
            within: How far apart the colours may be: 0 for the same, about 4 for those of unrelated pictures.
        """
        newest = self._newest_palettes(ledger)
        if not newest:
            return []
        distances = palettes.apart(np.stack(list(newest.values())), pixels)
        ids, order = list(newest), np.argsort(distances, kind="stable")
        entries = (ledger.get(ids[at]) for at in order[:count] if distances[at] <= within)
        return [entry for entry in entries if entry is not None]

    def _of(self, shape: tuple[int, ...]) -> list[Mark]:
        return self._shaped.get(shape, [])

    def _seal(self, row: Mark) -> Seal:
        return Seal(secret=self.secrets[row.key_id], nonce=row.nonce, payload=row.payload)

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

    def _newest_palettes(self, ledger: Ledger) -> dict[int, NDArray[np.uint16]]:
        """Of the newest rows, by image id: from memory, else from the file, else from their thumbnails."""
        path, rows = self._folder / PALETTES, list(self._rows.values())[-REGISTERED_AMONG:]
        known = palettes.kept(path) if self._palettes is None else self._palettes
        missing = {row.image_id: row.seq for row in rows if row.image_id not in known}
        if missing:
            thumbnails = ledger.thumbnails(after=min(missing.values()) - 1)
            known |= palettes.made(pair for pair in thumbnails if pair[0] in missing)
        self._palettes = {row.image_id: known[row.image_id] for row in rows if row.image_id in known}
        if missing:
            palettes.keep(path, self._palettes)
        return self._palettes


def _is_sealed(row: Mark) -> bool:
    """Of sealed seed, and with its id as payload, as `assay generate` makes them: the payload leads back to the row."""
    return row.watermark == SealedSeed.id and row.payload == row.image_id


def _head(rows: Iterable[Mark]) -> bytes:
    """Of the rows that a table holds, and their order."""
    return sha256(b"".join(row.key_id.encode() + row.nonce for row in rows)).digest()
