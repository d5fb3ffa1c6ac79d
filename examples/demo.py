"""`make demo`: an image is drawn, marked, signed; stripped, tampered with, forged; and examined each time.

Everything goes into the folder `demo/`: the pictures, keys for development, the ledger, a trust profile that trusts the
demo's own signer, and a report as a web page. Nothing touches the network.
"""

from __future__ import annotations

import shutil
import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import numpy as np
from PIL import Image

from assay.cli import main as assay
from assay.settings import from_environment
from forensics import anchors, trust
from generation.attacks import reprompt
from generation.development import ROOT, signing_folder
from generation.loading import open_model
from generation.models import spec_named
from generation.pictures import to_pixels, to_tensor

FOLDER = Path("demo")
HOME = FOLDER / "home"
PROFILE = "demo"
PROMPT = "a close-up of a yellow sunflower"


def main() -> int:
    """Make the files one after the other, and examine each the way a user would."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    drawn = FOLDER / "sunflower.png"
    _run("keys", "init", "--home", str(HOME))
    _trust_ourselves()
    _run("generate", PROMPT, "-o", str(drawn), "--home", str(HOME))
    _verify("As it was delivered", drawn)
    _verify("Stripped of its credentials, enlarged and compressed", _stripped(drawn))
    _run("recover", str(FOLDER / "stripped.jpg"), "-o", str(FOLDER / "recovered.jpg"), "--home", str(HOME))
    _verify("A corner painted over", _tampered(drawn))
    _verify("Forged: its noise, read back, drew another picture", _forged(drawn))
    _verify("A photograph", _photograph())
    _run("mark", str(FOLDER / "china.jpg"), "-o", str(FOLDER / "marked.jpg"), "--home", str(HOME))
    _verify("The photograph, marked, then turned, cut and compressed", _turned(FOLDER / "marked.jpg"))
    pictures = [str(FOLDER / f"{name}") for name in ("sunflower.png", "stripped.jpg", "tampered.png", "forged.png")]
    report = FOLDER / "report.html"
    assay([*_command(*pictures, str(FOLDER / "china.jpg")), "--format", "html", "--output", str(report)])
    print(f"\nThe same as a page: {report}")
    return 0


def _run(*arguments: str) -> None:
    print(f"\n$ assay {' '.join(arguments)}", flush=True)
    if code := assay(arguments):
        sys.exit(code)


def _verify(title: str, path: Path) -> None:
    print(f"\n--- {title} " + "-" * max(0, 115 - len(title)), flush=True)
    _run(*_command(str(path)))


def _command(*paths: str) -> list[str]:
    return ["verify", *paths, "--home", str(HOME), "--trust", PROFILE, "--no-policy"]


def _trust_ourselves() -> None:
    anchors.add(
        from_environment(home=HOME, trust=PROFILE),
        (signing_folder(HOME) / ROOT).read_bytes(),
        kind=trust.ListKind.SIGNERS,
        source="the demo's own root",
        issued=None,
        today=datetime.now(UTC).date(),
    )


def _stripped(drawn: Path) -> Path:
    target = FOLDER / "stripped.jpg"
    with Image.open(drawn) as image:
        image.convert("RGB").resize((200, 200)).save(target, quality=70)
    return target


def _tampered(drawn: Path) -> Path:
    target = FOLDER / "tampered.png"
    with Image.open(drawn) as image:
        painted = image.convert("RGB")
    painted.paste((200, 30, 30), (90, 0, 128, 30))
    painted.save(target)
    return target


def _forged(drawn: Path) -> Path:
    """Reprompting (Müller et al., CVPR 2025): nobody needs the key for it, only the model and a marked picture."""
    target = FOLDER / "forged.png"
    model = open_model(spec_named("pocket"))
    with Image.open(drawn) as image:
        marked = to_tensor([np.asarray(image.convert("RGB"))])
    (other,) = to_pixels(reprompt(model, marked, ["a white daisy"], steps=25, guidance=6.0))
    Image.fromarray(other).save(target)
    return target


def _turned(marked: Path) -> Path:
    path = FOLDER / "turned.jpg"
    with Image.open(marked) as image:
        image.rotate(11, Image.Resampling.BICUBIC).crop((110, 90, 530, 350)).save(path, quality=70)
    return path


def _photograph() -> Path:
    target = FOLDER / "china.jpg"
    target.write_bytes((files("sklearn.datasets.images") / "china.jpg").read_bytes())
    return target


if __name__ == "__main__":
    sys.exit(main())
