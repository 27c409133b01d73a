"""Bars: where they show and where not; and that work which is interrupted leaves nothing half done."""

import time

import architectures
import numpy as np
import pytest
import tqdm.notebook
import tqdm.std

import pruneviz as pv
from pruneviz import progress
from pruneviz.files.storage import arrays_of

PLAN = architectures.Plan((("conv", 4), ("bn", 0), ("act", 0), ("conv", 5)))
MANY = 1001  # two batches


@pytest.fixture(scope="module")
def data():
    return architectures.images(PLAN, "torch", n=MANY), np.arange(MANY) % architectures.CLASSES


@pytest.fixture
def model():
    return architectures.build(PLAN, "torch")


@pytest.fixture
def seen(monkeypatch):
    """Let bars show, at once, and collect what they are called."""
    monkeypatch.delenv("TQDM_DISABLE")
    monkeypatch.setattr(progress, "_PATIENCE", 0)
    drawn = []
    draw = tqdm.std.tqdm.display
    monkeypatch.setattr(
        tqdm.std.tqdm, "display", lambda bar, *a, **k: (drawn.append(bar.desc), draw(bar, *a, **k))[1]
    )
    return drawn


def work(model, data):
    """Everything that goes through many images, and is long where network or images are large."""
    x = data[0]
    mask = pv.prune(model, 0.5, granularity="filter", example=x[:1])
    return {
        "scorecard": lambda: pv.scorecard(model, data),
        "gradient": lambda: pv.prune(model, 0.5, criterion="gradient", data=data),
        "activation": lambda: pv.prune(model, 0.5, granularity="filter", criterion="activation", data=data),
        "reconstruction": lambda: pv.prune(
            model, 0.5, granularity="channel", criterion="reconstruction", data=data, keep_at_least=1
        ),
        "check_removed": lambda: pv.check_removed(model, mask, pv.remove(model, mask, x[:2]), x),
        "recalibrate": lambda: arrays_of(pv.recalibrate(model, x)),
        "reconstruct": lambda: arrays_of(pv.reconstruct(model, mask, x)),
        "gate": lambda: {"macs": pv.gate(model, data, 0.1).macs},
    }


@pytest.mark.parametrize(
    "name", ["scorecard", "gradient", "activation", "reconstruction", "recalibrate", "reconstruct"]
)
def test_long_work_shows_a_bar(model, data, seen, capsys, name):
    task = work(model, data)[name]
    seen.clear()
    task()
    assert len(set(seen)) == 1
    assert seen[0] in capsys.readouterr().err


def test_latency_shows_a_bar(model, data, seen):
    pv.latency({"net": model}, data[0], (1,), seconds=0.001)
    assert set(seen) == {"timing"}


def test_short_work_shows_none(model, data, seen, monkeypatch, capsys):
    monkeypatch.setattr(progress, "_PATIENCE", 60)
    for name in ("scorecard", "gradient", "recalibrate"):
        work(model, data)[name]()
    assert seen == []
    assert capsys.readouterr().err == ""


def test_a_whole_shows_one_bar_for_its_parts(model, data, seen):
    pv.sweep(model, data, [0, 0.5])
    assert set(seen) == {"measuring"}
    seen.clear()
    list(pv.iterate(model, lambda _: 0.5, lambda *_: None, data, rounds=2))
    assert {text.partition(":")[0] for text in seen} == {"pruning"}


def test_no_progress_means_none(model, data, seen, capsys):
    options = {"criterion": "gradient", "scored_on": data, "progress": False}
    pv.sweep(model, data, [0.5], **options)
    list(pv.iterate(model, lambda _: 0.5, lambda *_: None, data, rounds=1, **options))
    assert seen == []
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("disabled", ["", "1"])
def test_a_notebook_shows_the_bar_once_unless_it_is_switched_off(model, data, seen, monkeypatch, disabled):
    shown = []
    monkeypatch.setattr(tqdm.notebook, "display", shown.append)
    monkeypatch.setattr(progress, "tqdm", tqdm.notebook.tqdm)
    monkeypatch.setenv("TQDM_DISABLE", disabled)
    pv.scorecard(model, data)
    assert len(shown) == (0 if disabled else 1)
    assert seen == []


def test_patience_is_a_second(monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE")
    drawn = []
    monkeypatch.setattr(tqdm.std.tqdm, "display", lambda bar, *_, **__: drawn.append(bar.n))
    for step in progress.steps("waiting", "step", range(3)):
        time.sleep(0.6 if step else 0.1)
    assert drawn[0] == 3  # after 0.1, 0.7 and 1.3 seconds


@pytest.mark.parametrize("name", list(work(architectures.build(PLAN, "torch"), (np.zeros((2, 6, 6, 2)), []))))
def test_an_interrupt_leaves_nothing_half_done(framework, data, seen, monkeypatch, name):
    model = architectures.build(PLAN, framework)
    if framework == "torch":
        model.train()
    task = work(model, data)[name]
    before, whole = arrays_of(model), task()
    update = tqdm.std.tqdm.update

    def interrupt(bar, *given):
        update(bar, *given)
        raise KeyboardInterrupt

    monkeypatch.setattr(tqdm.std.tqdm, "update", interrupt)
    with pytest.raises(KeyboardInterrupt):
        task()
    monkeypatch.setattr(tqdm.std.tqdm, "update", update)
    after = arrays_of(model)
    assert all(np.array_equal(before[key], after[key]) for key in before)
    if framework == "torch":
        assert all(module.training for module in model.modules())
    seen.clear()
    again = task()
    assert seen  # the next one has its bar
    if isinstance(whole, dict):
        assert all(np.array_equal(whole[key], again[key]) for key in whole)
    else:
        assert again == whole
