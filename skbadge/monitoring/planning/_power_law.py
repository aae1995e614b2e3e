"""Power laws through the errors of rounds, and resamples of them."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

# Exponents that are tried; learning curves have some 0.2 to 2.
_EXPONENTS = np.geomspace(0.05, 5, 120)


@dataclass(frozen=True, eq=False)
class LearningCurve:
    """Errors of rounds, to which laws are fitted.

    Parameters
    ----------
    x : ndarray of shape (n_rounds,)
        Labels, of at least four rounds, in a unit in which they are around 1, so that
        powers are of like sizes.

    errors : ndarray of shape (n_rounds,)
        In units of the largest.

    deviations : ndarray of shape (n_rounds,)
        Their standard errors, in the same unit; ones if they are not known.

    is_known : bool
        Whether the deviations are known, not only how they compare.

    same_rows : bool
        Whether the standard errors are of one and the same deviation.
    """

    x: NDArray
    errors: NDArray
    deviations: NDArray
    is_known: bool
    same_rows: bool

    @property
    def weights(self):
        """What each error weighs in least squares."""
        return self.deviations**-2

    def best(self, has_floor=True):
        """Floor, scale and exponent of least squares, the exponent refined."""
        exponents = _EXPONENTS
        for _ in range(12):
            losses, floors, scales = self._fitted(
                self.errors[None], exponents, has_floor
            )
            i = int(losses[0].argmin())
            found = floors[0, i], scales[0, i], exponents[i]
            ends = exponents[[max(i - 1, 0), min(i + 1, len(exponents) - 1)]]
            exponents = np.linspace(*ends, 21)
        return tuple(map(float, found))

    def resampled(self, goal, n, rng):
        """Labels at which the goal is reached, in the unit of ``x``.

        Returns those of n resamples by the law, and of as many by the law without a
        floor through the later half of the rounds, at least three of them.
        """
        law = self._law()
        n_free = max(len(law) - 3, 1)
        dispersion = float(self.weights @ (self.errors - law) ** 2) / n_free
        if self.is_known and not self.same_rows:
            dispersion = max(dispersion, 1.0)
        spread = np.full((n, 1), dispersion)
        if not self.is_known or self.same_rows:
            # What the distances tell of the variance, by so many degrees of freedom.
            spread *= n_free / rng.chisquare(n_free, (n, 1))
        noise = np.sqrt(spread) * rng.standard_normal((n, len(law)))
        if self.same_rows:
            noise += rng.standard_normal((n, 1))
        noise *= self.deviations
        kept = np.argsort(self.x, kind="stable")[-max(3, (len(law) + 1) // 2) :]
        later = replace(
            self,
            x=self.x[kept],
            errors=self.errors[kept],
            deviations=self.deviations[kept],
        )
        pure = later._law(has_floor=False) + noise[:, kept]
        return (
            self._reaching(law + noise, goal),
            later._reaching(pure, goal, has_floor=False),
        )

    def _law(self, has_floor=True):
        """What the law fitted to the errors says of them."""
        floor, scale, exponent = self.best(has_floor)
        return floor + scale * self.x**-exponent

    def _reaching(self, errors, goal, has_floor=True):
        """For each line of errors, where the law fitted to it reaches the goal."""
        losses, floors, scales = self._fitted(errors, _EXPONENTS, has_floor)
        best = losses.argmin(axis=1)
        lines = np.arange(len(best))
        return reached(floors[lines, best], scales[lines, best], _EXPONENTS[best], goal)

    def _fitted(self, errors, exponents, has_floor=True):
        """Least squares of a and b >= 0 for each exponent, in closed form.

        Parameters
        ----------
        errors : ndarray of shape (n, n_rounds)
            Several versions of the errors.

        exponents : ndarray of shape (n_exponents,)
            The exponents c.

        has_floor : bool
            Whether a may be above 0.

        Returns
        -------
        losses, floors, scales : ndarray of shape (n, n_exponents)
            Weighted sums of squares, a, and b.
        """
        weights = self.weights / self.weights.sum()
        powers = self.x ** -exponents[:, None]  # (n_exponents, n_rounds)
        # b of a = 0; none is negative, as no power is.
        scales = np.maximum((errors * weights) @ powers.T / (powers**2 @ weights), 0)
        floors = np.zeros_like(scales)
        if has_floor:
            means, mean = powers @ weights, errors @ weights
            apart = powers - means[:, None]
            slopes = (errors * weights) @ apart.T / (apart**2 @ weights)
            rests = mean[:, None] - slopes * means
            # With both above 0 it is the minimum; else it lies at b = 0 or at a = 0.
            scales = np.where(slopes <= 0, 0, np.where(rests < 0, scales, slopes))
            floors = np.where(
                slopes <= 0, np.maximum(mean, 0)[:, None], np.maximum(rests, 0)
            )
        losses = np.zeros_like(scales)
        for error, power, weight in zip(errors.T, powers.T, self.weights, strict=True):
            losses += weight * (error[:, None] - floors - scales * power) ** 2
        return losses, floors, scales


def reached(floor, scale, exponent, goal):
    """Where laws reach a goal: (b / (goal - a)) ** (1 / c), or inf."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        ratio = np.where(scale > 0, np.divide(scale, goal - floor), 0)
        there = ratio ** np.divide(1, exponent)
    is_flat = (scale == 0) & (floor <= goal)
    return np.where((floor < goal) | is_flat, there, np.inf)
