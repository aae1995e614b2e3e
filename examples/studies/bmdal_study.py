"""Tables and pictures of docs/reproduction_bmdal.md: the benchmark of the BMDAL paper.

`pages.py` puts them into the page.
"""

from functools import cache, partial
from math import exp
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pandas as pd
from study_results import (
    curves_of,
    markdown,
    mean_and_interval,
    results_of,
    shown,
    span,
)

from skbadge.inspection import (
    ActiveLearningCurveDisplay,
    ErrorRatioDisplay,
    ErrorTailsDisplay,
    error_tails,
    mean_log_errors,
    run_times,
    strategy_styles,
)

PARTS = ["bmdal_small", "bmdal_large"]
SIZES, MORE = "bmdal_batch_sizes", "bmdal_more"
RMSE = "neg_root_mean_squared_error"
METRICS = {
    "neg_mean_absolute_error": "MAE",
    RMSE: "RMSE",
    "neg_error_quantile_95": "95 %",
    "neg_error_quantile_99": "99 %",
    "neg_max_error": "MAXE",
}
# Of the examples/benchmark.ipynb of the paper's code: mean natural logarithms of these
# errors over 15 data sets, 20 splits and 16 rounds; nets with ReLU.
PAPER = {
    "lcmd": [-2.033, -1.589, -0.940, -0.402, 0.914],
    "bait": [-1.998, -1.541, -0.895, -0.357, 0.888],
    "badge": [-2.007, -1.530, -0.895, -0.329, 1.008],
    "core_set": [-1.923, -1.490, -0.831, -0.307, 0.929],
    "batch_bald": [-1.895, -1.463, -0.808, -0.288, 0.916],
    "acs_fw": [-1.937, -1.439, -0.793, -0.225, 1.016],
    "bald": [-1.722, -1.285, -0.614, -0.077, 1.080],
    "random": [-1.934, -1.401, -0.766, -0.163, 1.107],
}


@cache
def errors():
    """Mean logarithms of the errors of the main parts."""
    return mean_log_errors(results_of(PARTS))


def by_rmse():
    """Markdown: RMSE divided by that of random, here and in the paper."""
    return _rmse_table(results_of(PARTS))


def more():
    """Markdown: the same of more strategies, over the rounds that these have."""
    others = results_of([MORE])
    usual = _same_runs(results_of(PARTS), others)
    usual = usual[usual["n_labeled"] <= others["n_labeled"].max()]
    return _rmse_table(pd.concat([others, usual], ignore_index=True))


def _same_runs(frame, others):
    """Rows of the data sets and splits that others are of."""
    return frame.merge(others[["dataset", "repeat"]].drop_duplicates())


def _rmse_table(frame):
    found = mean_log_errors(frame, metric=RMSE)
    sets = found.by_dataset.pivot(index="strategy", columns="dataset", values="ratio")
    rows = []
    for name, line in found.table.set_index("strategy").sort_values("ratio").iterrows():
        sems = ["", ""]
        if name != "random":
            sems = [shown(line.difference_sem_fixed, 3), shown(line.difference_sem, 3)]
        means = [f"{line.ratio:.3f}", *sems, _paper(name, RMSE)]
        rows.append(
            [f"`{name}`", *means, *(f"{ratio:.3f}" for ratio in sets.loc[name])]
        )
    head = ["strategy", "here", "s.e. of splits", "s.e. of data sets", "paper", *sets]
    return "\n".join([*markdown(head, rows), "", _facts(frame)])


def _facts(frame):
    repeats = frame.groupby(["dataset", "strategy"])["repeat"].nunique()
    n_splits = span(repeats.min(), repeats.max())
    return (
        f"{frame['dataset'].nunique()} data sets, {n_splits} "
        f"{'split' if n_splits == '1' else 'splits'}, {frame['run'].nunique()} runs, "
        f"labels up to {frame['n_labeled'].max():,}."
    )


def _paper(strategy, metric):
    """The paper's error divided by that of random."""
    column = list(METRICS).index(metric)
    return f"{exp(PAPER[strategy][column] - PAPER['random'][column]):.3f}"


def _order():
    """Strategies but random, by RMSE."""
    table = errors().table
    table = table[table["metric"] == RMSE].sort_values("ratio")
    return [name for name in table["strategy"] if name != "random"]


def sentence():
    """Markdown: what README says of the study."""
    sets = errors().by_dataset
    sets = sets[sets["metric"] == RMSE].set_index("strategy")
    lcmd, bald = sets.loc["lcmd"].sort_values("ratio"), sets.loc["bald"]
    least, *_, most = (f"{x.ratio:.2f} on {x.dataset}" for x in lcmd.itertuples())
    return (
        "[The BMDAL paper's](docs/reproduction_bmdal.md) for regression: "
        f"{len(lcmd)} data sets, {results_of(PARTS)['run'].nunique()} runs. The root "
        f"mean squared error of lcmd is on average {_factor(lcmd)} times that of "
        "random rows, with a 95 % interval for the mean over other data sets: from "
        f"{least} to {most}. That of bald is {_factor(bald)} times."
    )


def _factor(of_strategy):
    return mean_and_interval(of_strategy["difference"], lambda x: f"{exp(x):.2f}")


def by_metric():
    """Markdown: all errors divided by those of random, in brackets the paper's."""
    ratios = errors().ratios().droplevel(["model", "n_query"])
    rows = []
    for name in _order():
        cells = [f"{ratios.loc[name, m]:.3f} ({_paper(name, m)})" for m in METRICS]
        rows.append([f"`{name}`", *cells])
    return "\n".join(markdown(["strategy", *METRICS.values()], rows))


def tails():
    """Markdown: heaviness of the tails of the first errors, and gains, by data set."""
    found = error_tails(results_of(PARTS))
    points = found.points.pivot(index=["tail", "dataset"], columns="strategy")["gain"]
    names = _order()
    rows = [
        [dataset, f"{tail:.2f}", *(f"{gains[name]:.3f}" for name in names)]
        for (tail, dataset), gains in points.sort_index().iterrows()
    ]
    fits = found.fits.set_index("strategy")["r_squared"]
    rows.append(["R²", "", *(f"{fits[name]:.2f}" for name in names)])
    head = ["data set", "ln(RMSE / MAE)", *(f"`{name}`" for name in names)]
    return "\n".join(markdown(head, rows))


@cache
def by_size():
    """Mean log RMSE with all labels, by batch size, on the same sets and splits."""
    others = results_of([SIZES])
    usual = _same_runs(results_of(PARTS), others)
    usual = usual[usual["strategy"].isin(others["strategy"])]
    frame = pd.concat([others, usual], ignore_index=True)
    table = mean_log_errors(frame, metric=RMSE, at="final").table
    return table.set_index(["strategy", "n_query"])


def sizes():
    """Markdown: RMSE with 4,352 labels, divided by that of random, by batch size."""
    table = by_size()
    columns = sorted(table.index.unique("n_query"))
    rows = []
    for name in table.index.unique("strategy").drop("random"):
        cells = [f"`{name}`"]
        for n_query in columns:
            line = table.loc[name, n_query]
            sem = shown(line.difference_sem_fixed, 3)
            cells.append(f"{line.ratio:.3f} ± {sem}" if sem else f"{line.ratio:.3f}")
        rows.append(cells)
    head = ["strategy", *(f"batches of {n_query:,}" for n_query in columns)]
    return "\n".join(markdown(head, rows))


def draw_sizes():
    """The paper's figure on batch sizes."""
    figure, ax = plt.subplots(figsize=(5.5, 3.6), layout="constrained")
    styles = strategy_styles(by_size().index.unique("strategy"))
    for name, table in by_size().groupby("strategy"):
        x = table.index.get_level_values("n_query")
        sem = table["difference_sem_fixed"].fillna(0)
        ax.errorbar(x, table["ratio"], sem * table["ratio"], label=name, **styles[name])
    ax.set(xscale="log", xlabel="Rows in a batch", xticks=x, xticklabels=x)
    ax.set_ylabel("RMSE with 4,352 labels / that of random")
    ax.minorticks_off()
    ax.grid(alpha=0.3)
    ax.legend()
    return SimpleNamespace(figure_=figure)


def times():
    """Markdown: median seconds of a training, and of the queries of each strategy."""
    found = run_times(results_of(PARTS))
    names = [*_order(), "random"]
    rows = []
    for dataset, group in found.groupby("dataset"):
        query = group.set_index("strategy")["query_time"]
        training = span(group["fit_time"].min(), group["fit_time"].max(), 1)
        rows.append([dataset, training, *(f"{query[name]:.1f}" for name in names)])
    head = ["data set", "training", *(f"`{name}`" for name in names)]
    return "\n".join(markdown(head, rows))


def curves():
    """Markdown: pictures of learning curves, and of which results all pictures are."""
    names = sorted(results_of(PARTS)["dataset"].unique())
    return curves_of("bmdal", names, [*PARTS, SIZES])


def pictures():
    """Functions that draw a Display, by the names of their files."""
    frame, draw = results_of(PARTS), ActiveLearningCurveDisplay.from_frame
    yield "bmdal_rmse_ratios", partial(ErrorRatioDisplay.from_frame, frame, metric=RMSE)
    yield "bmdal_batch_sizes", draw_sizes
    yield "bmdal_error_tails", partial(ErrorTailsDisplay.from_frame, frame)
    for name in sorted(frame["dataset"].unique()):
        yield f"bmdal_{name}", partial(draw, frame, metric=RMSE, dataset=name)
