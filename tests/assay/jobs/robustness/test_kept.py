from dataclasses import replace
from pathlib import Path

import pytest

from assay.errors import ConfigurationError
from assay.jobs.robustness.kept import load, read, save
from assay.jobs.robustness.results import Results
from tests.assay.jobs.robustness.examples import SETUP, full


def test_a_results_file_reads_back(tmp_path: Path) -> None:
    save(tmp_path / "r.json", full())

    assert load(tmp_path / "r.json", Results(setup=SETUP)) == full()


def test_results_of_another_setup_are_not_added_to(tmp_path: Path) -> None:
    save(tmp_path / "r.json", full())

    with pytest.raises(ConfigurationError, match="was measured with"):
        load(tmp_path / "r.json", Results(setup=replace(SETUP, seed=1)))


@pytest.mark.parametrize("content", ["", "[]", '{"setup": 3}', "{}"])
def test_what_is_no_results_file_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.json").write_text(content)

    with pytest.raises(ConfigurationError, match="not a results file"):
        read(tmp_path / "r.json", Results)
