# %% [markdown]
# # 01c · Weight pruning: what to cut, with what
#
# In 01a you cut the smallest weights, and size turned out to be a guess that can fail. Here you compare it
# with other guesses. Then you do the same with the tool that comes with your framework, train a pruned
# network on without losing its zeros, and find out why its file is as large as before.

# %% [markdown]
# ## What you will learn
#
# - To compare four ways of choosing weights, and why a small slope does not mean a safe cut.
# - To prune with the framework's own tool, and to recognise its traps before they cost you a day.
# - To train a pruned network on, and which optimisers bring its zeros back.
# - Why a file full of zeros is not smaller, how to make it smaller, and when a network is too small to
#   bother.
#
# **Before you start.** You have done lesson 01a: threshold, mask, layer and global scope. You have trained a
# network before, if only by copying a recipe.
#
# **Time.** 40 minutes, and 20 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/01c_weight_pruning_tools.ipynb); the [first lesson](../00_start_here.ipynb) explains
# the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track. The same lesson for PyTorch is [on the other
# track](../pytorch/01c_weight_pruning_tools.ipynb); the [first lesson](../00_start_here.ipynb) explains the
# words.

# %% tags=["pytorch"]
import pruneviz as pv

pv.teaching.start("pytorch")

# %% tags=["tensorflow"]
import pruneviz as pv

pv.teaching.start("tensorflow")

# %% tags=["pytorch"]
import copy

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from pruneviz.plots import style

mnist = pv.datasets.mnist()
model = pv.zoo.lenet_300_100("torch")
dense = pv.scorecard(model, mnist.validation, name="dense")
print(f"{dense.parameters:,} parameters")
print(f"{dense.correct:,} of {dense.n:,} validation images right")

scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

# %% tags=["tensorflow"]
import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.plots import style

mnist = pv.datasets.mnist()
model = pv.zoo.lenet_300_100("keras")
dense = pv.scorecard(model, mnist.validation, name="dense")
print(f"{dense.parameters:,} parameters")
print(f"{dense.correct:,} of {dense.n:,} validation images right")

scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

# %% [markdown]
# It is LeNet-300-100 again. Until the last section you look at validation images only. Whatever you choose by
# looking at images, you cannot report with the same images.

# %% [markdown]
# ## Four ways to choose
#
# > **Card: a gradient is a slope.** The gradient at a weight says how steeply the loss rises or falls when
# > you nudge that weight a little. Its sign is the direction, its size the steepness. It describes the ground
# > under your feet, not the valley around you.
#
# A criterion gives each weight a score, and the lowest scores go. Here are four, for a weight $w$ with slope
# $g$:
#
# | criterion | score | the idea |
# |---|---|---|
# | `"magnitude"` | size of $w$ | a small weight changes little |
# | `"gradient"` | size of $g$ | where the loss is flat, nothing happens |
# | `"taylor"` | size of $w \cdot g$ | the slope, times the distance from $w$ to zero |
# | `"random"` | drawn at random | no idea: the control that the others have to beat |
#
# **Predict.** Seventy per cent of all weights go, compared across layers. Which criterion keeps the most
# images right, and which the fewest? Put your order into the next cell.

# %%
my_order = ["gradient", "taylor", "magnitude", "random"]  # best first: change it

# %% [markdown]
# **Measure.** Gradients need images: `scored_on` holds the first 10,000 training images. The accuracy is
# measured on the validation images. The random scores are drawn three times, because one draw may be lucky.

# %% tags=["slow"]
sparsities = [0.3, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]


def at_random(seed):
    """Give a criterion that scores at random. Any function of a layer is a criterion."""
    draw = np.random.default_rng(seed)
    return lambda layer: draw.random(layer.shape)


def sweep(criterion):
    """Measure seven sparsities, one shot each, from the same trained network."""
    options = {"criterion": criterion, "scored_on": scored_on, "progress": False}
    return pv.sweep(model, mnist.validation, sparsities, **options)


rules = ("magnitude", "taylor", "gradient")
curves = {criterion: sweep(criterion) for criterion in rules}
draws = [sweep(at_random(seed)) for seed in range(3)]
lines = {**curves, "random": draws}
ax = pv.plot_tradeoff(lines, reference=dense, title="Four criteria, one network")
pv.teaching.show(ax)

# %% tags=["slow"]
curves["random"] = draws[0]  # the first of the three
at_70 = {name: cards[sparsities.index(0.7)].correct for name, cards in curves.items()}
measured = sorted(at_70, key=at_70.get, reverse=True)
places = sum(mine == real for mine, real in zip(my_order, measured, strict=True))
print(f"measured at 70%: {', '.join(measured)}")
print(f"your order:       {', '.join(my_order)}")
print(f"{places} of 4 in the right place")

# %% [markdown]
# Taylor leads, and its lead grows. Magnitude follows. The gradient keeps up with them to about the middle,
# then it falls far behind, though it still beats chance. At 95%, magnitude has fallen to where the gradient
# is. To see why the gradient fails, do the cut in slow motion.
#
# ### A slope is not a walk
#
# Take the 70% that a criterion wants to cut. Do not cut them yet. Shrink them together, from their full size
# to nothing, and watch the loss.
#
# **Predict.** The gradient criterion chose weights at which the loss is flat. How will its curve begin? And
# how will it end?

# %% tags=["slow"]
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


shares = [1, 0.8, 0.6, 0.4, 0.2, 0]
ways = {}
print("            the slope promises   the cut costs")
for criterion in ("gradient", "magnitude", "taylor"):
    mask = pv.prune(model, 0.7, criterion=criterion, data=scored_on)
    ways[criterion] = [loss(mask, share) for share in shares]
    promise = (loss(mask, 0.99) - loss(mask, 1)) / 0.01
    cost = ways[criterion][-1] - ways[criterion][0]
    print(f"{criterion:11} {abs(promise):19.3f} {cost:15.2f}")

# %% jupyter={"source_hidden": true} tags=["slow"]
figure = Figure(figsize=(8, 3.4), layout="constrained")
ax = figure.subplots()
gone = [100 * (1 - share) for share in shares]
looks = dict(zip(rules, style.SERIES, strict=False))  # as in the figure above
for criterion, values in ways.items():
    colour, marker, dashes = looks[criterion]
    ax.plot(gone, values, color=colour, marker=marker, linestyle=dashes)
    above = 5 if criterion == "magnitude" else 0
    text = {"textcoords": "offset points", "color": colour, "va": "center"}
    ax.annotate(criterion, (100, values[-1]), (8, above), **text)
ax.set(xlabel="how far the weights have shrunk (%)", ylabel="loss")
ax.set(xlim=(-2, 118), ylim=(0, None), xticks=gone)
ax.spines[["top", "right"]].set_visible(False)
style.title(ax, "The way from a weight to zero, for the 70% that each criterion cuts")
ends = ", ".join(f"{name} is at {values[-1]:.2f}" for name, values in ways.items())
pv.teaching.show(
    figure,
    alt="Loss while the weights to be cut shrink to zero. "
    f"All three curves begin flat and near zero. At the end {ends}.",
)

# %% [markdown]
# **Explain.** Training walks downhill until the loss hardly changes any more. So at the end *every* slope is
# small, whether the walls of the valley are steep or not. The slope under your feet is the same in a wide
# valley and in a narrow gorge. A cut does not nudge the weight; it carries it all the way to zero.
#
# The Taylor score mends half of this: it multiplies the slope by the length of the way. Optimal Brain Damage
# (LeCun and others, 1990) mends the other half: it takes the slope as zero, and scores by how the valley
# bends. Exercise 1 is about that.
#
# A second weakness: slopes depend on the images that you score with.

# %% tags=["slow"]
parts = {
    "first 10,000": scored_on,
    "next 10,000": tuple(part[10_000:20_000] for part in mnist.train),
    "all 55,000": mnist.train,
}
print("right at 80%, scored on    " + "".join(f"{part:>15}" for part in parts))
for criterion in rules:
    print(f"{criterion:26}", end=" ")
    for data in parts.values():
        mask = pv.prune(model, 0.8, criterion=criterion, data=data)
        card = pv.scorecard(pv.apply(model, mask), mnist.validation)
        print(f"{card.correct:15,}", end="")
    print()

# %% [markdown]
# Magnitude asks no image. Taylor hardly cares which. The gradient changes by hundreds of answers, and does
# worst with the most images: a slope that is measured better is not a better score.
#
# > **Put right.** *Optimizing Deep Learning Models with Pruning* says that pruning by gradient can be more
# > robust than by magnitude, because it takes the influence on the model's performance into account. It takes
# > the slope into account, and on this network that is the less robust of the two. Ridwan Muheeb's
# > *Evaluation of Gradient-Based Magnitude Pruning Technique* has the gradient in its title only: the method
# > it evaluates looks at sizes of weights, and no gradient is computed.
#
# **Touch.** Drag the slider to 80%, and choose the criterion beside it. Go through all four. Which layer does
# each of them spare, and where does its curve bend? Then take taylor with the scope "each layer".

# %% tags=["slow"]
view = pv.explore(model, mnist.validation, scored_on=scored_on, predict=False)
view.title = "LeNet-300-100"
view

# %% tags=["slow"]
# The same from code. The view follows.
view.by_hand, view.sparsity = {}, 0.8
choices = [("taylor", "layer")]
choices += [(criterion, "global") for criterion in ("taylor", "gradient", "random", "magnitude")]
print("80% pruned                    right     fc1 loses   fc2 loses   fc3 loses")
for criterion, scope in choices:
    view.criterion = criterion
    view.scope = scope
    await view.measured()
    mask = view.result()
    gone = "".join(f"{100 * np.mean(~kept):11.0f}%" for kept in mask.values())
    print(f"{criterion:10} {scope:7} {view.card.correct:5,} of {view.n:,}  {gone}")

print(view.sentence())
print("same mask as pv.prune:  ", mask == pv.prune(model, 0.8))
names = {"model": model}
exec(view.snippet, names)  # what Show code shows
same = (np.array_equal(names["keep"][name], kept.ravel()) for name, kept in mask.items())
print("same mask by Show code: ", all(same))

# %% [markdown]
# Taylor and the gradient take nearly the same share of each layer, and both spare the last one. So the
# gradient does not fail by *where* it cuts, but by *which* weights it takes there.
#
# Layer by layer Taylor falls far behind. Its scores have the unit of the loss in every layer, so they may be
# compared across layers, and scope `"layer"` forbids just that. Show code writes the cut as a program to take
# away.

# %% [markdown] tags=["pytorch"]
# ## PyTorch's own tool
#
# PyTorch brings `torch.nn.utils.prune`. You name the layers and the share, it makes the masks.

# %% tags=["pytorch"]
from torch.nn.utils import prune

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
# **Trap 2: no copies.** After a forward pass the masked layer cannot be deep-copied. Training loops that keep
# the best model by `copy.deepcopy` stop here.
#
# **Trap 3: the zeros can come back.** `prune.remove` makes the cut permanent, and the file as large as
# before. But it also takes the mask away, and with it what kept the zeros at zero. What is removed is the
# mask, not the weights.
#
# **Predict.** How many of the pruned weights are back after `remove` and a single step of plain SGD? None, a
# few, or many?

# %% tags=["pytorch", "trains"]
import tempfile
from pathlib import Path

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

masked(images[:1])
try:
    copy.deepcopy(masked)
except RuntimeError as error:
    print(f"trap 2: {str(error).partition('.')[0]}.")

for layer, name in weights:
    prune.remove(layer, name)
print(f"trap 3: after remove {file_size(masked.state_dict()) / 1000:,.0f} kB")
print(f"        zeros that are back: {alive(masked, ours)}")
optimizer = torch.optim.SGD(masked.parameters(), lr=0.1)
F.cross_entropy(masked(images[:512]), labels[:512]).backward()
optimizer.step()
back = 100 * alive(masked, ours) / ours.pruned
print(f"        after one more step of SGD: {back:.0f}%")

# %% [markdown] tags=["pytorch"]
# So: copy before you mask or after `remove`; save after `remove`; and train on either before `remove` or with
# something else that keeps the zeros.
#
# ### Calls that compound
#
# **Predict.** You call the tool three times on the same model, with 25%, 50% and 60%. How much is gone?

# %% tags=["pytorch"]
repeated = copy.deepcopy(model)
weights = [(repeated.get_submodule(name), "weight") for name in ours]
for amount in (0.25, 0.5, 0.6):
    prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=amount)
    pruned = sum(int((layer.weight_mask == 0).sum()) for layer, _ in weights)
    once = pv.prune(model, amount).sparsity
    print(f"amount={amount:<4}   {100 * pruned / ours.total:.1f}% are gone", end="")
    print(f"   pv.prune(model, {amount}) cuts {100 * once:.1f}%")

# %% [markdown] tags=["pytorch"]
# `amount` is a share *of what is left*. After 25%, half of the remaining 75% go, and so on. A study that
# calls the tool in a loop over its levels, as Muheeb's pseudo-code does, has to start from a fresh copy each
# time, or say that its levels compound.
#
# The rest of the traps in one table. Each line is run, not remembered: unfold the cell to see how.


# %% jupyter={"source_hidden": true} tags=["pytorch"]
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
import tensorflow_model_optimization as tfmot
import tf_keras

# TensorFlow warns when many models are trained in turn, and that is what follows.
tf.get_logger().setLevel("ERROR")
sparse = tfmot.sparsity.keras
try:
    sparse.prune_low_magnitude(model)
except ValueError as error:
    print(error)

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
# **Predict.** How many of the pruned weights are back after `strip_pruning` and a single step of plain SGD?
# None, a few, or many?

# %% tags=["tensorflow", "trains"]
import tempfile
from pathlib import Path

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
print(f"trap 3: zeros that are back: {alive(stripped, ours)}", end="")
stripped.fit(few[0][:512], few[1][:512], batch_size=512, verbose=0)
back = 100 * alive(stripped, ours) / ours.pruned
print(f"; after one more step of SGD: {back:.0f}%")

# %% [markdown] tags=["tensorflow"]
# The `.keras` file of the wrapped model holds each kernel twice, its mask, and what the optimiser remembers.
# The stripped file is exactly as large as the dense one, zeros and all.
#
# So: give tfmot a copy of a model that you still need; strip before you save; and train on either before
# stripping or with something else that keeps the zeros.
#
# ### Calls that compound
#
# **Predict.** You prune three times in a row, with 25%, 50% and 60%. How much is gone?

# %% tags=["tensorflow"]
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

# %% [markdown] tags=["tensorflow"]
# tfmot and pruneviz count from the whole layer: 60% means 60%. PyTorch's tool, and many a loop written by
# hand, takes a share *of what is left*, and three such calls leave far less. When you compare with a paper or
# another framework, find out which of the two was meant.
#
# The rest of the traps in one table. Each line is run, not remembered: unfold the cell to see how.


# %% jupyter={"source_hidden": true} tags=["tensorflow"]
class Own(tf_keras.Model):
    """A model that is a class of its own."""


def refusal(attempt):
    """Return the kind of error that an attempt raises, and what it says of callbacks."""
    try:
        attempt()
    except (ValueError, tf.errors.InvalidArgumentError) as error:
        lines = [line for line in str(error).splitlines() if "callback" in line]
        return ": ".join([type(error).__name__, *lines]).partition(" to be provided")[0]
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
#
# > **Put right.** *Optimizing Deep Learning Models with Pruning* uses `UpdatePruningStep` but never imports
# > it, so its code stops with a NameError. *How to do pruning so you don't cry later* imports no
# > `prune_low_magnitude`, passes no callback, and relies on the default: half of each layer in one cut. Both
# > build the model with `tensorflow.keras`, which today is Keras 3, and refused.

# %% [markdown] tags=["tensorflow"]
# ### Optional: a global scope with tfmot
#
# Let something else rank across layers, and hand tfmot each layer's share.

# %% tags=["tensorflow"]
whole = pv.prune(pv.zoo.lenet_300_100("tf_keras"), 0.9, scope="global")


def wrap_layer(layer):
    """Wrap a layer so that it loses the share that the global ranking takes from it."""
    if layer.name not in whole:
        return layer
    share = np.mean(~whole[layer.name])
    schedule = sparse.ConstantSparsity(share, begin_step=0, frequency=1)
    return sparse.prune_low_magnitude(layer, pruning_schedule=schedule)


network = pv.zoo.lenet_300_100("tf_keras")
by_layer = tf_keras.models.clone_model(network, clone_function=wrap_layer)
by_layer.compile(tf_keras.optimizers.SGD(0.0), loss=from_logits)
fit(by_layer)
for layer in pv.network(sparse.strip_pruning(by_layer)).layers:
    same = np.array_equal(layer.weight != 0, whole[layer.name])
    print(f"{layer.name}: {100 * np.mean(layer.weight == 0):.1f}% pruned, ", end="")
    print(f"same mask as the global ranking: {same}")

# %% [markdown]
# ## Fine-tuning
#
# Most of what a cut breaks can be mended: the weights that are left learn to do without the others. This is
# called *fine-tuning*. One rule makes it different from ordinary training. The zeros have to stay.
#
# `pv.keep_pruned` sees to that. Inside its `with` block you train as you like, and after each step the pruned
# weights are zero again.
#
# **Predict.** At 90%, the four criteria lay far apart. What will one epoch of training make of each? And how
# much will be left of the differences between them?


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
    """Prune a copy of the model, and train it for an epoch with its zeros kept."""
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
    """Prune a copy of the model, and train it for an epoch with its zeros kept."""
    keras.utils.set_random_seed(0)
    student = pv.apply(model, mask)
    student.compile(keras.optimizers.Adam(2e-3), loss=cross_entropy)
    with pv.keep_pruned(student, mask):
        student.fit(pictures, shuffle=False, verbose=0)
    return student


# %% tags=["trains", "slow"]
students = {}
print("90% pruned     before   after one epoch   zeros that came back")
for criterion in ("magnitude", "taylor", "gradient", "random"):
    mask = pv.prune(model, 0.9, criterion=criterion, data=scored_on)
    before = pv.scorecard(pv.apply(model, mask), mnist.validation)
    students[criterion] = fine_tuned(mask)
    after = pv.scorecard(students[criterion], mnist.validation)
    back = alive(students[criterion], mask)
    accuracies = [f"{100 * card.accuracy:.1f}%" for card in (before, after)]
    print(f"{criterion:12} {accuracies[0]:>8} {accuracies[1]:>17} {back:21}")

# %% [markdown]
# **Explain.** One pass over the images mends most of the damage, and closes most of the gap between the
# criteria. Magnitude and Taylor end up close together. Gradient and random do not quite catch up in one
# epoch.
#
# How much of that did the training do by itself? Only a control can tell: the network that was not pruned,
# with the same epoch on top.

# %% tags=["trains", "slow"]
control = pv.scorecard(fine_tuned(pv.prune(model, 0.0)), mnist.validation)
accuracies = [f"{100 * card.accuracy:.1f}%" for card in (dense, control)]
print(f"{'not pruned':12} {accuracies[0]:>8} {accuracies[1]:>17}")

# %% [markdown]
# The same epoch does not make the dense network better. Had it done so, part of the last column would be owed
# to the training alone. Never leave this line out.
#
# Fine-tuning is a lesson of its own, 05. Here one thing matters: the last column of the first table, all
# zeros, and what it takes to get it.

# %% [markdown]
# ## Which optimisers bring zeros back?
#
# > **Card: an optimiser remembers.** Plain SGD moves a weight by the slope of the present batch and forgets
# > it. Momentum, Adam and RMSprop keep a note for each weight: an average of past slopes, of their squares,
# > or both. These notes are the optimiser's *state*, and some of them move a weight even when its slope is
# > zero.
#
# There are four popular ideas for keeping zeros, besides keeping them by force.
#
# | | idea |
# |---|---|
# | 1 | Do nothing: what is zero stays zero. |
# | 2 | Set the slopes of pruned weights to zero, and start with a new optimiser. |
# | 3 | The same, but go on with the optimiser that trained the network before the cut. |
# | 4 | Leave it to weight decay, which pulls every weight towards zero. |
#
# **Predict.** Take a sheet and draw five columns, with `pv.keep_pruned` as the fifth. For each of five
# optimisers, put a cross where zeros come back.

# %% tags=["pytorch"]
optimisers = {
    "SGD": lambda weights: torch.optim.SGD(weights, lr=0.1),
    "SGD, momentum": lambda weights: torch.optim.SGD(weights, lr=0.1, momentum=0.9),
    "Adam": lambda weights: torch.optim.Adam(weights, lr=1e-3),
    "AdamW": lambda weights: torch.optim.AdamW(weights, lr=1e-3),
    "RMSprop": lambda weights: torch.optim.RMSprop(weights, lr=1e-3),
}
batches = list(zip(images[:7_680].split(512), labels[:7_680].split(512), strict=True))


def train(student, optimizer, batches, mask=None, *, slopes=True):
    """Take a step a batch. A mask silences pruned slopes, slopes=False silences all."""
    for x, y in batches:
        optimizer.zero_grad()
        F.cross_entropy(student(x), y).backward()
        for name, kept in (mask or {}).items():
            student.get_submodule(name).weight.grad *= torch.tensor(kept)
        for weight in student.parameters():
            weight.grad *= slopes
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


# %% tags=["tensorflow"]
optimisers = {
    "SGD": lambda **options: keras.optimizers.SGD(0.1, **options),
    "SGD, momentum": lambda **options: keras.optimizers.SGD(0.1, momentum=0.9, **options),
    "Adam": lambda **options: keras.optimizers.Adam(1e-3, **options),
    "AdamW": lambda **options: keras.optimizers.AdamW(1e-3, **options),
    "RMSprop": lambda **options: keras.optimizers.RMSprop(1e-3, **options),
}
x, y = mnist.train[0][:7_680] / np.float32(255), mnist.train[1][:7_680]
batches = list(zip(np.split(x, 15), np.split(y, 15), strict=True))


def train(student, optimizer, batches, mask=None, *, slopes=True):
    """Take a step a batch. A mask silences pruned slopes, slopes=False silences all."""
    for x, y in batches:
        with tf.GradientTape() as tape:
            loss = cross_entropy(y, student(x))
        gradients = tape.gradient(loss, student.trainable_variables)
        for place, kept in enumerate((mask or {}).values()):
            # Kernels and biases take turns.
            gradients[2 * place] *= kept.T.astype(np.float32)
        gradients = [gradient * float(slopes) for gradient in gradients]
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


# %% tags=["trains", "slow"]
import contextlib

mask = pv.prune(model, 0.9)
then = batches[5:]  # the first five are for the history


def share_back(new, masked=None, *, slopes=True, keep=False, **options):
    """Prune, train on, and say what share of the zeros is back."""
    student, optimizer = pruned_with(new, **options)
    with pv.keep_pruned(student, mask) if keep else contextlib.nullcontext():
        train(student, optimizer, then, masked, slopes=slopes)
    back = alive(student, mask)
    return f"{100 * back / mask.pruned:.0f}%" if back else "none"


titles = ("1 nothing", "2 new, masked", "3 old, masked", "4 decay", "keep_pruned")
print(f"zeros back after {len(then)} steps" + "".join(f"{title:>15}" for title in titles))
for name, new in optimisers.items():
    shares = [
        share_back(new),
        share_back(new, mask),
        share_back(new, mask, history=True),
        share_back(new, decay=0.1),
        share_back(new, keep=True, history=True),
    ]
    print(f"{name:25}" + "".join(f"{share:>15}" for share in shares))

alone = [share_back(new, slopes=False, decay=0.1) for new in optimisers.values()]
print("decay, and every slope zero: " + ", ".join(alone))

# %% [markdown]
# **Explain.** Read it column by column.
#
# - **1, nothing.** A pruned weight still has a slope, and any optimiser follows it. The zeros that stay are
#   those whose slope is zero too: weights of pixels that are black in these images, and of neurons that stay
#   silent.
# - **2, new optimiser, masked slopes.** Without slope and without memory there is nothing to move a weight.
# - **3, old optimiser, masked slopes.** Momentum and Adam remember the direction in which the weight was
#   going before the cut, and go on. RMSprop remembers how large slopes used to be, but not where they
#   pointed, and that moves nothing.
# - **4, weight decay.** The slopes are there as in column 1, and they win. Decay takes a share of the weight,
#   and a share of zero is zero: alone, in the last line, it brings nothing back. But it holds nothing either.
#
# So masking the slope is enough only if the optimiser is new or keeps no direction. Setting the weights to
# zero again after each step is always enough. That is what `pv.keep_pruned` does, and what exercise 3 asks of
# you.

# %% [markdown]
# ## Why is my file not smaller?
#
# The network has lost 90% of its weights. What became of its file?
#
# **Predict.** The dense network takes about one megabyte. How large is the file of the pruned one? And when
# both are compressed with gzip?

# %% [markdown] tags=["pytorch"]
# The next cell writes real files: with all numbers in them (safetensors, much like PyTorch's own), the same
# under gzip, and as `pv.save` does it.

# %% [markdown] tags=["tensorflow"]
# The next cell writes real files: with all numbers in them (safetensors, as large as Keras' own to within a
# few kilobytes), the same under gzip, and as `pv.save` does it.

# %%
import gzip

import safetensors.numpy


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
sizes = {}
print("                       plain        gzip     pv.save   as the scorecard says")
for name, network in (("dense", model), ("90% pruned", thin)):
    card = pv.scorecard(network, mnist.validation)
    sizes[name] = write(network, name)
    kilobytes = "".join(f"{size / 1000:9,.0f} kB" for size in sizes[name])
    same = sizes[name] == [card.raw_bytes, card.gzip_bytes, card.compact_bytes]
    print(f"{name:16}{kilobytes}   {same}")

fc1 = [pv.network(network)["fc1"].weight.nbytes / 1000 for network in (model, thin)]
print(f"fc1 in memory: dense {fc1[0]:,.0f} kB, pruned {fc1[1]:,.0f} kB")

# %% [markdown] tags=["pytorch"]
# Add the file with masks from trap 1, and put them side by side.

# %% [markdown] tags=["tensorflow"]
# Add the file of the wrapped model from trap 1, and put them side by side.

# %% tags=["pytorch"]
with_masks = copy.deepcopy(model)
weights = [(with_masks.get_submodule(name), "weight") for name in mask]
prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=0.9)
largest = {"90% pruned, masks stored": file_size(with_masks.state_dict())}

# %% tags=["tensorflow"]
largest = {"90% pruned, wrapped": files["wrapped"]}

# %% jupyter={"source_hidden": true}
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
# **Explain.** A file of numbers spends four bytes on each, and a zero is a number. Cutting weights changes
# what is written, not how much. It only makes the file easier to compress, so somebody has to compress it:
# gzip, which knows nothing of weights, or a format that stores which weights are alive and only their values.
#
# Where do the bytes of the smallest file go?

# %%
import zlib

values = 4 * mask.kept
places = b"".join(np.packbits(kept).tobytes() for kept in mask.values())
print(f"values: {mask.kept:,} weights of 4 bytes    {values / 1000:4.0f} kB")
print(f"places: {mask.total:,} weights of 1 bit    {len(places) / 1000:4.0f} kB")
print(f"together                            {(values + len(places)) / 1000:4.0f} kB")
print(f"the places alone, compressed        {len(zlib.compress(places)) / 1000:4.0f} kB")
print(f"the file that pv.save writes        {sizes['90% pruned'][2] / 1000:4.0f} kB")

unused = int((~mask["fc1"].any(axis=0)).sum())
print(f"pixels that have lost all their weights: {unused} of 784")

# %% [markdown]
# The values are a tenth of the dense file. But a file also has to say *which* tenth, and that costs about a
# third as much again. Compression wins that back, and a little more: the places are not random, for whole
# pixels have lost all their weights.
#
# > **Put right.** *A Beginner's Guide to Neural Network Pruning* says that zeroing parameters saves memory.
# > It does not: the array has as many bytes as before. Muheeb saw the model grow and blamed the many zeros.
# > They leave the size as it was. The copies and masks that his tool keeps double it.
# > *Optimizing Deep Learning Models with Pruning* reports a model that is smaller by 80%, after a training
# > that neither strips nor compresses anything: what fell by 80% is the number of nonzero weights.

# %% [markdown]
# ## A network too small to prune?
#
# *How to do pruning so you don't cry later* warns that a small model may gain little from pruning. It gives
# no number, so here is one. The small network has a single hidden layer of ten neurons. It is trained three
# times, because small networks differ.
#
# **Predict.** LeNet-300-100 lost few images until about 60%. How far can the small one go?


# %% tags=["pytorch", "trains", "slow"]
def small_network(seed):
    """Train 784-10-10 for eight epochs."""
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.ReLU(), nn.Linear(10, 10))
    optimizer = torch.optim.Adam(network.parameters(), lr=5e-3, fused=True)
    for epoch in range(8):
        one_epoch(network, optimizer, seed=epoch)
    return network


small = [small_network(seed) for seed in range(3)]
for network in small:
    card = pv.scorecard(network, mnist.validation)
    print(f"784-10-10: {100 * card.accuracy:.0f}% right")


# %% tags=["tensorflow", "trains", "slow"]
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


small = [small_network(seed) for seed in range(3)]
for network in small:
    card = pv.scorecard(network, mnist.validation)
    print(f"784-10-10: {100 * card.accuracy:.0f}% right")

# %% tags=["trains", "slow"]
levels = [0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]
large = pv.sweep(model, mnist.validation, levels, progress=False)
runs = [pv.sweep(network, mnist.validation, levels, progress=False) for network in small]
ax = pv.plot_tradeoff(
    {"LeNet-300-100": large, "784-10-10": runs},
    title="A large and a small network, cut by magnitude",
)
at = levels.index(0.6)
shares = ", ".join(f"{100 * large[k].accuracy:.1f}% at {100 * levels[k]:g}%" for k in (0, at, -1))
pv.teaching.show(
    ax,
    alt=f"Accuracy against sparsity. LeNet-300-100 has {shares}. The three small networks "
    "begin near 95%, bend between 40 and 50%, and fall steeply.",
)

large_lost, *small_lost = (cards[0].correct - cards[at].correct for cards in (large, *runs))
print("right answers lost at 60%")
print(f"  LeNet-300-100: fewer than 50: {large_lost < 50}")
print(f"  each of the small ones: more than 100: {min(small_lost) > 100}")
dense_kb, small_kb = (cards[0].raw_bytes / 1000 for cards in (large, runs[0]))
print(f"plain file: LeNet-300-100 {dense_kb:,.0f} kB, 784-10-10 {small_kb:.0f} kB")

# %% [markdown]
# **Explain.** The small network bends between 40 and 50%, long before the large one. It has fewer weights
# that others can stand in for, though even it has spare ones: many of its inputs are pixels at the rim, black
# in nearly every image. And look at the last line. The whole file is 32 kB, so there is little to save. The
# warning holds here twice: there is less to cut, and less to gain.
#
# Should you have trained a small network in the first place? Lesson 02 asks that, with equal budgets for both.

# %% [markdown]
# ## The report
#
# Everything so far was chosen by validation images. The last choice is a criterion for 90%: the one that was
# best before training on. Now, once, the test images.

# %% tags=["trains", "slow"]
at_90 = {name: cards[sparsities.index(0.9)].correct for name, cards in curves.items()}
chosen = max(at_90, key=at_90.get)
before, after = (pv.scorecard(network, mnist.test) for network in (model, students[chosen]))
low, high = after.interval
print(f"chosen: {chosen}, 90% pruned, one epoch of training on")
print(f"dense:  {100 * before.accuracy:.1f}% of {before.n:,} test images")
print(f"pruned: {100 * after.accuracy:.1f}%, ", end="")
print(f"95% interval {100 * low:.1f}% to {100 * high:.1f}%")
lost = before.correct - after.correct
print(f"the pruned one is worse by more than 50 images: {lost > 50}")

# %% [markdown]
# So the pruned network pays for its small file with accuracy, after one epoch at least. The interval covers
# which images happen to be in the test set. It does not cover the training: with another seed, the pruned
# network would differ again.

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots, run the cell, then the check below it. The solution is folded away.
#
# ### Exercise 1 · What a cut really costs
#
# Near the end of training the loss around a weight looks like a bowl. If the weight has come to rest at $w$,
# the loss at any other value $v$ is higher by $\tfrac{1}{2} h (v - w)^2$. The number $h$ says how steep the
# walls are. The slope at $w$ is zero.
#
# Write down what it costs to cut each weight. This is the score of Optimal Brain Damage.

# %%
from pruneviz.lessons.checks import lesson_01 as check


# %% tags=["exercise"]
def cut_cost(weights, curvatures):
    """Return how much the loss rises when each weight alone becomes zero."""
    # solution:
    return 0.5 * curvatures * weights**2
    # end of solution


# %% tags=["check"]
check.cost_of_cuts(cut_cost)

# %% [markdown]
# ### Exercise 2 · Amounts that compound
#
# A tool cuts a share of what is left. You want to reach the sparsities in `targets`, one call after the
# other; for example 25%, 50% and 60% of the whole. Which amounts do you pass?


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
# ### Exercise 3 · Keep the zeros
#
# This Adam has trained the network before the cut, so it has a history. Take one step with the next batch.
# The pruned weights have to be zero afterwards, and the others have to move. Do it without `pv.keep_pruned`;
# `train` and `cut` from above may help. Then make `after`, which is to be like `before`: the weights of each
# layer.

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
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# A network is pruned by 90% and saved as it is. How large is the file?
# - [x] As large as before, or twice as large if masks are stored too.
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
#   why: Longer training makes slopes smaller still, and tells them apart even less.

# %% [markdown] tags=["quiz"]
# You cut weights, go on with the same Adam, and set the slopes of pruned weights to zero in each step. What
# happens?
# - [ ] They stay zero, since nothing pushes them.
#   why: Something does: Adam's average of earlier slopes. It fades only slowly.
# - [ ] They stay zero if weight decay is on.
#   why: Weight decay shrinks a weight a little in each step. It does not stop Adam from moving it.
# - [x] They move away from zero, by what Adam remembers.
#   why: Its average of slopes from before the cut is not zero. Set the weights to zero after each step, or
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
#   begins in lesson 02.

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
#   begins in lesson 02.

# %% [markdown] tags=["pytorch"]
# ## Recap
#
# - Four criteria, one network: Taylor leads, magnitude follows, the gradient falls behind. A small slope
#   tells of a small step; a cut is a large one.
# - `torch.nn.utils.prune` makes the same masks. While masked, the file is double; after `remove`, zeros are
#   free to move; a masked layer cannot be copied; and calls compound.
# - One masked epoch mends most of the damage. Plain slopes bring zeros back with any optimiser, and so do
#   momentum and Adam's memory behind a masked slope. Zero them again after each step.
# - Zeros take as many bytes as other numbers. Compress, or store only what is alive. A small network has less
#   to cut, and less to gain.

# %% [markdown] tags=["tensorflow"]
# ## Recap
#
# - Four criteria, one network: Taylor leads, magnitude follows, the gradient falls behind. A small slope
#   tells of a small step; a cut is a large one.
# - tfmot makes the same masks, layer by layer, for `tf_keras` models. While wrapped, the file is larger; the
#   given model is pruned too; after `strip_pruning`, zeros are free to move.
# - One masked epoch mends most of the damage. Plain slopes bring zeros back with any optimiser, and so do
#   momentum and Adam's memory behind a masked slope. Zero them again after each step.
# - Zeros take as many bytes as other numbers. Compress, or store only what is alive. A small network has less
#   to cut, and less to gain.

# %% [markdown]
# ## Further reading
#
# - Y. LeCun, J. S. Denker and S. A. Solla. Optimal Brain Damage. *Advances in Neural Information Processing
#   Systems* 2, 1990. The slope is zero, so look at the bend.
# - S. Han, J. Pool, J. Tran and W. J. Dally. Learning both Weights and Connections for Efficient Neural
#   Networks. *Advances in Neural Information Processing Systems* 28, 2015. Cut by size, train on, repeat.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila and J. Kautz. Pruning Convolutional Neural Networks for
#   Resource Efficient Inference. *International Conference on Learning Representations*, 2017. The Taylor
#   score.
# - M. Zhu and S. Gupta. To prune, or not to prune: exploring the efficacy of pruning for model compression.
#   arXiv:1710.01878, 2017. Large and sparse against small and dense; the method inside tfmot.
# - D. Blalock, J. J. Gonzalez Ortiz, J. Frankle and J. Guttag. What is the State of Neural Network Pruning?
#   *Proceedings of Machine Learning and Systems* 2, 2020. Curves, controls and seeds.

# %% [markdown] tags=["pytorch"]
# - PyTorch. *Pruning Tutorial*,
#   [docs.pytorch.org](https://docs.pytorch.org/tutorials/intermediate/pruning_tutorial.html), and the
#   [reference of `torch.nn.utils.prune`](https://docs.pytorch.org/docs/stable/nn.html#utilities).
# - The articles that this lesson puts right: Jan Marcel Kezmann, *Optimizing Deep Learning Models with
#   Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine;
#   Ridwan Muheeb, *Evaluation of Gradient-Based Magnitude Pruning Technique*; *How to do pruning so you don't
#   cry later*.

# %% [markdown] tags=["tensorflow"]
# - TensorFlow Model Optimization. *Trim insignificant weights* and *Pruning comprehensive guide*,
#   [tensorflow.org](https://www.tensorflow.org/model_optimization/guide/pruning).
# - The articles that this lesson puts right: Jan Marcel Kezmann, *Optimizing Deep Learning Models with
#   Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine;
#   Ridwan Muheeb, *Evaluation of Gradient-Based Magnitude Pruning Technique*; *How to do pruning so you don't
#   cry later*.
