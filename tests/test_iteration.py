"""Rounds of pruning and training: exact, monotone, pure, and whole whatever happens."""

import itertools
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fine_tuning import fine_tune
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils import prune as torch_prune
from twins import Spec, build, images, keras, same, tf_keras, torch, weights_of

import pruneviz as pv
from pruneviz.core.arrays import number_to_prune

SPEC = Spec((("conv", 4), ("dense", 6)))
STEPS = pv.schedules.linear(0, 0.6, begin=0, end=3)


def run(model, schedule=STEPS, train=fine_tune, **options):
    return pv.iterate(model, schedule, train, images(), **options)


def shown(rounds):
    """What two runs must agree on, bit for bit."""
    return [
        (r.number, r.mask.to_dict(), weights_of(r.model), r.card, r.card.predictions.tolist()) for r in rounds
    ]


def equal(first, second):
    assert len(first) == len(second)
    for (number, mask, weights, *cards), (number_2, mask_2, weights_2, *cards_2) in zip(
        first, second, strict=True
    ):
        assert number == number_2
        assert same(mask, mask_2)
        assert same(weights, weights_2)
        assert cards == cards_2
    return True


@pytest.mark.parametrize(
    ("granularity", "scope"), [("weight", "global"), ("filter", "layer"), ("neuron", "global")]
)
def test_rounds_are_exact_and_what_is_pruned_stays_pruned(framework, granularity, scope):
    model = build(SPEC, framework)
    before = weights_of(model)
    train = partial(fine_tune, eagerly=False)  # as learners do
    rounds = list(run(model, train=train, granularity=granularity, scope=scope, keep_at_least=1))
    assert [r.number for r in rounds] == [1, 2, 3]
    for r, share in zip(rounds, (0.2, 0.4, 0.6), strict=True):
        assert r.mask.pruned == number_to_prune(share, r.mask.total)
        assert r.mask.granularity == granularity
        assert same(weights_of(r.model), weights_of(pv.apply(r.model, r.mask)))
        assert r.card == pv.scorecard(r.model, images(), name=f"round {r.number}")
    for earlier, later in itertools.pairwise(rounds):
        assert all(not (later.mask[name] & ~kept).any() for name, kept in earlier.mask.items())
        assert not same(weights_of(earlier.model), weights_of(later.model))
    assert same(before, weights_of(model))


@given(st.lists(st.integers(0, 100), min_size=1, max_size=4), st.sampled_from(["weight", "filter"]))
@settings(max_examples=10)
def test_masks_of_any_schedule_are_nested(percents, granularity):
    model = build(SPEC, "torch")
    least = int(granularity == "filter")
    options = {"granularity": granularity, "keep_at_least": least, "criterion": "random"}
    schedule, rounds = lambda number: percents[number - 1] / 100, len(percents)
    rounds = list(run(model, schedule, lambda *_: None, rounds=rounds, **options))
    for r, share in zip(rounds, np.maximum.accumulate(percents) / 100, strict=True):
        assert r.mask.pruned == min(number_to_prune(float(share), r.mask.total), r.mask.total - least)
    for earlier, later in itertools.pairwise(rounds):
        assert (earlier.mask & later.mask) == later.mask


def test_rounds_without_training_prune_what_one_shot_prunes(framework):
    model = build(SPEC, framework)
    *_, last = run(model, train=lambda *_: None)
    assert last.mask == pv.prune(model, 0.6)


def test_a_run_equals_a_loop_over_torch_prune():
    seeds = []

    def seeded(thin, _, seed):
        seeds.append(seed)
        torch.manual_seed(seed)
        fine_tune(thin)

    rounds, reference = list(run(build(SPEC, "torch"), train=seeded)), build(SPEC, "torch")
    layers, pruned = [getattr(reference, name) for name in rounds[0].mask], 0
    for r, seed in zip(rounds, seeds.copy(), strict=True):
        amount, pruned = r.mask.pruned - pruned, r.mask.pruned
        weights = [(layer, "weight") for layer in layers]
        torch_prune.global_unstructured(weights, torch_prune.L1Unstructured, amount=amount)
        seeded(reference, None, seed)
        reference.eval()(torch.zeros(1, 3, 8, 8))  # it is a forward pass that renews layer.weight
        for (name, kept), layer in zip(r.mask.items(), layers, strict=True):
            assert np.array_equal(kept, layer.weight_mask.numpy().astype(bool))
            assert np.array_equal(pv.network(r.model)[name].weight, layer.weight.detach().numpy())


def test_what_comes_back_to_life_may_not_be_kept_again():
    model = build(SPEC, "torch")

    def revive(thin, *_):
        with torch.no_grad():
            for parameter in thin.parameters():
                parameter.add_(3)

    rounds = list(run(model, train=revive))
    assert (rounds[0].mask & rounds[2].mask) == rounds[2].mask
    assert same(weights_of(rounds[2].model), weights_of(pv.apply(rounds[2].model, rounds[2].mask)))


def test_a_round_only_trains_where_the_schedule_does_not_prune():
    schedule = pv.schedules.linear(0, 0.6, begin=2, end=4, frequency=2)
    rounds = list(run(build(SPEC, "torch"), schedule, rounds=5))
    assert [r.mask.sparsity for r in rounds] == pytest.approx([0, 0, 0, 0.6, 0.6], abs=1e-3)
    assert not same(weights_of(rounds[3].model), weights_of(rounds[4].model))


def with_dropout(framework):
    """A network that draws random numbers of its own while it trains."""
    if framework == "torch":
        torch.manual_seed(0)
        return torch.nn.Sequential(
            torch.nn.Flatten(), torch.nn.Linear(192, 8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 4)
        )
    home = keras if framework == "keras" else tf_keras
    home.utils.set_random_seed(0)
    kinds = home.layers
    names = [kinds.Dense(8, name="a"), kinds.Dropout(0.5, name="b"), kinds.Dense(4, name="c")]
    return home.Sequential([kinds.Input((8, 8, 3)), kinds.Flatten(), *names])


def test_a_run_is_a_function_of_its_seed_and_goes_on_bit_for_bit(framework, tmp_path):
    model, calls = with_dropout(framework), []

    def counted(thin, _, seed):
        calls.append(seed)
        fine_tune(thin)

    whole = shown(run(model, train=counted))
    assert len(set(calls)) == 3
    np.random.default_rng().random()
    first = list(itertools.islice(run(model, train=counted, resume=tmp_path), 2))
    assert equal(shown(first), whole[:2])
    (tmp_path / ".pruneviz-0123456789abcdef").write_bytes(b"cut off")
    assert equal(shown(run(model, train=counted, resume=tmp_path)), whole)
    assert calls == [*calls[:3], *calls[:2], calls[2]]
    assert not list(tmp_path.glob(".*"))
    assert equal(shown(run(model, train=counted, resume=tmp_path)), whole)
    assert len(calls) == 6
    other = next(run(model, seed=1))
    assert not same(weights_of(other.model), whole[0][2])


def test_filters_of_a_resumed_round_can_be_removed(framework, tmp_path):
    model = pv.zoo.lenet_5_bn(framework)
    data = tuple(array[:100] for array in pv.datasets.mnist().validation)
    for _ in range(2):
        options = {"granularity": "filter", "scope": "layer", "resume": tmp_path}
        *_, last = pv.iterate(model, STEPS, lambda *_: None, data, rounds=2, **options)
        small = pv.remove(last.model, last.mask, data[0][:2])
        assert len(pv.network(small)["conv2"].weight) == 16 - 6
        assert pv.scorecard(small, data).versus(last.card).changed == 0


def test_a_resumed_run_may_be_made_longer(tmp_path):
    model = build(SPEC, "torch")
    longer = pv.schedules.linear(0, 0.8, begin=0, end=4)
    list(run(model, granularity="filter", resume=tmp_path))
    resumed = shown(run(model, longer, granularity="filter", resume=tmp_path))
    assert equal(resumed, shown(run(model, longer, granularity="filter")))


@pytest.mark.parametrize("start", ["continue", "rewind", "reinitialise"])
def test_a_round_trains_from_where_it_is_told(framework, start, tmp_path):
    model, early, begun = build(SPEC, framework), build(SPEC._replace(seed=7), framework), []
    seeds = []

    def fresh(seed):
        seeds.append(seed)
        return build(SPEC._replace(seed=seed), framework)

    def train(thin, *_):
        begun.append(weights_of(thin))
        fine_tune(thin)

    chosen = {"continue": "continue", "rewind": early, "reinitialise": fresh}[start]
    rounds = list(run(model, train=train, start=chosen, rounds=2, resume=tmp_path))
    expected = {
        "continue": lambda: [model, rounds[0].model],
        "rewind": lambda: [early, early],
        "reinitialise": lambda: [build(SPEC._replace(seed=seed), framework) for seed in seeds],
    }[start]()
    for origin, r, weights in zip(expected, rounds, begun, strict=True):
        assert same(weights_of(pv.apply(origin, r.mask)), weights)
    with pytest.raises(ValueError, match="holds another run: its start is"):
        run(model, start=build(SPEC._replace(seed=8), framework), resume=tmp_path)


def test_an_interruption_leaves_the_finished_rounds_usable(framework, tmp_path):
    model, given = build(SPEC, framework), []
    before = weights_of(model)

    def interrupted(thin, *_):
        fine_tune(thin)
        if len(given) == 2:
            raise KeyboardInterrupt

    rounds = run(model, train=interrupted, resume=tmp_path)
    given += [next(rounds), next(rounds)]
    with pytest.raises(KeyboardInterrupt):
        next(rounds)
    assert same(before, weights_of(model))
    whole = list(run(model))
    assert equal(shown(given), shown(whole[:2]))
    assert equal(shown(run(model, resume=tmp_path)), shown(whole))


def test_closing_the_generator_ends_the_run(tmp_path):
    rounds = run(build(SPEC, "torch"), resume=tmp_path)
    next(rounds)
    rounds.close()
    assert list(rounds) == []
    assert sorted(file.name for file in tmp_path.iterdir()) == ["round-001.pruneviz", "run.json"]


@pytest.mark.parametrize(
    ("stop", "rounds"),
    [
        (None, 6),
        ({"sparsity": 0.3}, 3),
        ({"sparsity": 1}, 6),
        ({"accuracy": 1}, 1),
        ({"accuracy": 0}, 6),
        ({"nonzero": 1020}, 4),
        ({"nonzero_macs": 0}, 6),
        ({"compact_bytes": 0, "gzip_bytes": 10**9}, 1),
        (lambda done: done.number == 2, 2),
    ],
)
def test_it_stops_by_the_first_rule_that_is_met(stop, rounds):
    schedule = pv.schedules.linear(0, 0.6, begin=0, end=6)
    done = list(run(build(SPEC, "torch"), schedule, train=lambda *_: None, stop=stop))
    assert len(done) == rounds


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"train": "adam"}, TypeError, "fine_tune is 'adam'"),
        ({"schedule": 0.9}, TypeError, r"schedule is 0\.9"),
        ({"schedule": lambda _: 0.5}, ValueError, "rounds is missing"),
        ({"schedule": pv.schedules.constant(0.5)}, ValueError, "rounds is missing"),
        ({"rounds": -1}, ValueError, "rounds is -1"),
        ({"rounds": True}, ValueError, "rounds is True"),
        ({"seed": 0.5}, ValueError, r"seed is 0\.5"),
        ({"seed": -1}, ValueError, r"seed is -1"),
        ({"start": "rewind"}, ValueError, "start is 'rewind', not \"continue\""),
        ({"start": build(Spec(), "torch")}, ValueError, r"start has .* for 'l0"),
        ({"stop": {"mac": 3}}, ValueError, "stop names mac; there is sparsity"),
        ({"stop": {"accuracy": 97}}, ValueError, "stop has accuracy 97, not a share"),
        ({"stop": 0.9}, TypeError, r"stop is 0\.9"),
        ({"scope": {"out": 0.5}}, ValueError, 'scope must be "global" or "layer"'),
        ({"granularities": "filter"}, TypeError, "unknown argument granularities; there is granularity"),
        ({"granularity": "row"}, ValueError, "granularity 'row'"),
        ({"criterion": "gradient"}, ValueError, "needs data"),
        ({"exclude": ["fc9"]}, ValueError, "fc9"),
        ({"exclude": "out"}, TypeError, r'exclude takes a list of layer names: \["out"\]'),
    ],
)
def test_bad_input_is_refused_before_any_work(options, error, words, tmp_path):
    untrained = {"train": lambda *_: pytest.fail("trained"), "resume": tmp_path / "run"}
    with pytest.raises(error, match=words):
        run(build(Spec((("dense", 3),)), "torch"), **{**untrained, **options})
    assert not (tmp_path / "run").exists()


def test_folders_of_others_are_refused(tmp_path):
    model = build(SPEC, "torch")
    folder = tmp_path / "run"
    list(run(model, rounds=1, resume=folder))
    for options, words in (
        ({"seed": 1}, "its seed is 0, here it is 1"),
        ({"criterion": "l2"}, "its criterion is 'magnitude', here it is 'l2'"),
        ({"granularity": "filter"}, "its granularity is 'weight'"),
        ({"exclude": ["out"]}, "its exclude is"),
    ):
        with pytest.raises(ValueError, match=f"resume: .*run holds another run: {words}"):
            run(model, resume=folder, **options)
    with pytest.raises(ValueError, match="holds another run: its model is"):
        run(build(SPEC._replace(seed=5), "torch"), resume=folder)
    with pytest.raises(ValueError, match=r"its round 1 was pruned to 0\.2, not to 0\.5"):
        next(run(model, pv.schedules.constant(0.5), rounds=1, resume=folder))
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(ValueError, match="holds other files"):
        run(model, resume=tmp_path)
    with pytest.raises(ValueError, match="is not a folder"):
        run(model, resume=tmp_path / "mine.txt")


def test_a_damaged_round_is_refused_and_can_be_trained_again(tmp_path):
    model = build(SPEC, "torch")
    whole = shown(run(model, resume=tmp_path))
    file = tmp_path / "round-002.pruneviz"
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(ValueError, match=r"round-002.* is cut short or damaged.*delete"):
        list(run(model, resume=tmp_path))
    file.unlink()
    assert equal(shown(run(model, resume=tmp_path)), whole)


def test_whole_numbers_of_numpy_are_those_numbers(tmp_path):
    model, whole = build(SPEC, "torch"), shown(run(build(SPEC, "torch"), seed=3, keep_at_least=1))
    for seed, least in ((np.int64(3), np.int64(1)), (3, 1)):
        assert equal(shown(run(model, seed=seed, keep_at_least=least, resume=tmp_path)), whole)


def test_a_run_prints_as_a_sentence():
    first = next(run(build(SPEC, "torch")))
    assert repr(first).startswith("round 1: 20.0% of weights pruned, ")
    assert repr(first).endswith(f"of 40 right ({first.card.accuracy:.2%})")


def test_killed_runs_go_on():
    script = Path(__file__).parents[1] / "benchmarks" / "resume.py"
    done = subprocess.run(
        [sys.executable, script, "torch", "--kills", "2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "torch: 2 of 2 killed runs went on and equal the uninterrupted one" in done.stdout
