"""What importing the layer pulls in."""

import subprocess
import sys

CODE = """
import importlib.abc
import sys


class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"torch", "skorch", "pandas", "matplotlib"}:
            raise ImportError(name)


sys.meta_path.insert(0, Missing())
from sklearn.linear_model import LogisticRegression

from skbadge.outputs import model_outputs

model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
assert len(model_outputs(model, [[0.5]])) == 1
"""


def test_scikit_learn_models_need_no_further_library():
    result = subprocess.run([sys.executable, "-c", CODE], capture_output=True)
    assert result.returncode == 0, result.stderr.decode()
