"""What a rule is: a frozen dataclass whose fields are its parameters and whose `check` says what is wrong.

The first line of a rule's docstring is its row in every table. `why` and `remedy` complete what `assay explain` prints.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, field
from datetime import date
from typing import Any, ClassVar

from assay.vocabulary import Report, Severity

Masters = Mapping[str, Mapping[str, str | None]]
"""For each `masters` pattern: the stem of every examined master, and its name where it declares AI, else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a rule may know besides the report."""

    today: date
    """In UTC, as certificates are."""
    name: str
    """The file as a posix path relative to the policy's folder; the bare name of a file that has no path."""
    has_path: bool = True
    """False for an upload: its name says nothing of where it stands."""
    masters: Masters = field(default_factory=dict)


class Rule(ABC):
    """Something that a published image has to satisfy."""

    __slots__ = ()

    id: ClassVar[str]
    why: ClassVar[str]
    """What goes wrong for a publisher without the rule."""
    remedy: ClassVar[str]
    """What to do about a file that breaks it."""
    severities: ClassVar[tuple[Severity, ...]] = (Severity.ERROR, Severity.WARNING)
    """Those that the rule may have; the first is the default."""

    @abstractmethod
    def check(self, report: Report, context: Context, /) -> Iterator[str]:
        """Yield one message for each way in which the file breaks the rule, without repeating private values."""

    def problem(self) -> str | None:
        """What is wrong with the parameters taken together, as a remedy; None where nothing is."""
        return None

    @classmethod
    def title(cls) -> str:
        """The rule in one line."""
        return (cls.__doc__ or "").strip().partition("\n")[0]


def is_unchecked(report: Report, check: str) -> bool:
    """Is it unknown what this check would have found? What is unknown must not be called absent."""
    return report.exhibit.picture is None or any(failure.check == check for failure in report.failures)


CARRIERS: Mapping[str, str] = {"metadata": "its metadata", "credentials": "its Content Credentials"}
"""The checks that read texts and numbers which somebody wrote into the file, and what each of them reads."""


def could_not_read(report: Report, check: str) -> bool:
    """Did this check open the picture, but not all that it has to read in it?

    A file that is no picture at all is left to the rule `readable`.
    """
    return report.exhibit.picture is not None and any(failure.check == check for failure in report.failures)


def parameter(
    meaning: str,
    *,
    default: Any = MISSING,
    choices: tuple[str, ...] = (),
    minimum: int | None = None,
    may_be_empty: bool = False,
) -> Any:
    """Declare one parameter of a rule.

    Args:
        meaning: What it does, with its unit; it goes into the docs.
        default: Its value where the policy does not give it; without a default the policy has to.
        choices: The only texts that are allowed, compared without regard to case.
        minimum: The least number that is allowed.
        may_be_empty: Whether an empty list says something. Elsewhere it is a slip, and refused.
    """
    facts = {"meaning": meaning, "choices": choices, "minimum": minimum, "may_be_empty": may_be_empty}
    return field(metadata=facts) if default is MISSING else field(default=default, metadata=facts)
