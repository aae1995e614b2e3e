"""The results beside this file, and how pages write numbers."""

import math
from functools import cache
from hashlib import sha256
from pathlib import Path

import pandas as pd

from skbadge.inspection import paired_tests

HERE = Path(__file__).parent
SETTING = ["dataset", "model", "n_query"]


def results_of(parts):
    """Evaluations of those of the parts whose results are there, or None."""
    frames = [whole(read(part)) for part in parts if path_of(part).exists()]
    return pd.concat(frames, ignore_index=True) if frames else None


def path_of(part):
    """Where the results of a part are kept."""
    return HERE / f"{part}.csv.gz"


@cache
def read(part):
    """All evaluations of a part."""
    return pd.read_csv(path_of(part))


def whole(frame):
    """The settings of a part that all of its strategies have come to."""
    there = frame.groupby(SETTING)["strategy"].transform("nunique")
    return frame[there == frame["strategy"].nunique()]


def digest_of(parts):
    """What tells whether any results of these parts have changed since."""
    paths = [path_of(part) for part in parts if path_of(part).exists()]
    return sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def verdicts(frame, baseline):
    """Settings in which strategies are better than the baseline, level, and worse.

    By paired t-tests of the mean score over the curve, with Holm's correction.
    """
    tests = paired_tests(frame, baseline=baseline)
    found = tests["p_adjusted"] < 0.05
    better = found & (tests["mean_difference"] > 0)
    worse = found & (tests["mean_difference"] < 0)
    level = ~found & tests["p_adjusted"].notna()
    counts = pd.DataFrame({"better": better, "level": level, "worse": worse})
    return counts.groupby(tests["strategy"]).sum()


def span(least, most, digits=None):
    """Words for a range: one number where both ends are the same."""
    ends = [
        f"{end:,}" if digits is None else f"{end:.{digits}f}" for end in (least, most)
    ]
    return ends[0] if ends[0] == ends[1] else " to ".join(ends)


def markdown(head, rows):
    """Lines of a table, the first column to the left and all others to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return ["| " + " | ".join(map(str, line)) + " |" for line in lines]


def shown(number, digits):
    """A number, and nothing in the place of none."""
    return "" if math.isnan(number) else f"{number:.{digits}f}"
