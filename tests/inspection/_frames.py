"""Frames of results made of arrays of scores."""

import numpy as np
import pandas as pd


def frame_of(curves, n_labeled, n_query=100, **constants):
    """Frame of curves given as strategy -> array of shape (n_repeats, n_labeled).

    NaN scores have no row.
    """
    rows = [
        constants
        | {
            "strategy": strategy,
            "n_query": n_query,
            "repeat": repeat,
            "n_labeled": labels,
            "score": score,
        }
        for strategy, runs in curves.items()
        for repeat, run in enumerate(np.asarray(runs, dtype=float))
        for labels, score in zip(n_labeled, run, strict=True)
        if not np.isnan(score)
    ]
    return pd.DataFrame(rows)


def constant(*scores, n_repeats=1):
    """Runs that are all the same."""
    return np.tile(scores, (n_repeats, 1))


def noisy_frame(seed, *, strategies=4, n_repeats=5, bonus=0.0, n_settings=2):
    """Learning curves that differ by noise, but for a bonus of strategy "b"."""
    rng = np.random.RandomState(seed)
    n_labeled = np.arange(100, 1700, 100)
    names = ["random", *"bcdefg"[: strategies - 1]]
    mean = 0.9 - 0.4 * np.exp(-(n_labeled - 100) / 400)
    frames = []
    for setting in range(n_settings):
        shape = (strategies, n_repeats, len(n_labeled))
        scores = mean + 0.01 * rng.normal(size=shape)
        scores[1] += bonus
        curves = dict(zip(names, scores, strict=True))
        frames.append(frame_of(curves, n_labeled, dataset=f"data{setting}"))
    return pd.concat(frames, ignore_index=True)
