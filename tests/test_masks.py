"""Ranking and thresholds, in NumPy alone."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import pruneviz as pv
from pruneviz.core.arrays import number_to_prune

SCORES = st.dictionaries(
    st.sampled_from("abcd"),
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=4, max_side=5), elements=st.integers(0, 3).map(float)),
    min_size=1,
)
SHARES = st.decimals(0, 1, places=3).map(float)


@given(SCORES, SHARES)
def test_global_count_is_exact_with_ties(scores, share):
    importance = pv.Importance(scores)
    mask = pv.rank(importance).mask(share)
    expected = int((Decimal(str(share)) * importance.total).to_integral_value(ROUND_HALF_UP))
    assert mask.pruned == expected
    assert mask.kept + mask.pruned == mask.total == importance.total


@given(SCORES, SHARES)
def test_layer_counts_are_exact_with_ties(scores, share):
    mask = pv.rank(pv.Importance(scores), "layer").mask(share)
    for kept in mask.values():
        assert np.count_nonzero(~kept) == number_to_prune(share, kept.size)


@given(SCORES, SHARES)
def test_pruned_importance_is_at_most_kept(scores, share):
    mask = pv.rank(pv.Importance(scores)).mask(share)
    pruned = np.concatenate([scores[name][~kept] for name, kept in mask.items()])
    kept = np.concatenate([scores[name][kept] for name, kept in mask.items()])
    assert not pruned.size or not kept.size or pruned.max() <= kept.min()


@given(SCORES, SHARES, SHARES, st.sampled_from(["global", "layer"]))
def test_more_sparsity_never_brings_an_entry_back(scores, one, other, scope):
    ranking = pv.rank(pv.Importance(scores), scope)
    loose, tight = ranking.mask(min(one, other)), ranking.mask(max(one, other))
    assert loose & tight == tight


@given(
    st.dictionaries(
        st.sampled_from("abc"),
        st.sampled_from([np.float32, np.float64, np.float16, np.int64]).flatmap(
            lambda dtype: hnp.arrays(
                dtype,
                hnp.array_shapes(max_dims=2, min_side=0, max_side=6),
                elements=st.sampled_from([-2, -1, -0.0, 0, 1, 2] if dtype != np.int64 else [-1, 0, 1]),
            )
        ),
    ),
    SHARES,
    st.sampled_from(["global", "layer", "dict"]),
    st.integers(0, 4),
    st.sets(st.sampled_from("abc")),
)
def test_borders_give_the_mask_of_the_places(scores, share, scope, at_least, exclude):
    importance, exclude = pv.Importance(scores), exclude & scores.keys()
    if scope == "dict":
        left = sorted(scores.keys() - exclude)
        scope, share = dict(zip(left[:2], [share, 1 - share], strict=False)), None
    ranking = pv.rank(importance, scope, exclude, at_least)
    by_places = pv.Ranking(dict(ranking.ranks), scope, "weight", at_least)
    for one in [share] if share is None else [share, 1 - share, share]:
        by_borders = ranking.mask(one)
        assert by_borders == by_places.mask(one)
        assert list(by_borders) == list(ranking.ranks)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_many_borders_give_the_mask_of_the_places(dtype):
    rng = np.random.default_rng(0)
    scores = {name: rng.normal(size=n).round(3).astype(dtype) for name, n in (("a", 300_000), ("b", 2_000))}
    for importance in (pv.Importance(scores), pv.Importance({n: np.abs(a) for n, a in scores.items()})):
        ranking = pv.rank(importance)
        by_places = pv.Ranking(dict(ranking.ranks), "global", "weight")
        for share in (0.001, 0.5, 0.999):
            assert ranking.mask(share) == by_places.mask(share)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_layers_with_and_without_negative_scores_are_compared(dtype):
    scores = {"a": np.array([[-3, 0.5], [2, -1]], dtype), "b": np.array([0.25, 4, 0], dtype)}
    ranking = pv.rank(pv.Importance(scores))
    assert {name: places.tolist() for name, places in ranking.ranks.items()} == {
        "a": [[0, 4], [5, 1]],
        "b": [3, 6, 2],
    }
    mask = ranking.mask(4 / 7)
    assert mask["a"].tolist() == [[False, True], [True, False]]
    assert mask["b"].tolist() == [False, True, False]


def test_rankings_refuse_shares_and_scopes_that_they_cannot_take():
    importance = pv.Importance({"a": np.arange(4.0)})
    for share, scope, words in (
        (90, "global", r"did you mean 0\.9"),
        (None, "layer", "needs a sparsity"),
        (0.5, {"a": 0.5}, "leave sparsity out"),
        (None, {"b": 0.5}, "scope names no layer of the model: b"),
        (0.5, "all", "scope 'all'"),
    ):
        with pytest.raises(ValueError, match=words):
            pv.rank(importance, scope).mask(share)


@given(
    hnp.arrays(np.float32, st.integers(0, 60), elements=st.sampled_from([-1, -0.0, 0, 1e-45, 0.1, 2, 3e38]))
)
def test_float32_scores_rank_as_a_stable_sort_does(scores):
    ranks = pv.rank(pv.Importance({"a": scores, "b": np.abs(scores)}), "layer").ranks
    for name, array in (("a", scores), ("b", np.abs(scores))):
        assert np.array_equal(np.argsort(ranks[name]), np.argsort(array, kind="stable"))


def test_of_equal_scores_the_lowest_index_goes_first():
    mask = pv.rank(pv.Importance({"a": np.ones((2, 3)), "b": np.ones(4)})).mask(0.4)
    assert mask["a"].tolist() == [[False, False, False], [False, True, True]]
    assert mask["b"].all()


@pytest.mark.parametrize(
    ("share", "total", "count"),
    [(0.15, 10, 2), (0.5, 3, 2), (0, 7, 0), (1, 7, 7), (0.1, 5, 1), (0.29, 100, 29), (Fraction(1, 3), 3, 1)],
)
def test_counts_round_half_up_on_the_decimal_as_written(share, total, count):
    assert number_to_prune(share, total) == count
    assert number_to_prune(np.float32(share) if isinstance(share, float) else share, total) == count


@pytest.mark.parametrize(("share", "hint"), [(90, "0.9"), (-0.1, "0 to 1"), (float("nan"), "0 to 1")])
def test_sparsity_out_of_range_is_refused_with_a_hint(share, hint):
    with pytest.raises(ValueError, match=hint):
        number_to_prune(share, 10)


@pytest.mark.parametrize("share", [True, "0.9", None, 1j])
def test_sparsity_that_is_no_number_is_refused(share):
    with pytest.raises(TypeError, match="not a number from 0 to 1"):
        number_to_prune(share, 10)


def test_a_dict_scope_gives_each_layer_its_share_and_the_others_none():
    ranking = pv.rank(pv.Importance({"a": np.arange(10.0), "b": np.arange(10.0)}), {"a": 0.3})
    mask = ranking.mask()
    assert np.count_nonzero(~mask["a"]) == 3
    assert mask["b"].all()
    with pytest.raises(ValueError, match="leave sparsity out"):
        ranking.mask(0.5)
    with pytest.raises(ValueError, match="names no layer of the model: c"):
        pv.rank(pv.Importance({"a": np.arange(10.0)}), {"c": 0.3})


def test_excluded_layers_are_absent_and_not_counted():
    scores = pv.Importance({"a": np.arange(10.0), "b": np.arange(90.0)})
    mask = pv.rank(scores, exclude=["b"]).mask(0.5)
    assert list(mask) == ["a"]
    assert mask.pruned == 5
    with pytest.raises(ValueError, match="exclude names no layer"):
        pv.rank(scores, exclude=["fc"])
    with pytest.raises(TypeError, match=r'\["b"\]'):
        pv.rank(scores, exclude="b")
    assert pv.rank(scores, exclude=["a", "b"]).mask(0.5).total == 0


def test_every_layer_keeps_at_least_its_best():
    scores = pv.Importance({"a": np.arange(10.0), "b": np.arange(90.0)})
    assert [kept.sum() for kept in pv.rank(scores, keep_at_least=np.int64(2)).mask(1).values()] == [2, 2]
    with pytest.raises(ValueError, match=r"keep_at_least is 1\.5, not a whole number from 0"):
        pv.rank(scores, keep_at_least=1.5)


def test_unknown_scope_and_missing_sparsity_are_refused():
    scores = pv.Importance({"a": np.arange(10.0)})
    with pytest.raises(ValueError, match='not "global", "layer"'):
        pv.rank(scores, "local")
    with pytest.raises(ValueError, match="needs a sparsity"):
        pv.rank(scores).mask()


def test_scores_that_are_not_finite_are_refused_by_layer():
    with pytest.raises(ValueError, match="layer 'b'"):
        pv.Importance({"a": np.ones(2), "b": np.array([1.0, np.nan])})


def test_masks_are_read_only_and_compare_by_value():
    mask = pv.Mask({"a": np.array([True, False])})
    with pytest.raises(ValueError, match="read-only"):
        mask["a"][0] = False
    copy = mask.to_dict()
    copy["a"][0] = False
    assert mask == pv.Mask({"a": np.array([True, False])})
    assert mask != pv.Mask(copy)
    assert mask != pv.Mask({"a": np.array([True, False])}, "neuron")
    assert (mask.kept, mask.pruned, mask.sparsity) == (1, 1, 0.5)
    assert pv.Mask({}).sparsity == 0
    with pytest.raises(KeyError, match="no layer 'z'"):
        mask["z"]


def test_and_keeps_what_both_keep_and_takes_absent_as_kept():
    one = pv.Mask({"a": np.array([True, False]), "b": np.array([False])})
    other = pv.Mask({"a": np.array([False, True])})
    assert (one & other).to_dict()["a"].tolist() == [False, False]
    assert (one & other)["b"].tolist() == [False]
    with pytest.raises(ValueError, match="differ in shape"):
        one & pv.Mask({"a": np.array([True])})
    with pytest.raises(ValueError, match="neurons"):
        one & pv.Mask({"a": np.array([True, True])}, "neuron")


def test_a_mask_must_be_bool():
    with pytest.raises(TypeError, match="'a' is float64, not bool"):
        pv.Mask({"a": np.ones(3)})


def test_reprs_say_how_much_is_pruned():
    ranking = pv.rank(pv.Importance({"a": np.arange(1000.0)}))
    assert (
        repr(ranking.mask(0.25))
        == "a: kept 750 of 1,000, 25.0% pruned\nkept 750 of 1,000 weights, 25.0% pruned"
    )
    assert repr(ranking) == "Ranking of 1,000 weights in 1 layers, scope 'global'"
