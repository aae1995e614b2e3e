#!/usr/bin/env bash
# The tests that need a real browser, in the environment that is active. Installs what
# they need where it can; where it cannot, they are skipped and say why. Arguments go to
# pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
if ! { command -v chromium && command -v chromedriver; } > /dev/null; then
    export DEBIAN_FRONTEND=noninteractive
    { timeout 60 apt-get update -qq && timeout 240 apt-get install -qq -y \
        --no-install-recommends chromium chromium-driver > /dev/null; } ||
        echo "Chromium could not be installed."
fi
pip install -q -c constraints.txt -e ".[tests,browser]" ||
    echo "JupyterLab and selenium could not be installed."
python -m pytest -m browser tests/labeling tests/experiment/report "$@"
