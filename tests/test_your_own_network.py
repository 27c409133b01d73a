"""The page for those who bring a network: its scripts run as they stand, and make a smaller one."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parent.parent / "lessons" / "YOUR_OWN_NETWORK.md"


@pytest.mark.parametrize("track", ["PyTorch", "Keras"])
def test_the_script_runs_as_it_stands(track, tmp_path, monkeypatch, capsys):
    section = PAGE.read_text(encoding="utf-8").partition(f"## {track}\n")[2]
    monkeypatch.chdir(tmp_path)
    exec(re.search(r"```python\n(.*?)```", section, re.DOTALL)[1], {})
    rows = capsys.readouterr().out.splitlines()
    right, parameters, macs = (
        [float(re.search(pattern, row)[1].replace(",", "")) for row in rows]
        for pattern in (r"([\d.]+)% right", r"([\d,]+) parameters", r"([\d,]+) MACs")
    )
    assert [row.split()[0] for row in rows] == ["dense", "control", "small"]
    assert min(right) > 90
    assert parameters[2] < parameters[0] / 1.8
    assert macs[2] < macs[0] / 2
    assert len(list(tmp_path.iterdir())) == 1
