# %% [markdown]
# # 05 · Iterative pruning
#
# So far you cut once, and mended afterwards. Now the cut gets a timetable. Prune a little, train a little, and
# again: how fast should the weights go, and when? You will draw a guess, train it, and see it beaten or not. Then
# you run the same with your framework's own tool, and find out when patience does not pay.

# %% [markdown]
# ## What you will learn
#
# - To read and to write a schedule: how sparse at which step. And to see why two formulas with the same letters
#   draw opposite curves.
# - To compare pruning at once, little by little, and in rounds, at equal training; and to say when iterating loses.
# - To iterate with your framework's own tool and with pruneviz: keep the zeros, choose where a round starts, and
#   when to stop.
# - To say what a winning ticket shows, and what pruning does to the time that training takes.
#
# **Before you start.** You have done lessons 01a and 01b: mask, magnitude, scope, fine-tuning, zeros that come
# back. The others help, but are not needed.
#
# **Time.** 55 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for TensorFlow is [on the other
# track](../tensorflow/05_iterative_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track. The same lesson for PyTorch is [on the other
# track](../pytorch/05_iterative_pruning.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

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
from torch.nn import functional as F

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test

model = pv.zoo.lenet_300_100(FRAMEWORK)
dense = pv.scorecard(model, validation, name="dense")
print(pv.network(model))
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% tags=["tensorflow"]
import keras
import numpy as np
import tensorflow as tf

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test

model = pv.zoo.lenet_300_100(FRAMEWORK)
dense = pv.scorecard(model, validation, name="dense")
print(pv.network(model))
print(f"{dense.parameters:,} parameters, {dense.correct:,} of {dense.n:,} validation images right")

# %% [markdown]
# LeNet-300-100 once more: small enough to be trained again and again while you watch.
#
# > **Card: epoch, batch, step.** A *batch* is the handful of images that the network sees at once. A *step* is one
# > batch and the one change of the weights that follows. An *epoch* is as many steps as it takes to see every
# > training image once.

# %%
BATCH = 512
STEPS = -(-len(mnist.train[1]) // BATCH)  # rounded up: the last batch is a small one
print(f"{len(mnist.train[1]):,} images in batches of {BATCH}: {STEPS} steps make an epoch")
print(f"six epochs: {6 * STEPS} steps; four epochs: {4 * STEPS}")

# %% [markdown]
# Everything in this lesson is trained in one way: Adam, batches of 512, and a learning rate that falls to zero once,
# along a cosine.

# %% tags=["pytorch"]
x = torch.tensor(mnist.train[0].transpose(0, 3, 1, 2).copy())
y = torch.tensor(mnist.train[1])


def train(student, epochs, rate=8e-3, seed=0):
    """Train a network in place; the seed decides the order of the images."""
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(student.parameters(), rate, fused=True)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * STEPS)
    student.train()
    for _ in range(epochs):
        for batch in torch.randperm(len(x), generator=order).split(BATCH):
            loss = F.cross_entropy(student(x[batch] / 255), y[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            falling.step()
    return student.eval()


def copied(network):
    """Copy a network."""
    return copy.deepcopy(network)


def pruned(network, schedule, epochs=6, rate=8e-3, seed=0):
    """Copy a network, and train it while its weights leave on schedule; give it and its mask."""
    student = copied(network)
    with pv.prune_while_training(student, schedule) as pruning:
        train(student, epochs, rate, seed)
    return student, pruning.mask


# %% tags=["tensorflow"]
x, y = map(tf.constant, mnist.train)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def pick(rows):
    """Take a batch: pixels in [0, 1], and labels."""
    return tf.cast(tf.gather(x, rows), tf.float32) / 255, tf.gather(y, rows)


def pictures(seed):
    """Give all training images in batches, in an order that the seed decides."""
    return tf.data.Dataset.range(len(y)).shuffle(len(y), seed=seed).batch(BATCH).map(pick)


def train(student, epochs, rate=8e-3, seed=0, callbacks=None):
    """Train a network in place; the seed decides the order of the images."""
    keras.utils.set_random_seed(seed % 2**32)
    falling = keras.optimizers.schedules.CosineDecay(rate, epochs * STEPS)
    student.compile(keras.optimizers.Adam(falling), loss)
    student.fit(pictures(seed), epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)
    return student


def copied(network):
    """Copy a network."""
    twin = keras.models.clone_model(network)
    twin.set_weights(network.get_weights())
    return twin


def pruned(network, schedule, epochs=6, rate=8e-3, seed=0):
    """Copy a network, and train it while its weights leave on schedule; give it and its mask."""
    student = copied(network)
    with pv.prune_while_training(student, schedule) as pruning:
        train(student, epochs, rate, seed, [pruning.callback])
    return student, pruning.mask


# %%
def an_epoch(thin, _mask, _seed):
    """Train a pruned network for one epoch: a round of what follows."""
    train(thin, 1)


# %% [markdown]
# ## At once, or little by little?
#
# Of every hundred weights, 98 are to go. You have six epochs of training to spend, and you may spend them in two
# ways. *At once*: cut in the first step, and mend for six epochs. *Little by little*: cut nine times an epoch during
# four epochs, and mend for the last two.
#
# Nothing else differs: the same network, the same images in the same order, the same falling learning rate. A plan
# that says how sparse the network is to be at which step is called a **schedule**.
#
# **Predict.** Draw your own. How sparse should the network be at the start, after each of the four epochs of the
# ramp? The last number is 0.98, and no number may be below the one before.

# %%
my_ramp = [0.0, 0.25, 0.5, 0.75, 0.98]  # change it: at the start, and after epochs 1, 2, 3 and 4

# %%
TARGET = 0.98
RAMP = {"begin": 0, "end": 4 * STEPS, "frequency": STEPS // 9}

plans = {
    "at once": pv.schedules.one_shot(TARGET),
    "yours": pv.schedules.custom(lambda progress: np.interp(4 * progress, range(5), my_ramp), **RAMP),
    "slow, then fast": pv.schedules.custom(lambda progress: TARGET * progress**3, **RAMP),
    "fast, then slow": pv.schedules.polynomial(0, TARGET, power=3, **RAMP),
}
title = "Four ways to lose 98% of the weights"
ax = pv.plot_schedule(plans, steps=6 * STEPS, title=title)
ax.set_xticks(range(0, 6 * STEPS + 1, STEPS))  # a tick an epoch
pv.teaching.show(ax)

# %% [markdown]
# The two curves that are not yours mirror each other. One prunes little at first and most at the end; the other
# does it the other way round.

# %%
total = sum(layer.weight.size for layer in pv.network(model).layers)
print(f"of {total:,} weights, so many leave")
print("                 cuts   in the first   in the last")
for name, plan in plans.items():
    cuts = [step for step in range(1, 6 * STEPS + 1) if plan.prunes_at(step)]
    gone = np.diff([0, *(round(total * plan(step)) for step in cuts)])
    print(f"{name:16} {len(cuts):4} {gone[0]:14,} {gone[-1]:13,}")

# %% [markdown]
# **Predict.** Which of the four will have the most digits right after six epochs? Put your order into the next
# cell.

# %%
my_order = ["slow, then fast", "yours", "fast, then slow", "at once"]  # best first: change it

# %% [markdown]
# **Measure.** Four networks, six epochs each.

# %% tags=["trains", "slow"]
students = {name: pruned(model, plan)[0] for name, plan in plans.items()}
correct = {name: pv.scorecard(student, validation).correct for name, student in students.items()}

measured = sorted(correct, key=correct.get, reverse=True)
places = sum(mine == real for mine, real in zip(my_order, measured, strict=True))
print(f"measured: {', '.join(measured)}")
print(f"you had {places} of 4 in the right place")

# %% [markdown]
# **Explain.** Same ends, same epochs, same learning rate; and the curve that takes most weights early wins, while its
# mirror image comes last, behind the single cut. A trained network has weights to spare, and it hardly notices when
# the first of them go. What is left at the end is what it works with. *Fast, then slow* takes the many while they are
# cheap. The expensive ones go in small cuts, with training after each. *Slow, then fast* spends its training on a
# network that lacks nothing, and makes its largest cuts last: no weight is to spare then, and the learning rate has
# fallen too far to learn much anew.
#
# That is the idea of Zhu and Gupta (2017), and the default of TensorFlow's tool.
#
# One network, one order of images: is it more than luck? The stored study repeats it with three networks, trained
# from different seeds, at four sparsities. It has a fifth way, *in rounds*: six times prune and train an epoch, and
# each round begins the learning rate anew.

# %%
stored = pv.teaching.results("iterative")
NAMES = {
    "one_shot": "at once",
    "linear": "a straight line",
    "cubic": "fast, then slow",
    "article": "slow, then fast",
    "rounds": "in rounds",
}
table = stored["correct"][FRAMEWORK]["lenet_300_100"]
shares = sorted(table["cubic"])
print(f"LeNet-300-100: right of {stored['images']:,} test images, worst to best of three networks")
print(f"{'pruned':17}" + "".join(f"{float(share):>16.0%}" for share in shares))
for way, name in NAMES.items():
    cells = (f"{min(table[way][share]):,} to {max(table[way][share]):,}" for share in shares)
    print(f"{name:17}" + "".join(f"{cell:>16}" for cell in cells))

# %%
lines = {
    name: {float(share): np.array(table[way][share]) / stored["images"] for share in shares}
    for way, name in NAMES.items()
    if way != "linear"
}
ax = pv.plot_tradeoff(lines, title="LeNet-300-100, six epochs of training in each way")
pv.teaching.show(ax)

# %% [markdown]
# - **The deeper the cut, the more depends on when.** At 80% all five ways lie within a point; at 98% one of them works.
# - **It is no accident.** From 95% on, the worst of three networks pruned *fast, then slow* beats the best of any other
#   way.
# - **"In rounds" is iterative too, and it does not win.** Remember its row; we come back to it.

# %% [markdown]
# ## Two formulas, one letter apart
#
# Here is the schedule of Zhu and Gupta. $S_0$ and $S_e$ are the first and the last sparsity, $t_0$ and $t_e$ the
# first and the last step, and $\alpha$ is 3:
#
# $$S = S_e + (S_0 - S_e)\left(1 - \frac{t - t_0}{t_e - t_0}\right)^{\alpha}$$
#
# In words: take the part of the way that is still to go, raise it to the third power, and that much of the
# distance is still missing. *Pruning model with Tensorflow API* prints another one, and says that the tool uses it:
#
# $$S = (S_e - S_0)\left(\frac{t - t_0}{t_e - t_0}\right)^{\alpha}$$
#
# In words: take the part of the way that is *done*, raise it to the third power, and that much of the distance is
# covered. It looks alike.
#
# **Predict.** Where does the second one begin, and where does it end, if $S_0$ is 0.5 and $S_e$ is 0.8?


# %%
def printed(step, initial, final, begin, end, power=3):
    """Compute the formula that the article prints."""
    progress = min(max((step - begin) / (end - begin), 0), 1)
    return (final - initial) * progress**power


def two_formulas(initial, final, begin, end):
    """Show both formulas side by side."""
    right = pv.schedules.polynomial(initial, final, begin, end)
    print(f"from {initial:g} to {final:g}, steps {begin:,} to {end:,}")
    print("part of the way      0     1/4     1/2     3/4       1")
    steps = np.linspace(begin, end, 5)
    for name, formula in (("Zhu and Gupta", right), ("as printed", printed)):
        ends = () if formula is right else (initial, final, begin, end)
        print(f"{name:14}" + "".join(f"{formula(step, *ends):8.3f}" for step in steps))


two_formulas(0.0, 0.75, 1000, 5000)
print()
two_formulas(0.5, 0.8, 2000, 4000)

# %% [markdown] tags=["pytorch"]
# The printed formula runs from 0 to $S_e - S_0$. If $S_0$ is 0, its ends are right and its bend is wrong: it is the
# curve that did worst above. With any other $S_0$ the ends are wrong too: here it starts below where it should, and
# stops at 0.3 instead of 0.8.
#
# What does the tool do? The tool is tfmot, TensorFlow's, so it is tried on the other track; `pv.schedules.polynomial`
# equals it at every step, which this package's tests check.

# %% [markdown] tags=["tensorflow"]
# The printed formula runs from 0 to $S_e - S_0$. If $S_0$ is 0, its ends are right and its bend is wrong: it is the
# curve that did worst above. With any other $S_0$ the ends are wrong too: here it starts below where it should, and
# stops at 0.3 instead of 0.8.
#
# What does the tool do? Ask it.

# %% tags=["tensorflow"]
import tensorflow_model_optimization as tfmot
import tf_keras

tf.get_logger().setLevel("ERROR")  # it warns when many models are trained in turn, as here
sparse = tfmot.sparsity.keras

theirs = sparse.PolynomialDecay(0.5, 0.8, begin_step=2000, end_step=4000)
ours = pv.schedules.polynomial(0.5, 0.8, begin=2000, end=4000, frequency=100)
for step in (1999, 2000, 2050, 2500, 3000, 4000, 4100):
    prunes, sparsity = theirs(step)
    print(f"step {step:,}: tfmot prunes {bool(prunes)!s:5} at {sparsity:.3f}", end="")
    print(f"   the formula {ours(step):.3f}   as printed {printed(step, 0.5, 0.8, 2000, 4000):.3f}")

steps = range(1950, 4101, 25)
answers = [theirs(step) for step in steps]
same = [bool(prunes) for prunes, _ in answers] == [ours.prunes_at(step) for step in steps]
near = np.allclose([float(share) for _, share in answers], [ours(step) for step in steps])
print(f"pruneviz prunes at the same steps: {same}, and as much: {near}")

# %% [markdown] tags=["tensorflow"]
# tfmot computes the formula of Zhu and Gupta. And it does not prune at each step, as the article says, but at every
# hundredth: that is its argument `frequency`.

# %% [markdown]
# ### Steps that never come
#
# A formula can be right and its steps wrong. Two articles choose steps for tfmot. Put them beside the length of
# their training.

# %%
articles = {  # initial, final, begin, end, training images, batch, epochs
    "Pruning model with Tensorflow API": (0.0, 0.75, 1000, 5000, 8_000, 1024, 200),
    "Optimizing Deep Learning Models": (0.5, 0.8, 2000, 4000, 60_000, 32, 20),
}
for name, (initial, final, begin, end, images, batch, epochs) in articles.items():
    a_epoch = -(-images // batch)
    ramp = pv.schedules.polynomial(initial, final, begin, end, frequency=100)
    last = min(a_epoch * epochs, end)
    print(f"{name}: {a_epoch:,} steps an epoch, {a_epoch * epochs:,} in all")
    first, stop = begin / a_epoch, end / a_epoch
    print(f"   the ramp takes steps {begin:,} to {end:,}: epochs {first:.1f} to {stop:.1f}")
    print(f"   the first cut takes {100 * ramp(begin):.1f}% of the weights", end="")
    print(f"; the training ends at {100 * ramp(last):.1f}%, promised were {100 * final:.0f}%")

# %% [markdown]
# - The first training is over long before its ramp is. It stops at 28.9%, and nothing warns. What the article
#   reports of 75%, a loss that is "still acceptable", was measured on a network that kept most of its weights.
# - The second cuts half of the weights in a single step, then goes gently for one epoch, and trains on for eighteen.
#   It is one shot with a tail.
#
# So count: steps an epoch, steps in all, then choose begin and end. Exercise 2 repairs the first.

# %% [markdown] tags=["pytorch"]
# ## PyTorch's own tool, round by round
#
# `torch.nn.utils.prune` has no schedule. You call it again, and it takes a share *of what is left* (lesson 01b).
# Three calls with 60% leave 40%, then 16%, then 6.4% of the weights. Between the calls you train.
#
# `pv.iterate` does the same, prune, train, measure, and again. It takes a schedule whose step is the round, and a
# function that trains. Run both, and compare what they keep.

# %% tags=["pytorch", "trains", "slow"]
from torch.nn.utils import prune


schedule = pv.schedules.exponential(0, 1 - 0.4**3, begin=0, end=3)
rounds = pv.iterate(model, schedule, an_epoch, validation)

pixels = torch.tensor(validation[0].transpose(0, 3, 1, 2) / np.float32(255))
student = copied(model)
weights = [(student.get_submodule(name), "weight") for name in ("fc1", "fc2", "fc3")]
for done in rounds:
    prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=0.6)
    train(student, 1)
    kept = {name: layer.weight_mask.numpy() == 1 for name, (layer, _) in zip(done.mask, weights, strict=True)}
    same = all(np.array_equal(kept[name], done.mask[name]) for name in kept)
    with torch.no_grad():
        right = np.mean(student(pixels).argmax(dim=1).numpy() == validation[1])
    left = 100 * done.mask.kept / total
    print(f"round {done.number}: {left:.1f}% left, the same mask: {same}; ", end="")
    print(f"right: the tool {100 * right:.1f}%, pv.iterate {100 * done.card.accuracy:.1f}%")

for layer, name in weights:
    prune.remove(layer, name)

# %% [markdown] tags=["pytorch"]
# The same masks in each round, though they were chosen by weights that had been trained in between. So the training
# agreed too. The tool keeps its zeros in another way, by multiplying with a mask in each forward pass; that hides a
# pruned weight instead of holding it, which comes to the same as long as the mask stays.

# %% [markdown] tags=["tensorflow"]
# ## TensorFlow's own tool, round by round
#
# This is tfmot as the articles use it: `prune_low_magnitude` wraps the network, `PolynomialDecay` is the schedule,
# the callback `UpdatePruningStep` keeps count, `strip_pruning` unwraps. Two epochs of ramp with a cut every 54 steps,
# and one epoch to mend.
#
# At each cut the cell notes the weights just before it and the mask just after it. `pv.prune`, given the same
# weights and the same share, should choose the same. Mind the scope: tfmot prunes each layer by itself.

# %% tags=["tensorflow", "trains", "slow"]
FINAL, LAST, EVERY = 0.96, 2 * STEPS, 2 * STEPS // 4


def train_tf_keras(network, epochs, callbacks):
    """Train as above, with tf_keras."""
    keras.utils.set_random_seed(0)
    falling = tf_keras.optimizers.schedules.CosineDecay(8e-3, epochs * STEPS)
    from_logits = tf_keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    network.compile(tf_keras.optimizers.Adam(falling), from_logits)
    network.fit(pictures(0), epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks)


decay = sparse.PolynomialDecay(0.0, FINAL, begin_step=0, end_step=LAST, frequency=EVERY)
wrapped = sparse.prune_low_magnitude(pv.zoo.lenet_300_100("tf_keras"), pruning_schedule=decay)
layers = {layer.layer.name: layer for layer in wrapped.layers if getattr(layer, "pruning_vars", None)}
masks = {name: np.ones(layer.layer.kernel.shape, bool) for name, layer in layers.items()}
kernels, cuts = {}, []


def before(*_, **__):
    """Note the weights, before each step."""
    kernels.update({name: layer.layer.kernel.numpy() for name, layer in layers.items()})


def after(*_, **__):
    """If the step changed a mask, note the masks, and the weights by which they were chosen."""
    now = {name: layer.pruning_vars[0][1].numpy() == 1 for name, layer in layers.items()}
    if any((now[name] != masks[name]).any() for name in layers):
        cuts.append((dict(kernels), dict(masks), now))
        masks.update(now)


notes = tf_keras.callbacks.LambdaCallback(on_train_batch_begin=before, on_train_batch_end=after)
train_tf_keras(wrapped, 3, [sparse.UpdatePruningStep(), notes])
stripped = sparse.strip_pruning(wrapped)

probe = pv.zoo.lenet_300_100("tf_keras")
for weights, old, new in cuts:
    for name, kernel in weights.items():
        probe.get_layer(name).kernel.assign(kernel)
    share = round(float(np.mean(~new["fc1"])), 3)
    ours = pv.prune(probe, share, scope="layer")
    same = all(np.array_equal(ours[name], new[name].T) for name in new)
    back = sum(np.sum(new[name] & ~old[name]) for name in new)
    print(f"{100 * share:6.1f}% pruned, the same mask as pv.prune: {same}; ", end="")
    print(f"some that were pruned are back: {back > 0}")

# %% [markdown] tags=["tensorflow"]
# The same mask at every cut. But nothing keeps a weight out for good: tfmot ranks all of them anew at each cut. It sets
# the pruned ones to zero before each step, and the step moves them, so that between two steps they are not zero. Users
# notice ([model-optimization, thread 684](https://github.com/tensorflow/model-optimization/issues/684)). Here one step
# moves them too little to be chosen again.
#
# Now the same on Keras 3, where tfmot cannot go: the schedule of pruneviz, and its callback. Here what is pruned
# stays pruned, whatever the step.

# %% tags=["tensorflow", "trains", "slow"]
ramp = pv.schedules.polynomial(0, FINAL, begin=0, end=LAST, frequency=EVERY)
student = copied(model)
with pv.prune_while_training(student, ramp, scope="layer") as pruning:
    train(student, 3, callbacks=[pruning.callback])

print(pruning.mask)
for name, network in (("tfmot, tf_keras", stripped), ("pruneviz, Keras 3", student)):
    card = pv.scorecard(network, validation)
    print(f"{name:18} {100 * card.sparsity:.1f}% zero, {100 * card.accuracy:.1f}% right")

# %% [markdown]
# ## Zeros that come back
#
# Lesson 01b asked which optimisers bring zeros back, and how to keep them. An iterative run depends on the answer: a
# round that loses zeros while it trains is pruned less than it says. The stored table counts them, on this
# network, ten steps after a cut of 90%.

# %%
table = pv.teaching.results("revival")
ideas = {
    "unmasked": "do nothing",
    "masked_new": "mask slopes, new",
    "masked_history": "mask slopes, old",
    "decay_alone": "decay alone",
    "keep_pruned": "keep_pruned",
}
print(f"of {table['pruned']:,} zeros, so many are back after {table['steps']} steps")
print(f"{'':14}" + "".join(f"{idea:>18}" for idea in ideas.values()))
for name, row in table["revived"][FRAMEWORK].items():
    print(f"{name:14}" + "".join(f"{row[idea]:18,}" for idea in ideas))

# %% [markdown]
# - **Do nothing.** The slope of a zero is not zero. The zeros that stay belong to pixels that are always black.
# - **Mask the slopes, with a new optimiser.** Nothing moves a weight that has neither slope nor history.
# - **Mask the slopes, with the old optimiser.** Momentum and Adam remember where the weight was going, and go on.
#   RMSprop remembers only how large slopes were.
# - **Decay alone.** No slopes, only weight decay. A share of zero is zero: it revives nothing. It keeps nothing
#   either, for with slopes the first column holds.
# - **keep_pruned.** Zero again after every step, whatever the optimiser does. That is how `pv.iterate` and
#   `pv.prune_while_training` do it: the only column of zeros that does not depend on the row.
#
# ## In rounds
#
# Cutting while you train needs a hand in the training loop. Often there is none: somebody gives you a function that
# trains, and you can call it again. Then you iterate in rounds, prune, train, measure, as Han and others did in 2015.
#
# **Predict.** You have four rounds of one epoch. Way one: cut 98% in the first round, then only train. Way two: a
# quarter of the cut in each round. Way three: the cubic curve over three rounds, and a fourth that only trains. Every
# round begins with a fresh optimiser and the full learning rate, for that is what calling a training function again
# means. Put the three in order.
#
# **Touch.** Drag the handles of the curve, and look at what leaves in each round. Then press Run. Change the kind of
# the schedule, and run again: the runs are drawn over each other.

# %% tags=["slow"]
view = pv.ScheduleExplorer(
    model,
    an_epoch,
    validation,
    rounds=4,
    final=0.98,
    kind="linear",
    title="LeNet-300-100 · schedule",
)
view

# %% tags=["slow"]
# Moved from code: what would be left after each round?
for kind, begin, end in (("one_shot", 1, 1), ("linear", 0, 4), ("polynomial", 0, 3)):
    view.kind = kind
    view.begin, view.end = begin, end
    print(f"{kind:11}", ", ".join(f"{row['left']:,}" for row in view.plan()))
print(view.sentence())

# %% tags=["trains", "slow"]
# The same from code. The view follows.
for kind, begin, end in (("one_shot", 1, 1), ("linear", 0, 4), ("polynomial", 0, 3)):
    view.kind, view.begin, view.end = kind, begin, end
    shares = ", ".join(f"{100 * done.mask.sparsity:.0f}%" for done in view.run())
    print(f"{kind:11} pruned after each round: {shares}")
in_the_end = {run["name"]: run["rounds"][-1]["correct"] for run in view.runs}
print("most right in the end:", max(in_the_end, key=in_the_end.get))

# %% [markdown]
# **Explain.** The cubic curve wins here too. The others are worth a second look: compare them in the view. Iterating as
# such is no virtue. A quarter in each round makes the last cut the deepest: from 74% to 98%, of thirteen weights that
# are left it takes twelve, and one epoch remains to mend that. After the single cut there were four.
#
# The stored table above says the same. *In rounds* has six of them, a sixth of the cut in each. At 98% it beats the
# single cut, which is hopeless there; at 95% it *loses* to it in every one of the three networks; and it never comes
# near *fast, then slow*. Two things are against it. The last cut comes too late. And each round drives the learning
# rate up again, so that the network is thrown about where it should settle: the single cut had one falling rate.
#
# So "iterative is better than one-shot" is no law. It depends on the budget, on the plan of the learning rate, and on
# when the last large cut comes. Print all three, whenever you compare.
#
# ### When to stop
#
# You need not know the last sparsity in advance. `pv.iterate` gives one round after the other, and stops at what you
# name: a file that is small enough, or an accuracy that falls too low. With `resume=` and a folder it keeps finished
# rounds on disk, and goes on there after a crash, bit for bit.

# %% tags=["trains", "slow"]
plan = pv.schedules.exponential(0, 1 - 0.6**12, begin=0, end=12)  # 40% of what is left, in each of 12 rounds
limits = {"compact_bytes": 100_000, "accuracy": 0.95}
for done in pv.iterate(model, plan, an_epoch, validation, stop=limits):
    print(f"round {done.number}: {100 * done.mask.sparsity:.1f}% pruned, ", end="")
    print(f"{100 * done.card.accuracy:.1f}% right, {done.card.compact_bytes / 1000:.0f} kB")
print(f"small enough: {done.card.compact_bytes <= limits['compact_bytes']}")
print(f"accurate enough: {done.card.accuracy >= limits['accuracy']}")

# %% [markdown]
# Which of several rounds is best is a choice, so look at validation images here, as the cell does. And set the limit
# of accuracy a little higher than you need: rounds differ by chance.
#
# ## Where does a round start?
#
# After the cut, each round trains. From which weights? Three answers are in use.
#
# - **Continue** with those that the round before has left. That is fine-tuning, and what you did so far.
# - **Rewind**: give the weights that are left the values they had earlier, before or early in training.
# - **Re-initialise**: give them new random values, and train the pruned architecture afresh.
#
# > **Put right.** *A Beginner's Guide to Neural Network Pruning* lists all three, but writes "rebinding the network to
# > an earlier state": it is *rewinding*. Ridwan Muheeb's *Evaluation of Gradient-Based Magnitude Pruning Technique*
# > does not train pruned networks on, and cites Liu and others (2019) for finding little benefit in it. They compared
# > fine-tuning with training the pruned architecture afresh, for as long, and found the second as good. Both are
# > training. Nobody found that a cut needs none. And what Muheeb calls iterative is a sweep: each sparsity is cut at
# > once.
#
# **Predict.** Three rounds of one epoch, down to 5% of the weights, in each way. Which is best, and by how much?


# %% tags=["pytorch"]
def fresh(seed):
    """Give the network new random weights."""
    torch.manual_seed(seed)
    return pv.zoo.lenet_300_100("torch", pretrained=False)


# %% tags=["tensorflow"]
def fresh(seed):
    """Give the network new random weights."""
    keras.utils.set_random_seed(seed % 2**32)
    return pv.zoo.lenet_300_100("keras", pretrained=False)


# %% tags=["trains", "slow"]
untrained = fresh(1)
grown = train(copied(untrained), 2)
plan = pv.schedules.exponential(0, 0.95, begin=0, end=3)
starts = {"continue": "continue", "rewind": untrained, "re-initialise": fresh}
print(f"unpruned: {100 * pv.scorecard(grown, validation).accuracy:.1f}% right")
tickets = {}
for name, start in starts.items():
    *_, tickets[name] = pv.iterate(grown, plan, an_epoch, validation, start=start)
    last = tickets[name]
    print(f"{name:14} {100 * last.mask.sparsity:.0f}% pruned, {100 * last.card.accuracy:.1f}% right")

# %% [markdown]
# **Explain.** Going on with trained weights is ahead, and no wonder: they have been trained in every round, the others in
# the last one only. Per epoch of training the rewound network is remarkable. It came close in a single epoch from
# weights that had seen no image, and far ahead of the same mask with other random weights. So the first weights and
# the mask belong together; the optional section below follows that up.
#
# One epoch is little, though. Give the third way as much training as the first, and the gap shrinks: that is the
# comparison of Liu and others, who pruned whole channels.
#
# ### Cutting before training
#
# *Pruning model with Tensorflow API* says that one can prune "from the beginning", *How to do pruning so you don't cry
# later* "from scratch": before any training, to save that too. The weights are random then, so their size says
# nothing, and one has to ask something else, such as how strongly the loss feels each of them on one batch (SNIP, Lee
# and others, 2019). It does better than chance. It does worse than pruning after training; and Frankle and others
# (2021) found that such methods hardly suffer when their masks are shuffled within each layer, or the weights drawn
# anew. What they find is how many weights each layer can spare, not which.
#
# ## Optional: the lottery ticket
#
# Take a trained network, prune it, and rewind what is left to the random values with which it began. Frankle and
# Carbin (2019) did that with LeNet-300-100, in rounds of 20%, and the thin network trained as well as the dense one.
# They call it a *winning ticket*: with luck, a small network was in the large one from the start.
#
# "It trains well" alone shows little. Two controls are needed. **The same mask with other random weights**: is it the
# values, or only the architecture? **A random mask with the same weights**: is it which weights are left, or would any
# do?
#
# The stored study, made with PyTorch, has the ticket and both controls: fifteen rounds of 20%, three epochs each.
#
# **Predict.** At 3.5% of the weights, how do the three compare?

# %%
lottery = pv.teaching.results("lottery")
arms = {"ticket": "winning ticket", "other_weights": "other weights", "random_mask": "random mask"}
seeds = list(lottery["correct"].values())
n, left = lottery["images"], lottery["left"]
lines = {
    name: {1 - share: np.array([seed[arm][k] for seed in seeds]) / n for k, share in enumerate(left)}
    for arm, name in arms.items()
}
unpruned = float(np.median([seed["ticket"][0] for seed in seeds])) / n
title = f"LeNet-300-100, rewound and trained again; {len(seeds)} seeds"
pv.teaching.show(pv.plot_tradeoff(lines, reference=unpruned, title=title))

# %%
print(f"right of {n:,} test images, worst to best of {len(seeds)} seeds")
print("weights left" + "".join(f"{name:>18}" for name in arms.values()))
for k in range(0, len(left), 3):
    counts = ([seed[arm][k] for seed in seeds] for arm in arms)
    print(f"{left[k]:12.1%}" + "".join(f"{f'{min(c):,} to {max(c):,}':>18}" for c in counts))

median = {arm: [np.median([seed[arm][k] for seed in seeds]) for k in range(len(left))] for arm in arms}
best = int(np.argmax(median["ticket"]))
last = max(k for k in range(len(left)) if median["ticket"][k] >= median["ticket"][0])
print("\n                                    here   Frankle and Carbin")
print(f"the best ticket has of its weights {left[best]:5.1%}                21.1%")
print(f"the last that equals the dense one {left[last]:5.1%}                 3.6%")

# %% [markdown]
# **Explain.** At first the ticket gets *better* than the dense network, and after fifteen rounds, with a twenty-eighth of
# the weights, it is about as good. Both controls fall from the start, the random mask fastest. So mask and values
# belong together. That is the shape of the paper's curves too. Our best ticket is a smaller one; we train for less
# time, and compare weights across layers, where the paper prunes each layer by itself.
#
# Two things are easily overlooked. You know the ticket only after fifteen trainings, so it saves none. And it is a fact
# about this small network: in large ones, Frankle and others (2020) had to rewind to weights from *early in training*,
# not to the first ones.
#
# A short part here and now: the rewound network of the last section, 5% of the weights, one epoch, one seed.

# %% tags=["trains", "slow"]
# A short part again, here and now: the mask of the rewound network above, and its two controls.
mask = tickets["rewind"].mask
draw = np.random.default_rng(0)
shuffled = {name: draw.permutation(kept.ravel()).reshape(kept.shape) for name, kept in mask.items()}
trials = {
    "winning ticket": (untrained, mask),
    "other weights": (fresh(2), mask),
    "random mask": (untrained, pv.Mask(shuffled)),
}
for name, (start, kept) in trials.items():
    thin = pv.apply(start, kept)
    with pv.keep_pruned(thin, kept):
        train(thin, 1)
    print(f"{name:15} {100 * pv.scorecard(thin, validation).accuracy:.1f}% right")

# %% [markdown]
# The same order. The mask with other weights is ahead of the random one: a good mask is worth something by itself, for
# it has found out, among other things, which pixels say nothing.
#
# ## Twelve times fewer
#
# Han and others (2015) iterated on LeNet-300-100 and LeNet-5 until one weight in twelve was left, and reported an error
# no higher than before. The stored study, made with PyTorch, does it with `pv.iterate`: five rounds, each followed by
# four epochs. Its control has the same twenty epochs and prunes nothing.

# %%
han = pv.teaching.results("han")
titles = {"before": "before", "pruned": f"{han['times']} times fewer", "control": "only trained on"}
print("errors on the test images in per cent, lowest to highest of three networks")
print(f"{'':16}" + "".join(f"{title:>18}" for title in titles.values()) + f"{'Han and others':>18}")
for name, counts in han["correct"].items():
    errors = {what: [100 - 100 * right / han["images"] for right in counts[what]] for what in titles}
    cells = [f"{min(found):.2f} to {max(found):.2f}" for found in errors.values()]
    cells.append("{before:.2f}, then {after:.2f}".format(**han["theirs"][name]))
    print(f"{name:16}" + "".join(f"{cell:>18}" for cell in cells))
lenet_5 = sum(layer.weight.size for layer in pv.network(pv.zoo.lenet_5(FRAMEWORK)).layers)
print(f"LeNet-5: {lenet_5:,} weights here; {431_000:,} there, of which a twelfth is {431_000 / 12:,.0f}")

# %% [markdown]
# **Explain.** Theirs lose nothing, ours lose a little: each of the six pruned networks has more errors than its control,
# by up to half a point. Training on alone changes next to nothing, so it is the cut. That does not put the paper in the
# wrong: it trains far longer, chooses a threshold for each layer, and its LeNet-5 is a larger one. What is left of
# theirs is more than half of what we begin with. A factor says little until you know what was divided.
#
# ## Is training faster?
#
# *Optimizing Deep Learning Models with Pruning* expects "faster training times, as fewer parameters need to be
# updated". **Predict**: by how much does an epoch get shorter when nine weights of ten are gone?

# %% tags=["pytorch"]
timed = pv.teaching.results("epoch_time")["seconds"]["torch"]
rows = {
    "dense": ("dense", "dense"),
    "90% pruned, kept by pruneviz": ("keep_pruned", "dense"),
    "90% pruned, kept by torch.nn.utils.prune": ("tool", "dense"),
    "pruned on a schedule, by pruneviz": ("gradual", "dense"),
    "half of its units removed": ("removed", "dense"),
}

# %% tags=["tensorflow"]
timed = pv.teaching.results("epoch_time")["seconds"]["tensorflow"]
rows = {
    "dense": ("dense", "dense"),
    "90% pruned, kept by pruneviz": ("keep_pruned", "dense"),
    "pruned on a schedule, by pruneviz": ("gradual", "dense"),
    "pruned on a schedule, by tfmot (tf_keras)": ("tool", "dense, tf_keras"),
    "half of its units removed": ("removed", "dense"),
}

# %%
print("processor time of training, as a share of the dense network's")
print(f"{'':43}" + "".join(f"{name:>15}" for name in timed))
for name, (what, reference) in rows.items():
    shares = (times[what] / times[reference] for times in timed.values())
    print(f"{name:43}" + "".join(f"{share:15.0%}" for share in shares))

# %% [markdown]
# **Explain.** It gets no shorter: what differs from the dense network by less than a tenth is noise of
# the clock. Zeros are multiplied like other numbers, and ranking all weights anew every ten steps costs something on
# top. What shortens an epoch is a network with less in it: the last row, where units were *removed*. Times are
# processor times of one machine and one network; run `benchmarks/epoch_time.py` on yours.
#
# ## The report
#
# You chose by validation images. Now the test images, once: the schedule that was best above.

# %% tags=["trains", "slow"]
before, after = (pv.scorecard(network, test) for network in (model, students["fast, then slow"]))
low, high = after.interval
print(f"dense:       {100 * before.accuracy:.1f}% of {before.n:,} test images")
print(f"{100 * after.sparsity:.0f}% pruned: {100 * after.accuracy:.1f}%, ", end="")
print(f"95% interval {100 * low:.1f}% to {100 * high:.1f}%")
print(f"{before.nonzero / after.nonzero:.0f} times fewer parameters that are not zero")

# %% [markdown]
# ## Exercises
#
# Write your answer in place of the dots, run the cell, then the check below it. The solution is folded away.
#
# ### Exercise 1 · The cubic schedule
#
# Write the schedule of Zhu and Gupta: the sparsity at a step. Before `begin` it is `initial`, after `end` it stays
# at `final`. The check compares it with tfmot's.

# %%
from pruneviz.lessons.checks import lesson_05 as check


# %% tags=["exercise"]
def sparsity(step, initial, final, begin, end):
    """Return how sparse the network is to be at a step."""
    # solution:
    progress = min(max((step - begin) / (end - begin), 0), 1)
    return final + (initial - final) * (1 - progress) ** 3
    # end of solution


# %% tags=["check"]
check.cubic_schedule(sparsity)

# %% [markdown]
# ### Exercise 2 · Repair the steps
#
# The first article trains on 8,000 samples in batches of 1,024, for 200 epochs, and wants 75%. It prunes at
# `begin_step`, and then at every hundredth step until `end_step`. Choose both so that 75% are reached, and at least a
# tenth of the training is left to mend.

# %% tags=["exercise"]
# solution: begin_step, end_step = ..., ...
begin_step, end_step = 200, 1200
# end of solution

# %% tags=["check"]
check.repaired_steps(begin_step, end_step)

# %% [markdown]
# ### Exercise 3 · A fair comparison
#
# Is little by little still better when 90% go and two epochs are all you have? `run(way, schedule, seed)` trains one
# network and returns its right answers; it also makes a note of the run. Run both ways with three seeds each, and put
# the counts into a dict: `{"one_shot": […], "gradual": […]}`; these are the names of the ways too. The check looks at
# the notes: equal epochs, equal sparsity, equal seeds, and no run left out.

# %%
runs = []


def run(way, schedule, seed, epochs=2):
    """Train a copy while its weights leave on schedule; note the run, and count right validation images."""
    student, mask = pruned(model, schedule, epochs, seed=seed)
    right = pv.scorecard(student, validation).correct
    cuts = sum(schedule.prunes_at(step) for step in range(1, epochs * STEPS + 1))
    note = {"way": way, "seed": seed, "epochs": epochs, "sparsity": mask.sparsity, "cuts": cuts}
    runs.append({**note, "correct": right})
    return right


# %% tags=["exercise"]
runs.clear()
# solution: results = ...
once = pv.schedules.one_shot(0.9)
often = pv.schedules.polynomial(0, 0.9, begin=0, end=STEPS, frequency=STEPS // 9)
results = {
    "one_shot": [run("one_shot", once, seed) for seed in range(3)],
    "gradual": [run("gradual", often, seed) for seed in range(3)],
}
# end of solution

# %% tags=["check"]
check.fair_comparison(results, runs=runs)

# %% [markdown]
# Look at your two lists. Do their ranges overlap? If they do, you have not shown which way is better, and that is a
# result too.
#
# ## Quiz
#
# Open the option that you would choose. It says whether it is right, and why.

# %% [markdown] tags=["quiz"]
# Each round prunes 20% of the weights that are left. After three rounds there remain
# - [ ] 40%.
#   why: That takes 20% of the *original* each time. The second round has only 80% to take from.
# - [x] 51.2%.
#   why: 0.8 · 0.8 · 0.8. Shares of what is left multiply; after fifteen rounds 3.5% remain.
# - [ ] 0.8%.
#   why: That would be keeping 20% in each round, 0.2 · 0.2 · 0.2.

# %% [markdown] tags=["quiz"]
# When does the cubic schedule of Zhu and Gupta take the most weights?
# - [x] Early, when there are most to spare.
#   why: And ever fewer later, so that the expensive cuts are small and have training after them.
# - [ ] Late, when the network has learned to do without.
#   why: That is the formula that one of the articles prints. It did worst but one here, or worst: look at the table.
# - [ ] Evenly, as many at each cut.
#   why: That is a straight line, power 1.

# %% [markdown] tags=["quiz"]
# A rewound network with 10% of its weights trains to the accuracy of the dense one. What has been shown?
# - [ ] That any network with 10% of the weights would do.
#   why: That needs a control: a random mask, trained alike. Where it was tried, it did worse.
# - [ ] That rewinding is better than going on with the trained weights.
#   why: Nothing was compared with that. Continuing is a third arm, and it has to be run.
# - [x] That this mask with these first weights can be trained well.
#   why: No more and no less. To learn whether mask or weights did it, train the mask with other weights.

# %% [markdown] tags=["quiz"]
# You iterate in ten rounds, and the last network is better than one that was cut at once and trained for an epoch. So
# - [ ] iterating is better than one shot.
#   why: It had ten epochs against one. Perhaps the ten epochs did it.
# - [x] nothing, until the one-shot network has had ten epochs too, with as good a learning rate.
#   why: Equal training, equal plan of rates, several seeds. In this lesson the plan of rates decided as much as the
#     schedule.
# - [ ] ten rounds are enough.
#   why: Enough for what? Without a control and a limit there is no enough.

# %% [markdown] tags=["pytorch"]
# ## The question people really ask
#
# *Pruning costs accuracy, so I have to fine-tune. Is it better to train while pruning, or to train after it?*
# ([VainF/Torch-Pruning, thread 213](https://github.com/VainF/Torch-Pruning/issues/213))
#
# It depends on how much goes, and on how much training you can afford.
#
# - For a cut that hurts little, cut once, and train on.
# - For a deep cut, take most weights early and the last ones slowly, and leave a third of the training for the end.
# - Whatever you choose: one falling learning rate over the whole, and a control with the same epochs.

# %% [markdown] tags=["tensorflow"]
# ## The question people really ask
#
# *My network is pruned with small batches, and not at all with large ones. Why?* ([tensorflow/model-optimization,
# thread 973](https://github.com/tensorflow/model-optimization/issues/973))
#
# Because the schedule counts steps, and a larger batch makes fewer steps an epoch. tfmot prunes at `begin_step` and
# then at every hundredth step. A training that is shorter ends before its first cut, without a word.
#
# - Work out the steps: images divided by batch size, rounded up, times epochs.
# - Let the ramp end well before the last step, and `end_step − begin_step` be a multiple of `frequency`.
# - Count the zeros afterwards. It takes one line.

# %% [markdown]
# ## Recap
#
# - A schedule says how sparse at which step. Zhu and Gupta's takes most weights early. The formula that one article
#   prints takes them late, and ends at $S_e - S_0$. Count your steps: a ramp that is longer than the training stops
#   where the training stops.
# - At equal training, *fast, then slow* beat the single cut where much was cut, and made little difference where
#   little was. At 95% every other way, little by little or in rounds, lost to the single cut. The last large cut,
#   and the learning rate after it, decide.
# - Calling the framework's tool again and again gives the masks of `pv.iterate`. Zeros hold only if something holds
#   them. A round may continue, rewind or re-initialise; limits on size and accuracy say when to stop.
# - A winning ticket shows that a mask with its first weights can be trained, and needs two controls to show more.
#   Zeros do not make training faster; removed units do.

# %% [markdown]
# ## Further reading
#
# - M. Zhu and S. Gupta. To prune, or not to prune: exploring the efficacy of pruning for model compression.
#   [arXiv:1710.01878](https://arxiv.org/abs/1710.01878), 2017. The cubic schedule.
# - S. Han, J. Pool, J. Tran and W. J. Dally. Learning both Weights and Connections for Efficient Neural Networks.
#   *Advances in Neural Information Processing Systems* 28, 2015. Prune, train, repeat.
# - J. Frankle and M. Carbin. The Lottery Ticket Hypothesis: Finding Sparse, Trainable Neural Networks. *International
#   Conference on Learning Representations*, 2019. [arXiv:1803.03635](https://arxiv.org/abs/1803.03635).
# - A. Renda, J. Frankle and M. Carbin. Comparing Rewinding and Fine-tuning in Neural Network Pruning. *International
#   Conference on Learning Representations*, 2020. [arXiv:2003.02389](https://arxiv.org/abs/2003.02389). What to start a
#   round from; rewinding the learning rate alone does as well.
# - Z. Liu, M. Sun, T. Zhou, G. Huang and T. Darrell. Rethinking the Value of Network Pruning. *International Conference
#   on Learning Representations*, 2019. [arXiv:1810.05270](https://arxiv.org/abs/1810.05270). Fine-tuning against
#   training afresh.
# - N. Lee, T. Ajanthan and P. H. S. Torr. SNIP: Single-shot Network Pruning based on Connection Sensitivity.
#   *International Conference on Learning Representations*, 2019. [arXiv:1810.02340](https://arxiv.org/abs/1810.02340).
# - J. Frankle, G. K. Dziugaite, D. M. Roy and M. Carbin. Linear Mode Connectivity and the Lottery Ticket Hypothesis.
#   *International Conference on Machine Learning*, 2020. [arXiv:1912.05671](https://arxiv.org/abs/1912.05671).
# - J. Frankle, G. K. Dziugaite, D. M. Roy and M. Carbin. Pruning Neural Networks at Initialization: Why Are We Missing
#   the Mark? *International Conference on Learning Representations*, 2021.
#   [arXiv:2009.08576](https://arxiv.org/abs/2009.08576).

# %% [markdown] tags=["pytorch"]
# - PyTorch. *Pruning Tutorial*,
#   [docs.pytorch.org](https://docs.pytorch.org/tutorials/intermediate/pruning_tutorial.html).
# - The articles that this lesson puts right: Tram Ho, *Pruning model with Tensorflow API*, Viblo; Jan Marcel Kezmann,
#   *Optimizing Deep Learning Models with Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*,
#   Analytics India Magazine; Ridwan Muheeb, *Evaluation of Gradient-Based Magnitude Pruning Technique*.

# %% [markdown] tags=["tensorflow"]
# - TensorFlow Model Optimization. *Pruning comprehensive guide*,
#   [tensorflow.org](https://www.tensorflow.org/model_optimization/guide/pruning/comprehensive_guide).
# - The articles that this lesson puts right: Tram Ho, *Pruning model with Tensorflow API*, Viblo; Jan Marcel Kezmann,
#   *Optimizing Deep Learning Models with Pruning: A Practical Guide*; *A Beginner's Guide to Neural Network Pruning*,
#   Analytics India Magazine; Ridwan Muheeb, *Evaluation of Gradient-Based Magnitude Pruning Technique*.
