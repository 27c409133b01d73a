"""What a move of a view's slider costs in JupyterLab, and what a view costs its kernel."""

from __future__ import annotations

import io
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch._dynamo
from ipywidgets.widgets.widget import _remove_buffers
from rows import Row

import pruneviz as pv
from pruneviz.widgets.explorer.measuring import Meter

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "browser"))
import lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WEIGHTS = {"266 k weights": 1.0, "996 k weights": 2.0}  # milliseconds of a move at most
CELLS = (
    """\
import io
import numpy as np, torch, ipywidgets as widgets
import pruneviz as pv
from matplotlib.figure import Figure
small = pv.zoo.lenet_300_100("torch")
data = pv.datasets.mnist().validation
linear = torch.nn.Linear
large = torch.nn.Sequential(torch.nn.Flatten(), linear(784, 1255), linear(1255, 10))
torch.set_num_threads(1)""",
    "view = pv.explore(small, data, predict=False); view",
    "wide = pv.explore(large, data, show=['slider', 'mask', 'histogram', 'layers']); wide",
    """\
ranks = pv.rank(pv.importance(small))
value, image = widgets.FloatText(0.5, continuous_update=True), widgets.Image()
def draw(change):
    figure, out = Figure((9, 3.2)), io.BytesIO()
    mask, histogram = figure.subplots(1, 2)
    kept = ranks.mask(min(max(change.new, 0), 1))["fc1"]
    weights = np.abs(pv.network(small)["fc1"].weight)
    mask.imshow(kept)
    histogram.hist([weights[kept], weights[~kept]], 64, stacked=True)
    figure.savefig(out, format="png", dpi=72)
    image.value = out.getvalue()
value.observe(draw, "value")
peer = widgets.VBox([value, image], _dom_classes=["peer"]); peer""",
)
UNIT_CELL = """\
import torch
import pruneviz as pv
torch.set_num_threads(1)
model, granularity = pv.zoo.{}("torch"), "{}"
x, y = pv.datasets.{}().validation
view = pv.explore(model, (x[:{many}], y[:{many}]), granularity=granularity, predict=False)
view.layer = view.layers[-1]["name"]
view"""
SCHEDULE_CELL = """\
import torch
import pruneviz as pv
torch.set_num_threads(1)
x, y = pv.datasets.mnist().validation
model, train_nothing = pv.zoo.lenet_300_100("torch"), lambda model, mask, seed: None
view = pv.ScheduleExplorer(model, train_nothing, (x[:500], y[:500]), rounds=6, final=0.98)
for kind in ("one_shot", "polynomial"):
    view.kind = kind
    view.run()
view"""
TRADEOFF_CELL = """\
import pruneviz as pv
model, (x, y) = pv.zoo.lenet_300_100("torch"), pv.datasets.mnist().test
cards = [pv.scorecard(model, (x, y), "dense")]
for step in range(1, 30):
    pruned = pv.apply(model, pv.prune(model, step / 30))
    cards.append(pv.Variant(pv.scorecard(pruned, (x, y), f"{step} of 30"), "dense", "prune"))
view = pv.TradeoffExplorer(cards, (x, y))
view"""
TRAINED = "() => document.querySelector('.pv')?.pruneviz.get('runs').length === 2"
MEASURED = """() => {
  const frame = document.querySelector('.pv')?.pruneviz;
  return frame?.get('curve').length > 20 && !frame.get('running');
}"""
UNITS = (
    ("LeNet-300-100, neurons", "lenet_300_100", "neuron", "mnist", 1000),
    ("LeNet-5, filters", "lenet_5", "filter", "mnist", 1000),
    ("MNIST CNN, filters", "mnist_cnn", "filter", "mnist", 1000),
    ("ResNet-20, channels", "resnet_20", "channel", "cifar10", 100),
)
VIEWS = {  # name -> the cell that opens it, and when it may be moved
    name: (UNIT_CELL.format(network, granularity, dataset, many=many), MEASURED)
    for name, network, granularity, dataset, many in UNITS
} | {"LeNet-300-100, schedule": (SCHEDULE_CELL, TRAINED)}
MOVES = """async ([index, jumps]) => {
  const frame = document.querySelectorAll('.pv')[index].pruneviz;
  const find = (name) => frame.root.querySelector(name);
  const [range, ring, canvas] = [find('.pv-range'), find('.pv-handle[data-name=end]'), find('canvas')];
  if (ring) ring.hasPointerCapture = () => true; // a pointer that does not exist cannot be captured
  const drag = (share) => {
    const { left, top, width, height } = canvas.getBoundingClientRect();
    const at = { clientX: left + share * width, clientY: top + (1 - share) * height, bubbles: true };
    ring.dispatchEvent(new PointerEvent('pointermove', at));
  };
  const slide = (share) => {
    range.value = share.toFixed(3);
    range.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const next = () => new Promise((done) => requestAnimationFrame(done));
  const [work, latency, sent] = [[], [], []];
  for (let i = 0; i < 110; i++) {
    await new Promise((done) => setTimeout(done, 7 * (i % 3)));
    const start = performance.now();
    (ring ? drag : slide)(jumps ? (i * 0.381966) % 1 : 0.6 + 0.3 * Math.sin(i / 12));
    sent.push(performance.now() - start);
    await next();
    work.push(frame.work); // now, for what the kernel sends is painted too
    await next();
    latency.push(performance.now() - start);
  }
  (ring ?? range).dispatchEvent(new Event(ring ? 'lostpointercapture' : 'change', { bubbles: true }));
  return [work.slice(20), latency.slice(20), sent.slice(20)];
}"""
CHOICES = """async () => {
  const frame = document.querySelector('.pv').pruneviz;
  const work = [];
  for (const row of document.querySelectorAll('.pv-model')) {
    row.click();
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    work.push(frame.work);
  }
  return work;
}"""
PEER = """async () => {
  const [input, image] = ['input', 'img'].map((tag) => document.querySelector(`.peer ${tag}`));
  const latency = [];
  for (let i = 0; i < 30; i++) {
    const start = performance.now();
    input.value = (0.6 + 0.3 * Math.sin(i / 12)).toFixed(3);
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.dispatchEvent(new Event('change', { bubbles: true }));
    await new Promise((done) => image.addEventListener('load', done, { once: true }));
    await new Promise((done) => requestAnimationFrame(done));
    latency.push(performance.now() - start);
  }
  return latency.slice(5);
}"""
FIRST_PAINT = """async () => {
  const notebook = window.jupyterapp.shell.currentWidget;
  notebook.content.activeCellIndex = 1;
  const start = performance.now();
  window.jupyterapp.commands.execute('notebook:run-cell');
  const painted = () => document.querySelector('.pv')?.pruneviz?.work > 0;
  while (!painted()) await new Promise((done) => requestAnimationFrame(done));
  return performance.now() - start;
}"""


def rows() -> Iterator[Row]:
    """Measure in JupyterLab, and then in a kernel alone."""
    yield from in_the_browser()
    yield from in_the_kernel()


def in_the_browser() -> Iterator[Row]:
    """Measure moves, latency and first paint in JupyterLab."""
    folder = Path(tempfile.mkdtemp())
    (folder / "home").mkdir()
    lab.write_notebook(folder / "bench.ipynb", *CELLS)
    with lab.jupyterlab(folder, folder / "home") as address, lab.chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        lab.open_notebook(page, address, "bench.ipynb")
        page.wait_for_selector(".peer img", timeout=120_000, state="attached")
        page.wait_for_timeout(4000)
        results: dict[tuple[str, bool], Any] = {}
        for index, name in enumerate(WEIGHTS):
            for jumps in (False, True):
                page.evaluate("(i) => document.querySelectorAll('.pv')[i].scrollIntoView()", index)
                results[name, jumps] = page.evaluate(MOVES, [index, jumps])
        page.evaluate("() => document.querySelector('.peer').scrollIntoView()")
        peer = page.evaluate(PEER)
        paints = []
        for _ in range(3):
            page.evaluate("() => window.jupyterapp.commands.execute('notebook:clear-all-cell-outputs')")
            page.wait_for_timeout(1500)
            paints.append(page.evaluate(FIRST_PAINT))
            page.wait_for_timeout(3000)
        for place, (name, (cell, ready)) in enumerate(VIEWS.items()):
            lab.write_notebook(folder / f"{place}.ipynb", cell)
            lab.open_notebook(page, address, f"{place}.ipynb", workspace=f"view{place}")
            page.wait_for_function(ready, timeout=120_000)
            for jumps in (False, True):
                results[name, jumps] = page.evaluate(MOVES, [0, jumps])
        lab.write_notebook(folder / "tradeoff.ipynb", TRADEOFF_CELL)
        lab.open_notebook(page, address, "tradeoff.ipynb", workspace="tradeoff")
        page.wait_for_selector(".pv-model", timeout=120_000)
        choices = page.evaluate(CHOICES)
    for (name, jumps), (work, seen, _) in results.items():
        how = "jumps" if jumps else "drag"
        yield Row(f"JavaScript of a move, {name}, {how}", median(work), "ms", limit=WEIGHTS.get(name, 1.0))
        if not jumps:
            what = f"input to second frame, {name}"
            yield Row(what, median(seen), "ms", limit=30)
            yield Row(f"{what}, 95th percentile", float(np.percentile(seen, 95)), "ms", limit=36)
            if name == "266 k weights":
                yield Row(what, median(seen), "ms", "matplotlib and Image", median(peer), 1.0)
    yield Row("first paint after the cell starts, LeNet-300-100", median(paints), "ms", limit=1000)
    yield Row("JavaScript of a choice among 30 models, pictures included", median(choices), "ms", limit=16)


def in_the_kernel() -> Iterator[Row]:
    """Measure exact accuracy, the background curve and the bytes at start."""
    torch.set_num_threads(1)  # on a machine with one busy core two threads wait for each other
    test = pv.datasets.mnist().test
    for network, framework in (("lenet_300_100", "torch"), ("lenet_5", "torch"), ("lenet_300_100", "keras")):
        model = getattr(pv.zoo, network)(framework)
        meter, mask, bare = Meter(model, test), pv.prune(model, 0.9), forward(model, test[0])
        calls = {"ours": lambda _, m=meter, k=mask: lambda: list(m.predict(k)), "bare": lambda _, b=bare: b}
        timed = pv.latency(calls, test[0], [1], clock="processor", seconds=0)
        what = f"exact accuracy, 10,000 images, {network}, {framework}"
        yield Row(what, timed["ours"][1], "ms", "forward", timed["bare"][1], 1.3)
    model = pv.zoo.lenet_300_100("torch")
    for kind, views in shown(model, test).items():
        bundles = [[timed_once(each._repr_mimebundle_) for _ in range(2)] for each in views]
        for word, times in zip(("first", "again"), zip(*bundles, strict=True), strict=True):
            yield Row(f"bundle of a view of {kind}s that is shown {word}", median(times), "ms", limit=50)
    view = pv.explore(model, test)
    state, _, buffers = _remove_buffers(view.get_state())
    sent = len(json.dumps(state)) + sum(map(len, buffers))
    seconds = timed_once(view.measure) / 1000
    yield Row(f"background curve of {len(view.curve)} points, 10,000 images", seconds, "s")
    yield Row("comm payload at start, LeNet-300-100", sent / 1e6, "MB", limit=1.2)


def shown(model: object, test: tuple[np.ndarray, np.ndarray]) -> dict[str, list[Any]]:
    """Give views that have not been shown, by what they prune; matplotlib is loaded and warm."""
    pv.explore(model, test, predict=False).snapshot().savefig(io.BytesIO(), format="png")
    kinds = ("weight", "neuron")
    return {
        kind: [pv.explore(model, test, granularity=kind, predict=False) for _ in range(5)] for kind in kinds
    }


def forward(model: Any, x: np.ndarray) -> Callable[[], object]:  # noqa: ANN401
    """Give the framework's own forward pass, on inputs that are ready, in the best of two batch sizes."""
    if isinstance(model, torch.nn.Module):
        inputs = torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).float() / 255  # laid out as loaders do

        @torch.no_grad()
        def run(size: int) -> object:
            return [model(inputs[start : start + size]).argmax(1) for start in range(0, len(x), size)]
    else:
        import keras  # noqa: PLC0415  # after torch._dynamo, or the process aborts

        ready = keras.ops.convert_to_tensor(x.astype(np.float32) / 255)

        def run(size: int) -> object:
            return [
                model(ready[start : start + size], training=False).numpy().argmax(1)
                for start in range(0, len(x), size)
            ]

    best = min((500, 10_000), key=lambda size: min(timed_once(lambda: run(size)) for _ in range(2)))
    return lambda: run(best)


def timed_once(call: Callable[[], object]) -> float:
    """Time one call, in milliseconds."""
    start = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - start)
