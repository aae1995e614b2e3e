"""Nets whose gradients are read, and per-sample Jacobians by torch.func."""

import numpy as np
import torch
from skorch import NeuralNetRegressor
from torch import nn

from skbadge.nn import NTKMLP
from skbadge.outputs import Needs, model_outputs


def mlp(n_outputs=1):
    return nn.Sequential(
        nn.Linear(4, 6),
        nn.Tanh(),
        nn.Linear(6, 5, bias=False),
        nn.ReLU(),
        nn.Linear(5, n_outputs),
    )


def ntk(n_outputs=1):
    return NTKMLP(4, n_outputs, (7, 6), activation="silu", sigma_w=0.5, sigma_b=0.3)


class ConvNet(nn.Module):
    """Strides, padding, dilation and groups, and a layer that is run twice."""

    def __init__(self, n_outputs=1):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 6, (2, 3), padding=(1, 2), dilation=(1, 2), groups=2)
        self.deep = nn.Conv2d(
            6, 6, 3, padding="same", padding_mode="circular", groups=6
        )
        self.twice = nn.Linear(6, 6)
        self.out = nn.Linear(6, n_outputs)

    def forward(self, X):
        X = torch.tanh(self.first(X.reshape(-1, 2, 5, 6)))
        X = torch.tanh(self.deep(torch.tanh(self.second(X))))
        X = self.twice(torch.tanh(self.twice(X.mean(dim=(2, 3)))))
        return self.out(torch.tanh(X))


class Sequences(nn.Module):
    """Convolutions along one and three dimensions, and a layer along a sequence."""

    def __init__(self, n_outputs=1):
        super().__init__()
        self.line = nn.Conv1d(3, 4, 3, stride=2, dilation=2)
        self.cube = nn.Conv3d(1, 2, 2, padding=(0, 1, 0), bias=False)
        self.each = nn.Linear(4, 5)
        self.out = nn.Linear(5 + 2, n_outputs)

    def forward(self, X):
        line = torch.relu(self.line(X.reshape(-1, 3, 20)))
        each = torch.tanh(self.each(line.swapaxes(1, 2))).sum(dim=1)
        cube = torch.tanh(self.cube(X.reshape(-1, 1, 3, 4, 5))).sum(dim=(2, 3, 4))
        return self.out(torch.cat([each, cube], dim=1))


WIDTHS = {mlp: 4, ntk: 4, ConvNet: 60, Sequences: 60}
NETS = list(WIDTHS)


def rows(make, n=9, seed=0):
    return np.random.RandomState(seed).normal(size=(n, WIDTHS[make])).astype("f4")


def fitted(make, n_outputs=1, cls=NeuralNetRegressor, **kwargs):
    torch.manual_seed(0)
    module = make(n_outputs)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(0.1 * torch.randn_like(parameter))
    return cls(module, **kwargs).initialize()


def jacobians(module, X, function=lambda outputs: outputs):
    """Jacobian of each row, a matrix of (n_outputs, n_weights) for each."""
    trained = {n: p.detach() for n, p in module.named_parameters() if p.requires_grad}
    module.eval()

    def of_row(parameters, row):
        outputs = torch.func.functional_call(module, parameters, (row[None],))
        return function(outputs.reshape(-1))

    per_row = torch.func.vmap(torch.func.jacrev(of_row), in_dims=(None, 0))
    parts = per_row(trained, torch.from_numpy(X))
    flat = [part.detach().flatten(2) for part in parts.values()]
    return torch.cat(flat, dim=2).double().numpy()


def kernel(J):
    """Sum over the outputs of inner products of gradients."""
    flat = J.reshape(len(J), -1)
    return flat @ flat.T


def read(net, X, n_columns=None, **options):
    needs = Needs(gradients=True, n_columns=n_columns)
    return model_outputs(net, X, needs=needs, **options).gradients
