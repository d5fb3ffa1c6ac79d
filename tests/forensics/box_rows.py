"""Rows of the tamper matrix about boxes of an AVIF that a signer left out of the hash, as those of `gap_rows`."""

from __future__ import annotations

from dataclasses import replace
from io import BytesIO

from PIL import Image

from tests.carriers import AVIF, C2PA_UUID, Carrier, bmff_box
from tests.forensics.gaps import Gap, Lay, beside, gap_row, laid, left_out, under_update
from tests.forensics.tamper_rows import BROKEN, TRUSTED, UNCOVERED, Row, Variation
from tests.forge import STANDARD, USUAL, BmffHash, DataHash, avif
from tests.forge.bindings import Exclusion
from tests.forge.bmff import find
from tests.forge.gaps import Edit
from tests.seeds import encode, photograph

CHINA = avif.frame(photograph("china"))
FLOWER = avif.frame(photograph("flower"), quality=40)


def boxes(*exclusions: Exclusion, picture: bytes, edits: tuple[Edit, ...], carrier: Carrier | None = None) -> Lay:
    """Return an AVIF with a hash of boxes that leaves out some."""
    return laid(Gap(picture=picture, binding=BmffHash(exclusions=exclusions), edits=edits, carrier=carrier))


def _pointed_at(kind: bytes) -> Edit:
    return lambda data: avif.pointed_at(data, CHINA, FLOWER, kind)


def _exchanged(data: bytes) -> bytes:
    return avif.exchanged(data, CHINA, FLOWER)


def _locations(**conditions: object) -> Exclusion:
    return {"xpath": "/meta/iloc", **conditions}


_ONE = avif.write([CHINA])
_META, _ILOC, _MDAT = (find(_ONE, path).extent for path in ("/meta", "/meta/iloc", "/mdat"))
_SIZE_OF_ILOC = _ILOC.stop - _ILOC.start
_ILOC_IN_META = {"offset": _ILOC.start - _META.start, "length": _SIZE_OF_ILOC}
_SWAPS = tuple(map(_pointed_at, (b"free", b"skip", b"ftyp")))
_TILES = tuple(avif.frame(photograph(which).crop((0, 0, 64, 64))) for which in ("china", "flower"))
_GRID = avif.write(
    [avif.grid(1, 2, (64, 64), _TILES[0]), *_TILES], references=[avif.Reference(kind=b"dimg", source=1, targets=(2, 3))]
)
_TURNED = avif.write([replace(CHINA, properties=(*CHINA.properties, bmff_box(b"irot", b"\0")))])


def _with_mask() -> bytes:
    """A picture half of which is transparent."""
    image = photograph().convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    return encode(image, "AVIF")


def _embed_before_the_picture(data: bytes, store: bytes) -> bytes:
    """Put the manifest at the end, and the picture data behind it in the same box, which may end in padding."""
    content = C2PA_UUID + bytes(4) + b"manifest\0" + bytes(8) + store + CHINA.payload
    whole = data + bmff_box(b"uuid", content)
    nowhere = _place(find(data, "/mdat").extent.start + 8, 0)
    place = _place(len(whole) - len(CHINA.payload), len(CHINA.payload))
    return avif.replaced(whole, "/meta/iloc", nowhere, place)


def _place(offset: int, length: int) -> bytes:
    return offset.to_bytes(4) + length.to_bytes(4)


_IN_THE_PADDING = boxes(
    *STANDARD,
    picture=avif.write([replace(CHINA, payload=b"")]),
    edits=(_exchanged,),
    carrier=replace(AVIF, embed=_embed_before_the_picture),
)


def _moving(second: Image.Image) -> bytes:
    """A photograph, and what follows it."""
    stream = BytesIO()
    photograph().save(stream, "AVIF", save_all=True, append_images=[second], speed=8, max_threads=1)
    return stream.getvalue()


def _second_frame() -> Lay:
    """Return a moving AVIF with a hash that leaves out its second frame, which is no item of `meta`."""
    picture, other = _moving(photograph("flower")), _moving(Image.new("RGB", photograph().size))
    old, new = (_frames_after_the_first(each) for each in (picture, other))
    start = picture.rindex(old) - find(picture, "/mdat").extent.start
    left = {"xpath": "/mdat", "subset": [{"offset": start, "length": 0}]}
    return boxes(*USUAL, left, picture=picture, edits=(over_all(old, avif.filled(new, len(old))),))


def _frames_after_the_first(data: bytes) -> bytes:
    """What lies in `mdat` behind the item that `meta` shows, whose length ends `iloc`."""
    first = int.from_bytes(data[find(data, "/meta/iloc").extent][-4:])
    return data[find(data, "/mdat").extent][8 + first :]


def over_all(old: bytes, new: bytes) -> Edit:
    """Put other bytes into the place of some, wherever they are."""
    return lambda data: data.replace(old, new)


def _bytes(path: str, edit: Edit) -> Lay:
    """Return an AVIF with a hash of bytes, not of boxes, that leaves out a box."""
    binding = DataHash(leave_out=lambda data: [find(data, path).extent])
    return laid(Gap(picture=avif.write([CHINA, FLOWER]), binding=binding, edits=(edit,)))


def _pointed_at_other_item(data: bytes) -> bytes:
    shown, other = (_place(data.index(item.payload), len(item.payload)) for item in (CHINA, FLOWER))
    return avif.replaced(data, "/meta/iloc", shown, other)


_PADDING_BY_BYTES = laid(replace(_IN_THE_PADDING(AVIF), binding=DataHash()))
_FIRST_VERSION = laid(
    Gap(
        picture=_ONE,
        binding=BmffHash(exclusions=STANDARD, version=1),
        edits=(lambda data: avif.overgrown(data, CHINA, FLOWER),),
    )
)


def _avif(
    name: str,
    what: str,
    *further: Exclusion,
    picture: bytes = _ONE,
    edits: tuple[Edit, ...] = (_exchanged,),
    usual: tuple[Exclusion, ...] = USUAL,
) -> Row:
    return gap_row(f"box-{name}", what, boxes(*usual, *further, picture=picture, edits=edits), "AVIF")


_ITEM_LOCATIONS = boxes(*USUAL, _locations(), picture=_ONE, edits=_SWAPS)
_ON_NO_CONDITION = boxes(*USUAL, _locations(length=_SIZE_OF_ILOC + 1), picture=_ONE, edits=_SWAPS)
_LET_IN = "item locations, which then point to an appended box"

BOX_ROWS = (
    _avif("iloc", _LET_IN, _locations(), edits=_SWAPS),
    _avif("iloc-alone", "the same, without boxes of padding", _locations(), edits=_SWAPS[-1:], usual=STANDARD),
    _avif("iloc-index", "the same, as `meta[1]/iloc`", {"xpath": "meta[1]/iloc"}, edits=_SWAPS),
    _avif("iloc-length", "the same, on condition of its length", _locations(length=_SIZE_OF_ILOC), edits=_SWAPS),
    _avif("iloc-version", "the same, on condition of its version", _locations(version=1), edits=_SWAPS),
    _avif("iloc-flags", "the same, on condition of its flags", _locations(flags=bytes(3)), edits=_SWAPS),
    _avif(
        "iloc-flags-inexact",
        "the same, on condition of some flags at most",
        _locations(flags=b"\0\0\1", exact=False),
        edits=_SWAPS,
    ),
    _avif(
        "iloc-data",
        "the same, on condition of its content",
        _locations(data=[{"offset": 4, "value": b"iloc"}]),
        edits=_SWAPS,
    ),
    _avif("iloc-subset", "the same, as a part of `meta`", {"xpath": "/meta", "subset": [_ILOC_IN_META]}, edits=_SWAPS),
    _avif("meta", "all of `meta`, item locations pointed to an appended box", {"xpath": "/meta"}, edits=_SWAPS),
    _avif(
        "pitm",
        "which item is shown",
        {"xpath": "/meta/pitm"},
        picture=avif.write([CHINA, FLOWER]),
        edits=(lambda data: avif.replaced(data, "/meta/pitm", b"\0\0\0\0\0\1", b"\0\0\0\0\0\2"),),
    ),
    _avif(
        "iinf",
        "what kind of item each is: the mask no longer is a picture",
        {"xpath": "/meta/iinf"},
        picture=_with_mask(),
        edits=(lambda data: avif.replaced(data, "/meta/iinf", b"av01Alpha", b"zzzzAlpha"),),
    ),
    _avif(
        "iref",
        "how items refer to each other: tiles change places",
        {"xpath": "/meta/iref"},
        picture=_GRID,
        edits=(lambda data: avif.replaced(data, "/meta/iref", b"\0\2\0\3", b"\0\3\0\2"),),
    ),
    _avif(
        "iprp-colour",
        "properties of items: colours change",
        {"xpath": "/meta/iprp"},
        edits=(lambda data: avif.replaced(data, "/meta/iprp", b"\x0d\0\x06", b"\x0d\0\x09"),),
    ),
    _avif(
        "iprp-turned",
        "properties of items: the picture turns upside down",
        {"xpath": "/meta/iprp"},
        picture=_TURNED,
        edits=(lambda data: avif.replaced(data, "/meta/iprp", b"irot\0", b"irot\2"),),
    ),
    _avif("idat", "picture data in `meta`", {"xpath": "/meta/idat"}, picture=avif.write([CHINA], place=b"idat")),
    _avif("mdat", "picture data", {"xpath": "/mdat"}),
    _avif(
        "mdat-subset", "picture data, as a part of its box", {"xpath": "/mdat", "subset": [{"offset": 8, "length": 0}]}
    ),
    gap_row("box-frame", "a later frame of a moving picture, as a part of `mdat`", _second_frame(), "AVIF"),
    _avif(
        "mdat-length",
        "picture data, on condition of its length",
        {"xpath": "/mdat", "length": _MDAT.stop - _MDAT.start},
    ),
    _avif("free", "picture data that lay in `free` when it was signed", picture=avif.write([CHINA], place=b"free")),
    _avif("skip", "picture data that lay in `skip` when it was signed", picture=avif.write([CHINA], place=b"skip")),
    _avif(
        "ftyp",
        "picture data that lay in a second `ftyp`, which no hash covers",
        picture=avif.write([CHINA], place=b"ftyp"),
        usual=STANDARD,
    ),
    gap_row(
        "box-padding", "picture data behind the manifest, in its own box, which no hash covers", _IN_THE_PADDING, "AVIF"
    ),
    gap_row("bytes-padding", "the same, by a hash of bytes", _PADDING_BY_BYTES, "AVIF"),
    gap_row(
        "box-places",
        "nothing, but by a hash of the first version, which covers no places: `ftyp` grows over the picture",
        _FIRST_VERSION,
        "AVIF",
        as_signed=False,
    ),
    _avif(
        "any-uuid",
        "picture data in a `uuid` box of somebody's own",
        {"xpath": "/uuid"},
        picture=avif.write([CHINA], place=b"uuid"),
    ),
    _avif(
        "unknown",
        "picture data in a box of a kind that nobody knows",
        {"xpath": "/zzzz"},
        picture=avif.write([CHINA], place=b"zzzz"),
    ),
    Row(
        id="box-update",
        what="item locations, by the parent of an update manifest",
        make=under_update(_ITEM_LOCATIONS),
        expected=UNCOVERED,
        only=("AVIF",),
    ),
    Row(
        id="box-beside",
        what="item locations, by a manifest beside the image",
        make=beside(_ITEM_LOCATIONS),
        expected=UNCOVERED,
        only=("AVIF",),
    ),
    gap_row(
        "bytes-iloc",
        "item locations, by a hash of bytes, pointed to another item",
        _bytes("/meta/iloc", _pointed_at_other_item),
        "AVIF",
    ),
    gap_row("bytes-mdat", "picture data, by a hash of bytes", _bytes("/mdat", _exchanged), "AVIF"),
    gap_row(
        "condition-edited",
        "nothing, the condition is met by no box: item locations pointed to an appended box",
        _ON_NO_CONDITION,
        "AVIF",
        BROKEN,
        as_signed=False,
    ),
)
"""The signer left out boxes of an AVIF by which another picture can be shown."""

_NAMED_ANYWAY = Variation(words=frozenset({TRUSTED, UNCOVERED}), why="nobody names such a box in good faith")

NOTHING_ROWS = (
    Row(
        id="condition-signed",
        what="nothing, the condition is met by no box",
        make=left_out(_ON_NO_CONDITION, edited=False),
        expected=TRUSTED,
        exceptions={
            "AVIF": Variation(words=frozenset({TRUSTED, UNCOVERED}), why="nobody names such a box in good faith")
        },
        only=("AVIF",),
    ),
)
"""The signer wrote an exclusion that leaves out nothing."""
