# %% [markdown]
# # 06b · What pruning buys: which to choose
#
# You are short of something: bytes, milliseconds, or right answers. Which pruning buys it? And what would have bought it
# without any pruning?

# %% tags=["pytorch", "fold"]
import contextlib
import copy
import tempfile
import zlib
from functools import partial
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from torch.nn import functional as F

import pruneviz as pv
from pruneviz.lessons import HOME
from pruneviz.lessons.checks import lesson_06b as check
from pruneviz.plots import style

pv.teaching.start("pytorch")
FRAMEWORK, TRACK, RUNTIME = "torch", "pytorch", "ONNX Runtime"
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
folder = Path(tempfile.mkdtemp())

lenet = pv.zoo.lenet_300_100(FRAMEWORK)
dense = pv.scorecard(lenet, validation, name="as it came")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")
try:
    import onnxruntime
    import onnxscript  # noqa: F401  # the exporter asks for it
    from onnxruntime import quantization

    AVAILABLE = True
except ImportError as missing:
    AVAILABLE = False
    print(f'{missing}: pip install "pruneviz[export]". Without it, what is exported is only told.')

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")

import contextlib
import tempfile
import zlib
from functools import partial
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.lessons import HOME
from pruneviz.lessons.checks import lesson_06b as check
from pruneviz.plots import style

FRAMEWORK, TRACK, RUNTIME = "keras", "tensorflow", "LiteRT"
tf.get_logger().setLevel("ERROR")  # TensorFlow warns when many models are run in turn
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
folder = Path(tempfile.mkdtemp())

lenet = pv.zoo.lenet_300_100(FRAMEWORK)
dense = pv.scorecard(lenet, validation, name="as it came")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")
try:
    from ai_edge_litert.interpreter import Interpreter

    AVAILABLE = True
except ImportError as missing:
    AVAILABLE = False
    print(f'{missing}: pip install "pruneviz[export]". Without it, what is exported is only told.')

# %% [markdown]
# **Touch.** Here neurons were cut, the others got one more epoch, and then the zeros were removed. Click from step to step.
# Which one changes answers, which the file, and which the time (choose it *across*)? Then ask yourself what single weights
# would have done to each.

# %%
stored = pv.read_variants(HOME / "results" / "family.json")
steps = pv.TradeoffExplorer(
    [model for model in stored if not model.name.startswith("weights")],
    validation,
    selected="neurons 75%, tuned",
    title="LeNet-300-100 · what each step buys",
)
steps

# %% tags=["drive"]
for name in ("neurons 75%", "neurons 75%, removed", "neurons 75%, tuned"):
    steps.selected = name
    print(steps.sentence())

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, neuron, magnitude, the network, its layer, at once.](../map/06b.svg)
#
# - To compare pruned networks in every currency, after the same training, and beside a control.
# - To take a network out of its framework, and to prove that it still gives the same answers.
# - To say what int8 buys, alone and after pruning.
# - To choose what to prune, with a cell that stands for each rule.
#
# **Before you start.** You have done 02b (removal), and 06a (bytes and time). 05 helps.
#
# **Time.** 40 minutes, and 30 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/06b_what_to_choose.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/06b_what_to_choose.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown]
# ## Holes, or a smaller network?
#
# **Unstructured** pruning makes holes: single weights become zero, and every matrix keeps its shape. **Structured** pruning
# takes whole units, and the matrices shrink. Here are both, on the same network.

# %%
weights = pv.prune(lenet, 0.8)
neurons = pv.prune(lenet, 0.5, granularity="neuron", scope="layer", example=images[:1])
masks = {"80% of the weights": weights, "half of the neurons": neurons}
pv.teaching.show(pv.plot_network(lenet, masks=masks, view="matrix"))

# %% [markdown]
# A fair comparison gives everybody the same: one more epoch, the dense network too. Adam begins at 0.004 and falls to 0.
# What was pruned stays so.

# %% tags=["pytorch"]
train_x = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2) / np.float32(255))
train_y = torch.tensor(mnist.train[1])


def one_epoch(network, mask=None):
    """Train a copy for one more epoch; what the mask prunes stays zero."""
    network = copy.deepcopy(network).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=4e-3, fused=True)
    batches = torch.randperm(len(train_x), generator=torch.Generator().manual_seed(0)).split(128)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=len(batches))
    with pv.keep_pruned(network, mask, optimizer) if mask else contextlib.nullcontext():
        for batch in batches:
            loss = F.cross_entropy(network(train_x[batch]), train_y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
    return network.eval()


# %% tags=["tensorflow"]
train_x, train_y = tf.constant(mnist.train[0] / np.float32(255)), mnist.train[1]
right_answer = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def one_epoch(network, mask=None):
    """Train a copy for one more epoch; what the mask prunes stays zero."""
    keras.utils.set_random_seed(0)
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    steps = -(-len(train_x) // 128)
    falling = keras.optimizers.schedules.PolynomialDecay(4e-3, steps, end_learning_rate=0.0)
    twin.compile(keras.optimizers.Adam(falling), loss=right_answer)
    with pv.keep_pruned(twin, mask) if mask else contextlib.nullcontext():
        twin.fit(train_x, train_y, batch_size=128, verbose=0)
    return twin


# %% [markdown]
# **Predict.** With 80% of the weights gone, or half of the neurons, the network ends about as good as the dense one. How
# large is the first file, as a share of the second?

# %% tags=["answer", "trains"]
guess = ...  # a share; 1 is as large
models, cards = {"dense": one_epoch(lenet)}, {}
for share in (0.8, 0.9):
    mask = pv.prune(lenet, share)
    models[f"weights {share:.0%}"] = one_epoch(pv.apply(lenet, mask), mask)
for share in (0.5, 0.75):
    mask = pv.prune(lenet, share, granularity="neuron", scope="layer", example=images[:1])
    models[f"neurons {share:.0%}"] = one_epoch(pv.remove(lenet, mask, images[:1]))
rows = []
for name, network in models.items():
    cards[name] = card = pv.scorecard(network, validation, name=name)
    kilobytes = f"{card.compact_bytes / 1000:.0f} kB"
    rows.append([name, card.correct, kilobytes, card.macs, f"{card.nonzero_macs / card.macs:.0%}"])

seeds = pv.teaching.results("which_to_choose")
counted = seeds["right"]["4e-3, falling"]
faster = seeds["times_faster"]["lenet_300_100"][TRACK]
panels = {
    "file, kB": lambda name: cards[name].compact_bytes / 1000,
    "MACs run, thousands": lambda name: cards[name].macs / 1000,
    "time, 64 images, dense = 1": lambda name: 1 / faster[f"{name}, float32"]["64"][1],
}
figure = Figure(figsize=(8, 3.4), layout="constrained")
for ax, (what, cost) in zip(figure.subplots(1, 3, sharey=True), panels.items(), strict=True):
    for kind, (colour, marker, _) in zip(
        ("weights", "neurons", "dense"), style.SERIES, strict=False
    ):
        for name in (name for name in models if name.startswith(kind)):
            low, middle, high = sorted(seeds["images"] - n for n in counted[name])
            reach = [[middle - low], [high - middle]]
            label = kind if name in ("dense", "weights 80%", "neurons 50%") else None
            ax.errorbar(cost(name), middle, reach, fmt=marker, color=colour, label=label)
            said = name.removeprefix(kind).strip()
            ax.annotate(said, (cost(name), middle), (6, 3), textcoords="offset points", fontsize=8)
    ax.set(xlim=(0, 1.2 * cost("dense")), ylim=(60, 150), title=what)
    ax.spines[["top", "right"]].set_visible(False)
figure.axes[0].set_ylabel(f"wrong of {seeds['images']:,}")
figure.axes[1].legend(frameon=False, fontsize=style.SMALL, loc="upper left")
pv.teaching.show(
    figure,
    alt="Wrong answers against three costs, for pruned weights, removed neurons and the dense "
    "network, three seeds each. In kilobytes the weights lie to the left of neurons that make as "
    "many errors. In MACs or time the neurons lie to the left, and the weights as far "
    "right as dense.",
)
pv.teaching.table(["after one more epoch", "right", "file", "MACs run", "not zero"], rows)
share = cards["weights 80%"].compact_bytes / cards["neurons 50%"].compact_bytes
pv.teaching.compare(guess, round(share, 2), "of the other file")

# %% [markdown]
# The table is your network; the picture has three seeds, from lowest to highest, and its third panel is stored: the time
# in a runtime that you meet further down.
#
# **Explain.** At about equal errors, holes make the smaller file, and units the fewer multiplications and the shorter time.
# No arm wins both. "Better" means nothing here until you say in which currency you pay.
#
# **What would have shown us wrong?** At equal errors, one kind furthest left in all three panels.
#
# **Touch.** Your own networks, and the one that they came from. Change what is drawn across. Click on one: whose answers has
# it changed, and would you have seen that in the count of right ones?

# %%
made = [
    pv.Variant(card, "as it came", "one epoch" if name == "dense" else "prune, one epoch")
    for name, card in cards.items()
]
tradeoff = pv.TradeoffExplorer(
    [dense, *made],
    validation,
    x="compact_bytes",
    selected="neurons 75%",
    title="LeNet-300-100 · what it costs, and whose answers changed",
)
tradeoff

# %% tags=["drive", "trains"]
for cost in ("macs", "compact_bytes"):
    tradeoff.x = cost
    print(tradeoff.sentence())

# %% [markdown]
# ### Exercise 1 · Who is beaten by nobody?
#
# Some choices are bad for everybody: another has no more errors *and* no more bytes, and is better in one of them. Write
# `front(costs)`: it gets name → (errors, bytes), and gives the names that no other beats. They are called the **Pareto
# front**.


# %% tags=["exercise"]
def front(costs):
    """List the names that nobody beats."""
    # solution:
    return [
        name
        for name, (errors, size) in costs.items()
        if not any(
            e <= errors and s <= size and (e, s) != (errors, size) for e, s in costs.values()
        )
    ]
    # end of solution


# %% tags=["check"]
check.nobody_better(front)

# %% [markdown]
# ## The recipe
#
# Before you believe in holes or in units, change something else. Here are the same cuts and the same single epoch with
# another recipe: Adam at 0.001, which does not fall, in batches of 256. Three seeds, stored, trained in PyTorch.
#
# **Predict.** With 90% of the weights gone, the first recipe ends with 4,881 of 5,000 right (the middle of three). The
# second?

# %% tags=["answer"]
guess = ...  # how many of the 5,000?
arms = (
    "dense",
    "weights 80%",
    "weights 90%",
    "weights 95%",
    "neurons 50%",
    "neurons 75%",
    "neurons 87.5%",
)
recipes = (f"{0.004}, falling", f"{0.001}")
figure = Figure(figsize=(8, 3), layout="constrained")
ax = figure.subplots()
rows = []
for arm in arms:
    counts = [sorted(seeds["right"][recipe][arm]) for recipe in ("4e-3, falling", "1e-3")]
    rows.append([arm, *(f"{low:,} to {high:,}" for low, _, high in counts)])
    for place, (low, middle, high) in enumerate(counts):
        colour, marker, _ = style.SERIES[place]
        at, reach = len(rows) + 0.2 * place, [[middle - low], [high - middle]]
        ax.errorbar(at, middle, reach, fmt=marker, color=colour, label=recipes[place])
ax.set_xticks(range(1, len(arms) + 1), arms, fontsize=style.SMALL)
ax.set(ylabel="right of 5,000", ylim=(3_300, 5_000))
ax.spines[["top", "right"]].set_visible(False)
handles, names = ax.get_legend_handles_labels()
ax.legend(handles[:2], names[:2], frameon=False, fontsize=style.SMALL, loc="lower left")
pv.teaching.show(
    figure,
    alt="Right answers of seven networks after one epoch by two recipes. Where little was cut the "
    "two differ by a few. Where much was cut the falling rate is ahead, and with 95 per cent of "
    "the weights gone by about a thousand.",
)
pv.teaching.table(["right, of 5,000", *recipes], rows)
pv.teaching.compare(guess, sorted(seeds["right"]["1e-3"]["weights 90%"])[1], "right")

# %% [markdown]
# **Explain.** The recipe alone moves the network without 95% of its weights by about a thousand answers, and those that lost
# less by less. So a comparison of two kinds of pruning by one recipe also compares the recipes that suit them. Give each its
# own, chosen on validation images, or show both.
#
# **What would have shown us wrong?** Two columns that agree within their ranges in every row.

# %% [markdown]
# ## Two of every four
#
# 06a said what **2:4** saves: no more bytes than any other half, and time only where hardware reads it. What does it cost
# (here with the last layer, which 06a left whole)? Of every four weights
# that meet four inputs in a row, the two smaller go. The control prunes as many: half of each layer, wherever it likes.
#
# **Predict.** Half of each layer leaves 4,919 right at once. And 2:4?

# %% tags=["answer", "trains"]
guess = ...  # how many of the 5,000?
halves = {
    "weights 50%, each layer": pv.prune(lenet, 0.5, scope="layer"),
    "2:4": pv.prune(lenet, granularity="2:4"),
}
rows = []
for name, mask in halves.items():
    at_once = pv.scorecard(pv.apply(lenet, mask), validation).correct
    after = pv.scorecard(one_epoch(pv.apply(lenet, mask), mask), validation).correct
    stored = sorted(counted[name])
    rows.append([name, at_once, after, f"{stored[0]:,} to {stored[-1]:,}"])
pv.teaching.table(["right, of 5,000", "at once", "after the epoch", "three seeds, stored"], rows)
pv.teaching.compare(guess, rows[1][1], "right")

# %% [markdown]
# **Explain.** The rule costs about eighty answers at once, and the epoch gives most of them back; what is left lies within
# the range of the seeds. So 2:4 is cheap in accuracy. Whether it buys anything, only the hardware can say.
#
# **What would have shown us wrong?** Two ranges, after the epoch, that do not touch.

# %% [markdown] tags=["pytorch"]
# ## Out of the framework
#
# PyTorch is made for training. To *run* a network you can write it as **ONNX**, a file of layers and numbers that many
# programs read, and run it by **ONNX Runtime**.

# %% [markdown] tags=["tensorflow"]
# ## Out of the framework
#
# Keras is made for training. To *run* a network you can convert it to a `.tflite` file, and run it by **LiteRT**, on a
# phone or here.


# %% tags=["pytorch"]
def exported(network, name):
    """Write a network as ONNX, for any number of images."""
    path, batch = folder / f"{name}.onnx", {0: torch.export.Dim("n", min=1)}
    with pv.teaching.quietly():
        torch.onnx.export(
            network, (train_x[:2],), path, dynamo=True, external_data=False, verbose=False,
            input_names=["images"], dynamic_shapes=(batch,),
        )  # fmt: skip
    return path


def runner(path, threads=1):
    """Load an ONNX file; give a function from images to outputs."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(path, options)
    return lambda x: session.run(None, {"images": x.transpose(0, 3, 1, 2)})[0]


# %% tags=["tensorflow"]
def exported(network, name, calibration=None):
    """Write a network for LiteRT; with images for the calibration, as int8."""
    path = folder / f"{name}.tflite"
    with pv.teaching.quietly():
        network.export(folder / name, format="tf_saved_model", verbose=False)
        converter = tf.lite.TFLiteConverter.from_saved_model(str(folder / name))
        if calibration is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([image[None]] for image in calibration)
        path.write_bytes(converter.convert())
    return path


def runner(path, threads=1):
    """Load a file for LiteRT; give a function from images to outputs."""
    loaded = Interpreter(str(path), num_threads=threads)
    inputs, outputs = (loaded.get_input_details()[0], loaded.get_output_details()[0])

    def run(x):
        if run.size != len(x):
            with pv.teaching.quietly():
                loaded.resize_tensor_input(inputs["index"], x.shape)
                loaded.allocate_tensors()
            run.size = len(x)
        loaded.set_tensor(inputs["index"], x)
        loaded.invoke()
        return loaded.get_tensor(outputs["index"])

    run.size = None
    return run


# %% [markdown]
# **Predict.** Another program adds in another order. On how many of the 10,000 test images does the network without half of
# its neurons change its answer? And what do 80% zeros do to the size of the exported file?


# %% tags=["fold"]
def digits(path, images):
    """Run an exported network on images, 500 at a time, and tell the digits."""
    run = runner(path)
    parts = np.split(images, range(500, len(images), 500))
    return np.concatenate([run(part / np.float32(255)).argmax(axis=1) for part in parts])


# %% tags=["answer", "trains"]
guess = ...  # how many of the 10,000 answers?
files, rows = {}, []
for name in ("dense", "weights 80%", "neurons 50%") if AVAILABLE else ():
    files[name] = exported(models[name], name.replace("%", ""))
    there, here = digits(files[name], test[0]), pv.scorecard(models[name], test).predictions
    size, plain = files[name].stat().st_size, 4 * cards[name].parameters
    zipped = len(zlib.compress(files[name].read_bytes()))
    rows.append([name, int(np.sum(there != here)), f"{size / plain:.2f}", f"{zipped / plain:.2f}"])
if AVAILABLE:
    pv.teaching.table(["", "answers changed", "file, plain numbers = 1", "zipped"], rows)
    pv.teaching.compare(guess, rows[-1][1], "answers changed")
else:
    print("Not measured here: nothing was exported.")

# %% [markdown]
# **Explain.** A removed network is an ordinary one, and an ordinary exporter takes it. The file of the one with holes is as
# long as before: there, too, a zero is written like any other number.
#
# **What would have shown us wrong?** One answer that changes.

# %% [markdown]
# ### Exercise 2 · Time two models fairly
#
# You will take times next, so write your own stopwatch first. `times_faster` gets two functions to call, a clock and a
# number of rounds, and says how many times faster the other is. In the world of the check, a first call takes a hundred
# times as long, the machine changes its pace half way, and one call in twenty hangs.


# %% tags=["exercise"]
def times_faster(one, other, clock, rounds):
    """Say how many times faster other() is than one()."""
    # solution:
    ratios = []
    for _ in range(rounds + 1):
        start = clock()
        one()
        middle = clock()
        other()
        ratios.append((middle - start) / (clock() - middle))
    return np.median(ratios[1:])  # the first round warms up
    # end of solution


# %% tags=["check"]
check.fair_timing(times_faster)

# %% [markdown]
# ## A faster runtime, or fewer neurons?

# %% [markdown] tags=["pytorch"]
# Both shorten the time of a forward pass. Stored: one thread, processor time, nine rounds; how many times faster than the
# dense network in ONNX Runtime, lowest to highest.
#
# **Predict.** One image. What is faster: "neurons", which is half of the neurons in PyTorch, or "runtime", which is all of
# them in ONNX Runtime?

# %% [markdown] tags=["tensorflow"]
# Both shorten the time of a forward pass. Stored: one thread, processor time, nine rounds; how many times faster than the
# dense network in LiteRT, lowest to highest. Keras runs as a compiled graph; `predict` would time Keras itself.
#
# **Predict.** One image. What is faster: "neurons", which is half of the neurons in Keras, or "runtime", which is all of
# them in LiteRT?


# %% tags=["fold"]
def ready(path):
    """Give what pv.latency times: it takes images, and gives a pass of them."""
    return lambda x: partial(runner(path), x / np.float32(255))


def draw_yours(passes, what):
    """Take times on this machine, and draw them; passes are what pv.latency takes."""
    taken = pv.latency(passes, images, (1, 64))
    figure = Figure(figsize=(8, 2.8), layout="constrained")
    for ax, batch in zip(figure.subplots(1, 2, sharey=True), (1, 64), strict=True):
        times = [float(taken[name][batch]) for name in passes]
        bars = ax.barh(list(passes), times, color=style.KEPT)
        ax.bar_label(bars, [f"{time:.3g}" for time in times], padding=3, fontsize=style.SMALL)
        ax.set(xlim=(0, 1.2 * max(times)), xticks=[], xlabel=f"ms, batch of {batch}: yours, now")
        ax.spines[["top", "right", "bottom"]].set_visible(False)
    figure.axes[0].invert_yaxis()
    alt = f"Bars of milliseconds that your machine has just taken, at two batches: {what}."
    pv.teaching.show(figure, alt=alt)


# %% tags=["answer"]
guess = ...  # "neurons" or "runtime"
passes = {name: models[name] for name in ("dense", "weights 80%", "neurons 50%")}
passes |= {f"{name}, {RUNTIME}": ready(path) for name, path in files.items()}
draw_yours(
    passes,
    f"dense, with 80% zeros and without half of the neurons, in the framework and in {RUNTIME}",
)


def gains(name, table=faster):
    """Say how many times faster, at one image and at 64, from stored rounds."""
    return [f"{middle:.2f}x ({low:.2f}-{high:.2f})" for low, middle, high in table[name].values()]


arms = "dense", "again", "weights 80%", "neurons 50%", "neurons 75%"
rows = [[f"{arm}, framework", *gains(arm)] for arm in arms]
rows += [[f"{arm}, {RUNTIME}", *gains(f"{arm}, float32")] for arm in arms if arm != "again"]
pv.teaching.table([f"dense in {RUNTIME} = 1", "one image", "64 images"], rows)
first = {"neurons": faster["neurons 50%"]["1"][1], "runtime": faster["dense, float32"]["1"][1]}
pv.teaching.compare(guess, max(first, key=first.get))

# %% [markdown]
# **Explain.** For one image a change of runtime, which costs no answer, buys more than half of the neurons. For 64 images look
# at the other column: there it depends on the framework. And the two add up, for the removed network is faster in the
# runtime too. The row "again" is the dense network a second time: what differs between it and the first row is noise, and
# the masked network does not stand out from it.
#
# **What would have shown us wrong?** For one image, half of the neurons in the framework ahead of the other runtime.

# %% [markdown]
# ## int8
#
# A weight of four bytes becomes a whole number of one byte, times a scale: a quarter of the bytes, and products that a
# processor does by the dozen. What the layers give is rounded too, on a scale that 256 *training* images show: the
# **calibration**.


# %% tags=["pytorch"]
class Calibration(quantization.CalibrationDataReader if AVAILABLE else object):
    """Show 256 training images to the quantiser."""

    def __init__(self):
        self.batches = iter(train_x[:256].numpy().reshape(8, 32, 1, 28, 28))

    def get_next(self):
        batch = next(self.batches, None)
        return None if batch is None else {"images": batch}


def as_int8(name):
    """Quantise an exported network."""
    ready, path = folder / "ready.onnx", files[name].with_suffix(".int8.onnx")
    with pv.teaching.quietly():
        quantization.quant_pre_process(str(files[name]), str(ready), skip_symbolic_shape=True)
        quantization.quantize_static(ready, path, Calibration())
    return path


# %% tags=["tensorflow"]
def as_int8(name):
    """Quantise a network while it is exported."""
    return exported(
        models[name], f"{name.replace('%', '')} int8", calibration=train_x[:256].numpy()
    )


# %% [markdown]
# **Predict.** Which share of the 10,000 test answers does rounding change, in the dense network?

# %% tags=["answer", "trains"]
guess = ...  # a share from 0 to 1
small = {name: as_int8(name) for name in files}
every = {f"{name}, float32": path for name, path in files.items()}
every |= {f"{name}, int8": path for name, path in small.items()}
rows, moved, plain = [], {}, 4 * dense.parameters
for name, path in every.items():
    before = pv.scorecard(models[name.split(",")[0]], test).predictions
    moved[name] = np.mean(digits(path, test[0]) != before)
    hits = int(np.sum(digits(path, images) == labels))
    sizes = [len(data) / plain for data in (path.read_bytes(), zlib.compress(path.read_bytes()))]
    rows.append(
        [name, f"{moved[name]:.1%}", hits, *(f"{size:.2f}" for size in sizes), *gains(name)]
    )
if AVAILABLE:
    pv.teaching.table(["", "changed", "right", "file", "zipped", "one image", "64 images"], rows)
    pv.teaching.compare(guess, moved["dense, int8"], "of the answers", share=True)
    passes = {name: ready(path) for name, path in every.items()}
    draw_yours(passes, "three networks, as float32 and as int8")
else:
    print("Not measured here: nothing was exported.")

# %% [markdown]
# The columns: answers that differ from the framework's, of 10,000; right of 5,000; bytes, as a share of the plain dense
# numbers; and how many times faster than the first row, stored.

# %% [markdown] tags=["pytorch"]
# **Explain.** Compare "dense, int8" with "neurons 50%, float32": about half of the file, no fewer right answers, and for 64
# images twice the speed. For a single image the neurons are ahead by the median, and the ranges overlap. Both
# together make the smallest file, and for 64 images the shortest time; zipped, the holes are smaller still. So int8 is the
# control for every claim that pruning saved bytes or time. The order here was: prune, train, round. The other order is not
# measured.
#
# **What would have shown us wrong?** A dense int8 network that loses more answers than half of the neurons cost.

# %% [markdown] tags=["tensorflow"]
# **Explain.** Compare "dense, int8" with "neurons 50%, float32": about half of the file, no fewer right answers, and more
# speed, for one image and for 64. Both together make the smallest file and the shortest time; zipped, the holes are smaller
# still. So int8 is the control for every claim that pruning saved bytes or time. The order here was: prune, train, round.
# The other order is not measured.
#
# **What would have shown us wrong?** A dense int8 network that loses more answers than half of the neurons cost.

# %% [markdown]
# There is also *dynamic* int8, without calibration: it rounds what the layers give while it runs.

# %%
rows = []
for name in ("lenet_300_100", "mnist_cnn"):
    table = seeds["times_faster"][name][TRACK]
    for kind in ("int8", "int8, dynamic"):
        rows.append([f"{name}, {kind}", *gains(f"dense, {kind}", table)])
pv.teaching.table([f"dense in {RUNTIME} = 1", "one image", "64 images"], rows)

# %% [markdown] tags=["pytorch"]
# On the network with convolutions the dynamic kind is *slower* than float32 for 64 images, by a factor of four. "int8 is
# faster" is a claim about a layer, a runtime and a kind: measure yours.

# %% [markdown] tags=["tensorflow"]
# The gain depends on the network and the kind. "int8 is faster" is a claim about a layer, a runtime and a kind: measure
# yours.

# %% [markdown]
# ## What to choose
#
# | you are short of | do | where you saw it, with its control |
# |---|---|---|
# | bytes | int8 first; then single weights, in a compact file | *int8*; *Holes, or a smaller network?*; [06a](06a_bytes_and_time.ipynb), *Bytes* |
# | milliseconds | another runtime; then int8, or units removed: time both at your batch | *A faster runtime, or fewer neurons?*; *int8* |
# | milliseconds, and zeros are all you have | large dense layers, 90% or more; measure | [06a](06a_bytes_and_time.ipynb), *Time* |
# | both | remove, train, int8 | *int8*, its last row beside "dense, int8" |
# | right answers | another recipe for the training, before another kind of pruning | *The recipe* |
# | nothing, and have hardware that reads 2:4 | 2:4: it costs little | *Two of every four* |
# | energy | a meter | below |
#
# Nobody has measured energy here: this course runs where there is no meter. What can be said is that a masked network takes
# no less time, so nothing hints at a saving; that a removed one takes less; and that a MAC is not a joule.

# %% [markdown]
# ### Exercise 3 · Sixty kilobytes
#
# An open one. Bring LeNet-300-100 into a file of at most 60 kB (a kB is a thousand bytes) that gets at least 4,850 of the
# 5,000 validation images right. One epoch of training is allowed. Any cut, any format: give the path, and a function that
# reads the file and answers, `answers(path, images)`. Then try it another way, and compare.

# %% tags=["exercise"]
# solution: path, answers = ..., ...
mask = pv.prune(lenet, 0.8, granularity="neuron", scope="layer", example=images[:1])
models["mine"] = one_epoch(pv.remove(lenet, mask, images[:1]))
files["mine"] = exported(models["mine"], "mine")
path = as_int8("mine")


def answers(path, images):
    """Read the file, and tell the digits."""
    return digits(path, images)


# end of solution

# %% tags=["check"]
check.sixty_kilobytes(path, answers, fits=validation, target=4_850)

# %% [markdown]
# ## The report
#
# You chose by validation images. Now the test images, once, with the control first.

# %% tags=["trains"]
for name in ("dense", "weights 80%", "neurons 50%"):
    card = pv.scorecard(models[name], test)
    low, high = card.interval
    print(f"{name:12} {card.accuracy:.1%} of {card.n:,} right (95%: {low:.1%} to {high:.1%})")

# %% [markdown]
# ## Now yours
#
# Your own network in every currency, as it is and with 80% of its weights zero: right answers, bytes of the plain and of the
# zipped file, multiplications, and milliseconds. What is *not* smaller in the second line, pruning did not buy.

# %% tags=["pytorch", "yours", "trains"]
model = models["dense"]  # put your model and data here
x, y = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255)), torch.tensor(labels)

import copy
import time
import zlib
import torch
from torch.utils.flop_counter import FlopCounterMode

pruned = copy.deepcopy(model.eval())
sizes = torch.cat([p.data.abs().ravel() for p in pruned.parameters() if p.ndim > 1]).sort().values
for p in (p for p in pruned.parameters() if p.ndim > 1):
    p.data[p.abs() < sizes[int(0.8 * len(sizes))]] = 0
with torch.no_grad():
    ms = {(net, n): [] for net in (model, pruned) for n in (1, 64)}
    for net, n in [*ms] * 101:  # in turns
        start = time.perf_counter()
        net(x[:n])
        ms[net, n].append(1000 * (time.perf_counter() - start))
    for name, net in {"as it is": model, "80% zeros": pruned}.items():
        with FlopCounterMode(display=False) as flops:
            right = (net(x).argmax(1) == y).float().mean()
        file = b"".join(array.numpy().tobytes() for array in net.state_dict().values())
        took = ", ".join(f"{sorted(ms[net, n])[50]:.3f} ms for {n}" for n in (1, 64))
        kb = f"{len(file) / 1000:,.0f} kB, zipped {len(zlib.compress(file)) / 1000:,.0f} kB"
        macs = flops.get_total_flops() // 2 // len(x)
        print(f"{name}: {right:.1%} right, {kb}, {macs:,} MACs, {took}")

# %% tags=["tensorflow", "yours", "trains"]
model = models["dense"]  # put your model and data here
x, y = images / np.float32(255), labels

import time
import zlib
import keras
import numpy as np
import tensorflow as tf

sizes = np.concatenate([abs(w).ravel() for w in model.get_weights() if w.ndim > 1])
border = np.quantile(sizes, 0.8)
cut = [np.where((w.ndim > 1) & (abs(w) < border), 0, w) for w in model.get_weights()]
pruned = keras.models.clone_model(model)
pruned.set_weights(cut)
layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
macs = sum(np.prod(layer.kernel.shape) * np.prod(layer.output.shape[1:-1]) for layer in layers)
ms = {(tf.function(net), net, n): [] for net in (model, pruned) for n in (1, 64)}
for graph, net, n in [*ms] * 101:  # in turns
    start = time.perf_counter()
    graph(tf.constant(x[:n]))
    ms[graph, net, n].append(1000 * (time.perf_counter() - start))
for name, net in {"as it is": model, "80% zeros": pruned}.items():
    right = np.mean(net.predict(x, verbose=0).argmax(1) == y)
    file = b"".join(array.tobytes() for array in net.get_weights())
    took = ", ".join(f"{np.median(t):.3f} ms for {n}" for (_, of, n), t in ms.items() if of is net)
    print(f"{name}: {right:.1%} right, {len(file) / 1000:,.0f} kB,", end=" ")
    print(f"zipped {len(zlib.compress(file)) / 1000:,.0f} kB, {macs:,.0f} MACs, {took}")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# After the same training, 80% of the weights gone and half of the neurons gone give the same accuracy. Which is better?
# - [x] Neither: the first has the smaller compact file, the second the shorter time.
#   why: In the three panels neither kind lies furthest left throughout. Say first what you are short of.
# - [ ] The weights. More zeros are more gain.
#   why: Zeros are multiplied like any other number: MACs and time stayed those of the dense network.
# - [ ] The neurons. A smaller network is smaller in everything.
#   why: Smaller than dense in everything, yes. But the compact file of the weights was smaller still.

# %% [markdown] tags=["quiz"]
# A paper prunes to 10% and gets 2% more right than another method. Both were trained by the recipe of the paper's own
# method. What do you ask for?
# - [ ] More seeds.
#   why: A good wish, but seeds would repeat the same unfairness three times.
# - [x] Each method by a recipe that suits it, chosen on validation images.
#   why: In this lesson the recipe alone moved the same cut by a thousand answers of 5,000.
# - [ ] Nothing: one recipe for both is what makes it fair.
#   why: Equal is not fair here: what was cut most lost most by the weaker recipe.

# %% [markdown] tags=["quiz"]
# You need a shorter time for one image, and no answer may get worse. What do you try first?
# - [ ] Cut half of the neurons, then train.
#   why: It cost more than the runtime and bought less for one image; and training changes answers.
# - [ ] Set 80% of the weights to zero.
#   why: The masked network did not stand out from the noise of the clock.
# - [x] Export the network as it is, and run it elsewhere.
#   why: No answer changed, and for one image it bought more than half of the neurons.

# %% [markdown] tags=["quiz"]
# "We pruned and quantised, and the file is a tenth." What is the control?
# - [x] The dense network, quantised.
#   why: int8 alone brings the file to about a quarter. Only what goes beyond that was bought by pruning.
# - [ ] The dense network in float32.
#   why: Then pruning is praised for what rounding did.
# - [ ] The pruned network in float32.
#   why: That tells what int8 bought. The claim to test is about pruning.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *"The size of pruned and not pruned is the same, and the speed is the same too. What do I need to do to make it go
# faster?"* ([neuralmagic/sparseml, thread 741](https://github.com/neuralmagic/sparseml/issues/741))
#
# The answer there is the one you have measured: weights became zeros, shapes did not change, and neither the PyTorch file nor
# the ONNX file gets smaller. The thread names a runtime made for zeros; it is no longer maintained. What is left to you:
#
# - for bytes, zip the file, or write it compactly, and quantise it;
# - for time, remove units instead of zeroing weights, and export what is left;
# - before both, export and quantise the *dense* network. That is what the rest has to beat.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *"The size is no difference after converted to tflite model, no matter whether the model is pruned or not."*
# ([tensorflow/model-optimization, thread 722](https://github.com/tensorflow/model-optimization/issues/722))
#
# It is the row that you have measured: weights became zeros, shapes did not change, and the converter writes a zero like any
# other number. What is left to you:
#
# - for bytes, zip the file, and quantise it;
# - for time, remove units instead of zeroing weights, and convert what is left;
# - before both, convert and quantise the *dense* network. That is what the rest has to beat.

# %% [markdown]
# ## Recap
#
# - At equal accuracy, after equal training, holes win bytes, and units win MACs and milliseconds. The recipe of that training
#   can move more answers than the choice between them.
# - A removed network goes through an ordinary exporter and gives the same answers there. Another runtime is a control.
# - int8 alone gave a smaller file than half of the neurons, no fewer right answers, and more speed for 64 images; both
#   together gave the smallest file, and for 64 images the shortest time.
# - Say what you are short of; choose by the cell that measured it; and put the control beside it.

# %% [markdown]
# ## Further reading
#
# - B. Jacob, S. Kligys, B. Chen, M. Zhu, M. Tang, A. Howard, H. Adam and D. Kalenichenko. Quantization and Training of
#   Neural Networks for Efficient Integer-Arithmetic-Only Inference. *IEEE/CVF Conference on Computer Vision and Pattern
#   Recognition*, 2018. [arXiv:1712.05877](https://arxiv.org/abs/1712.05877). The whole numbers of LiteRT.
# - A. Kuzmin, M. Nagel, M. van Baalen, A. Behboodi and T. Blankevoort. Pruning vs Quantization: Which is Better? *Advances
#   in Neural Information Processing Systems*, 2023. [arXiv:2307.02973](https://arxiv.org/abs/2307.02973). On far larger
#   networks: mostly the second.
# - S. Han, H. Mao and W. J. Dally. Deep Compression. *International Conference on Learning Representations*, 2016.
#   [arXiv:1510.00149](https://arxiv.org/abs/1510.00149). Prune, then round, then code.
# - A. Mishra, J. A. Latorre, J. Pool, D. Stosic, D. Stosic, G. Venkatesh, C. Yu and P. Micikevicius. Accelerating Sparse
#   Deep Neural Networks. [arXiv:2104.08378](https://arxiv.org/abs/2104.08378), 2021. 2:4, and hardware that reads it.
# - That structured pruning is "less effective at reducing the complexity", and weights need special hardware: Jan Marcel
#   Kezmann, *Optimizing Deep Learning Models with Pruning: A Practical Guide*. You have both sides in numbers now.
