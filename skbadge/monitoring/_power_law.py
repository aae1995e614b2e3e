"""Power laws through the errors of rounds, and resamples of them."""

import numpy as np
from scipy.special import expit

# Exponents that are tried; learning curves have some 0.2 to 2.
_EXPONENTS = np.geomspace(0.05, 5, 120)


class Rounds:
    """Errors of rounds, to which laws are fitted.

    Parameters
    ----------
    n_labeled, errors : ndarray of shape (n_rounds,)
        Both of at least four rounds; the errors in units of the largest.

    given : ndarray of shape (n_rounds,) or None
        Standard errors, in the same unit.

    same_rows : bool
        Whether the standard errors are of one and the same deviation.
    """

    def __init__(self, n_labeled, errors, given, same_rows):
        # Around 1, so that powers are of like sizes.
        self.center = float(np.exp(np.log(n_labeled).mean()))
        self.x, self.errors = n_labeled / self.center, errors
        self.given = given is not None
        self.same_rows = same_rows and self.given
        self.deviations = np.ones(len(errors)) if given is None else given
        self.weights = self.deviations**-2

    def best(self):
        """Floor, scale and exponent of least squares, the exponent refined."""
        exponents = _EXPONENTS
        for _ in range(12):
            losses, floors, scales = self._fitted(self.errors[None], exponents)
            i = int(losses[0].argmin())
            found = floors[0, i], scales[0, i], exponents[i]
            ends = exponents[[max(i - 1, 0), min(i + 1, len(exponents) - 1)]]
            exponents = np.linspace(*ends, 21)
        return tuple(map(float, found))

    def resampled(self, goal, n, rng):
        """Labels at which the goal is reached, in units of ``center``.

        Returns those of n resamples by the law with a floor, and of the same number by
        a mix of that law and the one without.
        """
        floor, scale, exponent = self.best()
        law = floor + scale * self.x**-exponent
        losses, _, scales = self._fitted(self.errors[None], _EXPONENTS, has_floor=False)
        i = int(losses[0].argmin())
        pure = scales[0, i] * self.x ** -_EXPONENTS[i]
        loss = float(self.weights @ (self.errors - law) ** 2)
        n_free = max(len(law) - 3, 1)
        dispersion = loss / n_free
        if self.given and not self.same_rows:
            dispersion = max(dispersion, 1.0)
        noise = self._noise(dispersion, n_free, n, rng)
        # exp(-AIC / 2) of the law without a floor over the sum of both
        excess = (float(losses[0, i]) - loss) / max(dispersion, np.finfo(float).tiny)
        is_pure = rng.random(n) < expit(1 - excess / 2)
        with_floor = self._reaching(law + noise, goal)
        mixed = np.where(
            is_pure, self._reaching(pure + noise, goal, has_floor=False), with_floor
        )
        return with_floor, mixed

    def _noise(self, dispersion, n_free, n, rng):
        """Deviations from the law, of shape (n, n_rounds)."""
        spread = np.full((n, 1), dispersion)
        if not self.given or self.same_rows:
            # What the distances tell of the variance, by so many degrees of freedom.
            spread *= n_free / rng.chisquare(n_free, (n, 1))
        normal = rng.standard_normal((n, len(self.x)))
        if not self.same_rows:
            return np.sqrt(spread) * self.deviations * normal
        shared = rng.standard_normal((n, 1))
        return (np.sqrt(spread) * normal + shared) * self.deviations

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
