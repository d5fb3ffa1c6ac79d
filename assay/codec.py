"""The vocabulary as JSON, and back.

Workers answer in JSON rather than pickle: a decoder that a hostile file has taken over can then say nothing worse than
a wrong report. Unions of dataclasses are told apart by a `kind` key; an enum is its value; bytes are base64.
"""

from __future__ import annotations

import base64
import types
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from enum import StrEnum
from functools import cache, partial
from operator import attrgetter
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from assay import vocabulary

Json = dict[str, "Json"] | list["Json"] | str | int | float | bool | None
T = TypeVar("T")

_OUTCOMES: dict[str, type] = {kind.__name__.lower(): kind for kind in get_args(vocabulary.Outcome)}


def encode(value: object) -> Any:
    """Turn a value of the vocabulary into what `json.dumps` accepts.

    Raises:
        TypeError: The value holds something that the vocabulary does not know.
    """
    kind: Any = type(value)
    return _encoder(kind)(value)


@cache
def _encoder(kind: type) -> Callable[[Any], Any]:
    """What encodes values of one type; see `_decoder`."""
    simple: tuple[tuple[type | tuple[type, ...], Callable[[Any], Any]], ...] = (
        (StrEnum, attrgetter("value")),
        ((NoneType, bool, int, float, str), _as_it_is),
        (bytes, lambda value: base64.b64encode(value).decode("ascii")),
        (date, date.isoformat),
        (Path, str),
        ((tuple, list), lambda value: [encode(item) for item in value]),
        (Mapping, lambda value: {str(key): encode(item) for key, item in value.items()}),
    )
    for kinds, encoder in simple:
        if issubclass(kind, kinds):
            return encoder
    if is_dataclass(kind):
        return _encode_dataclass
    raise TypeError(f"{kind.__name__} is not part of the vocabulary")


def _as_it_is(value: Any) -> Any:
    return value


def _encode_dataclass(value: Any) -> dict[str, Any]:
    cls: Any = type(value)
    kind = cls.__name__.lower()
    tagged: dict[str, Any] = {"kind": kind} if kind in _OUTCOMES else {}
    if isinstance(value, vocabulary.Attestation):
        tagged["state"] = value.state  # derived, yet what a reader of the JSON looks for first
    tagged.update((name, encode(getattr(value, name))) for name in _names(cls))
    return tagged


def decode(kind: type[T], data: Any) -> T:
    """Rebuild a value of `kind` from what `encode` made of it.

    Raises:
        TypeError, ValueError, KeyError: The data does not have that shape.
    """
    hint: Any = kind
    return _decoder(hint)(data)  # type: ignore[no-any-return]


@cache
def _decoder(kind: Any) -> Callable[[Any], Any]:
    """What rebuilds values of one type; worked out once a type, for reports hold hundreds of values."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return partial(_decode_union, get_args(kind))
    if origin is tuple:
        return partial(_decode_items, get_args(kind)[0])
    if origin is Mapping:
        return dict
    if is_dataclass(kind):
        return partial(_decode_dataclass, kind)
    return partial(_decode_scalar, kind)


def _decode_items(kind: Any, data: Any) -> tuple[Any, ...]:
    return tuple(map(_decoder(kind), data))


def _decode_dataclass(kind: Any, data: Any) -> Any:
    return kind(**{name: _decoder(hint)(data[name]) for name, hint in _hints(kind).items() if name in data})


def _decode_union(members: tuple[Any, ...], data: Any) -> Any:
    if data is None:
        return None
    if isinstance(data, dict) and "kind" in data:
        return _decoder(_OUTCOMES[data["kind"]])(data)
    (member,) = (member for member in members if member is not type(None))
    return _decoder(member)(data)


def _decode_scalar(kind: Any, data: Any) -> Any:
    if kind is bytes:
        return base64.b64decode(data, validate=True)
    if kind is date:
        return date.fromisoformat(data)
    if kind is float:
        return float(data)
    if kind is Path or issubclass(kind, StrEnum):
        return kind(data)
    if not isinstance(data, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(data).__name__}")
    return data


@cache
def _names(kind: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(kind))


@cache
def _hints(kind: Any) -> dict[str, Any]:
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in fields(kind)}
