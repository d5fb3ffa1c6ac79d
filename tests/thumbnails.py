"""Signed files whose manifests hold pictures, which are whatever the signer says they are."""

from __future__ import annotations

from io import BytesIO

from c2pa import Builder, C2paSignerInfo, Context, Signer

from generation.declaration import Declaration, definition
from generation.sign import _settings
from generation.signing_key import SigningKey
from tests.seeds import encoded


def signed(key: SigningKey, thumbnail: bytes, mime: str = "image/jpeg", *, parents: int = 0) -> bytes:
    """A JPEG with this as the picture in its manifest, and as the one that was kept of each of its ingredients."""
    picture = {"thumbnail": {"format": mime, "identifier": "picture"}}
    manifest = definition(Declaration(title="tulip.jpg")) | picture
    assert isinstance(key.secret, bytes)
    target = BytesIO()
    with (
        Signer.from_info(C2paSignerInfo(key.algorithm.value, key.chain, key.secret, None)) as signer,
        Context.from_dict(_settings()) as context,
        Builder(manifest, context=context) as builder,
    ):
        builder.add_resource("picture", BytesIO(thumbnail))
        for number in range(parents):
            described = {"title": f"part {number}.jpg", "relationship": "componentOf", **picture}
            builder.add_ingredient(described, "image/jpeg", BytesIO(encoded("JPEG", "flower")))
        builder.sign(signer, "image/jpeg", BytesIO(encoded("JPEG")), target)
    return target.getvalue()
