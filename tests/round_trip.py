"""Every mode in every container: what becomes of it when it is written again with the same pixels."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO

import numpy as np
from PIL import Image

from assay.errors import AssayError
from assay.repaint import MIMES, repainted, require_same
from assay.vocabulary import Pixels

_SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "WEBP": ".webp", "TIFF": ".tif"}
_SIDE = 64
_BITS, _SAMPLES = 258, 277


def _colours() -> Pixels:
    ramp = np.arange(_SIDE, dtype=np.uint8) * 4
    return np.dstack([np.tile(ramp, (_SIDE, 1)), np.tile(ramp[:, None], _SIDE), np.full((_SIDE, _SIDE), 90, np.uint8)])


def _modes() -> Mapping[str, Image.Image]:
    """Pictures by what is said of them."""
    colours = Image.fromarray(_colours())
    deep = (np.asarray(colours.convert("L")).astype(np.uint16) * 257) ^ 5
    clear = np.dstack([_colours(), np.tile(np.arange(_SIDE, dtype=np.uint8) // 32 * 255, (_SIDE, 1))])
    palette = colours.quantize(64)
    return {
        "RGB": colours,
        "RGBA, colours under zero alpha": Image.fromarray(clear),
        "grey": colours.convert("L"),
        "grey with alpha": Image.fromarray(clear).convert("LA"),
        "palette": palette,
        "16-bit grey": Image.fromarray(deep),
        "black and white": colours.convert("1"),
        "CMYK": colours.convert("CMYK"),
        "YCbCr": colours.convert("YCbCr"),
        "CIELAB": Image.fromarray(_colours(), "LAB"),
        "32-bit integers": colours.convert("I"),
        "floating point": colours.convert("F"),
    }


def _tiff(*tags: tuple[int, int, tuple[int, ...]], strips: tuple[bytes, ...]) -> bytes:
    """A TIFF of shorts and longs, whose strips follow its directory."""
    fields = {tag: (type_, values) for tag, type_, values in tags}
    body = b"".join(strips)
    starts = [8 + sum(map(len, strips[:number])) for number in range(len(strips))]
    fields |= {273: (4, tuple(starts)), 279: (4, tuple(map(len, strips)))}
    at, entries, values = 8 + len(body), [], b""
    room = at + 6 + 12 * len(fields)
    for tag, (type_, numbers) in sorted(fields.items()):
        raw = b"".join(number.to_bytes(2 if type_ == 3 else 4, "little") for number in numbers)
        place = raw.ljust(4, b"\0") if len(raw) <= 4 else (room + len(values)).to_bytes(4, "little")
        values += raw if len(raw) > 4 else b""
        entries.append(struct.pack("<HHI", tag, type_, len(numbers)) + place)
    directory = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    return b"II*\0" + at.to_bytes(4, "little") + body + directory + values


def _further_tiffs() -> Iterator[tuple[str, bytes]]:
    """Layouts that Pillow reads, or half reads, and does not write."""
    colours = _colours()
    common = ((256, 3, (_SIDE,)), (257, 3, (_SIDE,)), (259, 3, (1,)), (262, 3, (2,)), (278, 3, (_SIDE,)))
    planes = tuple(np.ascontiguousarray(colours[..., channel]).tobytes() for channel in range(3))
    yield "planar RGB", _tiff(*common, (_BITS, 3, (8, 8, 8)), (_SAMPLES, 3, (3,)), (284, 3, (2,)), strips=planes)
    deep = (colours.astype("<u2") * 257).tobytes()
    yield "16-bit RGB", _tiff(*common, (_BITS, 3, (16, 16, 16)), (_SAMPLES, 3, (3,)), strips=(deep,))
    layers = np.dstack([colours, colours[..., :1]]).tobytes()
    eight = (_BITS, 3, (8, 8, 8, 8)), (_SAMPLES, 3, (4,))
    yield "premultiplied RGBA", _tiff(*common, *eight, (338, 3, (1,)), strips=(layers,))
    yield "RGB with a further channel", _tiff(*common, *eight, (338, 3, (0,)), strips=(layers,))
    inverted = [each for each in common if each[0] != 262] + [(262, 3, (0,))]
    yield "grey, white is 0", _tiff(*inverted, (_BITS, 3, (8,)), (_SAMPLES, 3, (1,)), strips=(planes[0],))
    twice = np.repeat(colours[..., 0], 2).tobytes()
    yield (
        "16-bit grey, white is 0",
        _tiff(*inverted, (_BITS, 3, (16,)), (_SAMPLES, 3, (1,)), strips=(twice,)),
    )
    stream = BytesIO()
    Image.fromarray(colours).save(stream, "TIFF", compression="jpeg")
    yield "JPEG inside", stream.getvalue()
    stream = BytesIO()
    frame = Image.fromarray(colours)
    frame.save(stream, "TIFF", save_all=True, append_images=[frame])
    yield "two pages", stream.getvalue()


def _further_files() -> Iterator[tuple[str, str, bytes]]:
    """Ways of coding that are to be found again."""
    colours, clear = Image.fromarray(_colours()), _modes()["RGBA, colours under zero alpha"]
    further: tuple[tuple[str, str, Image.Image, dict[str, object]], ...] = (
        ("RGB, progressive", "JPEG", colours, {"progressive": True, "quality": 60}),
        ("RGB, not subsampled", "JPEG", colours, {"subsampling": 0}),
        ("RGB, stored as RGB", "JPEG", colours, {"keep_rgb": True}),
        ("two pictures (MPO)", "JPEG", colours, {"format": "MPO", "save_all": True, "append_images": [colours]}),
        ("RGB, lossy", "WEBP", colours, {"quality": 70}),
        ("RGBA, lossy", "WEBP", clear, {"quality": 70, "exact": True}),
        ("BigTIFF", "TIFF", colours, {"big_tiff": True}),
        ("two frames", "PNG", colours, {"save_all": True, "append_images": [clear.convert("RGB").rotate(90)]}),
    )
    for mode, form, image, options in further:
        stream = BytesIO()
        image.save(stream, **{"format": form, **options})  # type: ignore[arg-type]
        yield mode, form, stream.getvalue()
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(13))), (b"IEND", b""))
    deep = (
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in chunks
    )
    yield "16-bit RGB", "PNG", b"\x89PNG\r\n\x1a\n" + b"".join(deep)


def files() -> Iterator[tuple[str, str, bytes]]:
    """Mode, container and file, of everything that can be written."""
    for mode, image in _modes().items():
        for form in MIMES:
            stream = BytesIO()
            options = {"lossless": True, "exact": True} if form == "WEBP" else {}
            try:
                image.save(stream, form, **options)
            except (OSError, ValueError):
                continue
            with Image.open(BytesIO(stream.getvalue())) as written:
                if written.mode == image.mode or {written.mode, image.mode} <= {"P", "PA", "I;16", "I"}:
                    yield mode, form, stream.getvalue()
    yield from _further_files()
    for mode, data in _further_tiffs():
        yield mode, "TIFF", data


def outcome(data: bytes, form: str) -> str:
    """What becomes of a file that is written again, in its own container, with the same pixels."""
    try:
        wanted = repainted(data, "it", _SUFFIXES[form], lambda pixels: pixels)
    except AssayError as error:
        return f"refused: {str(error).removeprefix('it: ')}. {error.hint}"
    require_same(wanted.data, wanted, "it")
    with Image.open(BytesIO(data)) as before, Image.open(BytesIO(wanted.data)) as after:
        if before.mode == after.mode:
            is_equal = np.array_equal(np.asarray(before), np.asarray(after))
            return "kept, every value" if is_equal else "kept, coded again as before"
        equal = np.array_equal(np.asarray(before.convert("RGBA")), np.asarray(after.convert("RGBA")))
        return f"becomes {after.mode}, every colour kept" if equal else f"becomes {after.mode}"


def round_trip_table() -> str:
    """The table of `docs/round-trip.md`."""
    rows = ["| picture | container | |", "| --- | --- | --- |"]
    rows += [f"| {mode} | {form} | {outcome(data, form)} |" for mode, form, data in files()]
    return "\n".join(rows)
