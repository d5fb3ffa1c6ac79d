"""Watermark keys: HKDF-SHA256 from one root, per epoch and user.

The root is 32 random bytes in a file that its owner alone may read, or comes from the environment. Everything else is
derived from it when needed, so a key store holds one secret. What stands beside the root, `keys.json`, is no secret:
which keys there are, since when, until when, and a commitment to each, by which a wrong root is noticed.

A key marks while it is current. Rotated, expired or revoked keys mark never again, and are read for ever.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path
from typing import Any, assert_never

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assay.errors import KeyStoreError

ROOT_VARIABLE = "ASSAY_WATERMARK_ROOT"
"""The root itself, as 64 hexadecimal digits or in Base64."""
ROOT_FILE_VARIABLE = "ASSAY_WATERMARK_ROOT_FILE"
"""A file that holds the root: 32 bytes, or text as above."""

SECRET_BYTES = 32
DEFAULT_USER = "default"
SCHEME = "watermark-1"

_ROOT, _INDEX, _LOCK = "root", "keys.json", "lock"
_ID_DIGITS = 16
_LONGEST_USER = 200


def derive(secret: bytes, label: str) -> bytes:
    """A subkey: HKDF-SHA256 (RFC 5869) without salt, the label as its info.

    Args:
        secret: 32 bytes.
        label: What the subkey is for; each purpose has its own.

    Returns:
        32 bytes.

    Raises:
        ValueError: The secret has another length.
    """
    return _expand(secret, label)


def _expand(secret: bytes, *parts: str) -> bytes:
    """Parts are counted and prefixed with their length, so no two lists of parts have the same info."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret has {SECRET_BYTES} bytes, not {len(secret)}")
    texts = [part.encode() for part in parts]
    info = b"assay|" + bytes([len(texts)]) + b"".join(len(text).to_bytes(4) + text for text in texts)
    return HKDF(algorithm=SHA256(), length=SECRET_BYTES, salt=None, info=info).derive(secret)


class KeyState(StrEnum):
    """What a key may still do. All of them read."""

    CURRENT = "current"
    FUTURE = "not yet"
    RETIRED = "retired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class WatermarkKey:
    """The key of one user in one epoch. Its secret is never shown."""

    id: str
    """16 hexadecimal digits: the beginning of the commitment."""
    epoch: int
    """From 1, counted for each user."""
    user: str
    secret: bytes = field(repr=False)
    """32 bytes; what a `Seal` takes."""
    not_before: datetime | None
    not_after: datetime | None
    """When it stopped marking, or will; None while nothing is decided."""
    revoked: bool
    revoked_at: datetime | None = None
    """None also for a key that was revoked before that was written down."""
    commitment: str
    """SHA-256, hexadecimal, of a derived value; may be published, and later proves which key was meant."""

    def derive(self, purpose: str) -> bytes:
        """A subkey of 32 bytes for one purpose; see `assay.keys.derive`."""
        return derive(self.secret, purpose)

    def state(self, now: datetime) -> KeyState:
        """What the key may do at a moment."""
        if self.revoked:
            return KeyState.REVOKED
        if self.not_after is not None and now >= self.not_after:
            return KeyState.RETIRED
        if self.not_before is not None and now < self.not_before:
            return KeyState.FUTURE
        return KeyState.CURRENT

    def standing(self, now: datetime) -> str:
        """Its state at a moment as a sentence goes on, with the day in UTC: `revoked on 2026-11-30`."""
        match state := self.state(now):
            case KeyState.REVOKED:
                return (
                    "revoked, on a day that was not kept" if self.revoked_at is None else _since(state, self.revoked_at)
                )
            case KeyState.RETIRED:
                return _since(state, self.not_after)
            case KeyState.FUTURE:
                return f"not to be used before {self.not_before:%Y-%m-%d}"
            case KeyState.CURRENT:
                return "current"
            case _:
                assert_never(state)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What `keys.json` says of one key."""

    epoch: int
    user: str
    not_before: str | None
    not_after: str | None
    revoked: bool
    commitment: str
    revoked_at: str | None = None


class KeyStore:
    """The watermark keys in one folder (mode 0700; files 0600). Safe to use from several processes at once."""

    def __init__(self, folder: Path) -> None:
        """Opens nothing yet.

        Args:
            folder: Usually `keys/watermark` in the data folder. Need not exist before `init`.
        """
        self.folder = folder

    def init(self, user: str = DEFAULT_USER, *, not_after: datetime | None = None) -> WatermarkKey:
        """Make what is missing: the folder, the root, the user's first key. Changes nothing that is there.

        Args:
            user: Whose images are to be told apart by key; 1 to 200 printable characters.
            not_after: When a new key expires, with a time zone; never by default.

        Returns:
            The user's newest key, whatever its state.

        Raises:
            KeyStoreError: The folder cannot be made or is open to others, or the root is not the one of these keys.
        """
        _require_user(user)
        with self._changing(make=True) as (root, lines):
            mine = [line for line in lines if line.user == user]
            if not mine:
                mine = [_new_line(root, user, epoch=1, not_after=not_after)]
                self._write([*lines, *mine])
            return _key(root, mine[-1])

    def keys(self) -> tuple[WatermarkKey, ...]:
        """Every key there ever was, oldest first; empty before `init`.

        Raises:
            KeyStoreError: The keys cannot be read, are open to others, or belong to another root.
        """
        if not (self.folder / _INDEX).exists():
            return ()
        self._require_private(self.folder)
        root = self._root()
        return tuple(_key(root, line) for line in self._lines(root))

    def get(self, key_id: str) -> WatermarkKey:
        """The key with this id, whatever its state.

        Raises:
            KeyStoreError: There is none; or as `keys`.
        """
        for key in self.keys():
            if key.id == key_id:
                return key
        raise KeyStoreError(f"no watermark key has the id {key_id!r}", hint="List them with: assay keys list")

    def current(self, user: str = DEFAULT_USER) -> WatermarkKey:
        """The key that marks a user's images now.

        Raises:
            KeyStoreError: There is none: it was not made, has expired or was revoked; or as `keys`.
        """
        mine = [key for key in self.keys() if key.user == user]
        if not mine:
            raise KeyStoreError(f"no watermark key for {user!r} in {self.folder}", hint="Make one: assay keys init")
        newest = mine[-1]  # never an older one, whatever the clock says
        state = newest.state(datetime.now(UTC))
        if state is not KeyState.CURRENT:
            raise KeyStoreError(
                f"the newest watermark key of {user!r}, {newest.id}, may not mark: {state}",
                hint="Check the clock, or begin a new epoch with: assay keys rotate",
            )
        return newest

    def rotate(self, user: str = DEFAULT_USER, *, not_after: datetime | None = None) -> WatermarkKey:
        """Begin a new epoch: the user's key before it retires now.

        Returns:
            The new key.

        Raises:
            KeyStoreError: The user has no key yet; or as `keys`.
        """
        with self._changing() as (root, lines):
            mine = [line for line in lines if line.user == user]
            if not mine:
                raise KeyStoreError(f"{user!r} has no watermark key to rotate", hint="Make one: assay keys init")
            fresh = _new_line(root, user, epoch=mine[-1].epoch + 1, not_after=not_after)
            kept = [_retired(line, fresh) if line.user == user else line for line in lines]
            self._write([*kept, fresh])
            return _key(root, fresh)

    def revoke(self, key_id: str) -> WatermarkKey:
        """Never mark with this key again; images that carry its mark are still read.

        Returns:
            The key, revoked.

        Raises:
            KeyStoreError: No key has that id; or as `keys`.
        """
        with self._changing() as (root, lines):
            chosen = [line for line in lines if _id(line) == key_id]
            if not chosen:
                raise KeyStoreError(f"no watermark key has the id {key_id!r}", hint="List them with: assay keys list")
            if not chosen[0].revoked:
                revoked = replace(chosen[0], revoked=True, revoked_at=datetime.now(UTC).isoformat())
                self._write([revoked if line is chosen[0] else line for line in lines])
                return _key(root, revoked)
            return _key(root, chosen[0])

    @contextmanager
    def _changing(self, *, make: bool = False) -> Iterator[tuple[bytes, list[_Line]]]:
        """The root and the lines, while no other process changes them."""
        try:
            if make:
                self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._require_private(self.folder)
            handle = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            hint = "Make keys with: assay keys init" if not make else "Choose another data folder, or its permissions."
            raise KeyStoreError(f"{self.folder}: {error.strerror}", hint=hint) from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            root = self._root(make=make)
            yield root, self._lines(root)
        except OSError as error:
            raise KeyStoreError(f"{self.folder}: {error.strerror}", hint="Check its permissions.") from error
        finally:
            os.close(handle)

    def _root(self, *, make: bool = False) -> bytes:
        """From the environment, else from the folder; a lost root is never replaced, for old marks would go with it."""
        if given := os.environ.get(ROOT_VARIABLE):
            return _parse_root(os.fsencode(given), ROOT_VARIABLE)
        if elsewhere := os.environ.get(ROOT_FILE_VARIABLE):
            return _parse_root(self._read(Path(elsewhere)), elsewhere, raw=True)
        path = self.folder / _ROOT
        if make and not path.exists() and not (self.folder / _INDEX).exists():
            _write_durably(path, secrets.token_bytes(SECRET_BYTES).hex().encode() + b"\n")
        if not path.exists():
            raise KeyStoreError(
                f"{path}: the root of the watermark keys is missing",
                hint=f"Restore it from a backup, or give it in {ROOT_VARIABLE}.",
            )
        return _parse_root(self._read(path), str(path))

    def _lines(self, root: bytes) -> list[_Line]:
        path = self.folder / _INDEX
        if not path.exists():
            return []
        try:
            lines = [_Line(**line) for line in json.loads(self._read(path))["keys"]]
        except (ValueError, TypeError, KeyError) as error:
            raise KeyStoreError(f"{path}: damaged: {error}", hint="Restore it from a backup.") from error
        for line in lines:
            if line.commitment != _commitment(_secret(root, line.user, line.epoch)):
                raise KeyStoreError(
                    f"the root is not the one that {path} was made with",
                    hint=f"Give the right one in {ROOT_VARIABLE}, or name another data folder.",
                )
        return lines

    def _write(self, lines: list[_Line]) -> None:
        document: dict[str, Any] = {"scheme": SCHEME, "keys": [asdict(line) for line in lines]}
        _write_durably(self.folder / _INDEX, (json.dumps(document, indent=2) + "\n").encode())

    def _read(self, path: Path) -> bytes:
        self._require_private(path)
        try:
            return path.read_bytes()
        except OSError as error:
            raise KeyStoreError(f"{path}: {error.strerror}", hint="Check its permissions.") from error

    def _require_private(self, path: Path) -> None:
        try:
            mode = stat.S_IMODE(path.stat().st_mode)
        except OSError as error:
            raise KeyStoreError(f"{path}: {error.strerror}", hint="Make keys with: assay keys init") from error
        if mode & 0o077:
            wanted = "700" if path.is_dir() else "600"
            raise KeyStoreError(f"{path}: others may read it (mode {mode:o})", hint=f"chmod {wanted} {path}")


def key_store(home: Path) -> KeyStore:
    """The watermark keys of a data folder."""
    return KeyStore(home / "keys" / "watermark")


def _secret(root: bytes, user: str, epoch: int) -> bytes:
    return _expand(root, SCHEME, str(epoch), user, "secret")


def _commitment(secret: bytes) -> str:
    return sha256(derive(secret, "commitment")).hexdigest()


def _id(line: _Line) -> str:
    return line.commitment[:_ID_DIGITS]


def _key(root: bytes, line: _Line) -> WatermarkKey:
    return WatermarkKey(
        id=_id(line),
        epoch=line.epoch,
        user=line.user,
        secret=_secret(root, line.user, line.epoch),
        not_before=_moment(line.not_before),
        not_after=_moment(line.not_after),
        revoked=line.revoked,
        revoked_at=_moment(line.revoked_at),
        commitment=line.commitment,
    )


def _new_line(root: bytes, user: str, *, epoch: int, not_after: datetime | None) -> _Line:
    return _Line(
        epoch=epoch,
        user=user,
        not_before=datetime.now(UTC).isoformat(),
        not_after=None if not_after is None else not_after.astimezone(UTC).isoformat(),
        revoked=False,
        commitment=_commitment(_secret(root, user, epoch)),
    )


def _retired(line: _Line, successor: _Line) -> _Line:
    """The line ends where its successor begins, unless it ended before."""
    begin, end = _moment(successor.not_before), _moment(line.not_after)
    return line if begin is None or (end is not None and end <= begin) else replace(line, not_after=begin.isoformat())


def _since(state: KeyState, moment: datetime | None) -> str:
    return f"{state} on {moment:%Y-%m-%d}"


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)


def _require_user(user: str) -> None:
    if not 1 <= len(user) <= _LONGEST_USER or not user.isprintable():
        raise KeyStoreError(
            f"{user!r} cannot be the name of a user", hint=f"Use 1 to {_LONGEST_USER} printable characters."
        )


def _parse_root(data: bytes, source: str, *, raw: bool = False) -> bytes:
    root = data if raw and len(data) == SECRET_BYTES and not _is_text(data) else _decoded(data.strip())
    if root is None or len(root) != SECRET_BYTES:
        raise KeyStoreError(
            f"{source} is not a root key",
            hint=f"It has {SECRET_BYTES} random bytes, as {2 * SECRET_BYTES} hexadecimal digits or in Base64.",
        )
    return root


def _is_text(data: bytes) -> bool:
    """Words make no key, for they can be guessed; random bytes are hardly ever text."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _decoded(text: bytes) -> bytes | None:
    try:
        if len(text) == 2 * SECRET_BYTES:
            return bytes.fromhex(text.decode())
        return base64.b64decode(text, validate=True)
    except ValueError:
        return None


def _write_durably(path: Path, data: bytes) -> None:
    """As `assay.files.write_whole`, and on the disk when this returns: what was marked needs its key."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mode 0600
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
