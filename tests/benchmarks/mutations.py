"""Seeded mutations of files: what a bad disk, a bad editor or a bad person does to bytes."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Literal

Mutation = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
"""Random numbers, the file, all files that may be spliced in -> the mutant."""

EXTREMES = (0, 1, 2, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_KINDS = (
    *(b"IHDR", b"IDAT", b"tEXt", b"iTXt", b"zTXt", b"eXIf", b"caBX", b"IEND"),
    *(b"VP8 ", b"VP8L", b"VP8X", b"EXIF", b"XMP ", b"C2PA"),
    *(b"ftyp", b"uuid", b"meta", b"mdat", b"iloc", b"iinf", b"iprp", b"ispe", b"jumb", b"jumd", b"cbor", b"jxlc"),
)
"""Names of chunks and boxes; their length stands before them, in WebP behind."""


def flip_bits(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    mutant = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 8, 64))):
        mutant[rng.randrange(len(mutant))] ^= 1 << rng.randrange(8)
    return bytes(mutant)


def overwrite_run(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start, length = rng.randrange(len(data)), rng.choice((1, 4, 16, 256, 4096))
    run = rng.choice((b"\0" * length, b"\xff" * length, rng.randbytes(length)))[: len(data) - start]
    return data[:start] + run + data[start + len(run) :]


def truncate(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    return data[: rng.choice((rng.randrange(len(data)), rng.randrange(min(len(data), 64)), len(data) - 1))]


def duplicate(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(data))
    piece = data[start : start + rng.choice((1, 12, 64, 1024, 16384))]
    at = rng.choice((start, rng.randrange(len(data))))
    return data[:at] + piece * rng.choice((1, 1, 2, 50)) + data[at:]


def remove(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.choice((1, 4, 12, 64, 1024)) :]


def edit_length(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change a field that says how long something is."""
    fields = _length_fields(data)
    at, size = rng.choice(fields) if fields else (rng.randrange(len(data)), 4)
    order: Literal["little", "big"] = "little" if data[:4] in {b"RIFF", b"II*\0"} else "big"
    old = int.from_bytes(data[at : at + size], order)
    new = rng.choice((*EXTREMES, old + 1, old - 1, old * 2, rng.getrandbits(8 * size)))
    return data[:at] + (new % (1 << 8 * size)).to_bytes(size, order) + data[at + size :]


def splice(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """The beginning of one file and the end of another."""
    other = rng.choice(others)
    return data[: rng.randrange(len(data))] + other[rng.randrange(len(other)) :]


def _length_fields(data: bytes) -> list[tuple[int, int]]:
    """Offset and size of fields that look like lengths."""
    if data.startswith(b"\xff\xd8"):
        fields = [(at + 2, 2) for at in range(len(data) - 4) if data[at] == 0xFF and 0xC0 <= data[at + 1] < 0xFF]
    elif data.startswith((b"II*\0", b"MM\0*")):
        directory = int.from_bytes(data[4:8], "little" if data[:1] == b"I" else "big")
        entries = [directory + 2 + 12 * number for number in range(20) if directory + 14 + 12 * number < len(data)]
        fields = [(4, 4), (directory, 2), *((at + offset, 4) for at in entries for offset in (4, 8))]
    elif data.startswith(b"GIF"):
        fields = [(6, 2), (8, 2), *((at + 2, 1) for at in range(len(data) - 3) if data[at : at + 1] == b"\x21")]
    else:
        fields = []
    return fields + [(at + offset, 4) for kind in _KINDS for at in _places(data, kind) for offset in _beside(data, at)]


def _places(data: bytes, kind: bytes) -> list[int]:
    found, at = [], data.find(kind)
    while at >= 0:
        found.append(at)
        at = data.find(kind, at + 1)
    return found


def _beside(data: bytes, at: int) -> tuple[int, ...]:
    if data.startswith(b"RIFF"):
        return (4,) if at + 8 <= len(data) else ()
    return (-4,) if at >= 4 else ()


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    flip_bits,
    overwrite_run,
    truncate,
    duplicate,
    remove,
    edit_length,
    edit_length,
    splice,
)


def mutate(seed: int, number: int, files: Sequence[bytes]) -> tuple[int, bytes]:
    """Mutant `number` of a run: the index of the file it comes from, and its bytes."""
    rng = random.Random(f"{seed}:{number}")
    index = rng.randrange(len(files))
    mutant = files[index]
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        mutant = rng.choice(MUTATIONS)(rng, mutant, files) or mutant
    return index, mutant
