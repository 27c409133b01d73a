"""Compact files: bit for bit, or refused."""

import os
import threading

import numpy as np
import pytest
from architectures import PLANS
from architectures import build as architecture
from architectures import images as images_for
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from twins import Spec, build, images, same, weights_of

import pruneviz as pv
from pruneviz import frameworks
from pruneviz.engine import storage

ARRAYS = hnp.arrays(
    st.sampled_from([np.float32, np.float64, np.float16, np.int64, np.uint8, np.bool_]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9),
)


@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=4))
def test_arrays_come_back_bit_for_bit(arrays):
    again = storage.unpacked(storage.packed(arrays), "file")
    assert again.keys() == arrays.keys()
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype
        assert again[name].shape == array.shape
        assert again[name].tobytes() == array.tobytes()


@given(st.binary(max_size=200), st.integers(0, 400))
def test_damaged_files_are_refused(noise, cut):
    whole = storage.packed({"a": np.arange(100.0)})
    for data in (whole[:cut], noise, whole[:60] + noise + whole[60 + len(noise) :]):
        if data != whole and data[: len(whole)] != whole:
            with pytest.raises(ValueError, match=r"x is (not a file|cut short or damaged)"):
                storage.unpacked(data, "x")


def test_a_model_comes_back_bit_for_bit_and_small(framework, tmp_path):
    model = build(Spec((("conv", 8), ("dense", 64))), framework)
    thin = pv.apply(model, pv.prune(model, 0.9))
    pv.save(thin, tmp_path / "thin")
    before = weights_of(model)
    again = pv.load(tmp_path / "thin", model)
    assert same(weights_of(again), weights_of(thin))
    assert same(weights_of(model), before)
    assert (tmp_path / "thin").stat().st_size < pv.scorecard(thin, images(4)).gzip_bytes
    assert [path.name for path in tmp_path.iterdir()] == ["thin"]


def test_twins_exchange_files(tmp_path):
    torch_model, keras_model = build(Spec(seed=1), "torch"), build(Spec(seed=2), "keras")
    pv.save(torch_model, tmp_path / "m")
    assert same(weights_of(pv.load(tmp_path / "m", keras_model)), weights_of(torch_model))


def test_a_file_of_another_model_is_refused(framework, tmp_path):
    pv.save(build(Spec((("dense", 7),)), framework), tmp_path / "m")
    with pytest.raises(ValueError, match="where this model has"):
        pv.load(tmp_path / "m", build(Spec((("dense", 6),)), framework))


@pytest.mark.parametrize("home", ["torch", "keras", "tf_keras"])
@given(PLANS, st.sampled_from([0.3, 0.6, 0.9]))
@settings(max_examples=6)
def test_a_smaller_model_comes_back_into_the_whole_one(tmp_path_factory, home, plan, share):
    model, x = architecture(plan, home), images_for(plan, home)
    before, path = weights_of(model), tmp_path_factory.mktemp("files") / "small"
    mask = pv.prune(model, share, granularity="filter", example=x, keep_at_least=1)
    try:
        small = pv.remove(model, mask, x)
    except ValueError:
        return
    pv.save(small, path)
    again = pv.load(path, model, x)
    assert same(weights_of(again), weights_of(small))
    assert np.array_equal(*(frameworks.adapter(one).predict(x) for one in (again, small)))
    assert same(weights_of(model), before)


def test_a_smaller_torch_model_needs_an_example(tmp_path):
    model, x = pv.zoo.lenet_5("torch"), np.zeros((1, 28, 28, 1), np.uint8)
    small = pv.remove(model, pv.prune(model, 0.5, granularity="filter", example=x), x)
    pv.save(small, tmp_path / "m")
    with pytest.raises((TypeError, ValueError), match="example"):
        pv.load(tmp_path / "m", model)


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    model = build(Spec(), "torch")
    pv.save(model, tmp_path / "m")
    old = (tmp_path / "m").read_bytes()

    def failing(_):
        raise OSError("disk full")

    monkeypatch.setattr(storage, "packed", failing)
    with pytest.raises(OSError, match="disk full"):
        pv.save(model, tmp_path / "m")
    assert (tmp_path / "m").read_bytes() == old
    assert [path.name for path in tmp_path.iterdir()] == ["m"]


def test_a_file_is_whole_whoever_writes_and_reads(tmp_path):
    model, path = build(Spec((("dense", 64),)), "torch"), tmp_path / "m"
    failed = []

    def work():
        try:
            for _ in range(15):
                pv.save(model, path)
                pv.load(path, model)
        except Exception as error:  # noqa: BLE001  (whatever it is, the test has failed)
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert [found.name for found in tmp_path.iterdir()] == ["m"]


def test_a_file_keeps_its_mode_its_link_and_its_long_name(tmp_path, monkeypatch):
    model, synced = build(Spec(), "torch"), []
    monkeypatch.setattr(os, "fsync", lambda number: synced.append(os.fstat(number).st_size))
    path, link = tmp_path / ("n" * 250), tmp_path / "link"
    umask = os.umask(0o027)
    try:
        pv.save(model, path)
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o640
    assert synced == [path.stat().st_size]
    path.chmod(0o600)
    link.symlink_to(path.name)
    pv.save(model, link)
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o600
    assert same(weights_of(pv.load(link, model)), weights_of(model))
    (tmp_path / "later").symlink_to("target")
    pv.save(model, tmp_path / "later")
    assert (tmp_path / "target").is_file()
    assert len(list(tmp_path.iterdir())) == 4
