"""Rules that pick rows of an embedding."""

from skbadge.samplers._bait import Bait
from skbadge.samplers._bait_greedy import bait_greedy
from skbadge.samplers._base import Sampler
from skbadge.samplers._feasible import Feasible, OpenRows
from skbadge.samplers._frank_wolfe import FrankWolfe
from skbadge.samplers._herding import Herding
from skbadge.samplers._k_center import KCenter, MaxDist
from skbadge.samplers._kdpp import KDPP
from skbadge.samplers._kmeans_plus_plus import KMeansPlusPlus
from skbadge.samplers._lcmd import LCMD
from skbadge.samplers._max_det import MaxDet
from skbadge.samplers._max_diag import MaxDiag
from skbadge.samplers._random import Random
from skbadge.samplers._selection import Selection

__all__ = [
    "KDPP",
    "LCMD",
    "Bait",
    "Feasible",
    "FrankWolfe",
    "Herding",
    "KCenter",
    "KMeansPlusPlus",
    "MaxDet",
    "MaxDiag",
    "MaxDist",
    "OpenRows",
    "Random",
    "Sampler",
    "Selection",
    "bait_greedy",
]
