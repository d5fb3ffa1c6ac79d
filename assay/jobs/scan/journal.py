"""The journal of a scan: every finished row at once, in a file beside the table, until the table is written.

A line is `{"conditions": …, "row": …}`. Conditions are a digest of all that rows of the same bytes depend on, so that a
scan under other settings neither uses rows nor loses them. Only the last line can be torn, and that one is dropped.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

from assay import codec
from assay.errors import ConfigurationError
from assay.jobs.scan.rows import Row


def journal_of(table: Path) -> Path:
    """Where the journal of a table is."""
    return table.with_name(f"{table.name}.journal")


class Journal:
    """The journal of one scan under way; a context manager that no other scan can enter at the same time.

    Args:
        table: What the rows are for.

    Raises:
        ConfigurationError: Another scan writes there, or nothing can be written there.
    """

    def __init__(self, table: Path) -> None:
        self._path = journal_of(table)
        try:
            self._stream = _locked(self._path)
        except BlockingIOError as error:
            raise ConfigurationError(
                f"{table}: another scan writes there", hint="Wait until it is done, or choose another place with --out."
            ) from error
        except OSError as error:
            raise unwritable(table, error) from error
        self._conditions = ""
        self._offsets: dict[str, int] = {}
        self._earlier: dict[str, int] = {}
        self._sizes: set[int] = set()

    def load(self, conditions: str) -> None:
        """Find the rows that count under these conditions; drop a torn last line."""
        self._conditions = conditions
        for index in (self._offsets, self._earlier, self._sizes):
            index.clear()
        end = 0
        for offset, line in _lines(self._stream):
            end = offset + len(line)
            entry = _parsed(line)
            if entry is not None and entry["conditions"] == conditions:
                self._offsets[entry["row"]["path"]] = offset
                self._remember(entry["row"]["sha256"], entry["row"]["byte_size"], offset)
        self._stream.truncate(end)

    def __contains__(self, path: str) -> bool:
        return path in self._offsets

    def find(self, path: str) -> Row | None:
        """The last row of a path, as rows write it."""
        offset = self._offsets.get(path)
        return None if offset is None else self.at(offset)

    def knows_size(self, byte_size: int) -> bool:
        """Whether a row of an earlier scan is about so many bytes: other files need not be hashed."""
        return byte_size in self._sizes

    def of_bytes(self, sha256: str) -> Row | None:
        """The last row of an earlier scan that is about these bytes, whatever their name was then."""
        offset = self._earlier.get(sha256)
        return None if offset is None else self.at(offset)

    def offset(self, path: str) -> int:
        """Where the last row of a path is.

        Raises:
            KeyError: There is none.
        """
        return self._offsets[path]

    def add(self, row: Row) -> int:
        """Append a row, and hand it to the system at once; returns where it is.

        Raises:
            OSError: The disk is full, say. The rows before stay as they are.
        """
        offset = self._stream.seek(0, os.SEEK_END)
        entry = {"conditions": self._conditions, "row": codec.encode(row)}
        line = json.dumps(entry).encode() + b"\n"
        written = 0
        try:
            while written < len(line):  # not through the stream's buffer, which closing would try to write once more
                written += os.pwrite(self._stream.fileno(), line[written:], offset + written)
        except OSError:
            self._stream.truncate(offset)
            raise
        self._offsets[row.path] = offset
        return offset

    def adopt(self, row: Row) -> None:
        """Append a row of an older table.

        Raises:
            OSError: As for `add`.
        """
        self._remember(row.sha256, row.byte_size, self.add(row))

    def at(self, offset: int) -> Row:
        """The row that `add` or `offset` told the place of."""
        self._stream.seek(offset)
        return codec.decode(Row, json.loads(self._stream.readline())["row"])

    def _remember(self, sha256: str | None, byte_size: int | None, offset: int) -> None:
        if sha256 is not None and byte_size is not None:
            self._earlier[sha256] = offset
            self._sizes.add(byte_size)

    def clear(self) -> None:
        """Forget all rows: they are in the table."""
        self._stream.truncate(0)

    def close(self) -> None:
        """Let others in. The file is deleted where it holds nothing."""
        if self._stream.seek(0, os.SEEK_END) == 0:
            self._path.unlink(missing_ok=True)
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def read_journal(table: Path) -> list[Row]:
    """The rows so far of a scan that is under way, or was stopped; of several rows of one path the last.

    They are those under the conditions of the last line. Rows of an older table that the scan goes on from are among
    them, also before it is known whether their files are still the same.

    Args:
        table: What the rows are for: the name of the table, not of the journal.

    Returns:
        Rows in the order in which they were finished; none where there is no journal.
    """
    try:
        stream = journal_of(table).open("rb")
    except FileNotFoundError:
        return []
    with stream:
        entries = [entry for _, line in _lines(stream) if (entry := _parsed(line)) is not None]
    rows = (entry["row"] for entry in entries if entry["conditions"] == entries[-1]["conditions"])
    return [codec.decode(Row, row) for row in {row["path"]: row for row in rows}.values()]


def unwritable(table: Path, error: OSError) -> ConfigurationError:
    """What is said where a table, or the journal beside it, cannot be written."""
    reason = f"{table}: cannot be written: {error.strerror or error}"
    return ConfigurationError(reason, hint="Make room, or choose another place with --out; rows in the journal stay.")


def _locked(path: Path) -> IO[bytes]:
    """The file, opened and locked until it is closed.

    Raises:
        BlockingIOError: Somebody else holds the lock.
        OSError: It cannot be opened.
    """
    while True:
        stream = path.open("a+b")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(stream.fileno()).st_ino:
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()  # whoever held the lock before has deleted this file


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """Whole lines, and where they begin."""
    offset = stream.seek(0)
    for line in stream:
        if not line.endswith(b"\n"):
            return
        yield offset, line
        offset += len(line)


def _parsed(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it says nothing, because a disk failed."""
    try:
        entry = json.loads(line)
        return entry if {"conditions", "row"} <= entry.keys() else None
    except (ValueError, AttributeError):
        return None
