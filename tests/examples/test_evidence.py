"""The page of evidence, against the results of the studies that it is made from."""

from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

from skbadge.experiment import Benchmark
from skbadge.experiment.store import config_hash, short_hash

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "examples" / "studies"
PARTS = sorted(STUDIES.glob("*.toml"))


@pytest.fixture(scope="module")
def evidence():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(STUDIES)
        yield import_module("evidence")


def test_the_tables_of_the_pages_are_those_of_the_results(evidence):
    assert len(evidence.PAGES) == 2
    for path in evidence.PAGES:
        text = path.read_text(encoding="utf-8")
        assert "<!-- end of " in text
        assert evidence.filled(text) == text


def test_points_have_no_sign_before_zero(evidence):
    assert [evidence.points(x) for x in (-0.0004, 0.0123, -0.02)] == [
        "0.0",
        "1.2",
        "-2.0",
    ]


def test_every_part_is_in_a_table(evidence):
    parts = {part for regime in evidence.REGIMES for part in regime.parts}
    others = {"badge_slow_optimiser", "bmdal_small", "bmdal_large", "bmdal_batch_sizes"}
    assert parts | others == {path.stem for path in PARTS}


@pytest.mark.parametrize("part", PARTS, ids=lambda path: path.stem)
def test_kept_results_are_of_runs_of_their_part(part):
    results = part.with_suffix(".csv.gz")
    configs = Benchmark.from_toml(part).configs()
    assert len(configs) > 1
    if results.exists():
        assert results.stat().st_size < 1_000_000
        known = {short_hash(config_hash(config)) for config in configs}
        assert set(pd.read_csv(results, dtype={"run": str})["run"]) <= known
