"""Pictures are drawn without a screen, and closed after each test."""

import matplotlib
import pytest


@pytest.fixture(autouse=True)
def _figures_without_a_screen():
    from matplotlib import pyplot as plt

    # Those that tests of other folders left open.
    plt.close("all")
    plt.switch_backend("Agg")
    yield
    plt.close("all")


matplotlib.use("Agg")
