"""What the pages on repeated experiments say, against the results beside them."""

import re
from pathlib import Path

import pytest

from skbadge.inspection import mean_log_errors

BENCHMARKS = Path(__file__).parents[2] / "examples" / "benchmarks"
METRICS = [
    "neg_mean_absolute_error",
    "neg_root_mean_squared_error",
    "neg_error_quantile_95",
    "neg_error_quantile_99",
    "neg_max_error",
]


@pytest.fixture(scope="module")
def errors():
    return mean_log_errors(BENCHMARKS / "bmdal_paper_results.csv.gz")


def tables_of(page):
    """Cells by the strategy at the start of each line, for each table that has them."""
    tables = []
    for block in page.split("\n\n"):
        lines = [line for line in block.splitlines() if line.startswith("| `")]
        cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]
        if cells:
            tables.append({row[0].strip("`"): row[1:] for row in cells})
    return tables


def test_the_page_on_regression_has_the_ratios_of_the_results(errors):
    page = (BENCHMARKS / "REPRODUCTION_BMDAL.md").read_text(encoding="utf-8")
    by_rmse, by_metric = tables_of(page)
    rmse = "neg_root_mean_squared_error"
    table = errors.table[errors.table["metric"] == rmse].set_index("strategy")
    datasets = errors.by_dataset[errors.by_dataset["metric"] == rmse]
    datasets = datasets.pivot(index="strategy", columns="dataset", values="ratio")
    assert set(by_rmse) == set(table.index)
    assert list(datasets) == ["diamonds", "fried", "protein", "sgemm"]
    for strategy, (_, ratio, sem, _, *by_dataset) in by_rmse.items():
        expected = [table.loc[strategy, "ratio"], *datasets.loc[strategy]]
        found = [float(cell) for cell in (ratio, *by_dataset)]
        assert found == pytest.approx(expected, abs=6e-4)
        if strategy != "random":
            known = table.loc[strategy, "difference_sem_fixed"]
            assert float(sem) == pytest.approx(known, abs=6e-4)
    ratios = errors.ratios().droplevel(["model", "n_query"])
    assert set(by_metric) == set(table.index) - {"random"}
    for strategy, cells in by_metric.items():
        found = [float(re.match(r"[\d.]+", cell)[0]) for cell in cells]
        assert found == pytest.approx(ratios.loc[strategy, METRICS], abs=6e-4)


def test_lcmd_is_clearly_better_than_random_and_bald_worst(errors):
    table = errors.table[errors.table["metric"] == "neg_root_mean_squared_error"]
    table = table.sort_values("difference")
    assert table["strategy"].iloc[0] == "lcmd"
    assert table["strategy"].iloc[-1] == "bald"
    lcmd = table.iloc[0]
    assert lcmd["difference"] < -3 * lcmd["difference_sem_fixed"]
