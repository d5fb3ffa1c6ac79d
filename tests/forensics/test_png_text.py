from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.containers import Block, Kind
from forensics.png_text import MAX_TEXT_BYTES, TextReader

KINDS = (Kind.PNG_TEXT, Kind.PNG_COMPRESSED_TEXT, Kind.PNG_INTERNATIONAL_TEXT)


def _read(kind: Kind, payload: bytes) -> tuple[str, str] | None:
    field = TextReader().read(Block(kind=kind, payload=payload))
    return None if field is None else (field.name, field.value)


@pytest.mark.parametrize(
    ("kind", "payload", "expected"),
    [
        (Kind.PNG_TEXT, b"Software\0Tool", ("Software", "Tool")),
        (Kind.PNG_TEXT, "Author\0Zoë".encode("latin-1"), ("Author", "Zoë")),
        (Kind.PNG_TEXT, "Author\0灯台".encode(), ("Author", "灯台")),
        (Kind.PNG_TEXT, b"Software", ("Software", "")),
        (Kind.PNG_TEXT, b"\0no key", None),
        (Kind.PNG_COMPRESSED_TEXT, b"Comment\0\0" + zlib.compress(b"text"), ("Comment", "text")),
        (Kind.PNG_COMPRESSED_TEXT, b"Comment\0\0no stream", ("Comment", "")),
        (Kind.PNG_INTERNATIONAL_TEXT, "Title\0\0\0ja\0題\0灯台".encode(), ("Title", "灯台")),
        (Kind.PNG_INTERNATIONAL_TEXT, b"Title\0\1\0\0\0" + zlib.compress("灯台".encode()), ("Title", "灯台")),
        (Kind.PNG_INTERNATIONAL_TEXT, b"Title", ("Title", "")),
    ],
)
def test_every_kind_of_chunk_is_decoded(kind: Kind, payload: bytes, expected: tuple[str, str] | None) -> None:
    assert _read(kind, payload) == expected


def test_compressed_text_is_bounded_over_the_whole_file() -> None:
    reader = TextReader()
    bomb = Block(kind=Kind.PNG_COMPRESSED_TEXT, payload=b"big\0\0" + zlib.compress(b"x" * 3 * 2**20))
    sizes = []
    for _ in range(4):
        field = reader.read(bomb)
        assert field is not None
        sizes.append(len(field.value))
    assert sum(sizes) <= MAX_TEXT_BYTES + len(sizes)
    assert reader.is_cut


@given(st.sampled_from(KINDS), st.binary(max_size=60))
def test_no_bytes_raise(kind: Kind, payload: bytes) -> None:
    _read(kind, payload)
