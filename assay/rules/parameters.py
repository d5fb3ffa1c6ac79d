"""From the keys of a TOML table to a rule: every value is checked against what the rule declares."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from assay.errors import PolicyError
from assay.rules.rule import Rule

_WORDS: dict[object, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    tuple[str, ...]: "a list of texts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """One parameter as the docs and the loader see it."""

    name: str
    hint: object
    default: object
    """`MISSING` where the policy has to give it."""
    meaning: str
    choices: tuple[str, ...]
    minimum: int | None
    may_be_empty: bool

    @property
    def kind(self) -> str:
        """The type in words."""
        return _WORDS[self.hint]


def parameters(rule_type: type[Rule]) -> tuple[Parameter, ...]:
    """What can be set on a rule, in the order of its declaration."""
    hints = get_type_hints(rule_type)
    declared: tuple[Field[Any], ...] = fields(rule_type)  # type: ignore[arg-type]  # every rule is a dataclass
    return tuple(
        Parameter(name=item.name, hint=_without_none(hints[item.name]), default=item.default, **item.metadata)
        for item in declared
    )


def build(rule_type: type[Rule], values: Mapping[str, object], *, where: str) -> Rule:
    """Make a rule from the values that a policy gives.

    Args:
        rule_type: Which rule.
        values: Its parameters as TOML gave them; only such as the rule has.
        where: The file and the rule, for messages.

    Raises:
        PolicyError: A parameter is missing, of the wrong type or out of range.
    """
    known = {item.name: item for item in parameters(rule_type)}
    for name, item in known.items():
        if item.default is MISSING and name not in values:
            raise PolicyError(f"{where}: '{name}' is missing", hint=f"Give {item.kind}: {item.meaning}.")
    accepted = {name: _accept(known[name], value, where=f"{where}: '{name}'") for name, value in values.items()}
    rule = rule_type(**accepted)
    if problem := rule.problem():
        raise PolicyError(f"{where}: the parameters do not make a rule", hint=problem)
    return rule


def unknown(what: str, name: str, known: Iterable[str], *, where: str) -> PolicyError:
    """The error for a name that does not exist, with the closest one that does."""
    candidates = sorted(known)
    close = difflib.get_close_matches(name, candidates, n=1)
    offer = f"Did you mean '{close[0]}'?" if close else f"Known: {', '.join(candidates) or 'none'}."
    return PolicyError(f"{where}: unknown {what} '{name}'", hint=offer)


def texts(value: object, *, where: str) -> tuple[str, ...]:
    """A list of non-empty texts.

    Raises:
        PolicyError: The value is something else.
    """
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise PolicyError(f"{where} is not a list of texts", hint='Write it as a list: ["…", "…"].')
    return tuple(value)


def _accept(item: Parameter, value: object, *, where: str) -> object:
    if item.hint == tuple[str, ...]:
        listed = texts(value, where=where)
        if not listed and not item.may_be_empty:
            raise PolicyError(f"{where} is empty", hint="List at least one, or leave the key out.")
        return tuple(_choose(item, each, where=where) for each in listed)
    if not _has_type(value, item.hint):
        raise PolicyError(f"{where} is not {item.kind}", hint=f"Give {item.kind}: {item.meaning}.")
    if isinstance(value, str):
        return _choose(item, value, where=where)
    if isinstance(value, int | float) and item.minimum is not None and value < item.minimum:
        raise PolicyError(f"{where} is below {item.minimum}", hint=f"Give {item.minimum} or more.")
    return value


def _choose(item: Parameter, value: str, *, where: str) -> str:
    if not item.choices:
        return value
    for choice in item.choices:
        if choice.casefold() == value.casefold():
            return choice
    raise unknown("value", value, item.choices, where=where)


def _has_type(value: object, hint: object) -> bool:
    if hint is float:
        return type(value) is int or (isinstance(value, float) and math.isfinite(value))
    return type(value) is hint  # not isinstance: true is no number


def _without_none(hint: object) -> object:
    if get_origin(hint) is UnionType:
        (hint,) = (member for member in get_args(hint) if member is not type(None))
    return hint
