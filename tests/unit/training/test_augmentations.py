"""Batched augmentation does what one image at a time would, in every layout and type."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from prunectl.catalog.augmentation import Augmentation
from prunectl.training import augment
from prunectl.training.augmentations.flip import Flip
from prunectl.training.augmentations.pad_crop import PadCrop
from prunectl.training.augmentations.random_resized_crop import RandomResizedCrop

EVERY: list[Augmentation] = [PadCrop(), PadCrop(pad=2, mode="reflect"), Flip()]


def draws(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def augmented(augmentation: Augmentation, images_NCHW: Tensor, generator: torch.Generator) -> Tensor:
    return augmentation.apply(images_NCHW, augmentation.draw(len(images_NCHW), generator))


def images(count: int = 40, channels: int = 3, height: int = 7, width: int = 9) -> Tensor:
    return torch.randint(0, 256, (count, channels, height, width), generator=draws(9)).to(torch.uint8)


@pytest.mark.parametrize(("mode", "padding"), [("zeros", "constant"), ("reflect", "reflect")])
@pytest.mark.parametrize("pad", [1, 4, 6])
def test_pad_crop_is_numpys_padding_and_a_window_of_each_image(mode: str, padding: str, pad: int) -> None:
    batch = images()
    got = augmented(PadCrop.model_validate({"pad": pad, "mode": mode}), batch, draws())
    offsets = torch.randint(2 * pad + 1, (2, 40), generator=draws()).tolist()
    for image, row, column, out in zip(batch, *offsets, got, strict=True):
        padded = np.pad(image.numpy(), ((0, 0), (pad, pad), (pad, pad)), mode=padding)  # type: ignore[call-overload]
        assert np.array_equal(out.numpy(), padded[:, row : row + 7, column : column + 9])


@pytest.mark.parametrize("p", [0.5, 0.2, 1.0])
def test_flip_mirrors_the_images_whose_draw_is_below_p(p: float) -> None:
    batch = images()
    mirrored = torch.rand(40, generator=draws()) < p
    for image, flipped, out in zip(batch, mirrored, augmented(Flip(p=p), batch, draws()), strict=True):
        assert torch.equal(out, image[:, :, torch.arange(8, -1, -1)] if flipped else image)


def test_all_shifts_are_equally_likely() -> None:
    count = 20_000  # with the centre of 5×5 lit, which stays inside whatever the shift
    batch = torch.zeros(count, 1, 5, 5)
    batch[:, :, 2, 2] = 1
    out = augmented(PadCrop(pad=2), batch, draws())[:, 0]
    found = torch.stack([out[:, row, column] for row in range(5) for column in range(5)]).sum(1)
    expected = count / 25
    chi_squared = float(((found - expected) ** 2 / expected).sum())
    assert int(found.sum()) == count
    assert chi_squared < 51.2  # the 0.1 % quantile of 24 degrees of freedom


@pytest.mark.parametrize("augmentation", EVERY, ids=repr)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_layout_and_type_are_kept_and_change_nothing(
    augmentation: Augmentation, channels: int, dtype: torch.dtype
) -> None:
    batch = images(channels=channels).to(dtype)
    plain = augmented(augmentation, batch, draws())
    last = augmented(augmentation, batch.contiguous(memory_format=torch.channels_last), draws())
    assert plain.dtype == last.dtype == dtype
    assert torch.equal(plain, last)
    assert plain.is_contiguous()
    assert last.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("augmentation", EVERY, ids=repr)
def test_draws_come_from_the_generator_alone_and_the_images_stay(augmentation: Augmentation) -> None:
    batch = images()
    before, state = batch.clone(), torch.get_rng_state()
    first, again, other = (augmented(augmentation, batch, draws(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again) and not torch.equal(first, other)
    assert torch.equal(batch, before) and torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("augmentation", EVERY, ids=repr)
def test_part_of_a_larger_tensor_is_augmented_as_if_alone(augmentation: Augmentation) -> None:
    everything = images()
    part = augmented(augmentation, everything[7:19], draws())
    assert torch.equal(part, augmented(augmentation, everything[7:19].clone(), draws()))


def test_a_reflection_wider_than_the_image_is_refused() -> None:
    too_wide = PadCrop(pad=7, mode="reflect")
    assert "cannot be reflected in images of 7x9" in (too_wide.refusal((3, 7, 9)) or "")
    assert PadCrop(pad=6, mode="reflect").refusal((3, 7, 9)) is None
    assert PadCrop(pad=7).refusal((3, 7, 9)) is None
    with pytest.raises(ValueError, match="a reflection by 7 needs more than 7 pixels"):
        augmented(too_wide, images(), draws())


@pytest.mark.parametrize("table", [{"pad": 0}, {"pad": 4, "mode": "wrap"}, {"size": 4}])
def test_parameters_out_of_range_are_refused(table: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="for PadCrop"):
        PadCrop.model_validate(table)


def test_what_only_cuts_leaves_batches_as_they_are() -> None:
    images = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    assert augmented(RandomResizedCrop(), images, torch.Generator()) is images


def test_plug_ins_find_all_augmentations_under_one_name() -> None:
    assert [getattr(augment, kind.__name__) for kind in (Augmentation, Flip, PadCrop, RandomResizedCrop)] == [
        Augmentation, Flip, PadCrop, RandomResizedCrop,
    ]  # fmt: skip
