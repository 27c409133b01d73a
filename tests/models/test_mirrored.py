"""Keras models under a MirroredStrategy, on two devices at once."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize("home", ["keras", "tf_keras"])
def test_a_model_on_two_devices_is_pruned_kept_and_made_smaller_there(home):
    command = [sys.executable, str(Path(__file__).with_name("mirrored.py")), home]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr[-3000:]
