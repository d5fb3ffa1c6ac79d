"""Settings that generators write beside the picture: one table of the programs, and a reader for each kind of shape."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.vocabulary import Claim, Observation
from forensics.bags import Bag, Contents, read_contents
from forensics.fields import Field, Fields, Source
from forensics.names import OTHER, names, self_declared
from forensics.notes import CAVEAT, detail, observe, prompt
from forensics.settings import GeneratorSettings, from_bag, from_text, plain_text

_DETAILS = ("Model", "Steps", "Sampler", "CFG scale", "Seed", "Size", "Version")
_MAX_PROMPTS = 4
_PARAMETERS = "parameters"


def generators(fields: Fields) -> Iterator[Observation]:
    """Return what generators declare in texts of their own, once for each signal, and what only looks like it."""
    contents = read_contents(fields)
    notes = [note for read in (named_values, a1111, dream, comfyui) for note in read(contents)]
    notes += flux(fields)
    known = {note.signal for note in notes if note.claim is not None or note.signal == "comfyui-workflow"}
    notes += _unread(fields, is_read=bool(known))
    notes += names(fields, known, also=_stated_software(contents))
    seen = set[tuple[str, Claim | None]]()
    for note in notes:
        if note.signal == "prompt" or (note.signal, note.claim) not in seen:
            seen.add((note.signal, note.claim))
            yield note


def _stated_software(contents: Contents) -> tuple[Field, ...]:
    """The software that JSON in a field names, under the place of that field."""
    stated = ((bag.field, bag.values.get(key)) for bag in contents.bags for key in ("software", "generator"))
    return tuple(
        Field(source=field.source, name=field.name, value=value) for field, value in stated if isinstance(value, str)
    )


# --- a line of settings ----------------------------------------------------------------------------------------------


def a1111(contents: Contents) -> Iterator[Observation]:
    """Settings in the style of AUTOMATIC1111's web interface, which many others write too."""
    for field in contents.texts:
        if (settings := from_text(field.value)) is not None:
            yield observe(
                "a1111-parameters",
                Claim.GENERATED,
                f"The {field.place} declares Stable Diffusion settings (A1111 style). {CAVEAT}",
                [detail(name, value) for name, value in settings.values.items()],
            )
            yield from prompt(settings.positive, negative=settings.negative)
            return


_DREAM = re.compile(r"(?=.* -s ?\d+)(?=.* -S ?\d+)", re.DOTALL)
_DREAM_KEYS = ("Dream", "NMKDiffusion")


def dream(contents: Contents) -> Iterator[Observation]:
    """The command line that the first InvokeAI and NMKD's interface keep."""
    for field in contents.texts:
        if field.source in (Source.PNG, Source.HIDDEN) and field.name in _DREAM_KEYS and _DREAM.match(field.value):
            yield observe(
                "invokeai",
                Claim.GENERATED,
                f"The {field.place} holds the command line of InvokeAI or a program built on it. {CAVEAT}",
                [detail("Command", field.value)],
            )
            yield from prompt(field.value)
            return


# --- named values: JSON, one text block a value, lines of names and values -------------------------------------------

Test = Callable[[Bag, GeneratorSettings], bool]
_INVOKE_KEYS = frozenset({"invokeai", "invokeai_metadata", "invokeai_graph", "invokeai_workflow", "sd-metadata"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one program names its settings."""

    program: str
    signal: str
    is_spoken: Test
    source: str
    """Where the form is documented, or the program that writes it."""


def _has(*keys: str, least: int = 2) -> Test:
    """All of these keys, and at least so many settings or prompts."""
    return lambda bag, settings: set(keys) <= bag.values.keys() and _parts(settings) >= least


def _says(key: str, pattern: str) -> Test:
    """A value that begins like this."""
    compiled = re.compile(pattern, re.IGNORECASE)
    return lambda bag, _: isinstance(value := bag.values.get(key), str) and compiled.match(value) is not None


def _prefixed(prefix: str) -> Test:
    return lambda bag, settings: bag.prefix == prefix and _parts(settings) > 1


def _under(*names: str, least: int = 0) -> Test:
    return lambda bag, settings: bag.name in names and _parts(settings) >= least


def _any(*tests: Test) -> Test:
    return lambda bag, settings: any(test(bag, settings) for test in tests)


def _parts(settings: GeneratorSettings) -> int:
    return len(settings.values) + bool(settings.positive) + bool(settings.negative)


def _is_in_parameters(bag: Bag, settings: GeneratorSettings) -> bool:
    """A prompt and one setting suffice in a field that only generators' interfaces have."""
    return bag.field.name == _PARAMETERS and bool(settings.positive) and bool(settings.values.keys() - {"Version"})


GENERATOR_SETTINGS = "generator-settings"
DIALECTS: tuple[Dialect, ...] = (
    Dialect(
        program="NovelAI",
        signal="novelai",
        is_spoken=_has("signedhash", "steps", "seed"),
        source="novelai.net",
    ),
    Dialect(
        program="InvokeAI",
        signal="invokeai",
        is_spoken=_any(_under(*_INVOKE_KEYS), _has("generationmode", "appversion"), _says("appid", "invoke-ai/")),
        source="github.com/invoke-ai/InvokeAI",
    ),
    Dialect(
        program="SwarmUI",
        signal=GENERATOR_SETTINGS,
        is_spoken=_under("sui_image_params", least=1),
        source="github.com/mcmonkeyprojects/SwarmUI, docs/Image Metadata Format.md",
    ),
    Dialect(
        program="RuinedFooocus",
        signal=GENERATOR_SETTINGS,
        is_spoken=_says("software", "ruined ?fooocus"),
        source="github.com/runew0lf/RuinedFooocus",
    ),
    Dialect(
        program="Fooocus",
        signal=GENERATOR_SETTINGS,
        is_spoken=_any(
            _says("version", "fooocus"),
            _says("software", "fooocus"),
            _has("metadatascheme"),
            _has("basemodel", "prompt"),
        ),
        source="github.com/lllyasviel/Fooocus, modules/meta_parser.py",
    ),
    Dialect(
        program="stable_diffusion.openvino",
        signal=GENERATOR_SETTINGS,
        is_spoken=_prefixed("stable_diffusion_"),
        source="github.com/bes-dev/stable_diffusion.openvino",
    ),
    Dialect(
        program="Easy Diffusion",
        signal=GENERATOR_SETTINGS,
        is_spoken=_any(_has("usestablediffusionmodel"), _has("stablediffusionmodel")),
        source="github.com/easydiffusion/easydiffusion, ui/easydiffusion/utils/save_utils.py",
    ),
    Dialect(
        program="stable-diffusion.cpp",
        signal=GENERATOR_SETTINGS,
        is_spoken=_says("schema", r"sdcpp\.image\.params"),
        source="github.com/leejet/stable-diffusion.cpp, examples/common/common.cpp",
    ),
    Dialect(
        program="mold",
        signal=GENERATOR_SETTINGS,
        is_spoken=_any(_prefixed("mold:"), _under("mold:parameters", least=2)),
        source="github.com/utensils/mold",
    ),
    Dialect(
        program="Draw Things",
        signal=GENERATOR_SETTINGS,
        is_spoken=_has("c", "uc", least=3),
        source="drawthings.ai",
    ),
    Dialect(
        program="a picture generator",
        signal=GENERATOR_SETTINGS,
        is_spoken=_any(_is_in_parameters, lambda _, settings: settings.is_enough),
        source="spaces on huggingface.co and other interfaces, by what the values mean",
    ),
)
"""The first that fits counts, and one a file."""


def named_values(contents: Contents) -> Iterator[Observation]:
    """Settings as named values, in the dialect of whichever program."""
    read = [(bag, from_bag(bag)) for bag in contents.bags if bag.values]
    spoken = ((dialect, [each for each in read if dialect.is_spoken(*each)]) for dialect in DIALECTS)
    dialect, found = next(((dialect, found) for dialect, found in spoken if found), (None, []))
    if dialect is None:
        return
    bag, settings = max(found, key=lambda each: _parts(each[1]))
    yield observe(
        dialect.signal,
        Claim.GENERATED,
        f"Settings of {dialect.program} stand in the {bag.place}. {CAVEAT}",
        [
            *(detail(name, settings.values.get(name, "")) for name in _DETAILS),
            detail("Signed settings", "present, not checked" if "signedhash" in bag.values else ""),
        ],
    )
    yield from prompt(settings.positive or _described(contents, bag), negative=settings.negative)


def _described(contents: Contents, bag: Bag) -> str:
    """NovelAI keeps the prompt as the description, beside settings that hold only what is unwanted."""
    texts = (each.value for each in contents.texts if each.name == "Description")
    return next(texts, "") if "uc" in bag.values else ""


# --- ComfyUI ----------------------------------------------------------------------------------------------------------

# Nodes without which a workflow only scales, crops or saves what it was given.
_GENERATIVE = re.compile(
    r"(?<!re)sampler|checkpoint|unet|diffus|inpaint|dall|text.?to.?image|txt2img|img2img|gpt.?image|flux.*image|"
    r"gemini.*image|ideogram|recraft|seedream|stability.*image|qwen.?image.*(?:sampl|generat)|nano.?banana",
    re.IGNORECASE,
)


def comfyui(contents: Contents) -> Iterator[Observation]:
    """A graph of nodes, wherever ComfyUI and the nodes that save pictures put it."""
    if not contents.graphs:
        return
    nodes: dict[str, None] = {}
    texts: dict[str, None] = {}
    for graph in contents.graphs:
        for name, inputs in graph.nodes:
            nodes[name] = None
            if name.startswith("CLIPTextEncode") and (text := plain_text(inputs.get("text"))):
                texts[text] = None
    is_generative = any(_GENERATIVE.search(name) for name in nodes)
    words = "" if is_generative else " without a node that generates"
    yield observe(
        "comfyui-workflow",
        Claim.GENERATED if is_generative else None,
        f"The {contents.graphs[0].field.place} holds a ComfyUI workflow{words}. {CAVEAT}",
        [detail("Nodes", ", ".join(nodes))],
    )
    yield from prompt(*list(texts)[:_MAX_PROMPTS])


# --- the code that is published with models ---------------------------------------------------------------------------


def flux(fields: Fields) -> Iterator[Observation]:
    """What the code that Black Forest Labs publishes with FLUX writes as EXIF, and code for other models after it."""
    if (field := self_declared(fields)) is None:
        return
    yield observe(
        "flux" if "flux" in field.value.lower() else OTHER,
        Claim.GENERATED,
        f"The {field.place} says that the picture was generated, as the code published with FLUX writes it. {CAVEAT}",
        [
            detail("As written", field.value),
            detail("Maker", fields.first(Source.EXIF, "Make")),
            detail("Model", fields.first(Source.EXIF, "Model")),
        ],
    )
    yield from prompt(fields.first(Source.EXIF, "ImageDescription"))


# --- what has the look of settings, and is not read -------------------------------------------------------------------


def _unread(fields: Fields, *, is_read: bool) -> Iterator[Observation]:
    for field in fields.of(Source.PNG, _PARAMETERS)[:1]:
        if field.value and not is_read:
            yield _unknown("a1111-parameters", field, "is named like those of Stable Diffusion interfaces")
    for field in fields.everything(Source.HIDDEN)[:1]:
        if not field.value or not is_read:
            yield _unknown("hidden-text", field, "begins like that of generators' interfaces")


def _unknown(signal: str, field: Field, words: str) -> Observation:
    return observe(
        signal,
        None,
        f"The {field.place} {words}, but no settings could be read from it.",
        [detail("Text", field.value), detail("Kind", field.name if field.source is Source.HIDDEN else "")],
    )
