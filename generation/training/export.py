"""Turns a trained run into the weights that are shipped: float16, in shards.

python -m generation.training.export --run runs/denoiser [--decoder runs/decoder]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel

from assay.loop import averaged
from generation.pocket import WEIGHTS

SHARD = "14MB"


def main() -> None:
    """Write `vae/` and `unet/`; the run may still be training."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--run", type=Path, required=True, help="of the denoiser")
    parser.add_argument("--decoder", type=Path, help="a later run that improved the decoder")
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    autoencoder = AutoencoderKL.from_pretrained(options.run / "vae", local_files_only=True)
    unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(options.run / "unet"))
    averaged(unet, options.run)
    if options.decoder:
        averaged(autoencoder, options.decoder)
    for model, name in ((autoencoder, "vae"), (unet, "unet")):
        for parameter in model.parameters():
            parameter.data = parameter.data.to(torch.float16)
        model.register_to_config(_name_or_path="pocket")  # else it is a folder of whoever trained it
        model.save_pretrained(options.out / name, max_shard_size=SHARD)
        for file in (options.out / name).iterdir():
            file.chmod(0o644)


if __name__ == "__main__":
    main()
