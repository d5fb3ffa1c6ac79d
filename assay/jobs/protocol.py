"""What `verify` and its guarded workers say to each other. Imports no decoder: the caller parses nothing itself."""

from __future__ import annotations

from dataclasses import dataclass

from assay.vocabulary import Check, Exhibit, ExhibitFacts, Failed, Outcome

STDIN_NAME = "<stdin>"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One input to examine."""

    name: str
    path: str | None = None
    """None where the bytes lie in the shared memory."""
    size: int = 0
    """Bytes in the shared memory."""
    decode: bool = False
    preview: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the worker found."""

    facts: ExhibitFacts
    outcomes: tuple[Outcome, ...]
    height: int = 0
    """Of the decoded pixels in the shared memory, uint8 (height, width, 3); 0 where none were wanted or possible."""
    width: int = 0
    withheld: Failed | None = None
    """The limit that the pixels of a sound file exceed, so that they were not decoded."""
    preview: bytes | None = None
    peak_bytes: int = 0
    """The largest memory this worker ever took (resident set)."""


def run(check: Check, received: Exhibit) -> tuple[Outcome, ...]:
    """Run one check so that a broken one never hides the others."""
    try:
        return check.examine(received)
    except Exception as error:  # a check may break in any way on hostile input
        reason = f"{type(error).__name__}: {error}"
        return (
            Failed(
                check=check.id,
                error=f"{received.facts.name}: {check.id} could not be done: {reason}",
                hint="The other checks went on. Please report the file, or its kind.",
            ),
        )
