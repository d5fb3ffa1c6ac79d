"""`assay generate`: a prompt in; an image out that is marked, signed and in the ledger."""

# ruff: noqa: PLC0415 - `assay --help` has to answer at once

from __future__ import annotations

import re
import sys
from argparse import ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from assay.errors import ConfigurationError
from assay.options import Commands, add_home, positive, settings_of, warn_of_network

if TYPE_CHECKING:
    from assay.jobs.generate import Made, Step, Wish

WATERMARKS = ("both", "sealed-seed", "sealed-seed-stateless", "spread", "none")
_SIZE = re.compile(r"(\d+)x(\d+)")
_LARGEST_SEED = 2**63


def add(commands: Commands) -> None:
    """What can be said of `assay generate`."""
    generate = commands.add_parser(
        "generate",
        help="draw an image that carries its own proof",
        description="Draws an image from noise that hides a keyed watermark, signs it with Content Credentials, and "
        "enters it in the ledger. Keys come from: assay keys init.",
    )
    generate.add_argument("prompt", metavar="PROMPT", help='what to draw, such as "a pink tulip"')
    generate.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help=".png, .webp or .jpg; numbered with --count"
    )
    generate.add_argument("--count", type=positive, default=1, metavar="N", help="how many images (default 1)")
    generate.add_argument(
        "--model",
        default="pocket",
        metavar="NAME",
        help="a model by name (assay models), a folder in diffusers' format, or a .safetensors checkpoint; "
        "default pocket",
    )
    generate.add_argument(
        "--config", metavar="FOLDER", help="of a checkpoint: a pipeline of its kind, which describes it"
    )
    generate.add_argument(
        "--lora",
        action="append",
        default=[],
        metavar="PATH[:STRENGTH]",
        help="add a LoRA to the model, a .safetensors file or the folder of one, such as dots.safetensors:0.8; "
        "can be repeated",
    )
    generate.add_argument("--revision", metavar="COMMIT", help="of a hub model: pins its weights")
    generate.add_argument("--steps", type=positive, metavar="N", help="default: the model's own")
    generate.add_argument("--guidance", type=float, metavar="SCALE", help="classifier-free guidance; 1 is none")
    generate.add_argument("--negative", metavar="PROMPT", help="what to keep away from")
    generate.add_argument("--size", type=_size, metavar="WxH", help="in pixels; default: the model's own")
    generate.add_argument("--scheduler", metavar="NAME", help="a deterministic one: ddim, dpm++, euler, unipc, …")
    generate.add_argument(
        "--watermark", choices=WATERMARKS, default="both", help="default both: in the noise and in the pixels"
    )
    generate.add_argument("--seed", type=_seed, metavar="N", help="draw the same again; only with --watermark none")
    generate.add_argument("--user", default="default", metavar="NAME", help="whose watermark key")
    generate.add_argument("--device", choices=("cpu", "cuda", "mps"), help="default: the best there is")
    generate.add_argument("--precision", choices=("float32", "bfloat16", "float16"), help="default: by device")
    generate.add_argument("--quiet", action="store_true", help="no progress bar")
    add_home(generate)


def run(options: Namespace) -> int:
    """Draw, and say what was handed over."""
    from assay.jobs.foresight import require_foreseeable

    targets, settings = _targets(options.output, options.count), settings_of(options)
    require_foreseeable(
        targets,
        settings=settings,
        user=options.user,
        watermark=options.watermark,
        seed=options.seed,
        steps=options.steps,
        model=options.model,
        config=options.config,
        loras=options.lora,
        size=options.size,
        scheduler=options.scheduler,
    )

    from tqdm import tqdm

    from assay.device import available
    from assay.jobs.generate import generate
    from assay.ledger import location
    from assay.report.escape import visible

    devices = available()
    if not devices:
        raise ConfigurationError("drawing needs models", hint="Install the extra: pip install 'assay[models]'.")
    wish = _wish(options, devices[0])
    warn_of_network(location(settings))
    hidden = options.quiet or not sys.stderr.isatty()
    with tqdm(total=0, unit="step", leave=False, disable=hidden) as bar:

        def progress(step: Step) -> None:
            bar.total = step.total * len(targets)
            bar.update()

        for made in generate(wish, targets, settings=settings, progress=progress):
            bar.write(visible(_line(made)), file=sys.stdout)
    return 0


def _wish(options: Namespace, device: str) -> Wish:
    from assay.jobs.generate import Wish

    return Wish(
        prompt=options.prompt,
        negative=options.negative,
        model=options.model,
        config=options.config,
        loras=tuple(options.lora),
        revision=options.revision,
        scheduler=options.scheduler,
        steps=options.steps,
        guidance=options.guidance,
        size=options.size,
        watermark=options.watermark,
        user=options.user,
        seed=options.seed,
        device=options.device or device,
        precision=options.precision,
    )


def _line(made: Made) -> str:
    if made.image_id is None:
        return f"{made.path}  signed, without a watermark, {made.seconds:.1f} s"
    return f"{made.path}  image {made.image_id:016x}, mark read back at p = 10^{made.log10_p:.0f}, {made.seconds:.1f} s"


def _targets(output: Path, count: int) -> list[Path]:
    """`tulip.png`, or `tulip-1.png` to `tulip-N.png`."""
    if count == 1:
        return [output]
    width = len(str(count))
    return [output.with_stem(f"{output.stem}-{number:0{width}}") for number in range(1, count + 1)]


def _size(text: str) -> tuple[int, int]:
    """Height and width of `WxH`."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ArgumentTypeError("must be WIDTHxHEIGHT in pixels, such as 128x128")
    return int(found[2]), int(found[1])


def _seed(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) >= _LARGEST_SEED:
        raise ArgumentTypeError("must be a whole number from 0")
    return int(text)
