"""What stands inside the text fields of a file: plain texts, named values that stand together, graphs of nodes.

Generators and the programs that pass their files on wrap the same settings in ever new ways: as JSON in a text, as JSON
in a value of other JSON, with a name before the brace, as one text block a value. Here all of that is taken off, in
bounded steps, so that recognisers see the settings themselves.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forensics.fields import Field, Fields, Source

_MAX_STEPS, _MAX_DEPTH, _MAX_KEYS, _MAX_NODES = 1_000, 3, 200, 5_000
_MAX_LINES = 100
_BEFORE_JSON = re.compile(r"\s{0,9}(?:[A-Za-z][\w.:-]{0,40}(?:\s{0,9}[:=]\s{0,9}|\s{1,9}))?(?=\{)")
_LINE = re.compile(r"\s*([A-Za-z][\w ./-]{0,40}):[ \t]*(.*\S)\s*")
_INNER = frozenset({"image", "prompt", "sampling", "models"})
"""Objects in which old InvokeAI and stable-diffusion.cpp keep a part of their settings."""
_PREFIXES = ("mold:", "stable_diffusion_")
_NOT_A_LETTER_OR_DIGIT = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bag:
    """Named values that stand together."""

    field: Field
    """Where they stand; of several fields the first."""
    name: str
    """The key under which they stand: that of the field, or of the value inside it."""
    values: Mapping[str, Any]
    """By `plain_key`."""
    is_spread: bool = False
    """Every value is a field of its own."""
    prefix: str = ""
    """What all keys begin with, where a program marks them as its own."""

    @property
    def place(self) -> str:
        """Where they stand in words, fit for a sentence."""
        if not self.is_spread or self.field.source is Source.HIDDEN:
            return self.field.place
        return f"{self.field.place.partition(' `')[0]}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graph:
    """Nodes of a workflow: the class and the inputs of each."""

    field: Field
    nodes: tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """Everything that the text fields of one file hold, in the order of the fields."""

    texts: tuple[Field, ...]
    """Plain texts, each under the field it stands in."""
    bags: tuple[Bag, ...]
    graphs: tuple[Graph, ...]


def read_contents(fields: Fields) -> Contents:
    """Take off what the texts of a file are wrapped in; nothing is followed deeper or longer than a fixed bound."""
    texts: list[Field] = []
    bags: list[Bag] = [*_spread(fields, Source.PNG), *_spread(fields, Source.HIDDEN)]
    graphs: list[Graph] = []
    waiting = deque[tuple[Field, str, Any, int]]((field, field.name, field.value, 0) for field in _starts(fields))
    for _ in range(_MAX_STEPS):
        if not waiting:
            break
        field, name, value, depth = waiting.popleft()
        found = fields.json(without_name(value)) if isinstance(value, str) else value
        if not isinstance(found, dict):
            texts.append(Field(source=field.source, name=field.name, value=value))
            bags += _lines(field, value)
        elif nodes := tuple(_nodes(found)):
            graphs.append(Graph(field=field, nodes=nodes))
        else:
            pairs = list(found.items())[:_MAX_KEYS]
            own = _BEFORE_JSON.match(value) if isinstance(value, str) else None
            name = (own and own[0].strip(" \t\r\n:=")) or name
            bags.append(Bag(field=field, name=name, values=_plain(pairs), prefix=_prefix(key for key, _ in pairs)))
            inner = pairs if depth < _MAX_DEPTH else []
            waiting += ((field, key, each, depth + 1) for key, each in inner if isinstance(each, str | dict))
    return Contents(texts=tuple(texts), bags=tuple(bags), graphs=tuple(graphs))


def without_name(text: str) -> str:
    """The text without the name that programs put before JSON, as in `Prompt: {…}`; else as it is."""
    match = _BEFORE_JSON.match(text)
    return text[match.end() :] if match else text


def plain_key(key: str) -> str:
    """A key without case, spaces, signs and the prefix of its program: `CFG scale` and `cfg_scale` are one."""
    key = key.lower()
    for prefix in _PREFIXES:
        key = key.removeprefix(prefix)
    return _NOT_A_LETTER_OR_DIGIT.sub("", key)


def _starts(fields: Fields) -> Iterator[Field]:
    yield from fields.free_texts
    seen = {id(field) for field in fields.free_texts}
    for field in (*fields.makers, *fields.everything(Source.XMP)):
        if id(field) not in seen and _BEFORE_JSON.match(field.value):
            yield field


def _plain(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """By plain key, the first of each; what stands in inner objects of some names is added to what is around them."""
    found: dict[str, Any] = {}
    inner = (value for key, value in pairs if key in _INNER and isinstance(value, dict))
    for key, value in (*pairs, *(pair for each in inner for pair in list(each.items())[:_MAX_KEYS])):
        found.setdefault(plain_key(key), value)
    return found


def _spread(fields: Fields, source: Source) -> Iterator[Bag]:
    """All named texts of a file as one bag; each value must be one that is no JSON."""
    named = [field for field in fields.everything(source) if not _BEFORE_JSON.match(field.value)][:_MAX_KEYS]
    if len(named) > 1:
        prefix = _prefix(field.name for field in named)
        marked = [field for field in named if field.name.lower().startswith(prefix)]
        values = _plain([(field.name, field.value) for field in marked])
        yield Bag(field=marked[0], name="", values=values, is_spread=True, prefix=prefix)


def _prefix(keys: Iterable[str]) -> str:
    """The prefix by which a program marks its keys, if one of them has any."""
    lowered = [key.lower() for key in keys]
    return next((each for each in _PREFIXES if any(key.startswith(each) for key in lowered)), "")


def _lines(field: Field, text: str) -> Iterator[Bag]:
    """A text of which several lines are a name, a colon and a value."""
    lines = (_LINE.fullmatch(line) for line in text.split("\n", _MAX_LINES)[:_MAX_LINES])
    pairs = [(match[1], match[2]) for match in lines if match]
    if len(pairs) > 1:
        yield Bag(field=field, name=field.name, values=_plain(list(pairs)))


def _nodes(graph: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Class and inputs of every node: of an API graph (`class_type`), or of a drawn one (`nodes` and `links`)."""
    drawn = _drawn(graph) if "links" in graph or "last_node_id" in graph else None
    nodes, key = (list(graph.values()), "class_type") if drawn is None else (drawn, "type")
    for node in nodes[:_MAX_NODES]:
        if isinstance(node, dict) and isinstance(node.get(key), str):
            inputs = node.get("inputs")
            yield node[key], inputs if isinstance(inputs, dict) else {}


def _drawn(graph: Mapping[str, Any]) -> list[Any] | None:
    """The nodes of a drawn graph, and of the graphs that it defines for use as nodes."""
    nodes = graph.get("nodes")
    if not isinstance(nodes, list):
        return None
    definitions = graph.get("definitions")
    subgraphs = definitions.get("subgraphs") if isinstance(definitions, dict) else None
    defined = [each.get("nodes") for each in subgraphs if isinstance(each, dict)] if isinstance(subgraphs, list) else []
    return [*nodes, *(node for each in defined if isinstance(each, list) for node in each)]
