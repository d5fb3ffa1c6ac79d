"""Files of results: of one setup each, an item a line, gone on with where a run was interrupted."""

from __future__ import annotations

import json
from dataclasses import Field, fields
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeVar

from assay.codec import decode, encode
from assay.errors import ConfigurationError
from assay.files import write_whole


class Kept(Protocol):
    """A dataclass of a setup, and of tuples of what was measured with it."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def setup(self) -> Any:
        """What all of the file has in common."""


Results = TypeVar("Results", bound=Kept)


def load(path: Path, empty: Results) -> Results:
    """The results so far.

    Args:
        path: Of the file.
        empty: What there is without one; says which setup the file has to be of.

    Raises:
        ConfigurationError: The file is of another setup, or no results file.
    """
    if not path.exists():
        return empty
    results = read(path, type(empty))
    if results.setup != empty.setup:
        raise ConfigurationError(
            f"{path}: was measured with {results.setup}, not {empty.setup}", hint="Use another --out."
        )
    return results


def read(path: Path, kind: type[Results]) -> Results:
    """A results file.

    Raises:
        ConfigurationError: It cannot be read, or is none of this kind.
    """
    try:
        return decode(kind, json.loads(path.read_text()))
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise ConfigurationError(f"{path}: not a results file: {error}", hint="Use another file.") from error


def save(path: Path, results: Kept) -> None:
    """Write a results file: an item a line, and whole or not at all."""
    parts = [f'"setup": {json.dumps(encode(results.setup))}']
    for field in fields(results):
        if field.name != "setup":
            lines = ",\n".join(json.dumps(encode(each)) for each in getattr(results, field.name))
            parts.append(f'"{field.name}": [\n{lines}\n]')
    write_whole(path, ("{" + ",\n".join(parts) + "}\n").encode())
