"""A PostgreSQL server of one's own, from Debian's package, reachable through a socket in its folder only."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

ABSENT = "PostgreSQL's server is not installed here: apt-get install postgresql"


def binaries() -> Path | None:
    """The newest installed version's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


@contextmanager
def cluster(*, durable: bool = True) -> Iterator[str]:
    """The URL of the database `postgres` on a fresh server, which ends with the context.

    Args:
        durable: Whether the server waits for its disk. What kills clients alone does not need it.
    """
    programs = binaries()
    assert programs is not None, ABSENT
    user = _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="assay-pg-", dir="/tmp"))
    if user is not None:
        shutil.chown(folder, user)
    options = f"-c listen_addresses='' -k {folder} -c fsync={'on' if durable else 'off'} -c max_connections=60"
    control = [programs / "pg_ctl", "-D", folder / "data", "-w", "-s"]
    try:
        _run([programs / "initdb", "-D", folder / "data", "-A", "trust", "-U", "assay", "-E", "UTF8"], user)
        _run([*control, "-l", folder / "log", "-o", options, "start"], user)
        try:
            yield f"postgresql://assay@/postgres?host={folder}"
        finally:
            _run([*control, "-m", "immediate", "stop"], user)
    finally:
        shutil.rmtree(folder)


def fresh_schema(url: str, name: str) -> str:
    """The URL of a new, empty schema in the same database; a database each would be hundreds of files."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(psycopg.sql.Identifier(name)))
    return f"{url}&options=-csearch_path%3D{name}"


def _unprivileged() -> str | None:
    """Whom to run the server as; it refuses to run as root."""
    if os.geteuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


def _run(command: list[object], user: str | None) -> None:
    subprocess.run([str(part) for part in command], user=user, cwd="/", check=True, stdout=subprocess.DEVNULL)
