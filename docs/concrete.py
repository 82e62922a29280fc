"""A search for a ticket with a Concrete relaxation of the mask: `prunectl judge concrete.py` judges it.

After Arora and Teuscher (2025), Concrete Ticket Search (arXiv:2512.07142), with its objective CTS-KL: the mask, not the
weights, is trained, so that the outputs of the sparse network come close to those of the dense one at initialization.
Its balance of gradients is written here in the simplest way that holds a density, so results are not the paper's.
"""

import torch
from torch.func import functional_call
from torch.nn.functional import kl_div, log_softmax

from prunectl import DataCriterion


class Concrete(DataCriterion):
    """Logits of the gates of all weights, trained for `steps` at frozen weights; the lowest go."""

    batches: int = 10
    """Batches of 10 images of each class, looked at in turn."""
    steps: int = 200
    density: float = 0.1
    """The share of gates that the search leaves open."""
    temperature: float = 2 / 3
    lr: float = 0.1

    def score(self, subject):
        """The logit of each weight's gate."""
        for weight in subject.network.parameters():
            weight.requires_grad_(False)
        with torch.no_grad():
            dense = [log_softmax(subject.network(images), 1) for images, _ in subject.batches]
        logits = {name: torch.full_like(weight, 1.0, requires_grad=True) for name, weight in subject.weights.items()}
        optimizer = torch.optim.Adam(logits.values(), lr=self.lr)
        for step in range(self.steps):
            at = step % len(subject.batches)
            gates = {name: self._gate(logit, subject.generator) for name, logit in logits.items()}
            masked = {name: weight * gates[name] for name, weight in subject.weights.items()}
            sparse = log_softmax(functional_call(subject.network, masked, subject.batches[at][0]), 1)
            objective = kl_div(dense[at], sparse, log_target=True, reduction="batchmean")  # reverse: sparse to dense
            self._descend(optimizer, logits, objective)
        return {name: logit.detach() for name, logit in logits.items()}

    def _gate(self, logit, generator):
        """A draw of the binary Concrete distribution (Maddison et al. 2017): between 0 and 1."""
        uniform = torch.rand(logit.shape, generator=generator).to(logit.device).clamp(1e-6, 1 - 1e-6)
        return torch.sigmoid((logit + uniform.logit()) / self.temperature)

    def _descend(self, optimizer, logits, objective):
        """One step on the objective and, as long as there are too many gates, as large a step on their number."""
        values = list(logits.values())
        number = sum(torch.sigmoid(logit).sum() for logit in values)
        wanted = self.density * sum(logit.numel() for logit in values)
        ours, theirs = torch.autograd.grad(objective, values), torch.autograd.grad(number, values)
        balance = _norm(ours) / _norm(theirs).clamp_min(1e-12) * torch.sign(number.detach() - wanted)
        for logit, one, other in zip(values, ours, theirs, strict=True):
            logit.grad = one + balance * other
        optimizer.step()


def _norm(gradients):
    return torch.stack([gradient.norm() for gradient in gradients]).norm()
