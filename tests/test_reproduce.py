"""The articles' experiments: stored results have one shape, and runs are made once, anywhere, and go on."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
import torch
from dask.distributed import Client, LocalCluster
from torch import nn

from benchmarks.reproduce import fitting, running
from benchmarks.reproduce.rule import Rule

RUN = {
    "type": "object",
    "required": ["case", "seed", "seconds", "date", "processor", "versions", "found"],
    "additionalProperties": False,
    "properties": {
        "case": {"type": "string"},
        "seed": {"type": "integer", "minimum": 0},
        "seconds": {"type": "integer", "minimum": 0},
        "date": {"type": "string", "pattern": r"^20\d\d-\d\d-\d\d$"},
        "processor": {"type": "string", "minLength": 3},
        "versions": {
            "type": "object",
            "required": ["python", "numpy"],
            "additionalProperties": {"type": "string", "pattern": r"^\d+\.\d+"},
        },
        "found": {"type": "object", "minProperties": 1},
    },
}
SCHEMA = {
    "type": "object",
    "required": ["made_by", "article", "settings", "runs"],
    "additionalProperties": False,
    "properties": {
        "made_by": {"type": "string", "pattern": r"^python -m benchmarks\.reproduce \w+$"},
        "article": {"type": "object", "required": ["who"]},
        "settings": {"type": "object", "minProperties": 1},
        "runs": {"type": "array", "minItems": 1, "items": RUN},
    },
}
STORED = [name for name in running.EXPERIMENTS if (running.RESULTS / f"{name}.json").exists()]


@pytest.mark.parametrize("name", STORED)
def test_a_stored_result_is_what_its_command_makes(name):
    result = json.loads((running.RESULTS / f"{name}.json").read_text(encoding="utf-8"))
    jsonschema.validate(result, SCHEMA)
    experiment = running.experiment(name)
    assert result["made_by"].endswith(f" {name}")
    assert result["settings"] == json.loads(json.dumps(experiment.SETTINGS))
    assert result["article"] == json.loads(json.dumps(experiment.ARTICLE))
    made = [(run["case"], run["seed"]) for run in result["runs"]]
    assert made == [(case, seed) for case in experiment.CASES for seed in experiment.SEEDS]


@pytest.fixture
def counting(monkeypatch):
    """An experiment that notes its runs, and fails at seed 13."""
    runs = []

    def run(case, seed, settings, folder):
        runs.append((case, seed, folder.name))
        if seed == 13:
            raise RuntimeError("seed 13")
        return {"answer": seed * settings["times"]}

    module = SimpleNamespace(
        ARTICLE={"who": "nobody"}, SETTINGS={"times": 2}, SEEDS=(0,), CASES=("",), run=run
    )
    monkeypatch.setitem(sys.modules, "benchmarks.reproduce.counting", module)
    return runs


def reproduce(pool, tmp_path, seeds, times=2, cases=("",)):
    where = {"folder": tmp_path / "runs", "out": tmp_path / "counting.json"}
    return running.reproduce("counting", pool, seeds=seeds, cases=cases, settings={"times": times}, **where)


def test_runs_are_made_once_and_stored_in_order(counting, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        reproduce(pool, tmp_path, [1, 0], cases=("b", "a"))
        result = reproduce(pool, tmp_path, [2, 1, 0], cases=("b", "a"))
    assert [(run["case"], run["seed"]) for run in result["runs"]] == [
        ("b", 0), ("b", 1), ("b", 2), ("a", 0), ("a", 1), ("a", 2),
    ]  # fmt: skip
    assert sorted(counting) == sorted(set(counting))  # none twice
    assert result == json.loads((tmp_path / "counting.json").read_text())
    jsonschema.validate(result, SCHEMA)


@pytest.mark.usefixtures("counting")
def test_a_failed_run_is_raised_when_the_others_are_stored(tmp_path):
    with ThreadPoolExecutor(2) as pool, pytest.raises(RuntimeError, match="seed 13"):
        reproduce(pool, tmp_path, [13, 1, 2])
    stored = json.loads((tmp_path / "counting.json").read_text())
    assert [run["found"]["answer"] for run in stored["runs"]] == [2, 4]


def test_results_of_other_settings_are_not_mixed(counting, tmp_path):
    with ThreadPoolExecutor(1) as pool:
        reproduce(pool, tmp_path, [1])
        with pytest.raises(ValueError, match=r"counting\.json holds runs of other settings"):
            reproduce(pool, tmp_path, [2], times=3)
    assert len(counting) == 1


def test_runs_of_other_settings_have_folders_of_their_own(monkeypatch, tmp_path):
    def run(_case, _seed, _settings, folder):
        before = folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        return {"went on": before}

    module = SimpleNamespace(run=run)
    monkeypatch.setattr(running, "experiment", lambda _: module)
    ran = [running._timed("it", "", 0, {"epochs": n}, tmp_path)["found"]["went on"] for n in (5, 20, 5)]
    assert ran == [False, False, True]


@pytest.mark.usefixtures("counting")
def test_a_dask_cluster_runs_the_seeds_side_by_side(tmp_path):
    local = {"n_workers": 2, "threads_per_worker": 1, "processes": False, "dashboard_address": None}
    with LocalCluster(**local) as cluster, Client(cluster) as client:
        result = reproduce(client.get_executor(), tmp_path, [0, 1, 2])
    assert [run["found"]["answer"] for run in result["runs"]] == [0, 2, 4]


def few(n=96):
    rng = np.random.default_rng(0)
    return fitting.split((rng.integers(0, 256, (n, 4, 4, 1), dtype=np.uint8), rng.integers(0, 3, n)))


def small():
    torch.manual_seed(0)
    return nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, 3)).to(fitting.DEVICE)


@pytest.mark.parametrize("optimizer", ["adam", "adamw", "sgd"])
def test_a_training_goes_on_as_if_it_had_not_been_ended(tmp_path, optimizer):
    recipe = fitting.Recipe(3, 32, 0.01, 5, optimizer, cosine=True)
    whole, parts, ended = small(), small(), RuntimeError("ended")
    fitting.fit(whole, few(), recipe)

    def end(number):
        if number == 4:  # in the second of three epochs
            raise ended

    with pytest.raises(RuntimeError, match="ended"):
        fitting.fit(parts, few(), recipe, before_step=end, checkpoint=tmp_path / "state.pt")
    parts = small()
    seen = fitting.fit(parts, few(), recipe, checkpoint=tmp_path / "state.pt", watch=lambda: "epoch")
    assert seen == [None, "epoch", "epoch"]
    for a, b in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(a, b)


def test_zeros_stay_and_none_is_negative():
    model = small()
    mask = torch.zeros(8, 16)
    mask[:, ::2] = 1
    fitting.fit(model, few(), fitting.Recipe(2, 32, 0.01, 0), masks={"1.weight": mask})
    weight = model[1].weight.detach()
    assert torch.equal(weight[:, 1::2], torch.zeros(8, 8))
    assert not torch.signbit(weight[:, 1::2]).any()
    assert (weight[:, ::2] != 0).all()


@pytest.mark.parametrize(
    ("begin", "end", "in_training", "afterwards"),
    [(1000, 5000, 0.2476, 0.2894), (200, 1000, 0.75, 0.75)],  # as printed; repaired
)
def test_the_articles_schedule_reaches_what_tfmot_reaches(begin, end, in_training, afterwards):
    model = nn.Linear(100, 100)
    rule = Rule(model, 0.0, 0.75, begin, end, 100)
    for number in range(1600):
        rule.step(number)
    assert rule.sparsity == pytest.approx(in_training, abs=5e-5)
    rule.step(1600)
    assert rule.sparsity == pytest.approx(afterwards, abs=5e-5)
    assert float((model.weight == 0).float().mean()) == pytest.approx(afterwards, abs=5e-5)
