"""Random damage, a kill at any moment, a full disk; longer where PRUNEVIZ_LONG is set in the environment."""

import os
import random
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from pruneviz.files import storage
from pruneviz.files.writing import whole

LONG = "PRUNEVIZ_LONG" in os.environ
DAMAGES, KILLS = (100_000, 20) if LONG else (1_000, 3)
SIZE = 5_000_000

WRITER = """
import sys
from pathlib import Path
from pruneviz.files.writing import whole

print("begun", flush=True)
for turn in range(10**6):
    with whole(Path(sys.argv[1])) as file:
        for _ in range(10):
            file.write(bytes([turn % 251]) * (int(sys.argv[2]) // 10))
"""


def damaged(data, rng):
    """Flip, cut, repeat, insert or replace, at random places."""
    data, at = bytearray(data), rng.randrange(len(data))
    length = rng.choice((1, 2, 8, 60, len(data)))
    noise = rng.randbytes(rng.choice((0, 1, 8, 60)))
    kind = rng.choice(("flip", "cut", "lose", "repeat", "insert", "noise"))
    if kind == "flip":
        data[at] ^= 1 << rng.randrange(8)
    elif kind == "cut":
        del data[at:]
    elif kind == "lose":
        del data[at : at + length]
    elif kind == "repeat":
        data[at:at] = data[at : at + length]
    elif kind == "insert":
        data[at:at] = noise
    else:
        data[at : at + len(noise)] = noise
    return bytes(data)


def test_random_damage_is_refused_in_a_sentence():
    rng = random.Random(0)
    arrays = {"fc1.weight": np.eye(40, dtype=np.float32), "fc1.bias": np.arange(40.0)}
    saved = storage.packed(arrays)
    refused = 0
    for _ in range(DAMAGES):
        data = damaged(saved, rng)
        if data == saved:
            continue
        with pytest.raises(ValueError, match=r"^m\.pv is "):
            storage.unpacked(data, "m.pv", arrays)
        refused += 1
    assert refused > 0.9 * DAMAGES


def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path):
    path, rng = tmp_path / "m.pv", random.Random(1)
    for _ in range(KILLS):
        command = [sys.executable, "-c", WRITER, str(path), str(SIZE)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout.readline() == "begun\n"
            while not path.exists():
                time.sleep(0.001)
            time.sleep(rng.uniform(0, 0.05))
            writer.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert len(content) == SIZE
        assert len(set(content[:: SIZE // 10])) == 1  # of one turn
        with whole(path) as file:  # a draft that was left is in nobody's way
            file.write(content)
        assert path.read_bytes() == content


def test_where_no_byte_more_can_be_written_the_old_file_stays(tmp_path):
    path = tmp_path / "m.pv"
    path.write_bytes(b"old")
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"), whole(path) as file:
            file.write(bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert path.read_bytes() == b"old"
    assert [found.name for found in tmp_path.iterdir()] == ["m.pv"]
