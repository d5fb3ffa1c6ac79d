"""Settings that open-source generators write beside the picture."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from assay.vocabulary import Claim, Observation
from forensics.fields import Field, Fields, Source
from forensics.notes import CAVEAT, detail, observe, prompt

_MAX_SETTINGS = 20_000
_MIN_SETTINGS = 3
_STEPS = re.compile(r"(?:^|\n)[ \t]*Steps: ?(?=\d+[ ]*,)")
_SETTINGS = (
    "Steps",
    "Sampler",
    "Schedule type",
    "CFG scale",
    "Distilled CFG Scale",
    "Seed",
    "Size",
    "Model",
    "Version",
)
_SETTINGS_SET = frozenset((*_SETTINGS, "Model hash", "Denoising strength"))
_NEGATIVE = "Negative prompt:"
_PARAMETERS = "parameters"
_SWARM = "sui_image_params"
_SWARM_NAMES = {"model": "Model", "seed": "Seed", "steps": "Steps", "cfgscale": "CFG scale", "sampler": "Sampler"}
_FOOOCUS_NAMES = {"base_model": "Model", "seed": "Seed", "steps": "Steps", "guidance_scale": "CFG scale"}
_FOOOCUS_NAMES |= {"sampler": "Sampler", "version": "Version"}

# Nodes without which a workflow only scales, crops or saves what it was given.
_GENERATIVE = re.compile(
    r"(?<!re)sampler|checkpoint|unet|diffus|inpaint|dall|text.?to.?image|txt2img|img2img", re.IGNORECASE
)
_MAX_NODES = 5_000
_MAX_PROMPTS = 4

_NOVELAI = re.compile(r"NovelAI\b")
_INVOKE = re.compile(r"invoke ?ai\b", re.IGNORECASE)
_INVOKE_KEYS = ("invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata")
_DREAM = re.compile(r"(?=.* -s ?\d+)(?=.* -S ?\d+)", re.DOTALL)


# --- A1111, Forge, SwarmUI, Fooocus -----------------------------------------------------------------------------------


def a1111(fields: Fields) -> Iterator[Observation]:
    """Settings in the style of AUTOMATIC1111's web interface, which Forge and many others write too."""
    for field in fields.free_texts:
        settings, positive, negative = _parse_settings(fields, field)
        if settings:
            yield observe(
                "a1111-parameters",
                Claim.GENERATED,
                f"The {field.place} declares Stable Diffusion settings (A1111 style). {CAVEAT}",
                [detail(name, settings.get(name, "")) for name in _SETTINGS],
            )
            yield from prompt(positive, negative=negative)
        elif field.source is Source.PNG and field.name == _PARAMETERS and field.value:
            yield observe(
                "a1111-parameters",
                None,
                f"The {field.place} is named like those of Stable Diffusion interfaces, but holds no settings.",
                [detail("Text", field.value)],
            )


def _parse_settings(fields: Fields, field: Field) -> tuple[Mapping[str, str], str, str]:
    """Settings, prompt and negative prompt; all empty where the text does not have the shape of any interface."""
    if (settings := fields.json(field.value)) is not None:
        return _parse_json_settings(field, settings)
    starts = [match.start() for match in _STEPS.finditer(field.value)] if "Steps:" in field.value else []
    if not starts:
        return {}, "", ""
    line = field.value[starts[-1] :][:_MAX_SETTINGS].strip().partition("\n")[0]
    pairs = (part.partition(": ") for part in line.split(", "))
    found = {name.strip(): value.strip(" ,") for name, _, value in pairs if name.strip() in _SETTINGS_SET}
    if len(found) < _MIN_SETTINGS:
        return {}, "", ""
    positive, _, negative = field.value[: starts[-1]].partition(_NEGATIVE)
    return found, positive, negative


def _parse_json_settings(field: Field, settings: Mapping[str, Any]) -> tuple[Mapping[str, str], str, str]:
    swarm = settings.get(_SWARM)
    if isinstance(swarm, dict):
        return _renamed(swarm, _SWARM_NAMES), _text(swarm.get("prompt")), _text(swarm.get("negativeprompt"))
    if field.name == _PARAMETERS and {"base_model", "prompt"} <= settings.keys():  # Fooocus
        return _renamed(settings, _FOOOCUS_NAMES), _text(settings["prompt"]), _text(settings.get("negative_prompt"))
    return {}, "", ""


def _renamed(settings: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, str]:
    return {new: _text(settings[old]) for old, new in names.items() if old in settings}


def _text(value: Any) -> str:
    """A string or number as text; nothing for what is nested, however deeply."""
    return str(value) if isinstance(value, str | int | float) else ""


# --- ComfyUI ----------------------------------------------------------------------------------------------------------


def comfyui(fields: Fields) -> Iterator[Observation]:
    """A graph of nodes, as ComfyUI saves it: in PNG text, or in WebP in the EXIF fields for the camera."""
    places: list[Field] = []
    nodes: dict[str, None] = {}
    texts: list[str] = []
    for field in (*fields.free_texts, *fields.of(Source.EXIF, "Make", "Model")):
        graph = fields.json(graph_text(field.value))
        for name, inputs in _nodes(graph or {}):
            nodes[name] = None
            places.append(field)
            text = _text(inputs.get("text"))
            texts += [text] if name.startswith("CLIPTextEncode") and text not in texts else []
    if not nodes:
        return
    is_generative = any(_GENERATIVE.search(name) for name in nodes)
    words = "" if is_generative else " without a node that generates"
    yield observe(
        "comfyui-workflow",
        Claim.GENERATED if is_generative else None,
        f"The {places[0].place} holds a ComfyUI workflow{words}. {CAVEAT}",
        [detail("Nodes", ", ".join(nodes))],
    )
    yield from prompt(*texts[:_MAX_PROMPTS])


def graph_text(value: str) -> str:
    """The JSON of a graph, without the name that ComfyUI puts before it in EXIF fields."""
    for name in ("prompt:", "workflow:", "Prompt:", "Workflow:"):
        if value.startswith(name):
            return value.removeprefix(name)
    return value


def _nodes(graph: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Class and inputs of every node: of an API graph (`class_type`), or of a drawn one (`nodes` and `links`)."""
    drawn = graph.get("nodes") if "links" in graph or "last_node_id" in graph else None
    nodes, key = (drawn, "type") if isinstance(drawn, list) else (list(graph.values()), "class_type")
    for node in nodes[:_MAX_NODES]:
        if isinstance(node, dict) and isinstance(node.get(key), str):
            inputs = node.get("inputs")
            yield node[key], inputs if isinstance(inputs, dict) else {}


# --- NovelAI, InvokeAI ------------------------------------------------------------------------------------------------


def novelai(fields: Fields) -> Iterator[Observation]:
    """NovelAI names itself and signs its settings; its mark in the alpha channel is not read here."""
    texts = {field.name: field.value for field in reversed(fields.everything(Source.PNG))}
    wrapped = fields.json(fields.first(Source.EXIF, "UserComment")) or {}
    texts |= {
        name: _text(wrapped[name]) for name in ("Software", "Source", "Comment", "Description") if name in wrapped
    }
    settings = fields.json(texts.get("Comment", "")) or {}
    names = (*(field.value for field in fields.software), texts.get("Software", ""), texts.get("Source", ""))
    is_named = any(_NOVELAI.match(name) for name in names)
    is_signed = "signed_hash" in settings and {"steps", "seed"} <= settings.keys()
    if not is_named and not is_signed:
        return
    yield observe(
        "novelai",
        Claim.GENERATED,
        f"The text fields name NovelAI as the generator. {CAVEAT}",
        [
            detail("Source", texts.get("Source", "")),
            *(detail(name.capitalize(), _text(settings.get(name))) for name in ("steps", "sampler", "seed")),
            detail("Signed settings", "present, not checked" if is_signed else ""),
        ],
    )
    yield from prompt(_text(settings.get("prompt")) or texts.get("Description", ""), negative=_text(settings.get("uc")))


def invokeai(fields: Fields) -> Iterator[Observation]:
    """InvokeAI's metadata, graph, and the older forms `sd-metadata` and `Dream`."""
    blocks = [field for field in fields.of(Source.PNG, *_INVOKE_KEYS) if fields.json(field.value)]
    dreams = [field for field in fields.of(Source.PNG, "Dream") if _DREAM.match(field.value)]
    named = [field for field in fields.software if _INVOKE.match(field.value)]
    if not (blocks or dreams or named):
        return
    settings = next((fields.json(field.value) for field in blocks), None) or {}
    inner = settings.get("image", settings)
    settings = {**settings, **inner} if isinstance(inner, dict) else settings
    model = settings.get("model")
    name = (
        model.get("model_name", model.get("name")) if isinstance(model, dict) else settings.get("model_weights", model)
    )
    yield observe(
        "invokeai",
        Claim.GENERATED,
        f"The {(blocks + dreams + named)[0].place} names InvokeAI as the generator. {CAVEAT}",
        [
            detail("Model", _text(name)),
            *(detail(key.capitalize(), _text(settings.get(key))) for key in ("steps", "scheduler", "seed")),
            detail("Version", _text(settings.get("app_version"))),
        ],
    )
    positive = _text(settings.get("positive_prompt")) or next((field.value for field in dreams), "")
    yield from prompt(positive, negative=_text(settings.get("negative_prompt")))
