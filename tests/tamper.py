"""What can be done to a signed file: one function an attack, bytes in, bytes out.

Each leaves a file that ordinary software still opens, unless it says otherwise. Nothing here has a private key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from io import BytesIO

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image, ImageOps, ImageSequence

from tests.carriers import AVIF, CARRIERS, GIF, JPEG, PNG, TIFF, WEBP, Carrier, bmff_box, cut, jpeg_piece, put
from tests.seeds import decoded, encode

SOFTWARE = "Assay Test Generator"
"""What the files under attack are signed with; an attack on the manifest looks for it."""
TITLE = "A picture made for tests"

_SECOND_SEGMENT = 20
"""Bytes that a manifest takes up besides, where it is kept in two segments."""

StoreEdit = Callable[[bytes], bytes]


# --- the picture ------------------------------------------------------------------------------------------------------


def flip_picture_byte(carrier: Carrier, data: bytes, place: float) -> bytes:
    """Flip one bit of compressed picture data, at a place in [0, 1); checksums of the container are put right."""
    area = carrier.picture_data(data)
    changed = bytearray(data)
    changed[area.start + int(place * (area.stop - area.start))] ^= 0x10
    return carrier.seal(bytes(changed))


def change_one_pixel(carrier: Carrier, data: bytes) -> bytes:
    """Open, change one pixel, save, and carry the old manifest over: what an editor that means well would do."""
    image = decoded(data)
    red, green, blue = image.getpixel((80, 53))  # type: ignore[misc]
    image.putpixel((80, 53), (255 - red, 255 - green, 255 - blue))
    return carrier.embed(encode(image, carrier.name), carrier.store(data))


def append(carrier: Carrier, data: bytes, extra: bytes) -> bytes:
    """Bytes after the end of the image, where no viewer looks."""
    return data + extra


def insert_benign(carrier: Carrier, data: bytes) -> bytes:
    """A comment, or another piece of container that every reader skips."""
    return carrier.insert(data)


def truncate(carrier: Carrier, data: bytes, place: float) -> bytes:
    """Stop inside the picture data; such a file opens, and does not decode."""
    area = carrier.picture_data(data)
    return data[: area.start + int(place * (area.stop - area.start))]


# --- the manifest as a whole ------------------------------------------------------------------------------------------


def move_manifest(carrier: Carrier, signed: bytes, other: bytes) -> bytes:
    """The manifest of one file put into another picture, which has none."""
    return carrier.embed(other, carrier.store(signed))


def second_store(carrier: Carrier, signed: bytes, second: bytes) -> bytes:
    """Two manifest stores, one after the other in one place of the container."""
    return carrier.embed(carrier.strip(signed), carrier.store(signed) + carrier.store(second))


def second_place(carrier: Carrier, signed: bytes, second: bytes) -> bytes:
    """Two manifest stores, each in a place of its own."""
    return carrier.embed(signed, carrier.store(second))


def strip(carrier: Carrier, data: bytes) -> bytes:
    """Take the manifest out; the picture stays as it is."""
    return carrier.strip(data)


def reencode(carrier: Carrier, data: bytes) -> bytes:
    """Open and save in the same format, as every web site does."""
    return encode(decoded(data), carrier.name)


def convert(data: bytes, target: Carrier) -> bytes:
    """Open and save in another format."""
    return encode(decoded(data), target.name)


def overwrite_excluded(carrier: Carrier, data: bytes) -> bytes:
    """Fill the range that the hash leaves out, meant for the manifest, with something else of the same length."""
    changed = bytearray(data)
    for extent in carrier.wrapping(data):
        changed[extent] = _OVERWRITES[carrier.name](data[extent])
    if carrier is TIFF:
        return TIFF.strip(bytes(changed))
    return carrier.seal(bytes(changed))


def close_excluded(carrier: Carrier, data: bytes) -> bytes:
    """Cut the manifest out and let the rest move up. In AVIF that moves the picture data, so the file does not open."""
    return cut(data, carrier.wrapping(data)) if carrier is AVIF else carrier.strip(data)


_FILL = b"what the hash does not cover "


def _fill(length: int) -> bytes:
    return (_FILL * (length // len(_FILL) + 1))[:length]


_OVERWRITES: dict[str, Callable[[bytes], bytes]] = {
    JPEG.name: lambda old: b"\xff\xfe" + old[2:4] + _fill(len(old) - 4),
    PNG.name: lambda old: old[:4] + b"tEXt" + b"Comment\0" + _fill(len(old) - 20) + old[-4:],
    WEBP.name: lambda old: b"ZZZZ" + old[4:8] + _fill(len(old) - 8),
    AVIF.name: lambda old: bmff_box(b"zzzz", _fill(len(old) - 8)),
    TIFF.name: lambda old: _fill(len(old)),
    GIF.name: lambda old: old.replace(b"C2PA_GIF\x01\x00\x00", b"HARMLESS1.0"),
}


# --- inside the manifest ----------------------------------------------------------------------------------------------


def edit_store(carrier: Carrier, data: bytes, edit: StoreEdit) -> bytes:
    """Change the manifest store in place, keeping its length; checksums of the container are put right."""
    return carrier.with_store(data, edit(carrier.store(data)))


def edit_assertion_text(store: bytes) -> bytes:
    """Say that a camera made the picture."""
    return _replace_in(store, "c2pa.actions.v2", SOFTWARE.encode(), b"Assay Test Camera 01")


def edit_source_type(store: bytes) -> bytes:
    """Turn "made by a model" into "captured"; the rest of the old term becomes a fragment."""
    return _replace_in(store, "c2pa.actions.v2", b"trainedAlgorithmicMedia", b"digitalCapture#original")


def edit_source_type_and_claim(store: bytes) -> bytes:
    """As above, and put the assertion's new hash into the claim, as a careful attacker would."""
    before = _digest(store, "c2pa.actions.v2")
    edited = edit_source_type(store)
    return _replace_in(edited, "c2pa.claim.v2", before, _digest(edited, "c2pa.actions.v2"))


def edit_claim(store: bytes) -> bytes:
    """Another title."""
    return _replace_in(store, "c2pa.claim.v2", TITLE.encode(), b"A photograph from a desk")


def edit_certificate(store: bytes, chain: bytes) -> bytes:
    """Another name in the signing certificate, whose public key stays."""
    leaf = x509.load_pem_x509_certificates(chain)[0].public_bytes(Encoding.DER)
    return _replace_in(store, "c2pa.signature", leaf, leaf.replace(b"Assay Test", b"Other Test"))


def edit_signature(store: bytes) -> bytes:
    """Flip one bit of the signature, which ends its box."""
    area = _superboxes(store)["c2pa.signature"]
    changed = bytearray(store)
    changed[area.stop - 8] ^= 1
    return bytes(changed)


def graft_signature(store: bytes, donor: bytes) -> bytes:
    """The signature box of another file of the same signer."""
    place, graft = _superboxes(store)["c2pa.signature"], donor[_superboxes(donor)["c2pa.signature"]]
    assert place.stop - place.start == len(graft)
    return cut(put(store, place.start, graft), [slice(place.stop, place.stop + len(graft))])


def interleave(data: bytes, extra: bytes) -> bytes:
    """Put segments of a JPEG between two halves of its manifest, which keeps its place and its extent.

    The signature box ends in padding that nothing signs; what is taken out of that makes room.
    """
    (extent,) = JPEG.wrapping(data)
    store = _without_padding(JPEG.store(data), len(extra) + _SECOND_SEGMENT)
    half = len(store) // 2
    pieces = jpeg_piece(1, store[:half]) + extra + jpeg_piece(2, store[:8] + store[half:])
    assert len(pieces) == extent.stop - extent.start
    return data[: extent.start] + pieces + data[extent.stop :]


def _without_padding(store: bytes, count: int) -> bytes:
    """Take bytes out of the padding of the last signature, and out of the lengths of all that is around it."""
    head = store.rindex(b"cpad\x59") + 5  # CBOR: a text of three letters, bytes with a length of two bytes
    room = int.from_bytes(store[head : head + 2])
    assert room >= count, "there is not so much padding"
    shorter = bytearray(cut(store, [slice(head + 2, head + 2 + count)]))
    shorter[head : head + 2] = (room - count).to_bytes(2)
    for box in _around(store, head):
        shorter[box : box + 4] = (int.from_bytes(store[box : box + 4]) - count).to_bytes(4)
    return bytes(shorter)


def _around(store: bytes, place: int) -> Iterator[int]:
    """Where the boxes begin that hold a byte of a store, the outermost first."""
    at, end = 0, len(store)
    while at + 8 <= end:
        size, kind = int.from_bytes(store[at : at + 4]), store[at + 4 : at + 8]
        if at <= place < at + size:
            yield at
            at, end = (at + 8, at + size) if kind == b"jumb" else (end, end)
        else:
            at += size


def _superboxes(store: bytes) -> dict[str, slice]:
    """Label -> content of each JUMBF superbox (ISO 19566-5), its header of 8 bytes left out; the last manifest wins."""
    return dict(_walk(store, 0, len(store)))


def _walk(store: bytes, at: int, end: int) -> Iterator[tuple[str, slice]]:
    while at + 8 <= end:
        size, kind = int.from_bytes(store[at : at + 4]), store[at + 4 : at + 8]
        if kind == b"jumb":
            description = at + 8
            label_at = description + 8 + 16 + 1  # box header, type, toggles
            label = store[label_at : store.index(0, label_at)].decode()
            yield label, slice(at + 8, at + size)
            yield from _walk(store, description + int.from_bytes(store[description : description + 4]), at + size)
        at += size


def _digest(store: bytes, label: str) -> bytes:
    """As in a hashed URI (C2PA 2.2, section 8.4.2.3)."""
    return hashlib.sha256(store[_superboxes(store)[label]]).digest()


def _replace_in(store: bytes, label: str, old: bytes, new: bytes) -> bytes:
    area = _superboxes(store)[label]
    content = store[area]
    assert len(old) == len(new)
    assert old in content
    return store[: area.start] + content.replace(old, new) + store[area.stop :]


def other_formats(carrier: Carrier) -> list[Carrier]:
    """Every format but this one."""
    return [other for other in CARRIERS.values() if other is not carrier]


def same_picture(one: bytes, other: bytes) -> bool:
    """Whether two files decode to the same pixels."""
    first, second = decoded(one), decoded(other)
    return (first.size, first.tobytes()) == (second.size, second.tobytes())


def shown(data: bytes) -> list[tuple[tuple[int, int], bytes]]:
    """Size and pixels of each frame as a viewer shows it: turned as the file says, with what is transparent in it."""
    with Image.open(BytesIO(data)) as image:
        upright = [ImageOps.exif_transpose(frame).convert("RGBA") for frame in ImageSequence.Iterator(image)]
    return [(frame.size, frame.tobytes()) for frame in upright]


def is_shown_alike(one: bytes, other: bytes) -> bool:
    """Whether viewers show the same of two files: pixels, what is transparent, and which way is up."""
    return shown(one) == shown(other)


def is_openable(data: bytes) -> bool:
    """Whether ordinary software shows the file."""
    try:
        decoded(data)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return True
