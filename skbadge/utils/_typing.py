"""Types that several layers share."""

import numpy as np

RandomState = int | np.random.RandomState | None
