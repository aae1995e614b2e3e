"""Tables and pictures of docs/reproduction.md: the experiment of the BADGE paper.

`pages.py` puts them into the page.
"""

from functools import cache, partial

import numpy as np
import pandas as pd
from study_results import (
    SETTING,
    digest_of,
    markdown,
    results_of,
    shown,
    span,
    verdicts,
)

from skbadge.inspection import (
    ActiveLearningCurveDisplay,
    ErrorCDFDisplay,
    PenaltyMatrixDisplay,
    RunTimesDisplay,
    normalized_error_cdf,
    paired_tests,
    penalty_matrix,
    penalty_null,
    run_times,
)

PARTS = ["badge_tables", "badge_noisy_tables", "badge_mnist", "badge_cnn"]
PARTS += ["badge_large_batches", "badge_resnet"]
SLOW, RAW = "badge_slow_optimiser", "badge_raw_columns"
SAMPLERS, BATCHES = "badge_samplers", "badge_batches"
# Figure 4 of the paper, and two that are newer.
STRATEGIES = ["badge", "margin", "albl", "core_set", "least_confidence", "entropy"]
STRATEGIES += ["falcun", "alfa_mix", "random"]
DIAGNOSTICS = ["log_det", "mean_norm"]


@cache
def main_results():
    """All runs but those of the extra questions."""
    frame = results_of(PARTS)
    return frame[frame["strategy"].isin(STRATEGIES)].reset_index(drop=True)


@cache
def complete_results():
    """Those of settings that all strategies were run in."""
    frame = main_results()
    there = frame.groupby(SETTING)["strategy"].transform("nunique")
    return frame[there == len(STRATEGIES)].reset_index(drop=True)


def settings():
    """Markdown: what was run, a line for each model and batch size."""
    rows = []
    for (model, n_query), frame in main_results().groupby(["model", "n_query"]):
        repeats = frame.groupby(["dataset", "strategy"])["repeat"].nunique()
        rows.append(
            [
                f"{model}, {n_query:,}",
                ", ".join(sorted(frame["dataset"].unique())),
                frame["strategy"].nunique(),
                span(repeats.min(), repeats.max()),
                f"{frame['n_labeled'].max():,}",
            ]
        )
    head = ["net, batch", "data sets", "strategies", "repeats", "labels in the end"]
    return "\n".join(markdown(head, rows))


@cache
def matrices():
    """Penalty matrices: of all complete settings, by batch size, and by net."""
    frame = complete_results()
    found = {"all": penalty_matrix(frame)}
    for n_query, rows in frame.groupby("n_query"):
        found[f"batches of {n_query:,}"] = penalty_matrix(rows)
    for model, rows in main_results().groupby("model"):
        found[model] = penalty_matrix(rows)
    return found


def penalties():
    """Markdown: how often each strategy is beaten by another, on average."""
    found = matrices()
    head = [f"{name} ({each.n_settings})" for name, each in found.items()]
    columns = pd.DataFrame({name: each.column_average for name, each in found.items()})
    rows = [
        [f"`{name}`", *(shown(value, 2) for value in columns.loc[name])]
        for name in columns["all"].sort_values().index
    ]
    null = penalty_null(complete_results(), n_permutations=1000, random_state=0)
    lowest = null[null["p_low_adjusted"] < 0.05].index
    return "\n".join(
        [
            *markdown(["strategy", *head], rows),
            "",
            "In brackets: settings. Beaten less often than names drawn at random would "
            f"be, all tests at once at 0.05: {_names(lowest)}.",
        ]
    )


def against_badge():
    """Markdown: settings in which badge is better than another strategy, and worse."""
    counts = verdicts(main_results(), "badge")
    cdf = normalized_error_cdf(complete_results()).cdf
    quantiles = {name: _quantiles(*cdf(name)) for name in STRATEGIES}
    rows = []
    for name in sorted(STRATEGIES, key=quantiles.get):
        cell = ""
        if name != "badge":
            found = counts.loc[name]
            cell = f"{found.worse} / {found.level} / {found.better}"
        rows.append([f"`{name}`", *(f"{x:.2f}" for x in quantiles[name]), cell])
    head = ["strategy", "median", "upper quartile", "badge better / level / worse"]
    return "\n".join(markdown(head, rows))


def _quantiles(x, p):
    return [x[np.searchsorted(p, level)] for level in (0.5, 0.75)]


def times():
    """Markdown: median seconds of a training, and of the queries of each strategy."""
    found = run_times(main_results())
    rows = []
    for (dataset, model, n_query), group in found.groupby(SETTING):
        query = group.set_index("strategy")["query_time"]
        rows.append(
            [
                f"{dataset}, {model}, {n_query:,}",
                span(group["fit_time"].min(), group["fit_time"].max(), 1),
                *(shown(query.get(name, float("nan")), 2) for name in STRATEGIES),
            ]
        )
    head = ["setting", "training", *(f"`{name}`" for name in STRATEGIES)]
    return "\n".join(markdown(head, rows))


def optimiser():
    """Markdown: Core-Set on tables, nearer and nearer to the paper's training."""
    slow, usual = results_of([SLOW]), main_results()
    usual = usual[(usual["n_query"] == 100) & (usual["model"] == "mlp")]
    usual = usual[usual["n_labeled"] <= slow["n_labeled"].max()]
    usual = usual[usual["strategy"].isin(slow["strategy"].unique())]
    ways = {"1e-3": usual, "1e-4": slow, "1e-4, raw columns": results_of([RAW])}
    rows = []
    for dataset in sorted(slow["dataset"].unique()):
        for way, frame in ways.items():
            frame = frame[frame["dataset"] == dataset]
            if len(frame):
                rows.append([f"{dataset}, {way}", *_beyond_random(frame)])
    head = ["learning rate", "`badge`", "`core_set`", "seconds of a training"]
    return "\n".join(markdown(head, rows))


def _beyond_random(frame):
    tests = paired_tests(frame, baseline="random").set_index("strategy")
    cells = [
        difference(tests.loc[name]) if name in tests.index else ""
        for name in ("badge", "core_set")
    ]
    return [*cells, f"{frame['fit_time'].median():.1f}"]


def difference(test):
    """Points of accuracy and their standard error, of a line of `paired_tests`."""
    sem = test.mean_difference / test.statistic if test.statistic else 0
    return f"{100 * test.mean_difference:.1f} ± {100 * abs(sem):.1f}"


@cache
def sampler_results():
    """Samplers of gradient embeddings, in batches of 100 letters."""
    frame = main_results()
    same = (frame["dataset"] == "letter") & (frame["n_query"] == 100)
    frame = frame[same & frame["strategy"].isin(["badge", "random"])]
    return pd.concat([frame, results_of([SAMPLERS])], ignore_index=True)


def samplers():
    """Markdown: accuracies and times of other samplers beside those of k-means++."""
    frame = sampler_results()
    tests = paired_tests(frame, baseline="badge").set_index("strategy")
    seconds = run_times(frame).set_index("strategy")["query_time"]
    rows = [["`badge`", "", "", f"{seconds['badge']:.2f}"]]
    for name, test in tests.iterrows():
        rows.append(
            [
                f"`{name}`",
                difference(test),
                f"{test.p_value:.2g}",
                f"{seconds[name]:.2f}",
            ]
        )
    head = ["strategy", "points beyond badge", "p", "seconds of a query"]
    return "\n".join(markdown(head, rows))


@cache
def batches():
    """Diagnostics as metrics, of the samplers as strategies."""
    frame = results_of([BATCHES])
    found = frame["metric"].str.extract(rf"({'|'.join(DIAGNOSTICS)})_(.*)")
    return frame.assign(metric=found[0], strategy=found[1])


def diagnostics():
    """Markdown: means over all rounds and repeats."""
    frame = batches()
    means = frame.pivot_table("score", "strategy", ["dataset", "metric"])
    head = [f"{dataset}, {metric}" for dataset, metric in means]
    rows = [
        [f"`{name}`", *(shown(value, 1) for value in values)]
        for name, values in means.iterrows()
    ]
    return "\n".join(markdown(["sampler", *head], rows))


def drawn():
    """Markdown: nothing to be seen; tells pictures of other results from these."""
    return f"<!-- pictures of results {digest_of([*PARTS, SAMPLERS, BATCHES])} -->"


def pictures():
    """Functions that draw a Display, by the names of their files."""
    curves = ActiveLearningCurveDisplay.from_frame
    frame = main_results()
    yield "badge_penalties", _matrix("all")
    for n_query in sorted(complete_results()["n_query"].unique()):
        yield f"badge_penalties_{n_query}", _matrix(f"batches of {n_query:,}")
    yield "badge_error_cdf", _draw_errors
    yield "badge_times", lambda: RunTimesDisplay.from_frame(frame)
    for dataset in sorted(frame["dataset"].unique()):
        yield f"badge_{dataset}", partial(curves, frame, dataset=dataset)
    yield "badge_samplers", lambda: curves(sampler_results())
    for name in DIAGNOSTICS:
        yield f"badge_batches_{name}", partial(curves, batches(), metric=name)


def _matrix(name):
    return lambda: PenaltyMatrixDisplay.from_matrix(matrices()[name])


def _draw_errors():
    display = ErrorCDFDisplay.from_frame(complete_results())
    # Where random rows make no error but few, ratios are large.
    display.ax_.set_xlim(0, 2)
    return display


def _names(strategies):
    return ", ".join(f"`{name}`" for name in strategies) or "none"
