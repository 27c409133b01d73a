"""What every test needs before it imports a framework."""

import importlib
import os

import pytest
from hypothesis import HealthCheck, settings

os.environ |= {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}
pytest.register_assert_rewrite("lab", "live")  # their assertions explain themselves too
settings.register_profile(
    "pruneviz",
    deadline=None,
    derandomize=True,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("pruneviz")


def pytest_configure(config):
    """Load PyTorch before TensorFlow, or LLVM is registered twice and the process aborts."""
    if config.getoption("dist", "no") == "no":  # the process that only hands out the tests needs neither
        importlib.import_module("torch._dynamo")
        importlib.import_module("tensorflow")


@pytest.fixture(params=["torch", "keras", "tf_keras"])
def framework(request):
    return request.param
