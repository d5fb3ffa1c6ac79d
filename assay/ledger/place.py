"""Where a ledger in a file lies."""

from __future__ import annotations

import os
import re
from pathlib import Path

MOUNTS = Path("/proc/self/mounts")
_NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "afs", "9p", "ceph", "glusterfs", "lustre", "gpfs", "beegfs", "ocfs2"}
)
"""Types of file systems on other machines; those in user space are told by their names (`fuse.sshfs`)."""
_IN_USER_SPACE = re.compile(r"fuse\.(sshfs|glusterfs|ceph\S*|rclone|s3fs|gcsfuse|davfs\S*|cifs\S*|smbnetfs)")
_ESCAPED = re.compile(r"\\([0-7]{3})")


def network_file_system(place: str | Path, mounts: Path | None = None) -> str | None:
    """The type of the network file system that a ledger lies on, or would: SQLite's locks cannot be relied upon there.

    Args:
        place: A path, or a URL.
        mounts: The kernel's table of what is mounted, or a file like it.

    Returns:
        None on a local disk, for a URL, and where the system does not tell.
    """
    text = str(place)
    if "://" in text.removeprefix("sqlite:///"):
        return None
    try:
        table = (mounts or MOUNTS).read_text("utf-8", "surrogateescape")
    except OSError:
        return None
    kind = _mounted_at(Path(os.path.realpath(text.removeprefix("sqlite:///"))), table)
    return kind if kind in _NETWORK or _IN_USER_SPACE.fullmatch(kind) else None


def _mounted_at(path: Path, table: str) -> str:
    """The type of the file system that holds a path: of the longest mount point above it, the last one mounted."""
    deepest, kind = -1, ""
    for line in table.splitlines():
        _, point, each, *_ = line.split(" ")
        parts = Path(_ESCAPED.sub(lambda found: chr(int(found[1], 8)), point)).parts
        if path.parts[: len(parts)] == parts and len(parts) >= deepest:
            deepest, kind = len(parts), each
    return kind
