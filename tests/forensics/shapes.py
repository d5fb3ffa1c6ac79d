"""Every shape in which a file declares AI and Assay reads it: one row a shape, each a file that is examined.

`make docs` draws the table of `docs/metadata.md` from these rows.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from PIL import Image

from forensics.names import CHECKED, NAMES
from tests.forensics import metadata_files as files
from tests.forensics.metadata_files import A1111, element, listed, packet

ONE_LINE = (
    "a lighthouse in fog.Negative prompt: people.Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, "
    "Seed: 12345, Size: 512x512, Model hash: abcdef1234, Model: someModel_v1, Version: v1.10.1"
)
SD_CPP = (
    "a lighthouse in fog\nSteps: 30, CFG scale: 5.000000, Guidance: 3.500000, Eta: 0.000000, Seed: 197583933, "
    "Size: 512x512, Model: v1-5.safetensors, RNG: cuda, Sampler: dpm++2mv2 karras, Version: stable-diffusion.cpp"
)
SD_CPP_JSON = {
    "schema": "sdcpp.image.params/v1",
    "generator": {"name": "stable-diffusion.cpp", "version": "1.0.0"},
    "seed": 1375127038,
    "width": 512,
    "prompt": {"positive": "a lighthouse in fog", "negative": "Steps: 3, Seed: 4, Size: 5x5"},
    "sampling": {"steps": 30, "method": "dpm++2mv2", "guidance": {"txt_cfg": 5}},
    "models": {"model": "v1-5.safetensors"},
}
GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 5, "model": ["4", 0]}},
    "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "sd.safetensors"}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a lighthouse in fog", "clip": ["4", 1]}},
}
DRAWN = {"last_node_id": 3, "nodes": [{"id": 3, "type": "KSampler", "inputs": []}], "links": []}
SUBGRAPH = {
    "nodes": [{"id": 1, "type": "7f0c8a52-6c1e-4a5e-9d55-2f8d4c7f1a11"}],
    "links": [],
    "definitions": {"subgraphs": [{"id": "7f0c8a52-6c1e-4a5e-9d55-2f8d4c7f1a11", "nodes": [{"type": "KSampler"}]}]},
}
FOOOCUS = {
    "prompt": "a lighthouse in fog",
    "negative_prompt": "",
    "base_model": "juggernautXL",
    "steps": 30,
    "guidance_scale": 4,
    "seed": "99",
    "sampler": "dpmpp_2m_sde_gpu",
    "metadata_scheme": "fooocus",
    "version": "Fooocus v2.5.0",
}
RUINED = {
    "Prompt": "a lighthouse in fog",
    "Negative": "",
    "steps": 24,
    "cfg": 4.5,
    "seed": 7,
    "sampler_name": "dpmpp_2m",
    "base_model_name": "juggernaut.safetensors",
    "software": "RuinedFooocus",
}
SWARM = {"sui_image_params": {"prompt": "a lighthouse in fog", "model": "flux", "seed": 7, "steps": 20, "cfgscale": 1}}
EASY = {
    "prompt": "a lighthouse in fog",
    "seed": "1",
    "use_stable_diffusion_model": "sd-v1-4",
    "sampler_name": "euler_a",
    "num_inference_steps": "25",
    "guidance_scale": "7.5",
    "negative_prompt": "",
}
EASY_WORDS = {
    "Prompt": "a lighthouse in fog",
    "Seed": "1",
    "Stable Diffusion model": "sd-v1-4",
    "Sampler": "euler_a",
    "Steps": "25",
    "Guidance Scale": "7.5",
    "Negative Prompt": "",
}
MOLD = {
    "mold:prompt": "a lighthouse in fog",
    "mold:model": "flux-schnell:q8",
    "mold:seed": "42",
    "mold:steps": "4",
    "mold:version": "0.1.0",
}
MOLD_JSON = {"prompt": "a lighthouse in fog", "model": "flux-schnell:q8", "seed": 42, "steps": 4, "version": "0.1.0"}
OPENVINO = {
    "stable_diffusion_prompt": "a lighthouse in fog",
    "stable_diffusion_model": "bes-dev/stable-diffusion-v1-4-openvino",
    "stable_diffusion_num_inference_steps": "32",
    "stable_diffusion_guidance_scale": "7.5",
    "stable_diffusion_seed": "7",
}
DRAW_THINGS = {"c": "a lighthouse in fog", "uc": "people", "model": "flux_1.ckpt", "seed": 1, "steps": 4, "scale": 4.5}
NOVELAI = {
    "steps": 28,
    "sampler": "k_euler",
    "seed": 1,
    "scale": 5,
    "prompt": "a lighthouse in fog",
    "uc": "people",
    "signed_hash": "q==",
}
OLD_NOVELAI = {"steps": 28, "sampler": "plms", "seed": 1, "strength": 0.69, "noise": 0.667, "scale": 12, "uc": "people"}
INVOKE = {
    "positive_prompt": "a lighthouse in fog",
    "negative_prompt": "blur",
    "generation_mode": "txt2img",
    "seed": 3,
    "steps": 35,
    "scheduler": "euler",
    "model": {"model_name": "xl"},
    "app_version": "5.0.0",
}
SD_METADATA = {
    "model_weights": "deliberate",
    "app_id": "invoke-ai/InvokeAI",
    "app_version": "2.3.0",
    "image": {"prompt": [{"prompt": "a lighthouse in fog", "weight": 1.0}], "steps": 50, "seed": 29},
}
DREAM = '"a lighthouse in fog" -s 50 -S 2980747362 -W 512 -H 768 -C 5 -A k_lms'
SPACE = {
    "prompt": "a lighthouse in fog",
    "negative_prompt": "blurry",
    "resolution": "1024 x 1024",
    "guidance_scale": 5.5,
    "num_inference_steps": 24,
    "seed": 1,
    "sampler": "Euler a",
    "Model": "example-xl",
    "use_lora": None,
}
GRADIO = {"prompt": "a lighthouse in fog", "seed": 42, "width": 1024, "height": 1024, "num_inference_steps": 4}
LINES = "prompt: a lighthouse in fog\nseed: 42\nsteps: 4\nguidance: 3.5"
LABEL = {"Label": "1", "ContentProducer": "001191110102MACQD9K64010000", "ProduceID": "cc75f5e9"}
UUID = "4800156b-8880-4786-9056-7ca3da449d8c"
SIGNATURE = "Signature: " + "Ab9/" * 30 + "s="


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One shape."""

    program: str
    form: str
    file: bytes
    signal: str
    prompt: str = "a lighthouse in fog"
    """What must be found of it; empty where the shape holds none."""
    source: str = ""
    """Where the form is documented, or the program that writes it."""


def user_comment(text: str, code: str = "utf-16-be") -> bytes:
    return files.exif({}, exif={files.USER_COMMENT: b"UNICODE\0" + text.encode(code)})


def with_bits(image: Image.Image, text: bytes, signature: bytes, bands: str) -> Image.Image:
    """The picture with a text in the lowest bits, column by column, set pixel by pixel."""
    message = signature + (8 * len(text)).to_bytes(4, "big") + text
    bits = iter([byte >> at & 1 for byte in message for at in range(7, -1, -1)])
    image = image.convert("RGBA" if bands == "A" else "RGB")
    pixels: Any = image.load()
    for x in range(image.width):
        for y in range(image.height):
            values = list(pixels[x, y])
            for at in (3,) if bands == "A" else (0, 1, 2):
                if (bit := next(bits, None)) is None:
                    pixels[x, y] = tuple(values)
                    return image
                values[at] = values[at] & 0xFE | bit
            pixels[x, y] = tuple(values)
    raise AssertionError("the text is longer than the picture")


def hidden(text: str, signature: str, format_name: str = "PNG", **options: Any) -> bytes:
    """A file with hidden text; the signature says in which bits, and whether it is packed."""
    raw = text.encode()
    packed = gzip.compress(raw, mtime=0) if signature.endswith("comp") else raw
    image = files.picture((160, 140))
    bands = "A" if "png" in signature else "RGB"
    return files.save(format_name, with_bits(image, packed, signature.encode(), bands), **options)


def _novelai_hidden() -> str:
    return json.dumps({"Software": "NovelAI", "Description": "a lighthouse in fog", "Comment": json.dumps(NOVELAI)})


def _flux(software: str, model: str, make: str = "Black Forest Labs", **more: Any) -> bytes:
    tags = {files.SOFTWARE: software, files.MAKE: make, files.MODEL: model}
    tags |= {files.DESCRIPTION: "a lighthouse in fog"} if more.get("prompted") else {}
    return files.save("JPEG", exif=files.exif(tags))


def _a1111_rows() -> Iterator[Row]:
    settings, github = "a1111-parameters", "github.com/AUTOMATIC1111/stable-diffusion-webui"
    for form, text in (("a block of lines", A1111), ("the block on one line", ONE_LINE)):
        yield Row(
            program="AUTOMATIC1111, Forge, SD.Next and others",
            form=f"{form} in EXIF `UserComment`",
            file=files.save("JPEG", exif=user_comment(text)),
            signal=settings,
            source=github,
        )
    yield Row(
        program="AUTOMATIC1111, Forge, SD.Next and others",
        form="a block of lines in PNG text `parameters`",
        file=files.png({"parameters": A1111}),
        signal=settings,
        source=github,
    )
    yield Row(
        program="stable-diffusion.cpp",
        form="a block of lines in PNG text `parameters`",
        file=files.png({"parameters": SD_CPP}),
        signal=settings,
        source="github.com/leejet/stable-diffusion.cpp",
    )
    yield Row(
        program="stable-diffusion.cpp",
        form="the same, with a copy as JSON behind it",
        file=files.png({"parameters": f"{SD_CPP}, SDCPP: {json.dumps(SD_CPP_JSON)}"}),
        signal=settings,
        source="github.com/leejet/stable-diffusion.cpp",
    )


def _stealth_rows() -> Iterator[Row]:
    source = "github.com/ashen-sensored/sd_webui_stealth_pnginfo"
    for signature in ("stealth_pnginfo", "stealth_pngcomp", "stealth_rgbinfo", "stealth_rgbcomp"):
        for format_name, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
            yield Row(
                program="AUTOMATIC1111 with hidden text",
                form=f"`{signature}` in the lowest bits, {format_name}",
                file=hidden(A1111, signature, format_name, **options),
                signal="a1111-parameters",
                source=source,
            )
    yield Row(
        program="NovelAI",
        form="`stealth_pngcomp` in the lowest bits of the alpha channel",
        file=hidden(_novelai_hidden(), "stealth_pngcomp"),
        signal="novelai",
        source="github.com/NovelAI/novelai-image-metadata",
    )


def _comfy_rows() -> Iterator[Row]:
    graph, drawn = json.dumps(GRAPH), json.dumps(DRAWN)
    both = json.dumps({"prompt": GRAPH, "workflow": DRAWN})
    quoted = json.dumps({"prompt": graph, "workflow": drawn})
    exif = files.exif
    forms: tuple[tuple[str, bytes, bool], ...] = (
        ("PNG text `prompt`", files.png({"prompt": graph}), True),
        ("PNG text `workflow`", files.png({"workflow": drawn}), False),
        ("PNG text `workflow` with its nodes in a subgraph", files.png({"workflow": json.dumps(SUBGRAPH)}), False),
        ("`prompt:{…}` in EXIF `Model`, WebP", files.save("WEBP", exif=exif({files.MODEL: "prompt:" + graph})), True),
        (
            "`workflow:{…}` in EXIF `Make`, WebP",
            files.save("WEBP", exif=exif({files.MAKE: "workflow:" + drawn})),
            False,
        ),
        ("`Prompt: {…}` in EXIF `Make`, AVIF", files.save("AVIF", exif=exif({files.MAKE: "Prompt: " + graph})), True),
        (
            "`Workflow: {…}` in EXIF `ImageDescription`",
            files.save("JPEG", exif=exif({files.DESCRIPTION: "Workflow: " + drawn})),
            False,
        ),
        ("the graph in EXIF `UserComment`", files.save("JPEG", exif=user_comment(graph)), True),
        (
            "`prompt` and `workflow` in one object in EXIF `UserComment`",
            files.save("JPEG", exif=user_comment(both)),
            True,
        ),
        ("the same, each as a quoted text", files.save("JPEG", exif=user_comment(quoted)), True),
        ("a comment, JPEG", files.save("JPEG", comment=b"prompt:" + graph.encode()), True),
        ("a comment, GIF", files.save("GIF", comment=graph.encode()), True),
        ("XMP `exif:UserComment`", files.save("JPEG", xmp=packet(element("exif:UserComment", graph))), True),
        ("a property of its own in XMP", files.save("JPEG", xmp=packet(element("xmp:workflow", drawn))), False),
    )
    for form, file, has_prompt in forms:
        yield Row(
            program="ComfyUI and nodes that save pictures",
            form=form,
            file=file,
            signal="comfyui-workflow",
            prompt="a lighthouse in fog" if has_prompt else "",
            source="github.com/comfyanonymous/ComfyUI, github.com/audioscavenger/save-image-extended-comfyui",
        )


def _json_rows() -> Iterator[Row]:
    """Named values: the program, how they stand, the file, where the program is."""
    xmp = packet(
        element("xmp:CreatorTool", "Draw Things") + listed("exif:UserComment", json.dumps(DRAW_THINGS), kind="Alt")
    )
    openvino_exif = files.exif({files.SOFTWARE: "stable_diffusion.openvino", files.DESCRIPTION: json.dumps(OPENVINO)})
    text, comment, github = "PNG text `parameters`", "EXIF `UserComment`", "github.com/"
    forms: tuple[tuple[str, str, bytes, str], ...] = (
        ("Fooocus", f"JSON in {text}", files.png({"parameters": json.dumps(FOOOCUS)}), f"{github}lllyasviel/Fooocus"),
        (
            "Fooocus",
            f"JSON in {comment}, JPEG",
            files.save("JPEG", exif=files.exif({files.USER_COMMENT: json.dumps(FOOOCUS)})),
            f"{github}lllyasviel/Fooocus",
        ),
        (
            "Fooocus",
            f"JSON in {comment}, WebP",
            files.save("WEBP", exif=user_comment(json.dumps(FOOOCUS))),
            f"{github}lllyasviel/Fooocus",
        ),
        (
            "RuinedFooocus",
            f"JSON in {text}",
            files.png({"parameters": json.dumps(RUINED)}),
            f"{github}runew0lf/RuinedFooocus",
        ),
        (
            "SwarmUI",
            f"JSON in {text}",
            files.png({"parameters": json.dumps(SWARM)}),
            f"{github}mcmonkeyprojects/SwarmUI",
        ),
        (
            "SwarmUI",
            f"JSON in {comment}",
            files.save("JPEG", exif=user_comment(json.dumps(SWARM))),
            f"{github}mcmonkeyprojects/SwarmUI",
        ),
        ("Easy Diffusion", "one PNG text a setting", files.png(EASY), f"{github}easydiffusion/easydiffusion"),
        (
            "Easy Diffusion",
            "one PNG text a setting, named in words",
            files.png(EASY_WORDS),
            f"{github}easydiffusion/easydiffusion",
        ),
        (
            "Easy Diffusion",
            f"JSON in {comment}",
            files.save("WEBP", exif=user_comment(json.dumps(EASY))),
            f"{github}easydiffusion/easydiffusion",
        ),
        ("mold", "one PNG text a setting, `mold:…`", files.png(MOLD), f"{github}utensils/mold"),
        (
            "mold",
            "`mold:parameters {…}` in a comment, JPEG",
            files.save("JPEG", comment=b"mold:parameters " + json.dumps(MOLD_JSON).encode()),
            f"{github}utensils/mold",
        ),
        (
            "mold",
            "`mold:parameters {…}` in a comment, GIF",
            files.save("GIF", comment=b"mold:parameters " + json.dumps(MOLD_JSON).encode()),
            f"{github}utensils/mold",
        ),
        (
            "stable_diffusion.openvino",
            "one PNG text a setting, `stable_diffusion_…`",
            files.png(OPENVINO),
            f"{github}bes-dev/stable_diffusion.openvino",
        ),
        (
            "stable_diffusion.openvino",
            "JSON in EXIF `ImageDescription`",
            files.save("JPEG", exif=openvino_exif),
            f"{github}bes-dev/stable_diffusion.openvino",
        ),
        (
            "stable-diffusion.cpp",
            f"JSON in {comment}",
            files.save("WEBP", exif=user_comment(json.dumps(SD_CPP_JSON))),
            f"{github}leejet/stable-diffusion.cpp",
        ),
        ("Draw Things", "JSON in XMP `exif:UserComment`", files.save("JPEG", xmp=xmp), "drawthings.ai"),
        (
            "Other programs (*a picture generator*)",
            f"JSON in {text}",
            files.png({"parameters": json.dumps(SPACE)}),
            "spaces on huggingface.co",
        ),
        (
            "Other programs (*a picture generator*)",
            f"JSON in {comment}",
            files.save("JPEG", exif=user_comment(json.dumps(GRADIO))),
            "spaces on huggingface.co",
        ),
        (
            "Other programs (*a picture generator*)",
            f"lines of names and values in {comment}",
            files.save("JPEG", exif=user_comment(LINES)),
            "spaces on huggingface.co",
        ),
    )
    for program, form, file, source in forms:
        yield Row(program=program, form=form, file=file, signal="generator-settings", source=source)


def _own_rows() -> Iterator[Row]:
    """Programs with a signal of their own."""
    wrapped = json.dumps({"Software": "NovelAI", "Comment": json.dumps(NOVELAI)})
    described = {
        "Software": "NovelAI",
        "Description": "a lighthouse in fog",
        "Comment": json.dumps(OLD_NOVELAI),
    }
    forms: tuple[tuple[str, str, str, bytes, str, str], ...] = (
        (
            "NovelAI",
            "novelai",
            "JSON in PNG text `Comment`",
            files.png({"Comment": json.dumps(NOVELAI)}),
            "",
            "novelai.net",
        ),
        (
            "NovelAI",
            "novelai",
            "JSON in EXIF `UserComment`, WebP",
            files.save("WEBP", exif=user_comment(wrapped)),
            "",
            "novelai.net",
        ),
        ("NovelAI", "novelai", "PNG text `Software`, `Description`", files.png(described), "", "novelai.net"),
        (
            "InvokeAI from 3.0",
            "invokeai",
            "JSON in PNG text `invokeai_metadata`",
            files.png({"invokeai_metadata": json.dumps(INVOKE)}),
            "",
            "github.com/invoke-ai/InvokeAI",
        ),
        (
            "InvokeAI from 3.0",
            "invokeai",
            "JSON of the same form elsewhere",
            files.save("JPEG", exif=user_comment(json.dumps(INVOKE))),
            "",
            "github.com/invoke-ai/InvokeAI",
        ),
        (
            "InvokeAI from 3.0",
            "invokeai",
            "PNG text `invokeai_graph`, `invokeai_workflow`",
            files.png({"invokeai_graph": '{"nodes": {}}', "invokeai_workflow": '{"nodes": [], "edges": []}'}),
            "-",
            "github.com/invoke-ai/InvokeAI",
        ),
        (
            "InvokeAI 2",
            "invokeai",
            "JSON in PNG text `sd-metadata`",
            files.png({"sd-metadata": json.dumps(SD_METADATA), "Dream": DREAM}),
            "",
            "github.com/invoke-ai/InvokeAI",
        ),
        (
            "InvokeAI 1, NMKD",
            "invokeai",
            "a command line in PNG text `Dream`",
            files.png({"Dream": DREAM}),
            '"a lighthouse in fog"',
            "github.com/invoke-ai/InvokeAI",
        ),
        (
            "FLUX, the published code",
            "flux",
            "EXIF `Software` *AI generated;txt2img;flux*, `Make`, `Model`",
            _flux("AI generated;txt2img;flux", "flux-schnell", prompted=True),
            "",
            "github.com/black-forest-labs/flux",
        ),
        (
            "FLUX.2, the published code",
            "flux",
            "EXIF `Software` *AI generated;flux2*, `Make`",
            files.save("PNG", exif=files.exif({files.SOFTWARE: "AI generated;flux2", files.MAKE: "Black Forest Labs"})),
            "-",
            "github.com/black-forest-labs/flux2",
        ),
        (
            "Code that follows FLUX's",
            "generator-named",
            "EXIF `Software` *AI generated;…*",
            _flux("AI generated;t2i;qwen", "qwen-image", make="Qwen", prompted=True),
            "",
            "github.com/QwenLM/Qwen-Image",
        ),
        (
            "Midjourney",
            "midjourney",
            "a description with options and *Job ID: …*",
            files.png({"Description": f"a lighthouse in fog --ar 4:3 --v 5.2 Job ID: {UUID}"}),
            "",
            "midjourney.com",
        ),
        (
            "Services in China",
            "tc260-aigc",
            "the label `AIGC` in XMP, PNG text, EXIF or a comment",
            files.png({"AIGC": json.dumps(LABEL)}),
            "-",
            "GB 45438-2025",
        ),
        (
            "Grok",
            "xai-grok",
            "a signature as EXIF `ImageDescription`, a UUID as `Artist`",
            files.save("JPEG", exif=files.exif({files.DESCRIPTION: SIGNATURE, files.ARTIST: UUID})),
            "-",
            "x.ai",
        ),
        (
            "Hugging Face jobs",
            "hugging-face-job",
            "PNG text `hf-job-id`",
            files.png({"hf-job-id": UUID}),
            "-",
            "huggingface.co",
        ),
    )
    for program, signal, form, file, prompt, source in forms:
        wanted = "" if prompt == "-" else prompt or "a lighthouse in fog"
        yield Row(program=program, signal=signal, form=form, file=file, prompt=wanted, source=source)


ROWS: tuple[Row, ...] = (
    *_a1111_rows(),
    *_stealth_rows(),
    *_comfy_rows(),
    *_json_rows(),
    *_own_rows(),
)


def shapes_table() -> str:
    """The table of `docs/metadata.md`: a line a program and signal, with every form that a row holds."""
    lines = ["| program | declared in | signal | where the form is from |", "| --- | --- | --- | --- |"]
    grouped: dict[tuple[str, str, str], list[str]] = {}
    for row in ROWS:
        grouped.setdefault((row.program, row.signal, row.source), []).append(row.form)
    for (program, signal, source), forms in grouped.items():
        lines.append(f"| {program} | {'; '.join(forms)} | `{signal}` | {source} |")
    return "\n".join(lines)


def names_table() -> str:
    """The other table: every name, since when it is public, where its maker uses it."""
    lines = [
        f"| named as software or creator ({CHECKED}) | public since | signal | its maker's page |",
        "| --- | --- | --- | --- |",
    ]
    lines += [f"| {each.name} | {each.since} | `{each.signal}` | {each.source} |" for each in NAMES]
    return "\n".join(lines)
