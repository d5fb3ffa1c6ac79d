"""The names of generators: one table, and the fields in which such a name is a declaration.

A name counts in a field that is there to name the software, and in one that names the creator or the source if the
field holds nothing else. A caption, a title or a keyword that mentions one is nothing, and so is the credit line of a
company, which stands under its photographs, too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from assay.vocabulary import Claim, Observation
from forensics.fields import Field, Fields, Source
from forensics.notes import CAVEAT, detail, observe

CHECKED = "2026-11"
"""Year and month in which the table was last gone through."""
_MAX_LENGTH, _MAX_FIELDS = 200, 200
_TOOLS = (
    r"(?!.*\b(?:plug-?ins?|detectors?|removers?|viewers?|readers?|exporters?|uploaders?|converters?|bridge|cameras?|"
    r"glasses|(?:photo ?)?booths?|browsers?|resizers?|upscalers?|captioners?|taggers?|alt[- ]text)\b)"
)
_ENDS = r"(?![^\W\d_])"  # no letter follows
_MADE = (
    r"(?:(?:ai|ki|ia)[- ]?)?(?:made|created|generated|produced|rendered|drawn|painted|generiert|erstellt|erzeugt|"
    r"généré[es]*|créé[es]*|generad[oa]|cread[oa]|hech[oa]|generat[oa]|creat[oa])"
)
_GENERATED = r"(?:(?:ai|ki|ia)[- ]?)?(?:generated|generiert|généré[es]*|generad[oa]|generat[oa])"
_EDITED = r"(?:edited|retouched|enhanced)"
_WITH = r"\s+(?:with|by|using|in|via|mit|von|durch|avec|par|con|por|da)\s+"
_SUBJECT = r"(?:(?:this\s+)?(?:image|picture|photo|illustration|artwork|art|bild|foto)[\s:]+)?(?:was\s+)?"
_VERSION = r"[\s,:/_.-]*(?:v(?:ersion)?\.?\s?)?\d[\w.-]*"
_TAIL = (
    rf"(?:{_VERSION}|\s*\([^()]{{1,40}}\)|\s*\[[^\[\]]{{1,20}}\]|[\s-]+(?:xl|turbo|large|medium|hd|dev|pro|schnell|max|"
    r"ultra|flash|nano|mini|preview|beta|ai|app|bot|model|image|generator|diffusion|web\s?ui)\b|,?\s+by\s+[\w. ]{1,30})"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One generator."""

    signal: str
    name: str
    pattern: str
    """How its name is written, as a regular expression that ignores case."""
    alone: str = ""
    """Names that are also words, people or companies: they count in fields for software and for make and model."""
    is_house: bool = False
    """A company has that name, too, so that a credit line has to say more than the name."""
    claim: Claim | None = Claim.GENERATED
    yields_to: str = ""
    """A signal that says more exactly what the program did."""
    since: int
    """Year in which it was first open to the public."""
    source: str
    """Where its maker uses the name."""


def _name(
    signal: str,
    name: str,
    since: int,
    source: str,
    pattern: str,
    *,
    alone: str = "",
    is_house: bool = False,
    claim: Claim | None = Claim.GENERATED,
    yields_to: str = "",
) -> Name:
    return Name(
        signal=signal,
        name=name,
        pattern=pattern,
        alone=alone,
        is_house=is_house,
        claim=claim,
        yields_to=yields_to,
        since=since,
        source=source,
    )


OTHER = "generator-named"
"""The signal of generators without one of their own."""

NAMES: tuple[Name, ...] = (
    _name(
        "openai",
        "an image generator of OpenAI",
        2021,
        "openai.com",
        r"dall(?:[-‐‑–·•. ?]e|-?e[ -]?[23])(?!\W?mini)|gpt-image|chatgpt image",
        alone="dalle|openai|chatgpt|gpt-?4o",
    ),
    _name("openai", "OpenAI Sora", 2024, "openai.com/sora", r"openai sora|sora[ -]2"),
    _name("firefly", "Adobe Firefly", 2023, "firefly.adobe.com", r"adobe[ _]firefly"),
    _name(
        "google-ai",
        "Google AI",
        2022,
        "deepmind.google",
        r"google (?:gemini|imagen|ai)|gemini[ -](?:\d[\d.]*[ -])?(?:flash|pro|ultra|nano|image)|nano[ -]?banana",
        alone=r"imagen[ -]\d",
        is_house=True,
    ),
    _name(
        "bing",
        "Bing Image Creator",
        2023,
        "bing.com/create",
        r"(?:microsoft )?bing image creator|image creator from (?:microsoft )?(?:bing|designer)",
    ),
    _name(
        "bing",
        "Microsoft Designer, which also lays out what it is given",
        2022,
        "designer.microsoft.com",
        r"microsoft designer",
        claim=None,
    ),
    _name("midjourney", "Midjourney", 2022, "midjourney.com", r"midjourney|niji[ -]?journey", is_house=True),
    _name("novelai", "NovelAI", 2022, "novelai.net", r"novelai(?: diffusion)?", is_house=True),
    _name("invokeai", "InvokeAI", 2022, "github.com/invoke-ai/InvokeAI", r"invoke[ -]?ai(?:/invokeai)?"),
    _name(OTHER, "ComfyUI", 2023, "github.com/comfyanonymous/ComfyUI", r"comfy ?ui", yields_to="comfyui-workflow"),
    _name(
        "flux",
        "FLUX of Black Forest Labs",
        2024,
        "github.com/black-forest-labs/flux",
        r"(?:black forest labs )?flux(?:\.[12]|[ -.]?(?:[12][ -.]?)?\[?(?:dev|schnell|kontext|klein|krea)\b"
        r"|[ -.]?[12](?:\.\d)?[ -.]?\[?(?:pro|flex|max|ultra)\b)",
        alone="black forest labs",
    ),
    _name(
        "xai-grok",
        "Grok of xAI",
        2023,
        "x.ai",
        r"grok[ -](?:imagine|\d)|xai grok|grok \(xai\)",
        alone="grok",
    ),
    _name(
        OTHER,
        "Stable Diffusion",
        2022,
        "stability.ai",
        r"stable[ _-]?diffusion(?:[._-]openvino)?|sdxl|sd ?web ?ui|automatic ?1111|sd\.next|stable image core",
        alone="stability ai|stable cascade|dreamstudio",
    ),
    _name(
        OTHER,
        "Fooocus or a program made from it",
        2023,
        "github.com/lllyasviel/Fooocus",
        r"(?:ruined ?)?fooocus(?:[ -]?(?:mre|plus))?",
    ),
    _name(OTHER, "SwarmUI", 2023, "github.com/mcmonkeyprojects/SwarmUI", r"(?:stable)?swarm ?ui"),
    _name(OTHER, "Easy Diffusion", 2022, "easydiffusion.github.io", r"easy diffusion"),
    _name(OTHER, "Draw Things", 2022, "drawthings.ai", r"draw ?things\.ai", alone="draw things"),
    _name(OTHER, "DiffusionBee", 2022, "diffusionbee.com", r"diffusion ?bee"),
    _name(OTHER, "Leonardo.Ai", 2022, "leonardo.ai", r"leonardo[. ]?ai", is_house=True),
    _name(OTHER, "Ideogram", 2023, "ideogram.ai", r"ideogram(?:[. ]ai|[ -]v?\d)", alone="ideogram", is_house=True),
    _name(OTHER, "Recraft", 2023, "recraft.ai", r"recraft(?:[. ]ai|[ -]?v?\d)", alone="recraft", is_house=True),
    _name(OTHER, "Krea", 2022, "krea.ai", r"krea(?:[. ]ai|[ -]\d)", alone="krea", is_house=True),
    _name(
        OTHER, "Canva Magic Media", 2023, "canva.com", r"canva (?:magic media|dream lab|ai image)", alone="magic media"
    ),
    _name(  # the company's glasses write its bare name as the maker of their camera
        OTHER, "Meta AI", 2023, "meta.ai", rf"imagined? with meta(?: ai)?|{_MADE}{_WITH}meta ai"
    ),
    _name(
        OTHER,
        "Apple Image Playground",
        2024,
        "apple.com/apple-intelligence",
        r"apple image playground",
        alone="image playground",
    ),
    _name(OTHER, "Amazon Titan or Nova", 2023, "aws.amazon.com", r"amazon (?:titan image|nova canvas)"),
    _name(OTHER, "Playground", 2022, "playground.com", r"playground (?:ai|v\d)|playgroundai"),
    _name(OTHER, "Craiyon", 2022, "craiyon.com", r"craiyon|dall-?e mini", is_house=True),
    _name(OTHER, "NightCafe", 2019, "nightcafe.studio", r"nightcafe(?: studio| creator)?", is_house=True),
    _name(OTHER, "Kandinsky", 2022, "fusionbrain.ai", r"kandinsky[ -]\d\.\d|fusionbrain"),
    _name(OTHER, "YandexART", 2023, "ya.ru/ai/art", r"yandex ?art|shedevrum|шедеврум"),
    _name(OTHER, "Qwen-Image", 2025, "github.com/QwenLM/Qwen-Image", r"qwen[ -]image", alone="qwen"),
    _name(OTHER, "Hunyuan", 2024, "github.com/Tencent-Hunyuan", r"hunyuan[ -]?(?:image|dit)"),
    _name(
        OTHER, "Seedream of ByteDance", 2024, "seed.bytedance.com", r"seedream|dreamina ai|jimeng ai", alone="dreamina"
    ),
    _name(OTHER, "Kolors or Kling", 2024, "klingai.com", r"kling ?ai|kwai-?kolors|kolors \d"),
    _name(OTHER, "PixArt", 2023, "github.com/PixArt-alpha", r"pixart[ -](?:alpha|sigma|α|σ)"),
    _name(OTHER, "Tensor.Art or SeaArt", 2023, "tensor.art", r"tensor\.?art|seaart(?:[. ]ai)?", is_house=True),
    _name(
        OTHER, "Civitai's generator", 2023, "civitai.com", r"civitai(?: (?:generator|image generator))", alone="civitai"
    ),
    _name(OTHER, "PixAI", 2022, "pixai.art", r"pixai(?:\.art)?", is_house=True),
    _name(OTHER, "Wombo Dream", 2021, "dream.ai", r"(?:dream by )?wombo(?: dream)?", is_house=True),
    _name(OTHER, "StarryAI", 2021, "starryai.com", r"starry ?ai", is_house=True),
    _name(OTHER, "Reve", 2025, "reve.com", r"reve image|reve ai"),
    _name(OTHER, "Luma Photon", 2024, "lumalabs.ai", r"luma photon|photon[ -]flash[ -]\d"),
    _name(OTHER, "Getty Images' generator", 2023, "gettyimages.com/ai", r"generative ai by (?:getty images|istock)"),
    _name(OTHER, "Runway", 2023, "runwayml.com", r"runway ?ml|runway gen[ -]\d", is_house=True),
    _name(
        OTHER,
        "generative AI without saying which",
        2022,
        "iptc.org",
        r"(?:ai|ki)[- ]generated(?: (?:image|picture|photo|art|content))?|imagined with (?:meta )?ai|ki[- ]generiert"
        r"|généré[es]* par (?:l['’])?ia|generad[oa] (?:con|por) ia|generated (?:by|with|using) (?:generative )?ai",
        yields_to="flux",
    ),
)


_MENTIONS = re.compile("|".join(f"({each.pattern}|{each.alone or each.pattern})" for each in NAMES), re.IGNORECASE)
"""What every value is looked through for first, one group a name: the dear patterns are made only where it occurs."""
_PERSON = re.compile(r"\bby\b|\(", re.IGNORECASE)
"""Behind the name of a generator: that of a person may follow."""
_SELF_DECLARED = re.compile(r"ai[ -]generated;[\w;. -]{1,80}$", re.IGNORECASE)


@cache
def _as_software(name: Name) -> re.Pattern[str]:
    return _compiled(f"{_TOOLS}(?:{_MADE}{_WITH})?(?:{_either(name)}){_ENDS}")


@cache
def _as_maker(name: Name) -> re.Pattern[str]:
    company = rf"|\W*(?:{name.alone}){_ENDS}" if name.alone else ""
    return _compiled(rf"\W*(?:{name.pattern}){_ENDS}{_TAIL}{{0,4}}\W*$" + company)


@cache
def _as_creator(name: Name) -> re.Pattern[str]:
    stated = rf"{_SUBJECT}(?:(?:{_MADE}|(?P<edited>{_EDITED})){_WITH})?"
    company = rf"|\W*{_SUBJECT}{_GENERATED}{_WITH}(?:{name.alone}){_ENDS}{_TAIL}{{0,4}}\W*$" if name.alone else ""
    return _compiled(rf"\W*{stated}(?:{name.pattern}){_ENDS}{_TAIL}{{0,4}}\W*$" + company)


@cache
def _bare(name: Name) -> re.Pattern[str]:
    return _compiled(rf"\W*(?:{name.pattern})(?:[\s-]+(?:ai|app))?\W*$")


def _either(name: Name) -> str:
    return f"{name.pattern}|{name.alone}" if name.alone else name.pattern


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def names(fields: Fields, known: Collection[str] = (), *, also: tuple[Field, ...] = ()) -> Iterator[Observation]:
    """Return one observation for each generator that a field names.

    Args:
        fields: All fields of a file.
        known: Signals that settings in the same file have given; a name adds nothing to them.
        also: Further statements of the software.
    """
    places = _Places.of(fields, also)
    for name in places.mentioned():
        if name.signal in known or name.yields_to in known or (found := places.naming(name)) is None:
            continue
        words, field, claim = found
        is_private = field in places.creators and _PERSON.search(field.value) is not None
        written = detail("As written", field.value, private=is_private)
        yield observe(name.signal, claim, f"{words} {CAVEAT}", [written])


def self_declared(fields: Fields) -> Field | None:
    """Return the field for software that says `AI generated;…`, as the code published with FLUX and other models does.

    The kind of task (`txt2img`, `img2img`) and the model stand behind it.
    """
    return _first(_SELF_DECLARED, fields.software)


def is_generator(value: str) -> bool:
    """Whether a make or model of a camera is the name of a generator, or of a company that makes nothing else."""
    return any(_as_maker(NAMES[at]).match(value) for at in _mentioned(value))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """The fields in which a name can count, up to a bound for each kind."""

    software: tuple[Field, ...]
    makers: tuple[Field, ...]
    creators: tuple[Field, ...]
    credit_lines: tuple[Field, ...]
    steps: tuple[Field, ...]

    @classmethod
    def of(cls, fields: Fields, also: tuple[Field, ...]) -> _Places:
        return cls(
            software=(*fields.software, *also)[:_MAX_FIELDS],
            makers=fields.makers[:_MAX_FIELDS],
            creators=fields.creators[:_MAX_FIELDS],
            credit_lines=fields.credit_lines[:_MAX_FIELDS],
            steps=fields.of(Source.XMP, "stEvt:softwareAgent")[:_MAX_FIELDS],
        )

    def mentioned(self) -> list[Name]:
        """The generators of which any of the fields has the name somewhere, in the order of the table."""
        values = {
            field.value for field in (*self.software, *self.makers, *self.creators, *self.credit_lines, *self.steps)
        }
        return [NAMES[at] for at in sorted(set[int]().union(*map(_mentioned, values)))]

    def naming(self, name: Name) -> tuple[str, Field, Claim | None] | None:
        """What is said of a generator, the field that says it, and what that means for the picture."""
        made = _first(_as_software(name), self.software) or _first(_as_maker(name), self.makers)
        if made is not None:
            return f"The {made.place} names {name.name}.", made, name.claim
        if name.claim is None:
            return None
        lines = tuple(
            each for each in self.credit_lines if not (name.is_house and _bare(name).match(each.value[:_MAX_LENGTH]))
        )
        for field in (*self.creators, *lines):
            if len(field.value) <= _MAX_LENGTH and (match := _as_creator(name).match(field.value)) is not None:
                claim = Claim.EDITED if match["edited"] else name.claim
                return f"The {field.place} names {name.name}.", field, claim
        if (step := _first(_as_software(name), self.steps)) is not None:
            return f"The editing history in the XMP names {name.name} for one step.", step, Claim.EDITED
        return None


@lru_cache(maxsize=4096)  # the files of one desk name the same few programs and cameras
def _mentioned(value: str) -> frozenset[int]:
    """Places in the table of the generators whose name occurs in a value; none for a value that is too long for one."""
    found = _MENTIONS.finditer(value) if len(value) <= _MAX_LENGTH else ()
    return frozenset(match.lastindex - 1 for match in found if match.lastindex is not None)


def _first(pattern: re.Pattern[str], fields: tuple[Field, ...]) -> Field | None:
    return next((field for field in fields if len(field.value) <= _MAX_LENGTH and pattern.match(field.value)), None)
