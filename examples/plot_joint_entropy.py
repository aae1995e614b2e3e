"""
==============================================
Does it pay to train on the pool, unlabelled?
==============================================

Ranganathan et al. ("Deep active learning for image classification", ICIP 2017) let the
pool take part in training: the net is to fit the labelled rows and to be certain about
the unlabelled ones, and then asks for those it is still most uncertain about. Here
their method runs beside plain training, and each of the two with BADGE as well.

Run it with ``python examples/plot_joint_entropy.py``; it takes about a minute.
"""

# %%
# The data
# --------
#
# scikit-learn's digits: 1797 images of 8 x 8 pixels. A third is held out for testing,
# the rest is the pool. Each repeat draws its own split and its own 20 first labels,
# the same for all methods, so that these are compared like with like.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy.stats import entropy
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from skorch.callbacks import Callback
from tqdm.auto import tqdm

from skbadge import BadgeQuerier
from skbadge.nn import JointEntropyTabularClassifier
from skbadge.strategies import StrategyName

X, y = load_digits(return_X_y=True)

N_INITIAL, N_QUERY, N_ROUNDS, N_REPEATS = 20, 20, 7, 5
N_EPOCHS, ENTROPY_WEIGHT = 60, 0.1

# %%
# The net
# -------
#
# ``entropy_weight`` is the weight of the pool's entropy in the loss. The predictions of
# an untrained net are random, and lowering their entropy makes them certain and wrong,
# so that a callback waits for half of the epochs. Weight 0 is plain training, bit for
# bit. All nets train for the same number of epochs.


class WaitFor(Callback):
    """Sets the weight of the entropy after some epochs of plain training."""

    def __init__(self, n_epochs, weight):
        self.n_epochs = n_epochs
        self.weight = weight

    def on_epoch_begin(self, net, **kwargs):
        waits = len(net.history) <= self.n_epochs
        net.set_params(entropy_weight=0.0 if waits else self.weight)


def make_net(weight):
    """The tabular net, with the pool in its loss if the weight is positive."""
    return JointEntropyTabularClassifier(
        max_epochs=N_EPOCHS,
        train_accuracy=None,
        callbacks=[("wait", WaitFor(N_EPOCHS // 2, weight))],
    )


METHODS: dict[str, tuple[StrategyName, float]] = {
    "entropy, joint": ("entropy", ENTROPY_WEIGHT),
    "entropy, plain": ("entropy", 0.0),
    "badge, joint": ("badge", ENTROPY_WEIGHT),
    "badge, plain": ("badge", 0.0),
}

# %%
# One run
# -------
#
# The querier keeps labelled rows, but not the pool: each call that trains is told what
# is left of it. Besides the accuracy, the run notes how uncertain the net is about the
# rest of the pool: the mean entropy, in nats.


def run(method, repeat):
    """Accuracy and pool entropy by number of labels of one run."""
    strategy, weight = METHODS[method]
    X_pool, X_test, y_pool, y_test = train_test_split(
        X, y, test_size=1 / 3, stratify=y, random_state=repeat
    )
    left = np.random.default_rng(repeat).permutation(len(X_pool))
    first, left = left[:N_INITIAL], left[N_INITIAL:]
    querier = BadgeQuerier(
        make_net(weight),
        strategy=strategy,
        classes=np.unique(y),
        random_state=repeat,
    ).fit(X_pool[first], y_pool[first], X_unlabeled=X_pool[left])
    notes = {}
    while True:
        notes[len(querier.y_labeled_)] = {
            "accuracy": querier.score(X_test, y_test),
            "pool entropy": entropy(querier.predict_proba(X_pool[left]), axis=1).mean(),
        }
        if len(notes) > N_ROUNDS:
            return pd.DataFrame.from_dict(notes, orient="index").rename_axis(
                "n_labeled"
            )
        rows = querier.query(X_pool[left], n=N_QUERY)
        new, left = left[rows], np.delete(left, rows)
        querier.partial_fit(X_pool[new], y_pool[new], X_unlabeled=X_pool[left])


# %%
# All runs
# --------

runs = {
    (method, repeat): run(method, repeat)
    for method, repeat in tqdm(
        [(method, repeat) for repeat in range(N_REPEATS) for method in METHODS],
        unit="run",
    )
}
notes = pd.concat(runs, names=["method", "repeat"])

# %%
# The result
# ----------
#
# Means, and standard errors over the repeats. Methods share splits and first labels, so
# the last table, joint minus plain, pairs the repeats.
#
# It depends on how much the net knows already. Its uncertainty about the pool falls to
# about half, as it should. But with 40 labels or fewer it becomes certain of errors,
# and joint training costs two to five points of accuracy, whatever the strategy.
# With 60 or 80 there is no clear difference. From 100 on, the predictions are good
# enough to lean on, and it gains about two points for ``entropy`` and about one for
# ``badge``. The strategy matters as much as the pool: plain ``badge`` is ahead of the
# authors' method, joint ``entropy``, up to 100 labels and level with it after that.
# ``badge`` with joint training is the best of the four from 80 labels on, by little.
# One data set, five repeats and one ``entropy_weight`` make a hint, and no verdict.

groups = notes.groupby(["n_labeled", "method"])
mean, error = groups.mean(), groups.sem()
accuracy = notes["accuracy"].unstack("method")
gain = pd.concat(
    {
        strategy: accuracy[f"{strategy}, joint"] - accuracy[f"{strategy}, plain"]
        for strategy in ("entropy", "badge")
    },
    axis=1,
).groupby("n_labeled")


def show(title, mean, error, form="{:.3f}"):
    table = mean.map(form.format) + " ± " + error.map("{:.3f}".format)
    print(f"\n{title}, mean ± standard error of {N_REPEATS} repeats:\n")
    print(table.to_string())


for name, title in (
    ("accuracy", "Accuracy on held-out digits"),
    ("pool entropy", "Mean entropy on the pool"),
):
    show(title, mean[name].unstack()[[*METHODS]], error[name].unstack()[[*METHODS]])
show("Accuracy gained by joint training", gain.mean(), gain.sem(), "{:+.3f}")

# %%

# Colours by Okabe and Ito, told apart by every kind of colour vision.
STYLES = {
    "entropy, joint": {"color": "#009E73", "marker": "^"},
    "entropy, plain": {"color": "#009E73", "marker": "v", "ls": "--", "mfc": "white"},
    "badge, joint": {"color": "#D55E00", "marker": "o"},
    "badge, plain": {"color": "#D55E00", "marker": "s", "ls": "--", "mfc": "white"},
}

figure, axes = plt.subplots(1, 2, figsize=(10, 4.3), layout="constrained")
for ax, name, label in zip(
    axes,
    ("accuracy", "pool entropy"),
    ("Accuracy on held-out rows", "Mean entropy on the pool (nats)"),
    strict=True,
):
    for method, style in STYLES.items():
        middle, band = mean[name].unstack()[method], error[name].unstack()[method]
        ax.plot(middle.index, middle, ms=5, label=method, **style)
        ax.fill_between(
            middle.index,
            middle - band,
            middle + band,
            color=style["color"],
            alpha=0.12,
            lw=0,
        )
    ax.set(xlabel="Labelled rows", ylabel=label)
    ax.grid(alpha=0.3)
axes[0].legend(loc="lower right", frameon=False)
figure.suptitle(
    f"Digits, {N_QUERY} labels a round: mean and standard error, {N_REPEATS} repeats"
)
picture = Path("joint_entropy.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nLearning curves: {picture}")
