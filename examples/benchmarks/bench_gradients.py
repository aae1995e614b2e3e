"""What reading sketched gradients costs beside the net's forward pass, in one run.

`lcmd` and its kin read them. The nets are small convolution nets, on images of 8 x 8
and 28 x 28 pixels, a residual net of 20 layers on 3 x 32 x 32, and a perceptron of two
hidden layers of 512. The bare forward pass has its best batch size, once with torch's
own kernels and once with those that the reading uses. The last line of each is what the
ratio would be if all multiplications took as long as those of the forward pass. Run it
on a quiet machine, it takes about a minute::

    python examples/benchmarks/bench_gradients.py          # everything
    python examples/benchmarks/bench_gradients.py resnet   # some of it, by name
"""

import argparse
import os
import warnings
from unittest import mock

import numpy as np
import torch
from measuring import report, timed, title
from skorch import NeuralNetClassifier
from torch import nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from skbadge.nn import TabularNetRegressor
from skbadge.outputs import Needs, model_outputs
from skbadge.outputs.readers._fast_linears import fast_linears
from skbadge.utils._fast_products import SWITCH

SKETCH, REPEATS = 512, 3


class Block(nn.Module):
    """Two convolutions and a way around them."""

    def __init__(self, n_inputs, n_outputs, stride):
        super().__init__()
        self.first = nn.Conv2d(n_inputs, n_outputs, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(n_outputs)
        self.second = nn.Conv2d(n_outputs, n_outputs, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(n_outputs)
        self.stride = stride

    def forward(self, X):
        """The block's output."""
        inside = torch.relu(self.first_norm(self.first(X)))
        inside = self.second_norm(self.second(inside))
        n_new = inside.shape[1] - X.shape[1]
        around = X[:, :, :: self.stride, :: self.stride]
        around = functional.pad(around, (0, 0, 0, 0, 0, n_new))
        return torch.relu(inside + around)


def resnet():
    """The net of 20 layers for images of 32 x 32 pixels."""
    layers = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    width = 16
    for n_outputs in (16, 32, 64):
        for _ in range(3):
            layers.append(Block(width, n_outputs, n_outputs // width))
            width = n_outputs
    pool = nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*layers, *pool, nn.Linear(width, 10))


def small_net(size, *, early_pool):
    """Two convolutions; the images are halved after the last or after each."""
    pools = [nn.MaxPool2d(2) if early_pool else nn.Identity(), nn.MaxPool2d(2)]
    last = size // (4 if early_pool else 2)
    return nn.Sequential(
        *(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), pools[0]),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), pools[1]),
        *(nn.Flatten(), nn.Linear(32 * last**2, 10)),
    )


def images(module, *shape):
    """A net that was not trained, and rows for it."""
    net = NeuralNetClassifier(module, criterion=nn.CrossEntropyLoss).initialize()
    return net, np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def perceptron():
    """A net that was trained a little, and rows for it."""
    X = np.random.default_rng(0).standard_normal((200_000, 20), dtype=np.float32)
    net = TabularNetRegressor(hidden_sizes=(512, 512), max_epochs=1, random_state=0)
    return net.fit(X[:512], np.sin(X[:512, 0])), X


CASES = {
    "small-8": lambda: images(small_net(8, early_pool=False), 4000, 1, 8, 8),
    "small-28": lambda: images(small_net(28, early_pool=False), 2000, 1, 28, 28),
    "pooled-28": lambda: images(small_net(28, early_pool=True), 4000, 1, 28, 28),
    "resnet": lambda: images(resnet(), 256, 3, 32, 32),
    "perceptron": perceptron,
}
# What has been reached on two cores of an EPYC (Zen 5), with some room.
# What is aimed at: of nets of linear layers by the same kernels.
OF_FORWARD, OF_SAME_KERNELS = 4, 3


def forward(module, X, batch_size):
    """The net's output for all rows, and nothing else."""
    with torch.inference_mode():
        return [module(part) for part in X.split(batch_size)]


def multiplications(function):
    """Those that torch counts; it does not know oneDNN's products."""
    with (
        FlopCounterMode(display=False) as counter,
        mock.patch.dict(os.environ, {SWITCH: "0"}),
    ):
        function()
    return counter.get_total_flops() / 2


def compare(name):
    """Print one comparison."""
    net, X = CASES[name]()
    needs = Needs(gradients=True, n_columns=SKETCH)

    def read(rows):
        return model_outputs(net, rows, needs=needs, random_state=0)

    title(f"{name}, N = {len(X)}, sketch of {SKETCH}")
    module, tensor = net.module_.eval(), torch.from_numpy(X)
    sizes = [size for size in (64, 256, 1024, 4096) if size <= len(X)]
    passes = [
        timed(lambda size=size: forward(module, tensor, size), REPEATS)[0]
        for size in sizes
    ]
    bare, size = min(zip(passes, sizes, strict=True))
    with fast_linears():
        same = timed(lambda: forward(module, tensor, size), REPEATS)[0]
    reading = timed(lambda: read(X), REPEATS)[0]
    # Of one row: torch counts too many where convolutions have groups of channels.
    counts = [
        multiplications(lambda: forward(module, tensor[:1], 1)),
        multiplications(lambda: read(X[:1])),
    ]
    print(
        f"  forward {1e3 * bare:.1f} ms ({size} rows a batch), by the reading's "
        f"kernels {1e3 * same:.1f} ms; reading {1e3 * reading:.1f} ms"
    )
    report("reading / forward", reading / bare, "x", f"<={OF_FORWARD}")
    if name == "perceptron":
        target = f"<={OF_SAME_KERNELS}"
        report("reading / forward, same kernels", reading / same, "x", target)
    print(f"  multiplications, reading / forward: {counts[1] / counts[0]:.2f} x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", default=list(CASES), metavar="NAME")
    warnings.simplefilter("ignore")
    for name in parser.parse_args().names:
        compare(name)
