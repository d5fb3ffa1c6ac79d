"""Is this environment sound? Each finding says what was looked at, what it is, and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from importlib import metadata
from importlib.util import find_spec
from io import BytesIO
from time import perf_counter

from PIL import Image

from assay import codec, device
from assay.errors import AssayError
from assay.formats import FORMATS
from assay.guard import Worker
from assay.jobs.protocol import Request
from assay.jobs.trust_lists import PUBLISHED, published_as
from assay.jobs.worker import LIBRARIES
from assay.vocabulary import DEFAULT_TRUST, TRUST_LIST_MAX_AGE_DAYS, Settings, ToolFacts
from detection import clip
from forensics import distrust, trust
from forensics.trust import ListKind, TrustList

OUR_NAMES = ("assay", "generation", "watermark", "detection", "forensics", "dashboard")
"""Our top-level names are common words, which other distributions install, too."""


class State(StrEnum):
    """How a finding bears on the results."""

    SOUND = "sound"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str
    state: State
    text: str
    remedy: str = ""


def examine(settings: Settings, *, today: date) -> Iterator[Finding]:
    """Look at everything; one broken part never hides the others."""
    looks: tuple[tuple[str, Callable[[], Iterator[Finding]]], ...] = (
        ("python", _python),
        ("names", _names),
        ("formats", _formats),
        ("trust lists", lambda: _trust(settings, today)),
        ("guarded workers", lambda: _workers(settings)),
        ("accelerator", _accelerator),
        (clip.NAME, lambda: _clip(settings)),
    )
    for what, look in looks:
        try:
            yield from look()
        except AssayError as error:
            yield Finding(what=what, state=State.PROBLEM, text=str(error), remedy=error.hint)


def _python() -> Iterator[Finding]:
    version = ".".join(str(part) for part in sys.version_info[:3])
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    yield Finding(what="python", state=State.SOUND, text=f"Python {version}; {libraries}")


def _names() -> Iterator[Finding]:
    owners = metadata.packages_distributions()
    for name in OUR_NAMES:
        others = sorted(set(owners.get(name, ())) - {"assay"})
        if others:
            yield Finding(
                what="names",
                state=State.PROBLEM,
                text=f"the package {name!r} also belongs to {', '.join(others)}",
                remedy="Install Assay into an environment of its own.",
            )
    yield Finding(what="names", state=State.SOUND, text="looked for other owners of " + ", ".join(OUR_NAMES))


def _formats() -> Iterator[Finding]:
    missing = [family for family in FORMATS.values() if family.plugin and not find_spec(family.plugin.split(":")[0])]
    present = ", ".join(name for name, family in FORMATS.items() if family not in missing)
    yield Finding(what="formats", state=State.SOUND, text=f"opens {present}")
    if missing:
        names = ", ".join(family.name for family in missing)
        yield Finding(
            what="formats",
            state=State.NOTE,
            text=f"does not open {names}",
            remedy="Install the extra: pip install 'assay[formats]'",
        )


def _trust(settings: Settings, today: date) -> Iterator[Finding]:
    lists = trust.load(settings).lists
    yield from _missing(settings, {entry.kind for entry in lists})
    for entry in lists:
        yield _age(settings, entry, today)
    if distrusted := distrust.load(settings):
        yield Finding(
            what="distrusted",
            state=State.SOUND,
            text=f"{len(distrusted)} certificates distrusted, in every profile; assay trust list shows them",
        )


def _missing(settings: Settings, kinds: set[ListKind]) -> Iterator[Finding]:
    """What the profile has no list for, and what that means for the answers."""
    holds = f"the profile {settings.trust!r} holds no list"
    if not kinds:
        text = f"{holds}: no signer is trusted, and no time stamp counts"
        yield Finding(what="trust lists", state=State.NOTE, text=text, remedy=_fill(settings))
        return
    if not kinds & {ListKind.SIGNERS, ListKind.ALLOWED}:
        text = f"{holds} of signers: no signer is trusted"
        yield Finding(what="signers", state=State.NOTE, text=text, remedy=_fill(settings, ListKind.SIGNERS))
    if ListKind.TIMESTAMPS not in kinds:
        text = (
            f"{holds} of time-stamp authorities: no time stamp counts, "
            "so what was signed with a certificate that has expired since is not trusted"
        )
        yield Finding(what="time stamps", state=State.NOTE, text=text, remedy=_fill(settings, ListKind.TIMESTAMPS))


def _fill(settings: Settings, kind: ListKind | None = None) -> str:
    """The command that fills a gap: an update where the profile has a publisher, or certificates of one's own."""
    by_hand = f"assay trust add FILE --kind {kind or 'KIND'}{_option(settings)}"
    if settings.trust in PUBLISHED:
        return f"Run assay trust update{_option(settings)}, or {by_hand}."
    return f"Run {by_hand}."


def _age(settings: Settings, entry: TrustList, today: date) -> Finding:
    dated = entry.issued or entry.added
    age = (today - dated).days
    known = "issued" if entry.issued else "added"
    published = published_as(entry, settings.trust)
    is_frozen = published is not None and published.issued is not None
    is_old = age > TRUST_LIST_MAX_AGE_DAYS and not is_frozen
    return Finding(
        what="trust lists",
        state=State.NOTE if is_old else State.SOUND,
        text=f"{settings.trust}: {entry.certificates} certificates for {entry.kind}, {known} {dated}, "
        f"{age} days ago, sha256 {entry.sha256[:12]}, from {entry.source}"
        + (", where its publisher has frozen it" if is_frozen else ""),
        remedy=_renew(settings, entry, is_published=published is not None) if is_old else "",
    )


def _renew(settings: Settings, entry: TrustList, *, is_published: bool) -> str:
    option = _option(settings)
    if is_published:
        return f"Run assay trust update{option}."
    return (
        f"Get it anew from where it came, and run assay trust add FILE --kind {entry.kind}{option} with a file of the "
        f"same name, or take it out: assay trust remove {entry.sha256[:12]}{option}."
    )


def _option(settings: Settings) -> str:
    return "" if settings.trust == DEFAULT_TRUST else f" --trust {settings.trust}"


def _workers(settings: Settings) -> Iterator[Finding]:
    """Start one for good: this runs the self-test that the network is closed."""
    worker = Worker("assay.jobs.worker", codec.encode(settings), settings.limits)
    try:
        started = perf_counter()
        tools = codec.decode(ToolFacts, worker.greeting["tools"])
        start_seconds = perf_counter() - started
        image = BytesIO()
        Image.new("RGB", (8, 8)).save(image, "PNG")
        request = Request(name="self-test", size=len(image.getvalue()), decode=True)
        started = perf_counter()
        worker.ask(codec.encode(request), name="self-test", blob=image.getvalue())
        file_seconds = perf_counter() - started
    finally:
        worker.close()
    yield Finding(
        what="guarded workers",
        state=State.SOUND,
        text=f"a worker starts in {start_seconds:.2f} s, answers in {file_seconds * 1000:.0f} ms, refuses to fetch "
        f"remote manifests (c2pa-rs {tools.libraries['c2pa-rs']})",
    )


def _accelerator() -> Iterator[Finding]:
    kinds = device.available()
    text = ", ".join(kinds) if kinds else "torch is not installed; nothing in this installation needs it"
    yield Finding(what="accelerator", state=State.SOUND, text=text)


def _clip(settings: Settings) -> Iterator[Finding]:
    """What detectors look with beside their own weights; a wrong file raises, with the remedy."""
    if not clip.place(settings.home).is_file():
        text = "the weights of CLIP are not here; detectors work without them"
        yield Finding(what=clip.NAME, state=State.NOTE, text=text, remedy=f"Run {clip.COMMAND}.")
        return
    path = clip.require(settings.home)
    yield Finding(what=clip.NAME, state=State.SOUND, text=f"{path}, sha256 {clip.SHA256[:12]}")
