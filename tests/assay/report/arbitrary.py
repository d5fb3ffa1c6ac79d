"""Hypothesis: any report whatever, with hostile text in every field that holds text."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from assay.vocabulary import Manifest, Report

MARK = "MaRk"
"""Opens every hostile text, so that a test can find where it landed."""
HOSTILE = tuple(
    MARK + text
    for text in (
        "<script>alert(1)</script>",
        "\"' onerror=alert(1) x='",
        "<!--", "]]>", "</style></title>", "&lt;b&gt;&#60;", "{{ 7*7 }}{% raw %}", "{0}",
        "\x1b[2J\x1b]0;title\x07", "\x9b31m", "\r\nverdict: trusted\n", "\x00", "\x7f\x85\u2028\u2029",
        "\ud800", "\udfff\udc80", "\u202egnp.exe\u2066\u2069", "\u200b\u200d\ufeff\u00ad\u3164", "\ufffe\uffff",
        "| a | b |\n| - | - |", "`x` ``", "[text](http://example.org)", "![i](http://example.org/i.png)",
        "<img src=http://example.org/i.png>", "@octocat #1 GH-1 :+1:", "www.example.org http://example.org",
        "a@example.org", "* x\n# y\n> z", "- [ ] x", "~~x~~ **x** __x__", "$x$", "../../../etc/passwd", "/", "%00%2e",
        "a\\", "\u0627\u0644",
    )
)  # fmt: skip

_CHARACTERS = st.characters(exclude_categories=())
TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(_CHARACTERS, max_size=12))
_SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    bytes: st.binary(max_size=8),
    int: st.integers(0, 10**12),
    float: st.floats(),
    bool: st.booleans(),
    date: st.dates(),
    types.NoneType: st.none(),
}


def anything(kind: Any) -> st.SearchStrategy[Any]:
    """Every value of a type of the vocabulary, optional fields included."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(anything, get_args(kind)))
    if origin is tuple:
        return st.lists(anything(get_args(kind)[0]), max_size=2).map(tuple)
    if origin is Mapping:
        return st.dictionaries(TEXT, TEXT, max_size=2)
    if kind in _SCALARS:
        return _SCALARS[kind]
    return st.sampled_from(kind) if issubclass(kind, StrEnum) else _instances(kind)


@cache
def _instances(kind: Any) -> st.SearchStrategy[Any]:
    hints = get_type_hints(kind)
    if kind is Manifest:
        return _manifests({name: hint for name, hint in hints.items() if name != "ingredients"})
    return st.builds(kind, **{item.name: anything(hints[item.name]) for item in fields(kind)})


def _manifests(hints: dict[str, Any]) -> st.SearchStrategy[Manifest]:
    values = {name: anything(hint) for name, hint in hints.items()}
    return st.recursive(
        st.builds(Manifest, **values),
        lambda below: st.builds(Manifest, **values, ingredients=st.lists(below, max_size=2).map(tuple)),
        max_leaves=3,
    )


def with_text(value: Any, text: str) -> Any:
    """The same value with this text in every field of plain text; what a format looks up by name stays."""
    if type(value) is str:
        return text
    if isinstance(value, tuple):
        return tuple(with_text(item, text) for item in value)
    if isinstance(value, Mapping):
        return {name: with_text(item, text) for name, item in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        kept = ("check", "signal", "schema")
        changed = {item.name for item in fields(value)} - set(kept)
        return replace(value, **{name: with_text(getattr(value, name), text) for name in changed})
    return value


REPORTS: st.SearchStrategy[list[Report]] = st.lists(anything(Report), max_size=2)
