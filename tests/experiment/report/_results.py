"""Results to report on."""

import numpy as np
import pandas as pd

NASTY = ["<script>alert(1)</script>", "[a](http://b)", "a|b\nc", "=cmd|' /C calc'!A0",
         "$\\frac{$", "*x*", "_hidden_", "`code`", "@a", "-1+2"]  # fmt: skip


def make_frame(n_repeats=5, **changes):
    """Strategy "badge" is better than "random" by 0.1 after the start."""
    rows = [
        {
            "dataset": "made",
            "model": "mlp",
            "strategy": strategy,
            "n_query": 10,
            "repeat": repeat,
            "n_labeled": 10 + 10 * i,
            "metric": "accuracy",
            "score": 0.5 + 0.05 * i + 0.001 * repeat * i + gain * (i > 0),
            "fit_time": 2.0 + i,
            "query_time": 0.5 * i,
        }
        for strategy, gain in (("badge", 0.1), ("random", 0.0))
        for repeat in range(n_repeats)
        for i in range(5)
    ]
    return pd.DataFrame(rows).assign(**changes)


def make_errors(n_repeats=2, ratios=(("light", 0.9), ("heavy", 0.5), ("mid", 0.7))):
    """Errors of "lcmd" are ``ratio`` times those of "random" after the start."""
    names = {"neg_root_mean_squared_error": 2.0, "neg_mean_absolute_error": 1.0}
    rows = [
        {
            "dataset": dataset,
            "model": "net",
            "strategy": strategy,
            "n_query": 10,
            "repeat": repeat,
            "n_labeled": 10 + 10 * i,
            "metric": metric,
            "score": -tail / (1 + i) * (ratio if strategy == "lcmd" and i else 1.0),
            "fit_time": 1.0,
            "query_time": 0.5,
        }
        for dataset, ratio in ratios
        for strategy in ("lcmd", "random")
        for repeat in range(n_repeats)
        for i in range(3)
        for metric, tail in names.items()
    ]
    return pd.DataFrame(rows)


def make_settings(n_repeats=3):
    """Two data sets, models and batch sizes: "badge" is better on all, now and then."""
    rng = np.random.RandomState(0)
    frames = [
        make_frame(n_repeats, dataset=dataset, model=model, n_query=n_query)
        for dataset in ("first", "second")
        for model in ("mlp", "net")
        for n_query in (10, 20)
    ]
    for frame in frames:
        frame["n_labeled"] = 10 + (frame["n_labeled"] - 10) // 10 * frame["n_query"]
        frame["score"] += 0.05 * rng.uniform(size=len(frame))
    return pd.concat(frames, ignore_index=True)
