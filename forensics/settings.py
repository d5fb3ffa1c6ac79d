"""The settings of a generator, by whatever name a program knows them: in a line of text, or as named values."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.bags import Bag

_MAX_SETTINGS = 20_000
_MAX_PROMPT = 20_000
_MAX_STARTS = 50
_MIN_SETTINGS, _MIN_IN_A_LINE = 3, 4
_ENOUGH_POINTS, _ENOUGH_ROLES = 4, 3
_STRONG = 2
_STEPS = re.compile(r"Steps: ?(?=\d+[ ]*,)")
_NEGATIVE = re.compile(r"Negative prompt:")
_QUOTES = ('"', "“", "„", "«", "‘", "'", "`")
_COPY = ", SDCPP: {"
"""Where stable-diffusion.cpp repeats it all as JSON, the prompt with it."""
_NUMBER = re.compile(r"[+-]?\d{1,24}(?:\.\d{0,24})?(?:e[+-]?\d{1,3})?", re.IGNORECASE)
_INTEGER = re.compile(r"-?\d{1,24}(?:\.0+)?")
_MAX_MODEL = 200
_MAKES_PICTURES = re.compile(
    r"(?<![^\W_])(?:flux[._ -]?[12]|flux-(?:dev|schnell)|sdxl|sd[_-]?(?:xl|v?[123])|stable[_ -]?diffusion|dall-?e|"
    r"gpt-image|imagen-?\d|ideogram|recraft|qwen-image|seedream|hunyuan-?dit|kolors|pixart|playground-v\d|midjourney|kandinsky)",
    re.IGNORECASE,
)
_A1111 = (
    "Steps",
    "Sampler",
    "Schedule type",
    "CFG scale",
    "Distilled CFG Scale",
    "Guidance Scale",
    "Seed",
    "Size",
    "Model",
    "Version",
)
_A1111_SET = frozenset((*_A1111, "Model hash", "Denoising strength", "Strength", "Seed Mode"))


@dataclass(frozen=True, slots=True, kw_only=True)
class GeneratorSettings:
    """What was read: settings by their common name, as text, and the prompts."""

    values: Mapping[str, str]
    positive: str = ""
    negative: str = ""
    is_enough: bool = False
    """Whether they are settings of a picture generator, going by nothing but themselves."""


# --- a line of text ---------------------------------------------------------------------------------------------------


def from_text(text: str) -> GeneratorSettings | None:
    """Read the block that AUTOMATIC1111's interface writes, and Forge, stable-diffusion.cpp, Draw Things and others.

    It ends in a line `Steps: 20, Sampler: …`; programs that pass it on remove the line breaks, so it may also stand
    behind a prompt, where one setting more is asked for.
    """
    text = text.partition(_COPY)[0]
    found = (_block(text, at) for at in _starts(text))  # the last block counts: prompts may speak of steps, too
    return next((each for each in found if each is not None), None)


def _starts(text: str) -> Iterator[int]:
    """Where settings may begin, the last place first, and not many of them."""
    at = len(text)
    for _ in range(_MAX_STARTS):
        at = text.rfind("Steps:", 0, at)
        if at < 0:
            return
        if _STEPS.match(text, at):
            yield at


def _block(text: str, start: int) -> GeneratorSettings | None:
    """The settings that begin at a place, with the prompts before them."""
    if text[max(0, start - 1) : start] in _QUOTES:  # a caption that quotes settings declares none
        return None
    before = text[max(0, start - _MAX_PROMPT) : start].rstrip(" \t")
    line = text[start : start + _MAX_SETTINGS].strip().partition("\n")[0]
    pairs = (part.partition(": ") for part in line.split(", "))
    found = {name.strip(): value.strip(" ,") for name, _, value in pairs if name.strip() in _A1111_SET}
    if len(found) < (_MIN_SETTINGS if not before or before.endswith("\n") else _MIN_IN_A_LINE):
        return None
    positive, _, negative = _two(_NEGATIVE, before)
    values = {name: found[name] for name in _A1111 if found.get(name)}
    return GeneratorSettings(values=values, positive=positive.strip(), negative=negative.strip(), is_enough=True)


def _two(pattern: re.Pattern[str], text: str) -> tuple[str, str, str]:
    match = pattern.search(text)
    return (text, "", "") if match is None else (text[: match.start()], match[0], text[match.end() :])


# --- named values -----------------------------------------------------------------------------------------------------


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip()) and not value.startswith("{")


def _is_note(value: Any) -> bool:
    return value is None or isinstance(value, str)


def _is_prompt(value: Any) -> bool:
    return _is_text(value) or (isinstance(value, list) and bool(prompt_text(value)))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | str) and _NUMBER.fullmatch(str(value)) is not None


def _is_integer(value: Any) -> bool:
    return isinstance(value, int | float | str) and _INTEGER.fullmatch(str(value)) is not None


def _is_model(value: Any) -> bool:
    return bool(plain_text(value))


def _is_stated(value: Any) -> bool:
    return isinstance(value, str | int | float | list) and value not in ("", [])


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One thing that a generator is told."""

    name: str
    keys: Mapping[str, int]
    """Plain keys, and how much each says by itself: 2 where hardly anything but a picture generator uses it."""
    fits: Callable[[Any], bool]


ROLES: tuple[Role, ...] = (
    Role(
        name="Model",
        keys=dict.fromkeys(
            ("model", "modelname", "basemodel", "basemodelname", "modelid", "modelweights", "modelhash", "checkpoint"),
            1,
        )
        | dict.fromkeys(("ckpt", "ckptname", "sdmodel"), 1)
        | {"usestablediffusionmodel": 3, "stablediffusionmodel": 3},
        fits=_is_model,
    ),
    Role(
        name="Steps",
        keys={"numinferencesteps": 2, "inferencesteps": 2, "samplingsteps": 2, "steps": 1, "numsteps": 1},
        fits=_is_number,
    ),
    Role(
        name="Sampler",
        keys=dict.fromkeys(("sampler", "samplername", "samplingmethod", "scheduler", "schedulertype"), 1),
        fits=_is_text,
    ),
    Role(
        name="CFG scale",
        keys={"cfgscale": 2, "guidancescale": 2, "truecfgscale": 2, "distilledcfgscale": 2}
        | dict.fromkeys(("cfg", "guidance", "scale"), 1),
        fits=_is_number,
    ),
    Role(name="Seed", keys=dict.fromkeys(("seed", "noiseseed"), 1), fits=_is_integer),
    Role(name="Size", keys=dict.fromkeys(("size", "resolution", "width", "aspectratio"), 1), fits=_is_stated),
    Role(name="Strength", keys={"denoisingstrength": 2, "denoise": 1, "strength": 1}, fits=_is_number),
    Role(
        name="LoRA", keys=dict.fromkeys(("loras", "lora", "uselora", "loramodel", "useloramodel"), 1), fits=_is_stated
    ),
    Role(name="Version", keys=dict.fromkeys(("version", "appversion", "swarmversion"), 0), fits=_is_text),
)
_PROMPT = Role(
    name="Prompt",
    keys=dict.fromkeys(("prompt", "positiveprompt", "fullprompt", "positive", "textprompt", "c"), 1),
    fits=_is_prompt,
)
_NEGATIVE_PROMPT = Role(
    name="Negative prompt",
    keys={"negativeprompt": 2, "negativeprompts": 2, "fullnegativeprompt": 2, "uc": 2, "negative": 1},
    fits=_is_note,
)


def from_bag(bag: Bag) -> GeneratorSettings:
    """Read the settings among named values.

    They are enough where they count four points, play three parts, and one of these is a prompt or the guidance of a
    diffusion model: words such as *seed*, *steps* and *model* alone stand in the files of simulations, too. A model
    that is known to make pictures counts twice more, and a prompt beside it suffices.
    """
    points, values, strong = 0, dict[str, str](), False
    for role in ROLES:
        if (key := _key(role, bag)) is not None:
            points += role.keys[key]
            strong = strong or (role.name == "CFG scale" and role.keys[key] >= _STRONG)
            values[role.name] = plain_text(bag.values[key])
    positive, negative = _key(_PROMPT, bag), _key(_NEGATIVE_PROMPT, bag)
    points += (_PROMPT.keys[positive] if positive else 0) + (_NEGATIVE_PROMPT.keys[negative] if negative else 0)
    makes_pictures = _MAKES_PICTURES.search(values.get("Model", "")[:_MAX_MODEL]) is not None
    points += _STRONG * makes_pictures
    parts = len(values.keys() - {"Version"}) + bool(positive) + bool(negative) + makes_pictures
    has_words = positive is not None or negative is not None or strong
    return GeneratorSettings(
        values=values,
        positive=prompt_text(bag.values[positive]) if positive else "",
        negative=prompt_text(bag.values[negative]) if negative else "",
        is_enough=points >= _ENOUGH_POINTS and parts >= _ENOUGH_ROLES and has_words,
    )


def _key(role: Role, bag: Bag) -> str | None:
    """The most telling key of a role that the bag has, with a value that fits."""
    found = [key for key in role.keys if key in bag.values and role.fits(bag.values[key])]
    return max(found, key=lambda key: role.keys[key], default=None)


def plain_text(value: Any) -> str:
    """A string or number as text, or the name of what has one; nothing for all else, however deeply nested."""
    if isinstance(value, dict):
        value = value.get("model_name", value.get("name"))
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def prompt_text(value: Any) -> str:
    """A prompt that is a text, or a list of texts with their weights."""
    if isinstance(value, list):
        parts = (each.get("prompt") if isinstance(each, dict) else each for each in value[:_MIN_IN_A_LINE])
        return "; ".join(each for each in parts if isinstance(each, str))
    return value if isinstance(value, str) else ""
