r"""One layer of the kernels of infinitely wide ReLU nets, on squared distances.

With :math:`u, v` jointly Gaussian of variances :math:`a, b` and correlation
:math:`\cos\theta`, Cho and Saul's arc-cosine kernel of degree 1 is

.. math::

    \mathbb E[\mathrm{relu}(u)\,\mathrm{relu}(v)]
    = \sqrt{ab}\,\frac{\sin\theta + (\pi - \theta)\cos\theta}{2\pi},

and that of degree 0 is :math:`\mathbb E[1_{u>0} 1_{v>0}] = (\pi - \theta) / 2\pi`. The
recursions here carry squared distances :math:`k_{xx} + k_{yy} - 2 k_{xy}` in place of
:math:`k_{xy}`. An angle taken as the arc cosine of a float64 number near 1 is off by
1e-8, and the tangent kernel is linear in it: equal rows would lie apart.
"""

import numpy as np


def _angles(sq_dists, a, b):
    r"""Angles between vectors, from their squared distances and squared norms.

    Returns :math:`\theta` between 0 and pi (0 where a norm is 0),
    :math:`\sin(\theta / 2)`, and the squared difference of the two norms.
    """
    root_a, root_b = np.sqrt(a), np.sqrt(b)
    # The difference of the norms never exceeds the distance, rounding or not.
    gap = np.minimum((root_a - root_b) ** 2, sq_dists)
    product = root_a * root_b
    # |x - y|^2 = (|x| - |y|)^2 + 4 |x| |y| sin^2(theta / 2), solved for the sine.
    half_sine = np.zeros_like(sq_dists)
    np.divide(sq_dists - gap, 4 * product, out=half_sine, where=product > 0)
    np.sqrt(np.minimum(half_sine, 1.0, out=half_sine), out=half_sine)
    return 2 * np.arcsin(half_sine), half_sine, gap


def relu_sq_dists(sq_dists, a, b):
    r"""Squared distances in the feature space of the arc-cosine kernel of degree 1.

    With :math:`J(\theta) = (\sin\theta + (\pi - \theta) \cos\theta) / \pi` the
    kernel is :math:`\sqrt{ab}\, J / 2`, and so

    .. math::

        \tfrac a2 + \tfrac b2 - \sqrt{ab}\,J
        = \tfrac12 (\sqrt a - \sqrt b)^2 + \sqrt{ab}\,(1 - J).

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
    # 1 - cos t = 2 sin^2(t / 2)
    versine = half_sine * half_sine
    versine *= 2
    # 1 - J = (1 - cos t) - (sin t - t cos t) / pi
    rest = _sine_less_cosine(theta, half_sine, versine)
    rest /= -np.pi
    rest += versine
    np.maximum(rest, 0.0, out=rest)
    # sqrt(a b) (1 - J)
    rest *= np.sqrt(a) * np.sqrt(b)
    # + (sqrt(a) - sqrt(b))^2 / 2
    gap /= 2
    rest += gap
    return rest, theta


def _sine_less_cosine(theta, half_sine, versine):
    """``sin(theta) - theta * cos(theta)`` without cancellation."""
    # sin t = 2 sin(t / 2) cos(t / 2), cos(t / 2)^2 = 1 - versine / 2
    values = 2 * half_sine * np.sqrt(1 - versine / 2)
    # cos t = 1 - versine
    values -= theta * (1 - versine)
    # Both terms are about t where t is small, and their difference about t^3 / 3:
    # there, the Taylor series t^3 / 3 - t^5 / 30 + t^7 / 840. Its next term is below
    # rounding for t < 0.03.
    small = theta < 0.03
    if small.any():
        t = theta[small]
        values[small] = t**3 * (1 / 3 - t**2 * (1 / 30 - t**2 / 840))
    return values


def step_sq_dists(sq_dists, theta, norms_a, norms_b):
    r"""Squared distances of a kernel times that of degree 0.

    With :math:`s = \theta / \pi`, the product of the kernel :math:`k` with
    :math:`(1 - s) / 2` has the squared distances

    .. math::

        \tfrac12 \bigl(k_{xx} + k_{yy} - 2 (1 - s) k_{xy}\bigr)
        = \tfrac12 \bigl((1 - s) D_k + s (k_{xx} + k_{yy})\bigr).

    Parameters
    ----------
    sq_dists : ndarray
        Squared distances :math:`D_k` of the kernel, float64.

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
