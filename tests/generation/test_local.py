from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from assay.errors import ConfigurationError
from generation.adapters import ADAPTERS, adapter_for
from generation.loading import open_model
from generation.local import is_local, local_spec, shown
from generation.models import SPECS, spec_named
from generation.toy import toy_pipeline

SD15 = SPECS["stable-diffusion-v1-5/stable-diffusion-v1-5"]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole model at toy width; never written to."""
    folder = tmp_path_factory.mktemp("models") / "toy"
    toy_pipeline(SD15).save_pretrained(folder)
    return folder


@pytest.fixture
def folder(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "toy"))


def rewrite(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_folder_draws_what_its_pipeline_draws(kept: Path) -> None:
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    wanted = adapter_for(toy_pipeline(SD15), SD15).draw(["tulip"], noise, steps=2, guidance=2.0)
    spec = spec_named(str(kept))
    drawn = open_model(spec, fetch=False).draw(["tulip"], noise, steps=2, guidance=2.0)
    torch.testing.assert_close(drawn, wanted)
    assert (spec.size, spec.channels, spec.prediction, spec.scheduler) == (128, 4, "epsilon", "PNDMScheduler")


@pytest.mark.parametrize(
    "name", [next(n for n, s in SPECS.items() if s.pipeline == p and not s.local) for p in ADAPTERS]
)
def test_every_pipeline_of_the_adapters_can_be_a_folder(tmp_path: Path, name: str) -> None:
    pipeline = toy_pipeline(SPECS[name])
    for part in ("vae", "scheduler", "unet" if hasattr(pipeline, "unet") else "transformer"):
        getattr(pipeline, part).save_config(tmp_path / part)
    pipeline.save_config(tmp_path)
    spec = local_spec(str(tmp_path))
    adapter_for(pipeline, spec)  # compares every fact
    assert (spec.packing, spec.prediction) == (SPECS[name].packing, SPECS[name].prediction)


def test_what_it_holds_is_part_of_its_name(folder: Path) -> None:
    spec = local_spec(str(folder))
    path, _, digest = spec.id.partition("#sha256=")
    assert path == str(folder)
    assert len(digest) == 64
    assert local_spec(spec.id) == spec
    assert shown(spec.id) == f"toy (sha256 {digest[:16]})"
    (folder / "README.md").write_text("changes nothing")
    assert local_spec(spec.id) == spec
    moved = folder.rename(folder.with_name("moved"))
    assert local_spec(str(moved)).id == f"{moved}#sha256={digest}"
    with pytest.raises(ConfigurationError, match=r"toy#sha256=.*: its weights are not here"):
        local_spec(spec.id)
    moved.rename(folder)
    rewrite(folder / "scheduler" / "scheduler_config.json", beta_end=0.013)
    with pytest.raises(ConfigurationError, match=r"its weights are not here: toy holds others now"):
        local_spec(spec.id)


@pytest.mark.parametrize("name", ["model.ckpt", "model.PT", "model.bin"])
def test_a_pickle_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(ConfigurationError, match=f"{name}: a pickle, which runs code"):
        spec_named(str(tmp_path / name))


def test_pickles_in_a_folder_are_not_opened(folder: Path) -> None:
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.rename(weights.with_suffix(".bin"))
    with pytest.raises(ConfigurationError, match="toy: cannot be opened") as caught:
        open_model(spec_named(str(folder)))
    assert "pickles are refused" in caught.value.hint


def test_what_is_no_model(tmp_path: Path, folder: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"x")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty").mkdir()
    for name, problem in {
        "a.safetensors": "no safetensors, or a damaged file",
        "notes.txt": "not a model",
        "empty": "is missing, so this is no model",
        "gone": "there is no such file or folder",
    }.items():
        with pytest.raises(ConfigurationError, match=f"{name}.*{problem}"):
            spec_named(str(tmp_path / name))
    with pytest.raises(ConfigurationError, match="neither a model that Assay knows nor a path"):
        spec_named("nobody/nothing")
    with pytest.raises(ConfigurationError, match="has no revisions"):
        open_model(spec_named(str(folder)), revision="main")
    rewrite(folder / "model_index.json", _class_name="AudioLDMPipeline")
    with pytest.raises(ConfigurationError, match="AudioLDMPipeline is no pipeline"):
        spec_named(str(folder))
    (folder / "model_index.json").write_text("[]")
    with pytest.raises(ConfigurationError, match="is no description of a model"):
        spec_named(str(folder))


def test_names_and_paths_are_told_apart(folder: Path) -> None:
    assert is_local(str(folder))
    assert is_local("./toy")
    assert not is_local("pocket")
    assert not is_local("stabilityai/sd-turbo")
