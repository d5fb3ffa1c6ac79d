"""Sign table: the signs of every sealed seed of one latent shape, packed, so that a ledger is scanned in seconds.

A row is the payload (8 bytes) and the first signs in the order of the public interleaver, a bit each. Whoever has the
table can look for marks and imitate them, so it is as secret as the keys: mode 0600. It holds nothing that the ledger
and the keys cannot bring back; a damaged or stale one is built anew.

The header says how many rows count. Rows are appended behind it and become valid when it is rewritten, in one piece and
after they are on the disk; what a crash leaves behind the last valid row is overwritten.
"""

from __future__ import annotations

import fcntl
import math
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from assay.errors import LedgerError
from assay.keys import derive
from assay.vocabulary import Latents, Seal
from watermark import stream
from watermark.sealed_seed import CODE, SIGNS, Found, SealedSeed

HEAD_BYTES = 32
MOST_SIGNS = 16_384
"""Signs kept of a row: 2 KiB. Of larger latents, these are an even sample."""
CANDIDATES = 512
"""Rows whose signs agree best, and which are then measured in full: a mark that would be found among 10^6 rows with
chance .99 by all its values is then passed over with chance .004."""

_MAGIC = b"assaySGN"
_VERSION = 1
_HEADER = struct.Struct("<8sII3IIQ32s")
_HEADER_BYTES = 128
_BATCH = 4096
_CHUNK_BYTES = 2 * 2**20
_THREADS = 2

Words = NDArray[np.uint64]


class SignTableError(LedgerError):
    """A sign table cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignTable:
    """A table as it was when it was opened; rows appended later are not part of it."""

    path: Path
    shape: tuple[int, int, int]
    """Of the latents: channels, height, width."""
    signs: int
    """Of each row, a multiple of 64."""
    rows: int
    head: bytes
    """Where the ledger stood, in the caller's terms: 32 bytes, such as the hash of its last row."""

    def is_stale(self, rows: int, head: bytes) -> bool:
        """Whether a ledger of so many rows of this shape, ending in `head`, is another than the one tabled."""
        return (self.rows, self.head) != (rows, head)

    def scan(self, prepared: NDArray[np.float64], candidates: int = CANDIDATES) -> list[tuple[int, int]]:
        """The rows whose signs agree best with an estimate.

        Args:
            prepared: The estimate, shape as the table's; values that are 0 count as positive.
            candidates: How many rows.

        Returns:
            (payload, agreeing signs), best first.
        """
        order = stream.interleaver(prepared.size)[: self.signs]
        wanted = np.packbits(prepared.ravel()[order] < 0, bitorder="little").view("<u8")
        table = self._mapped()
        step = max(1, _CHUNK_BYTES // table.itemsize // table.shape[1])
        with ThreadPoolExecutor(_THREADS) as pool:
            starts = range(0, self.rows, step)
            parts = list(pool.map(lambda at: _nearest(table[at : at + step], wanted, candidates), starts))
        best = sorted((pair for part in parts for pair in part), key=lambda pair: pair[1])[:candidates]
        return [(payload, self.signs - distance) for payload, distance in best]

    def _mapped(self) -> Words:
        if self.rows == 0:
            return np.empty((0, 1 + self.signs // 64), np.uint64)
        return np.memmap(self.path, "<u8", "r", _HEADER_BYTES, (self.rows, 1 + self.signs // 64))


def identify(
    table: SignTable, noise: Latents, seal_of: Callable[[int], Seal], mark: SealedSeed | None = None
) -> Found | None:
    """Which row of the ledger an estimate of the noise carries.

    The signs choose a few rows, whose full statistics are then taken. The p-value is corrected for all rows of the
    table: what looked best was chosen from them.

    Args:
        table: Of the estimate's shape.
        noise: Shape (channels, height, width).
        seal_of: The ledger's row for a payload.
        mark: How to measure.

    Returns:
        The best row, however well it fits; None where the table is empty.

    Raises:
        SignTableError: The table is of another shape.
    """
    if noise.shape != table.shape:
        raise SignTableError(f"{table.path}: a table for latents of {table.shape}, not {noise.shape}", hint=_HINT)
    mark = mark or SealedSeed()
    chosen = (seal_of(payload) for payload, _ in table.scan(mark.prepare(noise)))
    return mark.search(noise, chosen, tried=table.rows)


def build(
    path: Path, shape: tuple[int, int, int], seals: Iterable[Seal], head: bytes, *, most_signs: int = MOST_SIGNS
) -> SignTable:
    """Write a table anew; whoever reads the old one goes on reading it.

    Args:
        path: Replaced when the new table is whole.
        shape: Of the latents.
        seals: One for each row of the ledger with latents of this shape.
        head: As `SignTable.head`.
        most_signs: As `MOST_SIGNS`, a multiple of 64.

    Raises:
        SignTableError: The latents are too small, or the file cannot be written.
    """
    count = math.prod(shape)
    if count < CODE.length:
        raise SignTableError(f"latents of {shape} are too small for a table", hint="Search the ledger row by row.")
    signs = min(count // 64 * 64, most_signs)
    table = SignTable(path=path, shape=shape, signs=signs, rows=0, head=head)
    with _errors(path), tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        temporary = Path(file.name)  # made with mode 0600
        try:
            written = _write_rows(file, table, seals)
            temporary.replace(path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    return written


def append(table: SignTable, seals: Iterable[Seal], head: bytes) -> SignTable:
    """Add rows, under a lock: one process writes at a time.

    Returns:
        The table with its new rows.

    Raises:
        SignTableError: The file has changed since `table` was opened, or cannot be written.
    """
    with _errors(table.path), table.path.open("r+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        replaced = not os.path.samestat(table.path.stat(), os.fstat(file.fileno()))
        if replaced or _read_header(table.path, file) != table:
            raise SignTableError(f"{table.path}: another process has written to it", hint="Open it again, then append.")
        return _write_rows(file, replace(table, head=head), seals)


def open_table(path: Path) -> SignTable:
    """Open a table.

    Raises:
        SignTableError: There is none, others can read it, it is of another version, or damaged.
    """
    with _errors(path), path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & 0o077:
            raise SignTableError(
                f"{path}: others can read it", hint=f"Run `chmod 600 {path}`, and ask who has read it meanwhile."
            )
        return _read_header(path, file)


_HINT = "Remove it: it is built anew from the ledger."


# --- rows -------------------------------------------------------------------------------------------------------------


def _nearest(rows: Words, wanted: Words, candidates: int) -> list[tuple[int, int]]:
    """(payload, differing signs) of the rows that differ least."""
    # The sum by einsum is twice as fast as by `sum`; rows have at most 2^16 - 1 signs.
    distances = np.einsum("ij->i", np.bitwise_count(rows[:, 1:] ^ wanted), dtype=np.uint16, casting="unsafe")
    best = np.argpartition(distances, candidates)[:candidates] if len(rows) > candidates else np.arange(len(rows))
    return [(int(rows[at, 0]), int(distances[at])) for at in best]


def _packed(seals: list[Seal], signs: int, subkeys: dict[bytes, bytes]) -> Words:
    """Payload and signs, uint64 of shape (rows, 1 + signs / 64); the same signs as in `sealed_seed.template`."""
    size, ahead = signs // 8, CODE.message_bits // 8
    streams = b"".join(stream.keystream(_signs_key(seal.secret, subkeys), seal.nonce, ahead + size) for seal in seals)
    masks, pads = np.split(np.frombuffer(streams, np.uint8).reshape(len(seals), -1), [ahead], axis=1)
    payloads = np.array([seal.payload for seal in seals], np.uint64)
    coded = CODE.encode(payloads, CODE.length, np.unpackbits(masks, axis=1, bitorder="little"))
    words = np.packbits(coded, axis=1, bitorder="little")
    rows = np.empty((len(seals), 1 + signs // 64), np.uint64)
    rows[:, 0] = payloads
    repeated = np.tile(words, (1, -(-size // words.shape[1])))[:, :size]
    rows[:, 1:] = (pads ^ repeated).view(np.uint64)
    return rows


def _signs_key(secret: bytes, subkeys: dict[bytes, bytes]) -> bytes:
    if secret not in subkeys:
        subkeys[secret] = derive(secret, SIGNS)
    return subkeys[secret]


def _write_rows(file: IO[bytes], table: SignTable, seals: Iterable[Seal]) -> SignTable:
    """Append rows behind the valid ones, then the header that makes them count."""
    rows, subkeys = table.rows, dict[bytes, bytes]()
    file.seek(_HEADER_BYTES + rows * (8 + table.signs // 8))
    file.truncate()
    for batch in _batches(seals):
        file.write(_packed(batch, table.signs, subkeys).astype("<u8", copy=False).data)
        rows += len(batch)
    table = replace(table, rows=rows)
    file.flush()
    os.fsync(file.fileno())
    file.seek(0)
    file.write(_header(table))
    file.flush()
    os.fsync(file.fileno())
    return table


def _batches(seals: Iterable[Seal]) -> Iterator[list[Seal]]:
    remaining = iter(seals)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


# --- header -----------------------------------------------------------------------------------------------------------


def _header(table: SignTable) -> bytes:
    if len(table.head) != HEAD_BYTES:
        raise ValueError(f"the head has {len(table.head)} bytes, not {HEAD_BYTES}")
    fields = _HEADER.pack(_MAGIC, _VERSION, _HEADER_BYTES, *table.shape, table.signs, table.rows, table.head)
    return (fields + struct.pack("<I", zlib.crc32(fields))).ljust(_HEADER_BYTES, b"\0")


def _read_header(path: Path, file: IO[bytes]) -> SignTable:
    data = file.read(_HEADER_BYTES)
    fields = data[: _HEADER.size]
    if len(data) < _HEADER_BYTES or fields[: len(_MAGIC)] != _MAGIC:
        raise SignTableError(f"{path}: not a sign table", hint=_HINT)
    _, version, size, channels, height, width, signs, rows, head = _HEADER.unpack(fields)
    if version != _VERSION:
        raise SignTableError(f"{path}: version {version} of sign tables, not {_VERSION}", hint=_HINT)
    complete = os.fstat(file.fileno()).st_size >= size + rows * (8 + signs // 8)
    if data[_HEADER.size : _HEADER.size + 4] != struct.pack("<I", zlib.crc32(fields)) or not complete:
        raise SignTableError(f"{path}: the sign table is damaged", hint=_HINT)
    return SignTable(path=path, shape=(channels, height, width), signs=signs, rows=rows, head=head)


@contextmanager
def _errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SignTableError(f"{path}: {error.strerror}", hint="Check the folder and its permissions.") from error
