# %% [markdown]
# # 01c · Weight pruning: what to cut, with what
#
# You have cut by size, and by size times input. Here are more scores, and the tools that come with your framework. Then a
# pruned network is fine-tuned without losing its zeros, and its file weighed. **Which score is worth its price, and why is
# the file no smaller?**

# %% tags=["pytorch", "fold"]
import pruneviz as pv

pv.teaching.start("pytorch")

import contextlib
import copy
import gzip
import tempfile
import time
from pathlib import Path

import numpy as np
import safetensors.numpy
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

from pruneviz.lessons.checks import lesson_01c as check
from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]
model = pv.zoo.lenet_300_100("torch")

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")

import contextlib
import gzip
import tempfile
import textwrap
import time
from pathlib import Path

import keras
import numpy as np
import safetensors.numpy
import tensorflow as tf
import tensorflow_model_optimization as tfmot
import tf_keras
from matplotlib.figure import Figure

from pruneviz.lessons.checks import lesson_01c as check
from pruneviz.plots import style

tf.get_logger().setLevel("ERROR")  # it warns when many models are trained in turn
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]
model = pv.zoo.lenet_300_100("keras")

# %% [markdown]
# **Touch.** Choose another criterion beside the slider, at 80%. Which layer does each spare, and how do its scores lie?

# %%
parts = ["slider", "mask", "histogram"]
view = pv.explore(
    model, validation, scored_on=scored_on, sparsity=0.8, show=parts, title="Criteria"
)
view

# %% tags=["drive"]
for criterion in ("taylor", "gradient", "magnitude"):
    view.criterion = criterion
    print(criterion, *(f"{name} {np.mean(~kept):.0%}" for name, kept in view.result().items()))

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, magnitude, size × input, gradient, random, the network, at once.](../map/01c.svg)
#
# - To compare five ways of choosing weights, and why a small gradient does not mean a safe cut.
# - To prune with the framework's own tool, and to recognise its traps before they cost you a day.
# - To fine-tune a pruned network, and which optimisers bring its zeros back.
# - Why a file full of zeros is not smaller, how to make it smaller, and when a network is too small to bother.
#
# **Before you start.** You have done lessons 01a and 01b. You have trained a network before, if only by copying a recipe.
#
# **Time.** 55 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/01c_weight_pruning_tools.ipynb); the [glossary](../GLOSSARY.md) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track. The same lesson for PyTorch is [on the other
# track](../pytorch/01c_weight_pruning_tools.ipynb); the [glossary](../GLOSSARY.md) explains the words.

# %% [markdown]
# ## Five ways to choose
#
# > **Card: a gradient is a slope.** The gradient at a weight says how steeply the loss rises or falls when you nudge that
# > weight a little. It describes the ground under your feet, not the valley around you.
#
# | criterion | score, for a weight $w$ with gradient $g$ and input $x$ | the idea |
# |---|---|---|
# | `"random"` | drawn at random | no idea: the control that the others have to beat |
# | `"gradient"` | size of $g$ | where the loss is flat, nothing happens |
# | `"magnitude"` | size of $w$ | a small weight changes little |
# | `"taylor"` | size of $w \cdot g$ | the slope, times the distance from $w$ to zero |
# | `"wanda"` | size of $w$ times that of $x$ | what the weight usually sends |
#
# **Predict.** 90% of all weights go, under one threshold. Magnitude leaves 2,946 of 5,000 digits right. How many does
# taylor leave?
#
# Gradients need images and labels: `scored_on` holds the first 10,000 training images. It takes about 20 seconds.

# %% tags=["answer"]
guess = ...  # how many of the 5,000 digits stay right?
sparsities = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
curves, seconds = {}, {}
for criterion in ("wanda", "taylor", "magnitude", "gradient", "random"):
    since = time.perf_counter()
    pv.importance(model, criterion=criterion, data=scored_on)
    seconds[criterion] = time.perf_counter() - since
    options = {"criterion": criterion, "scored_on": scored_on, "progress": False}
    curves[criterion] = pv.sweep(model, validation, sparsities, **options)
dense = pv.scorecard(model, validation, name="dense")
pv.teaching.show(pv.plot_tradeoff(curves, reference=dense, title="Five criteria, one network"))

for criterion, cards in curves.items():
    print(f"{criterion:9} {cards[4].correct:,} right at 80%, {cards[5].correct:,} at 90%")
pv.teaching.compare(guess, curves["taylor"][5].correct, "digits right by taylor")

# %% [markdown]
# Gradients are not free: all images go through the network and back. For Wanda they go one way.

# %%
times = [f"{criterion} {1000 * taken:.0f} ms" for criterion, taken in seconds.items()]
print(f"time to score: {', '.join(times)}")
slow = seconds["taylor"] > 5 * seconds["magnitude"]
print(f"scores by taylor take more than five times as long as by magnitude: {slow}")

# %% [markdown]
# To see why the gradient falls behind, do the cut in slow motion. Take the 70% that a criterion wants to cut. Do not cut
# them yet. Shrink them together, from their full size to nothing, and watch the loss.

# %% tags=["fold"]
layers = pv.network(model)
pixels = scored_on[0].reshape(10_000, 784) / np.float32(255)


def loss(mask, share):
    """Mean cross-entropy when what the mask prunes has shrunk to a share of its size."""
    signal = pixels
    for name, layer in layers.items():
        weight = layer.weight * np.where(mask[name], 1, share).astype(np.float32)
        signal = signal @ weight.T + layer.bias
        if name != "fc3":
            signal = np.maximum(signal, 0)
    signal -= signal.max(axis=1, keepdims=True)
    right = signal[np.arange(len(pixels)), scored_on[1]]
    return float(np.mean(np.log(np.exp(signal).sum(axis=1)) - right))


rules = ("magnitude", "taylor", "gradient")
shares = [1, 0.8, 0.6, 0.4, 0.2, 0]
masks = {rule: pv.prune(model, 0.7, criterion=rule, data=scored_on) for rule in rules}
ways = {rule: [loss(mask, share) for share in shares] for rule, mask in masks.items()}

figure = Figure(figsize=(8, 3.4), layout="constrained")
ax = figure.subplots()
gone = [100 * (1 - share) for share in shares]
for (rule, values), (colour, marker, dashes) in zip(ways.items(), style.SERIES, strict=False):
    ax.plot(gone, values, color=colour, marker=marker, linestyle=dashes)
    above = 5 if rule == "magnitude" else 0
    text = {"textcoords": "offset points", "color": colour, "va": "center"}
    ax.annotate(rule, (100, values[-1]), (8, above), **text)
ax.set(xlabel="how far the weights have shrunk (%)", ylabel="loss")
ax.set(xlim=(-2, 118), ylim=(0, None), xticks=gone)
ax.spines[["top", "right"]].set_visible(False)
style.title(ax, "The way from a weight to zero, for the 70% that each criterion cuts")
ends = ", ".join(f"{rule} is at {values[-1]:.2f}" for rule, values in ways.items())
pv.teaching.show(
    figure,
    alt="Loss while the weights to be cut shrink to zero. All three curves begin flat. "
    f"At the end {ends}.",
)
for rule, mask in masks.items():
    promise = abs(loss(mask, 0.99) - loss(mask, 1)) / 0.01
    cost = ways[rule][-1] - ways[rule][0]
    print(f"{rule:9} the slope promises {promise:.3f}, the cut costs {cost:.2f}")

# %% [markdown]
# **Explain.** All three begin flat: after training, every slope is small. The slope under your feet is the same in a wide
# valley and in a narrow gorge, and a cut does not nudge the weight; it carries it all the way to zero. The Taylor score
# multiplies the slope by the length of the way. Optimal Brain Damage (LeCun and others, 1990) takes the slope as zero,
# and scores by how the valley bends.
#
# **What would have shown us wrong?** A gradient curve that begins steep.

# %% [markdown]
# ### Exercise 1 · What a cut really costs
#
# Near the end of training the loss around a weight looks like a bowl. If the weight has come to rest at $w$, the loss at
# any other value $v$ is higher by $\tfrac{1}{2} h (v - w)^2$. The number $h$ says how steep the walls are. Write down
# what it costs to cut each weight: the score of Optimal Brain Damage.


# %% tags=["exercise"]
def cut_cost(weights, curvatures):
    """Return how much the loss rises when each weight alone becomes zero."""
    # solution:
    return 0.5 * curvatures * weights**2
    # end of solution


# %% tags=["check"]
check.cost_of_cuts(cut_cost)

# %% [markdown]
# A second weakness: gradients depend on the images that you score with.

# %%
parts = {
    "first 10,000": scored_on,
    "next 10,000": tuple(part[10_000:20_000] for part in mnist.train),
    "all 55,000": mnist.train,
}
rows = []
for rule in rules:
    cards = [
        pv.scorecard(pv.apply(model, pv.prune(model, 0.8, criterion=rule, data=data)), validation)
        for data in parts.values()
    ]
    rows.append([rule, *(card.correct for card in cards)])
pv.teaching.table(["right at 80%, scored on", *parts], rows)

# %% [markdown]
# Magnitude asks no image. Taylor hardly cares which. The gradient changes by hundreds of answers, and does worst with the
# most images: a slope that is measured better is not a better score. (While a network still trains, gradients say more:
# see movement pruning and SNIP, below.)

# %% [markdown] tags=["pytorch"]
# ## PyTorch's own tool
#
# PyTorch brings `torch.nn.utils.prune`. You name the layers and the share, it makes the masks.

# %% tags=["pytorch"]
masked = copy.deepcopy(model)
weights = [(masked.get_submodule(name), "weight") for name in ("fc1", "fc2", "fc3")]
prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=0.9)

ours = pv.prune(model, 0.9)
for (layer, _), (name, kept) in zip(weights, ours.items(), strict=True):
    same = np.array_equal(layer.weight_mask.numpy() == 1, kept)
    print(f"{name}: {kept.sum():,} weights kept, same mask as pv.prune: {same}")
print("parameters of fc1:", ", ".join(dict(masked.fc1.named_parameters())))
print("buffers of fc1:   ", ", ".join(dict(masked.fc1.named_buffers())))

# %% [markdown] tags=["pytorch"]
# Both choose the same weights, entry by entry. But look at the names. The layer has no parameter `weight` any
# more. It keeps the untouched `weight_orig` and a `weight_mask`, and multiplies the two before each forward
# pass. That is handy for experiments: nothing is lost, and the zeros hold while you train. It has three
# traps.
#
# **Trap 1: the file doubles.** Saved now, the model holds every weight *and* a mask of the same size.
#
# **Trap 2: no copies.** A masked layer cannot be deep-copied. Training loops that keep the best model by
# `copy.deepcopy` stop here.
#
# **Trap 3: the zeros can come back.** `prune.remove` makes the cut permanent, and the file as large as
# before. But it also takes the mask away, and with it what kept the zeros at zero. What is removed is the
# mask, not the weights.
#
# **Predict.** Which share of the pruned weights is back after `remove` and a single step of plain SGD?

# %% tags=["pytorch", "trains", "answer"]
guess = ...  # a share of the pruned weights, such as 0.1
folder = tempfile.TemporaryDirectory()
images = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2) / np.float32(255))
labels = torch.tensor(mnist.train[1])


def file_size(state):
    """Save as PyTorch does; return the size of the file in bytes."""
    path = Path(folder.name) / "state.pt"
    torch.save(state, path)
    return path.stat().st_size


def alive(student, mask):
    """Count the weights that the mask prunes but that are not zero."""
    layers = pv.network(student)
    return sum(np.count_nonzero(layers[name].weight[~kept]) for name, kept in mask.items())


print(f"trap 1: dense {file_size(model.state_dict()) / 1000:,.0f} kB, ", end="")
print(f"masked {file_size(masked.state_dict()) / 1000:,.0f} kB")

try:
    copy.deepcopy(masked)
except RuntimeError as error:
    print(f"trap 2: {str(error).partition(' (')[0]}.")

for layer, name in weights:
    prune.remove(layer, name)
print(f"trap 3: after remove {file_size(masked.state_dict()) / 1000:,.0f} kB")
print(f"        zeros that are back: {alive(masked, ours)}")
optimizer = torch.optim.SGD(masked.parameters(), lr=0.1)
F.cross_entropy(masked(images[:512]), labels[:512]).backward()
optimizer.step()
pv.teaching.compare(
    guess, alive(masked, ours) / ours.pruned, "back after one step of SGD", share=True
)

# %% [markdown] tags=["pytorch"]
# So: copy before you mask or after `remove`; save after `remove`; and train on either before `remove` or with
# something else that keeps the zeros.
#
# ### Calls that compound
#
# **Predict.** You call the tool three times on the same model, with 25%, 50% and 60%. Which share is gone?

# %% tags=["pytorch", "answer"]
guess = ...  # a share, such as 0.5
repeated = copy.deepcopy(model)
weights = [(repeated.get_submodule(name), "weight") for name in ours]
for amount in (0.25, 0.5, 0.6):
    prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=amount)
    pruned = sum(int((layer.weight_mask == 0).sum()) for layer, _ in weights)
    once = pv.prune(model, amount).sparsity
    print(f"amount={amount:<4}   {100 * pruned / ours.total:.1f}% are gone", end="")
    print(f"   pv.prune(model, {amount}) cuts {100 * once:.1f}%")
pv.teaching.compare(guess, pruned / ours.total, "gone", share=True)

# %% [markdown] tags=["pytorch"]
# `amount` is a share *of what is left*. After 25%, half of the remaining 75% go, and so on. Whoever
# calls the tool in a loop over levels has to start from a fresh copy each time.
#
# The rest of the traps in one table. Each line is run, not remembered: unfold the cell to see how.


# %% tags=["pytorch", "fold"]
def fresh(scale=1.0):
    """Make a layer of 1,000 random weights."""
    torch.manual_seed(0)
    layer = nn.Linear(100, 10)
    with torch.no_grad():
        layer.weight *= scale
    return layer


def zeros(layer):
    """Count the zeros."""
    return int((layer.weight == 0).sum())


rows = []
for amount in (1, 1.0):
    layer = prune.l1_unstructured(fresh(), "weight", amount=amount)
    rows.append((f"amount={amount}", f"{zeros(layer):,} of 1,000 weights go"))

layer = fresh()
for _ in range(3):
    prune.l1_unstructured(layer, "weight", amount=0.5)
rows.append(("amount=0.5, three times", f"{zeros(layer) / 10}% are gone"))

layer = fresh()
with torch.no_grad():
    layer.weight[0, 0] = float("nan")
prune.l1_unstructured(layer, "weight", amount=0.9)
rows.append(("one weight is NaN", f"it is among the kept: {bool(layer.weight_mask[0, 0])}"))

layer = prune.l1_unstructured(fresh(), "weight", amount=0.5)
layer(torch.ones(1, 100)).sum().backward()
torch.optim.SGD(layer.parameters(), lr=0.1).step()
stale = not torch.equal(layer.weight, layer.weight_orig * layer.weight_mask)
layer(torch.ones(1, 100))
now = torch.equal(layer.weight, layer.weight_orig * layer.weight_mask)
rows.append((".weight after optimizer.step()", f"still the old one: {stale}"))
rows.append((".weight after the next forward pass", f"the new one: {now}"))

layer = prune.ln_structured(fresh(), "weight", amount=0.5, n=1, dim=0)
silent = (layer.weight == 0).all(dim=1)
biased = int((layer.bias[silent] != 0).sum())
rows.append(("ln_structured, half of the neurons", f"{int(silent.sum())} lose all weights"))
rows.append(("", f"of these, {biased} still have a bias"))

pair = nn.Sequential(fresh(scale=0.001), fresh())
both = [(layer, "weight") for layer in pair]
prune.global_unstructured(both, pruning_method=prune.L1Unstructured, amount=0.5)
gone = [f"{zeros(layer) / 10:.0f}%" for layer in pair]
what = "global 50%, one layer is 1,000 × smaller"
rows.append((what, f"it loses {gone[0]}, the other {gone[1]}"))

state = nn.Sequential(prune.l1_unstructured(fresh(), "weight", amount=0.5)).state_dict()
lost = nn.Sequential(fresh()).load_state_dict(state, strict=False)
missing, too_many = len(lost.missing_keys), len(lost.unexpected_keys)
what = "load a masked file into a plain model"
rows.append((what, f"{missing} name missing, {too_many} too many"))

for what, result in rows:
    print(f"{what:43} {result}")

# %% [markdown] tags=["tensorflow"]
# ## TensorFlow's own tool
#
# The TensorFlow Model Optimization toolkit, tfmot for short, prunes while a model trains. It was written for
# the Keras of TensorFlow 2, which lives on as the package `tf_keras`. The Keras 3 that you have used so far
# is another library, and tfmot says so in its own way:

# %% tags=["tensorflow"]
sparse = tfmot.sparsity.keras
try:
    sparse.prune_low_magnitude(model)
except ValueError as error:
    print(textwrap.fill(str(error), 96))

# %% [markdown] tags=["tensorflow"]
# A Sequential is refused because it is not a Sequential: the one expected is `tf_keras.Sequential`. Build the
# model with `tf_keras` layers, and it works. The zoo has the same network with the same weights for both.
#
# The recipe has four steps: wrap with `prune_low_magnitude`, compile, fit with the callback
# `UpdatePruningStep`, and unwrap with `strip_pruning`. Here the learning rate is 0, so that pruning is the
# only thing that happens.

# %% tags=["tensorflow"]
from_logits = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
few = mnist.train[0][:6_400] / np.float32(255), mnist.train[1][:6_400]


def wrap(network, sparsity=0.9, rate=0.0):
    """Wrap a network so that training prunes each layer from the first step."""
    schedule = sparse.ConstantSparsity(sparsity, begin_step=0, frequency=1)
    wrapped = sparse.prune_low_magnitude(network, pruning_schedule=schedule)
    wrapped.compile(tf_keras.optimizers.SGD(rate), loss=from_logits)
    return wrapped


def fit(network, images=few[0][:64], labels=few[1][:64], callbacks=None):
    """Train for one epoch, in batches of 64."""
    callbacks = [sparse.UpdatePruningStep()] if callbacks is None else callbacks
    network.fit(images, labels, batch_size=64, verbose=0, callbacks=callbacks)


given = pv.zoo.lenet_300_100("tf_keras")
wrapped = wrap(given)
fit(wrapped)
stripped = sparse.strip_pruning(wrapped)

ours = pv.prune(pv.zoo.lenet_300_100("tf_keras"), 0.9, scope="layer")
for layer in pv.network(stripped).layers:
    same = np.array_equal(layer.weight != 0, ours[layer.name])
    print(f"{layer.name}: {np.count_nonzero(layer.weight):,} weights kept, ", end="")
    print(f"same mask as pv.prune with scope='layer': {same}")

# %% [markdown] tags=["tensorflow"]
# Both choose the same weights, entry by entry. Note the scope: each layer loses its own 90%. **tfmot has no
# global scope.**

# %% [markdown] tags=["tensorflow"]
# Three traps deserve a look.
#
# **Trap 1: the file grows.** The wrapped model stores a mask of the same size beside every kernel, and its
# file holds more than one copy. Strip before you save.
#
# **Trap 2: the model you gave is pruned too.** Wrapping does not copy. The wrapper and your own model share
# their layers.
#
# **Trap 3: zeros come back.** `strip_pruning` takes the mask away, and with it what kept the zeros at zero.
#
# **Predict.** Which share of the pruned weights is back after `strip_pruning` and a single step of plain SGD?

# %% tags=["tensorflow", "trains", "answer"]
guess = ...  # a share of the pruned weights, such as 0.1
folder = tempfile.TemporaryDirectory()


def file_size(network):
    """Save as Keras does; return the size of the file in bytes."""
    path = Path(folder.name) / "model.keras"
    network.save(path)
    return path.stat().st_size


def alive(student, mask):
    """Count the weights that the mask prunes but that are not zero."""
    layers = pv.network(student)
    return sum(np.count_nonzero(layers[name].weight[~kept]) for name, kept in mask.items())


untouched = pv.zoo.lenet_300_100("tf_keras")
networks = {"dense": untouched, "wrapped": wrapped, "stripped": stripped}
files = {name: file_size(network) for name, network in networks.items()}
for name, network in networks.items():
    numbers = f"{network.count_params():,} numbers"
    print(f"trap 1: {name:8} {numbers}, file {files[name] / 1000:,.0f} kB")

shares = [f"{100 * np.mean(layer.weight == 0):.0f}%" for layer in pv.network(given).layers]
print(f"trap 2: zeros in the model that was given: {', '.join(shares)}")

stripped.compile(tf_keras.optimizers.SGD(0.1), loss=from_logits)
print(f"trap 3: zeros that are back after stripping: {alive(stripped, ours)}")
stripped.fit(few[0][:512], few[1][:512], batch_size=512, verbose=0)
pv.teaching.compare(
    guess, alive(stripped, ours) / ours.pruned, "back after one step of SGD", share=True
)

# %% [markdown] tags=["tensorflow"]
# The `.keras` file of the wrapped model holds each kernel twice, its mask, and what the optimiser remembers.
# The stripped file is exactly as large as the dense one, zeros and all.
#
# So: give tfmot a copy of a model that you still need; strip before you save; and train on either before
# stripping or with something else that keeps the zeros.
#
# ### Calls that compound
#
# **Predict.** You prune three times in a row, with 25%, 50% and 60%. Which share of `fc1` is gone?

# %% tags=["tensorflow", "answer"]
guess = ...  # a share, such as 0.5
repeated = pv.zoo.lenet_300_100("tf_keras")
left = 1.0
for amount in (0.25, 0.5, 0.6):
    wrapped = wrap(repeated, amount)
    fit(wrapped)
    repeated = sparse.strip_pruning(wrapped)
    left *= 1 - amount
    fc1 = pv.network(repeated)["fc1"].weight
    print(f"{100 * amount:.0f}%: tfmot cuts {100 * np.mean(fc1 == 0):.1f}%", end="")
    print(f", pv.prune {100 * pv.prune(model, amount).sparsity:.1f}%", end="")
    print(f", a tool that cuts a share of what is left {100 * (1 - left):.1f}%")
pv.teaching.compare(guess, np.mean(fc1 == 0), "gone", share=True)

# %% [markdown] tags=["tensorflow"]
# tfmot and pruneviz count from the whole layer: 60% means 60%. PyTorch's tool, and many a loop written by
# hand, takes a share *of what is left*, and three such calls leave far less. Before you compare, find out which of
# the two was meant.
#
# The rest of the traps in one table. Each line is run, not remembered: unfold the cell to see how.


# %% tags=["tensorflow", "fold"]
class Own(tf_keras.Model):
    """A model that is a class of its own."""


def refusal(attempt):
    """Return what an attempt's error says of callbacks, or its kind."""
    try:
        attempt()
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        lines = [line for line in str(error).splitlines() if "callback" in line]
        return (lines or [type(error).__name__])[0].partition(" to be provided")[0]
    return "none"


rows = []
for steps in (99, 100):
    network = pv.zoo.lenet_300_100("tf_keras")
    bare = sparse.prune_low_magnitude(network)
    bare.compile(tf_keras.optimizers.SGD(0.0), loss=from_logits)
    fit(bare, few[0][: 64 * steps], few[1][: 64 * steps])
    zeros = 100 * np.mean(pv.network(network)["fc1"].weight == 0)
    rows.append((f"no schedule given, {steps} steps", f"{zeros:.0f}% of fc1 is zero"))

ones = tf_keras.layers.Dense(5, kernel_initializer="ones", name="fc")
equal = tf_keras.Sequential([tf_keras.Input((4,)), ones])
fit(wrap(equal, 0.5), np.ones((64, 4)), np.zeros(64))
zeros = 100 * np.mean(pv.network(equal)["fc"].weight == 0)
rows.append(("50% of a layer of equal weights", f"{zeros:.0f}% is zero"))

forgot = wrap(pv.zoo.lenet_300_100("tf_keras"))
forgot.run_eagerly = True  # the error is shorter
attempts = {
    "fit without UpdatePruningStep": lambda: fit(forgot, callbacks=[]),
    "sparsity 1.0": lambda: sparse.ConstantSparsity(1.0, 0),
    "a subclass of Model": lambda: sparse.prune_low_magnitude(Own()),
    "a Keras 3 model": lambda: sparse.prune_low_magnitude(model),
}
rows += [(what, refusal(attempt)) for what, attempt in attempts.items()]

for what, result in rows:
    print(f"{what:33} {result}")

# %% [markdown] tags=["tensorflow"]
# The first two lines belong together. Called without a schedule, tfmot prunes half of every layer at once,
# and for the first time in the hundredth step. A shorter training prunes nothing, without a word.

# %% [markdown]
# ### Exercise 2 · Amounts that compound
#
# A tool cuts a share of what is left. You want to reach the sparsities in `targets`, one call after the other; for
# example 25%, 50% and 60% of the whole. Which amounts do you pass?


# %% tags=["exercise"]
def amounts(targets):
    """Return the amount of each call, for rising targets below 1."""
    # solution:
    left = 1.0
    calls = []
    for target in targets:
        calls.append(1 - (1 - target) / left)
        left = 1 - target
    return calls
    # end of solution


# %% tags=["check"]
check.compounding_amounts(amounts)

# %% [markdown]
# ## Fine-tuning
#
# Most of what a cut breaks can be mended: the weights that are left learn to do without the others. That is
# **fine-tuning**. One rule makes it different from ordinary training: the zeros have to stay. `pv.keep_pruned` sees to
# that. Inside its `with` block you train as you like, and after each step the pruned weights are zero again.


# %% tags=["pytorch"]
def one_epoch(student, optimizer, seed=0):
    """Show the student all training images once, in batches of 512."""
    student.train()
    order = torch.randperm(len(images), generator=torch.Generator().manual_seed(seed))
    for batch in order.split(512):
        loss = F.cross_entropy(student(images[batch]), labels[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    student.eval()


def fine_tuned(mask):
    """Prune a copy of the model, and fine-tune it for an epoch with its zeros kept."""
    student = pv.apply(model, mask)
    optimizer = torch.optim.Adam(student.parameters(), lr=2e-3, fused=True)
    with pv.keep_pruned(student, mask, optimizer):
        one_epoch(student, optimizer)
    return student


# %% tags=["tensorflow"]
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
images, labels = map(tf.constant, mnist.train)


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(images, rows), tf.float32) / 255, tf.gather(labels, rows)


order = tf.data.Dataset.range(len(labels)).shuffle(len(labels), seed=0)
pictures = order.batch(512).map(pick)


def fine_tuned(mask):
    """Prune a copy of the model, and fine-tune it for an epoch with its zeros kept."""
    keras.utils.set_random_seed(0)
    student = pv.apply(model, mask)
    student.compile(keras.optimizers.Adam(2e-3), loss=cross_entropy)
    with pv.keep_pruned(student, mask):
        student.fit(pictures, shuffle=False, verbose=0)
    return student


# %% [markdown]
# **Predict.** At 90% by magnitude, 58.9% of the digits are right. And after one epoch of fine-tuning? It takes about 30
# seconds. The last row is the control: nothing is pruned, and the dense network gets the same epoch.

# %% tags=["trains", "answer"]
guess = ...  # a share, such as 0.8
students, rows, after = {}, [], {}
for criterion in ("wanda", "magnitude", "gradient", "random", "nothing pruned"):
    if criterion == "nothing pruned":
        mask = pv.prune(model, 0.0)
    else:
        mask = pv.prune(model, 0.9, criterion=criterion, data=scored_on)
    before = pv.scorecard(pv.apply(model, mask), validation)
    students[criterion] = fine_tuned(mask)
    card = pv.scorecard(students[criterion], validation)
    after[criterion] = card.accuracy
    back = alive(students[criterion], mask)
    rows.append([criterion, f"{before.accuracy:.1%}", f"{card.accuracy:.1%}", back])
pv.teaching.table(["90% pruned by", "right", "after one epoch", "zeros that came back"], rows)
pv.teaching.compare(guess, after["magnitude"], "right", share=True)

# %% [markdown]
# **Explain.** One pass over the images mends most of the damage, and closes most of the gap between the criteria. The
# control falls too: this epoch, with its constant rate, costs the dense network something. So compare the pruned ones
# with the last row, not with the first column. Never leave this row out.
#
# **What would have shown us wrong?** A control that gains as much as the pruned networks do.

# %% [markdown]
# ## Which optimisers bring zeros back?
#
# > **Card: an optimiser remembers.** Plain SGD moves a weight by the gradient of the present batch and forgets it.
# > Momentum, Adam and RMSprop keep a note for each weight: an average of past gradients, of their squares, or both. These
# > notes are the optimiser's *state*.
#
# A popular idea for keeping zeros: set the gradients of pruned weights to zero. You cut a network, and go on with the
# optimiser that has trained it before the cut. In a few lines, for one step:
#
#     weight *= mask                     # the cut
#     weight.gradient *= mask            # silence what is pruned
#     optimizer.step()                   # the optimiser keeps its notes
#
# **Predict.** Of SGD, SGD with momentum, Adam, AdamW and RMSprop: with how many are some of the zeros back after ten
# steps?

# %% tags=["pytorch", "fold"]
optimisers = {
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "SGD, momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "Adam": lambda weights: torch.optim.Adam(weights, lr=1e-3),
    "AdamW": lambda weights: torch.optim.AdamW(weights, lr=1e-3),
    "RMSprop": lambda weights: torch.optim.RMSprop(weights, lr=1e-3),
}
batches = list(zip(images[:7_680].split(512), labels[:7_680].split(512), strict=True))


def train(student, optimizer, batches, mask=None, *, moves=True):
    """Take a step a batch. A mask silences pruned gradients, moves=False silences all."""
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(student(x), y).backward()
        for name, kept in (mask or {}).items():
            student.get_submodule(name).weight.grad *= torch.tensor(kept)
        for weight in student.parameters():
            weight.grad *= moves
        optimizer.step()


def cut(student, mask):
    """Set the pruned weights of this very model to zero; the optimiser keeps its notes."""
    with torch.no_grad():
        for name, kept in mask.items():
            student.get_submodule(name).weight *= torch.tensor(kept)


def pruned_with(new, *, history=False, decay=0.0):
    """Make a pruned network and its optimiser, which may have trained it before the cut."""
    student = copy.deepcopy(model)
    optimizer = new(student.parameters())
    optimizer.param_groups[0]["weight_decay"] = decay
    if history:
        train(student, optimizer, batches[:5])
    cut(student, mask)
    return student, optimizer


# %% tags=["tensorflow", "fold"]
optimisers = {
    "SGD": lambda **options: keras.optimizers.SGD(0.1, **options),
    "SGD, momentum": lambda **options: keras.optimizers.SGD(0.1, momentum=0.9, **options),
    "Adam": lambda **options: keras.optimizers.Adam(1e-3, **options),
    "AdamW": lambda **options: keras.optimizers.AdamW(1e-3, **options),
    "RMSprop": lambda **options: keras.optimizers.RMSprop(1e-3, **options),
}
x, y = mnist.train[0][:7_680] / np.float32(255), mnist.train[1][:7_680]
batches = list(zip(np.split(x, 15), np.split(y, 15), strict=True))


def train(student, optimizer, batches, mask=None, *, moves=True):
    """Take a step a batch. A mask silences pruned gradients, moves=False silences all."""
    for x, y in batches:
        with tf.GradientTape() as tape:
            loss = cross_entropy(y, student(x))
        gradients = tape.gradient(loss, student.trainable_variables)
        for place, kept in enumerate((mask or {}).values()):
            # Kernels and biases take turns.
            gradients[2 * place] *= kept.T.astype(np.float32)
        gradients = [gradient * float(moves) for gradient in gradients]
        optimizer.apply_gradients(zip(gradients, student.trainable_variables, strict=True))


def cut(student, mask):
    """Set the pruned weights of this very model to zero; the optimiser keeps its notes."""
    for name, kept in mask.items():
        kernel = student.get_layer(name).kernel
        kernel.assign(kernel * kept.T.astype(np.float32))


def pruned_with(new, *, history=False, decay=0.0):
    """Make a pruned network and its optimiser, which may have trained it before the cut."""
    student = pv.apply(model, pv.prune(model, 0.0))
    optimizer = new(weight_decay=decay) if decay else new()
    optimizer.build(student.trainable_variables)
    if history:
        train(student, optimizer, batches[:5])
    cut(student, mask)
    return student, optimizer


# %% tags=["trains", "answer"]
guess = ...  # how many of the five optimisers?
mask = pv.prune(model, 0.9)
then = batches[5:]  # the first five are for the history


def share_back(new, masked=None, *, moves=True, keep=False, **options):
    """Prune, train, and say which share of the zeros is back."""
    student, optimizer = pruned_with(new, **options)
    with pv.keep_pruned(student, mask) if keep else contextlib.nullcontext():
        train(student, optimizer, then, masked, moves=moves)
    return alive(student, mask) / mask.pruned


ideas = {
    "nothing": {},
    "new, silenced": {"masked": mask},
    "old, silenced": {"masked": mask, "history": True},
    "decay alone": {"moves": False, "decay": 0.1},
    "keep_pruned": {"keep": True, "history": True},
}
back = {
    name: [share_back(new, **options) for options in ideas.values()]
    for name, new in optimisers.items()
}
rows = [
    [name, *(f"{share:.0%}" if share else "none" for share in line)] for name, line in back.items()
]
pv.teaching.table([f"back after {len(then)} steps", *ideas], rows)
pv.teaching.compare(
    guess, sum(line[2] > 0 for line in back.values()), "of five, by the third column"
)

# %% [markdown]
# **Explain.** Read it column by column. *Nothing*: a pruned weight still has a gradient, and any optimiser follows it. A
# *new* optimiser without gradient has nothing to move a weight by. An *old* one with momentum remembers the direction in
# which the weight was going, and goes on; RMSprop remembers how large gradients were, not where they pointed. *Weight
# decay* takes a share of the weight, and a share of zero is zero: it brings nothing back.
# Setting the weights to zero again after each step is always enough. That is what `pv.keep_pruned` does.
#
# **What would have shown us wrong?** Zeros back in the second column, or none in the third.

# %% [markdown]
# ### Exercise 3 · Keep the zeros
#
# This Adam has trained the network before the cut, so it has a history. Take one step with the next batch. The pruned
# weights have to be zero afterwards, and the others have to move. Do it without `pv.keep_pruned`; `train` and `cut` from
# the folded cell may help. Then make `after`, which is to be like `before`: the weights of each layer.

# %% tags=["exercise"]
mask = pv.prune(model, 0.9)
student, optimizer = pruned_with(optimisers["Adam"], history=True)
before = {layer.name: layer.weight.copy() for layer in pv.network(student).layers}

# solution: after = ...
train(student, optimizer, batches[5:6])
cut(student, mask)
after = {layer.name: layer.weight.copy() for layer in pv.network(student).layers}
# end of solution

# %% tags=["check"]
check.zeros_kept(after, before=before, mask=mask)

# %% [markdown]
# ## Why is my file not smaller?
#
# The network has lost 90% of its weights. The cell writes real files: with all numbers in them
# (safetensors, much like the framework's own), the same under gzip, and as `pv.save` does it.
#
# **Predict.** The dense network takes 1,067 kB. How many does the pruned one take, without gzip?

# %% tags=["answer"]
guess = ...  # kB


def write(network, name):
    """Write three files; return their sizes in bytes."""
    arrays = {}
    for layer in pv.network(network).layers:
        arrays[f"{layer.name}.weight"] = np.ascontiguousarray(layer.weight)
        arrays[f"{layer.name}.bias"] = np.ascontiguousarray(layer.bias)
    ends = ("safetensors", "gz", "pruned")
    raw, zipped, compact = (Path(folder.name) / f"{name}.{end}" for end in ends)
    safetensors.numpy.save_file(arrays, raw)
    zipped.write_bytes(gzip.compress(raw.read_bytes(), compresslevel=6, mtime=0))
    pv.save(network, compact)
    return [path.stat().st_size for path in (raw, zipped, compact)]


mask = pv.prune(model, 0.9)
thin = pv.apply(model, mask)
sizes = {name: write(network, name) for name, network in (("dense", model), ("90% pruned", thin))}
rows = [[name, *(f"{size / 1000:,.0f} kB" for size in row)] for name, row in sizes.items()]
pv.teaching.table(["", "plain", "gzip", "pv.save"], rows)
pv.teaching.compare(guess, round(sizes["90% pruned"][0] / 1000), "kB")

values = 4 * mask.kept
positions = b"".join(np.packbits(kept).tobytes() for kept in mask.values())
print(f"values: {mask.kept:,} weights of 4 bytes     {values / 1000:4.0f} kB")
print(f"positions: {mask.total:,} weights of 1 bit  {len(positions) / 1000:4.0f} kB")

# %% tags=["pytorch", "fold"]
with_masks = copy.deepcopy(model)
weights = [(with_masks.get_submodule(name), "weight") for name in mask]
prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=0.9)
largest = {"90% pruned, masks stored": file_size(with_masks.state_dict())}

# %% tags=["tensorflow", "fold"]
largest = {"90% pruned, wrapped": files["wrapped"]}

# %% tags=["fold", "answer"]
bars = {
    "dense": sizes["dense"][0],
    **largest,
    "90% pruned": sizes["90% pruned"][0],
    "dense, gzip": sizes["dense"][1],
    "90% pruned, gzip": sizes["90% pruned"][1],
    "90% pruned, pv.save": sizes["90% pruned"][2],
}
figure = Figure(figsize=(8, 3), layout="constrained")
ax = figure.subplots()
kilobytes = [size / 1000 for size in bars.values()]
colours = [style.PRUNED if "pruned" in name else style.KEPT for name in bars]
edges = [style.PRUNED_EDGE if "pruned" in name else style.KEPT for name in bars]
ax.barh(list(bars), kilobytes, color=colours, edgecolor=edges, height=0.7)
for row, size in enumerate(kilobytes):
    place = {"textcoords": "offset points", "va": "center"}
    ax.annotate(f"{style.grouped(size)} kB", (size, row), (5, 0), **place)
ax.invert_yaxis()
ax.set(xlabel="size of the file (kB)", xlim=(0, 1.15 * max(kilobytes)))
ax.spines[["top", "right"]].set_visible(False)
style.title(ax, "The same network in six files")
words = "; ".join(f"{name}: {size / 1000:,.0f} kB" for name, size in bars.items())
pv.teaching.show(figure, alt=f"Sizes of six files. {words}.")

# %% [markdown]
# **Explain.** A file of numbers spends four bytes on each, and a zero is a number. Cutting weights changes what is
# written, not how much. It only makes the file easier to compress, so somebody has to: gzip, which knows nothing of
# weights, or a format that stores which weights are alive and only their values, both compressed. Masks and copies
# that a tool keeps make the file larger still.
#
# **What would have shown us wrong?** A plain file that shrinks with the number of weights.

# %% [markdown]
# ### Exercise 4 · Under a hundred kilobytes
#
# An open one. Make `card`, the scorecard on `validation` of a fine-tuned network whose file takes at most 100 kB under
# gzip, with at least 4,825 of the 5,000 images right. `fine_tuned(mask)` takes about ten seconds. Which sparsity, which
# criterion?

# %% tags=["exercise"]
# solution: card = ...
mask = pv.prune(model, 0.935, criterion="wanda", data=scored_on)
card = pv.scorecard(fine_tuned(mask), validation)
# end of solution

# %% tags=["check"]
check.small_file(card, at_least=4_825)

# %% [markdown]
# ## A network too small to prune?
#
# A small network has a single hidden layer of ten neurons, 784-10-10. It is trained three times, because small networks
# differ. That takes about 30 seconds.
#
# **Predict.** At 60%, LeNet-300-100 has lost a few right answers. How many has the median of the small ones?


# %% tags=["pytorch", "trains", "fold"]
def small_network(seed):
    """Train 784-10-10 for eight epochs."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.ReLU(), nn.Linear(10, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3, fused=True)
    for epoch in range(8):
        one_epoch(network, optimizer, seed=epoch)
    return network


# %% tags=["tensorflow", "trains", "fold"]
def small_network(seed):
    """Train 784-10-10 for eight epochs."""
    keras.utils.set_random_seed(seed)
    network = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(10, activation="relu"),
            keras.layers.Dense(10),
        ]
    )
    network.compile(keras.optimizers.Adam(5e-3), loss=cross_entropy)
    network.fit(pictures, epochs=8, shuffle=False, verbose=0)
    return network


# %% tags=["trains", "answer"]
guess = ...  # how many right answers are lost?
small = [small_network(seed) for seed in range(3)]
levels = [0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
large = pv.sweep(model, validation, levels, progress=False)
runs = [pv.sweep(network, validation, levels, progress=False) for network in small]
lines = {"LeNet-300-100": large, "784-10-10": runs}
title = "A large and a small network, cut by magnitude"
ax = pv.plot_tradeoff(lines, title=title)
words = (
    "Accuracy against sparsity. The small networks bend between 40 and 50%, the large one later."
)
pv.teaching.show(ax, alt=words)
large_lost, *small_lost = (cards[0].correct - cards[5].correct for cards in (large, *runs))
print(f"lost at 60%: {large_lost} (large); {', '.join(map(str, small_lost))} (the small ones)")
kilobytes = [f"{cards[0].raw_bytes / 1000:,.0f} kB" for cards in (large, runs[0])]
print(f"plain files: {' and '.join(kilobytes)}")
pv.teaching.compare(guess, int(np.median(small_lost)), "lost")

# %% [markdown]
# There is less to cut, and less to gain: the whole file is 32 kB. Why the small ones bend earlier, these curves do not
# say: width, accuracy and training differ too. Lesson 02b asks whether you should have started small.

# %% [markdown]
# ## The report
#
# Everything so far was chosen by validation images. The choice is 90%, one epoch, and magnitude, as the
# framework's tool prunes, though Wanda was ahead. Now, once, the test images.

# %% tags=["trains"]
reported = {"dense": model, "dense, same epoch": students["nothing pruned"]}
reported["90% pruned, same epoch"] = students["magnitude"]
rows = []
for name, network in reported.items():
    card = pv.scorecard(network, test)
    low, high = card.interval
    rows.append(
        [
            name,
            f"{card.accuracy:.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{card.gzip_bytes / 1000:,.0f} kB",
        ]
    )
pv.teaching.table([f"{card.n:,} test images", "right", "95% interval", "gzip"], rows)

# %% [markdown]
# The pruned network pays for its small file with accuracy, after one epoch at least; and the epoch itself costs
# something. The interval covers the choice of images, not the training.

# %% [markdown]
# ### Exercise 5 · Clothes
#
# An open one, for those with a network connection: `pv.datasets.fashion_mnist()` fetches some megabytes, once, and gives clothes
# in place of digits, in arrays of the same shapes. Train LeNet-300-100 on them, prune it, and fine-tune. Make `clothes`,
# the scorecard on *their* validation images: at most 150 kB under gzip, at least 4,400 of 5,000 right. It takes about
# eight epochs, half a minute.

# %% tags=["pytorch", "exercise", "fetches"]
# solution: clothes = ...
fashion = pv.datasets.fashion_mnist()
x = torch.tensor(fashion.train[0].transpose(0, 3, 1, 2) / np.float32(255))
y = torch.tensor(fashion.train[1])


def fitted(network, epochs, mask):
    """Train with a rate that falls to zero; what the mask prunes stays zero."""
    optimizer = torch.optim.Adam(network.train().parameters(), 4e-3, fused=True)
    steps = epochs * -(-len(x) // 256)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=steps)
    with pv.keep_pruned(network, mask, optimizer):
        for _ in range(epochs):
            for rows in torch.randperm(len(x)).split(256):
                optimizer.zero_grad()
                F.cross_entropy(network(x[rows]), y[rows]).backward()
                optimizer.step()
                falling.step()
    return network.eval()


dressed = copy.deepcopy(model)
for layer in dressed.children():
    if hasattr(layer, "reset_parameters"):
        layer.reset_parameters()
dressed = fitted(dressed, 3, pv.prune(dressed, 0.0))
mask = pv.prune(dressed, 0.895)
clothes = pv.scorecard(fitted(pv.apply(dressed, mask), 5, mask), fashion.validation)
# end of solution

# %% tags=["tensorflow", "exercise", "fetches"]
# solution: clothes = ...
fashion = pv.datasets.fashion_mnist()
x, y = fashion.train[0] / np.float32(255), fashion.train[1]


def fitted(network, epochs, mask):
    """Train with a rate that falls to zero; what the mask prunes stays zero."""
    falling = keras.optimizers.schedules.PolynomialDecay(4e-3, epochs * -(-len(x) // 256), 0.0)
    network.compile(keras.optimizers.Adam(falling), loss=cross_entropy)
    with pv.keep_pruned(network, mask):
        network.fit(x, y, batch_size=256, epochs=epochs, verbose=0)
    return network


dressed = keras.models.clone_model(model)  # the layers, with fresh weights
dressed = fitted(dressed, 3, pv.prune(dressed, 0.0))
mask = pv.prune(dressed, 0.895)
clothes = pv.scorecard(fitted(pv.apply(dressed, mask), 5, mask), fashion.validation)
# end of solution

# %% tags=["check", "fetches"]
check.clothes(clothes, at_least=4_400)

# %% [markdown]
# ## Now yours
#
# Cut, fine-tune with the zeros held, and weigh the file, in your framework's own words.

# %% tags=["pytorch", "yours", "trains"]
import copy
import gzip
import io

import torch
from torch.nn.utils import prune

model, (x, y) = pv.zoo.lenet_300_100("torch"), scored_on  # put your model and data here
x, y = torch.tensor(x).movedim(-1, 1).contiguous() / 255, torch.tensor(y)

pruned = copy.deepcopy(model).train()
kinds = torch.nn.Linear | torch.nn.Conv2d
weights = [(layer, "weight") for layer in pruned.modules() if isinstance(layer, kinds)]
prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=0.9)
optimizer = torch.optim.Adam(pruned.parameters(), lr=1e-3)
for part in torch.randperm(len(x)).split(100):  # fine-tune; the masks hold the zeros
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(pruned(x[part]), y[part]).backward()
    optimizer.step()
for layer, name in weights:
    prune.remove(layer, name)  # only now
    layer.weight.data += 0.0  # makes −0.0, which masks leave, a 0.0: one kind of zero packs better
file = io.BytesIO()
torch.save(pruned.eval().state_dict(), file)
right = (pruned(x).argmax(1) == y).float().mean()
size = len(gzip.compress(file.getvalue()))
print(f"{right:.1%} right on what it learned from, {size / 1000:,.0f} kB")

# %% tags=["tensorflow", "yours", "trains"]
import gzip

import keras
import numpy as np

model, (x, y) = pv.zoo.lenet_300_100("keras"), scored_on  # put your model and data here
x = x / np.float32(255)

pruned = keras.models.clone_model(model)
pruned.set_weights(model.get_weights())
kernels = [variable for variable in pruned.trainable_variables if len(variable.shape) > 1]
sizes = np.concatenate([np.abs(kernel.numpy()).ravel() for kernel in kernels])
masks = [np.abs(kernel.numpy()) >= np.quantile(sizes, 0.9) for kernel in kernels]


def hold(*_, **__):
    for kernel, mask in zip(kernels, masks, strict=True):
        kernel.assign(np.where(mask, kernel.numpy(), 0))


hold()
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
pruned.compile(keras.optimizers.Adam(1e-3), loss)
after_each_step = keras.callbacks.LambdaCallback(on_train_batch_end=hold)
pruned.fit(x, y, batch_size=100, verbose=0, callbacks=[after_each_step])
size = len(gzip.compress(b"".join(array.tobytes() for array in pruned.get_weights())))
right = np.mean(pruned.predict(x, verbose=0).argmax(1) == y)
print(f"{right:.1%} right on what it learned from, {size / 1000:,.0f} kB")

# %% [markdown]
# ## Quiz

# %% [markdown] tags=["quiz"]
# A network is pruned by 90% and saved as it is. How large is the file?
# - [x] As large as before, or larger if masks are stored too.
#   why: Every number takes its bytes, zero or not. A tool that keeps the original weights beside a mask
#   stores two arrays instead of one.
# - [ ] About a tenth as large, since nine weights of ten are gone.
#   why: That would need a format that leaves the zeros out. Usual ones write every number of an array, zeros
#   included.
# - [ ] Somewhat larger, since so many zeros take more room.
#   why: A zero takes exactly as many bytes as any other number. When a file grows, something was added to it:
#   look for masks and copies.

# %% [markdown] tags=["quiz"]
# Why does the size of the gradient choose badly in a trained network?
# - [ ] In a trained network, gradients are mostly random noise.
#   why: They are computed exactly, and choose better than chance. They answer another question.
# - [x] A small slope tells of a small step, and a cut is a large one.
#   why: After training nearly all slopes are small. Whether the loss rises on the way to zero depends on how
#   the valley bends and on how far zero is.
# - [ ] Its gradients are good only after still longer training.
#   why: Nothing here shows that longer training would help.

# %% [markdown] tags=["quiz"]
# You cut weights, go on with the same Adam, and set the gradients of pruned weights to zero in each step. What
# happens?
# - [ ] They stay zero, since nothing pushes them.
#   why: Something does: Adam's average of earlier gradients. It fades only slowly.
# - [ ] They stay zero if weight decay is on.
#   why: Weight decay takes a share of the weight. Of zero that is nothing, and what Adam remembers
#   moves the weight as before.
# - [x] They move away from zero, by what Adam remembers.
#   why: Its average of gradients from before the cut is not zero. Set the weights to zero after each step, or
#   begin with a new optimiser.

# %% [markdown] tags=["quiz"]
# A paper prunes half, three times, each time half of what is left. How much remains?
# - [ ] Nothing: one and a half is more than there is.
#   why: That takes half of the original each time. The second and third call find less to take from.
# - [x] One eighth.
#   why: Half of a half of a half. Such calls multiply what is kept.
# - [ ] One half.
#   why: So it would be if every call counted from the whole, as `pv.prune` does. This paper counts from what
#   is left. Read which of the two is meant.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *I pruned my model, and it is as large as before. Is a step missing?* ([pytorch/pytorch, thread
# 32928](https://github.com/pytorch/pytorch/issues/32928))
#
# Yes, and `torch.nn.utils.prune` does not have it. It puts masks on weights, for research on *which* weights
# can go. To get something for it, you need one more step:
#
# - a smaller file: `remove`, then compress, or store only the weights that are alive, as above;
# - a smaller and faster network: cut whole neurons, filters or channels, and build the smaller layers. That
#   begins in lesson 02a.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *I pruned my model, and its .h5 file is no smaller. How do I get a small one?*
# ([tensorflow/model-optimization, thread 760](https://github.com/tensorflow/model-optimization/issues/760))
#
# Not by pruning alone. tfmot sets weights to zero, and a zero takes its bytes like any other number. To get
# something for it, you need one more step:
#
# - a smaller file: `strip_pruning`, then compress, or store only the weights that are alive, as above;
# - a smaller and faster network: cut whole neurons, filters or channels, and build the smaller layers. That
#   begins in lesson 02a.

# %% [markdown] tags=["pytorch"]
# ## Recap
#
# - Five criteria, one network: size times input leads, for one pass of the images and no labels; Taylor follows, for
#   labels and gradients; then magnitude, for next to nothing. The gradient falls behind: it tells of a small step, and
#   a cut is a large one.
# - `torch.nn.utils.prune` makes the same masks. While masked, the file is double; after `remove`, zeros are
#   free to move; a masked layer cannot be copied; and calls compound.
# - One masked epoch mends most of the damage. Plain gradients bring zeros back with any optimiser, and so do
#   momentum and Adam's memory behind a silenced gradient. Zero them again after each step.
# - Zeros take as many bytes as other numbers. Compress, or store only what is alive. A small network has less
#   to cut, and less to gain.

# %% [markdown] tags=["tensorflow"]
# ## Recap
#
# - Five criteria, one network: size times input leads, for one pass of the images and no labels; Taylor follows, for
#   labels and gradients; then magnitude, for next to nothing. The gradient falls behind: it tells of a small step, and
#   a cut is a large one.
# - tfmot makes the same masks, layer by layer, for `tf_keras` models. While wrapped, the file is larger; the
#   given model is pruned too; after `strip_pruning`, zeros are free to move.
# - One masked epoch mends most of the damage. Plain gradients bring zeros back with any optimiser, and so do
#   momentum and Adam's memory behind a silenced gradient. Zero them again after each step.
# - Zeros take as many bytes as other numbers. Compress, or store only what is alive. A small network has less
#   to cut, and less to gain.

# %% [markdown]
# ## Further reading
#
# - Y. LeCun, J. S. Denker and S. A. Solla. Optimal Brain Damage. *Advances in Neural Information Processing
#   Systems* 2, 1990. The slope is zero, so look at the bend.
# - S. Han, J. Pool, J. Tran and W. J. Dally. Learning both Weights and Connections for Efficient Neural
#   Networks. *Advances in Neural Information Processing Systems* 28, 2015. Cut by size, fine-tune, repeat.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila and J. Kautz. Pruning Convolutional Neural Networks for
#   Resource Efficient Inference. *International Conference on Learning Representations*, 2017. Activation
#   times gradient; their paper of 2019, in lesson 03's list, has the score for weights.
# - M. Zhu and S. Gupta. To prune, or not to prune: exploring the efficacy of pruning for model compression.
#   arXiv:1710.01878, 2017. Large and sparse against small and dense; the method inside tfmot.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle and J. Guttag. What is the State of Neural Network Pruning?
#   *Proceedings of Machine Learning and Systems* 2, 2020. Curves, controls and seeds.

# %% [markdown] tags=["pytorch"]
# - PyTorch. *Pruning Tutorial*,
#   [docs.pytorch.org](https://docs.pytorch.org/tutorials/intermediate/pruning_tutorial.html), and the
#   [reference of `torch.nn.utils.prune`](https://docs.pytorch.org/docs/stable/nn.html#utilities).
# - V. Sanh, T. Wolf, A. M. Rush. Movement Pruning. *Advances in Neural Information Processing Systems* 33, 2020; N. Lee,
#   T. Ajanthan, P. H. S. Torr. SNIP. *International Conference on Learning Representations*, 2019. Where gradients
#   choose well: during training, and before it.
# - You may read that pruning by gradient is more robust, that zeros save memory, or that they make a file grow (copies and
#   masks do; Muheeb names both): Jan Marcel Kezmann, *Optimizing Deep Learning Models with
#   Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine;
#   Ridwan Muheeb, *Evaluation of Gradient-Based Magnitude Pruning Technique*; *How to do pruning so you don't
#   cry later*.

# %% [markdown] tags=["tensorflow"]
# - TensorFlow Model Optimization. *Trim insignificant weights* and *Pruning comprehensive guide*,
#   [tensorflow.org](https://www.tensorflow.org/model_optimization/guide/pruning).
# - V. Sanh, T. Wolf, A. M. Rush. Movement Pruning. *Advances in Neural Information Processing Systems* 33, 2020; N. Lee,
#   T. Ajanthan, P. H. S. Torr. SNIP. *International Conference on Learning Representations*, 2019. Where gradients
#   choose well: during training, and before it.
# - You may read that pruning by gradient is more robust, that zeros save memory, or that they make a file grow (copies and
#   masks do; Muheeb names both): Jan Marcel Kezmann, *Optimizing Deep Learning Models with
#   Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine;
#   Ridwan Muheeb, *Evaluation of Gradient-Based Magnitude Pruning Technique*; *How to do pruning so you don't
#   cry later*.
