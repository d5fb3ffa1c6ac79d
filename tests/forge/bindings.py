"""Hard bindings: the assertion that ties a manifest to the bytes of a file, with whatever it leaves out."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from tests.carriers import C2PA_UUID, WEBP, Carrier, cut, jpeg_segments
from tests.forge.bmff import Box, boxes, top_boxes

Ranges = list[slice]
Exclusion = Mapping[str, Any]

_KNOWN = ("sha256", "sha384", "sha512")
"""Algorithms that C2PA allows (C2PA 2.2, section 13.1)."""


class Binding(Protocol):
    """Something that hashes a file with a manifest in its place, which need not be the final one."""

    @property
    def label(self) -> str: ...

    def body(self, carrier: Carrier, data: bytes, /) -> dict[str, Any]: ...


def nothing_else(_data: bytes) -> Ranges:
    """Leave out the manifest, and nothing else."""
    return []


@dataclass(frozen=True, kw_only=True)
class DataHash:
    """A hash of all bytes but some ranges (C2PA 2.2, section 18.5): the manifest, and what else is asked for."""

    leave_out: Callable[[bytes], Ranges] = nothing_else
    """What is left out besides the manifest; called with the file, a manifest of the final length in its place."""
    algorithm: str = "sha256"
    """As stated; one that nobody knows hashes as SHA-256."""
    digest: bytes | None = None
    """A wrong hash, in place of the right one."""
    label: str = "c2pa.hash.data"

    def body(self, carrier: Carrier, data: bytes) -> dict[str, Any]:
        ranges = sorted([*_manifest(carrier, data), *self.leave_out(data)], key=lambda each: each.start)
        return {
            "exclusions": [{"start": each.start, "length": each.stop - each.start} for each in ranges],
            "name": "jumbf manifest",
            "alg": self.algorithm,
            "hash": self.digest or _hash(self.algorithm, cut(data, ranges)),
            "pad": b"",
        }


@dataclass(frozen=True, kw_only=True)
class NamedHash:
    """A hash of each segment of a JPEG by its name, in order (C2PA 2.2, section 18.6)."""

    excluded: tuple[str, ...] = ()
    """Names of segments that are listed, and not hashed."""
    last: str = "EOI"
    """The segment with which the list ends."""
    label: str = "c2pa.hash.boxes"

    def body(self, _carrier: Carrier, data: bytes) -> dict[str, Any]:
        named = [("SOI", slice(0, 2)), *((_NAMES[marker], extent) for marker, extent in jpeg_segments(data))]
        end = data.rindex(b"\xff\xd9")
        named[-1] = ("SOS", slice(named[-1][1].start, end))
        named.append(("EOI", slice(end, len(data))))
        stop = max(number for number, (name, _) in enumerate(named, 1) if name == self.last)
        return {"alg": "sha256", "boxes": [self._entry(name, data[extent]) for name, extent in named[:stop]]}

    def _entry(self, name: str, segment: bytes) -> dict[str, Any]:
        entry: dict[str, Any] = {"names": [name], "alg": "sha256", "hash": _hash("sha256", segment), "pad": b""}
        if name in self.excluded or name == "C2PA":
            entry["hash"] = b"\0"
        return entry | ({"excluded": True} if name in self.excluded else {})


_NAMES = {0xC0: "SOF0", 0xC4: "DHT", 0xDA: "SOS", 0xDB: "DQT", 0xE0: "APP0", 0xE1: "APP1", 0xE2: "APP2", 0xEB: "C2PA"}


def _manifest(carrier: Carrier, data: bytes) -> Ranges:
    """Return where the manifest lies, if it does; the byte that makes the length of a WebP chunk even is hashed."""
    parts = carrier.wrapping(data)
    if not parts:
        return []
    return [slice(parts[0].start, carrier.store_parts(data)[-1].stop if carrier is WEBP else parts[-1].stop)]


def _hash(algorithm: str, data: bytes) -> bytes:
    return hashlib.new(algorithm if algorithm in _KNOWN else "sha256", data).digest()


C2PA_BOX: Exclusion = {"xpath": "/uuid", "data": [{"offset": 8, "value": C2PA_UUID}]}
STANDARD: tuple[Exclusion, ...] = (C2PA_BOX, {"xpath": "/ftyp"}, {"xpath": "/mfra"})
"""What every such hash leaves out (C2PA 2.2, section 18.6.1)."""
USUAL: tuple[Exclusion, ...] = (*STANDARD, {"xpath": "/free"}, {"xpath": "/skip"})
"""What the C2PA library leaves out of an AVIF by itself: boxes of padding, too."""


@dataclass(frozen=True, kw_only=True)
class BmffHash:
    """A hash of all boxes but some, for AVIF and HEIC (C2PA 2.2, sections 18.6 and A.5)."""

    exclusions: tuple[Exclusion, ...] = USUAL
    """As in the assertion: `xpath`, and `length`, `version`, `flags`, `exact`, `data`, `subset` as conditions."""
    version: int = 3
    """Of the assertion; from 2 on, the place of each box at the top is hashed before it."""
    algorithm: str = "sha256"
    digest: bytes | None = None
    """A wrong hash, in place of the right one."""

    @property
    def label(self) -> str:
        return "c2pa.hash.bmff" if self.version == 1 else f"c2pa.hash.bmff.v{self.version}"

    def body(self, _carrier: Carrier, data: bytes) -> dict[str, Any]:
        return {
            "exclusions": [dict(each) for each in self.exclusions],
            "alg": self.algorithm,
            "hash": self.digest or _hash(self.algorithm, self._hashed(data)),
            "name": "jumbf manifest",
        }

    def _hashed(self, data: bytes) -> bytes:
        """Return the bytes that are hashed, in order."""
        outside = sorted(
            (part for each in self.exclusions for part in left_out(data, each)), key=lambda part: part.start
        )
        hashed = []
        for box in top_boxes(data):
            within = [part for part in outside if box.extent.start <= part.start < box.extent.stop]
            if box.extent not in within:
                hashed += [box.extent.start.to_bytes(8)] if self.version > 1 else []
                hashed.append(cut(data[: box.extent.stop], [slice(0, box.extent.start), *within]))
        return b"".join(hashed)


def left_out(data: bytes, exclusion: Exclusion) -> list[slice]:
    """Return the ranges of a file that one exclusion matches (C2PA 2.2, section 18.6.1.1)."""
    return [
        part
        for box in boxes(data)
        if box.path == _path(exclusion["xpath"]) and _meets(data, box, exclusion)
        for part in _reduced(box.extent, exclusion.get("subset"))
    ]


def _path(xpath: str) -> str:
    """Return the path that the library reads: `meta[1]/iloc` is `/meta/iloc`, too."""
    return f"/{xpath.removeprefix('/')}".replace("[1]", "")


def _meets(data: bytes, box: Box, exclusion: Exclusion) -> bool:
    """Whether a box meets all conditions of an exclusion."""
    size, start = box.extent.stop - box.extent.start, box.extent.start
    flags, wanted = data[start + 9 : start + 12], exclusion.get("flags")
    return (
        exclusion.get("length") in (None, size)
        and exclusion.get("version") in (None, data[start + 8])
        and (wanted is None or _agree(flags, wanted, is_exact=exclusion.get("exact", True)))
        and all(data[start + each["offset"] :].startswith(bytes(each["value"])) for each in exclusion.get("data") or ())
    )


def _agree(flags: bytes, wanted: bytes, *, is_exact: bool) -> bool:
    """As the library reads it: without `exact`, a box may have fewer flags than are named, and no others."""
    return flags == wanted if is_exact else all(have | want == want for have, want in zip(flags, wanted, strict=True))


def _reduced(extent: slice, subset: Sequence[Mapping[str, int]] | None) -> list[slice]:
    """A length of nought reaches to the end of the box."""
    if subset is None:
        return [extent]
    starts = [(extent.start + each["offset"], each["length"]) for each in subset]
    return [slice(at, min(at + length, extent.stop) if length else extent.stop) for at, length in starts]
