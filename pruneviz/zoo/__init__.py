"""The course's networks in PyTorch, Keras 3 and tf_keras, from one set of trained weights each.

All take images in [0, 1] and return ten logits: resnet_20 colour images, (n, 3, 32, 32) in PyTorch and
(n, 32, 32, 3) in Keras, the others grey ones, (n, 1, 28, 28) and (n, 28, 28, 1). Twins have the same layer
names, and every index of a weight means the same in both.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from safetensors.numpy import load_file

from pruneviz.zoo.modelcards import Card, card

if TYPE_CHECKING:
    from pruneviz.core.arrays import Array

__all__ = ["Card", "card", "lenet_5", "lenet_5_bn", "lenet_300_100", "mnist_cnn", "resnet_20", "tiny_cnn"]

Framework: TypeAlias = Literal["torch", "keras", "tf_keras"]

_EXTRA = {"torch": "torch", "keras": "tensorflow", "tf_keras": "tensorflow"}
_WEIGHTS = Path(__file__).parent / "weights"


def lenet_300_100(framework: Framework, pretrained: bool = True) -> Any:  # noqa: ANN401  (one type a framework)
    """LeNet-300-100 [1]_: fully connected layers of 300, 100 and 10 units; 266,610 parameters.

    Parameters
    ----------
    framework : {"torch", "keras", "tf_keras"}
        What to build it in.
    pretrained : bool
        Load the trained weights; otherwise the framework initialises them, from its own seed.

    Returns
    -------
    torch.nn.Sequential or Sequential of Keras
        Layers fc1, fc2, fc3. A PyTorch network is in eval mode.

    Raises
    ------
    ValueError
        If `framework` is none of these.
    ImportError
        If the framework is not installed, or cannot be loaded next to the other one.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE 86(11), 1998.
    """
    return _build("lenet_300_100", framework, pretrained)


def lenet_5(framework: Framework, pretrained: bool = True) -> Any:  # noqa: ANN401
    """LeNet-5 [1]_ with ReLU and max pooling: 6 and 16 filters, 120, 84, 10 units; 61,706 parameters.

    Parameters and errors are those of `lenet_300_100`.

    Returns
    -------
    torch.nn.Sequential or Sequential of Keras
        Layers conv1, conv2, fc1, fc2, fc3.

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio and P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE 86(11), 1998.
    """
    return _build("lenet_5", framework, pretrained)


def lenet_5_bn(framework: Framework, pretrained: bool = True) -> Any:  # noqa: ANN401
    """LeNet-5 with batch normalisation [1]_ after each convolution; 61,728 parameters.

    Parameters and errors are those of `lenet_300_100`.

    Returns
    -------
    torch.nn.Sequential or Sequential of Keras
        Layers conv1, bn1, conv2, bn2, fc1, fc2, fc3; the convolutions have no bias.

    Notes
    -----
    When trained, the frameworks' moving variances differ slightly: PyTorch, and tf_keras for
    images, average the unbiased variance of a batch, Keras 3 the biased one.

    References
    ----------
    .. [1] S. Ioffe and C. Szegedy, "Batch normalization: accelerating deep network training by reducing
       internal covariate shift", International Conference on Machine Learning, 2015.
    """
    return _build("lenet_5_bn", framework, pretrained)


def mnist_cnn(framework: Framework, pretrained: bool = True) -> Any:  # noqa: ANN401
    """Wide network for digits: 32 and 64 filters of 3 × 3, 1,024 and 10 units; 3,241,354 parameters.

    Parameters and errors are those of `lenet_300_100`.

    Returns
    -------
    torch.nn.Sequential or Sequential of Keras
        Layers conv1, conv2, fc1, fc2.
    """
    return _build("mnist_cnn", framework, pretrained)


def tiny_cnn(framework: Framework, pretrained: bool = True) -> Any:  # noqa: ANN401
    """Small network for digits: 12 filters of 3 × 3 and 10 units; 20,410 parameters.

    Parameters and errors are those of `lenet_300_100`.

    Returns
    -------
    torch.nn.Sequential or Sequential of Keras
        Layers conv1, fc1.
    """
    return _build("tiny_cnn", framework, pretrained)


def resnet_20(framework: Framework, pretrained: bool = True) -> Any:  # noqa: ANN401
    """ResNet-20 [1]_ for CIFAR-10: nine residual blocks of 16, 32 and 64 filters; 272,474 parameters.

    Parameters and errors are those of `lenet_300_100`.

    Returns
    -------
    torch.nn.Sequential or Functional model of Keras
        Layers conv1, bn1; block1 to block9, each with conv1, bn1, conv2, bn2, named "block1.conv1"; fc. A
        PyTorch block is a module, ``model.block1.conv1``; a Keras model is flat, and
        ``model.get_layer("block1.conv1")`` finds the layer.

    Notes
    -----
    Where the width doubles, in block4 and block7, the shortcut is a convolution of 1 × 1 with batch
    normalisation, "block4.shortcut" and "block4.shortcut_bn" (option B of [1]_). The paper's own choice for
    CIFAR-10, zeros for the new channels (option A), has 2,752 parameters less. It also puts two channels of
    different stages at the same place of a sum, and so ties them; here the filters of a stage are tied among
    themselves only.

    References
    ----------
    .. [1] K. He, X. Zhang, S. Ren and J. Sun, "Deep residual learning for image recognition", Conference on
       Computer Vision and Pattern Recognition, 2016.
    """
    return _build("resnet_20", framework, pretrained)


def _build(name: str, framework: str, pretrained: bool) -> Any:  # noqa: ANN401
    if framework not in _EXTRA:
        raise ValueError(f'framework is {framework!r}: choose "torch", "keras" or "tf_keras"')
    _check_installed(framework)
    _check_mixing(framework)
    weights = _weights(name) if pretrained else None
    if framework == "torch":
        return importlib.import_module("pruneviz.zoo.torch").build(name, weights)
    return importlib.import_module("pruneviz.zoo.keras").build(name, weights, framework)


def _check_installed(framework: str) -> None:
    for package in {"torch": ["torch"]}.get(framework, [framework, "tensorflow"]):
        if package not in sys.modules and importlib.util.find_spec(package) is None:
            raise ImportError(f'{package} is not installed: pip install "pruneviz[{_EXTRA[framework]}]"')


def _check_mixing(framework: str) -> None:
    """See to it that PyTorch's compiler is loaded before TensorFlow: the other order ends the process."""
    if framework == "torch" and "tensorflow" in sys.modules and "torch._dynamo" not in sys.modules:
        raise ImportError(
            "TensorFlow is already loaded, and PyTorch after it may end Python: use one framework a "
            "process, or start the program with `import torch._dynamo`"
        )
    if framework != "torch" and "torch" in sys.modules and "tensorflow" not in sys.modules:
        importlib.import_module("torch._dynamo")


def _weights(name: str) -> dict[str, Array]:
    """Return the trained arrays, named and laid out as in PyTorch, as float32."""
    stored = load_file(_WEIGHTS / f"{name}.safetensors")
    return {key: array.astype(np.float32) for key, array in stored.items()}
