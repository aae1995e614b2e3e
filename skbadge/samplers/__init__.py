"""Rules that pick rows of an embedding."""

from skbadge.samplers._bait_greedy import bait_greedy
from skbadge.samplers._base import Sampler
from skbadge.samplers._k_center import KCenter
from skbadge.samplers._kdpp import KDPP
from skbadge.samplers._kmeans_plus_plus import KMeansPlusPlus
from skbadge.samplers._max_det import MaxDet
from skbadge.samplers._selection import Selection

__all__ = [
    "KDPP",
    "KCenter",
    "KMeansPlusPlus",
    "MaxDet",
    "Sampler",
    "Selection",
    "bait_greedy",
]
