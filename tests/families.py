"""Tiny networks of the families that people use: the layers and the wiring of the large ones; images (3, 8, 8)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

SHAPE, CLASSES = (3, 8, 8), 3


class Attention(nn.Module):
    """Attention as timm writes it: one layer for queries, keys and values, and one fused operation."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads, self.qkv, self.proj = heads, nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (N, T, width) to the same."""
        images, count, width = tokens.shape
        parts = self.qkv(tokens).reshape(images, count, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        query, key, value = parts.unbind(0)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(images, count, width))
        return out


class Block(nn.Module):
    """A transformer's block with LayerNorm before attention and before its two linear layers."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.attn = nn.LayerNorm(width), Attention(width, 2)
        self.norm2, self.fc1, self.fc2 = nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens (N, T, width) to the same."""
        tokens = tokens + self.attn(self.norm1(tokens))
        out: Tensor = tokens + self.fc2(functional.gelu(self.fc1(self.norm2(tokens))))
        return out


class Transformer(nn.Module):
    """Patches, embedded positions and two blocks, which share their weights if `shared` (as in ALBERT)."""

    def __init__(self, *, shared: bool = False) -> None:
        super().__init__()
        self.patches, self.positions = nn.Conv2d(3, 8, 4, 4), nn.Embedding(4, 8)
        first = Block(8)
        self.blocks = nn.ModuleList([first, first if shared else Block(8)])
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = tokens + self.positions(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.blocks:
            tokens = block(tokens)
        logits: Tensor = self.head(self.norm(tokens).mean(1))
        return logits


class LanguageModel(nn.Module):
    """Each pixel's brightness is a word, looked up in an embedding; the next word is one of as many as there are
    classes. `tie` makes the head's weight the embedding's, as language models do.
    """

    def __init__(self, *, tie: bool) -> None:
        super().__init__()
        self.words, self.body = nn.Embedding(CLASSES, 8), Block(8)
        self.norm, self.head = nn.LayerNorm(8), nn.Linear(8, CLASSES, bias=False)
        if tie:
            self.head.weight = self.words.weight

    def forward(self, images: Tensor) -> Tensor:
        """Logits."""
        words = (images.mean(1).flatten(1).sigmoid() * CLASSES).long().clamp(0, CLASSES - 1)
        logits: Tensor = self.head(self.norm(self.body(self.words(words[:, ::8])))[:, -1])
        return logits


def convnext() -> nn.Module:
    """torchvision's, with depthwise convolutions, LayerNorm over channels, linear layers and scaled branches."""
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    blocks = [CNBlockConfig(4, 8, 1), CNBlockConfig(8, None, 1)]
    network: nn.Module = ConvNeXt(blocks, num_classes=CLASSES, layer_scale=0.1)
    return network


def mobilenet() -> nn.Module:
    """torchvision's MobileNetV3: depthwise convolutions, squeeze and excitation, BatchNorm, hard activations."""
    from torchvision.models.mobilenetv3 import InvertedResidualConfig, MobileNetV3

    setting = partial(InvertedResidualConfig, dilation=1, width_mult=1.0)
    blocks = [setting(8, 3, 16, 8, True, "RE", 1), setting(8, 3, 16, 16, True, "HS", 2)]
    network: nn.Module = MobileNetV3(blocks, 16, num_classes=CLASSES)
    return network


def vit() -> nn.Module:
    """torchvision's, with nn.MultiheadAttention; its head begins at zero, and so would every gradient before it."""
    from torchvision.models import VisionTransformer

    network: nn.Module = VisionTransformer(8, 4, 1, 2, 8, 16, num_classes=CLASSES)
    nn.init.normal_(network.get_parameter("heads.head.weight"), std=0.5)
    return network


FAMILIES: Mapping[str, Callable[[], nn.Module]] = {
    "ConvNeXt": convnext,
    "MobileNet": mobilenet,
    "ViT with nn.MultiheadAttention": vit,
    "transformer with embedded positions": Transformer,
    "transformer whose blocks share weights": lambda: Transformer(shared=True),
    "language model": lambda: LanguageModel(tie=False),
    "language model with a tied head": lambda: LanguageModel(tie=True),
}
