# %% [markdown]
# # 02b · Neuron pruning: removing
#
# Half of the neurons are zeros. How do you take them out, so that the file is smaller and the network
# faster? And how do you prove that nothing else has changed?

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track; the same lesson for Keras is [on the other
# track](../tensorflow/02b_neuron_pruning_removing.ipynb). The [first lesson](../00_start_here.ipynb)
# explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3; the same lesson for PyTorch is [on the other
# track](../pytorch/02b_neuron_pruning_removing.ipynb). The [first lesson](../00_start_here.ipynb) explains
# the words.

# %% tags=["pytorch", "fold"]
import pruneviz as pv

pv.teaching.start("pytorch")
FRAMEWORK = "torch"

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")
FRAMEWORK = "keras"

# %% tags=["pytorch", "fold"]
import copy

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from pruneviz.lessons.checks import lesson_02b as check
from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation

lenet = pv.zoo.lenet_300_100("torch")
dense = pv.scorecard(lenet, validation, name="dense")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% tags=["tensorflow", "fold"]
import keras
import numpy as np
from matplotlib.figure import Figure

from pruneviz.lessons.checks import lesson_02b as check
from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation

lenet = pv.zoo.lenet_300_100("keras")
dense = pv.scorecard(lenet, validation, name="dense")
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# **Touch.** Each dot is a neuron of LeNet-300-100. Drag the slider: of each hidden layer that share goes,
# the smallest weights first. Click a dot to cut it, or to bring it back. How many answers does it cost?

# %%
view = pv.explore(
    lenet,
    validation,
    granularity="neuron",
    show=["slider", "network", "accuracy"],
    predict=False,
    scope="layer",
    sparsity=0.5,
    title="LeNet-300-100",
)
await view.measured()
view

# %% tags=["drive"]
for share in (0.25, 0.5):
    view.sparsity = share
    await view.measured()
    print(view.sentence())

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, neuron, magnitude, random, the network, its layer, at once.](../map/02b.svg)
#
# - To find all that belongs to a neuron: a row, a bias, and what the next layer has for it.
# - To take neurons out, and to prove that the small network computes what the masked one did.
# - To measure what that buys in parameters, bytes and milliseconds.
# - To compare it fairly with cutting weights, and with starting small.
#
# **Before you start.** You have done 02a: structured pruning, and the average left behind. 01c helps, but
# is not needed.
#
# **Time.** 35 minutes, and 25 for the exercises.

# %% [markdown]
# ## A row, and a bias
#
# To cut a neuron you set its weights to zero. Where are they? And lesson 01 never touched a bias; now it
# goes, with its neuron.

# %% tags=["pytorch"]
print("fc1.weight", tuple(lenet.fc1.weight.shape), "  fc1.bias", tuple(lenet.fc1.bias.shape))
print("fc2.weight", tuple(lenet.fc2.weight.shape))
print("row 7 of fc1:", tuple(lenet.fc1.weight[7].shape), end="   ")
print("column 7 of fc2:", tuple(lenet.fc2.weight[:, 7].shape))

# %% [markdown] tags=["pytorch"]
# PyTorch stores weights as (out, in). Neuron 7 of `fc1` is **row** 7 of its weights, and `fc2` reads it
# with **column** 7 of its own. You may read that "entire columns" are set to zero to remove a neuron [1].
# That is right in Keras, which stores (in, out). In PyTorch it removes a pixel, and the bias is forgotten
# in both.
#
# `torch.nn.utils.prune.ln_structured` cuts rows (`dim=0`) by their norm. Take the 150 with the smallest L1
# norm.

# %% tags=["tensorflow"]
print("fc1.kernel", tuple(lenet.get_layer("fc1").kernel.shape), end="   ")
print("fc1.bias", tuple(lenet.get_layer("fc1").bias.shape))
print("fc2.kernel", tuple(lenet.get_layer("fc2").kernel.shape))
print("column 7 of fc1:", tuple(lenet.get_layer("fc1").kernel[:, 7].shape), end="   ")
print("row 7 of fc2:", tuple(lenet.get_layer("fc2").kernel[7].shape))

# %% [markdown] tags=["tensorflow"]
# Keras stores weights as (in, out). Neuron 7 of `fc1` is **column** 7 of its kernel, and `fc2` reads it
# with **row** 7 of its own. You may read that "entire columns" are set to zero to remove a neuron [1]. That
# is right here. In PyTorch, which stores (out, in), it removes a pixel, and the bias is forgotten in both.
#
# Neither Keras nor the TensorFlow Model Optimization toolkit has a tool for neurons, so cut by hand. Take
# the 150 columns with the smallest L1 norm.

# %% tags=["pytorch"]
from torch.nn.utils import prune

rows_only = copy.deepcopy(lenet)
prune.ln_structured(rows_only.fc1, "weight", amount=150, n=1, dim=0)
prune.remove(rows_only.fc1, "weight")

cut = (rows_only.fc1.weight == 0).all(dim=1)
print(f"{cut.sum()} neurons have lost all their weights")

# %% tags=["tensorflow"]
weights, bias = lenet.get_layer("fc1").get_weights()
cut = np.isin(np.arange(300), np.argsort(np.abs(weights).sum(axis=0), kind="stable")[:150])

rows_only = keras.models.clone_model(lenet)
rows_only.set_weights(lenet.get_weights())
rows_only.get_layer("fc1").set_weights([np.where(cut, 0, weights), bias])
print(f"{cut.sum()} neurons have lost all their weights")

# %% [markdown]
# **Predict.** All weights of 150 neurons are zero, and no image reaches them. How many still send a number
# other than zero to `fc2`?

# %% tags=["answer"]
guess = ...  # how many of the 150?
bias_1 = pv.network(lenet)["fc1"].bias
gone = np.asarray(cut)
constants = np.maximum(bias_1[gone], 0)
print(f"what they send goes up to {constants.max():.2f}, and is the same for every image")
pv.teaching.compare(guess, int(np.sum(constants > 0)), "of the 150 still send something")

# %% [markdown]
# **Explain.** A sum without its weights is the bias, and a ReLU lets it through where it is positive. Such
# a neuron has no input any more, but it is not gone: take it out as it is, and the sums of `fc2` change.
#
# **What would have shown us wrong?** 150 neurons that send zero.

# %% [markdown]
# ### Exercise 1 · Take a neuron out
#
# Here all three are in your hand: the weights of a layer as your framework stores them, its biases, and the
# weights of the next layer. Return the three without one neuron: smaller, not zeroed. `np.delete` helps.
# Then say how many parameters LeNet-300-100 loses with one neuron of `fc1`.


# %% tags=["pytorch", "exercise"]
def take_out(weight, bias, next_weight, neuron):
    """Return the weights, the biases and the next layer's weights without the neuron."""
    # solution:
    smaller = np.delete(weight, neuron, axis=0), np.delete(bias, neuron)
    return *smaller, np.delete(next_weight, neuron, axis=1)
    # end of solution


# solution: fewer = ...
fewer = 784 + 1 + 100
# end of solution


# %% tags=["tensorflow", "exercise"]
def take_out(weight, bias, next_weight, neuron):
    """Return the kernel, the biases and the next layer's kernel without the neuron."""
    # solution:
    smaller = np.delete(weight, neuron, axis=1), np.delete(bias, neuron)
    return *smaller, np.delete(next_weight, neuron, axis=0)
    # end of solution


# solution: fewer = ...
fewer = 784 + 1 + 100
# end of solution

# %% tags=["check"]
check.neuron_removed(take_out, fewer=fewer, framework=FRAMEWORK)

# %% [markdown]
# ## Move the constant, then take it out
#
# What `fc2` receives from such a neuron is its constant times a weight, the same for every image. Add it to
# the biases of `fc2`, as 02a did with averages. Then the neuron may go.

# %% tags=["pytorch"]
with torch.no_grad():
    by_hand = copy.deepcopy(rows_only)
    by_hand.fc1, by_hand.fc2 = nn.Linear(784, 150), nn.Linear(150, 100)
    by_hand.fc1.weight.copy_(lenet.fc1.weight[~cut])
    by_hand.fc1.bias.copy_(lenet.fc1.bias[~cut])
    by_hand.fc2.weight.copy_(lenet.fc2.weight[:, ~cut])
    sent = lenet.fc1.bias[cut].relu()
    by_hand.fc2.bias.copy_(lenet.fc2.bias + lenet.fc2.weight[:, cut] @ sent)

# %% tags=["tensorflow"]
widths = [keras.layers.Dense(n, "relu") for n in (150, 100)]
by_hand = keras.Sequential(
    [keras.Input((28, 28, 1)), keras.layers.Flatten(), *widths, keras.layers.Dense(10)]
)

weights_2, bias_2 = lenet.get_layer("fc2").get_weights()
sent = np.maximum(bias[cut], 0)
by_hand.layers[1].set_weights([weights[:, ~cut], bias[~cut]])
by_hand.layers[2].set_weights([weights_2[~cut], bias_2 + sent @ weights_2[cut]])
by_hand.layers[3].set_weights(lenet.get_layer("fc3").get_weights())

# %%
masked, small = (pv.scorecard(network, validation) for network in (rows_only, by_hand))
print(f"weights zero: {masked.parameters:,} parameters, {masked.correct:,} right")
print(f"taken out:    {small.parameters:,} parameters, {small.correct:,} right")
print(f"answers that differ: {np.sum(masked.predictions != small.predictions)}")

# %% [markdown]
# ## Both layers, by a tool
#
# `pv.apply` makes the masked network; a cut neuron's bias is zero with it. `pv.remove` builds the small
# one. Half of `fc1` and half of `fc2` go, by L1 norm.
#
# **Predict.** Half of the neurons are gone. What share of the parameters is left?

# %% tags=["answer"]
guess = ...  # what share? 0.5 is half
mask = pv.prune(lenet, 0.5, granularity="neuron", scope="layer", example=images[:1])
models = {
    "dense": lenet,
    "masked": pv.apply(lenet, mask),
    "small": pv.remove(lenet, mask, images[:1]),
}
cards = {name: pv.scorecard(network, validation) for name, network in models.items()}

pv.teaching.show(pv.plot_network(lenet, mask=mask, view="matrix", title="Half of the neurons"))
for name, card in cards.items():
    print(f"{name:7} {card.parameters:8,} parameters, {card.nonzero:8,} of them not zero")
left = cards["small"].parameters / dense.parameters
pv.teaching.compare(guess, left, "of the parameters left", share=True)

# %% [markdown]
# Look at `fc3`. None of its neurons was cut, and half of its weights are gone. **A removed neuron costs the
# next layer an input.** `fc2` loses on both sides, and a quarter of it is left. You cannot count parameters
# by looking at one layer.
#
# **Predict.** The masked network and the small one: on how many of the 10,000 test images do their answers
# differ?

# %% tags=["answer"]
guess = ...  # how many of the 10,000 answers?
difference = pv.check_removed(lenet, mask, models["small"], test[0])
one, other = (pv.scorecard(models[name], test).predictions for name in ("masked", "small"))
print(f"largest difference of an output, relative to the largest output: {difference:.5f}")
print(f"against the dense network: {cards['small'].versus(dense)}")
pv.teaching.compare(guess, int(np.sum(one != other)), "answers differ")

# %% [markdown]
# **Explain.** The small network computes what the masked one computes, to the rounding of sums that are
# added up in another order. `pv.remove` makes this comparison on the images you give it, and refuses if it
# fails. But mind which two are equal. *Removed equals masked* says that taking zeros out is free. That
# making them is not, the line above shows.
#
# **What would have shown us wrong?** One answer that differs.
#
# **Touch.** Move the slider, and press *Remove the pruned neurons*. The view builds the small network, and
# compares.

# %%
taken = pv.explore(
    lenet,
    validation,
    granularity="neuron",
    show=["slider", "layers", "removal"],
    predict=False,
    scope="layer",
    sparsity=0.5,
    title="LeNet-300-100 · removal",
)
taken

# %% tags=["drive"]
taken.sparsity = 0.75
taken.remove()
shapes = ", ".join(f"{layer['name']} {layer['after']}" for layer in taken.removal["layers"])
print(f"after removal: {shapes}")
print("parameters before and after: {:,}, {:,}".format(*taken.removal["parameters"]))
print(taken.sentence())

# %% [markdown] tags=["pytorch"]
# `torch.nn.utils.prune` has no such step. [Torch-Pruning](https://github.com/VainF/Torch-Pruning) has. It
# follows who reads whom, as pruneviz does, and changes the network that you give it. Here it takes out the
# same neurons.

# %% tags=["pytorch"]
import torch_pruning

by_library = copy.deepcopy(lenet)
graph = torch_pruning.DependencyGraph().build_dependency(by_library, torch.zeros(1, 1, 28, 28))
for name in ("fc1", "fc2"):
    layer, idxs = by_library.get_submodule(name), np.flatnonzero(~mask[name]).tolist()
    graph.get_pruning_group(layer, torch_pruning.prune_linear_out_channels, idxs).prune()

print("fc2:", by_library.fc2)
theirs = pv.scorecard(by_library, test).predictions
print(f"answers that differ from those of the small network: {np.sum(theirs != other)}")

# %% [markdown] tags=["tensorflow"]
# The TensorFlow Model Optimization toolkit has no such step: it prunes single weights, blocks of them, or
# two of every four.

# %% [markdown]
# ### Exercise 2 · Half of the parameters
#
# Write `parameters(widths)` for a chain of dense layers: `[784, 300, 100, 10]` is LeNet-300-100. Then find
# `share`, the smallest share of the neurons, in steps of 0.01 and the same in both hidden layers, that
# leaves half of the 266,610 parameters or fewer.


# %% tags=["exercise"]
def parameters(widths):
    """Count weights and biases; the first width is the inputs."""
    # solution:
    return sum((widths[i] + 1) * widths[i + 1] for i in range(len(widths) - 1))
    # end of solution


# solution: share = ...
share = next(
    cut / 100
    for cut in range(100)
    if parameters([784, 3 * (100 - cut), 100 - cut, 10]) <= parameters([784, 300, 100, 10]) / 2
)
# end of solution

# %% tags=["check"]
check.half_of_the_parameters(parameters, share=share)

# %% [markdown]
# ## Smaller, and faster?
#
# **Measure.** First the files.

# %%
rows = [
    (name, f"{card.raw_bytes / 1000:,.0f} kB", f"{card.gzip_bytes / 1000:,.0f} kB", card.macs)
    for name, card in cards.items()
]
pv.teaching.table(["", "plain file", "under gzip", "multiplications"], rows)

# %% [markdown]
# The small file is small as it is. The masked one has to be compressed to come near. And time?
#
# Times are about a machine. Those below are stored: one thread, processor time, the lowest of nine rounds
# (`benchmarks/removing_neurons.py`). A quarter of the neurons is left, and less than a quarter of the
# multiplications.
#
# **Predict.** A forward pass of 64 images: how many times faster is the small network than the dense one?


# %% tags=["fold"]
def draw_times(times, where):
    """Draw milliseconds of a forward pass: name -> batch -> [lowest, median, highest]."""
    figure = Figure(figsize=(8, 2.6), layout="constrained")
    for ax, batch in zip(figure.subplots(1, 2), ("1", "64"), strict=True):
        low, _, high = np.transpose([one[batch] for one in times.values()])
        colours = [style.SERIES[1][0] if "masked" in name else style.KEPT for name in times]
        names = [f"{name}, {value:.2f} ms" for name, value in zip(times, low, strict=True)]
        ax.barh(names, low, xerr=[0 * low, high - low], color=colours, ecolor="#999999")
        ax.invert_yaxis()
        ax.set(xlabel="milliseconds", title=f"batch of {batch}")
        ax.spines[["top", "right"]].set_visible(False)
    pv.teaching.show(
        figure,
        alt=f"Milliseconds of a forward pass of one image and of 64, {where}: the dense network, "
        "the masked one, the small one with a quarter of the neurons, and one with a "
        "hundredth. A bar is the lowest of nine rounds; its line goes on to the highest.",
    )


# %% tags=["answer"]
guess = ...  # how many times faster? 2 is twice as fast
stored = pv.teaching.results("removing_neurons")
names = {"masked 75%": "masked", "removed 75%": "small", "removed 99%": "a hundredth"}
times = {names.get(name, name): one for name, one in stored["ms"][FRAMEWORK].items()}
times = {name: times[name] for name in ("dense", *names.values())}
draw_times(times, "as stored")
ms = {name: {batch: one[batch][0] for batch in one} for name, one in times.items()}
for name in ("masked", "small"):
    gains = [f"{ms['dense'][batch] / ms[name][batch]:.1f} times" for batch in ("1", "64")]
    print(f"{name} against dense: {gains[0]} as fast for one image, {gains[1]} for 64")
pv.teaching.compare(guess, round(ms["dense"]["64"] / ms["small"]["64"], 1), "times as fast")

# %% [markdown]
# **Explain.** The masked network gains little or nothing. The small one is faster, and by less than the
# multiplications promise. The last bar says what no pruning can take away: a network
# of four neurons still takes its time to be called.
#
# **What would have shown us wrong?** A masked network as fast as the small one, or a last bar near zero.
#
# Now on your machine, about 10 s. If it is doing other things as well, the lines are long.

# %%
smaller = pv.prune(lenet, 0.75, granularity="neuron", scope="layer", example=images[:1])
rest = pv.prune(lenet, 0.99, granularity="neuron", scope="layer", example=images[:1])
yours = {
    "dense": lenet,
    "masked": pv.apply(lenet, smaller),
    "small": pv.remove(lenet, smaller, images[:1]),
    "a hundredth": pv.remove(lenet, rest, images[:1]),
}
measured = {
    name: {str(batch): (one.low, one.median, one.high) for batch, one in found.items()}
    for name, found in pv.latency(yours, images, clock="processor", seconds=0.4).items()
}
draw_times(measured, "on this machine")

# %% [markdown]
# ## Neurons or weights?
#
# Now compare with lesson 01, at equal parameters. From each hidden layer four neurons in five are removed.
# Or single weights are cut over the whole network, until as many parameters are left that are not zero. So
# the two differ in scope as well.
#
# **Predict.** Neurons keep 3,177 of the 5,000 digits. How many does the cut of weights keep?


# %% tags=["fold"]
def draw_both(study):
    """Draw right answers against parameters left, at once and after an epoch."""
    figure = Figure(figsize=(8, 3.3), layout="constrained")
    for when, ax in enumerate(figure.subplots(1, 2)):
        for kind, (colour, marker, dash) in zip(("weights", "neurons"), style.SERIES, strict=False):
            for number, found in enumerate(study["seeds"].values()):
                height = [row[when] for row in found[kind]]
                label = kind if number == 0 else None
                look = {"linestyle": dash, "marker": marker, "markersize": 3.5, "linewidth": 1}
                ax.plot(found["parameters"], height, color=colour, label=label, **look)
        control = [found["dense"][when] for found in study["seeds"].values()]
        ax.axhspan(min(control), max(control), color="#ccc", linewidth=0, label="dense", zorder=0)
        ax.set(xlabel="parameters left", title=("at once", "after one epoch of fine-tuning")[when])
        ax.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("right, of 5,000")
    figure.axes[0].legend(frameon=False)
    pv.teaching.show(
        figure,
        alt="Right answers against the parameters left, three networks, neurons or weights cut. "
        "At once the weights stay near the dense network down to about 75,000 parameters, "
        "while the neurons fall from 150,000 on. After one epoch of fine-tuning both stay "
        "near the dense network down to about 50,000, and below that the neurons fall first.",
    )


# %% tags=["answer"]
guess = ...  # how many of the 5,000?
four_in_five = pv.prune(lenet, 0.8, granularity="neuron", scope="layer", example=images[:1])
neurons = pv.scorecard(pv.remove(lenet, four_in_five, images[:1]), validation)
total = sum(layer.weight.size for layer in pv.network(lenet).layers)
cut_weights = pv.prune(lenet, (dense.parameters - neurons.parameters) / total)
weights_kept = pv.scorecard(pv.apply(lenet, cut_weights), validation)
print(f"neurons: {neurons.parameters:,} parameters, {neurons.correct:,} right")
print(f"weights: {weights_kept.nonzero:,} that are not zero, {weights_kept.correct:,} right")
pv.teaching.compare(guess, weights_kept.correct, "digits right with weights cut")

# %% [markdown]
# And after an epoch of fine-tuning? Three networks, stored, with the dense one as the control: it gets the
# same epoch.

# %% tags=["answer"]
draw_both(stored)
networks = stored["seeds"].values()
rows = [("dense, 266,610", *(one["dense"] for one in networks))]
for share in (0.6, 0.7, 0.8, 0.9):
    at = stored["shares"].index(share)
    for kind in ("neurons", "weights"):
        name = f"{kind}, {stored['seeds']['0']['parameters'][at]:,}"
        rows.append((name, *(one[kind][at] for one in networks)))
rows = [(name, *(f"{a:,} to {b:,}" for a, b in pairs)) for name, *pairs in rows]
pv.teaching.table(["at once, to after an epoch", "network 0", "network 1", "network 2"], rows)

# %% [markdown]
# **Explain.** At once the weights are ahead, by up to nearly two thousand answers. After an epoch little
# of that is left, down to 48,530. With 99,450 parameters the lead changes sides; with 73,690 and 48,530 the
# weights lead in all three networks, by dozens; with 23,970, at the left end of the picture, by hundreds.
# You may read that neuron pruning is "more robust" [2]. Where much is cut, these counts say the opposite. How
# much of it is the scope, they do not say.
#
# What you get for those answers is an ordinary network. To turn scattered zeros into time you need other
# programs or other hardware; nothing in this lesson does.
#
# **What would have shown us wrong?** Neurons ahead in all three networks where much is cut.

# %% [markdown]
# ### Easier to read?
#
# You may also read that pruning makes networks easier to interpret, since less is left to look at [2]. The
# 784 weights of a neuron of `fc1` are a picture. Here are four, before and after 90% of the *weights* were
# cut.

# %% tags=["fold"]
from matplotlib.colors import LinearSegmentedColormap

thin = pv.apply(lenet, pv.prune(lenet, 0.9))
before, after = (pv.network(network)["fc1"].weight for network in (lenet, thin))
signs = LinearSegmentedColormap.from_list("signs", ["#7b3294", style.PAPER, "#00695c"])
signs = signs.with_extremes(bad=style.PRUNED)
figure = Figure(figsize=(8, 4.3), layout="constrained")
for row, (title, weights_now) in enumerate((("before", before), ("90% of weights cut", after))):
    for column, neuron in enumerate(np.argsort(-np.abs(before).sum(axis=1))[:4]):
        ax = figure.add_subplot(2, 4, 4 * row + column + 1)
        far = np.abs(before[neuron]).max()
        picture = np.ma.masked_equal(weights_now[neuron], 0).reshape(28, 28)
        ax.imshow(picture, cmap=signs, vmin=-far, vmax=far)
        ax.set(xticks=[], yticks=[])
        if row == 0:
            ax.set_title(f"neuron {neuron}", fontsize=style.FONT)
        if column == 0:
            ax.set_ylabel(title)
patch = style.pruned_patch("pruned", hatched=False)
figure.legend(handles=[patch], loc="outside lower left", frameon=False)
pv.teaching.show(
    figure,
    alt="The weights of four neurons of fc1 as pictures of 28 by 28 pixels. Before pruning each "
    "has green and purple strokes among paler pixels of both colours. After it most pixels "
    "are pruned; what is left are the strongest pixels of the same strokes.",
)

# %% [markdown]
# Tidier. Clearer, too? Take a neuron's mean activity on each digit, and see what share its favourite has.

# %%
pixels, truth = mnist.train[0][:10_000].reshape(-1, 784) / np.float32(255), mnist.train[1][:10_000]


def favourites(weight):
    """For each neuron of fc1: its favourite digit, and that digit's share of its activity."""
    sums = np.maximum(pixels @ weight.T + bias_1, 0)
    means = np.stack([sums[truth == digit].mean(axis=0) for digit in range(10)], axis=1)
    total = means.sum(axis=1)
    return means.argmax(axis=1), np.divide(means.max(axis=1), total, where=total > 0, out=0 * total)


(digit_before, share_before), (digit_after, share_after) = favourites(before), favourites(after)
both = (share_before > 0) & (share_after > 0)
print(f"share of the favourite digit, median: {np.median(share_before[both]):.0%} before,", end=" ")
print(f"{np.median(share_after[both]):.0%} after")
moved = np.mean(digit_before[both] != digit_after[both])
print(f"another favourite now: {moved:.0%} of the neurons")

# %% [markdown]
# By this measure nothing is clearer, and many neurons have changed their favourite. Cut *neurons* instead,
# and the pictures of those that stay do not change by a pixel; there are only fewer to look at.

# %% [markdown]
# ## Prune, or start small?
#
# If a network of 75 and 25 neurons is what you want, why train 300 and 100 and throw three quarters away?
# You may read that pruning is "much more effective" [3], without a figure. First the cut alone: fine-tune
# what is left for five epochs, and as the control the dense network too. About 20 s.

# %% tags=["pytorch"]
train_x = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2) / np.float32(255))
train_y = torch.tensor(mnist.train[1])


def fine_tuned(network, epochs, rate=4e-3):
    """Fine-tune a copy with Adam, while the learning rate falls to zero."""
    network = copy.deepcopy(network).train()
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    steps = epochs * -(-len(train_x) // 512)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=steps)
    shuffle = torch.Generator().manual_seed(0)
    for _ in range(epochs):
        for batch in torch.randperm(len(train_x), generator=shuffle).split(512):
            loss = F.cross_entropy(network(train_x[batch]), train_y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
    return network.eval()


# %% tags=["tensorflow"]
train_x, train_y = mnist.train[0] / np.float32(255), mnist.train[1]


def fine_tuned(network, epochs, rate=4e-3):
    """Fine-tune a copy with Adam, while the learning rate falls to zero."""
    keras.utils.set_random_seed(0)
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    steps = epochs * -(-len(train_x) // 512)
    falling = keras.optimizers.schedules.PolynomialDecay(rate, steps, end_learning_rate=0.0)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    twin.compile(keras.optimizers.Adam(falling), loss=cross_entropy)
    twin.fit(train_x, train_y, batch_size=512, epochs=epochs, verbose=0)
    return twin


# %% tags=["trains"]
quarter = yours["small"]
tuned, control = fine_tuned(quarter, 5), fine_tuned(lenet, 5)
arms = {"75-25, just cut": quarter, "75-25, fine-tuned": tuned, "300-100, as long": control}
for name, network in arms.items():
    print(f"{name:28} {pv.scorecard(network, validation).accuracy:.1%}")

# %% [markdown]
# The cut nearly ruined the network, and a few epochs repaired it. Now the fair race: three seeds, 24 epochs
# in all for each (the cut network's are 12 of the large one, at 0.008, and 12 after the cut), 10,000 test
# images, each arm at its own best of four learning rates. `benchmarks/prune_or_start_small.py` has run it.
# There are two more arms: neurons cut at random, and a small network that gets as many *multiplications*
# as the large one had.
#
# **Predict.** Cut by L1 norm and fine-tuned, 9,816 of 10,000 are right (the median of three). Where does
# the network end that was small from the start?

# %% tags=["answer"]
guess = ...  # how many of the 10,000?
race = pv.teaching.results("prune_or_start_small")
rows = [("300-100, before the cut", *race["before_the_cut"])]
rows += [("75-25, right after the cut", *race["right_after_the_cut"])]
rows += [(f"75-25, {name}", *arm["correct"]) for name, arm in race["arms"].items()]
pv.teaching.table([f"right, of {race['images']:,}", *(f"seed {s}" for s in race["seeds"])], rows)
median = int(np.median(race["arms"]["small, as many epochs"]["correct"]))
pv.teaching.compare(guess, median, "right, small from the start")

print(f"\n{race['epochs']} epochs in all, {race['epochs_after_the_cut']} of them after the cut")
print("wrong on validation, of three times 5,000, at each learning rate")
for name, arm in list(race["arms"].items())[::2]:
    wrong = 15_000 - np.sum(arm["validation_at_each_rate"], axis=0)
    at_rates = [f"{n} at {rate}" for n, rate in zip(wrong, race["rates"], strict=True)]
    print(f"{name:27}" + ", ".join(at_rates))

# %% [markdown]
# **Explain.** The network that was cut is ahead in two of three seeds, by two images in a thousand at most.
# That is no clear lead. The last lines show how to get one: the large one trained at 0.008, and at the
# same rate for both cutting looks clearly better. Give the small network the rate that suits *it*, and
# most of the lead is gone. A comparison is as fair as the care that its loser got. Which neurons stay
# matters too, in all three seeds.
#
# **What would have shown us wrong?** A lead in all three seeds with each at its own rate.
#
# If you have a trained large network, cutting it is the shorter way: 12 epochs of a small network instead
# of 24. If you have to train in any case, starting small is as good here. Liu and others (2019) found the
# same on far larger networks.

# %% [markdown]
# ### Exercise 3 · Half of the milliseconds
#
# An open one. Nobody can check the milliseconds of your machine, so the target is in multiplications: at
# most 88,733, a third of those of LeNet-300-100, and 4,890 of the 5,000 validation images right. Choose as
# you like (02a has better scores than the L1 norm), remove, fine-tune on the training images. Give the
# scorecard: `card = pv.scorecard(mine, validation)`. Then take the time of 64 images, with
# `pv.latency({"dense": lenet, "mine": mine}, images)`. Is it half?

# %% tags=["exercise"]
# solution: card = ...
plan = pv.prune(lenet, 0.68, granularity="neuron", scope="layer", example=images[:1])
mine = fine_tuned(pv.remove(lenet, plan, images[:1]), 4)
card = pv.scorecard(mine, validation)
# end of solution

# %% tags=["check"]
check.half_the_time(card, macs=88_733, target=4_890)

# %% [markdown]
# ## The report
#
# Once, on the test images: the quarter of the neurons, fine-tuned for five epochs, beside the dense network
# as it came and the dense network with the same five epochs.

# %% tags=["trains"]
arms = {"dense": lenet, "dense, five epochs more": control, "75-25, fine-tuned": tuned}
for name, network in arms.items():
    card_of = pv.scorecard(network, test)
    low, high = card_of.interval
    print(f"{name:23} {card_of.parameters:,} parameters, {card_of.accuracy:.1%} right,", end=" ")
    print(f"95% interval {low:.1%} to {high:.1%}")

# %% [markdown]
# ## Now yours
#
# Put your own network into the first paragraph: dense layers that read one another, with any activation
# between. The script takes half of the neurons of each hidden layer out. Fine-tune it afterwards as you
# trained it.

# %% tags=["pytorch", "yours"]
model = pv.zoo.lenet_300_100("torch")  # put your model and data here
x = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255))
y = torch.tensor(labels).long()

import copy
from itertools import pairwise
import torch

small = copy.deepcopy(model)
linear = [module for module in small.modules() if isinstance(module, torch.nn.Linear)]
sizes = [layer.weight.detach().abs().sum(1) for layer in linear[:-1]]
for size, (layer, reader) in zip(sizes, pairwise(linear), strict=True):
    stays = size.argsort(descending=True)[: len(size) // 2].sort().values
    layer.weight = torch.nn.Parameter(layer.weight.detach()[stays])
    layer.bias = torch.nn.Parameter(layer.bias.detach()[stays])
    reader.weight = torch.nn.Parameter(reader.weight.detach()[:, stays])
    layer.out_features = reader.in_features = len(stays)
with torch.no_grad():
    right = [(network(x).argmax(1) == y).sum().item() for network in (model, small)]
count = [sum(p.numel() for p in network.parameters()) for network in (model, small)]
print(f"{count[0]:,} parameters become {count[1]:,}; {right[0]:,} right, then {right[1]:,}")

# %% tags=["tensorflow", "yours"]
model = pv.zoo.lenet_300_100("keras")  # put your model and data here
x, y = images / np.float32(255), labels

import keras
import numpy as np

old = [layer for layer in model.layers if isinstance(layer, keras.layers.Dense)]
sizes = [np.abs(layer.get_weights()[0]).sum(0) for layer in old]
stays = [np.sort(np.argsort(-size)[: len(size) // 2]) for size in sizes[:-1]]
stays = [np.arange(old[0].kernel.shape[0]), *stays, np.arange(old[-1].units)]


def halved(layer):
    config = layer.get_config()
    if layer in old[:-1]:
        config["units"] //= 2
    return type(layer).from_config(config)


small = keras.models.clone_model(model, clone_function=halved)
for layer, reads, keeps in zip(old, stays, stays[1:], strict=False):
    weight, bias = layer.get_weights()
    small.get_layer(layer.name).set_weights([weight[reads][:, keeps], bias[keeps]])
right = [(network.predict(x, verbose=0).argmax(1) == y).sum() for network in (model, small)]
count = [network.count_params() for network in (model, small)]
print(f"{count[0]:,} parameters become {count[1]:,}; {right[0]:,} right, then {right[1]:,}")

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# You set all weights of a neuron to zero and leave its bias. Afterwards it
# - [x] may still send a constant to the next layer.
#   why: What is left of its sum is the bias. Where that is positive, a ReLU lets it through, the same for each
#     image.
# - [ ] is gone, for it has no weights any more.
#   why: A neuron is its weights *and* its bias. Take it out as it is, and the sums of the next layer change.
# - [ ] is the same as without a bias, unless the network is fine-tuned.
#   why: The constant is sent at every forward pass, fine-tuned or not.

# %% [markdown] tags=["quiz"]
# You remove half of the neurons, and prove that the small model gives the same outputs as the masked one. So
# - [ ] accuracy has not suffered.
#   why: The masked model is not the dense one. What the mask costs has to be measured against the model
#     before the cut.
# - [ ] it is faster in proportion to the multiplications that are gone.
#   why: Equal outputs say nothing about time, and the milliseconds fell by less than the multiplications.
# - [x] it is the same function in smaller arrays.
#   why: That, and no more. It means that the step from zeros to nothing was free.

# %% [markdown] tags=["quiz"]
# A small network trained from scratch ends below the one that was cut from a large one. Before you say that cutting is
# better, you ask
# - [ ] whether the large one was good enough.
#   why: It gave the cut network its start. That does not tell whether the small one was given its best.
# - [x] whether the small one was trained at its own best learning rate.
#   why: At the large network's rate it lost by far more than at its own.
# - [ ] how many neurons were cut.
#   why: Both ended with the same widths: that is what makes them comparable.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *How do I get rid of the zeros? I want the pruned filters gone, not masked.* ([pytorch/pytorch, thread
# 58846](https://github.com/pytorch/pytorch/issues/58846))
#
# The thread asks PyTorch to simplify pruned models, and links eight older questions that ask for the same.
# `torch.nn.utils.prune` makes masks only. The step that is missing is the one you took: find the neurons
# whose weights are all zero, take their rows and biases out, take the columns out that read them, and move
# the constants that their biases send. Where layers branch and meet again, somebody has to follow who reads
# whom; `pv.remove` and Torch-Pruning do. It works for whole neurons only. A single zero in a row cannot be
# taken out: a matrix has no holes.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *I pruned my model, and inference takes as long as before. Why?* ([tensorflow/model-optimization, thread
# 611](https://github.com/tensorflow/model-optimization/issues/611))
#
# The thread says it itself: pruning sets weights to zero, but does not take the network's edges away. The
# toolkit has no tool for that. The step that is missing is the one you took: find the neurons whose weights
# are all zero, take their columns and biases out, take the rows out that read them, and move the constants
# that their biases send. Where layers branch and meet again, somebody has to follow who reads whom;
# `pv.remove` does. It works for whole neurons only. A single zero in a column cannot be taken out: a matrix
# has no holes.

# %% [markdown]
# ## Recap
#
# In this lesson you have
#
# - found a row, a bias and a column for each neuron, and constants where the bias had been forgotten;
# - taken neurons out, by hand and by a tool, and proved that removed equals masked;
# - measured the smaller file and the shorter time, and the time that no pruning takes away;
# - compared at equal parameters and equal training, with the dense network as the control: weights keep
#   more answers where much is cut, and a network that was cut ends about where one ends that was small from
#   the start.
#
# Next: lesson 03 does this with the filters of convolutions, where most of the multiplications are.

# %% [markdown]
# ## Further reading
#
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International
#   Conference on Learning Representations*, 2019. "Prune, or start small" on far larger networks: the small
#   one, trained for long enough, did as well.
# - G. Fang, X. Ma, M. Song, M. B. Mi and X. Wang. DepGraph: Towards Any Structural Pruning. *IEEE/CVF
#   Conference on Computer Vision and Pattern Recognition*, 2023. How Torch-Pruning follows who reads whom.
# - [1] *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine: columns are set to zero to
#   remove a neuron.
# - [2] Jan Marcel Kezmann, *Optimizing Deep Learning Models with Pruning: A Practical Guide*: neuron
#   pruning as more robust; pruned networks as easier to interpret.
# - [3] Tram Ho, *Pruning model with Tensorflow API*, Viblo: pruning as much more effective than resizing
#   layers.
