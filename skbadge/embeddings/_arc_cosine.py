r"""One layer of the kernels of infinitely wide ReLU nets, on squared distances.

With :math:`u, v` jointly Gaussian of variances :math:`a, b` and correlation
:math:`\cos\theta`, Cho and Saul's arc-cosine kernel of degree 1 is

.. math::

    \mathbb E[\mathrm{relu}(u)\,\mathrm{relu}(v)]
    = \sqrt{ab}\,\frac{\sin\theta + (\pi - \theta)\cos\theta}{2\pi},

and that of degree 0 is :math:`\mathbb E[1_{u>0} 1_{v>0}] = (\pi - \theta) / 2\pi`. The
recursions here carry squared distances :math:`k_{xx} + k_{yy} - 2 k_{xy}` in place of
:math:`k_{xy}`: an angle taken as the arc cosine of a float64 number near 1 is off by
1e-8, and the tangent kernel is linear in it, so that equal rows would lie apart.
"""

import numpy as np


def _angles(sq_dists, a, b):
    r"""Angles between vectors, from their distances and squared norms.

    Parameters
    ----------
    sq_dists : ndarray
        Squared distances, float64.

    a, b : ndarray
        Squared norms, that broadcast to its shape.

    Returns
    -------
    theta : ndarray
        Between 0 and pi; 0 where a norm is 0.

    half_sine : ndarray
        :math:`\sin(\theta / 2)`.

    gap : ndarray
        Squared difference of the two norms.
    """
    root_a, root_b = np.sqrt(a), np.sqrt(b)
    # The difference of the norms never exceeds the distance, rounding or not.
    gap = np.minimum((root_a - root_b) ** 2, sq_dists)
    product = root_a * root_b
    # |x - y|^2 = (|x| - |y|)^2 + 4 |x| |y| sin^2(theta / 2)
    half_sine = np.zeros_like(sq_dists)
    np.divide(sq_dists - gap, 4 * product, out=half_sine, where=product > 0)
    np.sqrt(np.minimum(half_sine, 1.0, out=half_sine), out=half_sine)
    return 2 * np.arcsin(half_sine), half_sine, gap


def relu_sq_dists(sq_dists, a, b):
    r"""Squared distances in the feature space of the arc-cosine kernel of degree 1.

    Parameters
    ----------
    sq_dists : ndarray
        Squared distances of the arguments, float64.

    a, b : ndarray
        Their squared norms, that broadcast to its shape. Those in the feature space
        are half of them.

    Returns
    -------
    sq_dists : ndarray
        float64, non-negative.

    theta : ndarray
        Angles of the arguments, between 0 and pi; 0 where a norm is 0.
    """
    theta, half_sine, gap = _angles(sq_dists, a, b)
    # With J = (sin t + (pi - t) cos t) / pi: 1 - J = 1 - cos t - (sin t - t cos t) / pi
    versine = half_sine * half_sine
    versine *= 2
    rest = _sine_less_cosine(theta, half_sine, versine)
    rest /= -np.pi
    rest += versine
    np.maximum(rest, 0.0, out=rest)
    rest *= np.sqrt(a) * np.sqrt(b)
    gap /= 2
    rest += gap
    return rest, theta


def _sine_less_cosine(theta, half_sine, versine):
    """``sin(theta) - theta * cos(theta)`` without cancellation."""
    # sin t = 2 sin(t / 2) cos(t / 2), and cos(t / 2)^2 = 1 - versine / 2.
    values = 2 * half_sine * np.sqrt(1 - versine / 2)
    values -= theta * (1 - versine)
    small = theta < 0.03
    if small.any():
        t = theta[small]
        values[small] = t**3 * (1 / 3 - t**2 * (1 / 30 - t**2 / 840))
    return values


def step_sq_dists(sq_dists, theta, norms_a, norms_b):
    r"""Squared distances of a kernel times that of degree 0.

    Parameters
    ----------
    sq_dists : ndarray
        Squared distances of the kernel, float64.

    theta : ndarray
        Angles, between 0 and pi.

    norms_a, norms_b : ndarray
        The kernel of the rows with themselves, that broadcast to its shape.

    Returns
    -------
    sq_dists : ndarray
        float64, non-negative: all terms are.
    """
    share = theta / np.pi
    return (sq_dists * (1 - share) + (norms_a + norms_b) * share) / 2
