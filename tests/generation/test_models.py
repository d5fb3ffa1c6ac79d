import subprocess
import sys

import diffusers
import pytest

from assay.errors import ConfigurationError
from generation.models import SCHEDULERS, SPECS, spec_named

# From the `vae/config.json` of each repository, which no test may fetch.
PUBLISHED = {
    "stabilityai/sd-turbo": (0.18215, 0.0, 4),
    "stable-diffusion-v1-5/stable-diffusion-v1-5": (0.18215, 0.0, 4),
    "stabilityai/stable-diffusion-2-1": (0.18215, 0.0, 4),
    "stabilityai/stable-diffusion-xl-base-1.0": (0.13025, 0.0, 4),
    "stabilityai/stable-diffusion-3.5-medium": (1.5305, 0.0609, 16),
    "stabilityai/stable-diffusion-3.5-large": (1.5305, 0.0609, 16),
    "black-forest-labs/FLUX.1-schnell": (0.3611, 0.1159, 16),
    "black-forest-labs/FLUX.1-dev": (0.3611, 0.1159, 16),
    "black-forest-labs/FLUX.2-dev": (None, 0.0, 32),
    "PixArt-alpha/PixArt-XL-2-1024-MS": (0.18215, 0.0, 4),
    "PixArt-alpha/PixArt-Sigma-XL-2-1024-MS": (0.13025, 0.0, 4),
}


def test_the_numbers_are_those_that_were_published() -> None:
    stated = {
        name: (spec.scaling_factor, spec.shift_factor, spec.channels) for name, spec in SPECS.items() if not spec.local
    }
    assert stated == PUBLISHED


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_diffusers_has_what_a_spec_names(spec: object) -> None:
    assert hasattr(diffusers, spec.pipeline)  # type: ignore[attr-defined]
    assert hasattr(diffusers, spec.scheduler)  # type: ignore[attr-defined]


def test_a_branch_is_not_a_pin() -> None:
    assert all(spec.revision is None or len(spec.revision) == 40 for spec in SPECS.values())


def test_licences_that_forbid_commerce_say_so_twice() -> None:
    assert {name for name, spec in SPECS.items() if spec.non_commercial} == {
        name for name, spec in SPECS.items() if "Non-Commercial" in spec.licence
    }
    assert not SPECS["pocket"].non_commercial


def test_every_scheduler_by_name_exists() -> None:
    assert [name for name, factory in SCHEDULERS.items() if not hasattr(diffusers, factory)] == []


def test_an_unknown_model_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="nobody/nothing") as caught:
        spec_named("nobody/nothing")
    assert "stabilityai/sd-turbo" in caught.value.hint
    assert spec_named("pocket").local


def test_the_list_needs_no_torch() -> None:
    code = "import sys, generation.models; sys.exit(bool({'torch', 'diffusers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
