"""Types that several layers share."""

from typing import Any

import numpy as np

RandomState = int | np.random.RandomState | None

Int = int | np.integer

# Rows of anything that a model may take: an array, a data frame, a sparse matrix, ...
Rows = Any
