"""The words that every part of Assay speaks.

One image is an `Exhibit`. Whatever looks at it is a `Check`. Whatever a check can say is one closed union, `Outcome`.
The policy turns outcomes into a `Verdict`; both travel in a `Report`, which a `Format` draws.

Signed, measured and merely noted facts are different types on purpose: they are never averaged together.
This module imports the standard library only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol, TypeAlias, assert_never

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Pixels: TypeAlias = "NDArray[np.uint8]"
"""Decoded pixels: uint8 of shape (height, width, 3), in [0, 255]."""

Latents: TypeAlias = "NDArray[np.float32]"
"""Noise, or an estimate of it: float32 of shape (channels, height, width); N(0, 1) where nothing is hidden."""


class Claim(StrEnum):
    """What a piece of evidence speaks about."""

    GENERATED = "generated"
    """Made by a generative model."""
    OURS = "ours"
    """Made, or marked, by this installation of Assay."""
    EDITED = "edited"
    """Changed after it was made, with or without a model."""
    CAPTURED = "captured"
    """Recorded by a camera or a scanner."""


class Basis(StrEnum):
    """What a verdict rests on, strongest first."""

    SIGNED = "signed"
    MARKED = "marked"
    MEASURED = "measured"
    NOTED = "noted"


# --- the exhibit ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on one input. Beyond `max_pixels` and `max_frames` only the checks of pixels are left out."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 52_500_000
    """That are decoded. A JPEG may state four times as many: it is decoded at a half of its size, or less."""
    max_frames: int = 100
    """Of a picture whose first frame is decoded."""
    seconds: float = 10.0
    """Wall clock, and CPU time, for one input."""
    memory_bytes: int = 2 * 2**30
    """Address space of one worker (`RLIMIT_AS`)."""


DEFAULT_TRUST = "c2pa"
"""The profile of the C2PA's own lists; it alone may be empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a check may be configured with."""

    home: Path
    """The user's data folder: trust lists live there."""
    trust: str = DEFAULT_TRUST
    """Name of the trust profile that decides who is *trusted*."""
    limits: Limits = field(default_factory=Limits)
    skip: tuple[str, ...] = ()
    """Checks that are left out, by id."""
    thumbnails: bool = False
    """Pictures inside manifests are shown, too."""
    thorough: bool = False
    """The mark in the noise is looked for at every model and size of the ledger, at seconds for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """What the container says of the image inside, read without decoding it."""

    format: str
    """Pillow's name of the format, found by content: JPEG, PNG, WEBP, AVIF, TIFF, GIF, BMP, MPO, HEIF, JXL."""
    mime: str
    width: int
    height: int
    """As stored, before the orientation tag is applied."""
    frames: int
    mode: str
    truncated: bool = False
    """The structure promises more bytes than there are."""
    notes: tuple[str, ...] = ()
    """What a reader should know of how the file was taken: misleading extension, bytes after the end, truncation."""
    reduced: int = 1
    """How many times narrower and lower than stored the pixels were that checks looked at: 1, 2, 4 or 8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExhibitFacts:
    """One image as received, without its bytes."""

    name: str
    """The path as given, or `<stdin>`; printable."""
    raw_name: bytes | None = None
    """The path as given, byte for byte, where it is no UTF-8, so that `name` shows it escaped; None elsewhere."""
    byte_size: int | None = None
    sha256: str | None = None
    """Of the bytes as received. None where the file could not be read at all."""
    picture: Picture | None = None
    """None where the bytes are not an image that can be opened."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Exhibit:
    """One image, as a check receives it."""

    facts: ExhibitFacts
    data: bytes = b""
    """The file exactly as received; empty for a check that needs pixels."""
    sidecar: bytes | None = None
    """A manifest stored beside the file (`photo.c2pa` beside `photo.jpg`)."""
    decoded: Pixels | None = None

    @property
    def picture(self) -> Picture:
        """The facts of the image inside; an exhibit that reaches a check always has them."""
        if self.facts.picture is None:
            raise LookupError(f"{self.facts.name}: no picture was opened, so no check may run on it")
        return self.facts.picture

    @property
    def pixels(self) -> Pixels:
        """Upright pixels, uint8 of shape (height, width, 3), sRGB order, in [0, 255].

        Raises:
            LookupError: The check is not in `catalog.PIXEL_CHECKS`.
        """
        if self.decoded is None:
            raise LookupError(f"{self.facts.name}: pixels were not decoded; list the check in PIXEL_CHECKS")
        return self.decoded


# --- what a check can say ---------------------------------------------------------------------------------------------


class Integrity(StrEnum):
    """Do the bytes still match what was signed?"""

    INTACT = "intact"
    UNCOVERED = "picture not covered"
    """They do, but the hash leaves out what the picture is made from: another picture can stand there."""
    MALFORMED = "malformed"
    """The manifest breaks a rule of the standard; nothing shows that the file changed."""
    BROKEN = "broken"
    NOT_FETCHED = "not fetched"
    """The manifest lies elsewhere, and the network is closed."""


class Trust(StrEnum):
    """Does the chosen list vouch for who signed?"""

    TRUSTED = "trusted"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    REVOKED = "revoked"


class History(StrEnum):
    """Do the manifests of the ingredients hold, as far back as they go?"""

    INTACT = "intact"
    BROKEN = "broken"
    UNKNOWN = "not known"
    """There is no manifest at hand."""


class AiUse(StrEnum):
    """The use of generative AI that a manifest, or any of its ingredients, declares."""

    UNKNOWN = "not known"
    """There is no manifest at hand, or one that does not match the file: what it states is no fact."""
    NONE = "none declared"
    POSSIBLE = "possible"
    PARTLY = "in part"
    FULLY = "whole image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Detail:
    """One named fact behind an outcome. Values come from files: a format escapes them for where they land."""

    name: str
    value: str
    private: bool = False
    """Personal data: place, serial number, name, handle. Masked in reports unless asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeStamp:
    """A time that an authority states for a signature (RFC 3161), and whether it counts."""

    time: str
    """ISO 8601."""
    authority: str
    """Common name in the authority's certificate, which proves nothing where no list vouches for it."""
    issuer: str
    """Who issued the authority's certificate: what a list of time-stamp authorities has to hold, or its root."""
    vouched_by: str | None
    """Where the list of time-stamp authorities came from that vouches for it; None where none of the profile does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """Who signed, according to the certificate. Text in a certificate proves nothing without a trusted issuer."""

    organisation: str
    common_name: str
    issuer: str
    serial: str
    not_after: str
    """ISO 8601."""
    signed_at: str | None = None
    """ISO 8601, from a time stamp whose authority a list of the profile vouches for; None without one."""
    stamp: TimeStamp | None = None
    """The time stamp, whether it counts or not; None where there is none that fits the signature."""

    @property
    def name(self) -> str:
        """The organisation, or where there is none the common name."""
        return self.organisation or self.common_name or "an unnamed signer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One thing that a manifest says was done to the image (C2PA 2.2, section 18.14)."""

    name: str
    digital_source_type: str | None = None
    """The last part of the IPTC or C2PA term, such as `trainedAlgorithmicMedia`."""
    software: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """One node of an image's history. The root is the active manifest; ingredients may be bare files."""

    title: str
    relationship: str | None = None
    """`parentOf`, `componentOf` or `inputTo`; None for the root."""
    signer: Signer | None = None
    """None for an ingredient that had no credentials of its own."""
    trust: Trust = Trust.UNKNOWN
    """Whether the chosen list vouches for its signer."""
    generator: str | None = None
    """The software that made the claim, by its own account."""
    actions: tuple[Action, ...] = ()
    failures: tuple[str, ...] = ()
    """Validation status codes (C2PA 2.2, section 15.2.2) that failed for this node."""
    ai_use: AiUse = AiUse.NONE
    ingredients: tuple[Manifest, ...] = ()
    thumbnail: bytes | None = None
    """A JPEG of at most 160 pixels a side, re-encoded by the worker; only where a format shows it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attestation:
    """Somebody vouches for the image with a signature."""

    check: str
    claim: Claim | None
    """What the manifest states, true only if its signer tells the truth; None where it states nothing or is broken."""
    signer: Signer | None
    integrity: Integrity
    trust: Trust
    history: History
    ai_use: AiUse
    identity: tuple[Detail, ...]
    """Who the author says to be (CAWG): stated beside the verdict, never part of it."""
    vouched_ai_use: AiUse = AiUse.UNKNOWN
    """The part of `ai_use` that the chosen list vouches for: signer by signer, from the file back to the statement."""
    outside: tuple[str, ...] = ()
    """What the signer left out of the hash, in words, such as `EXIF`: it may have changed since, unnoticed."""
    summary: str
    details: tuple[Detail, ...] = ()
    manifest: Manifest | None = None
    """The history as a tree; None where no manifest could be read."""

    @property
    def is_broken(self) -> bool:
        """Whether the signature does not stand for the picture as it is, or something in its history does not hold."""
        is_unsound = self.integrity in (Integrity.BROKEN, Integrity.MALFORMED, Integrity.UNCOVERED)
        return is_unsound or self.history is History.BROKEN

    @property
    def is_signed(self) -> bool:
        """Whether it may carry a verdict by itself: intact, by a trusted signer, with a history that holds."""
        return self.integrity is Integrity.INTACT and self.trust is Trust.TRUSTED and self.history is History.INTACT

    @property
    def state(self) -> str:
        """The one phrase for this state that every report uses."""
        match self.integrity:
            case Integrity.NOT_FETCHED:
                return "points to a remote manifest (not fetched)"
            case Integrity.BROKEN | Integrity.MALFORMED:
                return "does not verify"
            case Integrity.UNCOVERED:
                return "the signature does not cover the picture"
            case Integrity.INTACT if self.history is History.BROKEN:
                return "history broken"
            case Integrity.INTACT:
                return _INTACT_STATE[self.trust]
            case _:
                assert_never(self.integrity)


_INTACT_STATE = {
    Trust.TRUSTED: "trusted",
    Trust.UNKNOWN: "intact, signer unknown",
    Trust.EXPIRED: "intact, signer's certificate expired",
    Trust.REVOKED: "intact, signer's certificate revoked",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A statistic with a null: a watermark reader or a detector."""

    check: str
    claim: Claim
    basis: Basis
    """`MARKED` for a watermark, `MEASURED` for a detector."""
    statistic: float
    null: str
    """The distribution of the statistic when the claim is false, in words."""
    p_value: float | None
    """In [0, 1]; None where the null has no closed form."""
    log10_lr: float | None
    """Calibrated log10 likelihood ratio, bounded by its calibration data; None is an abstention."""
    summary: str
    details: tuple[Detail, ...] = ()
    map: bytes | None = None
    """Where in the image, as an 8-bit greyscale PNG; None where the statistic is global."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """An unsigned hint. Anybody can write it, and its absence says nothing."""

    check: str
    signal: str
    """Which hint, as a stable kebab-case id such as `a1111-parameters`."""
    claim: Claim | None
    summary: str
    details: tuple[Detail, ...] = ()
    contradiction: bool = False
    """Two statements in the file that cannot both hold; `claim` is then the one that this speaks against, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """The check ran and found nothing to report."""

    check: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """The check did not apply or is not installed; the reason names the remedy."""

    check: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The check could not be done on this file."""

    check: str
    error: str
    """Names the file."""
    hint: str
    """What to do about it."""


Evidence = Attestation | Measurement | Observation
Outcome = Evidence | Nothing | Skipped | Failed


class Check(Protocol):
    """Something that looks at an image.

    The first line of the class's docstring is its row in every table; the whole of it is what `assay explain` prints.
    A check is made with the `Settings`, once per process. One that looks at pixels may have a property `idle`: why
    there is nothing to look for, or None; pixels are decoded only for checks that are not idle.
    """

    id: ClassVar[str]
    claims: ClassVar[frozenset[Claim]]

    def examine(self, exhibit: Exhibit) -> tuple[Outcome, ...]:
        """Say everything there is to say about one exhibit; at least one outcome, never an exception by design."""


# --- watermarks -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """What one image is marked with, and what has to be known to look for it."""

    secret: bytes = field(repr=False)
    """32 bytes, of one epoch and user; see `assay.keys`."""
    nonce: bytes
    """12 bytes, fresh for every image."""
    payload: int
    """64 bits: the image's id in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a watermark's statistic came to."""

    statistic: float
    null: str
    """The distribution of the statistic for any image that was not made with the seal, in words."""
    log10_p: float
    """log10 of the p-value, or of an upper bound, over everything that this reading tried; 0 at most."""


class LatentWatermark(Protocol):
    """Hides a mark in the noise from which a diffusion model draws."""

    id: ClassVar[str]

    def mark(self, noise: Latents, seal: Seal) -> Latents:
        """Noise that carries the seal.

        Args:
            noise: Fresh N(0, 1) noise of the shape wanted; a method may use all, some or nothing of its values.
            seal: Key, nonce and payload.
        """

    def measure(self, noise: Latents, seal: Seal) -> Reading:
        """How well an estimate of the noise fits a seal whose payload was fixed before looking."""

    def decode(self, noise: Latents, secret: bytes, nonce: bytes) -> int | None:
        """The payload in an estimate of the noise; None where there is none, or the method carries none."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PixelReading:
    """A payload that was read in pixels."""

    key: int
    """Which of the keys that were tried."""
    payload: int
    bits: int
    """Of the payload."""
    log10_p: float
    """log10 of an upper bound on the chance that a picture without the mark yields any payload, over all tries."""
    tries: int
    """What was looked at, or might have been."""
    matrix: NDArray[np.float64]
    """From coordinates of the marked picture to those of the received one, but for a shift: 3 x 3."""
    version: int = 1
    """Of the mark."""
    box: tuple[float, float, float, float] | None = None
    """Where in the received picture the mark is: left, top, right and bottom, in pixels, to about a tile. None where
    the method does not say."""
    is_negative: bool = False
    """Whether the received picture's brightness is turned over."""
    period: float = 72.0
    """Pixels after which the mark repeats in a marked picture of up to 512 x 512 pixels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelTrace:
    """A key's pattern that stands in pixels where no payload can be read."""

    key: int
    """Which of the keys that were tried."""
    log10_p: float
    """log10 of an upper bound on the chance that a picture without the mark shows it so clearly, over all tries."""
    version: int = 1
    """Of the mark."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PixelSearch:
    """All that one search finds of marks in pixels."""

    readings: tuple[PixelReading, ...] = ()
    traces: tuple[PixelTrace, ...] = ()
    """Of keys with no reading; likely ones by chance, too."""


class PixelWatermark(Protocol):
    """Hides a payload in the pixels of a finished picture."""

    id: ClassVar[str]
    version: ClassVar[int]
    """Of what `mark` writes; it stands in the name under which manifests speak of the mark."""

    def bits(self, size: tuple[int, int]) -> int:
        """Bits of payload that a picture of this height and width carries; 0 where it is too small for a mark."""

    def mark(self, pixels: Pixels, secret: bytes, payload: int) -> Pixels:
        """A picture of the same size that carries the payload."""

    def read(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelReading | None:
        """The payload in a picture that is found first, by whichever of these keys; None where none is found.

        Marks of earlier versions are looked for where `earlier` asks.
        """

    def search(self, pixels: Pixels, secrets: Sequence[bytes], *, earlier: bool = False) -> PixelSearch:
        """Every payload in a picture: each key's, and each part's."""


# --- detectors --------------------------------------------------------------------------------------------------------


class Detector(Protocol):
    """An expert on pictures that models make. What it says is a raw logit, not a probability."""

    id: ClassVar[str]
    side: ClassVar[int]
    """Of the squares that it looks at, in pixels."""

    def logits(self, squares: Pixels) -> NDArray[np.float32]:
        """A logit for each square; higher is more like what models make.

        Args:
            squares: uint8 of shape (n, side, side, 3), native pixels.
        """


# --- verdict and report -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What all outcomes together support, in words."""

    claim: Claim | None
    """None is INCONCLUSIVE, the default."""
    basis: Basis | None
    log10_lr: float | None
    """Only where the basis is a calibrated measurement."""
    headline: str
    because: tuple[str, ...] = ()
    conflicts: tuple[str, ...] = ()


class Severity(StrEnum):
    """How much a broken rule weighs."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One publisher's rule that one file breaks."""

    rule: str
    severity: Severity
    message: str
    remedy: str
    fingerprint: str
    """sha256 over the rule and the file's content, never its path: a baseline survives a rename."""


TRUST_LIST_MAX_AGE_DAYS = 90
"""A trust list that was issued longer ago should be fetched again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFacts:
    """Which trust list decided, and how old it is."""

    profile: str
    certificates: int
    sha256: str
    """Over all anchors of the profile, in a stable order, and the list of distrusted certificates; of the empty string
    where there are none of either."""
    issued: date | None
    """When the publisher issued the oldest list in the profile; None without a list or a date."""
    distrusted: int = 0
    """How many certificates the user has distrusted, whatever the profile (`assay trust distrust`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFacts:
    """What made a report."""

    assay: str
    libraries: Mapping[str, str]
    """Distribution name to version: results change between releases."""
    trust: TrustFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Everything Assay has to say about one image."""

    exhibit: ExhibitFacts
    outcomes: tuple[Outcome, ...]
    verdict: Verdict
    tools: ToolFacts
    violations: tuple[Violation, ...] = ()
    failures_accepted: bool = False
    """A baseline accepts that the file could not be examined, or not in full: no exit code speaks of it any more."""
    preview: bytes | None = None
    """A JPEG of at most 320 pixels a side, re-encoded by the worker; only where a format shows it."""
    schema: str = "assay-report/1"

    @property
    def failures(self) -> tuple[Failed, ...]:
        """What could not be examined."""
        return tuple(outcome for outcome in self.outcomes if isinstance(outcome, Failed))


class Format(Protocol):
    """A way to draw reports. Text that came out of a file is escaped here, for where it lands."""

    def __call__(self, reports: Sequence[Report]) -> str | bytes:
        """Draw the reports in their order: text, or a document that is none."""
