"""The tables of docs/evidence.md and of README.md, from the results beside this file.

To print them, and to put them into the pages::

    python examples/studies/evidence.py
    python examples/studies/evidence.py --write
"""

import argparse
import math
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from skbadge.experiment import Benchmark
from skbadge.inspection import labels_saved, mean_ranks, paired_tests, regret

HERE = Path(__file__).parent
PAGES = [HERE.parents[1] / name for name in ("docs/evidence.md", "README.md")]
RANDOM_START = "random start: random"


class Regime(NamedTuple):
    """Parts of the study that make a table together, or what is left of them."""

    title: str
    parts: list[str]
    baseline: str = "random"
    model: str | None = None
    n_query: int | None = None


NETS = [
    "badge_tables",
    "badge_noisy_tables",
    "badge_mnist",
    "badge_cnn",
    "badge_resnet",
]
FIRST = ["few_logistic", "few_forest", "few_mlp", "few_uniform", "few_refine"]
REGIMES = [
    *(
        Regime(f"10 to 150 labels, {words}", FIRST, RANDOM_START, model)
        for model, words in (
            ("logistic", "logistic"),
            ("forest", "forest"),
            ("mlp", "net"),
        )
    ),
    Regime("100 to 2,000 labels, logistic", ["hundreds_logistic"]),
    Regime("100 to 2,000 labels, forest", ["hundreds_forest"]),
    Regime("100 to 2,000 labels, net", ["hundreds_mlp"]),
    Regime("batches of 100, nets", NETS, n_query=100),
    Regime("batches of 1,000, nets", NETS, n_query=1000),
    Regime("batches of 10,000, nets", ["badge_large_batches"]),
    Regime("one class at 1 %", ["rare"]),
]
# Core-hours that each part is planned to take, 60 at most in all.
PLANNED = {
    "badge_cnn": 3,
    "badge_large_batches": 3,
    "badge_mnist": 1.5,
    "badge_noisy_tables": 5,
    "badge_resnet": 1.5,
    "badge_slow_optimiser": 1,
    "badge_tables": 3,
    "bmdal_batch_sizes": 2,
    "bmdal_large": 6.5,
    "bmdal_small": 4.5,
    "few_forest": 2,
    "few_logistic": 2,
    "few_mlp": 3,
    "few_refine": 0.5,
    "few_uniform": 1.5,
    "hundreds_forest": 3,
    "hundreds_logistic": 3,
    "hundreds_mlp": 5,
    "rare": 5,
}
SETTING, AT = ["dataset", "model", "n_query"], "n_labeled"
SOURCE = "../examples/studies"
# What README shows.
QUOTED = ["uncertainty_herding", "badge", "margin"]
# How far along the baseline's curve its score is to be reached.
TARGET = 0.8


def results_of(regime):
    """Evaluations of those of its parts whose results are there, or None."""
    paths = [HERE / f"{part}.csv.gz" for part in regime.parts]
    frames = [whole(pd.read_csv(path)) for path in paths if path.exists()]
    if not frames:
        return None
    frame = pd.concat(frames, ignore_index=True)
    for name in ("model", "n_query"):
        wanted = getattr(regime, name)
        if wanted is not None:
            frame = frame[frame[name] == wanted]
    frame = frame[frame["metric"] != "found"]
    # A start of one class trains no model: such a curve begins later, and all others of
    # the setting are compared from there on.
    runs, there = (frame.groupby(names)["run"] for names in (SETTING, [*SETTING, AT]))
    everywhere = there.transform("nunique") == runs.transform("nunique")
    return frame[everywhere].reset_index(drop=True)


def whole(frame):
    """The settings of a part that all of its strategies have come to."""
    there = frame.groupby(SETTING)["strategy"].transform("nunique")
    return frame[there == frame["strategy"].nunique()]


def saving(row):
    """Words for a line of `labels_saved`: per cent, and their interval."""
    if row.n_settings == 0:
        return ""
    shown = [
        f"{round(100 * end)}" if math.isfinite(end) else "?"
        for end in (row.at_least, row.at_most, row.low, row.high)
    ]
    known = shown[0] if shown[0] == shown[1] else f"{shown[0]} to {shown[1]}"
    return f"{known} % ({shown[2]} to {shown[3]})"


def savings(frame, baseline):
    """Labels saved by strategy, all settings together."""
    saved = labels_saved(
        frame, baseline=baseline, targets=[TARGET], by=[], random_state=0
    )
    return saved.set_index("strategy")


def points(score):
    """Points of accuracy, without a sign before zero."""
    return f"{round(100 * score, 1) + 0:.1f}"


def verdicts(tests):
    """Settings in which strategies are better than the baseline, level, and worse."""
    found = tests["p_adjusted"] < 0.05
    better = found & (tests["mean_difference"] > 0)
    worse = found & (tests["mean_difference"] < 0)
    level = ~found & tests["p_adjusted"].notna()
    counts = pd.DataFrame({"better": better, "level": level, "worse": worse})
    return counts.groupby(tests["strategy"]).sum()


def regime_table(frame, baseline, saved):
    """Lines of one Markdown table, and a sentence below it."""
    tests = verdicts(paired_tests(frame, baseline=baseline))
    everywhere = frame.groupby("strategy")["repeat"].nunique()
    strategies = sorted(everywhere.index[everywhere == everywhere.max()])
    ranks = mean_ranks(frame, strategies=strategies)
    lost = regret(frame, strategies=strategies, random_state=0).table
    lost = lost[lost["at"] == "area"].set_index("strategy")
    rank = ranks.table.set_index("strategy")["mean_rank"]
    order = sorted(everywhere.index, key=lambda name: (rank.get(name, math.inf), name))
    lines = [
        "| strategy | labels saved | better / level / worse | mean rank | regret |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in order:
        cells = [f"`{name}`", "", ""]
        if name != baseline:
            counts = tests.loc[name]
            cells[1] = saving(saved.loc[name])
            cells[2] = f"{counts.better} / {counts.level} / {counts.worse}"
        if name in rank:
            mean, worst = lost.loc[name, ["cross_mean", "cross_worst"]]
            cells += [f"{rank[name]:.2f}", f"{points(mean)} ({points(worst)})"]
        else:
            cells += ["", ""]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, "", facts(frame, ranks)]


def facts(frame, ranks):
    """What a table rests on."""
    repeats = frame.groupby(["dataset", "model", "strategy"])["repeat"].nunique()
    n_runs = frame["run"].nunique()
    least, most = repeats.min(), repeats.max()
    span = f"{least}" if least == most else f"{least} to {most}"
    n_datasets = frame["dataset"].nunique()
    return (
        f"{n_datasets} data sets, {span} repeats, {n_runs:,} runs. Mean ranks differ "
        f"from {ranks.critical_difference:.2f} on; Friedman's test has p = "
        f"{ranks.p_value:.2g}."
    )


@cache
def regimes():
    """Title, evaluations, baseline and savings of the regimes with results."""
    found = []
    for regime in REGIMES:
        frame = results_of(regime)
        if frame is not None and regime.baseline in set(frame["strategy"]):
            saved = savings(frame, regime.baseline)
            found.append((regime.title, frame, regime.baseline, saved))
    return found


def tables():
    """Markdown: a table for each regime."""
    text = []
    for title, *parts in regimes():
        text += [f"### {title.capitalize()}", "", *regime_table(*parts), ""]
    return "\n".join(text)


def summary():
    """Markdown: what some strategies save, a line for each regime."""
    head = " | ".join(f"`{name}`" for name in QUOTED)
    lines = [f"| labels saved | {head} |", "|---" + "|---:" * len(QUOTED) + "|"]
    for title, _, _, saved in regimes():
        cells = [
            saving(saved.loc[name]) if name in saved.index else "" for name in QUOTED
        ]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def work():
    """Markdown: runs, trainings and hours of each part, done and planned."""
    rows = []
    for path in sorted(HERE.glob("*.toml")):
        n_runs = len(Benchmark.from_toml(path).configs())
        done = work_done(path.with_suffix(".csv.gz"))
        name = f"[{path.stem}]({SOURCE}/{path.name})"
        rows.append([name, n_runs, PLANNED[path.stem], *done])
    rows.append(["all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])])
    lines = [
        "| part | runs | core-hours planned | runs done | trainings | core-hours |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for name, n_runs, planned, done, trainings, hours in rows:
        numbers = f"{n_runs:,} | {planned:g} | {done:,} | {trainings:,} | {hours:.1f}"
        lines.append(f"| {name} | {numbers} |")
    return "\n".join(lines)


def work_done(results):
    """Number of runs, of trainings, and core-hours in a file of results."""
    if not results.exists():
        return 0, 0, 0.0
    frame = pd.read_csv(results)
    trainings = frame.drop_duplicates(["run", AT])
    seconds = trainings[["fit_time", "query_time", "score_time"]].sum().sum()
    return frame["run"].nunique(), len(trainings), seconds / 3600


def filled(text):
    """A page with the tables of the results in the places that are marked for them."""
    for name, table in (("tables", tables), ("summary", summary), ("work", work)):
        start, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, marked, rest = text.partition(start)
        if marked:
            after = rest.partition(end)[2]
            text = f"{before}{start}\n\n{table().strip()}\n\n{end}{after}"
    return text


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="into the pages")
    if parser.parse_args().write:
        for page in PAGES:
            text = filled(page.read_text(encoding="utf-8"))
            page.write_text(text, encoding="utf-8")
    else:
        print(tables(), summary(), "", work(), sep="\n")
