"""Muon: orthogonalized momentum for the inner kernels of a network, Adam for all other variables."""

from __future__ import annotations

import tensorflow as tf

from tfgan_app.training.fused_adam import FusedAdam

NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
NEWTON_SCHULZ_STEPS = 5


class Muon(FusedAdam):
    """Adam, with orthogonalized momentum (singular values of about 1) for square convolution kernels.

    Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks"
    (https://kellerjordan.github.io/posts/muon/). A kernel `[rows, columns, inputs, outputs]` is taken as the matrix
    `[outputs, rows * columns * inputs]`. `keras.optimizers.Muon` takes matrices only, no convolution kernels.
    Deviation: it applies to kernels with equal numbers of inputs and outputs, at least `LEAST_CHANNELS`, except the
    first and the last kernel of the network; all else is left to Adam.

    Args:
        learning_rate: Schedule of Adam's rate.
        kernel_rate: Peak rate of the kernels over that of Adam. A step changes a kernel by a matrix of this norm.
        momentum: Decay of the kernels' momentum, which looks ahead (Nesterov).
        **options: Options of `keras.optimizers.Adam`.
    """

    LEAST_CHANNELS = 16

    def __init__(self, learning_rate, *, kernel_rate: float, momentum: float = 0.95, **options):
        super().__init__(learning_rate, **options)
        self.kernel_rate = kernel_rate
        self.momentum = momentum

    def update_step(self, gradient, variable, learning_rate):
        """Updates one variable, by Muon or by Adam."""
        if not self.takes(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self._momentums[self._get_variable_index(variable)]
        gradient = tf.cast(gradient, tf.float32)
        self.assign(momentum, self.momentum * momentum + gradient)
        ahead = gradient + self.momentum * tf.convert_to_tensor(momentum)
        outputs = variable.shape[-1]
        matrix = tf.transpose(tf.reshape(ahead, [-1, outputs]))
        step = tf.reshape(tf.transpose(orthogonalized(matrix)), variable.shape)
        self.assign_sub(variable, tf.cast(learning_rate * self.kernel_rate, tf.float32) * step)

    def build(self, variables):
        """Builds the slots of the variables, in the order of their layers.

        Raises:
            ValueError: If none of them is a kernel with orthogonalized updates.
        """
        kernels = [index for index, variable in enumerate(variables) if len(variable.shape) == 4]
        shapes = {index: tuple(variables[index].shape) for index in kernels[1:-1]}
        self._taken = {index for index, shape in shapes.items() if shape[2] == shape[3] >= self.LEAST_CHANNELS}
        if not self._taken:
            raise ValueError(
                "`muon_learning_rate` needs a network with square convolution kernels of at least "
                f"{self.LEAST_CHANNELS} channels between its ends. Received one without: leave it out."
            )
        super().build(variables)

    def takes(self, variable) -> bool:
        """Whether a variable is a kernel with orthogonalized updates."""
        return self._get_variable_index(variable) in self._taken

    def get_config(self):
        return {**super().get_config(), "kernel_rate": self.kernel_rate, "momentum": self.momentum}


def orthogonalized(matrix: tf.Tensor) -> tf.Tensor:
    """Moves all singular values close to 1, by a quintic Newton-Schulz iteration.

    Args:
        matrix: float32 `[rows, columns]`, not more rows than columns.

    Returns:
        float32 of the same shape, with singular values between about 0.7 and 1.2, except tiny ones.
    """
    a, b, c = NEWTON_SCHULZ
    x = matrix / (tf.norm(matrix) + 1e-7)
    for _ in range(NEWTON_SCHULZ_STEPS):
        squared = tf.matmul(x, x, transpose_b=True)
        x = a * x + tf.matmul(b * squared + c * tf.matmul(squared, squared), x)
    return x
