"""The page for those who bring a network, and README: their code runs as it stands, and makes it smaller."""

import re
import textwrap
from pathlib import Path

import pytest

import pruneviz as pv

README = Path(__file__).parent.parent / "README.md"
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


@pytest.mark.parametrize("framework", ["torch", "keras"])
def test_the_code_of_readme_runs_as_it_stands(framework):
    x, y = pv.datasets.mnist().validation
    names = {"pv": pv, "model": pv.zoo.lenet_5(framework), "x": x[:200], "y": y[:200]}
    for head in ("in three lines", "## The library"):
        _, _, rest = README.read_text(encoding="utf-8").partition(head)
        code = textwrap.dedent(re.search(r"\n\n((?: {4}.*\n|\n)+)", rest)[1])
        assert code.count("pv.explore(") > 0
        exec(code.replace('("torch")', f'("{framework}")'), names)
    assert pv.scorecard(names["small"], (x[:200], y[:200])).parameters < 150_000
