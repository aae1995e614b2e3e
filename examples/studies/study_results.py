"""The results beside this file, and how pages write numbers."""

import math
import re
from functools import cache
from hashlib import sha256
from pathlib import Path

import pandas as pd
from scipy import stats

from skbadge.experiment import Benchmark

HERE = Path(__file__).parent
SETTING = ["dataset", "model", "n_query"]


def results_of(parts):
    """Evaluations of those of the parts whose results are there, or None.

    Of each setting the repeats that all strategies of the part have come to.
    """
    frames = [complete(read(part), part) for part in parts if path_of(part).exists()]
    return pd.concat(frames, ignore_index=True) if frames else None


def path_of(part):
    """Where the results of a part are kept."""
    return HERE / f"{part}.csv.gz"


@cache
def read(part):
    """All evaluations of a part."""
    return pd.read_csv(path_of(part))


def complete(frame, part):
    """Repeats of a setting in which no strategy of the part is missing."""
    planned = Benchmark.from_toml(HERE / f"{part}.toml").named_strategies
    there = frame.groupby([*SETTING, "repeat"])["strategy"].transform("nunique")
    return frame[there == len(planned)]


def curves_of(study, datasets, parts):
    """Markdown: a picture a data set, and what tells when the parts' results change."""
    paths = [path_of(part) for part in parts if path_of(part).exists()]
    digest = sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]
    lines = [f"![{name}](../examples/images/{study}_{name}.png)" for name in datasets]
    return "\n".join([*lines, "", f"<!-- pictures of results {digest} -->"])


def span(least, most, digits=None):
    """Words for a range: one number where both ends are the same."""
    ends = [
        f"{end:,}" if digits is None else f"{end:.{digits}f}" for end in (least, most)
    ]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def markdown(head, rows):
    """Lines of a table, the first column to the left and all others to the right.

    What stands in brackets is kept in one line.
    """
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    text = ["| " + " | ".join(map(str, line)) + " |" for line in lines]
    return [re.sub(r"\(.*?\)", _unbroken, line) for line in text]


def _unbroken(match):
    return match[0].replace(" ", "\N{NO-BREAK SPACE}")


def shown(number, digits):
    """A number, and nothing in the place of none."""
    return "" if math.isnan(number) else f"{number:.{digits}f}"


def one(number):
    """One digit behind the point, and no sign before zero."""
    return f"{round(number, 1) + 0:.1f}"


def points(score):
    """Points of accuracy."""
    return one(100 * score)


def by_dataset(tests):
    """Mean differences of `paired_tests`, a strategy a row and a data set a column."""
    return tests.groupby(["strategy", "dataset"])["mean_difference"].mean().unstack()


def mean_and_interval(differences, words=points):
    """Words for a mean and Student's 95 % interval: points of accuracy, or others."""
    n, mean = len(differences), differences.mean()
    half = stats.t.ppf(0.975, n - 1) * differences.sem()
    return f"{words(mean)} ({words(mean - half)} to {words(mean + half)})"
