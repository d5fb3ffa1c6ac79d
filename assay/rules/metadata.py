"""Rules about what the file's metadata says: whose picture it is, where it was taken, and whether it all fits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.rules.rule import CARRIERS, Context, Rule, could_not_read, is_unchecked, parameter
from assay.vocabulary import Observation, Report

_CHECK = "metadata"
_FIELDS = ("Creator", "Credit", "Copyright")
_PERSONAL = ("location", "serial-numbers")
_CONTRADICTIONS = ("camera-and-generator", "thumbnail-differs", "dates-disagree", "rights-disagree")


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsPresent(Rule):
    """Creator, credit line and copyright notice are filled in."""

    id = "rights-present"
    why = "Once a picture leaves the site, its metadata is the only thing that says whose it is."
    remedy = "Fill in the IPTC fields; a preset on import does it for every picture."

    fields: tuple[str, ...] = parameter("which fields", default=_FIELDS, choices=_FIELDS)
    need: str = parameter("whether all of them are needed, or any one", default="all", choices=("all", "any"))

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message naming the missing fields."""
        filled = {
            detail.name.partition(" [")[0]
            for rights in _observations(report, ("rights",))
            for detail in rights.details
            if detail.value.strip()
        }
        missing = [name for name in self.fields if name not in filled]
        if missing and (self.need == "all" or len(missing) == len(self.fields)):
            unchecked = is_unchecked(report, _CHECK)
            yield "its metadata could not be checked" if unchecked else f"its metadata lacks {', '.join(missing)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class RightsConsistent(Rule):
    """The places in the file that name its rights agree."""

    id = "rights-consistent"
    why = "IPTC, XMP and EXIF each hold a creator and a copyright; which one a reader sees depends on the software."
    remedy = "Write all three with one tool that keeps them the same."

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message when they disagree; the values are not repeated."""
        if any(_observations(report, ("rights-disagree",))):
            yield "its rights fields contradict each other"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoPersonalData(Rule):
    """The published copy holds no place and no serial numbers.

    Both the metadata and the Content Credentials are looked through, and so is what travels with the picture, such as
    the video of a motion photo. Where one of them could not be read, nothing shows that nothing stands there.
    """

    id = "no-personal-data"
    why = "A place leads to a source's door, and a serial number ties anonymous pictures to one camera's owner."
    remedy = "Strip these fields from the published copy; keep them in the master."

    kinds: tuple[str, ...] = parameter("what must not be there", default=_PERSONAL, choices=_PERSONAL)

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message naming the kinds that were found and where, never the values, and one for what is unread."""
        for check, place in CARRIERS.items():
            found = sorted({each.signal for each in _observations(report, self.kinds) if each.check == check})
            if found:
                verb = "holds" if check == _CHECK else "hold"
                yield f"{place} {verb} {' and '.join(kind.replace('-', ' ') for kind in found)}"
            elif could_not_read(report, check):
                yield f"{place} could not be read, so personal data may stand there"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoContradictions(Rule):
    """No two statements in the file contradict each other."""

    id = "no-contradictions"
    why = "A thumbnail of another picture, or a capture date after the edit, is the trace of a slip, or of a swap."
    remedy = "Go back to the source and find out which statement holds; then export the file again."

    signals: tuple[str, ...] = parameter("which contradictions", default=_CONTRADICTIONS, choices=_CONTRADICTIONS)

    def check(self, report: Report, _context: Context) -> Iterator[str]:
        """One message naming the contradictions that were found."""
        found = sorted({each.signal for each in _observations(report, self.signals) if each.contradiction})
        if found:
            yield f"its metadata contradicts itself ({', '.join(found)})"


def _observations(report: Report, signals: tuple[str, ...]) -> Iterator[Observation]:
    for outcome in report.outcomes:
        if isinstance(outcome, Observation) and outcome.signal in signals:
            yield outcome
