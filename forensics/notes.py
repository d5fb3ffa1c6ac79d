"""Observations of the metadata check: one wording, one bound on the length of values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.vocabulary import Claim, Detail, Observation

CHECK = "metadata"
CAVEAT = "Anyone can write or remove it."
MAX_VALUE = 500
"""Characters of one value that a report repeats."""


def observe(
    signal: str,
    claim: Claim | None,
    summary: str,
    details: Iterable[Detail] = (),
    *,
    contradiction: bool = False,
) -> Observation:
    """An observation without the details that are empty."""
    filled = tuple(each for each in details if each.value)
    return Observation(
        check=CHECK, signal=signal, claim=claim, summary=summary, details=filled, contradiction=contradiction
    )


def detail(name: str, value: object, *, private: bool = False) -> Detail:
    """One named value, on one line and cut to a length that a report can bear."""
    text = " ".join(str(value)[: 4 * MAX_VALUE].split())
    if len(text) > MAX_VALUE:
        text = text[: MAX_VALUE - 1] + "…"
    return Detail(name=name, value=text, private=private)


def prompt(*texts: str, negative: str = "") -> Iterator[Observation]:
    """The generator's prompt, where one stands in the file in clear text."""
    details = [*(detail("Prompt", text) for text in texts), detail("Negative prompt", negative)]
    if any(each.value for each in details):
        yield observe("prompt", None, "A generator's prompt stands in the file in clear text.", details)


def merge_prompts(notes: Iterable[Observation]) -> tuple[Observation, ...]:
    """The observations with at most one about prompts, since several fields often repeat the same one."""
    notes = tuple(notes)
    prompts = [note for note in notes if note.signal == "prompt"]
    others = tuple(note for note in notes if note.signal != "prompt")
    if not prompts:
        return others
    details = dict.fromkeys(each for note in prompts for each in note.details)
    return (*others, observe("prompt", None, prompts[0].summary, details))
