"""What the manifests of a history say of a place, a device and its owner, and the prompts that they repeat.

A manifest is not read by tools that strip metadata, and it lies in the file whether its signature holds or not. Every
value was written by whoever made the file: any value may have any type, and nothing here recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from assay.vocabulary import Detail, Observation
from forensics.notes import detail
from forensics.personal import devices, distinct, is_prompt, places

_CHECK = "credentials"
_MAX_NODES = 50_000
_LEFT_OUT = ("cawg.identity", "c2pa.hash.", "c2pa.thumbnail.")
"""Assertions with serial numbers of certificates, and those that hold bytes."""
_TYPES = ("dataTypes", "data_types")
_CLOSED = frozenset(
    {"@context", "validationResults", "validationStatus", "certificateInfo", "signature", "hash", "pad", *_TYPES}
)
_TELLING = re.compile(
    r"itude|\b(?:gps_?)?l(?:at|on|ng)|gps|geo|serial|owner|prompt|imei|drone|country|cell|Types", re.IGNORECASE
)
"""What stands in every name that says something: most objects have none, and are passed over quickly."""
_PROMPT_TYPE = "c2pa.types.generator.prompt"
_TITLES = ("description", "dc:description", "informational_URI", "dc:title", "title")

Named = list[tuple[str, str]]


def personal(manifests: Sequence[dict[str, Any]]) -> Iterator[Observation]:
    """Yield at most one observation each about places, devices and prompts, over all manifests.

    Args:
        manifests: As crJSON lists them, the active one first. Their metadata assertions (C2PA 2.2, section 18.15), the
            parameters of their actions (section 18.14) and those of their ingredients are read alike.
    """
    objects = list(_objects(manifests))
    yield from _note(
        "location",
        "The Content Credentials hold signs of a place, such as where the picture was taken.",
        distinct((each for named in objects for each in places(named)), by_name=True),
    )
    yield from _note(
        "serial-numbers",
        "The Content Credentials hold serial numbers or the camera's owner.",
        distinct(each for named in objects for each in devices(named)),
    )
    yield from _note(
        "prompt",
        "A generator's prompt stands in the Content Credentials in clear text.",
        distinct(each for named in objects for each in _prompts(named)),
    )


def _note(signal: str, summary: str, found: tuple[Detail, ...]) -> Iterator[Observation]:
    if found:
        yield Observation(check=_CHECK, signal=signal, claim=None, summary=summary, details=found)


def _objects(manifests: Sequence[dict[str, Any]]) -> Iterator[Named]:
    """The texts and numbers of every object in the assertions, each list with the names beside which they stand."""
    waiting = [("", body) for manifest in reversed(manifests) for body in reversed(list(_assertions(manifest)))]
    for _ in range(_MAX_NODES):
        if not waiting:
            return
        name, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(name, each) for each in reversed(value[:_MAX_NODES])]
        elif isinstance(value, dict):
            named = list(_named(name, value))
            if _TELLING.search(" ".join(name for name, _ in named)):
                yield named
            waiting += [(str(key), each) for key, each in value.items() if key not in _CLOSED and _is_inner(each)]
        elif is_prompt(name) and isinstance(value, str):
            yield [(name, value)]


def _assertions(manifest: dict[str, Any]) -> Iterator[Any]:
    found = manifest.get("assertions")
    for label, body in found.items() if isinstance(found, dict) else ():
        if not str(label).startswith(_LEFT_OUT):
            yield body


def _is_inner(value: Any) -> bool:
    return isinstance(value, dict | list)


def _named(name: str, value: dict[Any, Any]) -> Iterator[tuple[str, str]]:
    """The plain values of an object; those of an object that is itself a prompt count as one."""
    for key, each in value.items():
        if isinstance(each, str | int | float) and not isinstance(each, bool):
            yield (name if is_prompt(name) else str(key)), str(each)
        elif key in _TYPES and isinstance(each, list):
            yield from ((str(key), inner["type"]) for inner in each if _is_typed(inner))


def _is_typed(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("type"), str)


def _prompts(named: Iterable[tuple[str, str]]) -> Iterator[Detail]:
    """Texts whose name says that they are a prompt, and the title of an ingredient whose type says so."""
    named = list(named)
    for name, value in named:
        if is_prompt(name) and value.strip():
            yield detail("Prompt", value, private=True)
    if any(value.startswith(_PROMPT_TYPE) for _, value in named):
        titles = dict(named)
        title = next((titles[name] for name in _TITLES if titles.get(name)), "an ingredient of its own")
        yield detail("Prompt", title, private=True)
