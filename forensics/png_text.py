"""PNG text chunks (W3C PNG 3, section 11.3.3), wherever in the file they stand."""

from __future__ import annotations

import zlib

from assay.containers import Block, Kind
from forensics.fields import Field, Source
from forensics.text import decode

MAX_TEXT_BYTES = 8 * 2**20
"""Text of one file after decompression."""


class TextReader:
    """Decodes one file's chunks within one bound on what they may grow to."""

    def __init__(self) -> None:
        self._left = MAX_TEXT_BYTES
        self.is_cut = False

    def read(self, block: Block) -> Field | None:
        """The key and the text of a chunk; None where it has no key."""
        key, _, rest = block.payload.partition(b"\0")
        if not key:
            return None
        match block.kind:
            case Kind.PNG_COMPRESSED_TEXT:
                text = decode(self._inflate(rest[1:]))
            case Kind.PNG_INTERNATIONAL_TEXT:
                is_compressed, rest = rest[:1] == b"\1", rest[2:].split(b"\0", 2)[-1]
                text = decode(self._inflate(rest) if is_compressed else rest)
            case _:
                text = decode(rest)
        return Field(source=Source.PNG, name=key.decode("latin-1"), value=text)

    def _inflate(self, packed: bytes) -> bytes:
        unpacker = zlib.decompressobj()
        try:
            text = unpacker.decompress(packed, self._left + 1)
        except zlib.error:
            return b""
        self.is_cut = self.is_cut or len(text) > self._left
        self._left = max(0, self._left - len(text))
        return text
