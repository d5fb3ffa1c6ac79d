"""What can be known without a model is told without one: at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from assay.keys import key_store
from generation.development import development_key, signing_folder

_CODE = "import sys; from assay.cli import main; code = main(sys.argv[1:]); print('torch' in sys.modules, code)"


@pytest.mark.parametrize(
    ("command", "error"),
    [
        ("generate x -o t.avif", "not a format"),
        ("generate x -o t.png --model sdxl", "neither a model"),
        ("generate x -o t.png --model model.ckpt", "a pickle"),
        ("generate x -o t.png --model whole.safetensors", "no checkpoint whose architecture"),
        ("generate x -o t.png --lora gone.safetensors:0.5", "no such file"),
        ("generate x -o t.png --lora whole.safetensors", "no LoRA"),
        ("generate x -o t.png --config home", "which has one"),
        ("generate x -o t.png --size 101x100", "not a size"),
        ("generate x -o t.png --scheduler euler-a", "not a scheduler"),
        ("generate x -o t.png --seed 1", "exclude each other"),
        ("generate x -o t.png --user nobody", "nobody"),
        ("mark x.png -o t.avif", "not a format"),
        ("attack x.png -o nowhere", "no such folder"),
        ("attack x.png -o . --suite forgery", "--cover"),
        ("attack x.png -o .", "no such file"),
    ],
)
def test_torch_is_not_loaded_for_a_usage_error(tmp_path: Path, command: str, error: str) -> None:
    key_store(tmp_path / "home").init()
    development_key(signing_folder(tmp_path / "home"))
    (tmp_path / "model.ckpt").write_bytes(b"\x80\x04.")
    save_file({"weight": np.zeros(1, np.float32)}, tmp_path / "whole.safetensors")
    arguments = [*command.split(), "--home", str(tmp_path / "home")]
    done = subprocess.run(
        [sys.executable, "-c", _CODE, *arguments], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() in ("False 2", "False 3")
    assert error in done.stderr
