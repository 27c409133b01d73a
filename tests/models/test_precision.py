"""Models that compute with coarse numbers: true bytes, and a removal proven as finely as they compute."""

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn
from twins import keras

import pruneviz as pv

X = np.random.default_rng(0).random((4, 6), np.float32)


def net(dtype):
    torch.manual_seed(0)
    layers = [nn.Linear(6, 64), nn.Softplus(), nn.Linear(64, 48), nn.Sigmoid(), nn.Linear(48, 3)]
    return nn.Sequential(*layers).to(dtype)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_bytes_are_those_of_a_real_file(dtype, tmp_path):
    model = net(dtype)
    card = pv.scorecard(model, (X, np.arange(4) % 3))
    safetensors.torch.save_file(model.state_dict(), tmp_path / "model.safetensors")
    assert card.raw_bytes == (tmp_path / "model.safetensors").stat().st_size
    mask = pv.prune(model, 0.5, granularity="neuron", example=X)
    small = pv.remove(model, mask, X)
    assert small[0].weight.dtype == dtype
    assert pv.check_removed(model, mask, small, X) <= (0.05 if dtype == torch.bfloat16 else 1e-2)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float32"])
def test_mixed_policies_of_keras(policy):
    kinds, keep = keras.layers, keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(0)
        model = keras.Sequential([kinds.Input((6,)), kinds.Dense(32, "sigmoid"), kinds.Dense(16, "softplus")])
        model.add(kinds.Dense(3, dtype="float32"))
        mask = pv.prune(model, 0.5, granularity="neuron", example=X)
        assert pv.frameworks.adapter(model).precision() == policy.removeprefix("mixed_")
        assert pv.check_removed(model, mask, pv.remove(model, mask, X), X) <= 0.05
    finally:
        keras.config.set_dtype_policy(keep)
