"""A file's metadata blocks -> `Fields`, whatever the container."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.containers import Block, Kind, further_blocks
from forensics.exif import read_exif
from forensics.fields import Field, Fields, Source
from forensics.iim import inner_blocks, read_iim, read_photoshop
from forensics.png_text import TextReader
from forensics.recording import read_recording
from forensics.text import decode
from forensics.xmp import read_xmp

_MAX_BLOCKS = 4
"""Of one kind. Real files have one or two; more is an attempt to waste time."""
_MAX_PIECES = 1_000
_LIMITS = dict.fromkeys(
    (
        Kind.COMMENT,
        Kind.PNG_TEXT,
        Kind.PNG_COMPRESSED_TEXT,
        Kind.PNG_INTERNATIONAL_TEXT,
        Kind.XMP_EXTENSION,
        Kind.GOPRO,
    ),
    _MAX_PIECES,
)
MAX_XMP_BYTES = 16 * 2**20
"""Of all packets together; depth maps and panoramas keep their pictures in them."""
_XMP_KEY = "XML:com.adobe.xmp"
_RAW_PROFILE = "Raw profile type "
_PREFIXES = ((b"Exif\0\0", Kind.EXIF), (b"http://ns.adobe.com/xap/1.0/\0", Kind.XMP), (b"", None))
_PROFILES = {"exif": Kind.EXIF, "xmp": Kind.XMP, "iptc": Kind.IIM, "8bim": Kind.PHOTOSHOP}
_NAMED = b""
_MAX_FURTHER = 1_000
_DIGEST, _OFFSET, _HEADER = slice(0, 32), slice(36, 40), 40


def read_fields(blocks: Iterable[Block], further: Iterable[Block] = (), hidden: Iterable[Field] = ()) -> Fields:
    """Read every block; what cannot be read becomes a problem, never an exception.

    Args:
        blocks: The metadata of the picture.
        further: That of what travels with it. Each block stands for itself.
        hidden: What was read from the pixels.
    """
    reading = _Reading(items=list(hidden))
    for block in blocks:
        reading.take(block)
    others = list(reading.take_extension())
    if reading.thumbnail is not None:
        others += further_blocks(reading.thumbnail, 0, len(reading.thumbnail))
    found = [Fields(items=group) for group in reading.further]
    for block in (*others, *further):
        inner = _Reading()
        inner.take(block)
        found += [Fields(items=group) for group in (tuple(inner.items), *inner.further) if group]
        if block.kind is not Kind.XMP:  # a packet that was cut out of a video's bytes is often no packet
            reading.problems += inner.problems
    problems = tuple(dict.fromkeys(reading.problems))
    return Fields(
        items=tuple(reading.items), thumbnail=reading.thumbnail, problems=problems, further=tuple(found[:_MAX_FURTHER])
    )


@dataclass(slots=True)
class _Reading:
    """What has been read of one file so far."""

    items: list[Field] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    thumbnail: bytes | None = None
    xmp_bytes: int = 0
    further: list[tuple[Field, ...]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    """Of extended XMP: they wait until the main packet has named their digest."""
    seen: Counter[Kind] = field(default_factory=Counter)
    texts: TextReader = field(default_factory=TextReader)

    def take(self, block: Block) -> None:
        """Read one block, as far as there are not too many of its kind."""
        limit = _LIMITS.get(block.kind, _MAX_BLOCKS)
        self.seen[block.kind] += 1
        if self.seen[block.kind] <= limit:
            self._take(block)
        elif self.seen[block.kind] == limit + 1:
            self.problems.append(f"there are more than {limit:,} blocks of one kind: {block.kind.value}")

    def _take(self, block: Block) -> None:
        match block.kind:
            case Kind.EXIF:
                self._take_exif(block.payload)
            case Kind.XMP:
                self._take_packet(block.payload)
            case Kind.XMP_EXTENSION:
                self.pieces.append(block.payload)
            case Kind.IIM:
                self.items += read_iim(block.payload)
            case Kind.PHOTOSHOP:
                self._take_resources(block.payload)
            case Kind.COMMENT:
                self.items.append(Field(source=Source.COMMENT, name="comment", value=decode(block.payload)))
            case Kind.UNREAD:
                self.problems.append(decode(block.payload))
            case Kind.VIDEO | Kind.SAMSUNG | Kind.GOPRO:
                self.items += read_recording(block)
            case _:
                self._take_text(block)

    def _take_resources(self, payload: bytes) -> None:
        self.items += read_photoshop(payload)
        for kind, inner in inner_blocks(payload):
            self.take(Block(kind=kind, payload=inner))

    def _take_exif(self, payload: bytes) -> None:
        exif = read_exif(payload)
        self.items += exif.fields
        self.further += exif.further
        self.problems += exif.problems
        self.thumbnail = self.thumbnail or exif.thumbnail

    def _take_packet(self, packet: bytes) -> None:
        self.xmp_bytes += len(packet)
        if self.xmp_bytes > MAX_XMP_BYTES:
            self.problems.append(f"there is more XMP than {MAX_XMP_BYTES:,} bytes")
            return
        fields, problem = read_xmp(packet)
        self.items += fields
        if problem is not None:
            self.problems.append(f"the XMP packet {problem}")

    def _take_text(self, block: Block) -> None:
        text = self.texts.read(block)
        if self.texts.is_cut:
            self.problems.append("the compressed text grows beyond the bound")
        if text is None:
            return
        if text.name == _XMP_KEY:
            self.take(Block(kind=Kind.XMP, payload=text.value.encode()))
        elif text.name.startswith(_RAW_PROFILE):
            self._take_profile(text.name.removeprefix(_RAW_PROFILE), text.value)
        else:
            self.items.append(text)

    def _take_profile(self, name: str, text: str) -> None:
        """ImageMagick writes a profile as its name, its length and its bytes in hexadecimal, on lines of their own."""
        try:
            payload = bytes.fromhex("".join(text.split("\n")[2:]))
        except ValueError:
            self.problems.append("a raw profile in a text block is not hexadecimal")
            return
        if not payload:
            self.problems.append("a raw profile in a text block is empty, or cannot be unpacked")
            return
        prefix, kind = next((prefix, kind) for prefix, kind in _PREFIXES if payload.startswith(prefix))
        kind = kind or (Kind.PHOTOSHOP if payload.startswith(b"8BIM") else _PROFILES.get(name))
        if kind is not None:
            self.take(Block(kind=kind, payload=payload.removeprefix(prefix)))

    def take_extension(self) -> Iterator[Block]:
        """Join the pieces that the main packet names, in the order of their offsets (XMP part 3, section 1.1.3.1).

        Yields what no packet names: an extension that was left behind when the packet was replaced.
        """
        digests = {each.value.encode() for each in self.items if each.name == "xmpNote:HasExtendedXMP"}
        packets: dict[bytes, list[bytes]] = {}
        for piece in sorted(self.pieces, key=lambda piece: piece[_OFFSET]):
            digest = piece[_DIGEST] if piece[_DIGEST] not in digests else _NAMED
            packets.setdefault(digest, []).append(piece[_HEADER:])
        for digest, pieces in packets.items():
            if digest == _NAMED:
                self._take_packet(b"".join(pieces))
            else:
                yield Block(kind=Kind.XMP, payload=b"".join(pieces))
