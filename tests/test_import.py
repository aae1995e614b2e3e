"""What importing the package pulls in."""

import subprocess
import sys


def test_importing_the_package_waits_for_nothing_it_does_not_need_yet():
    code = (
        "import sys, skbadge; print({'torch', 'sklearn', 'scipy'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert result.stdout.strip() == "set()", result.stderr


def test_unknown_names_are_no_attributes():
    code = "import skbadge; skbadge.no_such_name"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert "module 'skbadge' has no attribute 'no_such_name'" in result.stderr
