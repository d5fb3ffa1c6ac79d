"""The weights of an ONNX file, without the library: a file of protocol buffers, of which few fields matter here.

What is read follows `onnx.proto` of ONNX 1.17 and the wire format of protocol buffers. Only what stores weights is
understood: names, shapes and values of tensors, and which nodes take them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.generic]

_VARINT, _EIGHT, _BYTES, _FOUR = 0, 1, 2, 5
"""Wire types."""
_GRAPH = 7
_NODE, _INITIALIZER = 1, 5
_INPUT, _OUTPUT, _OPERATOR = 1, 2, 4
_DIMENSIONS, _TYPE, _FLOATS, _INTEGERS, _NAME, _RAW = 1, 2, 4, 5, 8, 9
"""Field numbers."""
_TYPES: Mapping[int, np.dtype[np.generic]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """One operation."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graph:
    """What a file computes, and with which weights."""

    nodes: tuple[Node, ...]
    tensors: Mapping[str, Array]


def read(data: bytes) -> Graph:
    """The graph of a file.

    Raises:
        ValueError: It breaks off, or stores a tensor in a way that is not known.
    """
    nodes, tensors = [], {}
    for number, value in _fields(_only(memoryview(data), _GRAPH)):
        if number == _NODE:
            nodes.append(_node(_as_bytes(value)))
        elif number == _INITIALIZER:
            name, tensor = _tensor(_as_bytes(value))
            tensors[name] = tensor
    return Graph(nodes=tuple(nodes), tensors=tensors)


def _node(data: memoryview) -> Node:
    texts: dict[int, list[str]] = {_INPUT: [], _OUTPUT: [], _OPERATOR: []}
    for number, value in _fields(data):
        if number in texts:
            texts[number].append(bytes(_as_bytes(value)).decode())
    return Node(operator="".join(texts[_OPERATOR]), inputs=tuple(texts[_INPUT]), outputs=tuple(texts[_OUTPUT]))


def _tensor(data: memoryview) -> tuple[str, Array]:
    shape: list[int] = []
    kind, name, values = 0, "", None
    for number, value in _fields(data):
        if number == _DIMENSIONS:
            shape += [value] if isinstance(value, int) else _varints(value)
        elif number == _TYPE and isinstance(value, int):
            kind = value
        elif number == _NAME:
            name = bytes(_as_bytes(value)).decode()
        elif number in (_RAW, _FLOATS):
            values = np.frombuffer(_as_bytes(value), np.uint8)
        elif number == _INTEGERS:
            integers = np.array(_varints(_as_bytes(value)), np.uint64).astype(np.int64)
            values = integers.astype(_known(kind)).view(np.uint8)
    stored = np.zeros(0, np.uint8) if values is None else values
    return name, stored.view(_known(kind)).reshape(shape)


def _known(kind: int) -> np.dtype[np.generic]:
    if kind not in _TYPES:
        raise ValueError(f"a tensor of type {kind}, which is not read here")
    return _TYPES[kind]


def _only(data: memoryview, wanted: int) -> memoryview:
    found = [value for number, value in _fields(data) if number == wanted]
    if len(found) != 1:
        raise ValueError("no graph, or several")
    return _as_bytes(found[0])


def _as_bytes(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where bytes are expected")
    return value


def _fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Number and value of each field of a message."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        size, at = _varint(data, at) if wire == _BYTES else ({_EIGHT: 8, _FOUR: 4}.get(wire, -1), at)
        if size < 0 or at + size > len(data):
            raise ValueError("the file breaks off, or is not ONNX")
        yield number, data[at : at + size]
        at += size


def _varints(data: memoryview) -> list[int]:
    found, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        found.append(value)
    return found


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data) and shift < 70:  # noqa: PLR2004 - ten bytes of seven bits
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the last one
            return value, at
    raise ValueError("the file breaks off, or is not ONNX")
