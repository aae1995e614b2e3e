"""A multi-layer perceptron that standardises its input itself."""

from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse
from sklearn.utils.sparsefuncs import inplace_column_scale, mean_variance_axis
from torch import nn

Activation = Literal["relu", "silu"]
ACTIVATIONS = MappingProxyType({"relu": nn.ReLU, "silu": nn.SiLU})


class StandardizedPerceptron(nn.Module):
    """Multi-layer perceptron that first standardises the columns of its input.

    Columns are centred and scaled by statistics kept in buffers, then clipped
    smoothly.

    Parameters
    ----------
    widths : sequence of int
        Columns of the input, units of each hidden layer, outputs.

    linear : callable
        Makes a linear layer of two widths.

    activation : {"relu", "silu"}
        Nonlinearity of the hidden layers.

    dropout : float
        Share of hidden units zeroed during training, in [0, 1).

    clip : float or None
        Bound on standardised values: ``clip * tanh(z / clip)``. None for no bound.

    Attributes
    ----------
    mean, mean_rest : tensor of shape (n_features,)
        Column means in float32, and their rounding errors. Subtracting first one and
        then the other loses no digits, even on devices without float64.

    scale : tensor of shape (n_features,)
        Column standard deviations; 1 for constant columns.
    """

    mean: torch.Tensor
    mean_rest: torch.Tensor
    scale: torch.Tensor

    def __init__(self, widths, linear, activation, dropout, clip):
        super().__init__()
        self.clip = clip
        self.register_buffer("mean", torch.zeros(widths[0]))
        self.register_buffer("mean_rest", torch.zeros(widths[0]))
        self.register_buffer("scale", torch.ones(widths[0]))
        hidden = OrderedDict()
        for i, (before, width) in enumerate(pairwise(widths[:-1]), start=1):
            hidden[f"linear{i}"] = linear(before, width)
            hidden[f"{activation}{i}"] = ACTIVATIONS[activation]()
            if dropout > 0:
                hidden[f"dropout{i}"] = nn.Dropout(dropout)
        self.hidden = nn.Sequential(hidden)
        self.output = linear(*widths[-2:])

    def set_statistics(self, mean: NDArray, scale: NDArray) -> Self:
        """Set the statistics that standardise the input.

        Parameters
        ----------
        mean : ndarray of shape (n_features,), dtype float64
            Column means.

        scale : ndarray of shape (n_features,), dtype float64
            Column scales, positive.

        Returns
        -------
        self : StandardizedPerceptron
            The module.

        Raises
        ------
        ValueError
            If a mean or a scale is beyond the range of float32.
        """
        means, scales = torch.as_tensor(mean), torch.as_tensor(scale)
        limit = torch.finfo(torch.float32)
        bad = (means.abs() > limit.max) | (scales > limit.max) | (scales < limit.tiny)
        if bad.any():
            columns = torch.nonzero(bad).ravel().tolist()
            raise ValueError(
                f"The values in columns {columns} of X are too large or too small for "
                "float32. Rescale them before the net."
            )
        self.mean.copy_(means)
        self.mean_rest.copy_(means - means.float())
        self.scale.copy_(scales)
        return self

    def standardize(self, X: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Standardise rows.

        Parameters
        ----------
        X : tensor of shape (n_samples, n_features)
            Rows, in any dtype.

        dtype : torch.dtype
            Dtype of the result. The cast comes after the subtraction of the means.

        Returns
        -------
        Z : tensor of shape (n_samples, n_features)
            The rows, standardised and clipped.
        """
        # z = (x - mean) / scale; the subtraction keeps the digits of float64 rows.
        Z = ((X - self.mean - self.mean_rest) / self.scale).to(dtype)
        # clip * tanh(z / clip): slope 1 at 0, bounded by +-clip
        return Z if self.clip is None else self.clip * torch.tanh(Z / self.clip)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Compute the outputs.

        Parameters
        ----------
        X : tensor of shape (n_samples, n_features)
            Rows, in any dtype.

        Returns
        -------
        outputs : tensor of shape (n_samples, n_outputs)
            The outputs, in the dtype of the weights.
        """
        return self.output(self.hidden(self.standardize(X, self.output.weight.dtype)))


class MLP(StandardizedPerceptron):
    """Multi-layer perceptron with input standardisation inside.

    Columns are centred and scaled by statistics kept in buffers, clipped smoothly,
    and passed through ReLU layers to a last ``nn.Linear``. There is no batch norm: a
    batch may be a single row, and no row depends on the others in its batch.

    Parameters
    ----------
    n_features : int, default=1
        Columns of the input.

    n_outputs : int, default=2
        Outputs: one logit per class, for a classifier.

    hidden_sizes : sequence of int, default=(256, 256)
        Widths of the hidden layers. An empty one gives a linear model.

    dropout : float, default=0.0
        Share of hidden units zeroed during training, in [0, 1).

    clip : float or None, default=5.0
        Bound on standardised values: ``clip * tanh(z / clip)``, nearly the identity up
        to two standard deviations. A small labelled set gives poor scales. Without
        the bound, a pool row a thousand standard deviations away has features a
        thousand times too long, and a query picks it for that reason alone. None
        removes the bound.

    Attributes
    ----------
    mean, mean_rest : tensor of shape (n_features,)
        Column means in float32, and their rounding errors. Subtracting first one and
        then the other loses no digits, even on devices without float64.

    scale : tensor of shape (n_features,)
        Column standard deviations; 1 for constant columns.

    Notes
    -----
    The smooth clip follows the benchmark of Holzmüller et al., "A Framework and
    Benchmark for Deep Batch Active Learning for Regression" (arXiv:2203.09410), which
    applies ``5 * tanh(x / 5)`` to standardised inputs.

    Float64 rows are centred in float64 and only then cast to the dtype of the
    weights. A column of float32 rows with mean 1e6 and standard deviation 1 has been
    rounded to steps of 0.06 before it gets here.

    Examples
    --------
    >>> import torch
    >>> from skbadge.nn import MLP
    >>> MLP(n_features=4, n_outputs=3)(torch.zeros(2, 4)).shape
    torch.Size([2, 3])
    """

    def __init__(
        self,
        n_features: int = 1,
        n_outputs: int = 2,
        hidden_sizes: Sequence[int] = (256, 256),
        dropout: float = 0.0,
        clip: float | None = 5.0,
    ):
        widths = (n_features, *hidden_sizes, n_outputs)
        super().__init__(widths, nn.Linear, "relu", dropout, clip)


def column_statistics(X, weights=None):
    """Column means and standard deviations (1 for constant columns), in float64.

    Rows of weight 0 do not count at all.
    """
    if weights is not None:
        X, weights = X[weights > 0], weights[weights > 0]
    # Columns are first divided by their largest magnitude, m. Squares of raw values may
    # overflow, and constant columns become exactly constant in floating point.
    if sparse.issparse(X):
        X = X.astype(np.float64)
        largest = abs(X).max(axis=0).toarray().ravel()
        largest[largest == 0] = 1.0
        inplace_column_scale(X, 1 / largest)
        mean, variance = mean_variance_axis(X, axis=0, weights=weights)
    else:
        X = X.double().numpy() if torch.is_tensor(X) else np.asarray(X, np.float64)
        largest = np.abs(X).max(axis=0)
        largest[largest == 0] = 1.0
        X = X / largest
        mean = np.average(X, axis=0, weights=weights)
        variance = np.average(np.square(X - mean), axis=0, weights=weights)
    # Those of x / m. They are m times as large for x, save for rounding.
    deviation = np.sqrt(variance)
    constant = deviation <= 10 * np.finfo(np.float64).eps
    return mean * largest, np.where(constant, 1.0, deviation * largest)
