"""EXIF, XMP, IPTC, PNG text and comments -> observations."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import ClassVar

from assay.containers import walk
from assay.vocabulary import Claim, Exhibit, Failed, Nothing, Observation, Outcome, Settings
from forensics import capture, dates, generators, rights, services, source_type
from forensics.fields import Fields
from forensics.notes import CHECK, detail, merge_prompts, observe
from forensics.reading import read_fields
from forensics.stealth import read_stealth
from forensics.thumbnail import thumbnail_differs
from forensics.trailing import bytes_after_end

Recogniser = Callable[[Fields], Iterator[Observation]]

_DECLARATIONS: tuple[Recogniser, ...] = (
    source_type.source_types,
    source_type.ai_fields,
    generators.generators,
    services.midjourney,
    services.tc260,
    services.xai,
    services.hugging_face,
)
_FACTS: tuple[Recogniser, ...] = (
    capture.camera,
    dates.capture_date,
    capture.location,
    capture.serial_numbers,
    capture.software,
    rights.rights,
)
_EDITS = frozenset({"composite", "compositeCapture", "humanEdits", "algorithmicallyEnhanced"})
"""Digital source types of an edited work that name no generative model; `minorHumanEdits` leave the work the same."""


class Metadata:
    """Reads what the file says of itself: EXIF, XMP, IPTC, PNG text and comments.

    What it reads: the declarations of generators (IPTC Digital Source Type and AI fields, the settings of Stable
    Diffusion interfaces, ComfyUI, FLUX, NovelAI, InvokeAI and others, also where they are hidden in the pixels, the
    names of generators as software or creator, the marks of Midjourney and Grok, China's AIGC label, Hugging Face
    jobs), camera, date, place, serial numbers, rights and software, bytes behind
    the end of the image, and statements that contradict each other: a camera beside a generator, a thumbnail of another
    picture, dates or rights that differ. Places and serial numbers are also looked for in maker notes, under the names
    that drones use, and in what travels with the picture: thumbnails, further pictures, the video of a motion photo.

    What it means: somebody, or some software, wrote this into the file. Nothing is signed. Whoever wants to deceive
    removes a declaration of AI use rather than adding one, yet it can be planted; camera fields are copied in a second.

    What it does not mean: nothing here proves how a picture came about, and absence says nothing at all, for most
    platforms remove metadata. A contradiction is a reason to ask, not a finding of manipulation: cropping leaves an old
    thumbnail behind, and a reproduction has two dates. Metadata that JPEG XL compresses are not read, and that is said;
    thumbnails are compared in JPEGs of at most 1 MiB.
    """

    id: ClassVar[str] = CHECK
    claims: ClassVar[frozenset[Claim]] = frozenset({Claim.GENERATED, Claim.EDITED, Claim.CAPTURED})

    def __init__(self, settings: Settings) -> None:
        """Only the bound on pixels matters, to text that is hidden in them."""
        self._max_pixels = settings.limits.max_pixels

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Everything that the metadata says, what it contradicts, and what of it could not be read."""
        data, picture = exhibit.data, exhibit.picture
        container = walk(data, picture.format)
        hidden = read_stealth(data, picture, self._max_pixels)
        fields = read_fields(container.blocks, container.further, hidden)
        declarations = _all(_DECLARATIONS, fields)
        facts = _all(_FACTS, fields)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the decoder, about damage that does not matter here
            thumbnail = tuple(thumbnail_differs(fields, data, picture))
        notes = (
            *merge_prompts(declarations),
            *facts,
            *bytes_after_end(data, container),
            *_camera_and_generator(declarations, facts),
            *thumbnail,
            *dates.dates_disagree(fields, is_edited=_declares_edit(declarations)),
            *rights.rights_disagree(fields),
        )
        return (*notes, *_failures(exhibit, fields)) or (Nothing(check=self.id),)


def _all(recognisers: Iterable[Recogniser], fields: Fields) -> tuple[Observation, ...]:
    return tuple(note for recogniser in recognisers for note in recogniser(fields))


def _declares_edit(declarations: Iterable[Observation]) -> bool:
    return any(
        note.claim is Claim.EDITED or any(each.value in _EDITS for each in note.details)
        for note in declarations
        if note.claim is Claim.EDITED or note.signal == "digital-source-type"
    )


def _camera_and_generator(declarations: Iterable[Observation], facts: Iterable[Observation]) -> Iterator[Observation]:
    generated = dict.fromkeys(note.signal for note in declarations if note.claim is Claim.GENERATED)
    if generated and any(note.signal == "camera" for note in facts):
        yield observe(
            "camera-and-generator",
            Claim.GENERATED,
            "The metadata names a camera, and a generator of the whole picture: the two cannot both describe it.",
            [detail("Generator's marks", ", ".join(generated))],
            contradiction=True,
        )


def _failures(exhibit: Exhibit, fields: Fields) -> tuple[Failed, ...]:
    if not fields.problems:
        return ()
    return (
        Failed(
            check=CHECK,
            error=f"{exhibit.facts.name}: part of the metadata cannot be read: {'; '.join(fields.problems)}",
            hint="The rest was read. Look at the file with exiftool, or have its metadata written again.",
        ),
    )
