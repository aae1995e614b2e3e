"""
==========================================
Images and a convolution net of your own
==========================================

A small convolution net with batch norm, as one writes it in torch, is wrapped by skorch
and asks for the images that it wants labelled. What does ``query`` read from such a
net, what does a batch look like beside a random one, and how many labels does it save?
At the end: what changes for MNIST, a ResNet and images in files.

Run it with ``python examples/plot_images.py``; it takes about a minute.
"""

# %%
# The images and the net
# ----------------------
#
# scikit-learn's digits, 1797 images of 8 x 8 pixels, here as a net wants them: one
# channel, float32, numbers from 0 to 1. The net is a plain module. It must end in a
# linear layer, and everything before that layer gives the features.

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from skorch import NeuralNetClassifier
from torch import nn

from skbadge import BadgeQuerier
from skbadge.experiment import active_learning_curve
from skbadge.inspection import ActiveLearningCurveDisplay, paired_tests
from skbadge.outputs import model_outputs

pixels, y = load_digits(return_X_y=True)
X = (pixels / 16).astype(np.float32).reshape(-1, 1, 8, 8)

N_INITIAL, N_QUERY, N_ROUNDS, N_REPEATS = 20, 20, 9, 5
N_EPOCHS = 30


class SmallNet(nn.Module):
    """Two convolutions with batch norm, and two linear layers."""

    def __init__(self, n_channels=1, n_classes=10):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_channels, 16, 3, padding=1, bias=False),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, 3, padding=1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(128, 64),
            nn.ReLU(),
        )
        self.head = nn.Linear(64, n_classes)

    def forward(self, x):
        return self.head(self.body(x))


# %%
# ``train_split=None``, or skorch holds out a fifth of the few labels. The batches are
# small: with 20 labels, a batch of 128 would be all there is, and 30 epochs 30 steps.

net = NeuralNetClassifier(
    SmallNet,
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.003,
    max_epochs=N_EPOCHS,
    batch_size=16,
    train_split=None,
    verbose=0,
)

# %%
# What a query reads
# ------------------
#
# One pass over the pool: the input of the last linear layer, 64 numbers an image, and
# the probabilities. The net is in inference mode meanwhile. Batch norm normalises by
# the averages of training, so an image gets the same features alone as among others,
# and the averages stay as they were.

first = np.random.default_rng(0).permutation(len(X))[:N_INITIAL]
querier = BadgeQuerier(net, classes=range(10), random_state=0).fit(X[first], y[first])
averages = querier.estimator_.module_.body[1].running_mean.clone()

features = model_outputs(querier.estimator_, X, needs="features").features
alone = model_outputs(querier.estimator_, X[:1], needs="features").features
same = np.allclose(features[:1], alone, atol=1e-5)
querier.query(np.delete(X, first, axis=0), n=N_QUERY)
kept = torch.equal(averages, querier.estimator_.module_.body[1].running_mean)
print("features:", features.shape, features.dtype)
print("the same for an image alone:", same)
print("averages of batch norm as they were:", kept)

# %%
# Two batches
# -----------
#
# The same net asks for a batch by ``badge`` and by ``random``. In practice nobody knows
# which of its answers are wrong; here we do. Those are the images that it has something
# to learn from. Counted over several starts, each of 20 random labels:

batches, counts = {}, []
for repeat in range(N_REPEATS):
    order = np.random.default_rng(repeat).permutation(len(X))
    first, left = order[:N_INITIAL], order[N_INITIAL:]
    querier = BadgeQuerier(net, classes=range(10), random_state=repeat)
    querier.fit(X[first], y[first])
    answers = querier.predict(X)
    for strategy in ("badge", "random"):
        querier.set_params(strategy=strategy)
        rows = left[querier.query(X[left], n=N_QUERY)]
        batches.setdefault(strategy, (rows, answers[rows]))
        wrong, classes = np.sum(answers[rows] != y[rows]), len(np.unique(y[rows]))
        counts.append({"strategy": strategy, "wrong": wrong, "classes": classes})
counts = pd.DataFrame(counts).groupby("strategy").mean()
print(
    f"Of {N_QUERY} images, mean of {N_REPEATS} starts:\n{counts.round(1).to_string()}"
)

# %%
# Learning curves
# ---------------
#
# A quarter of the images is held out in each repeat. Strategies share splits and first
# labels, so that they are compared like with like.

result = active_learning_curve(
    BadgeQuerier(net, classes=range(10)),
    X,
    y,
    strategies=["badge", "margin", "random"],
    n_initial=N_INITIAL,
    n_query=N_QUERY,
    n_rounds=N_ROUNDS,
    n_repeats=N_REPEATS,
    random_state=0,
)
results = result.to_frame()
table = results.pivot_table(index="n_labeled", columns="strategy", values="score")
print(table.round(3).to_string())

# %%
# The area under the curves against random, and what it cost: seconds of one run, all
# its rounds. Training is nearly all of it.

tests = paired_tests(results, baseline="random")
print(tests[["strategy", "mean_difference", "p_adjusted"]].round(4).to_string())
costs = results.groupby(["strategy", "repeat"])[["query_time", "fit_time"]].sum()
print(costs.groupby("strategy").mean().round(2).to_string())

# %%
# With 40 labels, that is after one batch, there is no clear difference: a net of 20
# labels knows little of what it does not know. Then ``badge`` and ``margin`` go ahead
# by two to four points, and have with 100 to 120 labels what random has with 200.
# Between the two there is no clear difference here. The digits are all alike in size
# and place, and the classes are as large as each other. Where that is not so, try it on
# labels that you have.

# %%
figure = plt.figure(figsize=(9, 8), layout="constrained")
upper, lower = figure.subfigures(2, 1, height_ratios=[1, 1.2])
upper.suptitle("One batch each by the same net: its answer, in bold where it is wrong")
for part, (strategy, batch) in zip(
    upper.subfigures(2, 1), batches.items(), strict=True
):
    part.supylabel(strategy)
    for ax, row, answer in zip(
        part.subplots(2, N_QUERY // 2).flat, *batch, strict=True
    ):
        wrong = answer != y[row]
        ax.imshow(X[row, 0], cmap="gray_r")
        ax.set_title(
            answer,
            fontsize=10,
            pad=2,
            color="#D55E00" if wrong else "black",
            weight="bold" if wrong else "normal",
        )
        ax.set_axis_off()
ax = lower.subplots()
ActiveLearningCurveDisplay.from_frame(results, ax=ax)
ax.set(title=f"Digits, {N_REPEATS} repeats", ylabel="accuracy")

picture = Path("images.png").resolve()
figure.savefig(picture, dpi=120)
print(f"\nBatches and learning curves: {picture}")

# %%
# From here to MNIST, a ResNet and files
# --------------------------------------
#
# **MNIST** changes nothing but the array. The net above takes 28 x 28 pixels as it is,
# because it pools to 2 x 2 before the linear layers::
#
#     pixels, y = fetch_openml("mnist_784", return_X_y=True, as_frame=False)
#     X = (pixels / 255).astype(np.float32).reshape(-1, 1, 28, 28)
#
# Of its 70 000 images a query keeps the features, 64 numbers each: 18 MB. Labels are
# strings there, and so are those in ``classes``.
#
# **A ResNet** goes in as torchvision has it. Its last linear layer, ``fc``, is found,
# and the features are the 512 numbers before it. ``X`` has three channels::
#
#     net = NeuralNetClassifier(
#         torchvision.models.resnet18,
#         module__num_classes=10,
#         criterion=nn.CrossEntropyLoss,
#         iterator_train__collate_fn=augment,
#         train_split=None,
#         device="cuda",
#     )
#
# Random crops and flips belong to training alone. A ``collate_fn`` of
# ``iterator_train`` is one place for them: a query does not go through it. In a
# dataset, a query would read images that were changed at random.
#
# Training takes most of the time here, and more so with a ResNet, while ``query`` is
# one pass over the pool. So ask for more labels at a time. Or take a net that is
# trained already and stays as it is: send all images through it once, and let a small
# classifier learn on its features, as in the
# example :ref:`sphx_glr_auto_examples_plot_few_labels.py`.
#
# **Files**: ``X`` is an array of paths, and a ``dataset`` of the net opens them::
#
#     class Images(torch.utils.data.Dataset):
#         def __init__(self, X, y=None):
#             self.X, self.y = X, y
#
#         def __len__(self):
#             return len(self.X)
#
#         def __getitem__(self, i):
#             image = np.load(self.X[i])  # float32, of shape (channels, height, width)
#             return image, 0 if self.y is None else self.y[i]
#
#     net = NeuralNetClassifier(
#         SmallNet, dataset=Images, criterion=nn.CrossEntropyLoss, train_split=None
#     )
#
# ``query(X, n, subsample=5000)`` reads only so many of them, drawn at random.
