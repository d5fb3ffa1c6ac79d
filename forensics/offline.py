"""Proof that reading Content Credentials opens no connection."""

from __future__ import annotations

import zlib
from io import BytesIO

from c2pa import C2paError, Context, Reader

from assay.errors import ConfigurationError

REMOTE_ERROR = "Remote: must fetch remote manifests from url "
"""How the library begins its refusal to fetch; the address follows."""

_HINT = "Install the c2pa-python release that this version of Assay pins, then run: assay doctor"


def require_closed_network(context: Context) -> None:
    """Read a file whose manifest lies elsewhere and require the refusal: the library ignores settings it cannot spell.

    Raises:
        ConfigurationError: The manifest was not refused.
    """
    try:
        Reader.try_create("image/png", BytesIO(_remote_png()), context=context)
    except C2paError as error:
        if str(error).startswith(REMOTE_ERROR):
            return
        raise ConfigurationError(f"The C2PA reader's self-test failed: {error}", hint=_HINT) from error
    raise ConfigurationError("The C2PA reader did not refuse a remote manifest", hint=_HINT)


def _remote_png() -> bytes:
    """The smallest PNG that points to a manifest elsewhere: port 9 of this machine, which must never be asked."""
    xmp = (
        '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dcterms="http://purl.org/dc/terms/" '
        'dcterms:provenance="http://127.0.0.1:9/none.c2pa"/></rdf:RDF></x:xmpmeta>'
    )
    chunks = (
        (b"IHDR", b"\0\0\0\1\0\0\0\1\x08\0\0\0\0"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp.encode()),
        (b"IDAT", zlib.compress(b"\0\0")),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, body) for kind, body in chunks)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
