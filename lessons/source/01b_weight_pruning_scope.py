# %% [markdown]
# # 01b · Weight pruning: scope
#
# In 01a all weights of a network competed with each other. They need not: each layer can have a threshold of its own.
# The number of zeros is the same, and they stand elsewhere. **Which weights may be compared, and what makes two of them
# comparable at all?**

# %% tags=["pytorch", "fold"]
import pruneviz as pv

pv.teaching.start("pytorch")
FRAMEWORK = "torch"

import copy

import numpy as np
import torch

from pruneviz.lessons.checks import lesson_01b as check

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
model = pv.zoo.lenet_300_100(FRAMEWORK)
layers = ["fc1", "fc2", "fc3"]

# %% tags=["tensorflow", "fold"]
import pruneviz as pv

pv.teaching.start("tensorflow")
FRAMEWORK = "keras"

import keras
import numpy as np

from pruneviz.lessons.checks import lesson_01b as check

mnist = pv.datasets.mnist()
validation, test = mnist.validation, mnist.test
model = pv.zoo.lenet_300_100(FRAMEWORK)
layers = ["fc1", "fc2", "fc3"]

# %% [markdown]
# **Touch.** 80% of the weights are cut. Look at `fc1`, `fc2` and `fc3` in turn, then set the scope from *global* to
# *layer*: how many weights does each keep?

# %%
parts = ["slider", "mask", "histogram"]
view = pv.explore(model, validation, sparsity=0.8, show=parts, title="LeNet-300-100 · scope")
view

# %% tags=["drive"]
for scope in ("layer", "global"):
    view.scope = scope
    print(scope, *(f"{name} {1 - kept.mean():.1%}" for name, kept in view.result().items()))

# %% [markdown]
# ## What you will learn
#
# ![The map of the course; lit are weight, magnitude, size × input, the network, its layer, its output, at once.](../map/01b.svg)
#
# - To choose between one threshold for the network and one for each layer, with your framework's own tools.
# - To find the layer that hurts most.
# - To show that size depends on a scale that means nothing.
# - To weigh a weight by what it is multiplied by, in a few lines, and to see what that buys.
#
# **Before you start.** You have done lesson 01a: threshold, mask, magnitude, lost and won.
#
# **Time.** 40 minutes, and 25 for the exercises.

# %% [markdown] tags=["pytorch"]
# This is the PyTorch track. The same lesson for Keras is [on the other
# track](../tensorflow/01b_weight_pruning_scope.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown] tags=["tensorflow"]
# This is the TensorFlow track, written with Keras 3. The same lesson for PyTorch is [on the other
# track](../pytorch/01b_weight_pruning_scope.ipynb); the [first lesson](../00_start_here.ipynb) explains the words.

# %% [markdown]
# ## One threshold, or one for each layer
#
# With **global** scope all weights share one threshold. With **layer** scope the same share of every layer goes, each by
# a threshold of its own. Other texts call it *local*.

# %% [markdown] tags=["pytorch"]
# PyTorch has a tool for each: `torch.nn.utils.prune.global_unstructured` and `l1_unstructured`. They work on the model
# that you give them, so give them copies. They attach a mask to the layer, and compute the weight from it.

# %% tags=["pytorch"]
from torch.nn.utils import prune

one_for_all = copy.deepcopy(model)
weights = [(one_for_all.get_submodule(name), "weight") for name in layers]
prune.global_unstructured(weights, pruning_method=prune.L1Unstructured, amount=0.8)

one_for_each = copy.deepcopy(model)
for name in layers:
    prune.l1_unstructured(one_for_each.get_submodule(name), "weight", amount=0.8)

rows = []
for name in layers:
    pair = (m.get_submodule(name).weight for m in (one_for_all, one_for_each))
    rows.append([name, *(f"{(weight == 0).float().mean():.1%}" for weight in pair)])
pv.teaching.table(["zeros", "global", "layer"], rows)

# %% [markdown] tags=["tensorflow"]
# Keras 3 has no pruning tool. The TensorFlow Model Optimization toolkit, tfmot, works on the older `tf_keras` models,
# prunes while it trains, and gives every layer a threshold of its own: it has no global scope. Lesson 01c uses it. Here
# you need only NumPy.

# %% tags=["tensorflow"]
sizes = {name: np.abs(model.get_layer(name).get_weights()[0]) for name in layers}
for_all = np.quantile(np.concatenate([size.ravel() for size in sizes.values()]), 0.8)
rows = [
    [name, f"{(size < for_all).mean():.1%}", f"{(size < np.quantile(size, 0.8)).mean():.1%}"]
    for name, size in sizes.items()
]
pv.teaching.table(["zeros", "global", "layer"], rows)

# %% [markdown]
# In pruneviz it is a word: `pv.prune(model, 0.8, scope="layer")`.
#
# **Predict.** At 80%, global scope leaves 4,484 of the 5,000 digits right. How many does layer scope leave?

# %% tags=["answer"]
guess = ...  # how many of the 5,000 digits stay right?
dense = pv.scorecard(model, validation, name="dense")
levels = (0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def measured(mask, network=model):
    """Give the scorecard of a masked copy, on the validation images."""
    return pv.scorecard(pv.apply(network, mask), validation)


def curve(mask_at):
    """Measure the masks that a function of the sparsity gives."""
    return [measured(mask_at(share)) for share in levels]


lines = {
    "global": curve(lambda share: pv.prune(model, share, scope="global")),
    "layer": curve(lambda share: pv.prune(model, share, scope="layer")),
}
title = "One threshold for all, and one for each layer"
pv.teaching.show(pv.plot_tradeoff(lines, reference=dense, title=title))
for scope, cards in lines.items():
    right = {share: card.correct for share, card in zip(levels, cards, strict=True)}
    print(f"{scope:6} {right[0.8]:,} right at 80%, {right[0.9]:,} at 90%")
pv.teaching.compare(guess, right[0.8], "digits right by layer scope")

# %% [markdown]
# **Touch.** Here is the whole view. Keep a state, change the scope, and choose the kept one under "compare with": the
# two masks have as many zeros, and lose other digits.

# %% tags=["answer"]
scopes = pv.explore(
    model, validation, sparsity=0.8, predict=False, title="LeNet-300-100 · scope, measured"
)
await scopes.measured()
scopes

# %% tags=["drive"]
scopes.sparsity, scopes.scope = 0.8, "global"
scopes.keep()
scopes.scope = "layer"
await scopes.measured()
scopes.compare = len(scopes.kept) - 1
await scopes.measured()
print("from global to layer:", *(f"{scopes.comparison[what]} {what}" for what in ("lost", "won")))

# %% [markdown]
# On this network the global threshold is better at 70 and 80%. At 85 and 95% *layer* is ahead and at 90% *global*, and none
# of these is worth having. Neither scope always wins; below you will meet a score for which the difference is far larger, and an attack under which
# *layer* is the one that stands.

# %% [markdown]
# ### Exercise 1 · Who pays?
#
# `sizes` maps layers to arrays of any shape. One threshold for all cuts `sparsity` of all numbers. Return the share that
# each layer loses, as a dict.


# %% tags=["exercise"]
def shares_lost(sizes, sparsity):
    """Return layer -> share of its numbers that one threshold for all layers cuts."""
    # solution:
    everything = np.sort(np.concatenate([np.ravel(array) for array in sizes.values()]))
    threshold = everything[round(sparsity * everything.size)]
    return {name: np.mean(array < threshold) for name, array in sizes.items()}
    # end of solution


# %% tags=["check"]
check.shares_under_one_threshold(shares_lost)

# %% [markdown]
# ## Which layer hurts most?
#
# Prune one layer and leave the others whole. That is a **sensitivity** curve. Instead of a word, `scope` takes a share
# for each layer.
#
# **Predict.** `fc3` has 1,000 of the 266,200 weights. Cut 90% of it, and nothing else. How many of the 4,928 right
# answers are lost?

# %% tags=["answer"]
guess = ...  # how many of the 4,928 right answers are lost?
own = [0, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95]
curves = {
    name: [
        pv.scorecard(pv.apply(model, pv.prune(model, scope={name: share})), validation)
        for share in own
    ]
    for name in layers
}
pv.teaching.show(pv.plot_sensitivity(curves, own))

network = pv.network(model)
lost = {name: cards[own.index(0.9)].versus(dense).lost for name, cards in curves.items()}
weights = {name: network[name].weight.size for name in layers}
rows = [[name, n, n * 9 // 10, lost[name]] for name, n in weights.items()]
pv.teaching.table(["90% of", "weights", "weights gone", "digits lost"], rows)
pv.teaching.compare(guess, lost["fc3"], f"of {dense.correct:,} digits lost")

# %% [markdown]
# Nine hundred weights cost more than twice what 211,680 cost in `fc1`. Why, these curves do not say: `fc3` has the fewest
# weights, and it is also the last layer. What they do say is where to be careful. `exclude` leaves a layer alone.

# %%
rows = []
for name in ("nothing", *layers):
    exclude = [] if name == "nothing" else [name]
    masks = [pv.prune(model, 0.8, scope=scope, exclude=exclude) for scope in ("global", "layer")]
    rows.append([name, masks[0].pruned, *(measured(mask).correct for mask in masks)])
pv.teaching.table(["left alone", "weights pruned", "right, global", "right, layer"], rows)

# %% [markdown]
# The last row has eight hundred zeros fewer than the first, and hundreds of digits more, under either scope. Many recipes leave the
# output layer alone.
#
# In a convolutional network the small layers are at the front. LeNet-5 looks at the image through six little filters
# before anything else happens.

# %%
lenet_5 = pv.zoo.lenet_5(FRAMEWORK)
whole = pv.scorecard(lenet_5, validation)
mask = pv.prune(lenet_5, scope={"conv1": 0.7})
cut = pv.scorecard(pv.apply(lenet_5, mask), validation)
print(f"{mask.pruned} of {mask.total:,} weights pruned, all in conv1")
print(cut.versus(whole))

# %% [markdown]
# A handful of weights in the wrong place, and the network is badly hurt. A sparsity without the *where* says little.

# %% [markdown]
# ## The same network, another mask
#
# The rule says: small means unimportant. Here is a test of it. Multiply all weights and biases of `fc1` by 10, and
# divide the weights of `fc2` by 10. Between the two stands a ReLU, which passes on positive numbers and stops negative
# ones; ten times the input gives ten times the output. So the two changes cancel: the network gives the same answers.
#
# **Predict.** Prune the rescaled network to 50%, by size, globally. The network as it was kept 4,928 digits right. And
# this one?

# %% tags=["pytorch"]
rescaled = copy.deepcopy(model)
with torch.no_grad():
    rescaled.fc1.weight *= 10
    rescaled.fc1.bias *= 10
    rescaled.fc2.weight /= 10

# %% tags=["tensorflow"]
rescaled = keras.models.clone_model(model)
rescaled.set_weights(model.get_weights())
weight, bias = rescaled.get_layer("fc1").get_weights()
rescaled.get_layer("fc1").set_weights([weight * 10, bias * 10])
weight, bias = rescaled.get_layer("fc2").get_weights()
rescaled.get_layer("fc2").set_weights([weight / 10, bias])

# %% tags=["answer"]
guess = ...  # how many of the 5,000 digits stay right?
print("before pruning,", pv.scorecard(rescaled, validation).versus(dense))
mask = pv.prune(rescaled, 0.5)
print(mask)
pv.teaching.compare(guess, measured(mask, rescaled).correct, "digits right")

# %% [markdown]
# **Explain.** The two networks compute the same, and the rule is the same. Only the scale of two layers differs, and one
# mask takes all of `fc2`. So a size says something only beside another of the same scale, and the scale of a layer is
# an accident: training found it, and could have found another.
#
# **What would have shown us wrong?** The same mask for both, as the two networks do the same work.

# %% [markdown]
# ### Exercise 2 · Empty another layer
#
# Choose `factors = (a, b)`: the weights and biases of `fc1` are multiplied by a, the weights of `fc2` by b. The network
# must compute what it did, and pruned to 50% globally by size it must keep *every* weight of `fc2` and `fc3`.

# %% tags=["exercise"]
# solution: factors = ...
factors = (1e-6, 1e6)
# end of solution

# %% tags=["check"]
check.empties_the_first(factors, sizes=pv.importance(model))

# %% [markdown]
# ## The other half
#
# In 01a the largest weights did next to nothing: their pixels are seldom lit. What arrives at a weight counts as much as
# its size. So multiply the two: |w|·‖x‖, where ‖x‖ is what the input usually carries, its root mean square over some
# images. That needs images, no labels, and no gradient.

# %% tags=["pytorch"]
carried = {}


def note_inputs(name):
    """Give a hook that notes the root mean square of what each input of a layer carries."""
    return lambda _layer, inputs: carried.update(
        {name: inputs[0].flatten(1).square().mean(0).sqrt()}
    )


hooks = [getattr(model, name).register_forward_pre_hook(note_inputs(name)) for name in layers]
with torch.no_grad():
    model(torch.tensor(mnist.train[0][:10_000]).movedim(-1, 1) / 255)
for hook in hooks:
    hook.remove()
scores = {
    name: (getattr(model, name).weight.abs() * carried[name]).detach().numpy() for name in layers
}

# %% tags=["tensorflow"]
probe = keras.Model(model.inputs, {name: model.get_layer(name).input for name in layers})
inputs = probe.predict(mnist.train[0][:10_000] / np.float32(255), batch_size=1000, verbose=0)
carried = {name: np.sqrt((array**2).mean(axis=0)) for name, array in inputs.items()}
scores = {
    name: (
        np.abs(model.get_layer(name).get_weights()[0]) * carried[name][:, None]
    ).T  # rows are outputs
    for name in layers
}

# %% [markdown]
# **Predict.** At 90%, magnitude leaves 2,946 digits right. How many does |w|·‖x‖ leave, under one threshold for all?

# %% tags=["answer"]
guess = ...  # how many of the 5,000 digits stay right?
ranks = pv.rank(pv.Importance(scores), scope="global")
scored = {"|w|": lines["global"], "|w|·‖x‖": curve(ranks.mask)}
title = "Two scores, one threshold for all weights"
pv.teaching.show(pv.plot_tradeoff(scored, reference=dense, title=title))
for score, cards in scored.items():
    right = {share: card.correct for share, card in zip(levels, cards, strict=True)}
    print(f"{score:8} {right[0.8]:,} right at 80%, {right[0.9]:,} at 90%, {right[0.95]:,} at 95%")
print(f"|w|·‖x‖  {measured(ranks.mask(0.91)).correct:,} right at 91%")

for count in (10_000, 100):
    by_word = pv.prune(model, 0.9, criterion="wanda", data=mnist.train[0][:count])
    print(f'criterion="wanda", by {count:,} pictures: {measured(by_word).correct:,} right at 90%')
pv.teaching.compare(guess, right[0.9], "digits right")

# %% [markdown]
# **Explain.** Nothing was trained, and at each sparsity the number of zeros is the same. Only the score has changed.
#
# **What would have shown us wrong?** No gain, a gain at one sparsity only, or one that needs very many images.

# %% [markdown]
# ### Scope again
#
# The score is called **Wanda** (Sun and others, 2024), for weights *and* activations. It is used to prune language
# models of billions of weights in minutes, where fine-tuning is costly. There each output is a pool of its
# own: a weight competes with the others that feed the same neuron. In pruneviz: `criterion="wanda"`, `scope="output"`.
# Is that better here? And does the score survive the rescaling?

# %% tags=["answer"]
some = mnist.train[0][:10_000]
rows = []
for criterion in ("magnitude", "wanda"):
    for scope in ("global", "layer", "output"):
        rule = {"criterion": criterion, "scope": scope}
        if criterion == "wanda":
            rule["data"] = some
        at = [measured(pv.prune(model, share, **rule)).correct for share in (0.8, 0.9)]
        tricked = measured(pv.prune(rescaled, 0.8, **rule), rescaled).correct
        rows.append([f"{criterion}, {scope}", *at, tricked])
pv.teaching.table(["right, pruned to", "80%", "90%", "80%, rescaled"], rows)

# %% [markdown]
# The best score of the lesson is down with the worst at 90% under another scope, and the rescaling hurts whatever compares across
# layers, this score too. A score and a scope are chosen together, and by measuring.

# %% [markdown]
# ### Exercise 3 · Ninety-one per cent
#
# An open one. Cut 91% of all weights and keep at least 4,760 digits right, without training. Make `mine`, a mask, by any
# scores and scope; you may use training images. |w|·‖x‖ leaves 4,740. Is a weight of twice the size worth *exactly* twice?

# %% tags=["exercise"]
# solution: mine = ...
mine = pv.Importance(
    {name: np.abs(network[name].weight) ** 0.5 * array for name, array in scores.items()}
)
mine = pv.rank(mine, scope="global").mask(0.91)
# end of solution

# %% tags=["check"]
check.ninety_one(mine, model=model, validation=validation, at_least=4_760)

# %% [markdown]
# ## The report
#
# Chosen by validation images: 90%, |w|·‖x‖, global. Now the test images, once.

# %%
mask = pv.prune(model, 0.9, criterion="wanda", data=some)
cards = [pv.scorecard(m, test) for m in (model, pv.apply(model, mask))]
for name, card in zip(("dense", "pruned"), cards, strict=True):
    low, high = card.interval
    print(f"{name:6} {card.correct:,} right, {card.accuracy:.1%} ({low:.1%} to {high:.1%})")
print(cards[1].versus(cards[0]))
print(f"{mask.kept:,} of {mask.total:,} weights kept; one training, no fine-tuning")

# %% [markdown]
# ## Now yours
#
# Wanda for the linear layers of any network, with no labels. Put your network and your data in place of ours.

# %% tags=["pytorch", "yours"]
import copy

import torch

model, (x, y) = pv.zoo.lenet_300_100("torch"), mnist.validation  # put your model and data here
x, y = torch.tensor(x).movedim(-1, 1).contiguous() / 255, torch.tensor(y)

sparsity, pruned, rms = 0.8, copy.deepcopy(model).eval(), {}
linear = [module for module in pruned.modules() if isinstance(module, torch.nn.Linear)]


def note(layer, inputs):
    rms[layer] = inputs[0].flatten(0, -2).square().mean(0).sqrt()


hooks = [layer.register_forward_pre_hook(note) for layer in linear]
with torch.no_grad():
    before = pruned(x).argmax(1)
    for hook in hooks:
        hook.remove()
    products = {layer: layer.weight.abs() * rms[layer] for layer in linear}
    everything = torch.cat([score.flatten() for score in products.values()]).sort().values
    for layer, score in products.items():
        layer.weight[score < everything[int(sparsity * len(everything))]] = 0
    after = pruned(x).argmax(1)
right = [f"{(answers == y).float().mean():.1%}" for answers in (before, after)]
print(f"{sparsity:.0%} of {len(everything):,} weights pruned: {' right, then '.join(right)}")

# %% tags=["tensorflow", "yours"]
import keras
import numpy as np

model, (x, y) = pv.zoo.lenet_300_100("keras"), mnist.validation  # put your model and data here
x = x / np.float32(255)

sparsity, pruned = 0.8, keras.models.clone_model(model)
pruned.set_weights(model.get_weights())
linear = [layer for layer in pruned.layers if isinstance(layer, keras.layers.Dense)]
before = pruned.predict(x, verbose=0).argmax(1)
inputs = keras.Model(pruned.inputs, [layer.input for layer in linear]).predict(x, verbose=0)
products = []
for layer, array in zip(linear, inputs, strict=True):
    rms = np.sqrt((array.reshape(-1, array.shape[-1]) ** 2).mean(0))
    products.append(np.abs(layer.get_weights()[0]) * rms[:, None])
everything = np.sort(np.concatenate([score.ravel() for score in products]))
threshold = everything[int(sparsity * everything.size)]
for layer, score in zip(linear, products, strict=True):
    kernel, *bias = layer.get_weights()
    layer.set_weights([np.where(score < threshold, 0, kernel), *bias])
after = pruned.predict(x, verbose=0).argmax(1)
right = [f"{np.mean(answers == y):.1%}" for answers in (before, after)]
print(f"{sparsity:.0%} of {everything.size:,} weights pruned: {' right, then '.join(right)}")

# %% [markdown]
# ## Quiz

# %% [markdown] tags=["quiz"]
# You multiply the weights and biases of `fc1` by 10 and divide the weights of `fc2` by 10, then prune
# globally by size. What changes?
# - [ ] Nothing: the network computes the same function.
#   why: The function is the same, and the sizes are not. The rule looks at sizes only.
# - [ ] The answers before pruning, since the weights are different.
#   why: A ReLU passes the factor on and `fc2` takes it back, so the answers stay.
# - [x] The mask: `fc2` loses its weights first.
#   why: A global threshold compares sizes across layers, and the scale of a layer is arbitrary.

# %% [markdown] tags=["quiz"]
# A network is pruned to 90% with global scope. What do you know about its smallest layer?
# - [ ] It has lost 90% of its weights.
#   why: That is layer scope. Under a global threshold each layer loses what lies below it, from nothing
#     to everything.
# - [ ] It has lost fewer than the others, since it is the most sensitive.
#   why: The threshold knows sizes, not sensitivity. In our network the two happened to agree.
# - [x] Nothing, until you look at the mask.
#   why: Print it layer by layer. A layer can even be empty while the total looks harmless.

# %% [markdown] tags=["quiz"]
# A pixel is black in all your images. What does |w|·‖x‖ say of its weights, and magnitude?
# - [x] The score is zero, whatever their size; magnitude may keep them.
#   why: ‖x‖ is zero there. In 01a the large weights of pixels that are seldom lit could go at no cost.
# - [ ] Both keep them, since training did not move them.
#   why: Neither knows what training did. One looks at size, the other at size and input.
# - [ ] The score cannot be computed without labels.
#   why: It looks at inputs alone; no label and no gradient is used.

# %% [markdown]
# ## The question people really ask
#
# *What does "global pruning" mean? I tried it, and there was a big difference in accuracy.* ([Torch-Pruning, issue
# 111](https://github.com/VainF/Torch-Pruning/issues/111))
#
# The answer there: without it each layer loses the same share, with it all are ranked together. You have seen both, and
# that neither is the better one: it depends on the score, and on the scale of the layers. Print the share that each
# layer loses, as this lesson did first, before you trust either.

# %% [markdown]
# ## Recap
#
# In this lesson you have
#
# - compared one threshold for all with one for each layer, by hand or with the framework's tool, and in pruneviz;
# - drawn sensitivity curves, and spared the layer that hurts most;
# - emptied a layer by rescaling a network that computes the same;
# - weighed weights by their inputs, and found far more right at 80% and 90%, under global scope.
#
# Next: [lesson 01c](01c_weight_pruning_tools.ipynb) compares more scores, prunes with the framework's tools, fine-tunes,
# and asks why the file did not get smaller.

# %% [markdown]
# ## Further reading
#
# - M. Sun, Z. Liu, A. Bair, J. Z. Kolter. *A Simple and Effective Pruning Approach for Large Language Models.*
#   International Conference on Learning Representations, 2024. [arXiv:2306.11695](https://arxiv.org/abs/2306.11695). Wanda.
# - J. Lee, S. Park, S. Mo, S. Ahn, J. Shin. *Layer-adaptive Sparsity for the Magnitude-based Pruning.* International
#   Conference on Learning Representations, 2021. [arXiv:2010.07611](https://arxiv.org/abs/2010.07611). LAMP: a score that
#   makes sizes of several layers comparable.
# - S. Han, J. Pool, J. Tran, W. J. Dally. *Learning both Weights and Connections for Efficient Neural Networks.* Advances
#   in Neural Information Processing Systems 28, 2015. [arXiv:1506.02626](https://arxiv.org/abs/1506.02626). Thresholds by
#   layer, chosen from sensitivity curves.
# - You may read in *A Beginner's Guide to Neural Network Pruning* that a local comparison cuts the lowest scores "across
#   all layers". Across all layers is global; local means within each.
