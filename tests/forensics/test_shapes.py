"""Declared AI, read from whole files: one row a shape, and friends of the same words that must not count."""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image

from assay.formats import FORMATS
from assay.rules.ai import AI_SIGNALS
from assay.vocabulary import Claim, Observation, Settings
from forensics.generators import DIALECTS
from tests.forensics import metadata_files as files
from tests.forensics.conftest import exhibit_of
from tests.forensics.metadata_files import A1111, element, examine, listed, observations, packet, values
from tests.forensics.shapes import EASY, FOOOCUS, GRAPH, ONE_LINE, ROWS, SPACE, Row, user_comment


def _claimed(data: bytes) -> set[str]:
    """The signals that say something of how the picture was made, without those of a camera."""
    notes = (each for each in examine(data) if isinstance(each, Observation))
    return {note.signal for note in notes if note.claim in (Claim.GENERATED, Claim.EDITED)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.program}: {row.form}")
def test_every_shape_is_declared_generated(row: Row) -> None:
    found = observations(row.file)
    note = found[row.signal]
    assert note.claim is Claim.GENERATED
    assert row.signal in AI_SIGNALS
    assert "camera" not in found
    assert not any(each.contradiction for each in found.values())
    assert not any("no settings" in each.summary for each in found.values())
    prompts = [each.value for each in found["prompt"].details if each.name == "Prompt"] if "prompt" in found else []
    assert bool(prompts) == bool(row.prompt)
    assert not prompts or prompts[0].startswith(row.prompt)


def test_every_program_of_the_table_has_a_row() -> None:
    programs = " ".join(row.program for row in ROWS)
    assert [each.program for each in DIALECTS if each.program not in programs] == []


# --- every place that can carry it ------------------------------------------------------------------------------------

CONTENTS = {
    "a1111-parameters": A1111,
    "comfyui-workflow": json.dumps(GRAPH),
    "generator-settings": json.dumps(SPACE),
}


def _in_user_comment(text: bytes) -> bytes:
    return files.exif({}, exif={files.USER_COMMENT: text})


BLOCKS: dict[str, Callable[[str], bytes]] = {
    "UserComment, UNICODE, big": lambda text: _in_user_comment(b"UNICODE\0" + text.encode("utf-16-be")),
    "UserComment, UNICODE, little": lambda text: _in_user_comment(b"UNICODE\0" + text.encode("utf-16-le")),
    "UserComment, UNICODE, byte-order mark": lambda text: _in_user_comment(b"UNICODE\0" + text.encode("utf-16")),
    "UserComment, UNICODE, UTF-8": lambda text: _in_user_comment(b"UNICODE\0" + text.encode()),
    "UserComment, unicode in small letters": lambda text: _in_user_comment(b"Unicode\0" + text.encode("utf-16-be")),
    "UserComment, ASCII": lambda text: _in_user_comment(b"ASCII\0\0\0" + text.encode()),
    "UserComment, JIS": lambda text: _in_user_comment(b"JIS\0\0\0\0\0" + text.encode("iso2022_jp")),
    "UserComment, undefined": lambda text: _in_user_comment(bytes(8) + text.encode()),
    "UserComment, undefined, UTF-16": lambda text: _in_user_comment(bytes(8) + text.encode("utf-16-le")),
    "UserComment, no code": lambda text: _in_user_comment(text.encode()),
    "UserComment, no code, UTF-16": lambda text: _in_user_comment(text.encode("utf-16-be")),
    "UserComment in the main directory": lambda text: files.exif({files.USER_COMMENT: text}),
    "ImageDescription": lambda text: files.exif({files.DESCRIPTION: text}),
    "XPComment": lambda text: files.exif({ExifTags.Base.XPComment: text.encode("utf-16-le") + b"\0\0"}),
    "XPTitle": lambda text: files.exif({ExifTags.Base.XPTitle: text.encode("utf-16-le") + b"\0\0"}),
}
EXIF_FORMATS: dict[str, Callable[[bytes], bytes]] = {
    "JPEG": lambda block: files.save("JPEG", exif=block),
    "PNG": lambda block: files.save("PNG", exif=block),
    "WEBP": lambda block: files.save("WEBP", exif=block),
    "AVIF": lambda block: files.save("AVIF", exif=block),
    "HEIF": lambda block: _by_plugin("HEIF", exif=block),
    "JXL": lambda block: _with_offset(_by_plugin("JXL", exif=block)),
}


def _by_plugin(format_name: str, **options: Any) -> bytes:
    FORMATS[format_name].register("a file")
    stream = BytesIO()
    files.picture((64, 64)).save(stream, format_name, **options)
    return stream.getvalue()


def _with_offset(jxl: bytes) -> bytes:
    """The EXIF box as the standard has it, behind the offset of the TIFF header (ISO 18181-2, section 9.5)."""
    at = jxl.index(b"Exif") - 4
    size = int.from_bytes(jxl[at : at + 4], "big") + 4
    return jxl[:at] + size.to_bytes(4, "big") + b"Exif" + bytes(4) + jxl[at + 8 :]


@pytest.mark.parametrize("signal", CONTENTS)
@pytest.mark.parametrize("block", BLOCKS)
def test_exif_is_read_in_every_code(signal: str, block: str) -> None:
    found = observations(files.save("JPEG", exif=BLOCKS[block](CONTENTS[signal])))
    assert found[signal].claim is Claim.GENERATED
    assert values(found["prompt"])["Prompt"].startswith("a lighthouse")


@pytest.mark.parametrize("signal", CONTENTS)
@pytest.mark.parametrize("format_name", EXIF_FORMATS)
def test_exif_is_read_in_every_format(settings: Settings, signal: str, format_name: str) -> None:
    from forensics.metadata import Metadata

    data = EXIF_FORMATS[format_name](user_comment(CONTENTS[signal]))
    notes = Metadata(settings).examine(exhibit_of(data, "a file"))
    claims = {note.signal: note.claim for note in notes if isinstance(note, Observation)}
    assert claims[signal] is Claim.GENERATED


PROPERTIES: dict[str, Callable[[str], str]] = {
    "exif:UserComment": lambda text: listed("exif:UserComment", text, kind="Alt"),
    "dc:description": lambda text: listed("dc:description", text, kind="Alt"),
    "dc:title": lambda text: listed("dc:title", text, kind="Alt"),
}


@pytest.mark.parametrize("signal", CONTENTS)
@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_xmp_is_read(signal: str, name: str, format_name: str) -> None:
    data = packet(PROPERTIES[name](CONTENTS[signal]))
    if format_name == "PNG":
        file = files.png({"XML:com.adobe.xmp": data.decode()})
    else:
        file = files.save(format_name, xmp=data)
    assert signal in _claimed(file)


@pytest.mark.parametrize("signal", CONTENTS)
@pytest.mark.parametrize("place", ["tEXt", "zTXt", "iTXt", "JPEG comment", "GIF comment", "IIM", "TIFF", "TIFF XMP"])
def test_texts_of_the_containers_are_read(signal: str, place: str) -> None:
    text = CONTENTS[signal]
    file = {
        "tEXt": lambda: files.png({"anything": text}),
        "zTXt": lambda: files.png({"anything": text}, compressed=True),
        "iTXt": lambda: files.png({"anything": text.replace("fog", "霧")}),
        "JPEG comment": lambda: files.save("JPEG", comment=text.encode()),
        "GIF comment": lambda: files.save("GIF", comment=text.encode()),
        "IIM": lambda: files.with_iim(files.save("JPEG"), (2, 120, text.encode())),
        "TIFF": lambda: files.save("TIFF", tiffinfo={files.DESCRIPTION: text}),
        "TIFF XMP": lambda: files.save("TIFF", tiffinfo={700: packet(element("exif:UserComment", text))}),
    }[place]()
    assert signal in _claimed(file)


# --- false friends ----------------------------------------------------------------------------------------------------

ARTICLE = (
    "How DALL-E 3, Midjourney v6 and Stable Diffusion changed the trade of illustrators. Steps: 3 things to know. "
    "Read our guide to prompts, seeds and samplers."
)
FRIENDS: dict[str, bytes] = {
    "an article as the description": files.save("JPEG", exif=files.exif({files.DESCRIPTION: ARTICLE})),
    "an article in XMP": files.save("JPEG", xmp=packet(listed("dc:description", ARTICLE, kind="Alt"))),
    "an article as the caption": files.with_iim(files.save("JPEG"), (2, 120, ARTICLE.encode())),
    "an article in PNG text": files.png({"Description": ARTICLE, "Title": "Made with Midjourney?"}),
    "an article as the comment": files.save("JPEG", comment=ARTICLE.encode()),
    "a title": files.save("JPEG", xmp=packet(listed("dc:title", "Firefly in the garden", kind="Alt"))),
    "keywords": files.save("JPEG", xmp=packet(listed("dc:subject", "Midjourney", "DALL-E 3", "ComfyUI", kind="Bag"))),
    "not made with it": files.save("JPEG", exif=files.exif({files.DESCRIPTION: "Not made with Midjourney."})),
    "a creator who says no": files.save("JPEG", exif=files.exif({files.ARTIST: "Not made with Midjourney"})),
    "a photographer named Flux": files.save("JPEG", exif=files.exif({files.ARTIST: "Flux"})),
    "Flux Studio": files.save("JPEG", xmp=packet(listed("dc:creator", "Flux Pro Photography"))),
    "a Leonardo": files.save("JPEG", exif=files.exif({files.ARTIST: "Leonardo"})),
    "painted by a Leonardo": files.png({"Author": "Painted by Leonardo da Vinci"}),
    "Gemini Studios": files.save("JPEG", xmp=packet(listed("dc:creator", "Gemini Studios"))),
    "imagen, the Spanish word": files.png({"Author": "Imagen", "Source": "Imagen de archivo"}),
    "Imagen, which retouches photographs": files.save("JPEG", exif=files.exif({files.SOFTWARE: "Imagen AI"})),
    "a photographer who uses it": files.save("JPEG", exif=files.exif({files.ARTIST: "Jane Doe, author of DALL-E Art"})),
    "a company's credit line": files.save("JPEG", xmp=packet(photoshop_Credit="OpenAI")),
    "another company's": files.with_iim(files.save("JPEG"), (2, 110, b"Midjourney"), (2, 115, b"Google AI")),
    "a photographer of a company": files.save("JPEG", exif=files.exif({files.ARTIST: "OpenAI"})),
    "created by a company": files.save("JPEG", xmp=packet(photoshop_Credit="Created by Recraft")),
    "an editor": files.save("JPEG", exif=files.exif({files.SOFTWARE: "Adobe Photoshop 26.2 (Macintosh)"})),
    "a plug-in": files.save("JPEG", exif=files.exif({files.SOFTWARE: "Midjourney plug-in for Photoshop"})),
    "a detector": files.save("JPEG", exif=files.exif({files.SOFTWARE: "Stable Diffusion detector 2"})),
    "a camera": files.save("JPEG", exif=files.exif({files.MAKE: "Canon", files.MODEL: "Canon EOS R5"})),
    "a camera named Firefly": files.save("JPEG", exif=files.exif({files.MAKE: "Firefly", files.MODEL: "8SE"})),
    "f.lux": files.png({"Software": "f.lux 4.1"}),
    "a simulation": files.png({"seed": "1", "steps": "1000", "model": "ising", "size": "64", "scale": "0.5"}),
    "a plot of a training run": files.png({"metadata": '{"model": "resnet", "steps": 900, "seed": 1, "lr": 0.1}'}),
    "an alt text by a model": files.png({"Comment": '{"prompt": "Describe this photograph", "model": "gpt-4o"}'}),
    "a chat": files.png({"Comment": '{"prompt": "Hello", "model": "llama", "seed": 1}'}),
    "JSON of an editor": files.save("JPEG", exif=user_comment('{"layers": {"1": {"type": "text"}}, "version": "3"}')),
    "a recipe": files.save("JPEG", comment=b"Prompt: cook\nSteps: first chop\nScale: for four\nSeed: of sesame"),
    "words under the names of settings": files.png(
        {"prompt": "for the actors", "steps": "up the stairs", "seed": "corn", "scale": "large"}
    ),
    "steps in a caption": files.save("JPEG", comment=b"Follow these Steps: 3, then turn left, Seed: buy some"),
    "a game's settings": files.png({"Comment": '{"seed": 77, "steps": 12, "scale": 2, "size": "64x64"}'}),
}


@pytest.mark.parametrize("friend", FRIENDS)
def test_false_friends_declare_nothing(friend: str) -> None:
    assert _claimed(FRIENDS[friend]) == set()


def test_a_camera_beside_a_generator_is_still_a_contradiction() -> None:
    data = files.save("JPEG", exif=files.exif({files.MAKE: "Canon", files.SOFTWARE: "Midjourney v6"}))
    assert observations(data)["camera-and-generator"].contradiction


@pytest.mark.parametrize("make", ["Black Forest Labs", "Black Forest Labs & mindone", "OpenAI", "Qwen", "Midjourney"])
def test_a_generator_as_the_maker_is_no_camera(make: str) -> None:
    xmp = packet(Iptc4xmpExt_DigitalSourceType="trainedAlgorithmicMedia")
    found = observations(files.save("JPEG", exif=files.exif({files.MAKE: make, files.MODEL: "flux.1-pro"}), xmp=xmp))
    assert "camera" not in found
    assert not any(note.contradiction for note in found.values())
    assert found["digital-source-type"].claim is Claim.GENERATED


CASES = {
    "c09-stealth-novelai-alpha.png": ("novelai", "a lighthouse"),
    "c09b-stealth-a1111-alpha-plain.png": ("a1111-parameters", "a lighthouse"),
    "c10-flux-writer.jpg": ("flux", "a lighthouse"),
    "c10b-flux-writer-and-dst.jpg": ("flux", ""),
    "c11-fooocus.jpg": ("generator-settings", "a lighthouse"),
    "c12-comfy-usercomment.jpg": ("comfyui-workflow", "a lighthouse"),
    "c13-a1111-single-line.jpg": ("a1111-parameters", "a lighthouse"),
    "c14-easydiffusion.png": ("generator-settings", "a lighthouse"),
    "c14b-mold.png": ("generator-settings", "a cat"),
    "c15-software-stable-diffusion.png": ("generator-named", ""),
    "c15b-creator-dalle.png": ("openai", ""),
    "c34-comfy-save-image-extended.jpg": ("comfyui-workflow", "a lighthouse"),
    "c35-hf-space-json.png": ("generator-settings", "a lighthouse"),
}


@pytest.mark.parametrize("name", CASES)
def test_files_that_were_once_misread(shared: Path, name: str) -> None:
    signal, prompt = CASES[name]
    found = observations((shared.parent / "cases" / "files" / name).read_bytes())
    assert found[signal].claim is Claim.GENERATED
    assert "camera" not in found
    assert not any(note.contradiction for note in found.values())
    assert (values(found["prompt"])["Prompt"].startswith(prompt) if prompt else "prompt" not in found) is True


def test_the_pictures_of_the_rows_can_be_opened() -> None:
    for row in ROWS:
        with Image.open(BytesIO(row.file)) as image:
            image.load()


def test_settings_that_stand_twice_are_reported_once() -> None:
    data = files.png({"parameters": A1111, "Comment": ONE_LINE, "a": json.dumps(EASY), "b": json.dumps(FOOOCUS)})
    signals = [note.signal for note in examine(data) if isinstance(note, Observation)]
    assert sorted(signals) == ["a1111-parameters", "generator-settings", "prompt"]
