#!/usr/bin/env bash
# The tests of trees, those of LightGBM, XGBoost and CatBoost among them, in the
# environment that is active, into which these are installed. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
pip install -q -c constraints.txt -e ".[tests,boosters]"
export SKBADGE_EXTRAS="tests boosters"
python -m pytest tests/test_packaging.py tests/outputs/test_leaves.py \
    tests/outputs/test_virtual_ensembles.py tests/querier/test_trees.py "$@"
