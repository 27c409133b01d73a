"""Networks and data that no lesson has seen, for the scripts of "Now yours": scikit-learn's 8 × 8 digits."""

import numpy as np
from sklearn.datasets import load_digits


def _data(*, flat):
    digits = load_digits()
    x = (digits.images / 16).astype("float32")
    return (x.reshape(len(x), -1) if flat else x[..., None]), digits.target.astype("int64")


def _torch(x, y, model):
    import torch  # noqa: PLC0415

    images = torch.from_numpy(x)
    return model, images.movedim(-1, 1).contiguous() if images.ndim == 4 else images, torch.from_numpy(y)


def dense(track):
    """Give three dense layers, and the digits as rows of 64."""
    x, y = _data(flat=True)
    if track == "pytorch":
        from torch import nn  # noqa: PLC0415

        layers = nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 10)
        return _trained_torch(*_torch(x, y, nn.Sequential(*layers)))
    import keras  # noqa: PLC0415

    sizes = (keras.layers.Dense(48, "relu"), keras.layers.Dense(24, "relu"), keras.layers.Dense(10))
    return _trained_keras(keras.Sequential([keras.layers.Input((64,)), *sizes]), x, y)


def convolutional(track):
    """Give two convolutions with batch normalisation and a dense layer, and the digits as pictures."""
    x, y = _data(flat=False)
    if track == "pytorch":
        from torch import nn  # noqa: PLC0415

        first = nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12), nn.ReLU()
        second = nn.Conv2d(12, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU()
        end = nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(64, 10)
        return _trained_torch(*_torch(x, y, nn.Sequential(*first, *second, *end)))
    import keras  # noqa: PLC0415

    layers = keras.layers
    blocks = [
        layer
        for filters in (12, 16)
        for layer in (
            layers.Conv2D(filters, 3, padding="same"),
            layers.BatchNormalization(momentum=0.9),
            layers.ReLU(),
        )
    ]
    end = (layers.MaxPooling2D(4), layers.Flatten(), layers.Dense(10))
    return _trained_keras(keras.Sequential([layers.Input((8, 8, 1)), *blocks, *end]), x, y)


def residual(track):
    """Give a small residual network with batch normalisation, and the digits as pictures."""
    x, y = _data(flat=False)
    if track == "pytorch":
        return _trained_torch(*_torch(x, y, _residual_torch()))
    import keras  # noqa: PLC0415

    layers = keras.layers
    image = layers.Input((8, 8, 1))
    wire = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Conv2D(12, 3, padding="same")(image)))
    inner = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(layers.Conv2D(16, 3, padding="same")(wire)))
    inner = layers.BatchNormalization(momentum=0.9)(layers.Conv2D(12, 3, padding="same")(inner))
    pooled = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add()([wire, inner])))
    return _trained_keras(keras.Model(image, layers.Dense(10)(pooled)), x, y)


def _residual_torch():
    from torch import nn  # noqa: PLC0415

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv1, self.bn1 = nn.Conv2d(1, 12, 3, padding=1), nn.BatchNorm2d(12)
            self.conv2, self.bn2 = nn.Conv2d(12, 16, 3, padding=1), nn.BatchNorm2d(16)
            self.conv3, self.bn3 = nn.Conv2d(16, 12, 3, padding=1), nn.BatchNorm2d(12)
            self.head = nn.Linear(12, 10)

        def forward(self, x):
            wire = self.bn1(self.conv1(x)).relu()
            inner = self.bn2(self.conv2(wire)).relu()
            return self.head((wire + self.bn3(self.conv3(inner))).relu().mean((2, 3)))

    return Residual()


def _trained_torch(model, x, y, epochs=6):
    import torch  # noqa: PLC0415

    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    for _ in range(epochs):
        for part in torch.randperm(len(x)).split(128):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x[part]), y[part]).backward()
            optimizer.step()
    return model.eval(), x, y


def _trained_keras(model, x, y, epochs=6):
    import keras  # noqa: PLC0415

    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(1e-2), loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=128, epochs=epochs, verbose=0)
    return model, np.asarray(x), np.asarray(y)
