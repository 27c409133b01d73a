"""Models that came from one another: what makes a family, and the file that holds one."""

import json
from dataclasses import fields

import numpy as np
import pytest
from families import LABELS, card, family
from twins import Spec, build, images

import pruneviz as pv
from pruneviz.measures import variants

DENSE, HALF = (one.card for one in family()[:2])


def test_a_card_tells_of_each_layer_how_many_weights_are_not_zero(framework):
    model = build(Spec((("conv", 4), ("dense", 6))), framework)
    thin = pv.apply(model, pv.prune(model, scope={"l0": 0.5}))
    found = pv.scorecard(thin, images()).weights
    assert found == {"l0": (3 * 9 * 2, 3 * 9 * 4), "l1": (4 * 64 * 6, 4 * 64 * 6), "out": (6 * 4, 6 * 4)}


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ([], ValueError, "variants is empty"),
        (["dense"], TypeError, "variants has a str"),
        ([DENSE, DENSE], ValueError, "two variants are called 'dense'"),
        (
            [DENSE, pv.Variant(HALF, "whole")],
            ValueError,
            "'half' has an unknown parent 'whole': there is dense",
        ),
        ([pv.Variant(DENSE, "dense")], ValueError, "'dense' comes from itself: dense from dense"),
        (
            [pv.Variant(DENSE, "half"), pv.Variant(HALF, "dense")],
            ValueError,
            "'dense' comes from itself: dense from half from dense",
        ),
        ([DENSE, card("other", LABELS[::-1], LABELS[::-1])], ValueError, "measured on different images"),
        ([DENSE, card("few", LABELS[:50], LABELS[:50])], ValueError, "measured on different images"),
    ],
)
def test_what_is_no_family_is_refused_in_a_sentence(given, error, words):
    with pytest.raises(error, match=words) as caught:
        variants.family(given)
    assert "\n" not in str(caught.value)


def test_a_variant_holds_a_card_and_a_name():
    with pytest.raises(TypeError, match="card is a str, not a Scorecard"):
        pv.Variant("dense")
    with pytest.raises(TypeError, match="parent is a Scorecard: give the name"):
        pv.Variant(HALF, DENSE)


def test_a_parent_may_come_after_its_child():
    found = variants.family([pv.Variant(HALF, "dense"), DENSE])
    assert [one.name for one in found] == ["half", "dense"]


def test_a_file_gives_back_what_was_written(tmp_path):
    path = tmp_path / "family.json"
    pv.write_variants(path, family())
    for before, after in zip(family(), pv.read_variants(path), strict=True):
        assert (after.name, after.parent, after.step) == (before.name, before.parent, before.step)
        for field in fields(pv.Scorecard):
            one, other = (getattr(variant.card, field.name) for variant in (before, after))
            same = np.array_equal if isinstance(one, np.ndarray) else lambda a, b: a == b
            assert same(one, other), field.name
    assert path.stat().st_size < 5000


@pytest.mark.parametrize("classes", [[-1, 3], [0, 999], [0, 2**40]])
def test_any_whole_numbers_are_classes(tmp_path, classes):
    labels = np.array(classes)
    pv.write_variants(tmp_path / "one.json", [card("one", labels, labels)])
    (one,) = pv.read_variants(tmp_path / "one.json")
    assert one.card.labels.tolist() == one.card.predictions.tolist() == classes


def test_nothing_is_written_of_what_is_no_family(tmp_path):
    with pytest.raises(ValueError, match="two variants"):
        pv.write_variants(tmp_path / "family.json", [DENSE, DENSE])
    assert not list(tmp_path.iterdir())


def spoilt(text, how):
    told = json.loads(text)
    if how == "foreign":
        return '{"nbformat": 4}'
    if how == "list":
        return "[1, 2]"
    if how == "short":
        return text[: len(text) // 2]
    if how == "data":
        told["labels"]["zlib"] = told["labels"]["zlib"][:-8]
    if how == "parent":
        told["variants"][1]["parent"] = "nobody"
    if how == "latency":
        told["variants"][0]["card"]["latency_ms"] = [1]
    if how == "format":
        told["format"] = "pruneviz variants 9"
    return json.dumps(told)


@pytest.mark.parametrize("how", ["foreign", "list", "short", "data", "parent", "latency", "format"])
def test_another_or_a_damaged_file_is_refused(tmp_path, how):
    path = tmp_path / "family.json"
    pv.write_variants(path, family())
    path.write_text(spoilt(path.read_text(), how))
    with pytest.raises(ValueError, match=r"family.json is no file of pv.write_variants, or a damaged one"):
        pv.read_variants(path)
