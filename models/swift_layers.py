"""The layers of ST-RAN as TensorFlow computes them fastest on a processor: no batch, sizes known beforehand.

Every tensor is (phase, slice, row, column, channel). `tf` is the TensorFlow module, loaded by whoever asks.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.fourier import products

Array = NDArray[np.float32]

_STRIPS: Final = 8
"""Of the stem's planes: a strip of all phases and slices takes 6 MB at 16 channels: it stays in the cache."""
_SMALL_PLANE: Final = 8
"""Planes up to so many pixels wide go through their spectrum; in larger ones the transform costs more."""
_MANY_CHANNELS: Final = 32
"""From so many on, the products saved over the phases outweigh the transforms."""


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """A convolution or dense map: `kernel` (*taps, input channel, output channel), and a bias per channel."""

    kernel: Array
    bias: Array

    def scaled(self, factor: Array, shift: Array) -> "Linear":
        """What gives `factor` times the output, plus `shift`."""
        return Linear(self.kernel * factor, self.bias * factor + shift)

    def centred(self) -> "Linear":
        """What gives the output less its mean over the channels."""
        return Linear(self.kernel - self.kernel.mean(-1, keepdims=True), self.bias - self.bias.mean())


@dataclass(frozen=True, slots=True, eq=False)
class Gate:
    """One weight per voxel and phase: 2 sigmoid(score(relu(hidden(x)))), as `models.layers.AttentionGate`."""

    hidden: Linear
    score: Linear

    def __call__(self, tf: Any, x: Any) -> Any:
        hidden = tf.nn.relu(dense(tf, x, self.hidden))
        return 2.0 * tf.sigmoid(dense(tf, hidden, self.score))


@dataclass(frozen=True, slots=True, eq=False)
class Norm:
    """A layer norm over channels; `gamma` is folded into the map before it, which is centred."""

    gamma: Array
    beta: Array
    epsilon: float

    def folded(self, before: Linear) -> Linear:
        """The map to be computed before this."""
        return before.centred().scaled(self.gamma, np.zeros_like(self.gamma))

    def __call__(self, tf: Any, x: Any) -> Any:
        """The norm of what `folded` gave; the mean square undoes `gamma`."""
        share = (1.0 / (np.square(self.gamma) * len(self.gamma))).astype(np.float32)
        square = matrix(tf, tf.square(x), share[:, None])
        return x * tf.math.rsqrt(square + self.epsilon) + self.beta


def matrix(tf: Any, x: Any, kernel: Array) -> Any:
    """`x` times a matrix over its channels."""
    return tf.reshape(
        tf.matmul(tf.reshape(x, (-1, kernel.shape[0])), kernel), (*x.shape[:-1], kernel.shape[1])
    )


def dense(tf: Any, x: Any, linear: Linear) -> Any:
    """The same linear map at every voxel and phase."""
    inputs, outputs = linear.kernel.shape
    flat = tf.nn.bias_add(tf.matmul(tf.reshape(x, (-1, inputs)), linear.kernel), linear.bias)
    return tf.reshape(flat, (*x.shape[:-1], outputs))


def halved(tf: Any, x: Any) -> Any:
    """The mean of each 2 x 2 block of a plane."""
    phases, slices, rows, columns, channels = x.shape
    planes = tf.nn.avg_pool2d(tf.reshape(x, (-1, rows, columns, channels)), 2, 2, "VALID")
    return tf.reshape(planes, (phases, slices, rows // 2, columns // 2, channels))


def stem(tf: Any, cine: Any, gate: Gate, space: Linear, time: Linear) -> Any:
    """The first gate, both convolutions, ReLU and halving of (phase, slice, row, column, 1), strip by strip.

    Where the zeros about the image lie, the gated image is zero too.
    """
    padded = tf.pad(cine, ((0, 0), (1, 1), (1, 1), (1, 1), (0, 0)))
    height = cine.shape[2] // _STRIPS
    strips = []
    for top in range(0, cine.shape[2], height):
        strip = padded[:, :, top : top + height + 2]
        strip = tf.nn.conv3d(strip * gate(tf, strip), space.kernel, [1] * 5, "VALID")
        strip = tf.nn.bias_add(strip, space.bias)
        strips.append(halved(tf, tf.nn.relu(_direct_over_time(tf, strip, time))))
    return tf.concat(strips, 2)


def over_space(tf: Any, x: Any, linear: Linear) -> Any:
    """3 x 3 x 3 over (slice, row, column)."""
    if max(x.shape[2:4]) <= _SMALL_PLANE:
        return _spectral_over_space(tf, x, linear)
    return tf.nn.bias_add(tf.nn.conv3d(x, linear.kernel, [1] * 5, "SAME"), linear.bias)


def over_time(tf: Any, x: Any, linear: Linear) -> Any:
    """Taps over the phases."""
    if linear.kernel.shape[-1] >= _MANY_CHANNELS:
        return _spectral_over_time(tf, x, linear)
    return _direct_over_time(tf, x, linear)


def _direct_over_time(tf: Any, x: Any, linear: Linear) -> Any:
    phases, *places, channels = x.shape
    curves = tf.reshape(x, (1, phases, -1, channels))
    y = tf.nn.bias_add(tf.nn.conv2d(curves, linear.kernel, 1, "SAME"), linear.bias)
    return tf.reshape(y, (phases, *places, linear.kernel.shape[-1]))


def _spectral_over_time(tf: Any, x: Any, linear: Linear) -> Any:
    phases, *places, channels = x.shape
    parts = products(linear.kernel[:, 0], [phases])
    taken = tf.matmul(parts.analysis, tf.reshape(x, (phases, -1)))
    made = tf.matmul(tf.reshape(taken, (len(parts.kernels), -1, channels)), _held_once(tf, parts.kernels))
    y = tf.matmul(parts.synthesis, tf.reshape(made, (len(parts.kernels), -1)))
    return tf.nn.bias_add(tf.reshape(y, (phases, *places, linear.kernel.shape[-1])), linear.bias)


def _spectral_over_space(tf: Any, x: Any, linear: Linear) -> Any:
    """The planes by their spectrum; slice by slice directly, as neighbours side by side in the channels."""
    phases, slices, rows, columns, channels = x.shape
    # (slice tap, row tap, column tap, in, out) to (row tap, column tap, slice tap and in, out)
    taps, outputs = len(linear.kernel), linear.kernel.shape[-1]
    kernel = np.moveaxis(linear.kernel, 0, 2).reshape(3, 3, taps * channels, outputs)
    parts = products(kernel, [rows, columns])
    pixels = tf.transpose(tf.reshape(x, (phases * slices, rows * columns, channels)), (1, 0, 2))
    taken = tf.matmul(parts.analysis, tf.reshape(pixels, (rows * columns, -1)))
    taken = tf.reshape(taken, (-1, phases, slices, channels))
    padded = tf.pad(taken, ((0, 0), (0, 0), (1, 1), (0, 0)))
    beside = tf.concat([padded[:, :, first : first + slices] for first in range(taps)], -1)
    beside = tf.reshape(beside, (-1, phases * slices, taps * channels))
    made = tf.matmul(beside, _held_once(tf, parts.kernels))
    y = tf.matmul(parts.synthesis, tf.reshape(made, (len(parts.kernels), -1)))
    back = tf.transpose(tf.reshape(y, (rows * columns, phases * slices, outputs)), (1, 0, 2))
    return tf.nn.bias_add(tf.reshape(back, (phases, slices, rows, columns, outputs)), linear.bias)


def _held_once(tf: Any, numbers: Array) -> Any:
    """A large constant beside the graph: within it, TensorFlow keeps half a dozen copies."""
    with tf.init_scope():
        return tf.constant(numbers)
