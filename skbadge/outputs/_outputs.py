"""What a model says about rows: its probabilities and its penultimate features."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from skbadge.embeddings import DenseEmbedding, Embedding
from skbadge.embeddings._checked import as_floats, check_embedding
from skbadge.embeddings._factors import as_matrix
from skbadge.outputs._head import Head
from skbadge.utils._held_bytes import Holder
from skbadge.utils._shown import shown

# Fields with one line of numbers for each row, and all with an entry for each.
MATRICES = ("proba", "features", "inputs", "prediction")
ROW_FIELDS = (*MATRICES, "gradients")


@dataclass(frozen=True, eq=False)
class Outputs(Holder):
    """The outputs of a fitted model for some rows, read in one forward pass.

    Parameters
    ----------
    proba : ndarray of shape (n_rows, n_outputs) or None
        Class probabilities, one column for each output unit of the model (a model
        with one logit has two columns). Floating, rows sum to 1.

    features : ndarray or CSR matrix of shape (n_rows, n_features), or None
        The input of the model's last linear layer, or what stands for it, see
        `model_outputs`. Floating. Sparse only for sparse rows and leaf memberships, and
        strategies that say so in their `Needs`.

    one_logit : bool, default=False
        True if the model is binary and has a single logit. ``proba`` has two columns
        all the same; embeddings use it to form the gradient of that one logit.

    n_rows : int or None, default=None
        Number of rows, to be given only where no array is: some strategies ask
        nothing of the model.

    identify : callable or None, default=None
        From an array of positions to a list of identities of these rows, which stay
        theirs when positions change. Given to strategies that need "ids".

    posterior : ndarray of shape (n_posterior, n_rows, n_outputs) or None
        Class probabilities by each of several samples from the model's posterior:
        dropout masks or the members of an ensemble. float32 as it is read, rows sum
        to 1.

    inputs : ndarray or CSR matrix of shape (n_rows, n_inputs), or None
        Numbers that stand for the rows: what a net's first linear or convolution layer
        is given, flattened; for other models what they were trained on.

    gradients : Embedding of shape (n_rows, n_columns) or None
        Gradients with respect to the weights of all layers, see `model_outputs`.

    feature_factors : tuple (weight_factor, bias_factor), default=(1.0, 1.0)
        The gradient of an output of the last layer with respect to its weights and its
        bias is ``(weight_factor * features, bias_factor)``. 0 for a missing bias.

    device : str or None, default=None
        Where strategies of the BMDAL framework form their products: the device of a
        net on a GPU, such as "cuda:0". None is main memory. Arrays lie there in either
        case.

    scaling : object or None, default=None
        How columns were standardised, where features are a model's input.

    head : Head, or tuple (weight, bias), or None, default=None
        The model's last linear layer, of shapes (n_outputs, n_features) and
        (n_outputs,), so that ``features @ weight.T + bias`` are its logits. A
        classifier has a row for each column of ``proba``, one with one logit too, whose
        first row is 0.

    temperature : float, default=1.0
        Softmax of the logarithms of ``proba``, divided by this, is about as often right
        as it is sure. 1 if nobody asked for it.

    prediction : ndarray of shape (n_rows, n_targets) or None
        What a regressor predicts, in the units of its targets. Floating.

    targets : Outputs or None, default=None
        What the model says about rows beside these, with the same posterior samples:
        those that a strategy names in ``target_rows``.

    embedded_features : Embedding or None, default=None
        The embedding of these very features, by a reader that took their norms while
        it had them in cache. Of other features it is dropped.

    is_checked : bool, default=False
        Whether all numbers are known to be finite, and probabilities to be some, as
        those are that a model was asked for. If not, a strategy looks at what it reads.

    Raises
    ------
    TypeError
        If ``gradients`` are no embedding.

    ValueError
        If an array has another number of dimensions or of rows, or holds other than
        real numbers.
    """

    # Any stands for None, and for sparse rows: what was asked for is there.
    proba: NDArray | Any = None
    features: NDArray | Any = None
    one_logit: bool = False
    n_rows: int | None = None
    identify: Callable[[NDArray], list[str]] | None = None
    posterior: NDArray | Any = None
    inputs: NDArray | Any = None
    gradients: Embedding | Any = None
    feature_factors: tuple[float, float] = (1.0, 1.0)
    device: str | None = None
    scaling: Any = None
    head: Head | None = None
    temperature: float = 1.0
    prediction: NDArray | Any = None
    targets: Outputs | None = None
    embedded_features: DenseEmbedding | None = None
    is_checked: bool = False

    def __post_init__(self) -> None:
        if not (self.head is None or isinstance(self.head, Head)):
            object.__setattr__(self, "head", Head(*self.head))
        for name in MATRICES:
            matrix = getattr(self, name)
            # Arrays of floats stay what they are, such as maps of files.
            if not (matrix is None or _is_matrix(matrix)):
                object.__setattr__(self, name, as_matrix(matrix, name))
        if self.gradients is not None:
            check_embedding(self.gradients, "gradients")
        if getattr(self.embedded_features, "matrix", None) is not self.features:
            object.__setattr__(self, "embedded_features", None)
        arrays = {name: getattr(self, name) for name in ROW_FIELDS}
        sizes = {
            # Sparse matrices have no length.
            name: part.shape[0] if sparse.issparse(part) else len(part)
            for name, part in arrays.items()
            if part is not None
        }
        if self.posterior is not None:
            object.__setattr__(
                self, "posterior", as_floats(self.posterior, "posterior")
            )
            if self.posterior.ndim != 3 or not len(self.posterior):
                raise ValueError(
                    "`posterior` must have shape (n_posterior, n_rows, n_outputs), "
                    "with at least one sample. Got an array of shape "
                    f"{np.shape(self.posterior)} instead."
                )
            sizes["posterior"] = self.posterior.shape[1]
        if self.n_rows is not None:
            sizes["n_rows"] = self.n_rows
        if len(set(sizes.values())) != 1:
            raise ValueError(
                "Outputs needs `proba`, `features`, `posterior`, `inputs`, "
                "`gradients`, `prediction` or `n_rows`, and all of them must agree on "
                f"the number of rows. Got {sizes}."
            )
        object.__setattr__(self, "n_rows", next(iter(sizes.values())))

    def __len__(self) -> int:
        return cast(int, self.n_rows)

    def __repr__(self) -> str:
        parts = {name: getattr(self, name) for name in (*ROW_FIELDS, "posterior")}
        texts = [f"{k}={shown(part)}" for k, part in parts.items() if part is not None]
        return f"Outputs({', '.join([f'n_rows={self.n_rows}', *texts])})"

    @property
    def _arrays(self):
        parts = [getattr(self, name) for name in (*ROW_FIELDS, "posterior")]
        for part in parts:
            if part is not None:
                yield from part._arrays if isinstance(part, Embedding) else (part,)

    def reduce(self, part: Callable, merge: Callable) -> Any:
        """What a function finds in the rows, as with outputs that come in chunks.

        Parameters
        ----------
        part : callable
            Takes outputs and the position of their first row.

        merge : callable
            Makes one result of two. All rows being here, there is nothing to merge.

        Returns
        -------
        result : object
            That of all rows.
        """
        return part(self, 0)

    def take(self, rows: NDArray | slice) -> Outputs:
        """Outputs of some rows.

        Parameters
        ----------
        rows : slice, or ndarray of int
            Which rows, in which order. A slice copies nothing.

        Returns
        -------
        outputs : Outputs
            The same fields.
        """
        positions = np.arange(len(self))[rows]
        identify = self.identify
        if identify is not None:
            identify = partial(_identified, identify, positions)
        fields: dict[str, Any] = {
            name: part.take(rows) if isinstance(part, Embedding) else part[rows]
            for name in ROW_FIELDS
            if (part := getattr(self, name)) is not None
        }
        if self.embedded_features is not None:
            norms_sq = self.embedded_features.norms_sq()[rows]
            fields["embedded_features"] = with_norms(fields["features"], norms_sq)
        if self.posterior is not None:
            fields["posterior"] = self.posterior[:, rows]
        return replace(self, **fields, n_rows=len(positions), identify=identify)


def _is_matrix(matrix):
    """Whether it is an array, or a CSR matrix, of floats."""
    is_array = isinstance(matrix, np.ndarray) and not np.ma.isMaskedArray(matrix)
    is_csr = sparse.issparse(matrix) and matrix.format == "csr"
    is_float = getattr(matrix, "dtype", None) in (np.float32, np.float64)
    return (is_array or is_csr) and is_float and matrix.ndim == 2


def with_norms(features, norms_sq):
    """An embedding of features whose squared norms are known."""
    embedding = DenseEmbedding(features)
    embedding._cached_norms_sq = norms_sq
    return embedding


def _identified(identify, positions, rows):
    """Identities of rows that were taken from others."""
    return identify(positions[rows])


@dataclass(frozen=True, eq=False)
class Labeled:
    """The labelled rows as a strategy sees them.

    Parameters
    ----------
    outputs : Outputs
        What the current model says about the labelled rows.

    y : ndarray of shape (n_labeled,)
        Their labels, as the user gave them.

    codes : ndarray of shape (n_labeled,) or None, default=None
        The columns of ``outputs.proba`` that stand for these labels, int64; -1 for a
        label without a column.

    ids : list of str or None, default=None
        Identities of the rows. Given to strategies that need "ids".
    """

    outputs: Outputs
    y: NDArray
    codes: NDArray | None = None
    ids: list[str] | None = None

    def __len__(self) -> int:
        return len(self.outputs)
