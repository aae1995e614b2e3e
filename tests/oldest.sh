#!/usr/bin/env bash
# The tests with the oldest versions that setup.cfg declares, in an environment of their
# own. Arguments go to pytest. Its Python must be one for which these versions have
# wheels: 3.11 or 3.12, named in PYTHON.
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# tests/test_packaging.py holds that they are the declared ones.
cat > "$work/oldest.txt" <<'END'
dask==2025.1.0
filelock==3.14
h5py==3.10
ipykernel==6.29
ipywidgets==8.1
joblib==1.4
matplotlib==3.8
mpmath==1.3
mypy==1.14
nbclient==0.10
nbformat==5.10
numpy==1.26
pandas==2.1
polars==1.18
psutil==5.9
pyarrow==16
pytest==8.0
ruff==0.9
scikit-learn==1.6
scipy==1.11.1
skorch==1.2
tqdm==4.65
zarr==3.0.8
END
# Not declared as a minimum: the only torch that could be installed where this was
# written, and packages that deprecate what matplotlib 3.8 calls.
cat > "$work/others.txt" <<'END'
ipython<8.24
pyparsing<3.3
torch==2.13.0
END
"${PYTHON:-python3}" -m venv "$work/venv"
. "$work/venv/bin/activate"
export PIP_DISABLE_PIP_VERSION_CHECK=1
pip install -q -c "$work/oldest.txt" -c "$work/others.txt" -e ".[tests]"
python -m pytest "$@"
