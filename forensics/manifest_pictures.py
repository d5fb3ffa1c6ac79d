"""The pictures that manifests keep of a file's versions: decoded within bounds, and encoded again.

Whoever made the file chose them. They run through the decoders only in a guarded worker, and only where they are shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from io import BytesIO
from itertools import islice

from c2pa import C2paError, Reader

from assay.exhibit import thumbnail

MOST = 24
"""Pictures of one file: those nearest to it."""
MAX_BYTES = 4 * 2**20
_INSIDE = "self#jumbf=/c2pa/"


def pictures(reader: Reader, uris: Iterable[str]) -> dict[str, bytes]:
    """Small JPEGs by the URI under which the manifests keep them; what is missing, foreign or damaged is left out.

    Args:
        reader: Of the manifests, still open.
        uris: JUMBF URIs, as the manifests write them; the first `MOST` that point inside are looked at.
    """
    inside = dict.fromkeys(uri for uri in uris if uri.startswith(_INSIDE))
    made = ((uri, _picture(reader, uri)) for uri in islice(inside, MOST))
    return {uri: picture for uri, picture in made if picture is not None}


def _picture(reader: Reader, uri: str) -> bytes | None:
    stream = BytesIO()
    try:
        reader.resource_to_stream(uri, stream)
    except (C2paError, ValueError):  # not there, or not a name that the library takes
        return None
    return thumbnail(stream.getvalue()) if stream.tell() <= MAX_BYTES else None
