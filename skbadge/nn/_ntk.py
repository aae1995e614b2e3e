"""Layers and perceptrons in the neural-tangent parametrisation."""

import math
from collections.abc import Sequence
from functools import partial

import torch
from torch import nn
from torch.nn import functional

from skbadge.nn._mlp import Activation, StandardizedPerceptron


class NTKLinear(nn.Linear):
    """Linear layer whose weights are standard normal and scaled where they are used.

    It computes ``weight_factor * X @ weight.T + bias_factor * bias``. The scale of the
    initial weights is then independent of the scale of their gradients, and both stay
    of order one at any width.

    Parameters
    ----------
    in_features, out_features : int
        Widths.

    sigma_w : float, default=1.0
        Standard deviation of an output for an input of mean square one.

    sigma_b : float, default=1.0
        Factor of the bias.

    Attributes
    ----------
    weight : Parameter of shape (out_features, in_features)
        As it is trained. The initial entries are standard normal.

    bias : Parameter of shape (out_features,)
        As it is trained. The initial entries are zero.

    weight_factor, bias_factor : float
        ``sigma_w / sqrt(in_features)`` and ``sigma_b``. The gradient of an output unit
        with respect to its weights and bias is ``(weight_factor * x, bias_factor)``
        for an input ``x``.

    References
    ----------
    Jacot, Gabriel, Hongler. "Neural tangent kernel: convergence and generalization in
    neural networks". NeurIPS 2018.

    Examples
    --------
    >>> import torch
    >>> from skbadge.nn import NTKLinear
    >>> layer = NTKLinear(4, 2, sigma_w=0.5, sigma_b=0.1)
    >>> layer.weight_factor, layer.bias_factor
    (0.25, 0.1)
    >>> layer(torch.ones(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        sigma_w: float = 1.0,
        sigma_b: float = 1.0,
    ):
        super().__init__(in_features, out_features)
        # The sum of in_features products, of standard normal weights and inputs of mean
        # square one, has variance in_features.
        self.weight_factor = sigma_w / math.sqrt(in_features)
        self.bias_factor = sigma_b

    def reset_parameters(self) -> None:
        """Draw new weights from torch's generator, and set the bias to zero."""
        nn.init.normal_(self.weight)
        nn.init.zeros_(self.bias)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        """Compute the outputs.

        Parameters
        ----------
        X : tensor of shape (..., in_features)
            Inputs.

        Returns
        -------
        outputs : tensor of shape (..., out_features)
            The outputs.
        """
        # weight_factor * X, not weight_factor * weight: a batch has fewer numbers.
        scaled = self.weight_factor * X
        # + bias_factor * bias
        return functional.linear(scaled, self.weight, self.bias_factor * self.bias)

    def extra_repr(self) -> str:
        """Describe the layer, for ``repr``."""
        factors = f"weight_factor={self.weight_factor:.4g}, "
        return f"{super().extra_repr()}, {factors}bias_factor={self.bias_factor:.4g}"


class NTKMLP(StandardizedPerceptron):
    """Multi-layer perceptron of `NTKLinear` layers, with input standardisation inside.

    The network of the benchmark of Holzmüller et al. for tables.

    Parameters
    ----------
    n_features : int, default=1
        Columns of the input.

    n_outputs : int, default=1
        Outputs.

    hidden_sizes : sequence of int, default=(512, 512)
        Widths of the hidden layers. An empty one gives a linear model.

    activation : {"relu", "silu"}, default="relu"
        Nonlinearity of the hidden layers.

    sigma_w, sigma_b : float, default=0.2
        See `NTKLinear`.

    dropout : float, default=0.0
        Share of hidden units zeroed during training, in [0, 1).

    clip : float or None, default=5.0
        Bound on standardised inputs: ``clip * tanh(z / clip)``; None for none.

    Attributes
    ----------
    mean, mean_rest, scale : tensor of shape (n_features,)
        Statistics that standardise the input, see `MLP`.

    hidden : torch.nn.Sequential
        The hidden layers.

    output : NTKLinear
        The last layer. Its inputs are the features of a row.

    References
    ----------
    Holzmüller, Zaverkin, Kästner, Steinwart. "A framework and benchmark for deep batch
    active learning for regression". JMLR 24, 2023.

    Examples
    --------
    >>> import torch
    >>> from skbadge.nn import NTKMLP
    >>> NTKMLP(n_features=4)(torch.zeros(2, 4)).shape
    torch.Size([2, 1])
    """

    def __init__(
        self,
        n_features: int = 1,
        n_outputs: int = 1,
        hidden_sizes: Sequence[int] = (512, 512),
        activation: Activation = "relu",
        sigma_w: float = 0.2,
        sigma_b: float = 0.2,
        dropout: float = 0.0,
        clip: float | None = 5.0,
    ):
        linear = partial(NTKLinear, sigma_w=sigma_w, sigma_b=sigma_b)
        widths = (n_features, *hidden_sizes, n_outputs)
        super().__init__(widths, linear, activation, dropout, clip)
