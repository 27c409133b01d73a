# %% [markdown]
# # 04b · Channel pruning: choosing
#
# Which channels can a network spare? So far you asked the filters that make them: how large are they, how loud? In
# this lesson you ask three others. You ask the layer that reads the channels. You ask the training, before it is
# over. And you ask the image: what is empty for a 1 may be needed for an 8.

# %% [markdown]
# ## What you will learn
#
# - To choose channels by what the next layer can be put together from (LASSO), and to refit that layer.
# - To compare two rules fairly: the same units, the same treatment, more than one network.
# - To train a network towards channels that can go (slimming), and to read its BatchNorm scales with care.
# - To skip feature maps image by image, and to say what that saves, and what it does not.
#
# **Before you start.** You have done lesson 03: filter, channel, feature map, BatchNorm. Lesson 04a is not needed.
#
# **Time.** 45 minutes, and 20 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/04b_channel_pruning_choosing.ipynb); the [first lesson](../00_start_here.ipynb) explains the
# words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/04b_channel_pruning_choosing.ipynb); the [first lesson](../00_start_here.ipynb) explains the
# words.

# %% tags=["pytorch"]
import pruneviz as pv

pv.teaching.start("pytorch")
FRAMEWORK = "torch"

# %% tags=["tensorflow"]
import pruneviz as pv

pv.teaching.start("tensorflow")
FRAMEWORK = "keras"

# %% tags=["pytorch"]
from itertools import combinations

import numpy as np
import torch
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from torch.nn import functional as F

from pruneviz.plots import style

# %% tags=["tensorflow"]
from itertools import combinations

import keras
import numpy as np
import tensorflow as tf
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from pruneviz.plots import style

# %%
mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
images, labels = validation
shown = mnist.train[0][:200]  # for looking
seen = mnist.train[0][:2_000]  # for choosing and refitting; their labels are never used

model = pv.zoo.lenet_5(FRAMEWORK)
dense = pv.scorecard(model, validation, name="dense")
print(f"LeNet-5: {dense.correct:,} of {dense.n:,} validation images right, {dense.macs:,} MACs an image")

# %% [markdown]
# ## Ask the reader
#
# `conv1` makes six feature maps. After pooling they are the six channels that `conv2` reads. For each channel
# `conv2` has kernels of its own, and it adds up what they see. So its output is a sum of six parts, one for each
# channel:
#
# $$Y = X_1 W_1 + X_2 W_2 + \dots + X_6 W_6$$
#
# $X_i$ is what the kernels see of channel $i$, $W_i$ the weights that meet it. Cut channel $i$, and its part is gone
# from the sum. Here are the parts, for 200 images.


# %% tags=["pytorch"]
def tensor(pixels):
    """Turn images into what PyTorch takes."""
    return torch.tensor(pixels.transpose(0, 3, 1, 2) / np.float32(255))


with torch.no_grad():
    read = model[:3](tensor(shown))  # conv1, ReLU, pooling
    weight = model.conv2.weight
    made = [F.conv2d(read[:, i : i + 1], weight[:, i : i + 1]) for i in range(6)]
    whole = F.conv2d(read, weight).double().numpy().ravel()
parts = torch.stack(made, dim=-1).double().numpy().reshape(-1, 6)
print("numbers that conv2 gives:", f"{len(whole):,}")
print("the six parts add up to them:", np.allclose(parts.sum(axis=1), whole, atol=1e-4))

# %% tags=["tensorflow"]
probe = keras.Model(model.inputs[0], model.get_layer("pool1").output)
read = probe(shown / np.float32(255))
kernel = model.get_layer("conv2").kernel
made = [tf.nn.conv2d(read[..., i : i + 1], kernel[:, :, i : i + 1], 1, "VALID") for i in range(6)]
whole = tf.nn.conv2d(read, kernel, 1, "VALID").numpy().astype(np.float64).ravel()
parts = tf.stack(made, axis=-1).numpy().astype(np.float64).reshape(-1, 6)
print("numbers that conv2 gives:", f"{len(whole):,}")
print("the six parts add up to them:", np.allclose(parts.sum(axis=1), whole, atol=1e-4))

# %% [markdown]
# Now a question that a norm cannot ask: with fewer parts, how near can you come to the same sum? He, Zhang and Sun
# (2017) give each part a factor $\beta_i$ and let the LASSO choose the factors:
#
# $$\min_\beta \; \tfrac12 \Big\| Y - \sum_i \beta_i X_i W_i \Big\|^2 + \lambda \sum_i |\beta_i|$$
#
# > **Card: LASSO.** Least squares with a price: each factor costs λ times its size. The price of the first step
# > away from zero is as high as that of any other, so what helps little stays at exactly zero. Start with λ so
# > high that all factors are zero, and lower it: the parts enter one after the other, and this order is a ranking.
#
# **Predict.** Add a seventh channel that repeats channel 5, only weaker. What will a ranking by size do with it, and
# what the LASSO? scikit-learn follows the whole path, from the price at which nothing is worth it down to zero.

# %%
from sklearn.linear_model import lars_path

seven = np.column_stack([parts, 0.8 * parts[:, 5]])
_, _, factors = lars_path(seven, seven.sum(axis=1), method="lasso")
sizes = np.abs(seven).sum(axis=0)
print(f"the copy's part is larger than that of {np.sum(sizes[:6] < sizes[6])} of the six channels")
print(f"at the end of the path: factor of channel 5 {factors[5, -1]:.2f}, of the copy {factors[6, -1]:.2f}")

# %% [markdown]
# The copy never enters, at no price. Whatever it could add, channel 5 adds already, with a larger factor. A ranking by
# size would keep both. Now the six channels that are really there.

# %%
prices, _, factors = lars_path(parts, whole, method="lasso")
prices = prices * len(whole) / np.square(whole).sum()  # as a share of what there is to explain
enters = np.array([prices[max(np.argmax(row != 0) - 1, 0)] for row in factors])
lasso_order = [int(number) for number in np.argsort(enters)]

figure = Figure(figsize=(7, 3.2), layout="constrained")
ax = figure.subplots()
for number, (row, (colour, mark, line)) in enumerate(zip(factors, style.SERIES, strict=False)):
    ax.plot(prices, row, color=colour, marker=mark, linestyle=line, markersize=5, label=f"channel {number}")
ax.set(xlabel="price λ, as a share of the output's square", ylabel="factor β")
ax.invert_xaxis()
ax.grid(color=style.GRID)
ax.legend(loc="upper left", ncols=2, frameon=False, fontsize=style.SMALL)
pv.teaching.show(
    figure,
    alt="The factors of the six channels against the price. All begin at zero where the price is high; one after the "
    "other leaves zero as the price falls; without a price all are one.",
)

# %%
ours = pv.importance(
    model, granularity="channel", criterion="reconstruction", data=(shown, mnist.train[1][:200])
)
print("the order that the tool of this course finds:", list(np.argsort(ours["conv1"])) == lasso_order)

options = {"example": images[:1], "criterion": "magnitude"}
at_maker = pv.importance(model, granularity="filter", **options)["conv1"]
at_reader = pv.importance(model, granularity="channel", **options)["conv1"]
size = np.square(parts).sum(axis=0) / np.square(whole).sum()
in_sum = whole @ parts / np.square(whole).sum()
print("\n          L1 of its   L1 of the weights   its part,    its share   enters the path")
print("channel      filter        that read it     squared   of the sum     at a price of")
for number in lasso_order[::-1]:
    norms = f"{at_maker[number]:11.2f} {at_reader[number]:19.2f}"
    print(f"{number:7} {norms} {size[number]:11.1%} {in_sum[number]:12.1%} {enters[number]:17.3f}")

# %% [markdown]
# The shares of the sum add up to 100%, and the path follows them, not the norms. The weights that read channel 1 are
# the largest; what they make of it is next to nothing. Channel 3 makes the largest part, but other parts work against
# it, and less of it is left in the sum than of channels 5 and 0.
#
# ### Does it matter which rule you ask?
#
# **Predict.** Three of the six shall stay. Which three would you keep?
#
# **Measure.** There are only 20 ways to keep three of six channels. So you need not believe any rule: try all 20. For
# each, how much of `conv2`'s output is lost, and how many digits are still right?


# %%
gram = parts.T @ parts  # how alike the parts are: their inner products, all that the LASSO needs


def lost_share(kept):
    """Return how much of conv2's output goes if only these channels stay."""
    cut = [number for number in range(6) if number not in kept]
    return gram[np.ix_(cut, cut)].sum() / gram.sum()


def keeping(kept):
    """Make the mask that keeps these channels of conv1, and everything behind."""
    return pv.Mask({"conv1": np.isin(np.arange(6), kept)}, "channel")


def right(network):
    """Count right validation images."""
    return pv.scorecard(network, validation).correct


triples = [list(three) for three in combinations(range(6), 3)]
left = [right(pv.apply(model, keeping(three), images[:1])) for three in triples]
lost = [lost_share(three) for three in triples]

choices = {
    "L1 of the filters": sorted(map(int, np.argsort(at_maker)[3:])),
    "L1 of what reads them": sorted(map(int, np.argsort(at_reader)[3:])),
    "LASSO": sorted(lasso_order[3:]),
    "least lost, of all 20": triples[int(np.argmin(lost))],
    "most right, of all 20": triples[int(np.argmax(left))],
}
print("three channels kept by    which        lost of the output    right of 5,000")
for name, three in choices.items():
    place = triples.index(three)
    print(f"{name:24} {three!s:12} {lost[place]:17.0%} {left[place]:17,}")

# %%
figure = Figure(figsize=(7, 3.4), layout="constrained")
ax = figure.subplots()
ax.scatter(lost, left, s=28, facecolor=style.PAPER, edgecolor=style.QUIET, label="the 20 choices", zorder=3)
marks = zip(list(choices.items())[:3], style.SERIES[1:], strict=False)
for (name, three), (colour, mark, _) in marks:
    place = triples.index(three)
    ax.scatter(lost[place], left[place], s=70, marker=mark, color=colour, label=name, zorder=4)
ax.set(xlabel="share of conv2's output that is lost", ylabel="right of 5,000")
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
ax.grid(color=style.GRID)
ax.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
pv.teaching.show(
    figure,
    alt="Twenty dots: for each choice of three channels, the share of conv2's output that is lost, and how many digits "
    "are still right. The choice that loses least leaves most digits right; among the others the two hardly go "
    "together.",
)

# %% [markdown]
# **Explain.** Of all 20 choices the LASSO's loses least of `conv2`'s output, and it happens to leave most digits right
# too. The weights that read channel 1 are the largest of all. But its map is nearly dark, and large weights times
# next to nothing is next to nothing: look at its part in the table above. A norm has seen no image and cannot know.
#
# The dots also show the limit. What is made small is the change of *one layer's output*. Nobody asked about digits.
# Among choices that lose half of the output, some leave twice as many digits right as others.

# %% [markdown]
# ### Refit
#
# Choosing is half of the method. The other half: the layer that reads what is left is *fitted anew*, by least squares,
# so that it comes as near as it can to what it gave before. That takes images, but no labels and no training.
#
# First the cheap way, one factor for each channel that stays. Then every weight that is left, which is what the paper
# does and `pv.reconstruct` with it.

# %%
three = choices["LASSO"]
stay = parts[:, three]
best, *_ = np.linalg.lstsq(stay, whole, rcond=None)
print("kept channels:", three)
print("factors:      ", *(f"{value:.2f}" for value in best))
print(f"lost as it is:            {lost_share(three):5.1%}")
print(f"lost with these factors:  {np.square(whole - stay @ best).sum() / np.square(whole).sum():5.1%}")


# %% tags=["pytorch"]
def output_of(network):
    """What conv2 gives for the 200 images."""
    with torch.no_grad():
        return network[:4](tensor(shown)).double().numpy()


# %% tags=["tensorflow"]
def output_of(network):
    """What conv2 gives for the 200 images."""
    probe = keras.Model(network.inputs[0], network.get_layer("conv2").output)
    return probe(shown / np.float32(255)).numpy().astype(np.float64)


# %%
masked = pv.apply(model, keeping(three), images[:1])
refitted = pv.reconstruct(model, keeping(three), seen)
square = np.square(whole).sum()
for name, network in (("masked", masked), ("refitted", refitted)):
    gone = np.square(output_of(network) - output_of(model)).sum() / square
    print(f"{name:9} {gone:6.1%} of the output lost, {right(network):,} of {dense.n:,} right")

# %% [markdown]
# **Explain.** A factor for each channel helps little: the three that are left mean other things than the three
# that went. But `conv2` has 25 weights for each channel and filter, and most of what is missing it can put together
# from the rest. Not one label was used, and no gradient.

# %% [markdown]
# ## A fair comparison
#
# So is LASSO the better rule? Take care. "LASSO and refitting" against "magnitude" changes two things at once. He and
# others knew that, and refitted for every rule that they compared. Do the same: half of the channels of *every*
# layer, chosen by three rules, each masked, and each refitted.
#
# **Predict.** Which will matter more, the choosing or the refitting?

# %% tags=["slow"]
print("half of the channels of every layer cut: right of 5,000 validation images\n")
print("chosen by         masked   refitted")
halves = {}
for criterion in ("magnitude", "reconstruction", "random"):
    options = {"granularity": "channel", "criterion": criterion, "scope": "layer"}
    halves[criterion] = mask = pv.prune(model, 0.5, data=(seen, mnist.train[1][:2_000]), **options)
    print(f"{criterion:15} {right(pv.apply(model, mask)):8,} {right(pv.reconstruct(model, mask, seen)):10,}")

# %% [markdown]
# One network and one share prove nothing. So `benchmarks/channels.py` did it for three networks, trained from three
# seeds, at three shares, and went on: what was left was trained for one epoch. Its results come with the course.

# %%
stored = pv.teaching.results("channels")


def show_ways(result, ways):
    """Print medians, and the range over the networks."""
    n = len(result["dense"])
    print(f"{'':40}" + "".join(f"{share:>24.0%}" for share in stored["shares"]))
    for way in ways:
        for criterion, rows in result[way].items():
            cells = []
            for column in zip(*rows, strict=True):
                low, middle, high = min(column), sorted(column)[n // 2], max(column)
                cells.append(f"{middle:,} ({low:,} to {high:,})" if n > 1 else f"{middle:,}")
            print(f"{way:24} {criterion:15}" + "".join(f"{cell:>24}" for cell in cells))
        print()
    print("nothing cut:", ", ".join(f"{count:,}" for count in result["dense"]))


print("LeNet-5, share of the channels of every layer: right of 5,000, median (worst to best of three)\n")
show_ways(stored["lenet_5"], ("masked", "refitted", "masked, then an epoch", "refitted, then an epoch"))

# %% [markdown]
# **Explain.** Read it block by block.
#
# - *Masked.* The LASSO is ahead of L1 at every share, in every network. At 30% the lottery is far behind both; at
#   70% little is left to compare. If this were all, choosing would be everything.
# - *Refitted.* Channels drawn by lot and refitted beat the LASSO's best choice without refitting, at half of the
#   channels and more by far. Up to half, the three rules now lie close together. At 70% a difference is left: the
#   LASSO's worst network is above the best of L1, and L1 is no better than the lottery.
# - *Then an epoch.* An epoch on all training images, with their labels, mends a masked network about as far as least
#   squares did with 2,000 images and no label. Both together do best, if not by much. And at 70% the difference
#   remains: the LASSO's worst network is above the best of the other two rules, and those two are level.
#
# So the rule matters, most of all where the cut is deep. But most of what is called the success of the method is its
# second step, which works for any rule. The lottery is in the table to show that.

# %% [markdown]
# ### A deeper network
#
# The method was made for deep networks. So here is ResNet-20 on CIFAR-10, from the same stored file; this lesson does
# not load it, lesson 04a does. It has BatchNorm, so there is a treatment between the two: masked and *recalibrated*, which
# means that the statistics are estimated anew.
#
# **Predict.** Will the LASSO keep its lead? And will refitting do as much where some twenty layers stand in a row?

# %%
looked_at = stored["images_for_lasso_and_least_squares"]["resnet_20"]
print(f"ResNet-20: right of 5,000 photographs; nothing trained, {looked_at} training images looked at\n")
show_ways(stored["resnet_20"], ("masked", "recalibrated", "refitted"))

# %% [markdown]
# **Explain.** There are ten kinds of things, so guessing gets 500 right, and masking alone brings both rules down towards
# that: in a deep network each layer's damage is the next one's input. New statistics mend some of it, and more for the
# LASSO's choice at every share. Refitting goes from layer to layer, each time with what really arrives there, and mends
# far more. With it the two rules are level: one is ahead at 30%, the other at 50 and 70, by fewer than a hundred images
# each time, and one network cannot settle that. As in LeNet-5, most of the success is the refitting's.
#
# And look at half of the channels: four in ten answers are wrong after the best that can be done without training. A
# deep network cut so deep has to be trained on, whatever chose the channels.

# %% [markdown]
# ## Touch the chain
#
# **Predict.** Two rules, half of the channels of each layer. How many of the 226 channels will they judge differently?
#
# **Touch.** The chain of layers, from image to answer. Point at a channel, and everything that goes with it lights
# up. Change the rule, and watch which channels come and go.

# %% tags=["slow"]
few = images[:1_000], labels[:1_000]
view = pv.explore(
    model,
    few,
    granularity="channel",
    criterion="reconstruction",
    scope="layer",
    scored_on=(seen, mnist.train[1][:2_000]),
    show=["slider", "selectors", "chain", "scores", "scorecard"],
    predict=False,
    followed=["conv2", 3],
    title="LeNet-5 · channels",
)
view

# %% tags=["slow"]
# The same from code. The view follows.
view.sparsity = 0.5
kept = {}
for criterion in ("magnitude", "reconstruction"):
    view.criterion = criterion
    await view.measured()
    kept[criterion] = view.result()
    print(f"{criterion:15} {view.card.correct:5,} of {view.card.n:,} right")

other = sum(int((kept["magnitude"][name] != kept["reconstruction"][name]).sum()) for name in view.result())
print("judged differently:", other, "of", view.result().total)
print("same mask as before:", kept["reconstruction"] == halves["reconstruction"])
for name, places in view.coupled("conv2", 3)["inputs"].items():
    print(f"with filter 3 of conv2 go {len(places)} inputs of {name}")
print(view.sentence())

# %% [markdown]
# **Explain.** The rules agree on seven channels in ten, and yet one choice leaves 200 more of 1,000 digits right. And a
# filter of `conv2` has a wide slice behind it: each of the 25 places of its map is an input of `fc1`.

# %% [markdown]
# ## Ask the training
#
# Every rule so far looks at a network that was trained without a thought of pruning. *Network slimming* (Liu and
# others, 2017) begins earlier. BatchNorm ends with a scale γ for each channel,
#
# $$z_c = \gamma_c \, \hat x_c + \beta_c$$
#
# and slimming puts a price on the scales while it trains:
#
# $$\text{loss} + \lambda \sum_c |\gamma_c|$$
#
# It is the LASSO's price once more, with the same effect: a scale that does not earn it ends at zero. Afterwards the
# channels with the smallest scales are cut, criterion `"bn_scale"`. When *A Beginner's Guide to Neural Network
# Pruning* lists "trained importance coefficients" among the scores, this is the kind of thing it means. Scales come
# for free with BatchNorm. Others train a mask, open or shut, for each weight or unit (Louizos and others, 2018).
#
# The authors begin with random weights, and train for long. To save time, start from the trained `lenet_5_bn`, and
# train on with a high learning rate: two short epochs with the price, and two without, as a control.
#
# **Predict.** How will the 22 scales of the two networks differ? And how will the two take a cut of 20%?

# %% tags=["pytorch"]
x, y = tensor(mnist.train[0][:25_000]), torch.tensor(mnist.train[1][:25_000])


def train(price, epochs=2, rate=0.1):
    """Train lenet_5_bn on, with a price on the scales of BatchNorm."""
    torch.manual_seed(0)
    network = pv.zoo.lenet_5_bn(FRAMEWORK).train()
    scales = [network.bn1.weight, network.bn2.weight]
    batches = [rows for _ in range(epochs) for rows in torch.randperm(len(x)).split(256)]
    optimizer = torch.optim.SGD(network.parameters(), lr=rate, momentum=0.9)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, total_iters=len(batches))
    for rows in batches:
        loss = F.cross_entropy(network(x[rows]), y[rows])
        loss = loss + price * sum(scale.abs().sum() for scale in scales)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        falling.step()
    return network.eval()


# %% tags=["tensorflow"]
x, y = tf.constant(mnist.train[0][:25_000]), tf.constant(mnist.train[1][:25_000])


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(x, rows), tf.float32) / 255, tf.gather(y, rows)


batches = tf.data.Dataset.range(len(y)).shuffle(len(y), seed=0).batch(256).map(pick)


def train(price, epochs=2, rate=0.1):
    """Train lenet_5_bn on, with a price on the scales of BatchNorm."""
    keras.utils.set_random_seed(0)

    def priced(layer):
        config = layer.get_config()
        if isinstance(layer, keras.layers.BatchNormalization):
            config["gamma_regularizer"] = keras.regularizers.L1(price)
        return type(layer).from_config(config)

    trained = pv.zoo.lenet_5_bn(FRAMEWORK)
    network = keras.models.clone_model(trained, clone_function=priced)
    network.set_weights(trained.get_weights())
    falling = keras.optimizers.schedules.PolynomialDecay(rate, epochs * len(batches), 0.0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(keras.optimizers.SGD(falling, momentum=0.9), loss=loss)
    network.fit(batches, epochs=epochs, shuffle=False, verbose=0)
    return network


# %% tags=["trains", "slow"]
plain = train(price=0.0)

# %% tags=["trains", "slow"]
slim = train(price=0.05)


# %% tags=["pytorch", "slow"]
def scales_of(network):
    """The scales of both BatchNorms, by size."""
    return [np.abs(norm.weight.detach().numpy()) for norm in (network.bn1, network.bn2)]


# %% tags=["tensorflow", "slow"]
def scales_of(network):
    """The scales of both BatchNorms, by size."""
    return [np.abs(network.get_layer(name).gamma.numpy()) for name in ("bn1", "bn2")]


# %% tags=["trains", "slow"]
figure = Figure(figsize=(8, 2.8), layout="constrained")
for ax, (title, network) in zip(
    figure.subplots(1, 2, sharex=True, sharey=True),
    {"no price": plain, "price 0.05": slim}.items(),
    strict=True,
):
    bins = np.linspace(0, 1.25, 26)
    ax.hist(
        [scale.clip(0, 1.24) for scale in scales_of(network)],
        bins=bins,
        stacked=True,
        color=[style.GRID, style.SERIES[2][0]],
        edgecolor=style.INK,
        linewidth=0.6,
    )
    ax.set(title=title, xlabel="scale |γ|")
figure.axes[0].set_ylabel("channels")
figure.axes[0].legend(["bn1, 6 channels", "bn2, 16 channels"], loc="upper left", frameon=False)
pv.teaching.show(
    figure,
    alt="Two histograms of the 22 scales. Without a price they stand close together near one. With a price they are "
    "spread out, most of them small, and some are at zero.",
)

for title, network in (("no price", plain), ("price 0.05", slim)):
    every = np.concatenate(scales_of(network))
    print(
        f"{title:11} {pv.scorecard(network, validation).accuracy:.1%} right; any scale below 0.02: {(every < 0.02).any()}"
    )

# %% [markdown]
# The price did more than make scales small: it spread them. Without it all are nearly equal, and a ranking by them is
# close to a lottery. With it some are zero. That cost a little accuracy, before any cut.

# %% tags=["trains", "slow"]
shares = (0, 0.1, 0.2, 0.3, 0.4, 0.5)
figure = Figure(figsize=(6, 3), layout="constrained")
ax = figure.subplots()
for (title, network), (colour, mark, line) in zip(
    {"no price": plain, "price 0.05": slim}.items(), style.SERIES, strict=False
):
    options = {"granularity": "filter", "criterion": "bn_scale", "keep_at_least": 1}
    cards = pv.sweep(network, validation, shares, progress=False, **options)
    counts = [card.correct for card in cards]
    ax.plot(shares, counts, color=colour, marker=mark, linestyle=line, label=title)
    print(
        f"{title:11} at 20% loses more than one in four of its right answers: {counts[2] < 0.75 * counts[0]}"
    )
ax.set(xlabel="share of the filters cut, smallest scales first", ylabel="right of 5,000", ylim=(0, 5_200))
ax.xaxis.set_major_formatter(style.PERCENT_TICKS)
ax.yaxis.set_major_formatter(style.GROUPED_TICKS)
ax.grid(color=style.GRID)
ax.legend(loc="lower left", frameon=False)
pv.teaching.show(
    figure,
    alt="Right answers against the share of filters cut, smallest scales first, nothing trained afterwards. The network "
    "that was trained with a price still has more than three in four of them at twenty per cent; the other has lost "
    "many by then.",
)

# %% [markdown]
# **Explain.** The price asks every channel the same question at every step: are you worth it? Those that are not, go
# to zero while the others take over what they did. When the cut comes, it finds little to destroy. Three warnings:
#
# - *Small is not zero.* Cut on, and the cut runs through channels that work. Look at the histogram first: only those
#   at zero are free.
# - *One training is one training.* How far the upper line holds is another matter on the other track of this lesson,
#   and the lower one can rise again: a ranking of nearly equal scales is a lottery, and some lots win.
# - *Small compared with what?* Here is the trick of lesson 01a again. Divide all of `bn1`'s scales and shifts by ten,
#   multiply the weights of `conv2` by ten, and the network computes what it did.

# %% tags=["pytorch", "slow"]
twin = pv.zoo.lenet_5_bn(FRAMEWORK)
before = pv.scorecard(twin, validation)
with torch.no_grad():
    twin.bn1.weight /= 10
    twin.bn1.bias /= 10
    twin.conv2.weight *= 10

# %% tags=["tensorflow", "slow"]
twin = pv.zoo.lenet_5_bn(FRAMEWORK)
before = pv.scorecard(twin, validation)
norm, reader = twin.get_layer("bn1"), twin.get_layer("conv2")
for array, factor in ((norm.gamma, 0.1), (norm.beta, 0.1), (reader.kernel, 10)):
    array.assign(factor * array)

# %% tags=["slow"]
one, two = scales_of(twin)
print("answers changed:", pv.scorecard(twin, validation).versus(before).changed)
print(f"bn1's largest scale {one.max():.2f}, bn2's smallest {two.min():.2f}")
print("all of bn1 below all of bn2:", one.max() < two.min())

# %% [markdown]
# Now every channel of `conv1` seems less important than any of `conv2`, in a network that gives the same answers. So
# compare scales within a layer. (`scope="global"` divides by the layer's mean first, for this reason.)

# %% [markdown]
# ## Ask the image
#
# A pruned channel is gone for every image. But a map that says nothing about a 1 may be the one that tells an 8 from a
# 3. So do not prune it: *skip* it, for this image.
#
# > **Put right.** *Optimizing Deep Learning Models with Pruning* says that feature map pruning removes feature maps
# > from the network, and cites Liang and others, *Dynamic Runtime Feature Map Pruning*. That paper removes none. It
# > looks at each map while the network runs, and skips it if it is empty, or nearly so, for the image at hand.
#
# The network is the largest of the course's, `mnist_cnn`. Its `conv2` makes 64 maps.
#
# **Predict.** For how many of the 64 is there nothing at all, zero everywhere, when the network looks at a digit?

# %% tags=["pytorch"]
cnn = pv.zoo.mnist_cnn(FRAMEWORK)
digits = images[:1_000], labels[:1_000]
print(pv.network(cnn))
with torch.no_grad():
    maps = cnn[:5](tensor(digits[0])).numpy()  # conv1, ReLU, pooling, conv2, ReLU
largest = maps.max(axis=(2, 3))

# %% tags=["tensorflow"]
cnn = pv.zoo.mnist_cnn(FRAMEWORK)
digits = images[:1_000], labels[:1_000]
print(pv.network(cnn))
probe = keras.Model(cnn.inputs[0], cnn.get_layer("relu2").output)
maps = probe(digits[0] / np.float32(255)).numpy()
largest = maps.max(axis=(1, 2))

# %%
empty = (largest == 0).sum(axis=1)
print(f"maps that are zero everywhere: {empty.mean():.1f} of 64 on average, {empty.min()} to {empty.max()}")
del maps

# %% [markdown]
# Hardly any. If they were all that can be skipped, this would be a short chapter.
#
# A *gate* stands behind each convolution, and looks at the largest activation of each map. If that is at most a
# threshold, the map is set to zero, and the layer that reads it need not multiply by it. With threshold 0 it skips
# the empty maps, and no answer can change.

# %%
cnn_dense = pv.scorecard(cnn, digits, name="dense")
free = pv.gate(cnn, digits, threshold=0)
print(free)
print("the same answers:", np.array_equal(free.predictions, cnn_dense.predictions))

# %% [markdown]
# Now raise the threshold until 30% of all multiplications are saved. The threshold is chosen on training images.

# %%
threshold = pv.gate_threshold(cnn, seen[:200], 0.7)
gated = pv.gate(cnn, digits, threshold)
print(f"threshold {threshold:.2f}")
print(gated)
print(
    f"dense: {cnn_dense.correct:,} right; {np.sum(gated.predictions != cnn_dense.predictions)} answers changed"
)

# %% [markdown]
# Which maps are skipped for which digit? Three images of each digit, and the maps of `conv2`, those that are skipped
# most often on the left.

# %%
off = gated.skipped["conv2"]
rows = np.concatenate([np.flatnonzero(digits[1] == digit)[:3] for digit in range(10)])
columns = np.argsort(-off.mean(axis=0), kind="stable")

figure = Figure(figsize=(8, 4.2), layout="constrained")
ax = figure.subplots()
colours = np.array([to_rgb(style.KEPT), to_rgb(style.PRUNED)])
ax.imshow(colours[off[rows][:, columns].astype(int)], aspect="auto", interpolation="none")
ax.set(xlabel="maps of conv2, the most often skipped first", ylabel="digit", xticks=[])
ax.set_yticks(np.arange(1, 30, 3), range(10))
for line in np.arange(2.5, 29, 3):
    ax.axhline(line, color=style.PAPER, linewidth=2)
style.legend_above(ax, [style.pruned_patch("skipped", hatched=False), style.kept_patch("computed with")])
pv.teaching.show(
    figure,
    alt="Thirty rows, three images of each digit; 64 columns, the maps of conv2. Some maps are skipped for nearly "
    "all images, some for almost none, and many for some images only; the images of a 1 skip most.",
)

# %%
by_digit = np.array([off[digits[1] == digit].mean(axis=0) for digit in range(10)])
number = int(np.argmax(by_digit.max(axis=0) - by_digit.min(axis=0)))
most, least = int(by_digit[:, number].argmax()), int(by_digit[:, number].argmin())
widest = f"{by_digit[most, number]:.0%} of the {most}s, {by_digit[least, number]:.0%} of the {least}s"
print(f"map {number}: skipped for {widest}")
means = [off[digits[1] == digit].sum(axis=1).mean() for digit in range(10)]
print(f"{'digit':26}" + "".join(f"{digit:6}" for digit in range(10)))
print(f"{'maps skipped, on average':26}" + "".join(f"{mean:6.1f}" for mean in means))
print(f"skipped for every image: {np.sum(off.all(axis=0))}, for none: {np.sum(~off.any(axis=0))} of 64")

# %% [markdown]
# **Explain.** An image of a 1 does without half of the maps, an image of a 0 or an 8 needs most of them. Two maps are
# skipped always, and none never. So "this map is unimportant" is half a sentence: it lacks the image.
#
# ### Beside pruning for good
#
# Static pruning with the same number of multiplications: whole filters of `mnist_cnn` go, smallest L1 first, until no
# more is left than the gates left on average. A removed filter saves more than a skipped map: it is not computed at
# all.
#
# **Predict.** Which leaves more digits right, without any training?


# %%
def macs_with(first, second):
    """Count the MACs of mnist_cnn with so many filters in conv1 and in conv2."""
    return 784 * 9 * first + 196 * 9 * first * second + 49 * second * 1024 + 1024 * 10


print("counted as the scorecard does:", macs_with(32, 64) == cnn_dense.macs == gated.dense_macs)
ranking = pv.rank(pv.importance(cnn, granularity="filter", example=images[:1]), keep_at_least=1)
for number in range(97):
    mask = ranking.mask(number / 96)
    if macs_with(*(kept.sum() for kept in mask.values())) <= gated.macs.mean():
        break
static = pv.scorecard(pv.remove(cnn, mask, images[:8]), digits)
print(f"pruned: {mask.pruned} of {mask.total} filters")
print(f"\n{'':26} MACs left   right of {len(digits[1]):,}")
print(f"{'dense':26} {1:9.0%} {cnn_dense.correct:10,}")
print(f"{'maps skipped for an image':26} {1 - gated.saved:9.0%} {gated.correct:10,}")
print(f"{'filters pruned for all':26} {static.macs / cnn_dense.macs:9.0%} {static.correct:10,}")

# %% [markdown]
# The stored study has more shares, all 5,000 images, and a second way to gate: by the mean of a map instead of its
# largest value. Thresholds were chosen on training images.

# %%
titles = {
    "max": "skipped by largest value",
    "mean": "skipped by mean",
    "magnitude": "filters pruned by L1",
}
stored_gates = stored["gates"]
nothing = stored_gates["max"][0]  # threshold 0
print(f"right of {stored['images']:,} validation images; dense {stored_gates['dense']:,}")
print(f"threshold 0 saves {1 - nothing[1]:.1%} of the MACs: {nothing[2]:,}\n")
print(f"{'MACs left, at most':26}" + "".join(f"{share:>8.0%}" for share in stored_gates["shares"]))
for way, title in titles.items():
    counts = [row[-1] for row in stored_gates[way]][-len(stored_gates["shares"]) :]
    print(f"{title:26}" + "".join(f"{count:8,}" for count in counts))

# %% [markdown]
# **Explain.** Did you expect the gate to win, because it may choose anew for each image? On these digits neither way
# is ahead throughout: level while little is saved, then L1, then the gate. One reason is in plain sight. The gate
# pays for every map before it looks, so it has to skip more of them for the same saving. And it judges a map by its
# size alone, as L1 judges a filter: small is not unimportant. By the mean it is worse: one bright place in a dark
# map is often what the map is there for.
#
# What a gate gives for nothing is the first line, threshold 0: no answer changes. And the maps that are skipped for
# every image belong to filters that can go for good.
#
# And does the skipping save *time*? Not here. `pv.gate` computes every map and every zero, as any dense kernel does,
# and counts what a kernel would save that can skip. The paper is after another cost anyway: loading maps from
# memory. A removed filter saves time on any machine (lesson 03). That is worth more than a percentage.

# %% [markdown]
# ## The report
#
# You chose by validation images, and by training images for thresholds. Now the test images, once.

# %% tags=["slow"]
chosen = pv.reconstruct(model, halves["reconstruction"], seen)
few = test[0][:2_000], test[1][:2_000]
networks = {"LeNet-5, dense": model, "LeNet-5, half of the channels, LASSO and refitted": chosen}
for name, network in networks.items():
    card = pv.scorecard(network, test)
    low, high = card.interval
    print(f"{name:50} {card.correct:6,} of {card.n:,}, 95% interval {100 * low:.1f}% to {100 * high:.1f}%")
gated = pv.gate(cnn, few, threshold)
print(f"{'MNIST CNN, dense':50} {pv.scorecard(cnn, few).correct:6,} of {len(few[1]):,}")
print(
    f"{'MNIST CNN, maps skipped':50} {gated.correct:6,} of {len(few[1]):,}, {gated.saved:.1%} of the MACs saved"
)

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots, run the cell, then the check below it. The solution is folded away.
#
# ### Exercise 1 · What a cut takes from the sum
#
# `parts` holds one column for each channel; their sum is the layer's output. `kept` is a list of channels. Return the
# share of the output that is lost if only these stay: the square of what is missing, by the square of the whole.

# %%
from pruneviz.lessons.checks import lesson_04b as check


# %% tags=["exercise"]
def lost(parts, kept):
    """Return the lost share of the output: 0 with all channels, 1 with none."""
    # solution:
    whole = parts.sum(axis=1)
    missing = whole - parts[:, kept].sum(axis=1)
    return np.square(missing).sum() / np.square(whole).sum()
    # end of solution


# %% tags=["check"]
check.lost_share(lost)

# %% [markdown]
# ### Exercise 2 · The price
#
# Write slimming's price for an array of scales: its value λ Σ|γ|, and its slope by each scale. The slope is what
# training feels. Of a scale that is exactly 0, take 0.


# %% tags=["exercise"]
def penalty(scales, price):
    """Return the value, and an array of slopes."""
    # solution:
    return price * np.abs(scales).sum(), price * np.sign(scales)
    # end of solution


# %% tags=["check"]
check.penalty(penalty)

# %% [markdown]
# ### Exercise 3 · The gate
#
# Decide for each image and each map: is the largest activation, by size, at most the threshold? `maps` has the layout
# of your framework.


# %% tags=["pytorch", "exercise"]
def skips(maps, threshold):
    """Return True where a map is skipped: (images, maps). Input: (images, maps, rows, columns)."""
    # solution:
    return np.abs(maps).max(axis=(2, 3)) <= threshold
    # end of solution


# %% tags=["pytorch", "check"]
check.skips(skips, track="pytorch")


# %% tags=["tensorflow", "exercise"]
def skips(maps, threshold):
    """Return True where a map is skipped: (images, maps). Input: (images, rows, columns, maps)."""
    # solution:
    return np.abs(maps).max(axis=(1, 2)) <= threshold
    # end of solution


# %% tags=["tensorflow", "check"]
check.skips(skips, track="tensorflow")

# %% [markdown]
# ### Exercise 4 · What is left to compute
#
# LeNet-5 skips two of `conv1`'s six maps and four of `conv2`'s sixteen for an image. How many MACs are left in
# `conv1`, in `conv2`, and in the three dense layers together? `conv1` makes maps of 28 × 28 from kernels of 5 × 5,
# `conv2` maps of 10 × 10; after pooling each of these is 25 inputs of `fc1`. The dense layers have 120, 84 and 10
# outputs.

# %% tags=["exercise"]
# solution: left_over = ...
left_over = {
    "conv1": 6 * 25 * 28 * 28,  # all of it: a map has to be there to be looked at
    "conv2": 16 * 4 * 25 * 10 * 10,
    "dense": 12 * 25 * 120 + 120 * 84 + 84 * 10,
}
# end of solution

# %% tags=["check"]
check.macs_left(left_over)

# %% [markdown]
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# LASSO and least squares, as used here, make something small. What?
# - [x] The change of the next layer's output.
#   why: The next layer is asked what it can do without, and is then fitted to give what it gave before. No label is
#   looked at.
# - [ ] The number of errors.
#   why: That is the goal, but the method never sees a label. A small change of one layer's output usually means few
#   new errors; the 20 dots show how far that holds.
# - [ ] The norm of the filters that are cut.
#   why: That is magnitude. A small filter may be one that the next layer relies on.

# %% [markdown] tags=["quiz"]
# A table compares "LASSO, refitted" with "magnitude, masked", and LASSO wins by far. What has been shown?
# - [ ] LASSO chooses better channels.
#   why: Two things differ. Perhaps the refitting did it all.
# - [x] That the pair of choosing and refitting is better; not which of the two it was.
#   why: Give magnitude the same refitting, and compare again. In this lesson that changed the picture.
# - [ ] Nothing: one network is never enough.
#   why: More networks are better, but they would not separate the two steps either.

# %% [markdown] tags=["quiz"]
# All scales of a BatchNorm are a hundredth; another BatchNorm of the network has scales near 1. Should the first one's
# channels go?
# - [ ] Yes, they are a hundred times less important.
#   why: The layer behind them may have weights a hundred times as large, or a BatchNorm that divides by their
#   spread. Then nothing is small in the end.
# - [x] That cannot be said. Compare scales within a layer.
#   why: What one layer makes small the next can make large again. Within a layer all channels meet the same reader.
# - [ ] No: BatchNorm's scales say nothing at all.
#   why: Trained with a price on them, the small ones of a layer are those that earn little. Without a price they say
#   less.

# %% [markdown] tags=["quiz"]
# A gate skips 30% of the multiplications, by the count. How much faster is this network on your machine, as it is?
# - [ ] 30%.
#   why: Dense kernels multiply zeros like other numbers. The count says what a kernel that skips maps would save.
# - [ ] A little less than 30%, because of overhead.
#   why: For removed filters that would be the right kind of answer. A skipped map is still there, as zeros.
# - [x] Not at all; it is a little slower.
#   why: All maps are computed and all zeros multiplied, and looking at the maps comes on top. It takes a kernel or a
#   chip that can skip whole maps.

# %% [markdown]
# ## The question people really ask
#
# *"I trained with the penalty and pruned half of the channels by their scales. The accuracy fell to almost nothing.
# I plotted the scales, and they are not sparse at all. Is that normal?"* ([Eric-mingjie/rethinking-network-pruning,
# thread 17](https://github.com/Eric-mingjie/rethinking-network-pruning/issues/17))
#
# It is common. A penalty makes scales small; only a price that is high enough, for long enough, makes some of them
# zero.
#
# - Plot the scales first, as you did here. If there is no gap between small and large ones, a cut at half goes
#   through channels that work.
# - Raise the price, train longer, or cut less. Keep an eye on the accuracy before the cut: the price is paid there.
# - Compare within layers, estimate BatchNorm's statistics anew, and train on after the cut. The authors did the last
#   as well.

# %% [markdown]
# ## Recap
#
# - The next layer's output is a sum of parts, one for each channel. LASSO finds which parts can make up for the
#   others; least squares refit the layer that reads them. Neither needs a label.
# - A method is often two steps. Give every rule the same second step, and try several networks, before you call one
#   rule better.
# - A price on BatchNorm's scales makes training itself choose. Small is not zero, and small compared with another
#   layer says nothing.
# - A gate skips maps for each image. It saves only what readers would have computed, and time only where a kernel
#   can skip.

# %% [markdown]
# ## Further reading
#
# - Y. He, X. Zhang and J. Sun. Channel Pruning for Accelerating Very Deep Neural Networks. *IEEE International
#   Conference on Computer Vision*, 2017. [arXiv:1707.06168](https://arxiv.org/abs/1707.06168). LASSO, then least
#   squares.
# - R. Tibshirani. Regression Shrinkage and Selection via the Lasso. *Journal of the Royal Statistical Society,
#   Series B*, 58(1), 1996.
# - Z. Liu, J. Li, Z. Shen, G. Huang, S. Yan and C. Zhang. Learning Efficient Convolutional Networks through Network
#   Slimming. *IEEE International Conference on Computer Vision*, 2017.
#   [arXiv:1708.06519](https://arxiv.org/abs/1708.06519).
# - C. Louizos, M. Welling and D. P. Kingma. Learning Sparse Neural Networks through L0 Regularization.
#   *International Conference on Learning Representations*, 2018.
#   [arXiv:1712.01312](https://arxiv.org/abs/1712.01312). Masks that are learned.
# - T. Liang, L. Wang, S. Shi and J. Glossner. Dynamic Runtime Feature Map Pruning.
#   [arXiv:1812.09922](https://arxiv.org/abs/1812.09922), 2018.
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International
#   Conference on Learning Representations*, 2019. [arXiv:1810.05270](https://arxiv.org/abs/1810.05270). What
#   fine-tuning makes of the choice.
# - The articles that this lesson puts right: Jan Marcel Kezmann, *Optimizing Deep Learning Models with Pruning: A
#   Practical Guide*; *A Beginner's Guide to Neural Network Pruning*, Analytics India Magazine.
