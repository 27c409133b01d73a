# %% [markdown]
# # 03 · Filter pruning
#
# A convolution has few weights and uses each of them hundreds of times. So this is where a network spends its
# time, and where cutting pays. What you cut here is a whole filter. First you guess which filters a network
# can spare. Then you measure, and find out how good such guesses are.

# %% [markdown]
# ## What you will learn
#
# - To tell kernel, filter, channel and feature map apart, and to count what a convolution costs.
# - To rank filters by several criteria, and to test a ranking: it is a hypothesis.
# - Why zero weights do not switch a filter off, and what BatchNorm has to do with it.
# - To take filters out, to prove that nothing else changed, and to say how much faster the rest is.
#
# **Before you start.** You have done lesson 01a: mask, magnitude, lost and won. Lesson 02 helps: what it does
# with neurons you do here with filters.
#
# **Time.** 50 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/03_filter_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/03_filter_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

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
from torch.nn import functional as F

from pruneviz.plots import style

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

model = pv.zoo.lenet_5(FRAMEWORK)
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
scored_on = mnist.train[0][:10_000], mnist.train[1][:10_000]

model = pv.zoo.lenet_5(FRAMEWORK)
dense = pv.scorecard(model, validation, name="dense")
print(pv.network(model))
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# This is LeNet-5, with two convolutions in front of three dense layers.

# %% [markdown]
# ## Kernel, filter, channel, feature map
#
# Four words for parts of one picture. Here is `conv2`.

# %% jupyter={"source_hidden": true}
from matplotlib.patches import Rectangle

figure = Figure(figsize=(8, 3.6), layout="constrained")
ax = figure.subplots()
ax.set(xlim=(0, 100), ylim=(0, 45), aspect="equal")
ax.axis("off")


def pile(left, bottom, size, count, last=None):
    """Draw a pile of squares; the last one can have a colour of its own."""
    for step in reversed(range(count)):
        colour = last if last and step == 0 else style.PAPER
        place = left + 1.1 * step, bottom + 1.1 * step
        ax.add_patch(Rectangle(place, size, size, facecolor=colour, edgecolor=style.INK, linewidth=0.9))


def say(x, y, text, **options):
    """Write below or above a pile."""
    ax.text(x, y, text, ha="center", fontsize=style.SMALL, color=style.INK, **options)


pale = "#9db8d9"
pile(4, 14, 14, 6)
say(14, 36, "6 channels come in\n14 × 14 each", va="bottom")
for row, bottom in enumerate((29.5, 17, 2)):
    pile(42, bottom, 4.5, 6, pale if row == 0 else None)
say(47, 13.8, "…", va="center")
say(48, 41.5, "16 filters, each of 6 kernels", va="bottom")
say(31.5, 30.6, "one kernel\n5 × 5", va="center")
ax.annotate("", (41.5, 31.6), (36, 31), arrowprops={"arrowstyle": "-", "color": style.INK, "linewidth": 0.8})
pile(70, 8, 10, 16, pale)
say(84, 36, "16 feature maps go out\n10 × 10 each", va="bottom")
arrow = {"arrowstyle": "->", "color": style.INK, "linewidth": 1}
ax.annotate("", (40, 22), (26, 22), arrowprops=arrow)
ax.annotate("", (68.5, 13), (52.5, 31), arrowprops={**arrow, "color": style.KEPT})
say(64.5, 26, "filter 0 makes\nfeature map 0", va="bottom")
pv.teaching.show(
    figure,
    alt="Six channels of 14 by 14 numbers go into conv2. It has 16 filters; each is a pile of six kernels of 5 by "
    "5 weights, one kernel for each channel. Each filter makes one feature map of 10 by 10 numbers, so 16 "
    "feature maps go out. They are the channels of the next layer.",
)

# %% [markdown]
# - A **kernel** is a small square of weights. It slides over one channel.
# - A **filter** is a pile of kernels, one for each channel that comes in. It adds up what they see.
# - A **feature map** is what one filter makes of an image.
# - A **channel** is a feature map seen by the next layer. Filter 3 makes map 3, and map 3 is channel 3.
#
# So to cut filter 3 is to cut map 3 *and* channel 3: the filter, its bias, and the kernel that each filter of
# the next layer had for it.
#
# > **Put right.** *Optimizing Deep Learning Models with Pruning* lists filter pruning, feature map pruning and
# > channel pruning as three techniques, and says that channel pruning removes channels *rather than* feature
# > maps. They remove the same thing. What differs is where you look to choose: at the filter (this lesson), at
# > its map, or at the layer that reads it as a channel (lesson 04).

# %% tags=["pytorch"]
for name in ("conv1", "conv2"):
    layer = model.get_submodule(name)
    print(f"{name}.weight {tuple(layer.weight.shape)!s:16} {name}.bias {tuple(layer.bias.shape)}")

# %% tags=["tensorflow"]
for name in ("conv1", "conv2"):
    layer = model.get_layer(name)
    print(f"{name}.kernel {tuple(layer.kernel.shape)!s:16} {name}.bias {tuple(layer.bias.shape)}")

# %% [markdown] tags=["pytorch"]
# > **Card: indices of a convolution.** PyTorch stores its weights as (filters, channels, rows, columns).
# > `weight[3]` is filter 3, `weight[3, 0]` is its kernel for channel 0. Keras has the same numbers in another
# > order: (rows, columns, channels, filters).

# %% [markdown] tags=["tensorflow"]
# > **Card: indices of a convolution.** Keras stores its weights as (rows, columns, channels, filters), and
# > calls all of them together the *kernel*. `kernel[..., 3]` is filter 3, `kernel[:, :, 0, 3]` is its part
# > for channel 0. PyTorch has the same numbers in another order: (filters, channels, rows, columns).
#
# Mind the word: to Keras, the kernel is all weights of a layer. In this lesson a kernel is one square.

# %% [markdown]
# > **Card: MACs.** A multiply–accumulate is one multiplication, added to a sum. A weight of a dense layer is
# > used in one MAC for each image; a weight of a convolution in one for each place of the feature map. MACs
# > measure work, and leave out everything else that takes time.

# %%
places = {"conv1": 28 * 28, "conv2": 10 * 10, "fc1": 1, "fc2": 1, "fc3": 1}
weights = {layer.name: layer.weight.size for layer in pv.network(model).layers}
macs = {name: weights[name] * places[name] for name in places}

print("         weights            MACs")
for name in places:
    share_weights, share_macs = weights[name] / sum(weights.values()), macs[name] / sum(macs.values())
    print(f"{name} {weights[name]:9,} {share_weights:4.0%} {macs[name]:10,} {share_macs:4.0%}")
print(f"together {sum(weights.values()):6,} {sum(macs.values()):15,}")
print("as the scorecard counts:", sum(macs.values()) == dense.macs)

# %% [markdown]
# The two convolutions have 4% of the weights, and do 86% of the work. Lesson 01 cut weights, and most of them
# were in `fc1`. If you want a network that computes less, cut filters.

# %% [markdown]
# ## Which filter would you cut?
#
# These are the six filters of `conv1`. Each reads one channel, the image, so each is a single kernel.

# %%
pv.teaching.show(pv.plot_filters(model, "conv1"))

# %% [markdown]
# And this is what they make of an image: their feature maps.

# %%
pv.teaching.show(pv.plot_feature_maps(model, images[0], "conv1"))

# %% [markdown]
# **Predict.** Put the six filters in order, the one you would cut first in front. Go by the pictures: which
# filters look weak, which look alike, which maps say little?

# %%
my_order = [0, 1, 2, 3, 4, 5]  # change it: the filter you would cut first comes first

# %% [markdown] tags=["pytorch"]
# The rule that most tools use is the L1 norm: the sum of the sizes of a filter's weights (Li and others, 2017).
# PyTorch's own `ln_structured` cuts whole filters (`dim=0`) by this rule. Cut one, then two, and so on, and you
# have the tool's order.

# %% tags=["pytorch"]
from torch.nn.utils import prune

l1_order = []
for amount in range(1, 7):
    twin = copy.deepcopy(model)
    prune.ln_structured(twin.conv1, "weight", amount=amount, n=1, dim=0)
    zero = (twin.conv1.weight == 0).all(dim=(1, 2, 3)).numpy()
    l1_order += [int(number) for number in np.flatnonzero(zero) if number not in l1_order]

l1 = pv.importance(model, granularity="filter", criterion="magnitude", example=images[:1])["conv1"]
print("L1 norms:        ", *(f"{value:.2f}" for value in l1))
print("the tool's order:", *l1_order)
print("your order:      ", *my_order)
print("the tool's order is that of pruneviz:", l1_order == list(np.argsort(l1)))

# %% [markdown] tags=["tensorflow"]
# The rule that most tools use is the L1 norm: the sum of the sizes of a filter's weights (Li and others, 2017).
# Neither Keras nor tfmot ranks filters, but it takes one line. The filters are along the last axis, so add up
# along the other three.

# %% tags=["tensorflow"]
kernel = model.get_layer("conv1").kernel.numpy().astype(np.float64)
l1 = np.abs(kernel).sum(axis=(0, 1, 2))
l1_order = [int(number) for number in np.argsort(l1)]

ours = pv.importance(model, granularity="filter", criterion="magnitude", example=images[:1])["conv1"]
print("L1 norms:       ", *(f"{value:.2f}" for value in l1))
print("order by L1:    ", *l1_order)
print("your order:     ", *my_order)
print("the norms are those of pruneviz:", np.allclose(l1, ours))

# %% [markdown]
# ## Rank is a hypothesis
#
# **Measure.** Silence each filter alone, with its bias, and count the answers that are lost. This is called an
# *ablation*.


# %%
def without(network, layer, filters):
    """Copy a network, and silence some filters of a layer."""
    count = len(pv.network(network)[layer].weight)
    mask = pv.Mask({layer: ~np.isin(np.arange(count), filters)}, "filter")
    return pv.apply(network, mask, images[:1])


def lost_alone(network, layer):
    """Silence each filter of a layer alone: how many right answers does that cost?"""
    before = pv.scorecard(network, validation).correct
    count = len(pv.network(network)[layer].weight)
    cards = [pv.scorecard(without(network, layer, [number]), validation) for number in range(count)]
    return np.array([before - card.correct for card in cards])


lost = lost_alone(model, "conv1")
real_order = np.argsort(lost, kind="stable")
print("filter   L1 norm   right answers lost")
for number in real_order:
    print(f"{number:6} {l1[number]:9.2f} {lost[number]:12,}")

# %% [markdown]
# How well do two orders agree? Compare the *places* of the filters in both.
#
# > **Card: rank correlation.** Spearman's coefficient is 1 if two orders are equal, −1 if one is the other
# > backwards, and near 0 if they have nothing to do with each other. With six things, 0.6 can be luck.


# %%
def ranks(values):
    """Rank numbers; equal ones share the mean of their places."""
    values = np.asarray(values)
    return (values[:, None] > values).sum(axis=1) + (values[:, None] == values).sum(axis=1) / 2


def agreement(first, second):
    """Rank correlation."""
    return float(np.corrcoef(ranks(first), ranks(second))[0, 1])


my_places = np.argsort(my_order)
print(f"your order against the measured one: {agreement(my_places, lost):+.1f}")
print(f"L1 against the measured one:         {agreement(l1, lost):+.1f}")
print(f"L1 cuts filter {l1_order[0]} first; losing it costs {lost[l1_order[0]]} answers.")
place = l1_order.index(real_order[0]) + 1
print(f"Losing filter {real_order[0]} costs least, {lost[real_order[0]]}; L1 would cut it as number {place}.")

# %% [markdown]
# Here L1 does not do badly. It protects the filter that matters by far the most. But the one that it would cut
# first is not the one to be missed least.
#
# **Predict.** The zoo has a sister of this network: `lenet_5_bn`, the same layers with BatchNorm after each
# convolution, trained in the same way. What will the correlation be there?

# %%
sister = pv.zoo.lenet_5_bn(FRAMEWORK)
sister_dense = pv.scorecard(sister, validation)
sister_l1 = pv.importance(sister, granularity="filter", criterion="magnitude", example=images[:1])["conv1"]
sister_lost = lost_alone(sister, "conv1")

print(f"without cuts {sister_dense.correct:,} right")
print("filter   L1 norm   right answers lost")
for number in np.argsort(sister_l1):
    print(f"{number:6} {sister_l1[number]:9.2f} {sister_lost[number]:12,}")
print(f"agreement {agreement(sister_l1, sister_lost):+.1f}")

# %% [markdown]
# **Explain.** Read the table from the bottom. The filter with the largest norm is the one that can go. The one
# in second place, small and soon cut, is the one that the network cannot do without.
#
# There is a reason. BatchNorm divides what a filter says by how much it usually varies. Had training ended with
# weights twice as large, BatchNorm would divide by twice as much, and nothing behind it would differ. So there the
# size of a filter says little about how loud it is in the end. L1 became a habit all the same: it needs no image
# and costs nothing.
#
# And six filters prove nothing in general. So here are three networks, trained from three seeds, and all criteria.

# %% [markdown]
# ### Six more rules
#
# | criterion | score of a filter | looks at images |
# |---|---|---|
# | `"magnitude"` | L1: sizes of its weights, added up (Li and others, 2017) | no |
# | `"l2"` | root of the sum of squares | no |
# | `"fpgm"` | distance to all other filters of the layer: what is near the middle can be replaced (He and others, 2019) | no |
# | `"taylor"` | slope times weight, added up: first-order change of the loss (Molchanov and others, 2017) | yes |
# | `"gradient"` | sizes of the slopes | yes |
# | `"activation"` | mean activity of its feature map | yes |
# | `"apoz"` | how often its map is not zero (Hu and others, 2016) | yes |
#
# **Predict.** Which of them agrees best with the ablation in both layers?

# %%
table = pv.teaching.results("unit_criteria")
stored = table["networks"]["lenet_5"]
criteria = ("magnitude", "l2", "fpgm", "taylor", "gradient", "activation", "apoz", "random")

print("rank correlation of each criterion with the ablation, LeNet-5, seeds 0, 1, 2\n")
print("                 conv1               conv2")
for criterion in criteria:
    print(f"{criterion:11}", end="")
    for layer in ("conv1", "conv2"):
        values = [seed[layer] for seed in stored["agreement"][criterion]]
        print("  " + "".join(f"{value:+6.1f}" for value in values), end="")
    print()

# %% [markdown]
# The row "random" is the control: orders drawn by lot. Any rule that does not clearly leave it behind has shown
# nothing.

# %% tags=["slow"]
# The first seed is the network above: measure its row again.
lost_in = {"conv1": lost, "conv2": lost_alone(model, "conv2")}
for criterion in ("magnitude", "taylor", "activation"):
    scores = pv.importance(model, granularity="filter", criterion=criterion, data=scored_on)
    values = [agreement(scores[name], lost_in[name]) for name in lost_in]
    before = [stored["agreement"][criterion][0][name] for name in lost_in]
    close = max(abs(a - b) for a, b in zip(values, before, strict=True)) < 0.15
    print(f"{criterion:11} " + "".join(f"{value:+6.1f}" for value in values) + f"   as stored: {close}")

# %% [markdown]
# **Explain.** No rule has a high number in all six columns. L1 is never below zero here, and for `conv2` it points
# the right way in each of the three networks. Taylor, the favourite of lesson 01b, is among the best in `conv1` of
# one network, and in the next it has the order rather backwards. Whoever tries one network sees a winner. Whoever
# tries three sees that the winner changes.
#
# So a ranking is a *hypothesis*: a cheap guess about an expensive question. It tells you what to try first. What
# the cut did, only a measurement tells.

# %% [markdown]
# ### Look at the lowest
#
# What do the filters see that L1 would cut first? These are `conv2`'s, the highest norm first.

# %%
scores = pv.importance(model, granularity="filter", criterion="magnitude", example=images[:1])
pv.teaching.show(pv.plot_filters(model, "conv2", scores=scores, sort=True))

# %%
half = pv.prune(model, 0.5, granularity="filter", scope="layer", example=images[:1])
pv.teaching.show(pv.plot_feature_maps(model, images[0], "conv2", mask=half))

# %% [markdown]
# Some of the pruned maps are nearly empty for this digit, and so are some of the kept. Others of the pruned clearly
# see it. One image tells little, and a norm has seen none.

# %% [markdown]
# ## Touch the filters
#
# **Predict.** You will cut half of the filters in each layer. How many of the 5,000 digits will still be right?
# Set your guess.
#
# **Touch.** Drag the slider. Click on filters to cut or to bring back single ones; choose another criterion, and
# find the three filters of `conv1` that cost least together.

# %% tags=["slow"]
view = pv.explore(
    model,
    validation,
    granularity="filter",
    scored_on=scored_on,
    scope="layer",
    title="LeNet-5 · filters",
)
view

# %% tags=["slow"]
# The same from code. The view follows.
view.by_hand, view.sparsity = {}, 0.0
for number in (l1_order[0], l1_order[-1]):
    view.by_hand = {"conv1": {"cut": [number]}}
    await view.measured()
    print(f"without filter {number} of conv1: {view.card.correct:,} right")

# %% tags=["slow"]
view.by_hand, view.sparsity = {}, 0.5
for criterion in ("activation", "magnitude"):
    view.criterion = criterion
    await view.measured()
    cut = ", ".join(f"{name} {np.flatnonzero(~kept).tolist()}" for name, kept in view.result().items())
    print(f"{criterion:10} {view.card.correct:6,} right; cut: {cut}")

print(view.sentence())
print("same mask as pv.prune:", view.result() == half)

# %% [markdown]
# **Explain.** Half of the filters is far too much at once. With weights, half was nearly free. There the cut could
# pick the best of tens of thousands; a filter goes with all its weights, good and bad, and LeNet-5 has only 22 of
# them.

# %% [markdown]
# ## At once, and after training on
#
# Nobody stops at the cut. The network is trained on, and the question becomes: which cut can be mended? The
# stored study did it for all of them, at nine shares, in three networks: cut, remove, train for one epoch.
#
# **Predict.** At 50%, criteria lie far apart. After one epoch, which one leads, and by how much does it beat
# chance?

# %% jupyter={"source_hidden": true}
from types import SimpleNamespace


def points(rows):
    """Turn stored counts into what plot_tradeoff draws: one list of points a seed."""
    n = table["images"]
    return [
        [
            SimpleNamespace(sparsity=share, accuracy=count / n, interval=pv.wilson(count, n))
            for share, count in zip(table["sparsities"], counts, strict=True)
        ]
        for counts in rows
    ]


def draw(rows, names, title):
    """Draw some of the stored curves."""
    reference = float(np.median(stored["dense"])) / table["images"]
    lines = {name: points(rows[name]) for name in names}
    pv.teaching.show(pv.plot_tradeoff(lines, reference=reference, title=title))


# %%
shown = ("magnitude", "fpgm", "taylor", "random")  # or l2, gradient, activation, apoz
draw(stored["one_shot"]["layer"], shown, "Filters of LeNet-5, at once")

# %%
draw(stored["fine_tuned"]["layer"], shown, "Filters of LeNet-5, after one epoch")

# %%
print(f"right of {table['images']:,} validation images: median (worst to best of three networks)\n")
shares = (0.3, 0.5, 0.9)
for what, title in (("one_shot", "at once"), ("fine_tuned", "after one epoch")):
    print(f"{title:15}" + "".join(f"{share:>24.0%}" for share in shares))
    for criterion, rows in stored[what]["layer"].items():
        cells = []
        for share in shares:
            column = sorted(row[table["sparsities"].index(share)] for row in rows)
            cells.append(f"{column[1]:,} ({column[0]:,} to {column[2]:,})")
        print(f"{criterion:15}" + "".join(f"{cell:>24}" for cell in cells))
    print()
control = sorted(stored["dense_fine_tuned"])
print(f"nothing cut, one epoch more: {control[1]:,} ({control[0]:,} to {control[2]:,})")

# %% [markdown]
# **Explain.** One epoch mends nearly everything, whichever filters went. At once, half of the filters was too much
# for every rule. After an epoch their medians lie within one point, and chance is among them. At 90% the
# median of the filters drawn by lot is even above that of L1. What the cut leaves behind matters less than
# that it can still learn. Mittal and others (2018) found the same in far larger networks.
#
# Two cautions. An epoch takes seconds here; for a large network it takes days, and then a good start is worth
# something. And the last line of the table is the control: the network that was not cut is still the best.
#
# One point of the study, here and now: half of each layer's filters by L1, removed, one epoch.

# %% tags=["pytorch"]
x = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2).copy())
y = torch.tensor(mnist.train[1])


def trained_on(student, rate=2e-3):
    """Train a network for one epoch, the learning rate falling to zero."""
    torch.manual_seed(0)
    batches = torch.randperm(len(x)).split(512)
    optimizer = torch.optim.Adam(student.parameters(), lr=rate, fused=True)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=len(batches))
    student.train()
    for batch in batches:
        loss = F.cross_entropy(student(x[batch] / 255), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return student.eval()


# %% tags=["tensorflow"]
x, y = map(tf.constant, mnist.train)


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(x, rows), tf.float32) / 255, tf.gather(y, rows)


order = tf.data.Dataset.range(len(y)).shuffle(len(y), seed=0)
batches = order.batch(512).map(pick)


def trained_on(student, rate=2e-3):
    """Train a network for one epoch, the learning rate falling to zero."""
    keras.utils.set_random_seed(0)
    falling = keras.optimizers.schedules.PolynomialDecay(rate, len(batches), 0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    student.compile(keras.optimizers.Adam(falling), loss=loss)
    student.fit(batches, epochs=1, shuffle=False, verbose=0)
    return student


# %% tags=["trains", "slow"]
small = pv.remove(model, half, images[:8])
at_once = pv.scorecard(small, validation)
student = trained_on(pv.remove(model, half, images[:8]))
later = pv.scorecard(student, validation)
print(f"half of the filters cut: {100 * at_once.accuracy:.0f}% right")
print(f"after one epoch:         {100 * later.accuracy:.1f}% right, dense {100 * dense.accuracy:.1f}%")
print("the small one is still worse than the dense one:", later.correct < dense.correct)

# %% [markdown]
# ## Zero weights, and still talking
#
# In lesson 02 a neuron without weights still sent its bias. With BatchNorm a filter has more ways to go on
# talking.
#
# > **Card: BatchNorm's two modes.** In training it takes each channel of the batch, subtracts the batch's mean
# > and divides by its standard deviation; then it multiplies by a learned *scale* and adds a learned *shift*. In
# > use it does the same with a fixed mean and deviation, averages that it collected while training. They are the
# > layer's *running statistics*: numbers that no gradient has ever touched.
#
# Take a filter of `lenet_5_bn` and set its weights to zero, and nothing else. Its map is zero everywhere.
# BatchNorm subtracts the running mean all the same, divides, scales, and adds its shift.
#
# **Predict.** What comes out?

# %% tags=["pytorch"]
# The tool's own way: weights only.
weights_only = copy.deepcopy(sister)
mask = pv.prune(sister, 0.25, granularity="filter", scope="layer", example=images[:1])
for name, kept in mask.items():
    layer = weights_only.get_submodule(name)
    prune.ln_structured(layer, "weight", amount=int((~kept).sum()), n=1, dim=0)
    prune.remove(layer, "weight")


def maps_of(network, image):
    """What comes out of conv1, its BatchNorm and the ReLU: (filters, rows, columns)."""
    pixels = torch.tensor(image.transpose(2, 0, 1)[None] / np.float32(255))
    with torch.no_grad():
        return network[:3](pixels)[0].numpy()


# %% tags=["tensorflow"]
# Weights only, by hand: Keras has no tool for it.
weights_only = keras.models.clone_model(sister)
weights_only.set_weights(sister.get_weights())
mask = pv.prune(sister, 0.25, granularity="filter", scope="layer", example=images[:1])
for name, kept in mask.items():
    layer = weights_only.get_layer(name)
    layer.kernel.assign(layer.kernel * kept.astype(np.float32))


def maps_of(network, image):
    """What comes out of conv1, its BatchNorm and the ReLU: (filters, rows, columns)."""
    probe = keras.Model(network.inputs, network.get_layer("relu1").output)
    return probe.predict_on_batch(image[None] / np.float32(255))[0].transpose(2, 0, 1)


# %%
cut = np.flatnonzero(~mask["conv1"])
silenced, whole = maps_of(weights_only, images[0]), maps_of(sister, images[0])
print("filter   weights zero: lowest and highest of its map   dense: its answer to a black corner")
for number in cut:
    low, high = silenced[number].min(), silenced[number].max()
    print(f"{number:6} {low:24.2f} and {high:.2f} {whole[number, 0, 0]:27.2f}")

# %% [markdown]
# A filter without weights does not fall silent. It sends a constant, and the constant is what it used to say about
# a black patch: no light in, no sum, and the rest is BatchNorm. That of filter 0 happens to be negative, and the
# ReLU stops it. Filter 5 talks on.
#
# So there are three networks to measure: weights only; BatchNorm's scale, shift and mean zeroed too, as
# `pv.apply` does it; and that one with its running statistics estimated anew, by `pv.recalibrate`, from a
# thousand training images without labels. No weight changes in this.
#
# **Predict.** A quarter of the filters goes, by L1. Order the three.

# %%
zeroed = pv.apply(sister, mask)
again = pv.recalibrate(zeroed, mnist.train[0][:1_000])
ways = {"weights only": weights_only, "BatchNorm zeroed too": zeroed, "statistics re-estimated": again}

print(f"{'nothing cut':25} {sister_dense.correct:6,} of {sister_dense.n:,} right")
for name, network in ways.items():
    print(f"{name:25} {pv.scorecard(network, validation).correct:6,}")

# %% [markdown]
# **Explain.** Surprised by the first line? Much of an image is black, so the constant is what the filter used to
# say in most places. It is a fair stand-in, and a better one than zero. But nothing was gained: the filter still
# sends a map, and the next layer still computes with it. Accuracy that you measure there is not the accuracy of
# the network that you will ship.
#
# Zeroing all of it is honest: now the filter can go. And the third line shows that the weights were not the only
# thing that broke. The next BatchNorm went on subtracting the mean of six maps when only four were left.
#
# Is that always so? Try masks drawn by lot.

# %% tags=["slow"]
print("a quarter of the filters, drawn by lot: right answers")
print("draw   BatchNorm zeroed   statistics re-estimated")
gains = []
for seed in range(6):
    options = {"granularity": "filter", "criterion": "random", "scope": "layer", "seed": seed}
    thin = pv.apply(sister, pv.prune(sister, 0.25, example=images[:1], **options))
    mended = pv.recalibrate(thin, mnist.train[0][:1_000])
    before, after = (pv.scorecard(network, validation).correct for network in (thin, mended))
    gains.append(after - before)
    print(f"{seed:4} {before:18,} {after:25,}")
print(f"re-estimation helped in {sum(gain > 0 for gain in gains)} of {len(gains)} draws")

by_taylor = pv.prune(sister, 0.25, granularity="filter", criterion="taylor", scope="layer", data=scored_on)
thin = pv.apply(sister, by_taylor)
mended = pv.recalibrate(thin, mnist.train[0][:1_000])
before, after = (pv.scorecard(network, validation).correct for network in (thin, mended))
print(f"cut by Taylor: {before:,} before, {after:,} after: it helped: {after > before}")

# %% [markdown]
# It usually helps, and it costs a second. It does not always help, as the last line shows: measure both. Lesson
# 04a meets networks that fall to chance without it.

# %% [markdown]
# ## Take them out
#
# A masked filter is all zeros, and the machine multiplies by each of them. Now the filters go for good.

# %% [markdown] tags=["pytorch"]
# The tool for it is Torch-Pruning. It traces the network, and finds for each filter what else has to go: a
# *group*.

# %% tags=["pytorch"]
import torch_pruning as tp

peer = copy.deepcopy(model)
graph = tp.DependencyGraph().build_dependency(peer, torch.zeros(1, 1, 28, 28))
for name, kept in half.items():
    gone = np.flatnonzero(~kept).tolist()
    group = graph.get_pruning_group(peer.get_submodule(name), tp.prune_conv_out_channels, idxs=gone)
    group.prune()

small = pv.remove(model, half, images[:8])
print("         dense              Torch-Pruning      pv.remove")
for name in ("conv1", "conv2", "fc1"):
    shapes = [tuple(net.get_submodule(name).weight.shape) for net in (model, peer, small)]
    print(f"{name:8} " + " ".join(f"{shape!s:18}" for shape in shapes).rstrip())

batch = torch.tensor(images[:500].transpose(0, 3, 1, 2) / np.float32(255))
with torch.no_grad():
    print("the same outputs:", torch.allclose(peer(batch), small(batch), rtol=1e-5, atol=1e-5))

# %% [markdown] tags=["pytorch"]
# Half of `conv1` went, and with it half of the channels that `conv2` reads. Half of `conv2` went too, and with it
# 200 inputs of `fc1`: 25 places for each of eight maps.

# %% [markdown] tags=["tensorflow"]
# Is there a tool for it? tfmot has none. It cuts single weights, wherever they stand:

# %% tags=["tensorflow"]
import tensorflow_model_optimization as tfmot
import tf_keras

tf.get_logger().setLevel("ERROR")  # TensorFlow warns when many models are trained in turn
sparse = tfmot.sparsity.keras
few = mnist.train[0][:64] / np.float32(255), mnist.train[1][:64]


def cut_by_tfmot(**options):
    """Prune half with tfmot; the learning rate is 0, so that nothing else happens."""
    schedule = sparse.ConstantSparsity(0.5, begin_step=0, frequency=1)
    network = pv.zoo.lenet_5("tf_keras")
    wrapped = sparse.prune_low_magnitude(network, pruning_schedule=schedule, **options)
    loss = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    wrapped.compile(tf_keras.optimizers.SGD(0.0), loss=loss)
    wrapped.fit(*few, batch_size=64, verbose=0, callbacks=[sparse.UpdatePruningStep()])
    return sparse.strip_pruning(wrapped)


stripped = cut_by_tfmot()
for name in ("conv1", "conv2"):
    weight = pv.network(stripped)[name].weight
    whole = (weight == 0).all(axis=(1, 2, 3)).sum()
    print(f"{name}: {np.mean(weight == 0):.0%} of its weights are zero, {whole} of {len(weight)} filters")
print(f"parameters before {dense.parameters:,}, after {stripped.count_params():,}")
try:
    cut_by_tfmot(block_size=(5, 5))
except ValueError as error:
    print("asked for blocks:", error)

# %% [markdown] tags=["tensorflow"]
# No filter is empty, and no array is smaller. tfmot knows no filters, no scope across layers, and no removal; its
# blocks are for dense layers only. So in Keras you do it by hand: build the smaller network, and copy what is
# kept. `fc1` is the careful part. This network permutes before it flattens, so each map owns 25 inputs in a row.

# %% tags=["tensorflow"]
by_hand = keras.Sequential([keras.Input((28, 28, 1))])
for layer in model.layers:
    config = layer.get_config()
    if layer.name in half:
        config["filters"] = int(half[layer.name].sum())
    by_hand.add(type(layer).from_config(config))

one, two = half["conv1"], half["conv2"]
kernel, bias = model.get_layer("conv1").get_weights()
by_hand.get_layer("conv1").set_weights([kernel[..., one], bias[one]])
kernel, bias = model.get_layer("conv2").get_weights()
by_hand.get_layer("conv2").set_weights([kernel[:, :, one][..., two], bias[two]])
kernel, bias = model.get_layer("fc1").get_weights()
by_hand.get_layer("fc1").set_weights([kernel[np.repeat(two, 25)], bias])
for name in ("fc2", "fc3"):
    by_hand.get_layer(name).set_weights(model.get_layer(name).get_weights())

small = pv.remove(model, half, images[:8])
print("         dense              by hand            pv.remove")
for name in ("conv1", "conv2", "fc1"):
    shapes = [net.get_layer(name).get_weights()[0].shape for net in (model, by_hand, small)]
    print(f"{name:8} " + " ".join(f"{shape!s:18}" for shape in shapes).rstrip())

batch = images[:500] / np.float32(255)
outputs = [net.predict_on_batch(batch) for net in (by_hand, small)]
print("the same outputs:", np.allclose(*outputs, rtol=1e-5, atol=1e-5))

# %% [markdown] tags=["tensorflow"]
# Half of `conv1` went, and with it half of the channels that `conv2` reads. Half of `conv2` went too, and with it
# 200 inputs of `fc1`.

# %% [markdown]
# **The proof.** Does the small network compute what the masked one does? `pv.remove` compares the two before it
# returns. Check it on other images, and put the three side by side.

# %%
masked = pv.apply(model, half)
difference = pv.check_removed(model, half, small, images)
print(f"largest difference, as a share of the largest output: below 0.00001: {difference < 1e-5}")

networks = {"dense": model, "masked": masked, "removed": small}
cards = {name: pv.scorecard(network, validation) for name, network in networks.items()}
print("same answers:", np.array_equal(cards["masked"].predictions, cards["removed"].predictions))
print("\n          parameters   MACs executed      bytes")
for name, card in cards.items():
    print(f"{name:8} {card.parameters:11,} {card.macs:15,} {card.raw_bytes:10,}")

# %% [markdown]
# ## Is it faster?
#
# The small network has 2.7 times fewer MACs.
#
# **Predict.** How much faster is it than the dense one, for one image and for 64 at once? And how much faster is
# the masked one?

# %%
promised = cards["dense"].macs / cards["removed"].macs
print(f"the MACs promise {promised:.1f} times")

take_times = False  # make it True to see the times of your machine, in milliseconds
if take_times:
    for name, times in pv.latency(networks, images, (1, 64)).items():
        print(f"{name:8} {times[1]:8.3f} for one image {times[64]:8.3f} for 64")

# %% [markdown]
# Times differ from machine to machine and from run to run, so this page shows stored ones: two networks, one
# machine, one thread, processor time.

# %% tags=["pytorch"]
timed = pv.teaching.results("removal")["torch"]

# %% tags=["tensorflow"]
timed = pv.teaching.results("removal")["keras"]

# %%
print("half of the filters of each layer: how many times less, how many times faster")
print("network          MACs   batch    masked   removed")
for name in ("lenet_5", "mnist_cnn"):
    result = timed[name]
    fewer = result["macs"]["dense"] / result["macs"]["removed"]
    for size in ("1", "64"):
        gain = {what: result["ms"]["dense"][size] / result["ms"][what][size] for what in result["ms"]}
        print(f"{name:14} {fewer:5.1f}× {size:>7} {gain['masked']:8.1f}× {gain['removed']:8.1f}×")

# %% [markdown]
# **Explain.** The masked network gains nothing: whatever differs from 1.0 there is noise of the clock. The removed
# one gains where there is much to compute. LeNet-5 with a single image has so little that nothing is left of the
# promise. MACs count multiplications, and time goes elsewhere too:
#
# - **Overhead.** Each layer is a call, and a call costs the same for six filters and for three. With one small
#   image the calls are most of the time.
# - **Memory.** ReLU, pooling and moving numbers about have no MACs at all.
# - **Shapes.** Fast routines work on blocks of 8 or 16 numbers. Three filters fill no block, and may even be slower
#   than six.
#
# So larger networks and larger batches come closer to the promise. Compare networks by the clock of the machine
# that will run them, one batch size at a time, and say which it was.

# %% [markdown]
# ## The report
#
# You chose by validation images throughout. Now the test images, once: half of the filters, L1, removed, one
# epoch.

# %% tags=["trains", "slow"]
test_dense, test_small = (pv.scorecard(network, test) for network in (model, student))
low, high = test_small.interval
print(f"dense: {100 * test_dense.accuracy:.1f}% of {test_dense.n:,} test images")
print(f"small: {100 * test_small.accuracy:.1f}%, ", end="")
print(f"95% interval {100 * low:.1f}% to {100 * high:.1f}%")
print(f"{test_dense.parameters / test_small.parameters:.1f} times fewer parameters, ", end="")
print(f"{test_dense.macs / test_small.macs:.1f} times fewer MACs")

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots, run the cell, then the check below it. The solution is folded away.
#
# ### Exercise 1 · L1 scores
#
# Write the rule yourself: one number for each filter of a convolution. `weight` is a NumPy array in the layout of
# your framework. Three lines are plenty.

# %%
from pruneviz.lessons.checks import lesson_03 as check


# %% tags=["pytorch", "exercise"]
def l1_scores(weight):
    """Return the L1 norm of each filter; weight is (filters, channels, rows, columns)."""
    # solution:
    return np.abs(weight).sum(axis=(1, 2, 3))
    # end of solution


# %% tags=["pytorch", "check"]
check.filter_scores(l1_scores, track="pytorch")


# %% tags=["tensorflow", "exercise"]
def l1_scores(weight):
    """Return the L1 norm of each filter; weight is (rows, columns, channels, filters)."""
    # solution:
    return np.abs(weight).sum(axis=(0, 1, 2))
    # end of solution


# %% tags=["tensorflow", "check"]
check.filter_scores(l1_scores, track="tensorflow")

# %% [markdown]
# ### Exercise 2 · Three of sixteen
#
# Choose three filters of `conv2` that can go together. There are 560 ways to choose three of sixteen, and the
# check tries them all. Yours has to be among the best 28. Look at anything you like: norms, maps, single losses.
# `right_without([2, 7])` counts the right answers without filters 2 and 7. It starts from the feature maps, so it
# is fast.

# %% tags=["pytorch"]
with torch.no_grad():
    pixels = torch.tensor(images.transpose(0, 3, 1, 2) / np.float32(255))
    pooled = model[:6](pixels).numpy().reshape(len(images), 16, 25)

# %% tags=["tensorflow"]
probe = keras.Model(model.inputs, model.get_layer("permute").output)
pooled = probe.predict(images / np.float32(255), batch_size=500, verbose=0).reshape(len(images), 16, 25)

# %%
fc1, fc2, fc3 = (pv.network(model)[name] for name in ("fc1", "fc2", "fc3"))
parts = [pooled[:, number] @ fc1.weight[:, 25 * number : 25 * number + 25].T for number in range(16)]
everything = sum(parts) + fc1.bias


def right_without(filters):
    """Count right validation images when these filters of conv2 are silent."""
    hidden = np.maximum(everything - sum(parts[number] for number in filters), 0)
    hidden = np.maximum(hidden @ fc2.weight.T + fc2.bias, 0)
    return int(np.sum((hidden @ fc3.weight.T + fc3.bias).argmax(axis=1) == labels))


print(f"nothing cut:        {right_without([]):,}")
print(f"without 2 and 7:    {right_without([2, 7]):,}")

# %% tags=["exercise"]
# solution: three = ...
# Greedy: cut the least harmful one, measure the rest again, and so on.
three = []
for _ in range(3):
    others = [number for number in range(16) if number not in three]
    three.append(max(others, key=lambda number: right_without([*three, number])))
# end of solution

# %% tags=["check"]
check.three_filters(three, right_without=right_without)

# %% [markdown]
# ### Exercise 3 · What is left to compute
#
# Three of the six filters of LeNet-5's `conv1` go, and nothing else. How many MACs do `conv1`, `conv2` and the
# three dense layers together need now? The map of `conv1` has 28 × 28 places, that of `conv2` 10 × 10. Give a
# dict: `{"conv1": …, "conv2": …, "dense": …}`.

# %% tags=["exercise"]
# solution: macs_now = ...
macs_now = {
    "conv1": 3 * 1 * 25 * 28 * 28,
    "conv2": 16 * 3 * 25 * 10 * 10,
    "dense": 400 * 120 + 120 * 84 + 84 * 10,
}
# end of solution

# %% tags=["check"]
check.macs_after(macs_now)

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# You remove one filter. What else goes?
# - [ ] Only its kernels. The other layers do not know of it.
#   why: They do. BatchNorm holds numbers for its map, and the next layer reads it.
# - [x] Its bias, its entries in BatchNorm, and the kernels of the next layer that read its map.
#   why: Filter, map and channel are one thing seen from three places. After a flatten layer it is a block of
#   inputs instead of a kernel.
# - [ ] One feature map for each image, but no weights.
#   why: A map is not stored; it is computed from weights, and these go.

# %% [markdown] tags=["quiz"]
# After removal the MACs are halved, but the time falls by only 15%. What is the likely reason?
# - [ ] The MACs were counted wrongly.
#   why: Perhaps, but nothing says so. Time is not made of MACs alone.
# - [ ] The zeros are still multiplied.
#   why: So it would be in a masked network. After removal there are no zeros to multiply.
# - [x] Calls, memory traffic and small shapes cost time that no MAC counts.
#   why: They weigh most in small networks and small batches. Measure on the machine that will do the work.

# %% [markdown] tags=["quiz"]
# LeNet-5's convolutions have 4% of the weights and do 86% of the MACs. You want fewer MACs. What do you cut?
# - [x] Filters of the convolutions.
#   why: Each weight there is used at every place of a map, so each one cut saves hundreds of MACs.
# - [ ] Neurons of `fc1`, which has most of the weights.
#   why: That makes the file smaller. Each weight of a dense layer is used once for each image.
# - [ ] The smallest weights of all layers.
#   why: Single zeros are multiplied like any other number. The count of executed MACs stays as it is.

# %% [markdown] tags=["quiz"]
# On your network, L1 finds the least important filter of a layer exactly. What have you learned?
# - [ ] L1 finds the least important filters.
#   why: In one layer of one network. In this lesson it did well in one network and failed in its sister.
# - [ ] Small filters are unimportant.
#   why: That is the rule again, not a finding. With BatchNorm a filter's size is nearly arbitrary.
# - [x] That the guess held once. Ablate, and repeat it with other seeds.
#   why: A ranking is a hypothesis about what a cut does. A cut and a count test it.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *"I pruned my network, and it is no faster. Why?"* ([pytorch/pytorch, thread
# 36214](https://github.com/pytorch/pytorch/issues/36214))
#
# Because masks leave the shapes as they were, and the machine multiplies zeros as it does other numbers. To get
# time for it:
#
# - cut units, not weights, and *remove* them, with Torch-Pruning or `pv.remove`;
# - count MACs before and after; if they are the same, nothing was removed;
# - then take the time, on the machine and with the batch size that matter. Expect less than the MACs promise.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *"I pruned my network with tfmot, and it is no faster. Why?"* ([tensorflow/model-optimization, thread
# 173](https://github.com/tensorflow/model-optimization/issues/173))
#
# Because zeros leave the shapes as they were, and the machine multiplies zeros as it does other numbers. To get
# time for it:
#
# - cut units, not weights, and *remove* them, by hand or with `pv.remove`;
# - count MACs before and after; if they are the same, nothing was removed;
# - then take the time, on the machine and with the batch size that matter. Expect less than the MACs promise.

# %% [markdown]
# ## Recap
#
# - A filter is a pile of kernels; it makes one feature map, which is one channel of the next layer. A weight of a
#   convolution is used at every place of the map, so few weights do most of the work.
# - A ranking is a hypothesis. L1 agreed with the ablation in one network and failed in its sister; over three
#   seeds no rule was right throughout.
# - A filter without weights still sends a constant, through its bias or its BatchNorm. Zero these too, estimate
#   the statistics anew, and measure both.
# - Removal takes filter, bias, BatchNorm entries and the next layer's kernels, and computes the same. Masks save no
#   time; removal saves some, less than the MACs promise.

# %% [markdown]
# ## Further reading
#
# - H. Li, A. Kadav, I. Durdanovic, H. Samet and H. P. Graf. Pruning Filters for Efficient ConvNets. *International
#   Conference on Learning Representations*, 2017. [arXiv:1608.08710](https://arxiv.org/abs/1608.08710). L1, layer
#   by layer.
# - Y. He, P. Liu, Z. Wang, Z. Hu and Y. Yang. Filter Pruning via Geometric Median for Deep Convolutional Neural
#   Networks Acceleration. *IEEE/CVF Conference on Computer Vision and Pattern Recognition*, 2019.
#   [arXiv:1811.00250](https://arxiv.org/abs/1811.00250). FPGM: cut what others can replace.
# - P. Molchanov, S. Tyree, T. Karras, T. Aila and J. Kautz. Pruning Convolutional Neural Networks for Resource
#   Efficient Inference. *International Conference on Learning Representations*, 2017.
#   [arXiv:1611.06440](https://arxiv.org/abs/1611.06440). Taylor, compared with an ablation of every map.
# - P. Molchanov, A. Mallya, S. Tyree, I. Frosio and J. Kautz. Importance Estimation for Neural Network Pruning.
#   *IEEE/CVF Conference on Computer Vision and Pattern Recognition*, 2019.
#   [arXiv:1906.10771](https://arxiv.org/abs/1906.10771). How well estimates agree with what a cut really does.
# - H. Hu, R. Peng, Y.-W. Tai and C.-K. Tang. Network Trimming: A Data-Driven Neuron Pruning Approach towards
#   Efficient Deep Architectures. [arXiv:1607.03250](https://arxiv.org/abs/1607.03250), 2016. APoZ.
# - S. Ioffe and C. Szegedy. Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate
#   Shift. *International Conference on Machine Learning*, 2015.
#   [arXiv:1502.03167](https://arxiv.org/abs/1502.03167).
# - D. Mittal, S. Bhardwaj, M. M. Khapra and B. Ravindran. Recovering from Random Pruning: On the Plasticity of Deep
#   Convolutional Neural Networks. *IEEE Winter Conference on Applications of Computer Vision*, 2018.
#   [arXiv:1801.10447](https://arxiv.org/abs/1801.10447). After training on, chance keeps up with the rules.

# %% [markdown] tags=["pytorch"]
# - G. Fang, X. Ma, M. Song, M. B. Mi and X. Wang. DepGraph: Towards Any Structural Pruning. *IEEE/CVF Conference on
#   Computer Vision and Pattern Recognition*, 2023. [arXiv:2301.12900](https://arxiv.org/abs/2301.12900).
#   Torch-Pruning.
# - The article that this lesson puts right: Jan Marcel Kezmann, *Optimizing Deep Learning Models with Pruning: A
#   Practical Guide*.

# %% [markdown] tags=["tensorflow"]
# - TensorFlow Model Optimization. *Pruning comprehensive guide*,
#   [tensorflow.org](https://www.tensorflow.org/model_optimization/guide/pruning/comprehensive_guide).
# - The article that this lesson puts right: Jan Marcel Kezmann, *Optimizing Deep Learning Models with Pruning: A
#   Practical Guide*.
