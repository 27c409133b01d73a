"""What every test needs before it imports a framework."""

import torch._dynamo  # noqa: I001  # before TensorFlow, or LLVM is registered twice and the process aborts

import os

os.environ |= {"CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3", "TQDM_DISABLE": "1"}

import pytest
import tensorflow as tf
import torch
from hypothesis import HealthCheck, settings

pytest.register_assert_rewrite("lab", "live")  # their assertions explain themselves too
torch.set_num_threads(1)  # the networks are small, and several test processes may share the machine
tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
settings.register_profile(
    "pruneviz",
    deadline=None,
    derandomize=True,
    max_examples=20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("pruneviz")


@pytest.fixture(params=["torch", "keras", "tf_keras"])
def framework(request):
    return request.param
