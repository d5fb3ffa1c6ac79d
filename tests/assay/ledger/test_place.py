from __future__ import annotations

from pathlib import Path

import pytest

from assay.ledger.place import network_file_system

TABLE = r"""
/dev/vda1 / ext4 rw 0 0
server:/home /home nfs4 rw 0 0
/dev/vdb /home/local ext4 rw 0 0
me@host:/ /mnt/two\040words fuse.sshfs rw 0 0
/dev/fuse /mnt/archive fuse.ntfs-3g rw 0 0
//nas/x /mnt/share ext4 rw 0 0
//nas/x /mnt/share cifs rw 0 0
""".lstrip()


@pytest.mark.parametrize(
    ("place", "kind"),
    [
        ("/var/ledger.sqlite3", None),
        ("/home/me/ledger.sqlite3", "nfs4"),
        ("sqlite:////home/me/ledger.sqlite3", "nfs4"),
        ("/home/local/ledger.sqlite3", None),
        ("/homely/ledger.sqlite3", None),
        ("/mnt/two words/ledger.sqlite3", "fuse.sshfs"),
        ("/mnt/archive/ledger.sqlite3", None),
        ("/mnt/share/deep/ledger.sqlite3", "cifs"),
        ("postgresql://home/me", None),
    ],
)
def test_network_file_systems_are_told_from_disks(tmp_path: Path, place: str, kind: str | None) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(TABLE)
    assert network_file_system(place, mounts) == kind


def test_a_link_leads_to_where_the_file_is(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    (tmp_path / "far").mkdir()
    (tmp_path / "near").symlink_to(tmp_path / "far")
    mounts.write_text(f"/dev/vda1 / ext4 rw 0 0\nserver:/ {tmp_path}/far nfs rw 0 0\n")
    assert network_file_system(tmp_path / "near" / "ledger.sqlite3", mounts) == "nfs"


def test_where_the_system_does_not_tell(tmp_path: Path) -> None:
    assert network_file_system("/home/me/ledger.sqlite3", tmp_path / "missing") is None
