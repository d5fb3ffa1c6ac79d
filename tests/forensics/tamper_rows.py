"""The rows of the tamper matrix: what is done to a signed file, how often, and what a reader has to be told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from PIL import ExifTags, Image, ImageCms

from assay.vocabulary import Settings
from forensics import anchors, trust
from generation.declaration import Declaration, Ingredient, Relationship
from generation.sign import sign, sign_sidecar
from generation.signing_key import SigningKey
from tests import tamper
from tests.authority import Authority, impostor, self_signed_camera
from tests.carriers import AVIF, CARRIERS, Carrier, bmff_box, jpeg_segment
from tests.seeds import encoded
from tests.tamper import SOFTWARE, TITLE, StoreEdit

TRUSTED = "trusted"
STRANGER = "intact, signer unknown"
EXPIRED = "intact, signer's certificate expired"
BROKEN = "does not verify"
HISTORY = "history broken"
NONE = "no credentials"
UNCHECKED = "could not be checked"
UNCOVERED = "the signature does not cover the picture"

ENOUGH = (0.03, 0.21, 0.38, 0.55, 0.73, 0.97)
"""Places in the picture data."""


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """One file to examine, and what may lie beside it."""

    carrier: Carrier
    data: bytes
    sidecar: bytes | None = None
    before: bytes | None = None
    """The file as its signer left it, where it was edited since without a key."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Signed files to work on: the victim's, and other people's."""

    authority: Authority
    settings: Settings
    """Trusts both authorities, each for its own."""
    desk: SigningKey
    """The victim's key."""
    foreign: SigningKey
    """A key of an authority that calls itself the same, for a signer that calls itself the same."""
    camera: SigningKey
    stamps: Authority
    """An authority that stamps, in the reader's list of them."""
    expiring: dict[str, bytes]
    """Format -> a file signed while its certificate was still good, for a second or two more."""
    good_until: datetime
    _made: dict[object, bytes] = field(default_factory=dict)

    @classmethod
    def create(cls, authority: Authority, stamps: Authority, settings: Settings) -> Bench:
        pictures = {name: encoded(name) for name in CARRIERS}  # first: their making would eat up the short life
        short = authority.expiring_signer(seconds=2.5)
        expiring = {name: sign(data, CARRIERS[name].mime, short, DECLARATION) for name, data in pictures.items()}
        return cls(
            authority=authority,
            stamps=stamps,
            settings=settings,
            desk=authority.signer(),
            foreign=impostor().signer(),
            camera=self_signed_camera(),
            expiring=expiring,
            good_until=short.certificate.not_valid_after_utc,
        )

    def signed(self, carrier: Carrier, *, which: str = "china", key: SigningKey | None = None) -> bytes:
        """A signed photograph, the same bytes every time."""
        return self._once(sign, carrier, which, key or self.desk)

    def sidecar(self, carrier: Carrier, *, which: str = "china", key: SigningKey | None = None) -> bytes:
        """The manifest for a photograph that stays as it is, the same bytes every time."""
        return self._once(sign_sidecar, carrier, which, key or self.desk)

    def _once(self, signing: Callable[..., bytes], carrier: Carrier, which: str, key: SigningKey) -> bytes:
        order = (signing, carrier.name, which, key)
        if order not in self._made:
            self._made[order] = signing(encoded(carrier.name, which), carrier.mime, key, DECLARATION)
        return self._made[order]

    def laundered(self, carrier: Carrier, tampered: bytes, relationship: Relationship) -> bytes:
        """A tampered file, signed over by the trusted key with the tampered file as an ingredient."""
        part = Ingredient(data=tampered, mime=carrier.mime, title="tampered", relationship=relationship)
        source_type = None if relationship is Relationship.PARENT else "composite"
        declaration = Declaration(title="laundered", source_type=source_type, ingredients=(part,))
        return sign(tampered, carrier.mime, self.desk, declaration)


DECLARATION = Declaration(title=TITLE, software=SOFTWARE)

Make = Callable[[Bench, Carrier], Iterator[Specimen]]


@dataclass(frozen=True, kw_only=True)
class Variation:
    """What is read in one format instead, and why that is right."""

    words: frozenset[str]
    why: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """One kind of edit."""

    id: str
    what: str
    make: Make
    expected: str = BROKEN
    exceptions: dict[str, Variation] = field(default_factory=dict)
    """Format -> what may be read there instead."""
    only: tuple[str, ...] = tuple(CARRIERS)
    """Formats in which the edit can be done."""
    elsewhere: str = ""
    """Why it cannot be done in the others."""
    anchors: bool = True
    """Whether the reader's trust list vouches for the authority."""

    def allowed_in(self, carrier: Carrier) -> frozenset[str]:
        """What may be read; empty where the edit cannot be done."""
        if carrier.name not in self.only:
            return frozenset()
        exception = self.exceptions.get(carrier.name)
        return exception.words if exception else frozenset({self.expected})


def trusting(home: Path, authority: Authority, stamps: Authority) -> Settings:
    """Return settings whose lists hold an authority for signers, and another for time stamps."""
    settings, day = Settings(home=home), date(2026, 1, 1)
    for kind, each in ((trust.ListKind.SIGNERS, authority), (trust.ListKind.TIMESTAMPS, stamps)):
        anchors.add(settings, each.anchors, kind=kind, source="test authority", issued=None, today=day)
    return settings


def on_bytes(edit: Callable[[Carrier, bytes], bytes]) -> Make:
    """An edit of the signed file."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        yield Specimen(carrier=carrier, data=edit(carrier, bench.signed(carrier)))

    return make


def on_store(edit: StoreEdit) -> Make:
    """An edit of the manifest store in place."""
    return on_bytes(lambda carrier, data: tamper.edit_store(carrier, data, edit))


def untouched(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(carrier=carrier, data=bench.signed(carrier))


def flipped(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for place in ENOUGH:
        yield Specimen(carrier=carrier, data=tamper.flip_picture_byte(carrier, signed, place))


def appended(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    extras = (bmff_box(b"zzzz", b"harmless"), signed) if carrier is AVIF else (b"\0", b"harmless text", signed)
    for extra in extras:
        yield Specimen(carrier=carrier, data=tamper.append(carrier, signed, extra))


def appended_text(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(carrier=carrier, data=tamper.append(carrier, bench.signed(carrier), b"harmless text"))


def file_type_edited(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    yield Specimen(carrier=carrier, data=signed[:12] + b"\0\0\0\1" + signed[16:])


def padded(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    for kind in (b"free", b"skip"):
        yield Specimen(carrier=carrier, data=bench.signed(carrier) + bmff_box(kind, b"harmless"))


def truncated(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for place in (0.0, 0.5, 0.95):
        yield Specimen(carrier=carrier, data=tamper.truncate(carrier, signed, place))


def moved(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(
        carrier=carrier, data=tamper.move_manifest(carrier, bench.signed(carrier), encoded(carrier.name, "flower"))
    )


def two_stores(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for second in (signed, bench.signed(carrier, which="flower"), bench.signed(carrier, key=bench.foreign)):
        yield Specimen(carrier=carrier, data=tamper.second_store(carrier, signed, second))


def two_places(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for second in (signed, bench.signed(carrier, which="flower"), bench.signed(carrier, key=bench.foreign)):
        yield Specimen(carrier=carrier, data=tamper.second_place(carrier, signed, second))


def certificate_edited(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    edit = tamper.edit_store(
        carrier, bench.signed(carrier), lambda store: tamper.edit_certificate(store, bench.desk.chain)
    )
    yield Specimen(carrier=carrier, data=edit)


def signature_grafted(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    donor = carrier.store(bench.signed(carrier, which="flower"))
    data = tamper.edit_store(carrier, bench.signed(carrier), lambda store: tamper.graft_signature(store, donor))
    yield Specimen(carrier=carrier, data=data)


def detached(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for data in (tamper.overwrite_excluded(carrier, signed), tamper.close_excluded(carrier, signed)):
        yield Specimen(carrier=carrier, data=data, sidecar=carrier.store(signed))


def detached_padding(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    yield Specimen(carrier=carrier, data=carrier.strip(signed), sidecar=carrier.store(signed))


def beside(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(carrier=carrier, data=encoded(carrier.name), sidecar=bench.sidecar(carrier))


def beside_changed(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    plain, sidecar = encoded(carrier.name), bench.sidecar(carrier)
    changed = [tamper.flip_picture_byte(carrier, plain, place) for place in ENOUGH]
    for data in (*changed, plain + bmff_box(b"zzzz", b"harmless")):
        yield Specimen(carrier=carrier, data=data, sidecar=sidecar)


def beside_another(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(carrier=carrier, data=encoded(carrier.name, "flower"), sidecar=bench.sidecar(carrier))


def beside_edited(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    for edit in (tamper.edit_source_type_and_claim, tamper.edit_claim, tamper.edit_signature):
        yield Specimen(carrier=carrier, data=encoded(carrier.name), sidecar=edit(bench.sidecar(carrier)))


def beside_broken(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    """The sidecar is valid for the file with no manifest inside, but a manifest inside comes first."""
    broken = tamper.edit_store(carrier, bench.signed(carrier), tamper.edit_claim)
    yield Specimen(carrier=carrier, data=broken, sidecar=bench.sidecar(carrier))


def foreign(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(carrier=carrier, data=bench.signed(carrier, key=bench.foreign))
    yield Specimen(carrier=carrier, data=encoded(carrier.name), sidecar=bench.sidecar(carrier, key=bench.foreign))


def camera(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    yield Specimen(carrier=carrier, data=bench.signed(carrier, key=bench.camera))


def expired(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    time.sleep(max(0.0, (bench.good_until - datetime.now(UTC)).total_seconds() + 1.0))
    yield Specimen(carrier=carrier, data=bench.expiring[carrier.name])


def laundered_parent(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for tampered in (
        tamper.flip_picture_byte(carrier, signed, 0.4),
        tamper.edit_store(carrier, signed, tamper.edit_source_type),
        tamper.edit_store(carrier, signed, tamper.edit_claim),
    ):
        yield Specimen(carrier=carrier, data=bench.laundered(carrier, tampered, Relationship.PARENT))


def laundered_twice(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    tampered = tamper.flip_picture_byte(carrier, bench.signed(carrier), 0.4)
    once = bench.laundered(carrier, tampered, Relationship.PARENT)
    yield Specimen(carrier=carrier, data=bench.laundered(carrier, once, Relationship.PARENT))


def laundered_component(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    tampered = tamper.edit_store(carrier, bench.signed(carrier), tamper.edit_source_type)
    for relationship in (Relationship.COMPONENT, Relationship.INPUT):
        yield Specimen(carrier=carrier, data=bench.laundered(carrier, tampered, relationship))


def converted(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
    signed = bench.signed(carrier)
    for target in tamper.other_formats(carrier):
        yield Specimen(carrier=target, data=tamper.convert(signed, target))


def interleaved(*pieces: bytes) -> Make:
    """Segments put between two halves of the manifest."""

    def make(bench: Bench, carrier: Carrier) -> Iterator[Specimen]:
        signed = bench.signed(carrier)
        for piece in pieces:
            yield Specimen(carrier=carrier, data=tamper.interleave(signed, piece), before=signed)

    return make


def _foreign_metadata() -> tuple[bytes, ...]:
    """EXIF that turns the picture, XMP that says a camera made it, a colour profile."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    term = b"http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture"
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><!-- %s --></x:xmpmeta>' % term
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return (
        jpeg_segment(0xE1, exif.tobytes()),
        jpeg_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp),
        jpeg_segment(0xE2, b"ICC_PROFILE\0\1\1" + profile),
    )


_RESTARTS = jpeg_segment(0xDD, b"\0\2")
"""Says that the codes begin anew after every second block, which they do not."""

_REFUSED = frozenset({UNCHECKED})
_EITHER = frozenset({BROKEN, UNCHECKED})
_TWO = Variation(words=_REFUSED, why="the library refuses a file with two stores")
_HALF_A_BOX = Variation(words=_REFUSED, why="the library refuses a container that ends in half a box")
_IN_ONE_PIECE = "the manifests of the other formats lie in one piece"
_ONLY_AVIF = "the hashes of the other formats leave out nothing but the manifest itself"


def _cut_off(why: str) -> Variation:
    return Variation(words=_EITHER, why=why)


INTACT_ROWS = (
    Row(id="untouched", what="nothing", make=untouched, expected=TRUSTED),
    Row(
        id="untouched-no-list",
        what="nothing; the reader has no trust list",
        make=untouched,
        expected=STRANGER,
        anchors=False,
    ),
    Row(id="sidecar", what="nothing; the manifest lies beside the image", make=beside, expected=TRUSTED),
)
"""The bench itself has to work: else every edit would be detected for the wrong reason."""

TAMPER_ROWS = (
    Row(id="picture-byte", what="one bit of picture data flipped", make=flipped),
    Row(
        id="one-pixel", what="one pixel changed, the old manifest carried over", make=on_bytes(tamper.change_one_pixel)
    ),
    Row(
        id="appended",
        what="bytes appended after the end",
        make=appended,
        exceptions={"AVIF": Variation(words=_EITHER, why=_TWO.why)},
    ),
    Row(
        id="appended-text",
        what="text appended after the end",
        make=appended_text,
        exceptions={"AVIF": _HALF_A_BOX},
    ),
    Row(id="inserted", what="a comment or other harmless piece inserted", make=on_bytes(tamper.insert_benign)),
    Row(
        id="truncated",
        what="cut off after the header, in the middle, near the end",
        make=truncated,
        exceptions={
            "JPEG": _cut_off("without any picture data the library refuses the file"),
            "PNG": _cut_off("the library refuses half a chunk"),
            "WEBP": _cut_off("the manifest stood at the end, and the file does not open"),
            "AVIF": _cut_off("without any picture data the file does not open"),
            "TIFF": _cut_off("the directory stood at the end, and the file does not open"),
        },
    ),
    Row(id="moved", what="manifest moved to another image", make=moved),
    Row(
        id="two-stores",
        what="two manifest stores joined in one place",
        make=two_stores,
    ),
    Row(
        id="two-places",
        what="two manifest stores in two places",
        make=two_places,
        exceptions={"JPEG": _TWO, "PNG": _TWO, "AVIF": _TWO},
    ),
    Row(id="assertion-text", what="text of an assertion edited", make=on_store(tamper.edit_assertion_text)),
    Row(
        id="source-type",
        what="digital source type edited: made by a model -> captured",
        make=on_store(tamper.edit_source_type),
    ),
    Row(
        id="source-type-rehashed",
        what="the same, and its hash in the claim put right",
        make=on_store(tamper.edit_source_type_and_claim),
    ),
    Row(id="claim", what="claim edited", make=on_store(tamper.edit_claim)),
    Row(id="certificate", what="name in the certificate edited", make=certificate_edited),
    Row(id="signature", what="one bit of the signature flipped", make=on_store(tamper.edit_signature)),
    Row(id="grafted", what="signature of another file of the same signer", make=signature_grafted),
    Row(
        id="detached",
        what="manifest lifted into a sidecar, its place overwritten or closed",
        make=detached,
    ),
    Row(
        id="interleaved-metadata",
        what="EXIF, XMP or a colour profile put between two halves of the manifest, whose padding makes room",
        make=interleaved(*_foreign_metadata()),
        only=("JPEG",),
        elsewhere=_IN_ONE_PIECE,
    ),
    Row(
        id="interleaved-picture",
        what="the same, with what changes how the picture is read",
        make=interleaved(_RESTARTS),
        only=("JPEG",),
        elsewhere=_IN_ONE_PIECE,
    ),
    Row(id="sidecar-changed", what="image changed, manifest beside it", make=beside_changed),
    Row(id="sidecar-moved", what="manifest put beside another image", make=beside_another),
    Row(id="sidecar-edited", what="manifest beside the image edited", make=beside_edited),
    Row(
        id="sidecar-over-broken",
        what="valid manifest beside an image whose own does not verify",
        make=beside_broken,
    ),
    Row(
        id="laundered-parent",
        what="tampered, then signed over by a trusted signer",
        make=laundered_parent,
        expected=HISTORY,
    ),
    Row(id="laundered-twice", what="the same, signed over twice", make=laundered_twice, expected=HISTORY),
    Row(
        id="laundered-component",
        what="tampered, then used as a component or an input by a trusted signer",
        make=laundered_component,
        expected=HISTORY,
    ),
)
"""Every one of these has to be noticed."""

SIGNER_ROWS = (
    Row(id="foreign", what="another certificate with the same names", make=foreign, expected=STRANGER),
    Row(id="camera", what="a camera's self-signed certificate", make=camera, expected=STRANGER),
    Row(id="expired", what="certificate ran out after signing, no timestamp", make=expired, expected=EXPIRED),
)
"""The bytes are as signed; the question is by whom, and when."""

REMOVAL_ROWS = (
    Row(id="stripped", what="manifest removed", make=on_bytes(tamper.strip), expected=NONE),
    Row(id="re-encoded", what="opened and saved in the same format", make=on_bytes(tamper.reencode), expected=NONE),
    Row(id="converted", what="opened and saved in each other format", make=converted, expected=NONE),
)
"""Indistinguishable from an image that was never signed."""

PADDING_ROWS = (
    Row(
        id="padding",
        what="a box of padding (`free`, `skip`) appended",
        make=padded,
        expected=TRUSTED,
        only=("AVIF",),
        elsewhere=_ONLY_AVIF,
    ),
    Row(
        id="file-type",
        what="minor version in the file type box edited",
        make=file_type_edited,
        expected=TRUSTED,
        only=("AVIF",),
        elsewhere=_ONLY_AVIF,
    ),
    Row(
        id="detached-padding",
        what="manifest lifted into a sidecar, its box turned into padding",
        make=detached_padding,
        expected=TRUSTED,
        only=("AVIF",),
        elsewhere=_ONLY_AVIF,
    ),
)
"""What C2PA lets change: bytes that no decoder reads. The pixels are the signed ones."""
