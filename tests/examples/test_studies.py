"""The pages of studies, against the results that they are made from."""

from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from skbadge.experiment import Benchmark
from skbadge.experiment.store import config_hash, short_hash

ROOT = Path(__file__).parents[2]
STUDIES = ROOT / "examples" / "studies"
PARTS = sorted(STUDIES.glob("*.toml"))


@pytest.fixture(scope="module")
def pages():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(STUDIES)
        yield import_module("pages")


def test_the_tables_of_the_pages_are_those_of_the_results(pages):
    places = []
    for path in pages.PAGES:
        text = path.read_text(encoding="utf-8")
        assert pages.filled(text) == text
        places += pages.marked(text)
    assert sorted(places) == sorted(pages.TABLES)


def test_the_pictures_of_the_pages_are_there(pages):
    text = "".join(path.read_text(encoding="utf-8") for path in pages.PAGES)
    for pictures in pages.PICTURES.values():
        for name, _ in pictures():
            assert (pages.IMAGES / f"{name}.png").exists()
            assert f"{name}.png)" in text


def test_only_repeats_that_all_strategies_have_count(pages):
    complete = import_module("study_results").complete
    part = "badge_mnist"
    strategies = Benchmark.from_toml(STUDIES / f"{part}.toml").named_strategies
    frame = pd.DataFrame(
        [("mnist", "mlp", n, r, x) for n in (1, 2) for r in (0, 1) for x in strategies],
        columns=["dataset", "model", "n_query", "repeat", "strategy"],
    )
    assert complete(frame, part).equals(frame)
    lost = frame.query("n_query == 2 and repeat == 1 and strategy == 'badge'").index
    left = complete(frame.drop(lost), part)
    assert left.equals(frame.query("n_query == 1 or repeat == 0"))


def test_ranks_are_of_strategies_with_all_repeats(pages):
    frame = pd.DataFrame(
        [(d, r, x) for d in "ab" for r in (0, 1) for x in ("badge", "few", "none")],
        columns=["dataset", "repeat", "strategy"],
    ).assign(model="net", n_query=10)
    frame = frame.query("strategy != 'few' or repeat == 0")
    frame = frame.query("strategy != 'none' or dataset == 'a'")
    assert pages.evidence.everywhere(frame) == ["badge"]


def test_intervals_are_those_of_a_t_test(pages):
    differences = pd.Series([0.01, 0.03, 0.05, 0.02])
    low, high = stats.ttest_1samp(differences, 0).confidence_interval()
    words = pages.badge_study.mean_and_interval(differences)
    assert words == f"2.8 ({100 * low:.1f} to {100 * high:.1f})"


def test_lcmd_has_the_least_errors_and_bald_the_greatest(pages):
    table = pages.bmdal_study.errors().table
    table = table[table["metric"] == pages.bmdal_study.RMSE].sort_values("difference")
    assert table["strategy"].iloc[[0, -1]].tolist() == ["lcmd", "bald"]
    lcmd = table.iloc[0]
    assert lcmd["difference"] < -3 * lcmd["difference_sem_fixed"]


def test_points_have_no_sign_before_zero(pages):
    points = pages.evidence.points
    assert [points(x) for x in (-0.0004, 0.0123, -0.02)] == ["0.0", "1.2", "-2.0"]


def test_every_part_is_on_a_page(pages):
    parts = {part for regime in pages.evidence.REGIMES for part in regime.parts}
    study = pages.badge_study
    parts |= {*study.PARTS, study.SLOW, study.RAW}
    parts |= {study.SAMPLERS, study.BATCHES}
    study = pages.bmdal_study
    parts |= {*study.PARTS, study.MORE, study.SIZES}
    assert parts == {path.stem for path in PARTS}


@pytest.mark.parametrize("part", PARTS, ids=lambda path: path.stem)
def test_kept_results_are_of_runs_of_their_part(part):
    results = part.with_suffix(".csv.gz")
    configs = Benchmark.from_toml(part).configs()
    assert len(configs) > 1
    if results.exists():
        assert results.stat().st_size < 1_000_000
        known = {short_hash(config_hash(config)) for config in configs}
        assert set(pd.read_csv(results, dtype={"run": str})["run"]) <= known
