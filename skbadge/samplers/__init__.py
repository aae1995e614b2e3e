"""Rules that pick rows of an embedding."""

from skbadge.samplers._base import Sampler
from skbadge.samplers._k_center import KCenter
from skbadge.samplers._kmeans_plus_plus import KMeansPlusPlus
from skbadge.samplers._selection import Selection

__all__ = ["KCenter", "KMeansPlusPlus", "Sampler", "Selection"]
