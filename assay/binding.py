"""What ties a manifest, a watermark and a row of the ledger together.

The manifest names the watermark and the image's id (C2PA 2.2, section 18.10: the soft-binding assertion); the watermark
carries the same id; the row kept under it has the manifest. Whoever finds the mark in a stripped copy finds the rest.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from assay.vocabulary import Pixels

LABEL = "c2pa.soft-binding"
ACTION = "c2pa.watermarked.bound"
"""Says that a watermark was put in which the soft binding of the same manifest names (since C2PA 2.3; 2.2 has only
`c2pa.watermarked`, which says less). It changes nothing one sees, so it has no digital source type."""

BOUND_TO = "Value of the soft binding"
"""Name of the detail with the image id that a manifest of Assay's own states, as 16 hexadecimal digits."""

NAMESPACE = "alt.assay"
"""Begins the names of Assay's own algorithms, such as `alt.assay.sealed-seed.1`.

C2PA wants such names in reverse-DNS form, from its list of algorithms. These stand on no official list, and claim no
domain: `alt` is kept out of the DNS for good (RFC 9476), so nobody can own what stands below it."""

_SCHEME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NEWEST = {"spread": 2}
"""Versions of the marks of which there has been more than one."""
_ID_BYTES = 8
_OURS = re.compile(rf"{re.escape(NAMESPACE)}\.({_SCHEME.pattern})\.(?P<version>[1-9][0-9]?)")
_WHAT = (
    "A watermark of Assay's own making, on no official list of algorithms. "
    "The value is the image's id in the ledger of whoever made it."
)
_QUOTED = re.compile(r"b64'(.*)'", re.DOTALL)
_MOST_TEXT, _MOST_BLOCKS = 200, 20
"""Of what a stranger's binding says: characters of a name or a value, values."""
_DIMENSIONS, _CHANNELS = 3, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftBinding:
    """A watermark that leads to an image's row in the ledger.

    Raises:
        ValueError: The scheme or the id is not of its form.
    """

    scheme: str
    """Which watermark: its id in the catalog, such as `sealed-seed`."""
    image_id: int
    """The image's id in the ledger: 64 bits."""
    version: int = 1
    """Of the watermark, 1 to 99."""

    def __post_init__(self) -> None:
        if not _SCHEME.fullmatch(self.scheme):
            raise ValueError(f"not the id of a watermark: {self.scheme!r}")
        if not 0 <= self.image_id < 1 << 8 * _ID_BYTES:
            raise ValueError(f"not a number of 64 bits: {self.image_id}")

    @property
    def algorithm(self) -> str:
        """The name under which the manifest speaks of the watermark."""
        return f"{NAMESPACE}.{self.scheme}.{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What a soft-binding assertion says, whoever wrote it. Nobody has looked for the mark yet."""

    algorithm: str
    """Empty where the assertion names none."""
    values: tuple[str, ...]
    """As written, one a block: base64, as a rule."""
    ours: SoftBinding | None
    """None where the algorithm is not Assay's, or the value is not an image id."""


def assertion(binding: SoftBinding) -> dict[str, Any]:
    """The soft-binding assertion, as the C2PA library takes it.

    One block whose empty scope is the whole image. Its value is the id, eight bytes big-endian, in base64: C2PA
    asks for a byte string, but the library turns JSON into CBOR and has no way to write one (c2pa-rs, issue 2689).
    `pad` is required and empty.
    """
    value = base64.b64encode(binding.image_id.to_bytes(_ID_BYTES, "big")).decode("ascii")
    return {
        "label": LABEL,
        "data": {
            "alg": binding.algorithm,
            "name": _WHAT,
            "blocks": [{"scope": {}, "value": value}],
            "pad": [],
        },
    }


def read(body: object) -> Stated:
    """Read the body of a soft-binding assertion, as `json` or `crjson` of the C2PA library give it.

    Anybody can write one: any value may have any type, and what is said is a statement, not a finding.

    Args:
        body: The assertion's data; a value may be base64, base64 in the quotes of crJSON, or a list of bytes.
    """
    fields = body if isinstance(body, dict) else {}
    name = fields.get("alg")
    algorithm = name if isinstance(name, str) else ""
    blocks = fields.get("blocks")
    blocks = blocks[:_MOST_BLOCKS] if isinstance(blocks, list) else []
    values = tuple(_text(block.get("value")) for block in blocks if isinstance(block, dict))
    return Stated(
        algorithm=algorithm[:_MOST_TEXT],
        values=tuple(value[:_MOST_TEXT] for value in values if value),
        ours=_ours(algorithm, blocks, values),
    )


def _ours(algorithm: str, blocks: list[Any], values: tuple[str, ...]) -> SoftBinding | None:
    named = _OURS.fullmatch(algorithm)
    if named is None or int(named["version"]) > _NEWEST.get(named[1], 1):
        return None
    if len(blocks) != 1 or len(values) != 1 or blocks[0].get("scope"):
        return None
    try:
        image_id = base64.b64decode(values[0], validate=True)
    except (ValueError, binascii.Error):
        return None
    if len(image_id) != _ID_BYTES:
        return None
    return SoftBinding(scheme=named[1], version=int(named["version"]), image_id=int.from_bytes(image_id, "big"))


def _text(value: object) -> str:
    """A value in base64, in whichever of its three shapes it comes; empty where it has none of them."""
    if isinstance(value, str):
        quoted = _QUOTED.fullmatch(value)
        return quoted[1] if quoted else value
    try:
        return base64.b64encode(bytes(value)).decode("ascii") if isinstance(value, list) else ""
    except (TypeError, ValueError):
        return ""


def pixel_sha256(pixels: Pixels) -> str:
    """The hash under which decoded pixels are known: equal for equal pictures, whatever file they came in.

    Args:
        pixels: uint8 of shape (height, width, 3), upright.

    Returns:
        SHA-256 in hexadecimal, over the shape (three numbers of 32 bits, big-endian) and then the values, row by row.

    Raises:
        ValueError: Another shape or another type of number.
    """
    if pixels.dtype != "uint8" or pixels.ndim != _DIMENSIONS or pixels.shape[2] != _CHANNELS:
        raise ValueError(f"pixels are uint8 of shape (height, width, 3), not {pixels.dtype} of {pixels.shape}")
    return hashlib.sha256(struct.pack(">3I", *pixels.shape) + pixels.tobytes()).hexdigest()
