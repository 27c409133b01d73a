# %% [markdown]
# # 08 · Case studies: five articles, re-measured
#
# Five articles that people learn pruning from. We ran each again: the same network, three seeds, and the control that is
# missing. Which numbers come back? And what do they show?

# %% tags=["pytorch", "fold"]
import copy
import io
import zlib
from contextlib import nullcontext

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn.utils import prune

import pruneviz as pv
from pruneviz.lessons.checks import lesson_08 as check
from pruneviz.plots import style

pv.teaching.start("pytorch")
FRAMEWORK = "torch"
mnist = pv.datasets.mnist()
validation = mnist.validation
lenet_5 = pv.zoo.lenet_5(FRAMEWORK)

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")

import tempfile
import zlib
from pathlib import Path

import numpy as np
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from matplotlib.figure import Figure

from pruneviz.lessons.checks import lesson_08 as check
from pruneviz.plots import style

FRAMEWORK = "tf_keras"  # the Keras that TensorFlow Model Optimization takes
tools = tfmot.sparsity.keras
tf.get_logger().setLevel("ERROR")  # TensorFlow warns when many models are trained in turn
mnist = pv.datasets.mnist()
validation = mnist.validation
lenet_5 = pv.zoo.lenet_5(FRAMEWORK)

# %% tags=["fold"]
table_1 = pv.teaching.results("muheeb_table_1")
LEVELS = table_1["sparsities"]
# What Kezmann prints.
KEZMANN = {"TensorFlow": (0.982, 0.970), "PyTorch": (0.990, 0.988, 0.9926)}


def runs(name, case=""):
    """Give what an experiment found, seed by seed."""
    return [run["found"] for run in pv.teaching.results(name)["runs"] if run["case"] == case]


def rate_for(found, arm):
    """Name an arm at the rate that gets most validation images right, all seeds together."""
    names = [name for name in found[0]["arms"] if name.rpartition(", ")[0] == arm]
    return max(names, key=lambda name: sum(seed["arms"][name][-1][0] for seed in found))


def ends(found, arm):
    """Give an arm's right test answers at its best rate, seed by seed."""
    name = rate_for(found, arm)
    return [seed["arms"][name][-1][1] for seed in found]


def span(counts):
    """Write lowest and highest."""
    return f"{min(counts):,} to {max(counts):,}"


def beside(found, more, **names):
    """Give right test answers, a row for each arm at each rate."""
    return {
        f"{name}, {more} at {rate}": [seed["arms"][f"{arm}, {rate}"][-1][1] for seed in found]
        for rate in ("0.001", "0.00025")
        for arm, name in names.items()
    }


def dots(ax, rows, printed=None):
    """Draw a row of dots for each name, a dot a seed, and what an article prints as diamonds."""
    for place, (name, counts) in enumerate(rows.items()):
        colour, marker, _ = style.SERIES[1 if "cut" in name else 0]
        ax.plot(counts, [place] * len(counts), marker, color=colour, markersize=6)
        ax.plot(counts, [place] * len(counts), color=colour, lw=1)
    for place, claim in (printed or {}).items():
        ax.plot(claim, place, "D", color=style.INK, mfc="none", markersize=8)
    ax.set_yticks(range(len(rows)), list(rows), fontsize=style.SMALL)
    ax.margins(y=0.12)
    ax.invert_yaxis()
    ax.grid(axis="x", color=style.GRID)
    ax.spines[["top", "right"]].set_visible(False)


def curve(ax, shares, counts, place, label):
    """Draw a line through the middle of the seeds, and a band from lowest to highest."""
    colour, _, line = style.SERIES[place]
    ax.plot(shares, np.median(counts, axis=0), color=colour, linestyle=line, label=label)
    low, high = np.min(counts, axis=0), np.max(counts, axis=0)
    ax.fill_between(shares, low, high, color=colour, alpha=0.2)


def along(found, way):
    """Give the share right from dense to sparse, in per cent, a row a seed."""
    return np.array([[seed["dense"], *seed["ways"][way]] for seed in found])[:, :, 1] / 100


torch_runs, tf_runs, ho = runs("kezmann_torch"), runs("kezmann_tf"), runs("tram_ho")
kezmann = {
    "TensorFlow": ([seed["dense"][-1][1] for seed in tf_runs], ends(tf_runs, "pruned")),
    "PyTorch": (
        [seed["dense"][-1][1] for seed in torch_runs],
        [seed["one_shot"][1] for seed in torch_runs],
        ends(torch_runs, "pruned"),
    ),
}
printed = {  # pairs: what is printed, and what our seeds give; per cent
    "Kezmann": [
        (100 * share, [count / 100 for count in counts])
        for where, shares in KEZMANN.items()
        for share, counts in zip(shares, kezmann[where], strict=True)
    ],
    "Muheeb": [],
    "Tram Ho": [(75, [100 * seed["sparsity"]["as printed, 0.001"][1] for seed in ho])],
}
nets = ("lenet_300_100", "lenet_5")
ours = {name: np.array(table_1["correct"][name]["layer"]) / 100 for name in nets}
table_2 = {name: runs("muheeb_2", name) for name in ("resnet18", "resnet50")}
by_adam, longer = (runs(name, "resnet18") for name in ("muheeb_2_adam", "muheeb_2_long"))
for name, found in table_2.items():
    ours[name] = along(found, "layer by layer")
theirs = table_1["article_percent"] | pv.teaching.results("muheeb_2")["article"]["test_percent"]
for name, counts in ours.items():
    printed["Muheeb"] += list(zip(theirs[name], counts.T.tolist(), strict=True))
figures = sum(map(len, printed.values()))
print(f"{len(printed)} of the five articles print figures that we measured again: {figures}")

# %% [markdown]
# **Predict.** Of how many of these figures does the value lie between our lowest and our highest seed?

# %% tags=["answer"]
guess = ...  # how many of them?
hits = [min(ours_) <= claim <= max(ours_) for pairs in printed.values() for claim, ours_ in pairs]
figure = Figure(figsize=(8, 4.1), layout="constrained")
for ax, (low, high) in zip(figure.subplots(1, 2), ((0, 100), (96.6, 99.6)), strict=True):
    ax.plot([low, high], [low, high], color=style.QUIET, lw=1)
    for (name, pairs), (colour, marker, _) in zip(printed.items(), style.SERIES, strict=False):
        for number, (claim, counts) in enumerate(pairs):
            label = name if number == 0 else None
            ax.plot([claim] * 2, [min(counts), max(counts)], color=colour, lw=1.5)
            ax.plot(claim, np.median(counts), marker, color=colour, mfc="none", label=label)
    ax.set(xlim=(low, high), ylim=(low, high), xlabel="printed, %", ylabel="ours, %")
    ax.grid(color=style.GRID)
    ax.spines[["top", "right"]].set_visible(False)
figure.axes[0].legend(fontsize=style.SMALL, loc="lower right")
figure.axes[0].set_title("all", fontsize=style.FONT)
figure.axes[1].set_title("the upper corner", fontsize=style.FONT)
pv.teaching.show(
    figure,
    alt="Every figure that the articles print against ours, in per cent; the line means equal. "
    "Many of Muheeb's lie far from the line, to both sides, and Tram Ho's sparsity far below it. "
    "In the upper corner Kezmann's lie near the line.",
)
for name, pairs in printed.items():
    print(f"{name}: {sum(min(c) <= p <= max(c) for p, c in pairs)} of {len(pairs)}")
pv.teaching.compare(guess, sum(hits), f"of {figures}")

# %% [markdown]
# **Touch.** One of these networks, live: Muheeb's table prints 90% for LeNet-5 with 80% of each layer gone, the output
# spared. Drag.

# %%
view = pv.explore(
    lenet_5,
    validation,
    exclude=["fc3"],
    scope="layer",
    show=["slider", "accuracy", "layers"],
    title="LeNet-5 · each layer but the output",
)
view

# %% tags=["drive"]
for sparsity in (0.8, 0.5):
    view.sparsity = sparsity
    card = pv.scorecard(pv.apply(lenet_5, view.result()), validation)
    print(f"at {view.sparsity:.0%}: {card.accuracy:.1%} of the validation images right")

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, filter, magnitude, size × input, gradient, random, the network, its layer, its output, at once, in rounds, while it trains.](../map/08.svg)
#
# - To read a claim: beside what, trained how long, chosen on which images.
# - To build the control that it lacks, and to see the verdict move both ways.
# - To read from a schedule what it will reach.
# - To ask a network which inputs it uses, not its weights.
#
# **Before you start.** You have done 01a to 01c and 05.

# %% [markdown] tags=["pytorch"]
# **Time.** 40 minutes, and 25 for the exercises.
#
# This is the PyTorch track; here is the [TensorFlow track](../tensorflow/08_case_studies.ipynb).

# %% [markdown] tags=["tensorflow"]
# **Time.** 40 minutes, and 25 for the exercises.
#
# This is the TensorFlow track; here is the [PyTorch track](../pytorch/08_case_studies.ipynb).

# %% [markdown]
# ## How to read a claim
#
# "Pruned to 80%, it went from 98.2% to 97.0%." Ask:
#
# 1. *Before what?* The network after was trained twice as long.
# 2. *Beside what?* The **control** is the dense network with the same extra epochs.
# 3. *How often?* Another seed is another network.
# 4. *Chosen on which images?* If on those reported, it is the luckiest of several.
#
# Ours: three seeds. Where two rates are tried, 0.001 and a quarter of it, 5,000 validation images choose; so
# 55,000 train, not 60,000. Counts are of the 10,000 test images. The scripts of `benchmarks/` make it.

# %% [markdown]
# ## Kezmann, in TensorFlow
#
# *The claim*: 98.2% dense, 97.0% with 80% of the weights gone. *What it did*: twelve filters and a dense layer, 20 epochs;
# then 20 more with TensorFlow Model Optimization, from half to 80% between steps 2,000 and 4,000.
#
# Live, in small: three seeds, an epoch of 10,000 images, one more at the article's rate, on its schedule. About 15 s.

# %% tags=["pytorch", "fold"]
train_x = torch.tensor(mnist.train[0][:10_000].transpose(0, 3, 1, 2) / np.float32(255))
train_y = torch.tensor(mnist.train[1][:10_000])
RAMP = pv.schedules.polynomial(0.5, 0.8, begin=100, end=200, frequency=100)
HALF = pv.schedules.one_shot(0.5)
TOOL = "tfmot's rule, rebuilt"


def trained(network, seed, schedule=None):
    """Train a copy for an epoch, with a fresh Adam; a schedule zeroes weights layer by layer."""
    twin = copy.deepcopy(network).train()
    words = {"scope": "layer"}
    ruled = pv.prune_while_training(twin, schedule, **words) if schedule else nullcontext()
    with ruled:
        optimizer = torch.optim.Adam(twin.parameters(), 0.001, fused=True)
        order = torch.Generator().manual_seed(seed)
        for batch in torch.randperm(len(train_x), generator=order).split(32):
            loss = nn.functional.cross_entropy(twin(train_x[batch]), train_y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return twin.eval()


def begun(build, seed):
    """Build a network with random weights, and train it for an epoch."""
    torch.manual_seed(seed)
    return trained(build(), seed)


def twelve_filters():
    """Build Kezmann's network for TensorFlow."""
    return pv.zoo.tiny_cnn(FRAMEWORK, pretrained=False)


def three_layers():
    """Build the network of another article."""
    hidden = nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU()
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(64, 10))


# %% tags=["tensorflow", "fold"]
train_x, train_y = (part[:10_000] for part in mnist.train)
train_x = train_x / np.float32(255)
right_answer = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
RAMP = {"pruning_schedule": tools.PolynomialDecay(0.5, 0.8, 100, 200)}
HALF = {}  # the bare call
TOOL = "tfmot"


def trained(network, seed, schedule=None):
    """Train a copy for an epoch, with a fresh Adam; the tool zeroes weights layer by layer."""
    tf_keras.utils.set_random_seed(seed)
    twin = tf_keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    if schedule is not None:
        twin = tools.prune_low_magnitude(twin, **schedule)
    twin.compile(tf_keras.optimizers.Adam(0.001), right_answer, steps_per_execution=313)
    update = tools.UpdatePruningStep()
    twin.fit(train_x, train_y, batch_size=32, verbose=0, callbacks=[update])
    return tools.strip_pruning(twin)


def begun(build, seed):
    """Build a network with random weights, and train it for an epoch."""
    tf_keras.utils.set_random_seed(seed)
    return trained(build(), seed)


def twelve_filters():
    """Build Kezmann's network for TensorFlow."""
    return pv.zoo.tiny_cnn(FRAMEWORK, pretrained=False)


def three_layers():
    """Build the network of another article."""
    layer = tf_keras.layers
    hidden = layer.Dense(128, "relu"), layer.Dense(64, "relu")
    ends = layer.InputLayer((28, 28, 1)), layer.Flatten(), *hidden, layer.Dense(10)
    return tf_keras.Sequential(ends)


# %% tags=["trains"]
def right(network):
    """Give the right test answers, in per cent."""
    return 100 * pv.scorecard(network, mnist.test).accuracy


starts = [begun(twelve_filters, seed) for seed in range(3)]
before = [right(network) for network in starts]
print("dense, one epoch:", *(f"{share:.1f}%" for share in before))

# %% tags=["trains"]
pruned = [right(trained(network, seed, RAMP)) for seed, network in enumerate(starts)]
print(f"80% zeros by {TOOL}, one more:", *(f"{share:.1f}%" for share in pruned))
print(
    "after minus before:", *(f"{p - b:+.1f}" for p, b in zip(pruned, before, strict=True)), "points"
)

# %% [markdown]
# **Predict.** The dense network gets that epoch too. By how many points does it end ahead (middle of three)?

# %% tags=["answer", "trains"]
guess = ...  # how many points? One point is 100 of the 10,000 images
dense = [right(trained(network, seed)) for seed, network in enumerate(starts)]
cost = [d - p for d, p in zip(dense, pruned, strict=True)]
figure = Figure(figsize=(8, 1.7), layout="constrained")
ax = figure.subplots()
dots(ax, {"dense, one epoch": before, "80% cut, one more": pruned, "dense, one more": dense})
ax.set_xlabel("right, %")
pv.teaching.show(
    figure,
    alt="A row of three dots, a dot a seed, for each arm: before, pruned, and dense with the same "
    "extra epoch, which lies farthest to the right.",
)
print("dense, one more:", *(f"{share:.1f}%" for share in dense))
print("the zeros cost:", *(f"{points:.1f}" for points in cost), "points")
pv.teaching.compare(guess, float(round(np.median(cost), 1)), "points")

# %% [markdown]
# **Explain.** The start stood still while the pruned one trained. Only the control isolates the zeros, and against it the price
# is higher in every seed.
#
# **What would have shown us wrong?** A control that stays at the start. At full length, stored, by the tool itself, it does:

# %%
rows = {"dense, 20 epochs": [seed["dense"][-1][1] for seed in tf_runs]}
rows |= beside(tf_runs, "20 more", pruned="80% cut", dense="dense")
figure = Figure(figsize=(8, 2.3), layout="constrained")
ax = figure.subplots()
dots(ax, rows, {place: 10_000 * share for place, share in enumerate(KEZMANN["TensorFlow"])})
ax.set_xlabel("right of 10,000")
pv.teaching.show(
    figure,
    alt="A row of three dots for each arm of the TensorFlow experiment, and the article's two "
    "figures as diamonds. The pruned arms lie far to the left of both dense ones.",
)
for name, counts in rows.items():
    print(f"{name}: {span(counts)}")

# %% [markdown]
# And "80% smaller"? Your framework's file, beside the dense one:


# %% tags=["pytorch"]
def file_of(network):
    """Write a network as PyTorch does."""
    buffer = io.BytesIO()
    torch.save(network.state_dict(), buffer)
    return buffer.getvalue()


held, layers = copy.deepcopy(starts[0]), ("conv1", "fc1")
for name in layers:
    prune.l1_unstructured(held.get_submodule(name), "weight", 0.8)
files = {"dense": file_of(starts[0]), "80% zeros, with masks": file_of(held)}
for name in layers:
    prune.remove(held.get_submodule(name), "weight")
files["80% zeros, alone"] = file_of(held)
for name, written in files.items():
    plain, zipped = (len(file) / len(files["dense"]) for file in (written, zlib.compress(written)))
    print(f"{name}: {plain:.2f} of the dense file, zipped {zipped:.2f}")


# %% tags=["tensorflow"]
def file_of(network):
    """Write a network's weights as Keras does."""
    with tempfile.TemporaryDirectory() as folder:
        network.save_weights(Path(folder) / "model.h5")
        return (Path(folder) / "model.h5").read_bytes()


files = {"dense": file_of(starts[0])}
files["80% zeros, alone"] = file_of(trained(starts[0], 0, RAMP))
files["80% zeros, with masks"] = file_of(tools.prune_low_magnitude(starts[0], **RAMP))
for name, written in files.items():
    plain, zipped = (len(file) / len(files["dense"]) for file in (written, zlib.compress(written)))
    print(f"{name}: {plain:.2f} of the dense file, zipped {zipped:.2f}")

# %% [markdown]
# As large as before, and about twice that while the tool holds its masks.
#
# ### Exercise 1 · The missing control
#
# Write `price(start, train, right)`: how many right answers 80% sparsity costs. `start` is a trained network. `train(network,
# epochs, rate, seed, share)` trains a copy with a fresh optimizer and gives it; the seed decides the order of the images.
# `right(network)` counts. The pruned arm stands there.


# %% tags=["exercise"]
def price(start, train, right):
    """Say how many right answers the zeros cost."""
    pruned = train(start, epochs=5, rate=0.001, seed=7, share=0.8)
    # solution:
    dense = train(start, epochs=5, rate=0.001, seed=7, share=0)
    return right(dense) - right(pruned)
    # end of solution


# %% tags=["check"]
check.price_of_zeros(price)

# %% [markdown]
# ## Kezmann, in PyTorch
#
# *The claim*: 99.0% dense, 98.8% without nine weights in ten, 99.26% after fine-tuning: "even better". *What it did*: 32 and
# 64 filters, 1,024 units, 20 epochs; one threshold; 20 more. Three seeds, stored.
#
# **Predict.** And dense, with 20 more epochs: how many of the 10,000 (middle of three)?

# %% tags=["answer"]
guess = ...  # how many of the 10,000?
rows = {
    "dense, 20 epochs": [seed["dense"][-1][1] for seed in torch_runs],
    "90% cut, at once": [seed["one_shot"][1] for seed in torch_runs],
}
rows |= beside(torch_runs, "20 more", pruned="90% cut", dense="dense")
figure = Figure(figsize=(8, 2.6), layout="constrained")
ax = figure.subplots()
dots(ax, rows, {0: 9_900, 1: 9_880, 2: 9_926})
ax.set_xlabel("right of 10,000")
pv.teaching.show(
    figure,
    alt="A row of three dots for each arm of the PyTorch experiment, and the article's three "
    "figures as diamonds. At 0.001 pruned lies to the right of dense, at 0.00025 they overlap.",
)
for name, counts in rows.items():
    print(f"{name}: {span(counts)}")
pv.teaching.compare(guess, int(np.median(ends(torch_runs, "dense"))), "right")

# %% [markdown]
# **Explain.** At the article's rate the pruned network is ahead in every seed. At a quarter of it dense is level: the rate buys
# what the zeros seemed to. Nine weights in ten gone at no price: that is another claim than "better".
#
# **What would have shown us wrong?** All pruned dots to the right of all dense ones, each at its better rate.

# %% [markdown]
# ## "So you don't cry later"
#
# *The claim*: lighter and faster, "without losing quality"; no figure. *What it did*: 784-128-64-10, 5 epochs, the bare
# `prune_low_magnitude(model)`, 3 epochs. As printed it stops: import and callback are missing, and the tool takes `tf_keras`
# alone.
#
# **Predict.** Nobody said how much to prune. Which share is zero afterwards?

# %% tags=["answer", "trains"]
guess = ...  # a share from 0 to 1
starts = [begun(three_layers, seed) for seed in range(3)]
halves = [trained(network, seed, HALF) for seed, network in enumerate(starts)]
kernels = [layer.weight for layer in pv.network(halves[0]).layers]
zeros = sum(int((kernel == 0).sum()) for kernel in kernels)
share = zeros / sum(kernel.size for kernel in kernels)
pv.teaching.compare(guess, float(share), "of the weights", share=True)

# %% tags=["trains"]
rows = {
    "dense, one epoch": [right(network) for network in starts],
    "half cut, one more": [right(network) for network in halves],
    "dense, one more": [right(trained(network, n)) for n, network in enumerate(starts)],
}
figure = Figure(figsize=(8, 1.7), layout="constrained")
ax = figure.subplots()
dots(ax, rows)
ax.set_xlabel("right, %")
pv.teaching.show(
    figure,
    alt="A row of three dots, a dot a seed, for each arm: after one epoch, with half of each layer "
    "cut and one more, and dense with one more. The last two overlap or nearly so.",
)
for name, counts in rows.items():
    print(f"{name}: {min(counts):.1f} to {max(counts):.1f}%")

stored = runs("dont_cry")
print("\nAt full length, stored, right of 10,000:")
print("dense, 5 epochs:", span([seed["dense"][-1][1] for seed in stored]))
arms = {"bare call": "half cut", "sparser": "90% cut", "dense": "dense"}
for name, counts in beside(stored, "3 more", **arms).items():
    print(f"{name}: {span(counts)}")
for arm in ("bare call", "sparser"):
    beside_dense = zip(ends(stored, arm), ends(stored, "dense"), strict=True)
    print(
        f"{arms[arm]} minus dense, each at its better rate:",
        *(f"{a - b:+}" for a, b in beside_dense),
    )

# %% [markdown]
# **Explain.** Half of every layer: that is the tool's default, and the article never mentions it. (PyTorch's tool asks for a share;
# there we typed the half.) At full length half cut loses nothing; 90% lose more than a hundred answers. "Without losing
# quality" needs a number.
#
# **What would have shown us wrong?** Dense ahead of half cut in every seed, or of 90% in none.

# %% [markdown]
# ## Muheeb: two tables
#
# *The claim*: LeNets stand 80%, residual networks 25%. *What it did*: each layer but the output loses its smallest weights; no
# training after.
#
# **Predict.** The article's ResNet-18 has 17.39% right with half of each layer gone. Ours (middle of three)?

# %% tags=["answer"]
guess = ...  # a share from 0 to 1
figure = Figure(figsize=(8, 5.4), layout="constrained")
names = {"lenet_300_100": "LeNet-300-100", "lenet_5": "LeNet-5"}
names |= {"resnet18": "ResNet-18", "resnet50": "ResNet-50"}


def compounded(found):
    """Give the share right where 25, 50 and 60% are asked of compounding calls, a row a seed."""
    return np.array([seed["ways"]["compounding"]["right"] for seed in found])[:, :, 1] / 100


for ax, (name, title) in zip(figure.subplots(2, 2, sharex=True).flat, names.items(), strict=True):
    curve(ax, LEVELS, ours[name], 0, "ours")
    ax.plot(LEVELS, theirs[name], "D", color=style.INK, mfc="none", label="printed", markersize=5)
    if name in table_1["other_training"]:
        by_sgd = table_1["other_training"][name]["SGD, pixels in [0, 1]"]
        curve(ax, LEVELS, np.array(by_sgd) / 100, 4, "ours, by SGD")
    for place, way in ((1, "statistics anew"), (2, "one threshold")) if name in table_2 else ():
        curve(ax, LEVELS, along(table_2[name], way), place, way)
    if name == "resnet18":
        curve(ax, LEVELS, along(by_adam, "layer by layer"), 4, "ours, by Adam")
    if name in table_2:
        curve(ax, [0.25, 0.5, 0.6], compounded(table_2[name]), 3, "calls that compound")
    ax.set(title=title, ylim=(0, 103))
    ax.grid(color=style.GRID)
    ax.spines[["top", "right"]].set_visible(False)
figure.supylabel("right, %", fontsize=style.FONT)
figure.supxlabel("sparsity of each layer", fontsize=style.FONT)
for ax in figure.axes[::2]:
    ax.legend(frameon=False, fontsize=style.SMALL, loc="lower left")
pv.teaching.show(
    figure,
    alt="Right answers against sparsity for four networks, three seeds, with the printed figures "
    "as diamonds. LeNet-300-100 agrees to 80 per cent. LeNet-5 falls earlier than printed. "
    "ResNet-18 stands half of its weights, by Adam less well, ResNet-50 in part; the article's "
    "stand a quarter. Calls that compound pass near the diamonds of ResNet-50.",
)
half, reached = LEVELS.index(0.5), table_2["resnet18"][0]["ways"]["compounding"]["reached"]
arms = {f"{names[name]}, 20 epochs of SGD": found for name, found in table_2.items()}
arms |= {"ResNet-18, 20 of Adam": by_adam, "ResNet-18, 50 of SGD, one seed": longer}
print("printed at 50%:", ", ".join(f"{names[name]} {theirs[name][half]}%" for name in table_2))
print(f"calls that compound reach {reached[1]:.1%} where 50% is asked")
for name, found in arms.items():
    halved = ", ".join(f"{share:.1f}" for share in along(found, "layer by layer")[:, half])
    twice = ", ".join(f"{share:.1f}" for share in compounded(found)[:, 1])
    print(f"{name}: {halved}% right at 50%; compounding, {twice}%")
at_half = float(np.median(ours["resnet18"][:, half]) / 100)
pv.teaching.compare(guess, at_half, "right", share=True)

# %% [markdown]
# **Explain.** Training moves the fall: LeNet-5 stands more by SGD, ResNet-18 less by Adam without weight decay. Half of each
# layer collapses no ResNet-18 of ours. Calls that compound bring our weakest ResNet-50 near the printed
# figure, and no ResNet-18. The article names neither its recipe nor its calls, and trained 200 epochs.
#
# **What would have shown us wrong?** A network of ours at its diamond at 50%, without compounding.

# %% [markdown]
# ## Tram Ho: 75%, and "still acceptable"
#
# *The claim*: with 75% gone, the loss is still acceptable. *What it did*: a regression on 1,000 inputs, of which 500 mean
# nothing; 1024-1024-1 units, 200 epochs; then 200 more on the same network, the schedule from 0 to 75% between steps 1,000
# and 5,000.
#
# ### Exercise 2 · How sparse at the last step?
#
# 8,000 rows train, in batches of 1,024. Write the sparsity at the last step, for any such plan. The tool counts steps from 1;
# it cuts at `begin` and every `frequency` steps after, up to `end`, by the formula of lesson 05. Before the first cut
# nothing is pruned.


# %% tags=["exercise"]
def last_sparsity(initial, final, begin, end, frequency, epochs, samples, batch):
    """Return how sparse the network is when training ends."""
    # solution:
    steps = min(epochs * -(-samples // batch), end)
    if steps < begin:
        return 0
    last_cut = steps - (steps - begin) % frequency
    return final + (initial - final) * (1 - (last_cut - begin) / (end - begin)) ** 3
    # end of solution


# %% tags=["check"]
check.last_sparsity(last_sparsity)

# %% [markdown]
# ### Acceptable, beside what?
#
# **Predict.** On unseen rows the pruned network's squared error is about 20 times below that of predicting the mean. And
# linear regression's, below the network's? Write the power of ten: 3 for a thousand times.

# %% tags=["answer"]
guess = ...  # a power of ten
plan = pv.schedules.polynomial(0, 0.75, begin=1000, end=5000, frequency=100)
steps = np.arange(0, 5_001, 50)
figure = Figure(figsize=(8, 3.2), layout="constrained")
left, errors = figure.subplots(1, 2, width_ratios=(2, 3))
left.plot(steps, [plan(step) for step in steps], color=style.KEPT)
left.axvline(1_600, color=style.SERIES[1][0], linestyle="--")
left.annotate(
    "training ends", (1_600, 0.05), (6, 0), textcoords="offset points", fontsize=style.SMALL
)
left.set(xlabel="step", ylabel="sparsity", ylim=(0, 0.8))
alone = ho[0]["without_a_network"]
shown = {
    "the mean": [alone["the mean"][2]],
    "dense, 200": [seed["errors"]["dense"][2] for seed in ho],
    "dense, 200 more": [seed["errors"]["dense, more, 0.001"][2] for seed in ho],
    "cut as printed": [seed["errors"]["as printed, 0.001"][2] for seed in ho],
    "cut to 75%": [seed["errors"]["repaired, 0.001"][2] for seed in ho],
    "weight decay, 200": [seed["errors"]["weight decay"][2] for seed in ho],
    "linear regression": [alone["linear regression"][2]],
}
dots(errors, shown)
errors.set_xscale("log")
errors.set_xlabel("mean squared error, unseen rows")
pv.teaching.show(
    figure,
    alt="Left, the planned sparsity against the step: training ends at step 1,600, far below the "
    "end of the plan. Right, errors on a logarithmic axis: the mean is highest, the networks lie "
    "well below it, and linear regression is lower by far.",
)
print(f"planned 75%, reached {span([round(s['sparsity']['as printed, 0.001'][1], 3) for s in ho])}")
for name, values in shown.items():
    print(f"{name}: {', '.join(f'{value:.2g}' for value in values)}")
learned = [seed["errors"]["as printed, 0.001"][0] for seed in ho]
print(f"cut as printed, on the rows it learned: {', '.join(f'{value:.2g}' for value in learned)}")
ratio = np.median(shown["cut as printed"]) / shown["linear regression"][0]
pv.teaching.compare(guess, float(round(np.log10(ratio), 1)), "powers of ten")

# %% [markdown]
# **Explain.** The schedule ends at step 5,000, training at 1,600. Its arm trained twice as long; so did dense, and ends lower. Really cut to
# 75%, it beats dense; weight decay, in half the epochs, beats both.
#
# **What would have shown us wrong?** The arm as printed ahead of its control in all seeds.

# %% tags=["tensorflow"]
# The tool itself, on a small network, with as many steps.
toy = tf_keras.Sequential([tf_keras.layers.InputLayer((10,)), tf_keras.layers.Dense(100)])
toy = tools.prune_low_magnitude(toy, pruning_schedule=tools.PolynomialDecay(0, 0.75, 1000, 5000))
toy.compile("adam", "mse", steps_per_execution=8)
nothing = np.zeros((8, 10)), np.zeros((8, 100))
update = tools.UpdatePruningStep()
toy.fit(*nothing, batch_size=1, epochs=200, verbose=0, callbacks=[update])
steps = toy.layers[0].pruning_step.numpy()
zeros = np.mean(tools.strip_pruning(toy).layers[0].kernel.numpy() == 0)
print(f"after {steps:,} steps: {zeros:.1%} zeros")

# %% tags=["pytorch"]
# The same plan, followed step by step by pruneviz.
layer = nn.Linear(10, 100)
optimizer = torch.optim.SGD(layer.parameters(), 0.01)
with pv.prune_while_training(nn.Sequential(layer), plan):
    for _ in range(1_600):
        optimizer.zero_grad()
        layer(torch.ones(1, 10)).square().sum().backward()
        optimizer.step()
print(f"after 1,600 steps: {(layer.weight == 0).float().mean():.1%} zeros")

# %% [markdown]
# ## The network knew
#
# Which inputs mean nothing is known. Do their weights go first? Live, six epochs.

# %% tags=["fold"]
from sklearn.datasets import make_regression

rows_x, rows_y, coefficients = make_regression(
    10_000, 1_000, n_informative=500, noise=3, coef=True, random_state=0
)
rows_x = (rows_x / abs(rows_x).max(0)).astype(np.float32)
rows_y = (rows_y / abs(rows_y).max()).astype(np.float32)
useless = coefficients == 0


def among(score):
    """Count the useless ones among the 500 inputs with the lowest score."""
    return int(useless[np.argsort(score)[:500]].sum())


# %% tags=["pytorch", "trains"]
inputs, targets = torch.tensor(rows_x[:8_000]), torch.tensor(rows_y[:8_000])
torch.manual_seed(0)
regressor = nn.Sequential(
    nn.Linear(1_000, 1_024), nn.ReLU(), nn.Linear(1_024, 1_024), nn.ReLU(), nn.Linear(1_024, 1)
)
optimizer = torch.optim.Adam(regressor.parameters(), 0.001, fused=True)
for _ in range(6):
    for batch in torch.randperm(len(inputs)).split(256):
        loss = (regressor(inputs[batch])[:, 0] - targets[batch]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
first_weights = regressor[0].weight.detach().numpy()  # (units, inputs)

# %% tags=["tensorflow", "trains"]
inputs, targets = tf.constant(rows_x[:8_000]), tf.constant(rows_y[:8_000])
tf_keras.utils.set_random_seed(0)
layers = tf_keras.layers
regressor = tf_keras.Sequential(
    [
        layers.InputLayer((1_000,)),
        layers.Dense(1_024, "relu"),
        layers.Dense(1_024, "relu"),
        layers.Dense(1),
    ]
)
regressor.compile(tf_keras.optimizers.Adam(0.001), "mse")
regressor.fit(inputs, targets, batch_size=256, epochs=6, verbose=0)
first_weights = regressor.layers[0].kernel.numpy().T  # (units, inputs)

# %% [markdown]
# **Predict.** Cut half of the first layer by magnitude. Which share of the *useless* inputs' weights goes?

# %% tags=["answer", "trains"]
guess = ...  # a share from 0 to 1
size = np.abs(first_weights)
gone = size <= np.quantile(size, 0.5)
shares = gone[:, useless].mean(), gone[:, ~useless].mean()
figure = Figure(figsize=(8, 2.5), layout="constrained")
ax = figure.subplots()
bins = np.linspace(0, np.quantile(size, 0.999), 60)
for name, which, place in (("useful", ~useless, 0), ("useless", useless, 1)):
    colour, _, line = style.SERIES[place]
    counts, _ = np.histogram(size[:, which], bins)
    ax.stairs(counts, bins, color=colour, linestyle=line, label=f"weights of {name} inputs", lw=1.5)
ax.set(xlabel="size of a weight of the first layer", ylabel="weights")
ax.legend(frameon=False, fontsize=style.SMALL)
ax.spines[["top", "right"]].set_visible(False)
pv.teaching.show(
    figure,
    alt="Two histograms of the sizes of the weights, of useful and of useless inputs, which lie "
    "almost on each other.",
)
print(f"gone: {shares[0]:.0%} of the useless inputs' weights, {shares[1]:.0%} of the useful ones'")
for name, kind in (("200 epochs", "dense"), ("weight decay", "weight decay")):
    told = [seed["inputs"][kind]["useless_among_500"]["weights"] for seed in ho]
    print(f"stored, {name}: useless among the lowest 500, by size {span(told)}")
pv.teaching.compare(guess, float(shares[0]), "of the useless inputs' weights", share=True)

# %% [markdown]
# **Explain.** Size hardly tells them apart. With weight decay, which pulls on every weight, sizes tell more.
#
# **What would have shown us wrong?** Useless weights in a heap of their own at zero.

# %% [markdown]
# ### Exercise 3 · Find the useless inputs
#
# An open one. Name the 500 inputs that you believe useless, by any score that you compute from `regressor`, `inputs` and
# `targets`; not from `coefficients`. Target: 440 right ones. Chance finds half of them.

# %% tags=["exercise", "pytorch"]
# solution: named = ...
inputs.requires_grad_(True)
(slopes,) = torch.autograd.grad(regressor(inputs).sum(), inputs)
named = slopes.abs().mean(0).numpy().argsort()[:500]
# end of solution

# %% tags=["check", "pytorch"]
check.useless_inputs(named, useless=useless, by_size=among(size.sum(0)))

# %% tags=["exercise", "tensorflow"]
# solution: named = ...
with tf.GradientTape() as tape:
    tape.watch(inputs)
    total = tf.reduce_sum(regressor(inputs))
named = np.abs(tape.gradient(total, inputs)).mean(0).argsort()[:500]
# end of solution

# %% tags=["check", "tensorflow"]
check.useless_inputs(named, useless=useless, by_size=among(size.sum(0)))

# %% [markdown]
# The network does know: its *slope*, how much the output moves with an input, finds most of the useless ones. Stored:

# %%
for name, kind in (("200 epochs", "dense"), ("weight decay", "weight decay")):
    told = [seed["inputs"][kind]["useless_among_500"]["slopes"] for seed in ho]
    print(f"stored, {name}: useless among the lowest 500, by slope {span(told)}")

# %% [markdown]
# ## The guide: one grid
#
# *The claim*: methods differ in score, scope, schedule and in what is trained after; no figure. Its scheme as a grid:
# LeNet-300-100 loses 95%, and every arm trains as long.

# %% tags=["fold"]
guide = runs("beginner")
goes_on = ["continue", "rewind", "re-initialise"]
figure = Figure(figsize=(8, 4), layout="constrained")
grid = figure.subplots(2, 3, sharex=True, sharey=True)
for line, scope in zip(grid, ("layer", "global"), strict=True):
    for ax, score in zip(line, ("magnitude", "taylor", "random"), strict=True):
        for place, schedule in enumerate(("one-shot", "iterative")):
            colour, marker, _ = style.SERIES[place]
            for at, start in enumerate(goes_on):
                arm = f"{score}, {scope}, {schedule}, {start}"
                wrong = [10_000 - seed["arms"][arm][1] for seed in guide]
                label = schedule if at == 0 else None
                x_at = [at + 0.24 * place - 0.12] * len(wrong)
                ax.plot(x_at, wrong, marker, color=colour, mfc="none", label=label)
        for seed in guide:
            ax.axhline(10_000 - seed["dense, more"][1], color=style.QUIET, lw=0.6)
        ax.set(title=f"{score}, {scope}", yscale="log")
        ax.set_yticks([200, 500, 1_000, 3_000], ["200", "500", "1,000", "3,000"], minor=False)
        ax.set_yticks([], minor=True)
        ax.set_xticks(range(3), goes_on, fontsize=style.SMALL)
        ax.spines[["top", "right"]].set_visible(False)
grid[0, 0].set_ylabel("wrong of 10,000")
grid[0, 0].legend(frameon=False, fontsize=style.SMALL)
pv.teaching.show(
    figure,
    alt="Six panels, three scores by two scopes; in each, wrong answers for three ways to go on "
    "and two schedules, three seeds. Thin lines are the dense network with as many epochs.",
)
for score in ("magnitude", "taylor", "random"):
    arms = [arm for arm in guide[0]["arms"] if arm.startswith(score)]
    best = max(arms, key=lambda arm: sum(seed["arms"][arm][0] for seed in guide))
    print(f"{best}: {span([seed['arms'][best][1] for seed in guide])} right")
print(f"dense, as many epochs: {span([seed['dense, more'][1] for seed in guide])} right")
most = max(count for seed in guide for _, count in seed["arms"].values())
print(f"the most that any arm has in any seed: {most:,} right")
rows = []
for way in ("magnitude, global", "taylor, layer"):
    for schedule in ("one-shot", "iterative"):
        arms = [f"{way}, {schedule}, {start}" for start in goes_on]
        counted = [span([seed["arms"][arm][1] for seed in guide]) for arm in arms]
        rows.append([f"{way}, {schedule}", *counted])
pv.teaching.table(["right of 10,000", *goes_on], rows)

# %% [markdown]
# **Explain.** Taylor is unreliable by layer and does well with one threshold. With magnitude and one threshold, one cut
# ends ahead of rounds where trained weights go on; re-initialised weights end last. No arm reaches dense.
#
# **What would have shown us wrong?** Panels that look alike.
#
# One cell, live, before fine-tuning:

# %%
lenet = pv.zoo.lenet_300_100(FRAMEWORK)
few = tuple(part[:1_000] for part in mnist.train)
for score in ("magnitude", "taylor", "random"):
    cut = pv.apply(lenet, pv.prune(lenet, 0.95, criterion=score, data=few, seed=0))
    print(f"{score}, global, 95% at once: {pv.scorecard(cut, validation).correct:,} of 5,000")

# %% [markdown]
# ## Beside them: three papers
#
# Han's LeNet-5 comes back, with twelve times fewer weights; so does a dense one that trained as long. LeNet-300-100 does not
# quite. Li's filters end below dense, random ones lower; from random weights their network ends about as high. Wanda's
# score beats size in its own comparison, within each output; size within each layer beats both.

# %% tags=["fold"]
lenet_300, caffe = pv.teaching.results("han")["correct"]["lenet_300_100"], runs("han_lenet_5")
li, wanda = runs("li_resnet_20"), runs("wanda_resnet_20")
figure = Figure(figsize=(8, 6.6), layout="constrained")
axes = figure.subplots(3, 1, height_ratios=(7, 5, 3))
rows = {
    "LeNet-300-100, dense": lenet_300["before"],
    "12 times fewer (cut)": lenet_300["pruned"],
    "dense, trained as long": lenet_300["control"],
    "LeNet-5, dense": [seed["dense"][1] for seed in caffe],
    "cut, their share in each layer": ends(caffe, "per layer"),
    "cut, one threshold": ends(caffe, "one threshold"),
    "LeNet-5, dense, as long": ends(caffe, "dense"),
}
claims = {0: 1.64, 1: 1.59, 3: 0.80, 4: 0.77}
dots(axes[0], {k: [(10_000 - n) / 100 for n in v] for k, v in rows.items()}, claims)
axes[0].set(xlabel="wrong, %", title="Han and others, 2015")
thin = {
    "dense, 10 epochs more": ends(li, "dense"),
    "smallest filters cut, 10 more": ends(li, "L1"),
    "random filters cut, 10 more": ends(li, "random"),
    "dense, from scratch, 40": ends(li, "dense from scratch"),
    "cut to that shape, from scratch, 40": ends(li, "L1 from scratch"),
}
dots(axes[1], thin)
axes[1].set(xlabel="right of 10,000, ResNet-20", title="Filters: Li and others, 2017")
chosen = {way: [seed["ways"][way][0][1] for seed in wanda] for way in wanda[0]["ways"]}
dots(axes[2], chosen)
axes[2].set(xlabel="right of 1,000, 60% of ResNet-20 cut", title="Wanda: Sun and others, 2024")
pv.teaching.show(
    figure,
    alt="Above, the errors of two LeNets: dense, with twelve times fewer weights, and dense with "
    "as much training, three seeds each, with the printed errors as diamonds. In the middle, a "
    "ResNet-20 without some filters, chosen by size or at random, and trained from scratch, each "
    "beside dense. Below, the right answers of a pruned ResNet-20 by three ways to choose.",
)
for name, counts in (rows | thin).items():
    print(f"{name}: {span(counts)} right")
saved = 1 - li[0]["macs"]["L1"] / li[0]["macs"]["dense"]
untrained = li[0]["before"]["L1"][1]
print(f"Li's cut saves {saved:.1%} of the MACs; before it trains again, {untrained:,} are right")
for way, counts in chosen.items():
    print(f"{way}: {span(counts)} of 1,000")

# %% [markdown]
# ## Put right
#
# | you may read | a cell shows | lesson |
# |---|---|---|
# | MSE is a standard deviation [3] | it keeps the mean error | [00](../00_start_here.ipynb) |
# | leaves of one question are merged [4] | only where that costs little | [00](../00_start_here.ipynb) |
# | weights near zero do not affect the answers [4] | answers change before accuracy does | [01a](01a_weight_pruning_thresholds.ipynb) |
# | two more right are a gain [2] | what was lost and won is hidden | [01a](01a_weight_pruning_thresholds.ipynb) |
# | local scores compete across all layers [5] | within each layer | [01b](01b_weight_pruning_scope.ipynb) |
# | magnitude is gradient-based [2] | it uses none | [01c](01c_weight_pruning_tools.ipynb) |
# | gradients choose more robustly [1] | alone, worse than all but chance up to 90%; times the weight, ahead of size | [01c](01c_weight_pruning_tools.ipynb) |
# | zeros save memory [5], or make a file grow [2] | neither; copies and masks do | [01c](01c_weight_pruning_tools.ipynb) |
# | unstructured is random [1] | each was chosen; random is the control | [02a](02a_neuron_pruning_choosing.ipynb) |
# | a neuron is a column [5] | a row in PyTorch, and a bias in both | [02b](02b_neuron_pruning_removing.ipynb) |
# | cutting neurons is more robust [1] | where much is cut, weights lead at equal parameters | [02b](02b_neuron_pruning_removing.ipynb) |
# | cutting beats starting small [4] | no clear lead at equal care | [02b](02b_neuron_pruning_removing.ipynb) |
# | neurons go, or entire layers [1] | units of a layer | [02b](02b_neuron_pruning_removing.ipynb) |
# | filters, maps, channels: three techniques [1] | one removal | [03](03_filter_pruning.ipynb) |
# | structured is easier [1] | one channel, many layers | [04a](04a_channel_pruning_coupled.ipynb) |
# | changed weights explain the collapse [2] | BatchNorm's statistics mend most of it | [04a](04a_channel_pruning_coupled.ipynb) |
# | the tool's schedule [4] | the printed formula bends the other way; it cuts every hundredth step | [05](05_iterative_pruning.ipynb) |
# | testing between cuts is iterative [2] | training between them is | [05](05_iterative_pruning.ipynb) |
# | pruned training is faster [1] | not while it is masked | [05](05_iterative_pruning.ipynb) |
# | pruning saves power [5] | nobody measured | [06a](06a_bytes_and_time.ipynb) |
# | less overfitting [1, 3] | a penalty does better | [07a](07a_what_accuracy_hides.ipynb) |
#
# [1] Kezmann, [2] Muheeb, [3] *So you don't cry later*, [4] Tram Ho, [5] the guide. Measured again in this
# lesson: "better than the unpruned model" and "80% smaller" [1]; the two tables [2]; "without losing quality" [3]; "still
# acceptable" and the promised 75% [4].

# %% [markdown]
# ## Now yours
#
# The control for your own network: one epoch more with 80% zeros, and dense, both at two rates, chosen on a fifth of the data
# and reported on another.

# %% tags=["pytorch", "yours"]
model = pv.zoo.lenet_300_100("torch")  # put your model and data here
pixels, y = validation[0].transpose(0, 3, 1, 2) / np.float32(255), torch.tensor(validation[1])
x = torch.tensor(pixels)

import copy
import torch
from torch.nn.utils import prune


def trained_on(rate, share):
    net = copy.deepcopy(model).train()
    for layer in [m for m in net.modules() if share and isinstance(m, torch.nn.Linear)]:
        prune.l1_unstructured(layer, "weight", share)
    adam = torch.optim.Adam(net.parameters(), rate)
    for rows in torch.randperm(n, generator=torch.Generator().manual_seed(0)).split(32):
        adam.zero_grad()
        torch.nn.functional.cross_entropy(net(x[rows]), y[rows]).backward()
        adam.step()
    hits = net.eval()(x[n:]).argmax(1) == y[n:]
    return [part.float().mean().item() for part in hits.tensor_split(2)]


n = 3 * len(x) // 5
for name, share in (("80% zeros", 0.8), ("dense", 0)):
    chosen, reported = max(trained_on(rate, share) for rate in (0.001, 0.00025))
    print(f"{name}, one more epoch: {reported:.1%} right")

# %% tags=["tensorflow", "yours"]
model = pv.zoo.lenet_300_100("keras")  # put your model and data here
x, y = validation[0] / np.float32(255), validation[1]

import keras
import numpy as np


def trained_on(rate, share):
    net = keras.models.clone_model(model)
    net.set_weights(model.get_weights())
    kernels = [layer.kernel for layer in net.layers if share and hasattr(layer, "kernel")]
    masks = [abs(k.numpy()) > np.quantile(abs(k.numpy()), share) for k in kernels]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile(keras.optimizers.Adam(rate), loss)
    order = np.array_split(np.random.default_rng(0).permutation(n), n // 32)
    for rows in (*order, []):
        for kernel, mask in zip(kernels, masks, strict=True):
            kernel.assign(kernel * mask)
        if len(rows):
            net.train_on_batch(x[rows], y[rows])
    hits = net.predict(x[n:], verbose=0).argmax(1) == y[n:]
    return [part.mean() for part in np.array_split(hits, 2)]


n = 3 * len(x) // 5
for name, share in (("80% zeros", 0.8), ("dense", 0)):
    chosen, reported = max(trained_on(rate, share) for rate in (0.001, 0.00025))
    print(f"{name}, one more epoch: {reported:.1%} right")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# A network has 99.0% right, 98.8% after a cut, 99.26% after fine-tuning. What does that show?
# - [x] That nine weights in ten gone and more training together end higher than less training.
#   why: Two things changed at once. The control, dense with the same epochs, tells them apart.
# - [ ] That pruning improves a network.
#   why: There is no control: the dense network with the same extra epochs gained too.
# - [ ] That these few images more are right for certain.
#   why: It is one run. Three seeds of the same recipe already differ by about as much.
# - [ ] That the network was badly trained at first.
#   why: Nothing here shows it; a dip after a cut is no sign.

# %% [markdown] tags=["quiz"]
# A pruned network has P answers right, the dense one before it B, and dense, with as many epochs more, D. P is a little below
# B, and B below D. What did the zeros cost?
# - [x] D − P.
#   why: The control has everything but the zeros.
# - [ ] B − P.
#   why: That compares with a baseline that stood still while the other trained.
# - [ ] Nothing, it saved epochs.
#   why: It trained as long as the control, and ended lower.
# - [ ] Nobody knows, other seeds exist.
#   why: A right worry, cured by seeds, not by leaving the control out.

# %% [markdown] tags=["quiz"]
# The weights of an input are as large as any other's. Does the input matter?
# - [ ] Yes, as much as the others.
#   why: Half of Tram Ho's inputs mean nothing, and their weights are as large.
# - [ ] Yes, once they are scaled by the size of the input.
#   why: Each input was divided by its largest value, so there is hardly a size left to scale by.
# - [x] Perhaps not at all. Ask the outputs.
#   why: The slopes of the output found most of the useless inputs.
# - [ ] Only if the gradient of the loss with respect to these weights is large.
#   why: That tells how training would move these weights, not what the output does without the input.

# %% [markdown] tags=["quiz"]
# "The validation loss of 0.0039 is still acceptable." What do you ask?
# - [x] Compared with what?
#   why: Predicting the mean is about twenty times worse, and linear regression thousands of times better.
# - [ ] Nothing, it is a small number.
#   why: Its size depends on the units of the target, which was divided by its largest value.
# - [ ] Nothing, it fell.
#   why: That it fell says which way, not how far there is to go.
# - [ ] Whether the training loss is lower.
#   why: It is, and that tells of overfitting, not of whether the model is good.

# %% [markdown]
# ## The question people really ask
#
# *"set final_sparsity=0.45, after 50 epochs, the sparsity of each layer is
# about 0.39"* ([neuralmagic/sparseml, thread 1117](https://github.com/neuralmagic/sparseml/issues/1117))
#
# A maintainer's guess there, never confirmed: an epoch had other steps than the schedule assumed. So:
#
# - count the steps first: epochs times batches, the last small one included;
# - let the schedule end well before they do;
# - read the sparsity off the saved network, not off the schedule.

# %% [markdown]
# ## Recap
#
# - A claim needs a control, seeds, and a choice made on other images.
# - The control moves the verdict both ways: one network lost more than it seemed to in one epoch, and another
#   gained nothing by pruning.
# - A schedule that outlasts the training is never reached.
# - Magnitude does not see which inputs mean nothing; the slopes of the output do.

# %% [markdown]
# ## Further reading
#
# - Jan Marcel Kezmann. *Optimizing Deep Learning Models with Pruning: A Practical Guide.* Medium.
# - *How to do pruning so you don't cry later.*
# - Tram Ho. *Pruning model with Tensorflow API.* Viblo.
# - Ridwan Muheeb. *Evaluation of Gradient-Based Magnitude Pruning Technique.* University of Cambridge.
# - *A Beginner's Guide to Neural Network Pruning.* Analytics India Magazine.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle and J. Guttag. What is the State of Neural Network Pruning? *Proceedings of
#   Machine Learning and Systems* 2, 2020.
# - H. Li, A. Kadav, I. Durdanovic, H. Samet and H. P. Graf. Pruning Filters for Efficient ConvNets. *International Conference on
#   Learning Representations*, 2017. [arXiv:1608.08710](https://arxiv.org/abs/1608.08710).
# - S. Han, J. Pool, J. Tran and W. J. Dally. Learning both Weights and Connections for Efficient Neural Networks. *Advances in
#   Neural Information Processing Systems* 28, 2015. [arXiv:1506.02626](https://arxiv.org/abs/1506.02626).
# - M. Sun, Z. Liu, A. Bair and J. Z. Kolter. A Simple and Effective Pruning Approach for Large Language Models.
#   *International Conference on Learning Representations*, 2024. [arXiv:2306.11695](https://arxiv.org/abs/2306.11695). Wanda.
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International Conference on
#   Learning Representations*, 2019. [arXiv:1810.05270](https://arxiv.org/abs/1810.05270).
