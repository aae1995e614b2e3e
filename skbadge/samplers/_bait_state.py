"""The quantities BAIT is made of, kept up to date while rows come and go."""

import numpy as np
from scipy.linalg.lapack import dpotrf, dpotri

from skbadge.samplers._changing_matrix import ChangingMatrix
from skbadge.utils._chunks import row_chunks
from skbadge.utils._place import new_array
from skbadge.utils._threads import in_threads, small_products

# Below this, an eigenvalue of I - A is rounding: exactly it is positive.
SMALLEST_EIGENVALUE = 1e-12

# An update by a greater factor would lose so many digits that all is made afresh.
GREATEST_CHANGE = 1e6

# Gains this small beside what they were updated from are mostly rounding.
LEAST_GAIN = 1e-8

# Rounding errors of so many updates may add up.
REFRESH_EVERY = 64

# Error of an updated gain, as a share of the greatest trace that it was updated from.
UPDATE_ERROR = 4 * float(np.finfo(np.float64).eps)

# Above this rank LAPACK solves small systems faster than steps over all rows at once.
GREATEST_ELIMINATION = 24


class SingularPrecisionError(ValueError):
    """A precision matrix that has no inverse in float64."""


class BaitState:
    r"""The objective of BAIT, and what each row would do to it.

    The objective is :math:`\mathrm{tr}(M^{-1} \bar F)`, where the precision :math:`M`
    is the information of the rows taken so far and :math:`\bar F` that of all rows.
    With roots :math:`V_x`, scaled by the weight of a row, two small matrices a row say
    everything (Woodbury): :math:`A_x = V_x M^{-1} V_x^\top` and
    :math:`B_x = V_x M^{-1} \bar F M^{-1} V_x^\top`. A row that is added or removed
    updates :math:`M^{-1}` by a matrix of rank ``rank``, and so all the others:

    .. math::
        M^{-1} \mp U U^\top, \quad A_x \mp C_x C_x^\top, \quad
        B_x \mp (C_x E_x^\top + E_x C_x^\top)

    with :math:`L L^\top = (I \pm A_*)^{-1}` for the row in question,
    :math:`U = M^{-1} V_*^\top L`, :math:`W = M^{-1} \bar F U \mp \tfrac12 U U^\top
    \bar F U`, :math:`C_x = V_x U` and :math:`E_x = V_x W`. The upper signs are those of
    an addition. All of it is float64.

    Parameters
    ----------
    fisher : FisherEmbedding of shape (n_rows, rank, n_parameters)
        The rows that may be added.

    precision : ndarray of shape (n_parameters, n_parameters)
        :math:`M` before the first row. Kept, and changed in place.

    target : ndarray of shape (n_parameters, n_parameters)
        :math:`\bar F`. Kept.

    weight : float
        What the information of a row is multiplied by when it is added.

    greatest_change : float, default=1e6
        Factor by which an update may change an eigenvalue without everything being
        made afresh.

    least_gain : float, default=1e-8
        Share of the greatest trace of :math:`B_x` below which gains are negligible.

    Attributes
    ----------
    A, B : ndarray of shape (n_rows, rank, rank)
        The small matrices.

    n_updates : int
        Updates since everything was last made afresh.

    negligible : float
        Gains below this are to be computed afresh, if there were updates.

    given : list of (FisherEmbedding, float)
        The rows that are in the precision from the start, and what their information is
        multiplied by. Set by `initial_state`.

    regularization : float
        The multiple of the identity in the precision. Set by `initial_state`.
    """

    def __init__(
        self,
        fisher,
        precision,
        target,
        weight,
        greatest_change=GREATEST_CHANGE,
        least_gain=LEAST_GAIN,
    ):
        self.fisher = fisher
        self._precision = ChangingMatrix(precision)
        self.target = target
        self.weight = weight
        self.greatest_change = greatest_change
        self.least_gain = least_gain
        shape = len(fisher), fisher.rank, fisher.rank
        self.A, self.B = new_array(shape, np.float64), new_array(shape, np.float64)
        self.refresh()

    @property
    def precision(self):
        """The information of the rows taken so far."""
        return self._precision.settled()

    @property
    def covariance(self):
        """Inverse of the precision."""
        return self._covariance.settled()

    def restricted(self, rows):
        """The state of some of the rows, at the same precision, made afresh."""
        return BaitState(
            self.fisher.take(rows), self.precision, self.target, self.weight
        )

    def refresh(self):
        """Compute everything from the precision."""
        # The one before is let go of first.
        self._covariance = None
        covariance = inverse(self.precision)
        # M^-1 F M^-1, the matrix between the roots in B.
        image = covariance @ self.target @ covariance

        def fill(rows):
            part = self.fisher.take(rows)
            for small, matrix in ((self.A, covariance), (self.B, image)):
                grams = part.grams(matrix)
                # Symmetric but for rounding, which would add up over the updates.
                small[rows] = (0.5 * self.weight) * (grams + grams.transpose(0, 2, 1))

        self._for_chunks(fill, self.fisher.chunks(), self.fisher.n_parameters**2)
        self._covariance = ChangingMatrix(covariance)
        self.n_updates = 0
        self._greatest = np.einsum("nii->n", self.B).max(initial=0.0)
        self.negligible = self.least_gain * self._greatest

    @property
    def rounding(self):
        """Absolute error that updates may have left in a gain."""
        return UPDATE_ERROR * self._greatest if self.n_updates else 0.0

    def add(self, row):
        """Add a row to the precision."""
        self._update(row, 1.0)

    def remove(self, row):
        """Remove a row that was added."""
        self._update(row, -1.0)

    def _update(self, row, sign):
        root = np.sqrt(self.weight) * self.fisher.take(slice(row, row + 1)).dense()[0]
        self._precision.add(sign, root.T)
        rank = len(root)
        # I + A of a row that comes, I - A of a row that goes.
        eigenvalues, vectors = np.linalg.eigh(np.eye(rank) + sign * self.A[row])
        self.n_updates += 1
        # What an addition shrinks, and a removal blows up, by so much loses as much.
        change = max(eigenvalues[-1], 1 / max(eigenvalues[0], SMALLEST_EIGENVALUE))
        # Rounding has the last word where one is not positive.
        is_lost = eigenvalues[0] <= 0 or change > self.greatest_change
        if self.n_updates >= REFRESH_EVERY or is_lost:
            self.refresh()
            return
        # U = M^-1 V^T L with L = Q diag(eigenvalues)^-1/2.
        U = self._covariance.times(root.T @ (vectors / np.sqrt(eigenvalues)))
        with small_products(self.target.size):
            image = self.target @ U
        # W = M^-1 F U -+ U U^T F U / 2: half of the quadratic term of B's update, which
        # C E^T and E C^T share.
        W = self._covariance.times(image) - (0.5 * sign) * U @ (U.T @ image)
        self._covariance.add(-sign, U)
        self._propagate(np.hstack([U, W]), sign)

    def _propagate(self, directions, sign):
        """Bring A and B of all rows up to date, given U and W side by side."""
        rank = self.fisher.rank
        directions = np.sqrt(self.weight) * directions

        def update(rows):
            products = self.fisher.take(rows).products(directions)
            # C above E, and both times C^T in one product.
            both = np.concatenate(
                [products[:, :, :rank], products[:, :, rank:]], axis=1
            )
            images = both @ both[:, :rank].transpose(0, 2, 1)
            square, cross = images[:, :rank], images[:, rank:]
            # A -+ C C^T and B -+ (C E^T + E C^T).
            self.A[rows] -= sign * square
            self.B[rows] -= sign * (cross + cross.transpose(0, 2, 1))

        cost = 2 * rank * (self.fisher.n_parameters + 2 * rank**2)
        self._for_chunks(update, self.fisher.chunks(2 * rank), cost)

    def _for_chunks(self, function, chunks, row_terms):
        """Call a function with slices of rows, in threads unless a device is at it."""
        if self.fisher.device is None:
            in_threads(function, chunks, len(self.fisher) * row_terms)
            return
        for rows in chunks:
            function(rows)

    @property
    def _n_small_terms(self):
        """About as many as to solve a system a row takes."""
        return 3 * len(self.A) * self.fisher.rank**3

    def _small_chunks(self):
        return row_chunks(len(self.A), 6 * self.fisher.rank**2, 2**20, minimum=1)

    def gains(self):
        r"""How far each row, if added, would lower the objective.

        Returns
        -------
        gains : ndarray of shape (n_rows,)
            :math:`\mathrm{tr}((I + A_x)^{-1} B_x)`, non-negative but for rounding.
        """
        gains = np.empty(len(self.A))
        traces = _traces if self.fisher.rank <= GREATEST_ELIMINATION else _solved_traces

        def fill(rows):
            gains[rows] = traces(self.A[rows], self.B[rows])

        in_threads(fill, self._small_chunks(), self._n_small_terms)
        if np.isnan(gains).any():
            raise SingularPrecisionError(
                "`regularization` is too small beside the Fisher information: what "
                "rows would gain is lost to rounding in float64. Raise it, or "
                "standardise the model's input."
            )
        return gains

    def losses(self):
        r"""How far each row, if removed, would raise the objective.

        To be asked for rows that are in the precision: then the eigenvalues of
        :math:`A_x` are below 1.

        Returns
        -------
        losses : ndarray of shape (n_rows,)
            :math:`\mathrm{tr}((I - A_x)^{-1} B_x)`.
        """
        losses = np.empty(len(self.A))
        identity = np.eye(self.A.shape[1])

        def fill(rows):
            eigenvalues, vectors = np.linalg.eigh(identity - self.A[rows])
            # With I - A = Q diag(e) Q^T the trace is the sum of (Q^T B Q)_jj / e_j.
            diagonals = np.einsum("nij,nij->nj", vectors, self.B[rows] @ vectors)
            np.maximum(eigenvalues, SMALLEST_EIGENVALUE, out=eigenvalues)
            losses[rows] = (diagonals / eigenvalues).sum(axis=1)

        in_threads(fill, self._small_chunks(), self._n_small_terms)
        return losses


def inverse(precision):
    """Inverse of a symmetric positive definite matrix, by Cholesky.

    Raises
    ------
    SingularPrecisionError
        If it is not numerically positive definite.
    """
    with small_products(precision.size):
        factor, info = dpotrf(precision, lower=1, clean=1)
        if info == 0:
            factor, info = dpotri(factor, lower=1, overwrite_c=1)
    if info != 0:
        raise SingularPrecisionError(
            "`regularization` is too small beside the Fisher information, whose "
            f"diagonal goes up to {precision.diagonal().max():.3g}: their sum has no "
            "inverse in float64. Raise it, or standardise the model's input."
        )
    factor += np.tril(factor, -1).T
    return factor


def _solved_traces(A, B):
    """Traces of ``(I + A)^-1 B`` for stacks of symmetric matrices."""
    return np.einsum("nii->n", np.linalg.solve(np.eye(A.shape[1]) + A, B))


def _traces(A, B):
    """The same by symmetric elimination, each step over all matrices at once.

    With ``T (I + A) T^T`` diagonal for a lower triangular ``T``, the trace is the sum
    of ``(T B T^T)_jj / (T (I + A) T^T)_jj``. Column after column, a step of ``T`` takes
    a multiple of line ``j`` from the lines below it, and the same with columns.
    """
    rank = A.shape[1]
    # Rows of the pool last, so that each step runs along them.
    A, B = (np.array(small.transpose(1, 2, 0), order="C") for small in (A, B))
    A[np.arange(rank), np.arange(rank)] += 1.0
    traces = np.zeros(A.shape[2])
    for j in range(rank):
        head = B[j, j] / A[j, j]
        traces += head
        if j + 1 == rank:
            break
        # The multiples l of line j that make column j of I + A zero below it.
        below = A[j + 1 :, j] / A[j, j]
        A[j + 1 :, j + 1 :] -= below[:, None] * A[j, j + 1 :]
        # B - l b^T - b l^T + l l^T B_jj with b = B[j, j + 1 :], as half and its mirror.
        change = below[:, None] * (B[j, j + 1 :] - 0.5 * below * B[j, j])
        B[j + 1 :, j + 1 :] -= change
        B[j + 1 :, j + 1 :] -= change.transpose(1, 0, 2)
    return traces
