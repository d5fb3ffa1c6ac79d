"""Published detectors whose weights lie in public repositories, on the pictures that ours was measured on.

    python -m tests.benchmarks.peers --copies CLONES --rows RUN/fold-*/rows.jsonl

Their code and weights are loaded from git copies of their repositories, with their own preprocessing; nothing of them
is in this one. First each is shown the examples that its own repository brings, which it should get right. Ours are the
rows that `assay train` left: every picture by experts that had not seen its source or its family of generators.
"""

from __future__ import annotations

import argparse
import io
import subprocess
import sys
import types
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torchvision import transforms
from tqdm import tqdm

from assay.blobs import copy_of
from assay.discrimination import auc_interval, tpr_interval
from assay.perturb import perturbation
from assay.vocabulary import Pixels
from detection import measuring
from detection.delivery import DELIVERIES
from detection.fitting import by_fold, split
from detection.manifest import SHIPPED, Item, read
from detection.measuring import Row
from detection.pictures import files, limited, opened

FERRET, LADEDA = "xigua7105/FerretNet", "barcavia/RealTime-DeepfakeDetection-in-the-RealWorld"
_CLIP = transforms.Normalize((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))
_IMAGENET = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
PREPROCESSING = {
    FERRET: transforms.Compose([transforms.CenterCrop(256), transforms.ToTensor(), _CLIP]),
    LADEDA: transforms.Compose([transforms.Resize((256, 256)), transforms.ToTensor(), _IMAGENET]),
}
"""As their own test configurations say: `configs/cfgs/FerretNet-S-Median-3.yaml`, `data/datasets.py` with `test.py`."""
CHUNK = 8

Peer = Callable[[Pixels], float]


def _show(copy: Path, path: str) -> bytes:
    return subprocess.run(["git", "-C", str(copy), "show", f"HEAD:{path}"], check=True, capture_output=True).stdout


def _module(copy: Path, path: str) -> Any:
    module = types.ModuleType(Path(path).stem)
    module.__file__ = path
    exec(compile(_show(copy, path), path, "exec"), module.__dict__)
    return module


def _weights(copy: Path, path: str) -> dict[str, torch.Tensor]:
    stored: dict[str, Any] = torch.load(io.BytesIO(_show(copy, path)), map_location="cpu", weights_only=True)
    return stored.get("model", stored)


def _copy(copies: Path, repository: str) -> Path:
    found = copy_of(repository, copies)
    if found is None:
        sys.exit(f"{copies}: no copy of github.com/{repository}")
    return found


def peers(copies: Path) -> dict[str, Peer]:
    """Each by its name: a picture in, a logit out."""
    return {
        "FerretNet-S": _peer(_ferret(_copy(copies, FERRET)), PREPROCESSING[FERRET]),
        "Tiny-LaDeDa, WildRF": _peer(_ladeda(_copy(copies, LADEDA), "WildRF"), PREPROCESSING[LADEDA]),
        "Tiny-LaDeDa, ForenSynths": _peer(_ladeda(_copy(copies, LADEDA), "ForenSynth"), PREPROCESSING[LADEDA]),
    }


def _ferret(copy: Path) -> torch.nn.Module:
    local = _module(copy, "src/model/lpd.py").get_lpd_dict()
    network = _module(copy, "src/model/ferretnet.py").Ferret(3, 1, 32, [2, 2], "median", 3, local)
    network.load_state_dict(_weights(copy, "checkpoints/4cls_ckpt/ferretnet-s-median-3.pth"))
    return network.eval()  # type: ignore[no-any-return]


def _ladeda(copy: Path, trained_on: str) -> torch.nn.Module:
    network = _module(copy, "networks/Tiny_LaDeDa.py").tiny_ladeda("right_diag", num_classes=1)
    network.fc = torch.nn.Linear(8, 1)  # as test.py does, with its features_dim
    network.load_state_dict(_weights(copy, f"weights/Tiny_LaDeDa/{trained_on}_Tiny_LaDeDa.pth"))
    return network.eval()  # type: ignore[no-any-return]


def _peer(network: torch.nn.Module, preprocessing: transforms.Compose) -> Peer:
    def look(pixels: Pixels) -> float:
        with torch.inference_mode():
            return float(network(preprocessing(Image.fromarray(pixels))[None]).squeeze())

    return look


def examples(copies: Path) -> Iterator[str]:
    """FerretNet on the examples in its repository, whose names begin with what they are; the other brings none."""
    copy = _copy(copies, FERRET)
    look = peers(copies)["FerretNet-S"]
    names = subprocess.run(
        ["git", "-C", str(copy), "ls-tree", "-r", "--name-only", "HEAD", "analysis/example/images"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    for name in names:
        pixels = opened(_show(copy, name))
        if pixels is not None:
            logit = look(pixels)
            right = (logit > 0) == Path(name).name.startswith("fake")
            yield f"{Path(name).name}: {logit:+.1f} {'right' if right else 'WRONG'}"


_PEERS: dict[str, Peer] = {}
"""Of a worker process."""


def _prepare(copies: Path) -> None:
    torch.set_num_threads(1)
    _PEERS.update(peers(copies))


def _chunk(wanted: Sequence[tuple[Item, tuple[Row, ...]]], copies: Path) -> list[Row]:
    found = []
    rows = dict(wanted)
    for item, data in files(list(rows), copies):
        pixels = None if data is None else opened(data, item.quarter)
        for row in rows[item] if pixels is not None else ():
            picture, chain = limited(pixels), DELIVERIES[row.delivery]
            shown = perturbation(chain).apply(picture, int(item.sha256[:8], 16)) if chain else picture
            found.append(replace(row, logits={name: look(shown) for name, look in _PEERS.items()}))
    return found


def measured(rows: Sequence[Row], copies: Path) -> Iterator[Row]:
    """The same rows by the peers."""
    by_id: dict[str, tuple[Row, ...]] = {}
    for row in rows:
        by_id[row.id] = (*by_id.get(row.id, ()), row)
    wanted = [(item, by_id[item.id]) for item in read(SHIPPED) if item.id in by_id]
    chunks = [wanted[at : at + CHUNK] for at in range(0, len(wanted), CHUNK)]
    with ProcessPoolExecutor(2, get_context("spawn"), _prepare, (copies,)) as pool:
        for found in tqdm(pool.map(_chunk, chunks, [copies] * len(chunks)), total=len(chunks), mininterval=5):
            yield from found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--copies", type=Path, required=True, help="git copies, the peers' among them")
    parser.add_argument("--rows", type=Path, nargs="+", required=True, help="rows of every fold")
    options = parser.parse_args()
    for line in examples(options.copies):
        print(line)
    ours = [row for path in options.rows for row in measuring.read(path)]
    panels = by_fold(ours, ["patches", "handmade"])
    fused = [replace(row, logits={"Assay": panels[row.fold].fusion.logit(row.logits, row.quality)}) for row in ours]
    theirs = list(measured(ours, options.copies))
    print("\n| delivery | detector | generated | photographs | AUC | TPR at 5 % FPR | TPR at 1 % FPR |")
    print("| --- | --- | ---: | ---: | --- | --- | --- |")
    for delivery in DELIVERIES:
        for rows in (fused, theirs):
            made, photographs = split([row for row in rows if row.delivery == delivery])
            for name in made[0].logits if made and photographs else ():
                values = [np.array([row.logits[name] for row in side]) for side in (made, photographs)]
                rates = [tpr_interval(*values, fpr) for fpr in (0.05, 0.01)]
                counts = f"{len(made):,} | {len(photographs):,}"
                print(f"| {delivery} | {name} | {counts} | {auc_interval(*values)} | {rates[0]} | {rates[1]} |")


if __name__ == "__main__":
    main()
