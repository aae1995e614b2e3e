#!/usr/bin/env bash
# Builds the source distribution and, from it, the wheel; installs the wheel where there
# is no checkout, and runs README's first example there.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1
unset PYTHONPATH
python="${PYTHON:-python3}"
"$python" -m venv "$work/build" && "$python" -m venv "$work/venv"
"$work/build/bin/pip" install -q build
"$work/build/bin/python" -m build --outdir "$work/dist" . > "$work/log" 2>&1 ||
    { cat "$work/log"; exit 1; }
"$work/venv/bin/pip" install -q -c constraints.txt "$work"/dist/skbadge-*.whl
sed -n '/^```python$/,/^```$/p; /^```$/q' README.md | sed '/^```/d' > "$work/first.py"
mkdir "$work/elsewhere" && cd "$work/elsewhere"
. "$work/venv/bin/activate"
skbadge --version
python -c 'import skbadge; skbadge.show_versions()'
python "$work/first.py"
# What is in the package here is in the wheel, and nothing else.
files() { (cd "$1" && find skbadge -type f ! -path '*/__pycache__/*' | sort); }
diff <(files "$root") <(files "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')")
