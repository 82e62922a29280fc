"""MNIST without the border of its images, for `cropped_mnist_lenet300.toml`."""

from prunectl import Arrays
from prunectl.datasets.mnist import Mnist


class Cropped(Mnist):
    """MNIST, `border` pixels less on each of the four sides: 0 gives MNIST as it is, 4 gives 20x20 pixels.

    Pixels are normalized like those of the whole images, so that only the border is missing.
    """

    border: int = 4
    fingerprint = None

    @property
    def shape(self):
        """One channel, and what is left of 28 by 28 pixels."""
        side = 28 - 2 * self.border
        return (1, side, side)

    def arrays(self, root):
        """The images in their published order, cropped."""
        whole = Mnist().arrays(root)  # whose shape is the whole one
        kept = slice(self.border, 28 - self.border)
        return Arrays(
            train_images=whole.train_images[:, :, kept, kept].copy(),
            train_labels=whole.train_labels,
            test_images=whole.test_images[:, :, kept, kept].copy(),
            test_labels=whole.test_labels,
        )
