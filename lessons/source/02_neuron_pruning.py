# %% [markdown]
# # 02 · Neuron pruning
#
# In lesson 01 you cut weights, wherever they stood. The zeros were many, but no array became smaller, and
# neither did the file. Now you cut whole neurons. A neuron takes its weights with it, its bias, and what the
# next layer had for it, and what is left is an ordinary network of fewer neurons.

# %% [markdown]
# ## What you will learn
#
# - To measure how active neurons are, and to tell one that never fires from one that seldom does.
# - To choose neurons: why quiet is not useless, and why harmless ones together can be harmful.
# - To take a neuron out with all that belongs to it, and to prove that nothing else has changed.
# - To say what that buys in parameters, bytes and time, and to compare it with cutting weights and with
#   starting small.
#
# **Before you start.** You have done lesson 01a: mask, magnitude, lost and won. 01b helps, but is not needed.
#
# **Time.** 45 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/02_neuron_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/02_neuron_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% tags=["pytorch"]
import pruneviz as pv

pv.teaching.start("pytorch")
FRAMEWORK = "torch"

# %% tags=["tensorflow"]
import pruneviz as pv

pv.teaching.start("tensorflow")
FRAMEWORK = "keras"

# %% tags=["pytorch"]
import copy

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import nn
from torch.nn import functional as F

from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation

model = pv.zoo.lenet_300_100("torch")
dense = pv.scorecard(model, validation, name="dense")
print(pv.network(model))
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% tags=["tensorflow"]
import keras
import numpy as np
import tensorflow as tf
from matplotlib.figure import Figure

from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation

model = pv.zoo.lenet_300_100("keras")
dense = pv.scorecard(model, validation, name="dense")
print(pv.network(model))
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# It is LeNet-300-100 again. It has 400 neurons that can go: the 300 of `fc1` and the 100 of `fc2`. The ten of
# `fc3` are the answers, and stay.

# %% [markdown]
# ## How active is a neuron?
#
# A neuron of `fc1` multiplies each of 784 pixels by a weight, adds them up, and adds a bias. A ReLU follows:
# it turns a negative sum into zero. If the sum is positive the neuron *fires*, and what it passes on is its
# *activation*.

# %% [markdown] tags=["pytorch"]
# PyTorch lets you listen in with a *hook*: a function that is called each time a layer has computed. Take the
# hooks off again, or every copy of the model carries them along.


# %% tags=["pytorch"]
def activations_of(x):
    """Give what the neurons of fc1 and fc2 pass on: layer -> (images, neurons)."""
    heard = {"fc1": [], "fc2": []}
    hooks = [
        relu.register_forward_hook(lambda _layer, _inputs, output, name=name: heard[name].append(output))
        for name, relu in (("fc1", model.relu1), ("fc2", model.relu2))
    ]
    with torch.no_grad():
        for part in torch.from_numpy(x.transpose(0, 3, 1, 2).copy()).split(5_000):
            model(part / 255)
    for hook in hooks:
        hook.remove()
    return {name: torch.cat(parts).numpy() for name, parts in heard.items()}


# %% [markdown] tags=["tensorflow"]
# In Keras you make a second model that shares the layers of the first, and ends where you want to listen.

# %% tags=["tensorflow"]
relus = {"fc1": model.get_layer("relu1"), "fc2": model.get_layer("relu2")}
probe = keras.Model(model.inputs, {name: relu.output for name, relu in relus.items()})


def activations_of(x):
    """Give what the neurons of fc1 and fc2 pass on: layer -> (images, neurons)."""
    batches = np.array_split(x, -(-len(x) // 5_000))
    parts = [probe.predict_on_batch(batch / np.float32(255)) for batch in batches]
    return {name: np.concatenate([part[name] for part in parts]) for name in relus}


# %%
activations = activations_of(mnist.train[0])
density = {name: (array > 0).mean(axis=0) for name, array in activations.items()}

print(f"on {len(mnist.train[0]):,} training images")
print("       neurons   never fire   fire on 1 to 100   half of them fire on at least")
for name, share in density.items():
    times = np.sum(activations[name] > 0, axis=0)
    seldom = np.sum((times > 0) & (times <= 100))
    print(f"{name} {share.size:9} {np.sum(times == 0):12} {seldom:18} {np.median(share):24.1%} of images")

# %% [markdown]
# > **Card: density.** The share of images on which a neuron fires. What is missing to one is called its
# > average percentage of zeros, APoZ (Hu and others, 2016). A neuron of *low density* is silent nearly all the
# > time. *Mean activity* is the average of its activation, zeros included.

# %%
ax = pv.plot_neuron_activity(model, images, layer="fc1")
pv.teaching.show(ax)

# %% [markdown]
# Most neurons are neither always on nor nearly always off. Each takes part in about a third of the images.
#
# **Touch.** Each dot is a neuron; the fuller its colour, the more active it is. Point at one to see what it looks at, click to
# silence it, click again to let it go on. The slider silences many: those with the smallest weights first.

# %%
parts = ["slider", "network"]
view = pv.explore(model, validation, granularity="neuron", show=parts, title="LeNet-300-100 · neurons")
view

# %%
# The same from code. The view follows.
for share in (0.25, 0.5, 0.75):
    view.sparsity = share
    left = ", ".join(f"{name} {kept.sum()} of {kept.size}" for name, kept in view.result().items())
    print(f"{share:.0%} of all neurons cut; left in {left}")

view.sparsity = 0
view.by_hand = {"fc1": {"cut": [7]}}
print(view.sentence())

# %% [markdown]
# Slider and mask are those of lesson 01; only what counts as one has changed: a neuron, not a weight. There
# are 400 of them where there were 266,200.

# %% [markdown]
# ### Never, and seldom
#
# A neuron that never fires is called *dead*. `fc1` and `fc2` have a few of them.
#
# **Predict.** Cut all dead neurons. How many of the 5,000 answers change? Then cut as many of those in `fc1`
# that do fire, but most seldom.


# %%
def without(cut):
    """Copy the model, and silence the neurons for which cut (layer -> bools) is True."""
    mask = pv.Mask({name: ~gone for name, gone in cut.items()}, "neuron")
    return pv.apply(model, mask, images[:1])


dead = {name: share == 0 for name, share in density.items()}
count = sum(gone.sum() for gone in dead.values())
print(f"without the {count} dead: {pv.scorecard(without(dead), validation).versus(dense)}")

alive = np.flatnonzero(~dead["fc1"])
seldom = alive[np.argsort(density["fc1"][alive], kind="stable")][:count]
card = pv.scorecard(without({"fc1": np.isin(np.arange(300), seldom)}), validation)
print(f"without the {count} most seldom: {card.versus(dense)}")
print(f"these fire on {density['fc1'][seldom].max():.0%} of the images or less")

# %% [markdown]
# **Explain.** A neuron that sends zero each time is not missed. Those that speak up now and then are: they may
# say what nobody else says.
#
# But never is a big word. It means: on these images. Can any image wake them? Light the pixels with a positive
# weight, and leave the others black. No image from 0 to 1 excites the neuron more.

# %%
fc1 = pv.network(model)["fc1"]
best = fc1.bias + np.maximum(fc1.weight, 0).sum(axis=1)
print("dead neurons of fc1:     ", *np.flatnonzero(dead["fc1"]))
print("most they could sum up to:", *best[dead["fc1"]].round(1))
never_here = np.sum((activations_of(images)["fc1"] > 0).sum(axis=0) == 0)
print(f"never fire on the {len(images):,} validation images: {never_here}")
size = np.abs(fc1.weight).sum(axis=1)
print("their places when fc1 is sorted by the size of its weights:", end=" ")
print(*np.sort(np.argsort(np.argsort(size))[dead["fc1"]]))

# %% [markdown]
# So each of them would fire for some image, but no digit looks like it. A usual way for a neuron to die: a step of
# the training makes its sum negative for every image. From then on its slope is zero too, and nothing brings it
# back. Its weights stay small, so a rule that cuts small weights finds it as well.
#
# How often is never also depends on how long you look: on fewer images, one more neuron never fires.

# %% [markdown]
# ## A row, and a bias
#
# Cutting weights leaves holes everywhere. Cutting a neuron takes everything that leads to it, and everything
# that leads away from it. Here are both on a toy network: below each diagram its matrices, a row for each
# neuron, a column for each number that it reads.

# %%
from itertools import pairwise

toy = [5, 4, 4, 3]
draw = np.random.default_rng(4)
holes = [draw.random((out, into)) > 0.4 for into, out in pairwise(toy)]
rows = [np.array([True, False, True, True]), np.array([False, True, True, True]), np.ones(3, bool)]
masks = {"weights cut": holes, "neurons cut": rows}
pv.teaching.show(pv.plot_network(toy, masks=masks, view="both"))

# %% [markdown]
# On the right the matrices can simply be smaller. On the left they cannot. And there is something that the
# picture leaves out: the biases. Lesson 01 never pruned one. Now they go, each with its neuron.
#
# To cut a neuron of the real network you set its weights to zero. Where are they?

# %% tags=["pytorch"]
print("fc1.weight", tuple(model.fc1.weight.shape), "  fc1.bias", tuple(model.fc1.bias.shape))
print("fc2.weight", tuple(model.fc2.weight.shape))

# %% [markdown] tags=["pytorch"]
# PyTorch stores weights as (out, in). Neuron 7 of `fc1` is **row** 7 of its weights, and it is read by
# **column** 7 of the weights of `fc2`. Keras stores (in, out), so there a neuron is a column.
#
# > **Put right.** *A Beginner's Guide to Neural Network Pruning* sets "entire columns" to zero to remove an
# > output neuron. That is right in Keras. Do it in PyTorch, and you remove a pixel. It also forgets the bias.
#
# `torch.nn.utils.prune.ln_structured` cuts rows (`dim=0`) by their norm. Take the 150 rows with the smallest
# L1 norm, the sum of absolute weights.

# %% tags=["tensorflow"]
print("fc1.kernel", tuple(model.get_layer("fc1").kernel.shape), end="   ")
print("fc1.bias", tuple(model.get_layer("fc1").bias.shape))
print("fc2.kernel", tuple(model.get_layer("fc2").kernel.shape))

# %% [markdown] tags=["tensorflow"]
# Keras stores weights as (in, out). Neuron 7 of `fc1` is **column** 7 of its kernel, and it is read by **row**
# 7 of the kernel of `fc2`. PyTorch stores (out, in), so there a neuron is a row.
#
# > **Put right.** *A Beginner's Guide to Neural Network Pruning* sets "entire columns" to zero to remove an
# > output neuron. That is right in Keras. Do it in PyTorch, and you remove a pixel. It also forgets the bias.
#
# Neither Keras nor the TensorFlow Model Optimization toolkit has a tool for neurons, so it is done by hand.
# Take the 150 columns with the smallest L1 norm, the sum of absolute weights.

# %% tags=["pytorch"]
from torch.nn.utils import prune

rows_only = copy.deepcopy(model)
prune.ln_structured(rows_only.fc1, "weight", amount=150, n=1, dim=0)
prune.remove(rows_only.fc1, "weight")

cut = (rows_only.fc1.weight == 0).all(dim=1)
rows_and_bias = copy.deepcopy(rows_only)
with torch.no_grad():
    rows_and_bias.fc1.bias[cut] = 0

cut = cut.numpy()
print(f"{cut.sum()} neurons cut by their weights")

# %% tags=["tensorflow"]
weights, bias = model.get_layer("fc1").get_weights()
cut = np.isin(np.arange(300), np.argsort(np.abs(weights).sum(axis=0), kind="stable")[:150])


def with_fc1(weights, bias):
    """Copy the model, with other weights in fc1."""
    twin = keras.models.clone_model(model)
    twin.set_weights(model.get_weights())
    twin.get_layer("fc1").set_weights([weights, bias])
    return twin


rows_only = with_fc1(np.where(cut, 0, weights), bias)
rows_and_bias = with_fc1(np.where(cut, 0, weights), np.where(cut, 0, bias))
print(f"{cut.sum()} neurons cut by their weights")

# %% [markdown]
# **Predict.** All weights of these neurons are zero. What do they pass on to `fc2`?

# %%
constants = np.maximum(pv.network(rows_only)["fc1"].bias[cut], 0)
talking = np.sum(constants > 0)
print(
    f"{talking} of {cut.sum()} still send a number: the same one for every image, up to {constants.max():.2f}"
)
for name, network in (("weights zero, biases left", rows_only), ("weights and biases zero", rows_and_bias)):
    card = pv.scorecard(network, validation)
    print(f"{name:26} {card.correct:,} of {card.n:,} right")
same = pv.prune(model, granularity="neuron", scope={"fc1": 0.5}, example=images[:1])
print("the neurons that pv.prune cuts:", np.array_equal(~same["fc1"], cut))

# %% [markdown]
# **Explain.** A sum without its weights is the bias. Where that is positive, the ReLU lets it through, and the
# neuron sends a constant. It has no input any more, but it is not gone.
#
# Look at the counts: these constants are small, and do no harm. The next layer has learned to expect something
# from each neuron, and a constant is no further from that than nothing is. What they do is forbid the last
# step: take a neuron out that sends a constant, and the sums of `fc2` change.

# %% [markdown]
# Unless the constant moves. What `fc2` receives from this neuron is the constant times a weight, the same for
# every image. So it can be added to the bias of `fc2`, and then the neuron may go. And if you may choose the
# constant, why not the average of what the neuron used to send?
#
# To try it you need the second half of the network: from the activations of `fc1` to the answers, with a shift
# that is added to the bias of `fc2`.


# %% tags=["pytorch"]
def answers_from(hidden, shift=0):
    """Finish what fc1 has begun: from its activations (images, 300) to answers."""
    with torch.no_grad():
        after = model.fc2(torch.from_numpy(hidden)) + torch.as_tensor(shift)
        return model[4:](after).argmax(dim=1).numpy()


# %% tags=["tensorflow"]
@tf.function
def finish(hidden, shift):
    """Go through the layers that are left."""
    after = model.get_layer("fc2")(hidden) + shift
    for layer in model.layers[4:]:
        after = layer(after)
    return tf.argmax(after, axis=1)


def answers_from(hidden, shift=0):
    """Finish what fc1 has begun: from its activations (images, 300) to answers."""
    return finish(tf.constant(hidden), tf.zeros(100) + shift).numpy()


# %%
hidden = activations_of(images)["fc1"]
answers = answers_from(hidden)
print("the same answers as the whole network:", np.array_equal(answers, dense.predictions))

# %%
fc2 = pv.network(model)["fc2"]
how_often = (activations["fc1"][:10_000] > 0).mean(axis=0)  # these images are enough, here and below
by_density = np.isin(np.arange(300), np.argsort(how_often, kind="stable")[:150])
kinds = {
    "nothing": np.zeros(300, np.float32),
    "what its bias sends": np.maximum(fc1.bias, 0),
    "its average": activations["fc1"].mean(axis=0),
}
print("half of fc1 is cut, by    L1 norm   density")
for what, constant in kinds.items():
    counts = []
    for gone in (cut, by_density):
        moved = fc2.weight[:, gone] @ constant[gone]
        counts.append(np.sum(answers_from(np.where(gone, 0, hidden), shift=moved) == labels))
    print(f"left behind: {what:20} {counts[0]:,} {counts[1]:9,}")

# %% [markdown]
# The second row, by L1 norm, is the count of the network whose biases were left, and now its neurons can go.
# By density (you meet it again below) the average is worth hundreds of answers. Nothing is not always the best
# thing to leave behind.

# %% [markdown]
# ## What a neuron looks at
#
# The 784 weights of a neuron of `fc1` are a picture: one weight for each pixel. It is said that pruning makes
# networks easier to interpret, since less is left to look at. Here are four neurons, before and after 90% of
# the *weights* were cut as in lesson 01. Green pixels excite the neuron, purple ones hold it back.

# %%
mask = pv.prune(model, 0.9)
thin = pv.apply(model, mask)
before, after = (pv.network(network)["fc1"].weight for network in (model, thin))
four = np.argsort(-size)[:4]

# %% jupyter={"source_hidden": true}
from matplotlib.colors import LinearSegmentedColormap

signs = LinearSegmentedColormap.from_list("signs", ["#7b3294", style.PAPER, "#00695c"])
signs = signs.with_extremes(bad=style.PRUNED)
figure = Figure(figsize=(8, 4.3), layout="constrained")
for row, (title, weights_now) in enumerate((("before", before), ("90% of weights cut", after))):
    for column, neuron in enumerate(four):
        ax = figure.add_subplot(2, 4, 4 * row + column + 1)
        picture = np.ma.masked_equal(weights_now[neuron], 0).reshape(28, 28)
        far = np.abs(before[neuron]).max()
        ax.imshow(picture, cmap=signs, vmin=-far, vmax=far)
        ax.set(xticks=[], yticks=[])
        if row == 0:
            ax.set_title(f"neuron {neuron}", fontsize=style.FONT)
        if column == 0:
            ax.set_ylabel(title)
figure.legend(handles=[style.pruned_patch("pruned", hatched=False)], loc="outside lower left", frameon=False)
pv.teaching.show(
    figure,
    alt="The weights of four neurons of fc1 as pictures of 28 by 28 pixels. Before pruning each has green and "
    "purple strokes among paler pixels of both colours. After it most pixels are pruned; what is left are the "
    "strongest pixels of the same strokes.",
)

# %% [markdown]
# The pictures have become tidier. Has the *meaning* of a neuron become clearer? One way to ask: does it
# respond more to one digit than to the others? Take its mean activity on each digit, and see what share its
# favourite digit has.


# %%
def favourites(network):
    """For each neuron of fc1: its favourite digit, and that digit's share of its activity."""
    layer = pv.network(network)["fc1"]
    pixels, truth = mnist.train[0][:10_000].reshape(-1, 784) / np.float32(255), mnist.train[1][:10_000]
    sent = np.maximum(pixels @ layer.weight.T + layer.bias, 0)
    means = np.stack([sent[truth == digit].mean(axis=0) for digit in range(10)], axis=1)
    total = means.sum(axis=1)
    return means.argmax(axis=1), np.divide(means.max(axis=1), total, where=total > 0, out=0 * total)


(digit_before, share_before), (digit_after, share_after) = favourites(model), favourites(thin)
both = (share_before > 0) & (share_after > 0)
print("pixels that a neuron looks at, on average:", end=" ")
print(f"{(before != 0).sum(axis=1).mean():.0f} before, {(after != 0).sum(axis=1).mean():.0f} after")
print("share of the favourite digit, median:     ", end=" ")
print(f"{np.median(share_before[both]):.0%} before, {np.median(share_after[both]):.0%} after")
moved = np.mean(digit_before[both] != digit_after[both])
print(f"neurons that have another favourite digit now: {moved:.0%}")
card = pv.scorecard(thin, validation)
print(f"and the network now reads {card.correct:,} of {card.n:,}")

# %% [markdown]
# **Explain.** There is less to look at, and what is left is no clearer: the favourite's share has not grown,
# and many neurons have changed their favourite. You would be interpreting another network.
#
# Cut *neurons* instead, and the pictures of those that stay do not change by a single pixel. There are only
# fewer of them. That is easier on whoever has to look at them all, and no more than that.
#
# > **Put right.** *Optimizing Deep Learning Models with Pruning* names interpretability as a gain of pruning,
# > and the lack of it as a loss, and measures neither. By this measure, on this network, there is no gain.

# %% [markdown]
# ## Harmless one by one
#
# Which neurons can go? Ask each of them. Silence one neuron of `fc1`, count the answers that change, and put
# it back. That takes 300 measurements.

# %%
was_right = answers == labels
changed = np.zeros(300, int)
harm = np.zeros(300, int)
lost = np.zeros((300, 10), int)
for neuron in range(300):
    silenced = hidden.copy()
    silenced[:, neuron] = 0
    now = answers_from(silenced)
    changed[neuron] = np.sum(now != answers)
    harm[neuron] = np.sum(was_right) - np.sum(now == labels)
    lost[neuron] = np.bincount(labels[was_right & (now != labels)], minlength=10)

print(f"answers that change when one neuron is silent: {np.median(changed):.0f} in the median")
print(f"more than 100 neurons change no answer at all: {np.sum(changed == 0) > 100}")
print(f"the worst one changes {changed.max()}")

# %% [markdown]
# **Predict.** Line the neurons up, those that change the fewest answers first. Now silence the first 100
# together, each of which changes *nothing* on its own. How many answers change? And with the first 200?

# %%
order = np.argsort(changed, kind="stable")


def together(neurons):
    """Silence some neurons together; return the answers."""
    return answers_from(np.where(np.isin(np.arange(300), neurons), 0, hidden))


counts = range(0, 251, 10)
added = [harm[order[:count]].sum() for count in counts]
real = [np.sum(was_right) - np.sum(together(order[:count]) == labels) for count in counts]

print("first   each changes     their losses      lost when they   answers that")
print("        at most          add up to about   go together      change")
for count in (50, 100, 150, 200):
    now = together(order[:count])
    at = counts.index(count)
    most, about = changed[order[:count]].max(), abs(round(added[at], -1))
    print(f"{count:5} {most:10} {about:18} {real[at]:18} {np.sum(now != answers):15}")

# %% jupyter={"source_hidden": true}
figure = Figure(figsize=(8, 3.3), layout="constrained")
ax = figure.subplots()
ax.plot(counts, real, color=style.KEPT, marker="o", markersize=4)
ax.plot(counts, added, color=style.SERIES[1][0], linestyle="--", marker="s", markersize=4)
near = {"textcoords": "offset points", "va": "center"}
ax.annotate("lost together", (counts[22], real[22]), (-12, 0), ha="right", color=style.KEPT, **near)
ax.annotate(
    "single losses, added up", (counts[-1], added[-1]), (0, 12), ha="right", color=style.SERIES[1][0], **near
)
ax.set(xlabel="neurons of fc1 silenced, the most harmless first", ylabel="right answers lost")
ax.spines[["top", "right"]].set_visible(False)
style.title(ax, "Harmless one by one, harmful together")
pv.teaching.show(
    figure,
    alt="Right answers lost against the number of neurons that are silenced together, the most harmless first. "
    "The single losses, added up, stay at zero. The real loss leaves zero near 100 neurons, and rises ever "
    "more steeply to hundreds.",
)

# %% [markdown]
# **Explain.** Neurons stand in for each other. Silence one, and the others still carry what it said. Each of
# two that say the same is harmless, as long as the other is there. Single measurements ask: *what if only this
# one goes?* You were going to cut 200.
#
# In lesson 00 two cuts did not add up. Here it is hundreds of neurons, and the sum of their single losses says
# nothing at all about what they cost together.

# %% [markdown]
# ## Quiet is not useless
#
# Measuring each neuron is slow in a large network, so people rank neurons by something cheaper. Half of `fc1`
# is to go. Here are the candidates:
#
# | score | a neuron is cut early if |
# |---|---|
# | density | it seldom fires |
# | mean activity | it sends little on average |
# | L1 norm | its weights are small |
# | taylor | its terms $w \cdot g$, summed over weights and images, cancel or are small |
# | taylor, image by image | the size of $a \cdot \partial L/\partial a$ is small on average |
# | random | the dice say so; three throws |
#
# The last but one is Taylor as Molchanov and others (2017) wrote it: activation times slope, and the absolute
# value is taken for each image, *before* the average. Your framework computes it like this.

# %% tags=["pytorch"]
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]
sent = torch.tensor(activations["fc1"][:10_000], requires_grad=True)
loss = F.cross_entropy(model[3:](sent), torch.tensor(scored_on[1]), reduction="sum")
(slopes,) = torch.autograd.grad(loss, sent)
by_image = (sent * slopes).abs().mean(dim=0).detach().numpy()

# %% tags=["tensorflow"]
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]
sent = tf.constant(activations["fc1"][:10_000])
with tf.GradientTape() as tape:
    tape.watch(sent)
    outputs = sent
    for layer in model.layers[3:]:
        outputs = layer(outputs)
    cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True, reduction="sum")
    loss = cross_entropy(scored_on[1], outputs)
slopes = tape.gradient(loss, sent)
by_image = np.abs((sent * slopes).numpy()).mean(axis=0)

# %% [markdown]
# **Predict.** Put the first five in order: which score keeps the most answers? And which of them does not beat
# the dice?


# %%
def score(criterion):
    """Score the neurons of fc1 with pruneviz."""
    options = {"criterion": criterion, "data": scored_on}
    return pv.importance(model, granularity="neuron", **options)["fc1"]


scores = {
    "density": score("apoz"),
    "mean activity": score("activation"),
    "L1 norm": score("magnitude"),
    "taylor": score("taylor"),
    "taylor, image by image": by_image,
    **{f"random, throw {n}": np.random.default_rng(n).random(300) for n in (1, 2, 3)},
}
right = {name: np.sum(together(np.argsort(s, kind="stable")[:150]) == labels) for name, s in scores.items()}
print(f"half of fc1 cut by       right, of {len(labels):,}")
for name, count in sorted(right.items(), key=lambda pair: -pair[1]):
    print(f"{name:23} {count:7,}")
dice = [count for name, count in right.items() if name.startswith("random")]
print("density is worse than every throw:", right["density"] < min(dice))

# %% [markdown]
# **Measure.** Pruning by density is worse than chance, and by far. Why? Sort the neurons that are alive into
# three groups, by density, and look at what they do.

# %%
share = density["fc1"]
alive = np.flatnonzero(share > 0)
thirds = np.array_split(alive[np.argsort(share[alive], kind="stable")], 3)
when = activations["fc1"].sum(axis=0) / np.maximum(np.sum(activations["fc1"] > 0, axis=0), 1)
heard = np.abs(fc2.weight).sum(axis=0)

print("neurons that      fire on   sending   and are heard    share of their")
print("                            then      by fc2 with      favourite digit")
for name, group in zip(("seldom fire", "are in between", "often fire"), thirds, strict=True):
    row = f"{share[group].mean():8.0%} {when[group].mean():9.2f} {heard[group].mean():12.1f}"
    print(f"{name:16} {row} {share_before[group].mean():18.0%}")

# %% [markdown]
# **Explain.** When a seldom neuron fires, it sends as much as the others, and the next layer listens to it more
# closely: its weights into `fc2` are larger. It is a specialist. It says one thing about few digits, and those
# digits depend on it. Density counts how often somebody speaks. It does not know what is said.
#
# Mean activity does better, since it also hears how loud a neuron is. The L1 norm does better still here,
# without looking at a single image. And Taylor gains or loses by *where the absolute value stands*: a neuron
# that helps one image and hinders the next cancels out in the sum, and counts in full image by image.
#
# **Touch.** Here is the explorer with half of `fc1` cut. Change the criterion, and watch the table of answers:
# which digit is taken for which? (`apoz` is density, `magnitude` the L1 norm, `activation` the mean activity.)

# %% tags=["slow"]
parts = ["slider", "selectors", "scores", "accuracy", "scorecard", "confusion"]
half = pv.explore(
    model,
    validation,
    granularity="neuron",
    exclude=["fc2"],
    scored_on=scored_on,
    show=parts,
    predict=False,
    sparsity=0.5,
    title="LeNet-300-100 · half of fc1",
)
await half.measured()
half

# %% tags=["slow"]
for criterion in ("magnitude", "activation", "apoz"):
    half.criterion = criterion
    await half.measured()
    print(half.sentence())
    right_now = half.card.predictions == labels
    read = [right_now[labels == digit].mean() for digit in range(10)]
    print(f"    worst digit: {np.argmin(read)}, {min(read):.0%} of its images are right")

# %% [markdown]
# > **Put right.** *Optimizing Deep Learning Models with Pruning* presents low-density pruning, which removes
# > neurons of low activity, as simple and intuitive. It is both. But if activity means how often a neuron fires,
# > it is the worst of these scores, behind the dice; if it means how much it sends, it beats them.

# %% [markdown]
# ### Is it this network?
#
# The dice fell three times, but the network was one. `benchmarks/unit_criteria.py` has cut neurons from both
# layers of three trainings of LeNet-300-100, and stored what it found: right after the cut, and after one epoch
# of training on.

# %%
study = pv.teaching.results("unit_criteria")
curves = study["networks"]["lenet_300_100"]
names = {
    "magnitude": "L1 norm",
    "activation": "mean activity",
    "taylor": "taylor",
    "random": "random",
    "apoz": "density",
}
at = study["sparsities"].index(0.5)


def spread(rows):
    """Write the counts of three seeds: median, and worst to best."""
    worst, middle, best = sorted(row[at] for row in rows)
    return f"{middle:,} ({worst:,} to {best:,})"


print(f"half of both layers cut; right, of {study['images']:,}: median (worst to best)\n")
print("                           at once               after an epoch")
for criterion, name in names.items():
    at_once, later = curves["one_shot"]["layer"][criterion], curves["fine_tuned"]["layer"][criterion]
    print(f"{name:13} {spread(at_once):>24} {spread(later):>26}")

# %% jupyter={"source_hidden": true}
from types import SimpleNamespace


def as_cards(rows):
    """Turn the counts of three seeds into what plot_tradeoff draws."""
    n = study["images"]
    return [
        [
            SimpleNamespace(sparsity=share, accuracy=count / n, interval=pv.wilson(count, n))
            for share, count in zip(study["sparsities"], row, strict=True)
        ]
        for row in rows
    ]


lines = {names[key]: as_cards(curves["one_shot"]["layer"][key]) for key in ("magnitude", "random", "apoz")}
ax = pv.plot_tradeoff(lines, title="Neurons of both layers cut, three trainings")
ax.set_xlabel("share of the neurons that is cut")
pv.teaching.show(ax)

# %% [markdown]
# **Explain.** It is not a whim of this network. Density is the worst in all three trainings and at nearly every share, and
# it is still the worst after an epoch of training, when the others lie close together. The dice come out well
# then: where you train on, *which* neurons went matters less than you might think, as long as they were not the
# specialists.

# %% [markdown]
# ## One at a time, or all at once?
#
# *A Beginner's Guide to Neural Network Pruning* gives four steps: determine the significance of each neuron,
# prioritise them, remove *the neuron that is the least significant*, decide whether to go on. Nearly
# everybody reads the third step as "remove the least significant half", from one ranking. You know the
# weakness of that: a ranking knows nothing of neurons that stand in for each other.
#
# Take it literally. Remove one neuron, *score the others again*, remove the next. This is called **greedy**.
#
# **Predict.** Both ways use the same score, the loss on 300 training images when a neuron is silent. After 200
# removals, how far apart are they? And where is the L1 norm, which uses no images?

# %% tags=["slow"]
arrays = {
    layer.name: (layer.weight.astype(float), layer.bias.astype(float)) for layer in pv.network(model).layers
}
pixels, truth = mnist.train[0][:300].reshape(300, 784) / 255, mnist.train[1][:300]
sent = np.maximum(pixels @ arrays["fc1"][0].T + arrays["fc1"][1], 0)


def losses(left, sums):
    """Mean loss when each of the neurons left goes too; sums is what arrives in fc2."""
    (into, _), (out, bias) = arrays["fc2"], arrays["fc3"]
    found = []
    for neuron in left:
        outputs = np.maximum(sums - np.outer(sent[:, neuron], into[:, neuron]), 0) @ out.T + bias
        of_truth = outputs[np.arange(300), truth]
        found.append(np.mean(np.log(np.exp(outputs).sum(axis=1)) - of_truth))
    return np.array(found)


sums = sent @ arrays["fc2"][0].T + arrays["fc2"][1]
left, greedy = list(range(300)), []
once = np.argsort(losses(left, sums), kind="stable")
while len(greedy) < 200:
    least = left[losses(left, sums).argmin()]
    sums -= np.outer(sent[:, least], arrays["fc2"][0][:, least])
    greedy.append(least)
    left.remove(least)

by_norm = np.argsort(size, kind="stable")
print(f"right, of {len(labels):,}      greedy   one ranking   L1 norm")
for count in (50, 100, 150, 200):
    row = [np.sum(together(ranked[:count]) == labels) for ranked in (greedy, once, by_norm)]
    print(f"{count:3} neurons gone {row[0]:12,} {row[1]:13,} {row[2]:9,}")
shared = len(set(greedy[:100]) & set(once[:100]))
print(f"of the first 100, {shared} are in both lists")
print(f"scores measured: {sum(300 - n for n in range(200)):,} and 300")

# %% [markdown]
# **Explain.** With 50 neurons gone the three are not far apart. Later they are: greedy keeps what one ranking throws
# away, although the score is the same. When one of two stand-ins goes, the other becomes important, and
# greedy sees it at the next step.
#
# The price is in the last line: greedy measures many times as often. And one ranking by the true loss loses to
# the L1 norm, which looks at no image. A good score used once is not better than a simple one. In practice you
# meet halfway: remove a few, score again, remove a few more. Lesson 05 does that, and trains in between.

# %% [markdown]
# ## Taking neurons out
#
# So far the arrays have their old shapes; the neurons are zeros in them. Now take them out. Half of `fc1` and
# half of `fc2` go, by the L1 norm. `pv.apply` gives the masked model, as before. `pv.remove` builds a new,
# smaller one.

# %%
mask = pv.prune(model, 0.5, granularity="neuron", scope="layer", example=images[:1])
masked = pv.apply(model, mask)
small = pv.remove(model, mask, images[:1])

cards = {
    name: pv.scorecard(m, validation) for name, m in (("dense", model), ("masked", masked), ("small", small))
}
print("weights as (out, in), whatever the framework")
for layer in pv.network(model).layers:
    gone = np.sum(~mask[layer.name]) if layer.name in mask else 0
    now = pv.network(small)[layer.name].weight.shape
    print(f"{layer.name}: {layer.weight.shape!s:10} becomes {now!s:10}; {gone:3} neurons cut")
print()
for name, card in cards.items():
    print(f"{name:7} {card.parameters:8,} parameters, {card.nonzero:8,} of them not zero")

# %% [markdown]
# Look at `fc3`. Not one of its neurons was cut, and half of its weights are gone: each read a neuron of `fc2`
# that is there no more. `fc2` loses on both sides, rows *and* columns, so a quarter of it is left. **A removed
# neuron costs the next layer an input.** That is why half of the neurons makes more than half of the
# parameters, and why you cannot count them by looking at one layer.
#
# The masked model has more numbers that are not zero than the small one has parameters. Those are the weights
# that read the cut neurons. They multiply what is always zero, so they do nothing, but they are there.
#
# **Predict.** The masked model and the small one: on how many of the 10,000 test images do they differ?

# %%
difference = pv.check_removed(model, mask, small, test[0])
two = [pv.scorecard(m, test).predictions for m in (masked, small)]
print(f"answers that differ: {np.sum(two[0] != two[1])} of {len(test[0]):,}")
print(f"largest difference of an output, relative to the largest output: below 0.00001: {difference < 1e-5}")
changes = cards["small"].versus(cards["dense"])
print(f"against the dense model, on validation: {changes}")

# %% [markdown]
# **Touch.** Move the slider, and press the button. The view builds the smaller model, and compares.

# %%
taken = pv.explore(
    model,
    validation,
    granularity="neuron",
    show=["slider", "layers", "removal"],
    predict=False,
    scope="layer",
    sparsity=0.5,
    title="LeNet-300-100 · removal",
)
taken

# %%
taken.sparsity = 0.75
smaller = taken.remove()
shapes = ", ".join(f"{layer['name']} {layer['after']}" for layer in taken.removal["layers"])
print(f"after removal: {shapes}")
print("parameters before and after:", taken.removal["parameters"])
print("differs from the masked model by less than 0.00001:", taken.removal["difference"] < 1e-5)
same = taken.result() == pv.prune(model, 0.75, granularity="neuron", scope="layer", example=images[:1])
print("the same mask as pv.prune:", same)

# %% [markdown]
# **Explain.** The small model computes what the masked one computes; the differences are rounding, as the sums
# are added up in another order. `pv.remove` makes this comparison each time, on the images you give it, and
# refuses if it fails. But mind which two models are equal. *Removed equals masked* says that taking the zeros
# out was free. It does not say that making them zeros was: the last line is what the cut itself costs.
#
# In exercise 1 you take a neuron out by hand.

# %% [markdown] tags=["pytorch"]
# `torch.nn.utils.prune` has no such step. A library that has is
# [Torch-Pruning](https://github.com/VainF/Torch-Pruning). It follows who reads whom, as pruneviz does, and changes
# the model that you give it. Here it takes out the same neurons.

# %% tags=["pytorch"]
import torch_pruning

by_library = copy.deepcopy(model)
graph = torch_pruning.DependencyGraph().build_dependency(by_library, torch.zeros(1, 1, 28, 28))
for name in ("fc1", "fc2"):
    layer, gone = by_library.get_submodule(name), np.flatnonzero(~mask[name]).tolist()
    graph.get_pruning_group(layer, torch_pruning.prune_linear_out_channels, gone).prune()

print("fc2:", by_library.fc2)
same = pv.check_removed(model, mask, by_library, test[0]) < 1e-5
print("computes what the masked model computes:", same)

# %% [markdown] tags=["tensorflow"]
# The TensorFlow Model Optimization toolkit has no such step: it prunes single weights, blocks of them, or two of
# every four.

# %% [markdown]
# ### Smaller, and faster?
#
# **Predict.** Dense, masked, small: which of the three has a smaller file?

# %%
print(f"{'':10} {'plain file':>12} {'under gzip':>12} {'multiplications':>17}")
for name, card in cards.items():
    print(f"{name:10} {card.raw_bytes / 1000:9,.0f} kB {card.gzip_bytes / 1000:9,.0f} kB {card.macs:17,}")

# %% [markdown]
# **Predict.** And which is faster? Take the 75-25 network that the view has built. It multiplies less than a
# quarter as often as the dense one. Will it take a quarter of the time, for one image, and for 64 at once?

# %%
three = {"dense": model, "masked": taken.apply(), "small": smaller}
before, after = taken.removal["macs"]
promised = before / after
print(f"multiplications: {promised:.1f} times fewer")

times = [pv.latency(three, images, batches=(1, 64), seconds=0.03) for _ in range(10)]


def gain(name, batch):
    """How many times faster than the dense network, at the best of ten: others may use this machine too."""
    best = {model: min(one[model][batch] for one in times) for model in ("dense", name)}
    return best["dense"] / best[name]


masked_gain, small_gain = gain("masked", 64), gain("small", 64)
print(f"64 images: the small one is faster by a quarter or more:  {small_gain > 1.25}")
print(f"           the masked one gains at least half as much:    {masked_gain - 1 > (small_gain - 1) / 2}")
print(f"one image: the small one gains all that the counts promise: {gain('small', 1) > promised}")

# %% [markdown]
# No times are printed, since yours are others. Type `gain("masked", 64)`, `gain("small", 1)` or `times` (in
# milliseconds) into a new cell to see them.
#
# **Explain.** The file of the small network is smaller as it is, with no compression and no special format. The
# masked file has to be compressed to come down to that. And the masked network has no reason to be faster: it
# multiplies by every one of its zeros.
#
# The small one is faster at 64 images. With a single image there is little to compute, and the way to it, from
# Python into the framework, takes as long as before. So the gain depends on the batch, on the framework and on
# the machine. These are times of one forward pass, on a processor, with at most two threads, on a machine that
# may be doing other things as well.

# %% [markdown]
# ## Neurons or weights?
#
# Now compare with lesson 01, at equal numbers of parameters. On one side a share of the neurons of each hidden
# layer is removed. On the other, single weights are cut until equally many parameters are left that are not zero.
#
# **Predict.** Which of the two keeps more answers? By a little, or by far?

# %% tags=["slow"]
shares = [0, 0.1, 0.25, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
weights_total = sum(layer.weight.size for layer in pv.network(model).layers)
neurons, singles = [], []
for share in shares:
    cut = pv.prune(model, share, granularity="neuron", scope="layer", example=images[:1])
    neurons.append(pv.scorecard(pv.remove(model, cut, images[:1]), validation))
    spare = dense.parameters - neurons[-1].parameters
    singles.append(pv.scorecard(pv.apply(model, pv.prune(model, spare / weights_total)), validation))

print("parameters left   right, neurons cut   right, weights cut")
for one, other in zip(neurons, singles, strict=True):
    print(f"{one.parameters:15,} {one.correct:20,} {other.correct:20,}")
equal = all(one.parameters == other.nonzero for one, other in zip(neurons, singles, strict=True))
print("equally many in each row:", equal)

# %% tags=["slow"]
ax = pv.plot_tradeoff(
    {"weights": singles, "neurons": neurons},
    x="nonzero",
    reference=dense,
    title="At equal parameters: cut weights, or neurons",
)
pv.teaching.show(ax)

# %% [markdown]
# **Explain.** Weights win wherever there is a difference, and in the end by more than a thousand answers. No
# wonder: whoever may cut any weight may also cut all weights of a neuron, and need not. Freedom to choose is worth
# accuracy.
#
# What you get for the accuracy is the other half of the story: an ordinary network, smaller and faster without
# special formats. To turn 90% zeros into time, you would need other hardware or other programs (lesson 06).
# And nothing has been trained on yet. You will see next how much that repairs.
#
# > **Put right.** *Optimizing Deep Learning Models with Pruning* compares the two in words: weight pruning is
# > more targeted, neuron pruning more aggressive, but "more robust". More targeted, yes. More robust, no: at
# > no number of parameters do the neurons keep more answers here.

# %% [markdown]
# ## Prune, or start small?
#
# If a network of 75 and 25 neurons is what you want, why train 300 and 100 and throw three quarters away? Tram
# Ho's article asks this. The answer it gives, that pruning is "much more effective", comes without a figure.
#
# Make the comparison fair: both see the training images equally often. The zoo's network was trained for 15
# epochs. Cut it to 75-25, and train it on for 5. The other one begins as 75-25, and gets all 20.


# %% tags=["pytorch"]
x = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2) / np.float32(255))
y = torch.tensor(mnist.train[1])


def trained(network, epochs, rate=8e-3):
    """Train with Adam; the rate rises for a third of the time, then falls to zero."""
    optimizer = torch.optim.Adam(network.parameters(), lr=rate, fused=True)
    steps = -(-len(x) // 512)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs=epochs, steps_per_epoch=steps)
    network.train()
    for epoch in range(epochs):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        for batch in order.split(512):
            loss = F.cross_entropy(network(x[batch]), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            cycle.step()
    return network.eval()


def from_the_start():
    """Make a 75-25 network with random weights."""
    torch.manual_seed(0)
    layers = nn.Linear(784, 75), nn.ReLU(), nn.Linear(75, 25), nn.ReLU(), nn.Linear(25, 10)
    return nn.Sequential(nn.Flatten(), *layers)


# %% tags=["tensorflow"]
order = tf.data.Dataset.range(len(mnist.train[1])).shuffle(len(mnist.train[1]), seed=0)
x, y = map(tf.constant, mnist.train)


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(x, rows), tf.float32) / 255, tf.gather(y, rows)


pictures = order.batch(512).map(pick)


class OneCycle(keras.optimizers.schedules.LearningRateSchedule):
    """A learning rate that rises for a third of the steps, then falls to zero."""

    def __init__(self, rate, steps):
        self.rate, self.steps = rate, steps

    def __call__(self, step):
        """Give the rate of a step."""
        share = tf.cast(step, tf.float32) / self.steps
        return self.rate * tf.minimum(0.04 + 2.88 * share, 1.5 * (1 - share) + 1e-4)


def trained(network, epochs, rate=8e-3):
    """Train with Adam; the rate rises for a third of the time, then falls to zero."""
    keras.utils.set_random_seed(0)
    optimizer = keras.optimizers.Adam(OneCycle(rate, 108 * epochs))
    network.compile(optimizer, loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    network.fit(pictures, epochs=epochs, shuffle=False, verbose=0)
    return network


def from_the_start():
    """Make a 75-25 network with random weights."""
    keras.utils.set_random_seed(0)
    dense_layers = [keras.layers.Dense(n, activation="relu") for n in (75, 25)]
    return keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), *dense_layers, keras.layers.Dense(10)]
    )


# %% tags=["trains", "slow"]
quarter = pv.prune(model, 0.75, granularity="neuron", scope="layer", example=images[:1])
cut_down = pv.remove(model, quarter, images[:1])
print(f"just cut:           {100 * pv.scorecard(cut_down, validation).accuracy:.0f}% right")
ahead = pv.scorecard(trained(cut_down, epochs=5), validation)
print(f"and trained on:     {100 * ahead.accuracy:.1f}%")

# %% tags=["trains", "slow"]
other = pv.scorecard(trained(from_the_start(), epochs=20), validation)
print(f"75-25 from scratch: {100 * other.accuracy:.1f}%")
print("equally many parameters:", other.parameters == ahead.parameters)
wide = ahead.interval[0] < other.accuracy < ahead.interval[1]
print("the second lies within the 95% interval of the first:", wide)

# %% [markdown]
# The cut nearly ruined the network, and a few epochs repaired it. But who is ahead? One training each, and
# 5,000 images: that does not decide it. `benchmarks/prune_or_start_small.py` has done more: three seeds, 24
# epochs in all, the 10,000 test images, each arm at its own best learning rate of four (by validation).
#
# It has two more arms. In one the neurons that stay are drawn at random. In the other, the small network gets
# as many *multiplications* as the large one had, not as many epochs: epochs of a large network are dear.

# %%
stored = pv.teaching.results("prune_or_start_small")

print(
    f"right, of {stored['images']:,} test images         " + "".join(f"  seed {s}" for s in stored["seeds"])
)
print(f"{'300-100, before the cut':37}" + "".join(f"{n:8,}" for n in stored["before_the_cut"]))
print(f"{'75-25, right after the cut':37}" + "".join(f"{n:8,}" for n in stored["right_after_the_cut"]))
for arm, result in stored["arms"].items():
    print(f"{'75-25, ' + arm:37}" + "".join(f"{n:8,}" for n in result["correct"]))

print("\nwrong on validation, of three times 5,000, at each learning rate")
print(f"{'':30}" + "".join(f"{rate:8}" for rate in stored["rates"]))
for arm in ("cut by L1, trained on", "small, as many epochs"):
    rows = np.array(stored["arms"][arm]["validation_at_each_rate"])
    print(f"{arm:30}" + "".join(f"{n:8}" for n in 15_000 - rows.sum(axis=0)))

# %% [markdown]
# **Explain.** The network that was cut by L1 is ahead in two of three seeds, by two images in a thousand at
# most. That is no clear lead. And the lower table shows how to get one if you want one. The zoo trains its large
# network at 0.008. Use the same rate for both, and cutting looks clearly better. Give the small network the rate
# that suits *it*, and most of the lead is gone. A comparison is as fair as the care that its loser got.
#
# More training does not help the small network: the arm with as many multiplications has gained nothing. And
# which neurons stay does matter: drawn at random they end lower, in all three seeds.
#
# So which should you do? If you have a trained large network, cutting it is the shorter way: 12 epochs of a small
# network instead of 24. If you have to train one in any case, starting small is as good here. Liu and others
# (2019) found the same on far larger networks.
#
# > **Put right.** Tram Ho writes that pruning is "simple but much more effective" than resizing layers. Here it
# > is about as good.

# %% [markdown]
# ## The report
#
# Everything so far was chosen by training and validation images. The score that kept most answers when half of
# `fc1` had to go is reported now, once, on the test images.

# %%
best_score = max(right, key=right.get)
kept = {"fc1": ~np.isin(np.arange(300), np.argsort(scores[best_score], kind="stable")[:150])}
chosen = pv.remove(model, pv.Mask(kept, "neuron"), images[:1])
report, reference = (pv.scorecard(m, test) for m in (chosen, model))

low, high = report.interval
print(f"cut by: {best_score}")
print(f"{report.parameters:,} of {reference.parameters:,} parameters; nothing was trained on")
print(f"dense: {reference.correct:,} of {reference.n:,}")
print(f"small: {report.correct:,}, {report.accuracy:.1%}, 95% interval {low:.1%} to {high:.1%}")
print(report.versus(reference))

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots, run the cell, then the check below it. The solution is folded away.

# %%
from pruneviz.lessons.checks import lesson_02 as check

# %% [markdown] tags=["pytorch"]
# ### Exercise 1 · Take a neuron out
#
# Write what `pv.remove` does for one neuron. You get the weights of its layer, (out, in), the biases, and the
# weights of the next layer. Return the three without it: smaller, not zeroed. `np.delete` helps. Then say how
# many parameters LeNet-300-100 loses with one neuron of `fc1`.

# %% [markdown] tags=["tensorflow"]
# ### Exercise 1 · Take a neuron out
#
# Write what `pv.remove` does for one neuron. You get the kernel of its layer, (in, out), the biases, and the
# kernel of the next layer. Return the three without it: smaller, not zeroed. `np.delete` helps. Then say how
# many parameters LeNet-300-100 loses with one neuron of `fc1`.


# %% tags=["pytorch", "exercise"]
def take_out(weight, bias, next_weight, neuron):
    """Return the weights, the biases and the next layer's weights without the neuron."""
    # solution:
    return np.delete(weight, neuron, axis=0), np.delete(bias, neuron), np.delete(next_weight, neuron, axis=1)
    # end of solution


# solution: fewer = ...
fewer = 784 + 1 + 100
# end of solution


# %% tags=["tensorflow", "exercise"]
def take_out(weight, bias, next_weight, neuron):
    """Return the kernel, the biases and the next layer's kernel without the neuron."""
    # solution:
    return np.delete(weight, neuron, axis=1), np.delete(bias, neuron), np.delete(next_weight, neuron, axis=0)
    # end of solution


# solution: fewer = ...
fewer = 784 + 1 + 100
# end of solution

# %% tags=["check"]
check.neuron_removed(take_out, fewer, framework=FRAMEWORK)

# %% [markdown]
# ### Exercise 2 · Greedy
#
# Choose `count` of the `neurons`, greedily. `harm(removed)` tells how much the network suffers when all neurons
# in the list `removed` are gone. Return the list of those you chose, in the order in which they went. The check
# tries it on small invented networks, in which some neurons stand in for others.


# %% tags=["exercise"]
def greedily(harm, neurons, count):
    """Remove the least harmful neuron, score the others again, and so on."""
    # solution:
    removed, left = [], list(neurons)
    for _ in range(count):
        harms = [harm([*removed, neuron]) for neuron in left]
        removed.append(left.pop(int(np.argmin(harms))))
    return removed
    # end of solution


# %% tags=["check"]
check.greedy_choice(greedily)

# %% [markdown]
# ### Exercise 3 · A quiet specialist
#
# Find a neuron of `fc1` that is quieter than most, and that *one* digit needs. You have measured all you need:
# `activity` below is its mean activity, and `lost[neuron, digit]` counts the right answers that are lost when
# that neuron alone is silent. Its activity is to be below the median; at least five answers are to be lost,
# and more than half of them must be of one digit.

# %% tags=["exercise"]
activity = activations["fc1"].mean(axis=0)

# solution: specialist = ...
total, most = lost.sum(axis=1), lost.max(axis=1)
found = (activity < np.median(activity)) & (total >= 5) & (most > total / 2)
specialist = int(np.flatnonzero(found)[0])
# end of solution

# %% tags=["check"]
check.quiet_specialist(specialist, activity=activity, lost=lost)

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# A neuron fires on 1% of the images. What do you do with it?
# - [ ] Remove it: what is so rare cannot matter.
#   why: Rare is how often, not how much. Pruning by density did worse than the dice here, because seldom
#     neurons are specialists.
# - [ ] Remove it: it is dead.
#   why: Dead is a neuron that never fires. This one does, on one image of a hundred.
# - [x] Silence it and measure what that costs, and which class pays.
#   why: Activity is only a guess at importance. One measurement settles it for this neuron, as long as the
#     others stay.

# %% [markdown] tags=["quiz"]
# You set all weights of a neuron to zero and leave its bias. Afterwards it
# - [x] may still send a constant to the next layer.
#   why: What is left of its sum is the bias. Where that is positive, a ReLU lets it through, the same for each
#     image.
# - [ ] is gone, for it has no weights any more.
#   why: A neuron is its weights *and* its bias. Take it out as it is, and the sums of the next layer change.
# - [ ] is the same as without a bias, unless the network is trained on.
#   why: The constant is sent at every forward pass, trained on or not.

# %% [markdown] tags=["quiz"]
# You remove half of the neurons, and prove that the small model gives the same outputs as the masked one. So
# - [ ] accuracy has not suffered.
#   why: The masked model is not the dense one. What the mask costs has to be measured against the model
#     before the cut.
# - [ ] it is faster in proportion to the multiplications that are gone.
#   why: Equal outputs say nothing about time. You measured that one image at a time gains less than the
#     multiplications promise.
# - [x] it is the same function in smaller arrays.
#   why: That, and no more. It means that the step from zeros to nothing was free.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *How do I get rid of the zeros? I want the pruned filters gone, not masked.* ([pytorch/pytorch, thread
# 58846](https://github.com/pytorch/pytorch/issues/58846))
#
# The thread asks PyTorch to simplify pruned models, and links eight older questions that ask for the same.
# `torch.nn.utils.prune` makes masks only. The step that is missing is the one you took above: find the neurons
# whose weights are all zero, take their rows and biases out, take the columns out that read them, and move the
# constants that their biases send. In a chain of layers that is exercise 1, repeated. Where layers branch and
# meet again, somebody has to follow who reads whom; `pv.remove` and Torch-Pruning do.
#
# It works for whole neurons only. A single zero in a row cannot be taken out: a matrix has no holes.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *I pruned my model, and inference takes as long as before. Why?* ([tensorflow/model-optimization, thread
# 611](https://github.com/tensorflow/model-optimization/issues/611))
#
# The thread says it itself: pruning sets weights to zero, but does not take the network's edges away. The
# toolkit has no tool for that. The step that is missing is the one you took above: find the neurons whose
# weights are all zero, take their columns and biases out, take the rows out that read them, and move the
# constants that their biases send. In a chain of layers that is exercise 1, repeated. Where layers branch and
# meet again, somebody has to follow who reads whom; `pv.remove` does.
#
# It works for whole neurons only. A single zero in a column cannot be taken out: a matrix has no holes.

# %% [markdown]
# ## Recap
#
# In this lesson you have
#
# - measured how often and how loudly neurons fire, found dead ones, and seen that never means: never on these
#   images;
# - shown that seldom neurons are specialists, that 200 harmless neurons together are not harmless, and that
#   scoring again after each removal pays;
# - taken neurons out, with their bias and with the next layer's share, and proved that removed equals masked;
# - measured the smaller file and the shorter time; found that weights keep more answers at equal parameters,
#   and that a network which was cut well ends about where one ends that was small from the start.
#
# Next: lesson 03 does this with the filters of convolutions, where most of the time is spent.

# %% [markdown]
# ## Further reading
#
# - H. Hu, R. Peng, Y.-W. Tai and C.-K. Tang. Network Trimming: A Data-Driven Neuron Pruning Approach towards
#   Efficient Deep Architectures. arXiv:1607.03250, 2016. Neurons whose activations are mostly zero.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila and J. Kautz. Pruning Convolutional Neural Networks for
#   Resource Efficient Inference. *International Conference on Learning Representations*, 2017. Activation
#   times slope, image by image; and greedy removal.
# - M. C. Mozer and P. Smolensky. Skeletonization: A Technique for Trimming the Fat from a Network via
#   Relevance Assessment. *Advances in Neural Information Processing Systems* 1, 1989. What happens to the
#   loss when a unit is taken away: the first of its kind.
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International
#   Conference on Learning Representations*, 2019. "Prune, or start small" on far larger networks: the small
#   one, trained for long enough, did as well.
# - A. S. Morcos, D. G. T. Barrett, N. C. Rabinowitz and M. Botvinick. On the importance of single directions
#   for generalization. *International Conference on Learning Representations*, 2018. Silencing neurons one
#   by one and together; how selective a neuron is says little about its importance.
# - The articles that this lesson puts right: Jan Marcel Kezmann, *Optimizing Deep Learning Models with
#   Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine; Tram
#   Ho, *Pruning model with Tensorflow API*, Viblo.
