"""`make demo`: two photographs, a file that is signed here, and the same file after one changed pixel.

Everything goes into the folder `demo/`: the pictures, a development signing key, a trust profile that trusts it, and a
report as a web page. Nothing touches the network.
"""

from __future__ import annotations

import shutil
import sys
import zlib
from datetime import UTC, datetime
from importlib.resources import files
from io import BytesIO
from pathlib import Path

from PIL import Image

from assay.cli import main as assay
from assay.settings import from_environment
from assay.vocabulary import Action
from forensics import anchors, trust
from generation.declaration import Declaration, Ingredient, Relationship
from generation.development import ROOT, development_key
from generation.sign import sign

FOLDER = Path("demo")
HOME = FOLDER / "home"
PROFILE = "demo"


def main() -> int:
    """Make the files, then examine them the way a user would."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    for name in ("china.jpg", "flower.jpg"):
        (FOLDER / name).write_bytes((files("sklearn.datasets.images") / name).read_bytes())
    signed = _sign((FOLDER / "flower.jpg").read_bytes())
    (FOLDER / "signed.png").write_bytes(signed)
    (FOLDER / "signed-then-changed.png").write_bytes(_change_one_pixel(signed))
    names = ["china.jpg", "flower.jpg", "signed.png", "signed-then-changed.png"]
    command = ["verify", *(str(FOLDER / name) for name in names), "--home", str(HOME), "--trust", PROFILE]
    print("$ assay " + " ".join(command) + "\n", flush=True)
    code = assay([*command, "--no-policy"])
    assay([*command, "--no-policy", "--format", "html", "--output", str(FOLDER / "report.html")])
    print(f"\nThe same as a page: {FOLDER / 'report.html'}")
    return code


def _sign(photograph: bytes) -> bytes:
    """Crop a photograph and say so in a manifest, signed with a key for development that the demo's profile trusts."""
    key = development_key(FOLDER / "keys")
    anchors.add(
        from_environment(home=HOME, trust=PROFILE),
        (FOLDER / "keys" / ROOT).read_bytes(),
        kind=trust.ListKind.SIGNERS,
        source="the demo's own root",
        issued=None,
        today=datetime.now(UTC).date(),
    )
    stream = BytesIO()
    with Image.open(BytesIO(photograph)) as image:
        image.crop((120, 20, 520, 420)).save(stream, "PNG")
    parent = Ingredient(data=photograph, mime="image/jpeg", title="flower.jpg", relationship=Relationship.PARENT)
    cropped = Declaration(
        title="signed.png",
        source_type=None,
        software="Assay demo",
        actions=(Action(name="c2pa.cropped", software="Assay demo"),),
        ingredients=(parent,),
    )
    return sign(stream.getvalue(), "image/png", key, cropped)


def _change_one_pixel(png: bytes) -> bytes:
    """Make the last pixel a little brighter and leave everything else, the manifest too, as it is."""
    head, chunks = png[:8], _chunks(png)
    scanlines = bytearray(zlib.decompress(b"".join(body for kind, body in chunks if kind == b"IDAT")))
    scanlines[-1] ^= 1
    first = next(number for number, (kind, _) in enumerate(chunks) if kind == b"IDAT")
    rest = [(kind, body) for kind, body in chunks if kind != b"IDAT"]
    rest.insert(first, (b"IDAT", zlib.compress(bytes(scanlines))))
    return head + b"".join(
        len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big") for kind, body in rest
    )


def _chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    chunks, at = [], 8
    while at < len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        chunks.append((png[at + 4 : at + 8], png[at + 8 : at + 8 + length]))
        at += 12 + length
    return chunks


if __name__ == "__main__":
    sys.exit(main())
