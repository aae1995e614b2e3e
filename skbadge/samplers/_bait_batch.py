"""What each row of a batch is worth to it, by the inner products of few rows."""

import numpy as np

from skbadge.samplers._bait_state import (
    REFRESH_EVERY,
    SingularPrecisionError,
    inverse,
)

# A removal that changes a row's share by more loses digits, and all is made afresh.
GREATEST_CHANGE = 1e4

# Condition of the inner products, about, up to which they are inverted as they are.
WELL_CONDITIONED = 1e3

# Error of a loss for each root of the batch, as a share of the greatest loss.
LOSS_ERROR = 16 * float(np.finfo(np.float64).eps)


class BatchState:
    r"""The objective of BAIT, and what it would be without each row of a batch.

    While there are fewer rows than columns and little noise, a row that is known has
    all but no variance left, and :math:`I - A_x` of `BaitState` is a difference of
    numbers that agree in most of their digits, or in all. Here nothing cancels. With
    the roots of all known rows in :math:`Z`, the batch's and those from before,

    .. math::
        G = (I + \lambda^{-1} Z Z^\top)^{-1}, \quad
        H = \lambda^{-2} \, G Z \bar F Z^\top G

    have :math:`I - A_x` and :math:`B_x` as the diagonal blocks of a row (push
    :math:`Z` through the inverse). If the row goes, :math:`G` becomes the Schur
    complement, and with :math:`U = G_{\cdot x} G_{xx}^{-1}` and
    :math:`\Pi = I - U e_x^\top`, :math:`H` becomes :math:`\Pi H \Pi^\top`.

    With ``k`` roots in :math:`Z`, matrices of shape (k, k) are held and decomposed,
    which is for small ``k``.

    Parameters
    ----------
    state : BaitState
        With the attributes that `initial_state` gives it.

    rows : ndarray of int
        The rows that were added to it and may be removed.
    """

    def __init__(self, state, rows):
        fisher, regularization = state.fisher.take(rows), state.regularization
        self.rank, self.n_rows = fisher.rank, len(rows)
        self.left = np.arange(self.n_rows)
        # Z / sqrt(lambda), the batch first.
        Z = np.concatenate(
            [
                np.sqrt(weight / regularization)
                * part.dense().reshape(-1, part.n_parameters)
                for part, weight in [(fisher, state.weight), *state.given]
            ]
        )
        self._Z, self._n_given = Z, len(Z) - len(fisher) * self.rank
        self._target = state.target / regularization
        self.refresh()

    def refresh(self):
        """Compute everything from the rows that are left."""
        roots = (self.left[:, None] * self.rank + np.arange(self.rank)).ravel()
        n_all = len(self._Z)
        given = np.arange(n_all - self._n_given, n_all)
        Z = self._Z[np.concatenate([roots, given])]
        self.n_updates = 0
        self.G = _inverse_if_easy(Z)
        if self.G is not None:
            image = self.G @ Z
            self.H = image @ self._target @ image.T
            return
        # Some rows say the same as others. With Z = U S W^T nothing cancels: G is
        # U (I + S^2)^-1 U^T, and G Z is U S (I + S^2)^-1 W^T.
        U, sizes, W = np.linalg.svd(Z, full_matrices=len(Z) > Z.shape[1])
        shares = np.ones(len(U))
        shares[: len(sizes)] = 1 / (1 + sizes**2)
        self.G = (U * shares) @ U.T
        image = U[:, : len(sizes)] * (sizes * shares[: len(sizes)])
        self.H = image @ (W[: len(sizes)] @ self._target @ W[: len(sizes)].T) @ image.T

    def losses(self):
        """How far each row, if removed, would raise the objective; inf if it was."""
        n, rank = len(self.left), self.rank
        which = np.arange(n)
        G, H = (
            matrix[: n * rank, : n * rank].reshape(n, rank, n, rank)[which, :, which]
            for matrix in (self.G, self.H)
        )
        # tr(G_xx^-1 H_xx)
        losses = np.full(self.n_rows, np.inf)
        losses[self.left] = np.einsum("nii->n", np.linalg.solve(G, H))
        self._greatest = losses[self.left].max()
        return losses

    @property
    def rounding(self):
        """Absolute error that the losses last asked for may have."""
        return LOSS_ERROR * len(self.G) * self._greatest

    def remove(self, row):
        """Remove a row."""
        position = int(np.searchsorted(self.left, row))
        block = slice(position * self.rank, (position + 1) * self.rank)
        others = np.delete(np.arange(len(self.G)), block)
        columns, before = self.G[:, block], self.G.diagonal()[others]
        U = np.linalg.solve(self.G[block, block], columns.T).T
        # H_.x U^T less half of U H_xx U^T, and its mirror.
        half = (self.H[:, block] - 0.5 * U @ self.H[block, block]) @ U.T
        pairs = np.ix_(others, others)
        self.G = (self.G - U @ columns.T)[pairs]
        self.H = (self.H - half - half.T)[pairs]
        self.left = np.delete(self.left, position)
        self.n_updates += 1
        # Not by quotients: of a diagonal that is lost to rounding nothing may be left.
        is_lost = before > GREATEST_CHANGE * self.G.diagonal()
        if self.n_updates >= REFRESH_EVERY or is_lost.any():
            self.refresh()


def _inverse_if_easy(Z):
    """The inverse of I + Z Z^T, None where it would lose digits."""
    gram = Z @ Z.T
    gram.flat[:: len(gram) + 1] += 1.0
    try:
        G = inverse(gram)
    except SingularPrecisionError:
        return None
    condition = gram.diagonal().max() * G.diagonal().max()
    return G if condition < WELL_CONDITIONED else None
