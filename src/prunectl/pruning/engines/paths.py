"""Which kept weights lie on a path from the input to an output."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from prunectl.base.operations import Operation, Recording, UncountedError, record, storage_of
from prunectl.pruning.engines.reach import RULES, Given, binary, unknown

SAME_PLACES = frozenset({"clone", "_to_copy", "mul", "div", "neg", "abs", "lift_fresh", "detach"})
"""Operations after which a pruned weight is still zero, at its place (`mul` and `div`: by a constant)."""

NO_VALUES = frozenset({
    "empty", "zeros", "ones", "full", "empty_like", "zeros_like", "ones_like", "full_like", "new_empty", "new_zeros",
    "new_ones", "new_full", "new_empty_strided", "empty_strided",
})  # fmt: skip
"""Operations that make a tensor without looking at the values of another. Activations may be written into it."""


def effective(network: nn.Module, masks: Mapping[str, Tensor], shape: tuple[int, int, int]) -> dict[str, Tensor]:
    """Which kept weights lie on a path of kept weights from the input to an output: bool, shaped as the masks.

    The operations of one forward pass are recorded, and repeated on ones and zeros: the image is ones, weights are
    their masks, and every result is 1 where it depends on the image (`reach.py` has what that means for each
    operation). A weight is on a path exactly if the gradient of the summed output in it is not zero.
    Raises UncountedError for a network with an operation of which that is not known.
    """
    recording = record(network, shape, whole=RULES)
    try:
        return _Walk(recording, masks).effective()
    except (UncountedError, MemoryError):
        raise
    except Exception as error:  # a rule that does not fit how torch was called must not cost the mask
        raise UncountedError(f"the operations of the network cannot be followed: {error}") from error


class _Walk:
    """Repeats a recording on ones and zeros. Tensors are known by identity: the recording keeps them all."""

    def __init__(self, recording: Recording, masks: Mapping[str, Tensor]) -> None:
        self.recording, self.masks = recording, masks
        self.leaves: dict[int, Tensor] = {}
        """Prunable weights: their masks, as numbers that autograd follows."""
        for name, mask in masks.items():
            place = id(recording.parameters[name])
            self.leaves[place] = mask.cpu().float() * self.leaves.get(place, 1)  # tied: what both keep
        self.weights = {place: leaf.requires_grad_() for place, leaf in self.leaves.items()}
        """The same, with everything that weights were brought into before their use."""
        self.held = {storage_of(recording.parameters[name]) for name in masks}
        """The storages of all of these."""
        self.learned = {storage_of(parameter) for parameter in recording.parameters.values()} - self.held
        """Storages of other parameters, and of what depends on them alone: training gives them their values."""
        self.reached: dict[int, Tensor] = {id(recording.image): torch.ones_like(recording.image)}
        """Activations, and memory made for them: 1 where they depend on the image."""
        self.live: set[int] = set()
        """Storages that activations have been written to."""
        self.sharing: defaultdict[int, set[int]] = defaultdict(set)
        """The tensors of each storage of activations."""
        self.unclear: set[int] = set()
        """Further outputs of operations, such as the indices of maxima."""
        self._know(recording.image, self.reached[id(recording.image)], live=True)
        self.given = Given(is_live=self._is_live, reached=self._reached, factor=self._factor)

    def effective(self) -> dict[str, Tensor]:
        """The masks, without what is on no path."""
        for operation in self.recording.operations:
            self._repeat(operation)
        output = self.recording.output
        if not isinstance(output, Tensor) or not self._is_live(output):
            raise UncountedError("no operation that is known leads from the image to the output")
        leaves = list(self.leaves.values())
        gradients = torch.autograd.grad(self._reached(output).sum(), leaves, allow_unused=True)
        on_path = {
            place: torch.zeros(leaf.shape, dtype=torch.bool) if gradient is None else (leaf > 0.5) & (gradient > 0.5)
            for (place, leaf), gradient in zip(self.leaves.items(), gradients, strict=True)
        }
        return {name: on_path[id(self.recording.parameters[name])] for name in self.masks}

    def _repeat(self, operation: Operation) -> None:
        inputs = operation.inputs
        if any(id(tensor) in self.unclear or self._is_stranger(tensor) for tensor in inputs):
            raise unknown(operation)
        if operation.base in NO_VALUES:
            for output in operation.outputs:
                self._know(output, torch.zeros(output.shape), live=False)
        elif any(self._is_live(tensor) for tensor in inputs):
            self._activation(operation)
        elif any(id(tensor) in self.weights for tensor in inputs):
            self._weight(operation)
        elif operation.is_view and id(inputs[0]) in self.reached:
            self._view(operation, live=False)
        elif any(storage_of(tensor) in self.learned for tensor in inputs):
            self.learned.update(map(storage_of, operation.outputs))

    def _activation(self, operation: Operation) -> None:
        """An operation on what depends on the image."""
        rule = RULES.get(operation.base)
        if rule is None and operation.is_view:
            self._view(operation, live=True)
            return
        if rule is None or any(id(tensor) in self.weights for tensor in operation.changed):
            raise unknown(operation)
        self._no_weights_but_factors(operation)
        reached = binary(rule(operation, self.given))
        if operation.changed:
            self._write(operation, reached)
            return
        first, *others = operation.outputs
        self._know(first, reached, live=True)
        self.unclear.update(map(id, others))

    def _no_weights_but_factors(self, operation: Operation) -> None:
        """Raise UncountedError where a weight is used otherwise than multiplied, such as added."""
        factors = {
            "mul": 2,
            "mm": 2,
            "addmm": 2,
            "bmm": 2,
            "baddbmm": 2,
            "mv": 2,
            "addmv": 2,
            "dot": 2,
            "convolution": 2,
        }
        weights = [tensor for tensor in operation.inputs if id(tensor) in self.weights]
        if not weights:
            return
        place = slice(0, 2) if operation.base in ("mul", "convolution") else slice(-2, None)
        allowed = operation.inputs[place] if operation.base in factors else []
        if any(all(weight is not tensor for tensor in allowed) for weight in weights):
            raise unknown(operation)

    def _view(self, operation: Operation, *, live: bool) -> None:
        """Views of activations share their memory here, too: what is written into one is in the other."""
        views = self._repeated(operation, self.reached)
        for output, view in zip(operation.outputs, views, strict=True):
            self._know(output, view, live=live)

    def _repeated(self, operation: Operation, known: Mapping[int, Tensor]) -> list[Tensor]:
        source = operation.inputs[0]
        if any(output.dtype != source.dtype for output in operation.outputs):
            raise unknown(operation)
        given = [known[id(value)] if isinstance(value, Tensor) else value for value in operation.args]
        views = operation.function(*given, **operation.kwargs)
        return [views] if isinstance(views, Tensor) else list(views)

    def _weight(self, operation: Operation) -> None:
        """Weights before they are used: as they are, in another shape, scaled, or several in one."""
        if operation.changed or not operation.outputs:
            raise unknown(operation)
        if operation.base in SAME_PLACES:
            weight, *others = [tensor for tensor in operation.inputs if id(tensor) in self.weights]
            if (
                others
                or weight.shape != operation.outputs[0].shape
                or (operation.base == "div" and weight is not operation.inputs[0])
            ):
                raise unknown(operation)
            made = [self.weights[id(weight)]]
        elif operation.is_view:
            made = self._repeated(operation, self.weights)
        elif operation.base in ("cat", "stack"):
            pieces = [self._factor(tensor) for tensor in operation.inputs]
            made = [operation.function(pieces, *operation.args[1:], **operation.kwargs)]
        else:
            raise unknown(operation)
        self.held.update(map(storage_of, operation.outputs))
        self.weights |= {id(output): weight for output, weight in zip(operation.outputs, made, strict=True)}

    def _write(self, operation: Operation, reached: Tensor) -> None:
        """Change a tensor in place, and with it all that share its memory."""
        for target in operation.changed:
            place = storage_of(target)
            if id(target) not in self.reached:
                raise unknown(operation)
            if len(self.sharing[place]) > 1:
                self.reached[id(target)].copy_(reached)
                self.live.add(place)
            else:
                self._know(target, reached, live=True)

    def _know(self, tensor: Tensor, reached: Tensor, *, live: bool) -> None:
        """Note where a tensor depends on the image, laid out in memory as the tensor is, so that views fit."""
        if reached.stride() != tensor.stride() and 0 not in tensor.stride() and not reached._is_view():
            reached = torch.empty_strided(tensor.size(), tensor.stride()).copy_(reached)
        self.reached[id(tensor)] = reached
        self.sharing[storage_of(tensor)].add(id(tensor))
        if live:
            self.live.add(storage_of(tensor))

    def _is_live(self, tensor: Tensor) -> bool:
        return storage_of(tensor) in self.live

    def _is_stranger(self, tensor: Tensor) -> bool:
        """Whether it shares the memory of activations or weights, and no operation made it (`tensor.data`)."""
        known = id(tensor) in self.reached or id(tensor) in self.weights
        return not known and (self._is_live(tensor) or storage_of(tensor) in self.held)

    def _reached(self, tensor: Tensor) -> Tensor:
        known = self.reached.get(id(tensor))
        return torch.zeros(tensor.shape) if known is None else known

    def _factor(self, tensor: Tensor) -> Tensor:
        if self._is_live(tensor):
            return self._reached(tensor)
        if id(tensor) in self.weights:
            return self.weights[id(tensor)]
        if storage_of(tensor) in self.learned:
            return torch.ones(tensor.shape)
        return (tensor != 0).float()
