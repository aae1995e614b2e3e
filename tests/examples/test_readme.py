"""The README's first example runs as it stands."""

from pathlib import Path

import numpy as np

README = Path(__file__).parents[2] / "README.md"


def test_the_first_example_labels_three_batches():
    code = README.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    found = {}
    exec(code, found)
    assert len(found["querier"].y_labeled_) == 110
    # Nothing is labelled twice, and skorch holds nothing out.
    assert len(np.unique(found["querier"].X_labeled_, axis=0)) == 110
    assert found["net"].train_split is None
    assert found["querier"].score(found["X"], found["y"]) > 0.8
