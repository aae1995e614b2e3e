"""
==========================================
How diverse and how uncertain is a batch?
==========================================

BADGE replaces a k-DPP, which draws batches of great determinant at great cost, by
k-means++ seeding. Figure 2 of its paper (Ash et al. 2020) asks what that loses: several
samplers select from the same gradient embeddings, and the batches are compared by the
log-determinant of their Gram matrix, for diversity and uncertainty in one, and by
their mean gradient norm, for uncertainty alone. Here is that comparison on handwritten
digits.

Run it with ``python examples/plot_batch_diagnostics.py``; it takes about a minute.
"""

# %%
# The data and the samplers
# -------------------------
#
# scikit-learn's digits: images of 8 x 8 pixels. Each repeat draws its own pool of 1200
# of them, its own first labels and its own weights of the net.

from pathlib import Path
from time import perf_counter

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.datasets import load_digits
from tqdm.auto import tqdm

from skbadge import BadgeQuerier
from skbadge.inspection import batch_diagnostics
from skbadge.outputs import model_outputs
from skbadge.strategies import Badge, get_strategy

X, y = load_digits(return_X_y=True)

SAMPLERS = {
    "badge": "k-means++ (BADGE)",
    "badge_kdpp": "k-DPP",
    "badge_max_det": "greedy determinant",
    "badge_k_center": "FF-k-center",
    "random": "random",
}
N_POOL, N_INITIAL, N_QUERY, N_ROUNDS, N_REPEATS = 1200, 50, 50, 8, 5


# %%
# One run
# -------
#
# In each round all samplers select from the same pool by the same model: what is
# compared are batches, not what is learned from them. The model goes on with the rows
# that BADGE selected.


def run(repeat):
    """Diagnostics of the batch of each sampler in each round of one run."""
    left = np.random.default_rng(repeat).permutation(len(X))[:N_POOL]
    first, left = left[:N_INITIAL], left[N_INITIAL:]
    querier = BadgeQuerier(classes=np.unique(y), random_state=repeat)
    querier.fit(X[first], y[first])
    records = []
    for _ in range(N_ROUNDS):
        outputs = model_outputs(querier.estimator_, X[left])
        embedding = Badge().embed(outputs)
        batches = {}
        for name in SAMPLERS:
            start = perf_counter()
            rows = get_strategy(name).select(outputs, N_QUERY, random_state=repeat)
            record = {"sampler": name, "n_labeled": len(querier.y_labeled_)}
            record["milliseconds"] = 1000 * (perf_counter() - start)
            records.append(record | vars(batch_diagnostics(embedding, rows)))
            batches[name] = rows
        rows = batches["badge"]
        querier.partial_fit(X[left[rows]], y[left[rows]])
        left = np.delete(left, rows)
    return pd.DataFrame(records).assign(repeat=repeat)


# %%
# All runs
# --------

found = pd.concat(
    [run(repeat) for repeat in tqdm(range(N_REPEATS), unit="run")], ignore_index=True
)

# %%
# The result
# ----------
#
# A batch of linearly dependent rows would have log-determinant minus infinity. None
# has: there are far more columns than rows.

assert np.isfinite(found["log_det"]).all()

MEASURES = {
    "log_det": "Log-determinant of the batch's Gram matrix (natural logarithm)",
    "mean_norm": "Mean norm of the batch's gradients",
}
groups = found.groupby(["n_labeled", "sampler"])[list(MEASURES)]
mean, error = groups.mean().unstack(), groups.sem().unstack()
for measure, title in MEASURES.items():
    digits = "{:.1f}" if measure == "log_det" else "{:.3f}"
    middle, band = mean[measure][list(SAMPLERS)], error[measure][list(SAMPLERS)]
    table = middle.map(digits.format) + " ± " + band.map(digits.format)
    print(f"\n{title}, batches of {N_QUERY},")
    print(f"mean ± standard error of {N_REPEATS} repeats:\n")
    print(table.set_axis([*SAMPLERS.values()], axis=1).to_string())

# %%
# All samplers have the same models, so that they may be compared within each run: how
# far a batch is from BADGE's, and how long its selection took. Twice 50 nats stand for
# gradients longer, or farther from the span of the others, by a factor of e in the
# geometric mean over the 50 rows.

wide = found.pivot(index=["repeat", "n_labeled"], columns="sampler", values="log_det")
ahead = wide.sub(wide["badge"], axis=0).groupby("repeat").mean().agg(["mean", "sem"]).T
ahead["milliseconds"] = found.groupby("sampler")["milliseconds"].median()
ahead.columns = ["log-determinant beyond BADGE's", "standard error", "milliseconds"]
print("\nMean of all rounds, standard error over the repeats, median time:\n")
print(ahead.loc[list(SAMPLERS)].rename(SAMPLERS).round(1).to_string(index_names=False))

# %%
# k-means++ comes close to the k-DPP at a small fraction of its cost, and both are far
# ahead of random rows. That is the paper's point. The two deterministic samplers go
# further still: they take the longest gradients there are. Great determinants are not
# the goal, though: what a batch teaches the model is for learning curves to say.

# %%

# Colours by Okabe and Ito, told apart by every kind of colour vision.
COLORS = ["#D55E00", "#0072B2", "#56B4E9", "#009E73", "#000000"]
MARKERS = ["o", "s", "D", "^", "x"]
LABELS = {
    "log_det": "Log-determinant of the Gram matrix (nats)",
    "mean_norm": "Mean gradient norm (nats per unit of weight)",
}

figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.8), layout="constrained")
for ax, (measure, label) in zip(axes, LABELS.items(), strict=True):
    for name, color, marker in zip(SAMPLERS, COLORS, MARKERS, strict=True):
        middle, band = mean[measure, name], error[measure, name]
        ax.plot(
            middle.index, middle, marker=marker, ms=4, color=color, label=SAMPLERS[name]
        )
        ax.fill_between(
            middle.index, middle - band, middle + band, color=color, alpha=0.15, lw=0
        )
    ax.set(xlabel="Labelled rows", ylabel=label)
    ax.grid(alpha=0.3)
handles, labels = axes[0].get_legend_handles_labels()
figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
figure.suptitle(
    f"Batches of {N_QUERY} digits from the same models: mean and standard error, "
    f"{N_REPEATS} repeats"
)
picture = Path("batch_diagnostics.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nDiagnostics by round: {picture}")
