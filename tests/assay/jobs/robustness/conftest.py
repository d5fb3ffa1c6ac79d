from dataclasses import replace

import pytest

from assay.jobs.robustness.bench import Bench, setup_for
from generation.adapters import adapter_for
from generation.models import spec_named
from generation.toy import toy_pipeline


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    spec = replace(spec_named("pocket"), size=64)
    adapter = adapter_for(toy_pipeline(spec, invertible=True), spec)
    setup = setup_for(adapter, count=2, steps=4, guidance=1.0)
    return Bench(setup=setup, adapter=adapter, work=tmp_path_factory.mktemp("work"))
