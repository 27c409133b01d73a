"""The browser's arithmetic, checked by node against NumPy's results in tests/js."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


@pytest.mark.skipif(not shutil.which("node") and not os.environ.get("CI"), reason="node is not installed")
def test_javascript():
    node = shutil.which("node")
    assert node, "install node: CI tests the JavaScript too"
    folder = Path(__file__).parent / "js"
    done = subprocess.run([node, "--test", str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:]
