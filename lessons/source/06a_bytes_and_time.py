# %% [markdown]
# # 06a · What pruning buys: bytes and time
#
# You can set nine of ten weights to zero. Does that make the file smaller? Does it make the network faster? There is no
# single answer, and each of the answers has a number. Guess it first.

# %% tags=["pytorch", "fold"]
import io
import json
import lzma
import math
import warnings
import zlib
from itertools import pairwise

import numpy as np
import torch
from matplotlib.figure import Figure
from scipy import sparse

import pruneviz as pv
from pruneviz.lessons.checks import lesson_06a as check
from pruneviz.plots import style

pv.teaching.start("pytorch")
FRAMEWORK, NAME = "torch", "PyTorch"
warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta|Sparse invariant checks")
validation = pv.datasets.mnist().validation
images, labels = validation

lenet = pv.zoo.lenet_300_100(FRAMEWORK)
dense = pv.scorecard(lenet, validation, name="dense")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")

import json
import lzma
import math
import zlib
from itertools import pairwise

import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure
from scipy import sparse

from pruneviz.lessons.checks import lesson_06a as check
from pruneviz.plots import style

FRAMEWORK, NAME = "keras", "TensorFlow"
validation = pv.datasets.mnist().validation
images, labels = validation

lenet = pv.zoo.lenet_300_100(FRAMEWORK)
dense = pv.scorecard(lenet, validation, name="dense")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# **Touch.** Drag the slider to 90%. The card has three kinds of cost: weights kept, kilobytes of a compact file, and MACs
# run (multiplications, each added to a sum). Which falls as fast as you drag? Which falls less? Which does not move?

# %%
view = pv.explore(
    lenet,
    validation,
    show=["slider", "accuracy", "scorecard"],
    predict=False,
    sparsity=0.5,
    title="LeNet-300-100 · what it costs",
)
await view.measured()
view

# %% tags=["drive"]
# The view, moved from code.
for share in (0.9, 0.5):
    view.sparsity = share
    await view.measured()
    print(view.sentence())

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, filter, magnitude, the network, its layer, at once.](../map/06a.svg)
#
# - To say from which sparsity a way of writing zeros is smaller than plain numbers, before you write the file.
# - To find the sparsity from which a product that skips zeros is faster, on your own machine.
# - To tell why a layer takes its time: the call, the weights that are read, or the arithmetic.
# - To choose what to prune by the currency you pay in: bytes, MACs or milliseconds.
#
# **Before you start.** You have done 01c (the file) and 02b (removal). Lesson 03 helps.
#
# **Time.** 35 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/06a_bytes_and_time.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/06a_bytes_and_time.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown]
# ## Bytes
#
# A file of zeros is as long as a file of other numbers; you saw that in 01c. So somebody has to write the zeros in
# another way: only the weights that are left, and *where* they stand. Your framework has such a way.

# %% [markdown] tags=["pytorch"]
# `to_sparse_csr()` keeps for each row the columns that are not zero, and their values: **CSR**, compressed sparse
# rows.
#
# **Predict.** Half of the weights of `fc1` are zeros. The matrix is saved, once as it is and once in this sparse
# format. How large is the second file, as a share of the first?

# %% [markdown] tags=["tensorflow"]
# `tf.sparse.from_dense` keeps for each weight that is not zero its row, its column and its value: **COO**,
# coordinates. The more usual **CSR**, compressed sparse rows, writes only the column, and where each row begins.
#
# **Predict.** Half of the weights of `fc1` are zeros. The matrix is saved, once as it is and once in this sparse
# format. How large is the second file, as a share of the first?

# %% tags=["pytorch", "answer"]
guess = ...  # a share; 1 is as large as before


def file_size(value):
    """Save a value as PyTorch does, and weigh it."""
    file = io.BytesIO()
    torch.save(value, file)
    return len(file.getvalue())


plain = lenet.fc1.weight.detach().clone()
half = torch.where(plain.abs() > plain.abs().median(), plain, 0)
columns, rows_begin = half.to_sparse_csr().col_indices(), half.to_sparse_csr().crow_indices()
shorter = torch.sparse_csr_tensor(rows_begin.int(), columns.int(), half[half != 0], half.shape)
truth = file_size(half.to_sparse_csr()) / file_size(half)
pv.teaching.compare(guess, round(truth, 2), "of the plain file")
print(f"with indices of 32 bits in place of 64: {file_size(shorter) / file_size(half):.2f}")
behind = columns.untyped_storage().nbytes() / (8 * columns.numel())
print(f"the array behind the columns of 64 bits is {behind:.1f} times as long as they are")

# %% tags=["tensorflow", "answer"]
guess = ...  # a share; 1 is as large as before


def file_size(*tensors):
    """Write tensors as TensorFlow does, and weigh them."""
    return sum(len(tf.io.serialize_tensor(tensor).numpy()) for tensor in tensors)


plain = lenet.get_layer("fc1").kernel.numpy()
half = np.where(abs(plain) > np.median(abs(plain)), plain, 0)
coordinates = tf.sparse.from_dense(half)
truth = file_size(coordinates.indices, coordinates.values) / file_size(half)
pv.teaching.compare(guess, round(truth, 2), "of the plain file")
rows = sparse.csr_matrix(half)
shorter = file_size(rows.indptr, rows.indices, rows.data) / file_size(half)
print(f"in CSR, with columns of 32 bits: {shorter:.2f}")

# %% [markdown] tags=["pytorch"]
# A weight takes 4 bytes. Its column takes 8, or rather 16: the column indices turn out to be a view of an array twice
# as long, and `torch.save` writes all of it. With 32 bits an index is as long as a weight, and half of the weights
# with their indices take what all took.

# %% [markdown] tags=["tensorflow"]
# A weight takes 4 bytes, its row and its column 8 each. With a column of 32 bits an index is as long as a weight, and half
# of the weights with their indices take what all took.

# %% [markdown]
# Here are more ways, on all three layers, and at every sparsity.

# %% tags=["fold"]
weights = {layer.name: np.array(layer.weight) for layer in pv.network(lenet).layers}
plain_bytes = sum(4 * weight.size for weight in weights.values())


def csr_size(weight, index):
    """Bytes of a matrix in CSR: where each row begins; for each weight left, column and value."""
    return index * (len(weight) + 1) + np.count_nonzero(weight) * (index + 4)


def mask_size(weight):
    """Bytes of a bit for every weight, and the weights left."""
    return math.ceil(weight.size / 8) + 4 * np.count_nonzero(weight)


def written(share):
    """Ways of writing the network pruned by a share: name -> share of the plain bytes."""
    mask = pv.prune(lenet, share)
    pruned = {name: weight * mask[name] + 0 for name, weight in weights.items()}
    ways = {
        "CSR, 64 bits": sum(csr_size(weight, 8) for weight in pruned.values()),
        "CSR, 32 bits": sum(csr_size(weight, 4) for weight in pruned.values()),
        "CSR, 16 bits": sum(csr_size(weight, 2) for weight in pruned.values()),
        "bit mask": sum(mask_size(weight) for weight in pruned.values()),
        "zlib": len(zlib.compress(b"".join(weight.tobytes() for weight in pruned.values()), 9)),
        "pv.save": pv.scorecard(pv.apply(lenet, mask), (images[:1], labels[:1])).compact_bytes,
    }
    return {name: size / plain_bytes for name, size in ways.items()}


# %%
shares = (0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99)
sizes = {share: written(share) for share in shares}
pv.teaching.table(
    ["of the plain file", *(f"{share:.0%}" for share in shares)],
    [[name, *(f"{sizes[share][name]:.2f}" for share in shares)] for name in sizes[0]],
)

figure = Figure(figsize=(8, 3.6), layout="constrained")
ax = figure.subplots()
for name, (colour, marker, line) in zip(sizes[0], style.SERIES, strict=False):
    heights = [sizes[share][name] for share in shares]
    ax.plot(shares, heights, color=colour, marker=marker, linestyle=line, markersize=4, label=name)
ax.axhline(1, color=style.QUIET, linewidth=1)
ax.annotate("plain: 1", (0.9, 1), (0, 4), textcoords="offset points", color=style.QUIET)
ax.set(xlabel="sparsity", ylabel="bytes, plain = 1", ylim=(0, 1.6))
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, fontsize=style.SMALL)
pv.teaching.show(
    figure,
    alt="Bytes against sparsity for six ways of writing LeNet-300-100, as a share of plain numbers."
    " All fall in straight lines. CSR with 64 bits starts at three and crosses 1 at two thirds,"
    " with 32 bits at a half, with 16 bits at a third. The bit mask starts just above 1. The two"
    " that compress start below 1, and pv.save stays lowest.",
)

# %% [markdown]
# **Explain.** A weight left costs its value and its index: 4 + 8 bytes with 64 bits. It pays when these bytes for each
# weight left are fewer than 4 for each weight, which is from 66.7% on; with 32 bits from 50%, with 16 bits from 33.3%.
# The bit mask pays 1 bit for *every* weight, zero or not, and so it breaks even at 3.1%. The last two rows compress
# bytes of any kind: look at their first column before you praise pruning.
#
# **What would have shown us wrong?** A line that crosses 1 elsewhere.

# %%
for bits in (64, 32, 16):
    print(f"CSR, {bits} bits: from {bits / (bits + 32):.1%} on")
print(f"bit mask: from {1 / 32:.1%} on")

# %% [markdown]
# ### Exercise 1 · When does an index pay?
#
# Write `csr_bytes`: the bytes of a matrix in CSR. It holds `nonzero` values, a column index for each of
# them, an index for each row, which says where it begins, and one for where the last row ends. Then say from which share of
# zeros a *large* matrix is smaller than plain if its values are int8, of one byte, and its indices int32.


# %% tags=["exercise"]
def csr_bytes(rows, nonzero, value_bytes, index_bytes):
    """Bytes of a matrix in CSR."""
    # solution:
    return nonzero * (value_bytes + index_bytes) + (rows + 1) * index_bytes
    # end of solution


# solution: from_share = ...
from_share = 1 - 1 / (1 + 4)
# end of solution

# %% tags=["check"]
check.csr_bytes(csr_bytes, from_share=from_share)

# %% [markdown]
# ### Two of every four
#
# Some hardware multiplies twice as fast if of every four weights in a row two are zero: **2:4**. Where the two stand takes
# 2 bits for each.

# %%
each, choices = 2, math.comb(4, 2)
print(f"2 bits for each of half the weights: {each / 2:.0f} bit a weight, as in a bit mask")
print(f"{choices} choices need at least {math.log2(choices) / 4:.2f} bits a weight")
for bits, kind in ((32, "float32"), (16, "float16"), (8, "int8")):
    print(f"{kind}: {(bits + each) / 2 / bits:.4g} of the plain file")
structured = pv.apply(lenet, pv.prune(lenet, 0.5, granularity="2:4", exclude=["fc3"]))
anyhow = pv.apply(lenet, pv.prune(lenet, 0.5, scope="layer", exclude=["fc3"]))
for name, network in {"2:4": structured, "any half of a layer": anyhow}.items():
    card = pv.scorecard(network, validation)
    print(f"{name}: {card.compact_bytes / dense.raw_bytes:.2f} by pv.save, {card.correct:,} right")

# %% [markdown]
# So 2:4 is no way to write fewer bytes: a free choice of half of the weights takes no more, and costs fewer digits. It is
# a pattern that hardware can read without looking for it.

# %% [markdown] tags=["pytorch"]
# PyTorch has a function for such hardware. It refuses a CPU.

# %% tags=["pytorch"]
try:
    torch.sparse.to_sparse_semi_structured(structured.fc1.weight.detach().half())
except RuntimeError as refused:
    print(str(refused).split("!")[0][:95])

# %% [markdown]
# ## Time
#
# A dense product multiplies zeros like other numbers. A sparse one reads where the other weights are, and multiplies only
# these.
#
# **Predict.** A matrix of 1,024 by 1,024 weights meets one vector, once dense, once in CSR with indices of 32 bits. From
# which sparsity on is CSR faster?

# %% tags=["pytorch", "fold"]
rng = np.random.default_rng(0)
matrix = rng.standard_normal((1024, 1024), np.float32)
vector = torch.tensor(rng.standard_normal(1024, np.float32))
full = torch.tensor(matrix)
products = {"dense": lambda _: lambda: full @ vector}  # all is ready before the clock starts
for share in (0.5, 0.7, 0.8, 0.9, 0.95):
    csr = sparse.csr_matrix(np.where(abs(matrix) > np.quantile(abs(matrix), share), matrix, 0))
    parts = [torch.tensor(part) for part in (csr.indptr, csr.indices, csr.data)]
    thin = torch.sparse_csr_tensor(*parts, csr.shape)
    products[share] = lambda _, thin=thin: lambda: thin @ vector

# %% tags=["tensorflow", "fold"]
rng = np.random.default_rng(0)
matrix = rng.standard_normal((1024, 1024), np.float32)
vector = rng.standard_normal(1024, np.float32)
products = {"dense": lambda _: lambda: matrix @ vector}  # all is ready before the clock starts
for share in (0.5, 0.7, 0.8, 0.9, 0.95):
    csr = sparse.csr_matrix(np.where(abs(matrix) > np.quantile(abs(matrix), share), matrix, 0))
    products[share] = lambda _, csr=csr: lambda: csr @ vector


# %% [markdown] tags=["tensorflow"]
# TensorFlow multiplies no CSR, so NumPy and SciPy do it here. What TensorFlow's own sparse product needs comes below.

# %% tags=["answer"]
guess = ...  # a share from 0 to 1
stored = pv.teaching.results("zeros_and_time")["speed_up"]
FORMAT = "torch CSR, int32" if FRAMEWORK == "torch" else "scipy CSR"


def break_even(curve):
    """Where a speed-up passes 1, on a straight line between measurements; None if never."""
    points = sorted((float(share), median) for share, (_, median, _) in curve.items())
    for (left, slow), (right, fast) in pairwise(points):
        if slow < 1 <= fast:
            return left + (right - left) * (1 - slow) / (fast - slow)
    return points[0][0] if points[0][1] >= 1 else None


pv.teaching.compare(guess, break_even(stored["1024 x 1024, 1"][FORMAT]), "of zeros", share=True)

timed = pv.latency(products, images, (1,))
own = {share: timed["dense"][1].over(timed[share][1])[1] for share in products if share != "dense"}
figure = Figure(figsize=(8, 3.4), layout="constrained")
ax = figure.subplots()
curve = stored["1024 x 1024, 1"][FORMAT]
at = [float(share) for share in curve]
low, middle, high = zip(*curve.values(), strict=True)
ax.fill_between(at, low, high, color=style.KEPT, alpha=0.2)
ax.plot(at, middle, color=style.KEPT, marker="o", markersize=4, label="stored, one machine")
ax.plot(
    list(own), list(own.values()), color=style.PRUNED_EDGE, marker="s", ls="--", label="yours, now"
)
ax.axhline(1, color=style.QUIET, linewidth=1)
ax.set(xlabel="sparsity", ylabel="speed-up over dense", yscale="log", xlim=(0.48, 0.97))
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
ax.set_yticks([0.25, 0.5, 1, 2, 4, 8], ["1/4", "1/2", "1", "2", "4", "8"])
ax.minorticks_off()
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, fontsize=style.SMALL)
pv.teaching.show(
    figure,
    alt="Speed-up of a sparse product over the dense one, against sparsity, once stored and once "
    "as your machine has just measured it. The stored line begins below 1 and rises above it.",
)

names = {
    "PyTorch, CSR of 64 bits": "torch CSR, int64",
    "PyTorch, CSR of 32 bits": "torch CSR, int32",
    "PyTorch, blocks of 4 × 4": "torch BSR",
    "SciPy, CSR of 32 bits": "scipy CSR",
    "SciPy, blocks of 4 × 4": "scipy BSR",
    "TensorFlow, COO": "TensorFlow COO",
    "LiteRT, blocks of 1 × 4": "LiteRT blocks",
}


def from_where(curve):
    """Say where a format breaks even."""
    found = break_even(curve)
    return "never" if found is None else "by 50%" if found == 0.5 else f"{found:.0%}"


pv.teaching.table(
    ["faster than dense from", *(f"{size.split()[0]}, {size.split()[-1]}" for size in stored)],
    [
        [title, *(from_where(stored[size][name]) for size in stored)]
        for title, name in names.items()
    ],
)

# %% [markdown]
# Stored: one machine, one thread, processor time, median of nine rounds. A column is a matrix by its
# rows (300 by 784, and two squares), and how many vectors meet it.
#
# Why is a product with a tenth of the multiplications not ten times as fast? Two suspects, one change each: long indices; and survivors
# that lie scattered, so that the product jumps about in the vector. For the second, the weights of each row are pushed
# together at its left end: the same count of indices and of multiplications, no jumps.

# %%
suspects = {
    "64 bits": "torch CSR, int64",
    "32 bits": "torch CSR, int32",
    "32 bits, pushed together": "torch CSR, int32, pushed",
    "SciPy, 32 bits": "scipy CSR",
    "SciPy, 32 bits, pushed together": "scipy CSR, pushed",
    "dense, with the zeros": "dense",
    "ONNX Runtime, with the zeros": "ONNX Runtime zeros",
}
two = [size for size in stored if size.startswith("1024")]
rows = []
for title, name in suspects.items():
    ranges = [stored[size][name]["0.9"] for size in two]
    rows.append([title, *(f"{mid:.2f} ({low:.2f}-{high:.2f})" for low, mid, high in ranges)])
pv.teaching.table(["speed-up at 90%", "1 vector", "64 vectors"], rows)

# %% [markdown]
# **Explain.** Long indices cost, most with one vector. Jumping costs nothing there: pushed together, the weights take as
# long. With 64 vectors it costs a part. What else a sparse product spends its time on, these rows do not show. The last two
# rows are *masked* networks: zeros in a dense product buy next to nothing.
#
# **What would have shown us wrong?** Pushed together, a sparse product much faster with one vector.

# %% [markdown]
# ## MACs and milliseconds
#
# **Predict.** LeNet-5 reads 64 digits. Convolutions and dense layers do all the MACs. Which share of the time goes to the
# rest: ReLU, pooling, reshaping, and the call itself?

# %% tags=["pytorch", "fold"]
lenet_5 = pv.zoo.lenet_5("torch")
children = [("call", torch.nn.Identity()), *lenet_5.named_children()]
grown = {
    name: torch.nn.Sequential(*(layer for _, layer in children[: count + 1]))
    for count, (name, _) in enumerate(children)
}

# %% [markdown] tags=["pytorch"]
# First a network that does nothing is timed, then the first layer, then the first two, and so on. What a layer adds is
# the difference.

# %% tags=["tensorflow", "fold"]
lenet_5 = pv.zoo.lenet_5("keras")
begin = lenet_5.inputs[0]
ends = {"call": keras.layers.Activation("linear")(begin)}
ends |= {layer.name: layer.output for layer in lenet_5.layers}
grown = {name: keras.Model(begin, end) for name, end in ends.items()}

# %% [markdown] tags=["tensorflow"]
# First a network that does nothing is timed, then the first layer, then the first two, and so on, each as a compiled
# graph. What a layer adds is the difference.

# %% tags=["answer"]
guess = ...  # a share from 0 to 1
where = pv.teaching.results("where_time_goes")


def shares_of(framework, batch):
    """Each layer's share of the MACs, and of the milliseconds that are stored."""
    layers = where[framework]["lenet_5"]
    macs = np.array([layer["macs"] for layer in layers.values()])
    ms = np.array([layer["ms"][batch][1] for layer in layers.values()])
    return list(layers), macs / macs.sum(), ms / ms.sum()


names, work, time = shares_of(FRAMEWORK, "64")
pv.teaching.compare(guess, float(time[work == 0].sum()), "of the time", share=True)

timed = pv.latency(grown, images, (64,), seconds=0.4)
added = np.diff([0, *(float(timed[name][64]) for name in grown)])
figure = Figure(figsize=(8, 3.8), layout="constrained")
axes = figure.subplots(1, 3, sharey=True)
panels = {"MACs": work, f"time, {NAME}, stored": time, "time, yours, now": added / added.sum()}
for ax, (title, values) in zip(axes, panels.items(), strict=True):
    bars = ax.barh(names, np.maximum(values, 0), color=style.KEPT)
    ax.bar_label(bars, [f"{value:.0%}" for value in values], padding=3, fontsize=style.SMALL)
    ax.set(xlim=(0, 0.8), xticks=[])
    ax.spines[["top", "right", "bottom"]].set_visible(False)
    style.title(ax, title)
axes[0].invert_yaxis()
pv.teaching.show(
    figure,
    alt="Three bar charts of the layers of LeNet-5 for 64 digits: their share of the MACs, of the "
    "time as stored, and of the time as your machine has just measured it. By MACs conv2 leads and "
    "pooling has none.",
)

rows = []
for framework, name in {"torch": "PyTorch", "keras": "Keras, compiled"}.items():
    for batch in ("1", "64"):
        layers, work, time = shares_of(framework, batch)
        pooling = sum(share for layer, share in zip(layers, time, strict=True) if "pool" in layer)
        convolutions = sum(
            share for layer, share in zip(layers, time, strict=True) if "conv" in layer
        )
        rows.append(
            [name, batch, f"{convolutions:.0%}", f"{pooling:.0%}", f"{time[work == 0].sum():.0%}"]
        )
pv.teaching.table(["LeNet-5", "images", "convolutions", "pooling", "all without MACs"], rows)

# %% [markdown]
# The same layers, the same MACs: with 64 images, in one runtime pooling takes about as long as the convolutions, in the
# other next to nothing. No count of MACs can tell you. (Below zero: there the network is faster *with* those layers.)
#
# Which layers repay pruning? Three dense layers, each by itself, and two experiments: twice the images, and half of its
# outputs, as if half of its neurons had been removed.

# %%
rows = []
for name, row in where[FRAMEWORK]["alone"].items():
    what = "twice the images", "half the outputs", "nothing"
    rows.append([name, *(f"{row[w][1]:.2f} ({row[w][0]:.2f}-{row[w][2]:.2f})" for w in what)])
pv.teaching.table(["time as a multiple of its own", "twice the images", "half", "1 by 1"], rows)

# %% [markdown]
# **Explain.** The first takes as long as a layer of one weight, whatever you do to it: its time is the *call*. The second
# takes no longer for two images, and half as long or not much more with half of its weights: its time is *reading weights*. The third
# takes twice as long for twice the images: *arithmetic*. Prune the second and the third. For the first you need fewer
# layers, or another runtime.
#
# **What would have shown us wrong?** A layer that takes half as long when it is halved, and as long as a layer of one weight.

# %% [markdown]
# ### Exercise 2 · What takes its time?
#
# Write `limit`: from the two ratios of a layer, twice the images and half the outputs, say `"call"`, `"weights"` or
# `"arithmetic"`. Allow for noise: the clock is a few per cent off.


# %% tags=["exercise"]
def limit(twice_the_images, half_the_outputs):
    """Say what a layer's time is spent on."""
    # solution:
    if half_the_outputs > 0.8:
        return "call"
    return "arithmetic" if twice_the_images > 1.5 else "weights"
    # end of solution


# %% tags=["check"]
check.limit(limit)

# %% [markdown]
# ## Removed, reordered, skipped
#
# Lesson 03 removed half of the filters. Here is what came of the MACs, and beside it a rival that prunes nothing: the same
# network with its numbers in another order in memory, the channels of a pixel side by side.

# %%
removal, rows = pv.teaching.results("removal"), []
for framework, title in {"torch": "PyTorch", "keras": "Keras, compiled"}.items():
    for name in ("lenet_5", "mnist_cnn"):
        timed = removal[framework][name]
        fewer = timed["macs"]["dense"] / timed["macs"]["removed"]
        gains = [timed["gain"]["removed"][batch] for batch in ("1", "64")]
        cells = [f"{middle:.1f}x ({low:.1f}-{high:.1f})" for low, middle, high in gains]
        rows.append([f"{name}, {title}", f"{fewer:.1f}x", *cells])
pv.teaching.table(["half of the filters removed", "fewer MACs", "1 image", "64 images"], rows)
print()
for name, (low, middle, high) in where["layout"].items():
    print(f"mnist_cnn, PyTorch, 64 images, {name}: {middle:.1f}x ({low:.1f}-{high:.1f})")

# %% [markdown]
# Keras has its channels side by side anyway. In PyTorch it is one line of code, and gains a good part of what
# removal gains: 1.8 and 2.3 times. So name the rival when you report a speed-up.
#
# **At run time.** For each image some feature maps are empty. A *gate* can look, and skip what they would have gone into.
#
# **Predict.** It skips the maps with nothing above 0.5. How many times as fast is `conv2` of `mnist_cnn` for one image?

# %% tags=["answer"]
guess = ...  # times as fast; below 1 is slower
skipping = pv.teaching.results("zeros_and_time")["maps"][FRAMEWORK]
pv.teaching.compare(guess, round(skipping["0.5"][1], 1), "times as fast")
cnn, few, rows = pv.zoo.mnist_cnn(FRAMEWORK), (images[:500], labels[:500]), []
for threshold in (0, 0.5):
    gated = pv.gate(cnn, few, threshold)
    low, middle, high = skipping[f"{threshold:g}"]
    cells = f"{gated.saved:.1%}", f"{gated.correct} of 500", f"{middle:.2f} ({low:.2f}-{high:.2f})"
    rows.append([f"nothing above {threshold}", *cells])
pv.teaching.table(["skipped: maps with", "MACs saved", "right", "speed of conv2"], rows)

# %% [markdown]
# Fewer MACs, and not faster: looking, and copying together what is left, are in no count of MACs. The idea was made for
# hardware that need not copy [1].
#
# **And energy?** Nothing in this lesson measures it. A masked network takes the same processor time, so nothing here suggests
# a saving; a removed one takes less. For joules you need a meter.

# %% [markdown]
# ### Exercise 3 · Your own file format
#
# An open one. `thin` is LeNet-300-100 with 90% zeros, as a dict of arrays. Write `pack`, which turns such a dict into bytes,
# and `unpack`, which gives the dict back, every bit the same. Can you do it in 120,000 bytes, a ninth of the plain file?

# %% tags=["exercise"]
TARGET = 120_000
mask = pv.prune(lenet, 0.9)
thin = {name: weight * mask[name] + 0 for name, weight in weights.items()}
thin |= {f"{layer.name}.bias": np.array(layer.bias) for layer in pv.network(lenet).layers}


def pack(arrays):
    """Turn arrays by name into as few bytes as you can."""
    # solution:
    forms, planes = [], []
    for name, array in arrays.items():
        values = array[array != 0]
        forms.append((name, array.shape, len(values)))
        planes.append(np.packbits(array != 0).tobytes())
        planes.append(
            values.view(np.uint8).reshape(-1, 4).T.tobytes()
        )  # first bytes, second bytes, …
    return lzma.compress(b"\n".join([json.dumps(forms).encode(), b"".join(planes)]))
    # end of solution


def unpack(data):
    """Give the arrays back."""
    # solution:
    head, _, body = lzma.decompress(data).partition(b"\n")
    arrays = {}
    for name, shape, count in json.loads(head):
        size = math.prod(shape)
        bits, planes, body = np.split(
            np.frombuffer(body, np.uint8), [-(-size // 8), -(-size // 8) + 4 * count]
        )
        array = np.zeros(size, np.float32)
        array[np.unpackbits(bits, count=size).view(bool)] = (
            planes.reshape(4, -1).T.copy().view(np.float32)[:, 0]
        )
        arrays[name] = array.reshape(shape)
    return arrays
    # end of solution


# %% tags=["check"]
check.packed(pack, unpack, arrays=thin, target=TARGET)

# %% [markdown]
# ## Now yours
#
# Your network with 80% zeros, in a compressed file that holds a bit for every number and those that are left: written, read
# back, and asked again. Put it into the first paragraph.

# %% tags=["pytorch", "yours"]
model = lenet  # put your model and data here
x, y = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255)), torch.tensor(labels)

import copy
import io
import numpy as np
import torch

pruned, again = copy.deepcopy(model).eval(), copy.deepcopy(model).eval()
matrices = [array for array in pruned.state_dict().values() if array.ndim > 1]
cut = np.quantile(torch.cat([array.abs().flatten() for array in matrices]), 0.8)
for array in matrices:
    array[array.abs() <= cut] = 0
file, parts = io.BytesIO(), {}
for name, array in pruned.state_dict().items():
    parts[f"{name} there"] = np.packbits(array.numpy().ravel() != 0)
    parts[f"{name} left"] = array.numpy()[array.numpy() != 0]
np.savez_compressed(file, **parts)
stored_ = np.load(io.BytesIO(file.getvalue()))
for name, array in again.state_dict().items():
    there = np.unpackbits(stored_[f"{name} there"], count=array.numel()).view(bool)
    array.numpy()[...] = 0
    array.numpy()[there.reshape(array.shape)] = stored_[f"{name} left"]
right = f"{(again(x).argmax(1) == y).float().mean():.1%} right"
print(
    f"{len(file.getvalue()) / 1000:,.0f} kB, {right}, as before: {torch.equal(pruned(x), again(x))}"
)

# %% tags=["tensorflow", "yours"]
model = lenet  # put your model and data here
x, y = images / np.float32(255), labels

import io
import keras
import numpy as np

pruned, again = keras.models.clone_model(model), keras.models.clone_model(model)
arrays = [array.copy() for array in model.get_weights()]
cut = np.quantile(np.concatenate([abs(a).ravel() for a in arrays if a.ndim > 1]), 0.8)
for array in arrays:
    array[(abs(array) <= cut) & (array.ndim > 1)] = 0
pruned.set_weights(arrays)
file, parts = io.BytesIO(), {}
for i, array in enumerate(arrays):
    parts[f"{i} there"] = np.packbits(array != 0)
    parts[f"{i} left"] = array[array != 0]
np.savez_compressed(file, **parts)
file.seek(0)
stored_, back = np.load(file), [np.zeros_like(array) for array in again.get_weights()]
for i, array in enumerate(back):
    there = np.unpackbits(stored_[f"{i} there"], count=array.size).view(bool)
    array[there.reshape(array.shape)] = stored_[f"{i} left"]
again.set_weights(back)
outputs = pruned.predict(x, verbose=0), again.predict(x, verbose=0)
right = f"{np.mean(outputs[1].argmax(1) == y):.1%} right"
print(f"{len(file.getvalue()) / 1000:,.0f} kB, {right}, as before: {np.array_equal(*outputs)}")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# Half of the weights are zeros, and a matrix is stored as CSR with 32-bit indices and float32 values. The file is
# - [ ] half as large.
#   why: So it would be if nobody had to know where the weights stand. Each has an index as long as itself.
# - [x] as large as before.
#   why: Half of the weights, and as many indices of the same length. Sparse formats pay from a sparsity on, and this one
#   from a half.
# - [ ] larger, as a sparse format always is.
#   why: At 90% it is a fifth. It depends on the sparsity, and on how long an index is.

# %% [markdown] tags=["quiz"]
# The same half-empty matrix multiplies one vector, as CSR. The product takes
# - [ ] half as long, as half of the multiplications are skipped.
#   why: Skipping has a price of its own: finding out where the next weight is. The table has the break-even.
# - [ ] as long. Zeros do nothing.
#   why: That is the dense product with zeros in it.
# - [x] longer. It pays from a higher sparsity on, which you measure.
#   why: Where that is, the table says for one machine. Yours may differ.

# %% [markdown] tags=["quiz"]
# Removal leaves less than half of the MACs, and the time for one image falls by a tenth. What do you look at first?
# - [x] The time of each layer, and of a call that does nothing.
#   why: A layer whose time is the call takes as long with a quarter of its MACs, and pooling has none to lose.
# - [ ] The count of MACs, which must be wrong.
#   why: It may be right. MACs count multiplications, and time is spent on calls, reading and moving as well.
# - [ ] A higher sparsity.
#   why: That removes more of what was not the time.

# %% [markdown] tags=["quiz"]
# A layer takes as long for two images as for one, and half as long with half of its outputs. What is its time spent on?
# - [ ] The call.
#   why: A call is a call for half of the outputs, too.
# - [x] Reading its weights.
#   why: They are read once for both images, and half of them take half the reading. Pruning units pays here.
# - [ ] Arithmetic.
#   why: Two images are twice the arithmetic, and it took no longer.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *"Sparse matrix ops appear slower than dense ops. Why?"* ([rusty1s/pytorch_sparse, thread
# 81](https://github.com/rusty1s/pytorch_sparse/issues/81))
#
# The table above is the answer: below some sparsity they are. Where that is depends on the size, on the batch, on the length of
# the indices and on the library. Measure it for your layer before you choose a format; from there on, every zero pays.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *"TensorFlow's sparse operations are slow. Why?"* ([tensorflow/tensorflow, thread
# 46706](https://github.com/tensorflow/tensorflow/issues/46706))
#
# The table above is the answer: below some sparsity they are. Where that is depends on the size, on the batch, on the length of
# the indices and on the library. Measure it for your layer before you choose a format; from there on, every zero pays.

# %% [markdown]
# ## Recap
#
# - A zero is free only when it is written differently. A weight left costs its value and its index, and from that follows the
#   sparsity from which a format pays. Compress the dense network too, before you praise pruning.
# - A CSR product is slower than the dense one at half zeros, and faster beyond a break-even that differs by size, batch,
#   index and library. A mask alone buys no time.
# - Two experiments tell what a layer's time is: twice the images, half of the outputs. It is the call, the weights read, or
#   the arithmetic; and some of it may go to layers without any MACs.
# - Unstructured zeros buy bytes, removed units buy MACs and milliseconds. Whatever you report, name its rival: a compressed
#   dense file, another layout, another runtime.

# %% [markdown]
# ## Further reading
#
# 1. T. Liang, L. Wang, S. Shi and J. Glossner. Dynamic Runtime Feature Map Pruning.
#    [arXiv:1812.09922](https://arxiv.org/abs/1812.09922), 2018.
#
# - S. Williams, A. Waterman and D. Patterson. Roofline: An Insightful Visual Performance Model for Multicore Architectures.
#   *Communications of the ACM* 52(4), 2009. Arithmetic, or memory: which bounds a program.
# - T. Gale, M. Zaharia, C. Young and E. Elsen. Sparse GPU Kernels for Deep Learning. *International Conference for High
#   Performance Computing, Networking, Storage and Analysis*, 2020.
#   [arXiv:2006.10901](https://arxiv.org/abs/2006.10901). What it takes to make zeros pay.
# - A. Mishra, J. A. Latorre, J. Pool, D. Stosic, D. Stosic, G. Venkatesh, C. Yu and P. Micikevicius. Accelerating Sparse Deep
#   Neural Networks. [arXiv:2104.08378](https://arxiv.org/abs/2104.08378), 2021. 2:4, by those who built it.
# - S. Han, H. Mao and W. J. Dally. Deep Compression: Compressing Deep Neural Networks with Pruning, Trained Quantization and
#   Huffman Coding. *International Conference on Learning Representations*, 2016.
#   [arXiv:1510.00149](https://arxiv.org/abs/1510.00149). Bytes, taken seriously.
