"""ConvNeXt."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Unpack

import torch
import torch.nn.functional as F
from brickwork_base import BaseModule, ModuleList
from brickwork_layers import build_activation_layer, build_dropout, build_norm_layer
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from brickwork_models._entries._entry import Entry
from brickwork_models._entries._key_map import KeyMap
from brickwork_models._entries._preprocessing import Preprocessing
from brickwork_models._entries._table import register_family
from brickwork_models._entries._weights import V1, Weights, mmpretrain, torchvision
from brickwork_models._parts._backbone import Backbone, BackboneOptions
from brickwork_models._registry import MODELS
from brickwork_models._typing import Config
from brickwork_models.errors import ArchitectureError

__all__ = ["ConvNeXt"]

LN: Config = {"type": "LN2d", "eps": 1e-6}


class Size(NamedTuple):
    """Channels and number of blocks of each stage."""

    channels: tuple[int, ...]
    depths: tuple[int, ...]


# Section 3 of the paper.
SIZES = {
    "tiny": Size((96, 192, 384, 768), (3, 3, 9, 3)),
    "small": Size((96, 192, 384, 768), (3, 3, 27, 3)),
    "base": Size((128, 256, 512, 1024), (3, 3, 27, 3)),
    "large": Size((192, 384, 768, 1536), (3, 3, 27, 3)),
    "xlarge": Size((256, 512, 1024, 2048), (3, 3, 27, 3)),
}


def _flatten_gamma(module: nn.Module, state_dict: dict[str, Any], prefix: str, *_: object) -> None:
    """Accept torchvision's checkpoints, whose layer scale has the shape ``(C, 1, 1)``."""
    key = f"{prefix}gamma"
    if key in state_dict and state_dict[key].dim() == 3:
        state_dict[key] = state_dict[key].flatten()


class ConvNeXtBlock(BaseModule):
    """Depthwise 7x7 convolution, norm, two pointwise layers, layer scale and a shortcut.

    Args:
        channels: Number of input and output channels.
        norm_cfg: Config of the norm.
        act_cfg: Config of the activation.
        layer_scale: Initial value of the layer scale; 0 for none.
        drop_path_rate: Probability that a sample skips the block while training.
        with_cp: Whether activations are recomputed in the backward pass.
    """

    def __init__(
        self,
        channels: int,
        *,
        norm_cfg: Config,
        act_cfg: Config,
        layer_scale: float,
        drop_path_rate: float,
        with_cp: bool,
    ) -> None:
        super().__init__()
        self.with_cp = with_cp
        self.depthwise_conv = nn.Conv2d(channels, channels, 7, padding=3, groups=channels)
        self.norm = build_norm_layer(norm_cfg, channels)[1]
        self.pointwise_conv1 = nn.Linear(channels, 4 * channels)
        self.act = build_activation_layer(act_cfg)
        self.pointwise_conv2 = nn.Linear(4 * channels, channels)
        self.gamma = nn.Parameter(torch.full((channels,), layer_scale)) if layer_scale else None
        self.drop_path = (
            build_dropout({"type": "DropPath", "drop_prob": drop_path_rate})
            if drop_path_rate
            else nn.Identity()
        )
        self.register_load_state_dict_pre_hook(_flatten_gamma)  # type: ignore[no-untyped-call]  # torch's

    def _add_residual(self, x: Tensor) -> Tensor:
        out = self.norm(self.depthwise_conv(x)).permute(0, 2, 3, 1)
        out = self.pointwise_conv2(self.act(self.pointwise_conv1(out)))
        if self.gamma is not None:
            out = out * self.gamma
        residual: Tensor = self.drop_path(out.permute(0, 3, 1, 2))
        return x + residual

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(N, channels, H, W)`` to the same shape."""
        if self.with_cp and x.requires_grad:
            out: Tensor = checkpoint(self._add_residual, x, use_reentrant=False)
            return out
        return self._add_residual(x)


@MODELS.register_module()
class ConvNeXt(Backbone):
    """ConvNeXt, with the parameter names of OpenMMLab's checkpoints.

    From "A ConvNet for the 2020s", arXiv:2201.03545.

    Args:
        arch: ``"tiny"``, ``"small"``, ``"base"``, ``"large"``, ``"xlarge"``, or the four
            channel and block counts ``dict(channels=(96, 192, 384, 768), depths=(3, 3, 9, 3))``.
        out_indices: Indices of the stages whose feature maps are returned, without duplicates.
            Each of them has a norm of its own, ``norm0`` to ``norm3``.
        norm_cfg: Config of the norms; ``None`` means layer norm over the channels.
        act_cfg: Config of the activations; ``None`` means GELU.
        layer_scale_init_value: Initial value of the layer scales; 0 for none.
        drop_path_rate: Probability that a sample skips the last block while training; decreases
            linearly to 0 at the first block.
        with_cp: Whether activations are recomputed in the backward pass.
        in_channels: Number of image channels.
        **options: See :class:`BackboneOptions`; by default ``init_weights()`` draws convolutions
            and linear layers from a truncated normal distribution.

    Shape:
        ``(N, 3, H, W)`` to feature maps of strides 4, 8, 16, 32 (those of ``out_indices``),
        or to logits ``(N, num_classes)``.
    """

    default_init_cfg: ClassVar = (
        {"type": "TruncNormal", "layer": ["Conv2d", "Linear"], "std": 0.02},
    )
    classifier_init_cfg: ClassVar = {"type": "TruncNormal", "layer": "Linear", "std": 0.02}
    stage_strides = (4, 8, 16, 32)
    norm3: nn.Module

    def __init__(
        self,
        arch: str | Mapping[str, Sequence[int]] = "tiny",
        *,
        out_indices: Sequence[int] = (0, 1, 2, 3),
        norm_cfg: Config | None = None,
        act_cfg: Config | None = None,
        layer_scale_init_value: float = 1e-6,
        drop_path_rate: float = 0.0,
        with_cp: bool = False,
        in_channels: int = 3,
        **options: Unpack[BackboneOptions],
    ) -> None:
        if isinstance(arch, str):
            if arch not in SIZES:
                raise ArchitectureError("ConvNeXt", "arch", arch, tuple(SIZES))
            channels, depths = SIZES[arch]
        else:
            channels, depths = tuple(arch["channels"]), tuple(arch["depths"])
            if not len(channels) == len(depths) == 4:
                raise ArchitectureError("ConvNeXt", "arch", arch, "four channels and four depths")
        super().__init__(num_stages=4, out_indices=out_indices, **options)
        norm_cfg = norm_cfg or LN
        last = sum(depths) - 1
        rates = iter([drop_path_rate * i / last for i in range(last + 1)])
        self.downsample_layers = ModuleList()
        self.stages = nn.ModuleList()
        for i, (width, depth) in enumerate(zip(channels, depths, strict=True)):
            if i == 0:
                conv = nn.Conv2d(in_channels, width, kernel_size=4, stride=4)
                downsample = nn.Sequential(conv, build_norm_layer(norm_cfg, width)[1])
            else:
                conv = nn.Conv2d(channels[i - 1], width, kernel_size=2, stride=2)
                downsample = nn.Sequential(build_norm_layer(norm_cfg, channels[i - 1])[1], conv)
            self.downsample_layers.append(downsample)
            blocks = [
                ConvNeXtBlock(
                    width,
                    norm_cfg=norm_cfg,
                    act_cfg=act_cfg or {"type": "GELU"},
                    layer_scale=layer_scale_init_value,
                    drop_path_rate=next(rates),
                    with_cp=with_cp,
                )
                for _ in range(depth)
            ]
            self.stages.append(nn.Sequential(*blocks))
        self.arch = arch
        self.stage_channels = channels
        for i in self.out_indices if self.num_classes is None else (3,):
            self.add_module(f"norm{i}", build_norm_layer(norm_cfg, channels[i])[1])
        self._add_classifier()
        self._freeze()

    def _frozen_modules(self) -> list[nn.Module]:
        downsample_layers = self.downsample_layers[: max(self.frozen_stages, 1)]
        return [*downsample_layers, *self.stages[: self.frozen_stages]]

    def _run(self, x: Tensor, out_indices: Collection[int]) -> tuple[Tensor, ...]:
        outs = []
        for i in range(max(out_indices, default=-1) + 1):
            x = self.stages[i](self.downsample_layers[i](x))
            if i in out_indices:
                outs.append(x)
        return tuple(outs)

    def forward_features(self, x: Tensor) -> tuple[Tensor, ...]:
        """Compute the normalized feature maps of the stages ``out_indices``.

        Args:
            x: Images ``(N, in_channels, H, W)``.

        Returns:
            A feature map ``(N, C_i, H_i, W_i)`` for each of these stages, in stage order.
        """
        indices = sorted(self.out_indices)
        maps = self._run(x, indices)
        return tuple(getattr(self, f"norm{i}")(m) for i, m in zip(indices, maps, strict=True))

    def forward_head(self, x: Tensor) -> Tensor:
        """Compute logits ``(N, num_classes)`` from the last feature map ``(N, C, H, W)``."""
        pooled = self.norm3(F.adaptive_avg_pool2d(x, 1)).flatten(1)
        logits: Tensor = self.fc(self.dropout(pooled))
        return logits


KEY_MAPS: dict[str, KeyMap] = {
    "torchvision/convnext": [
        (r"^features\.0\.", "downsample_layers.0."),
        *((rf"^features\.{2 * i}\.", f"downsample_layers.{i}.") for i in (1, 2, 3)),
        *((rf"^features\.{2 * i + 1}\.", f"stages.{i}.") for i in range(4)),
        (r"\.block\.0\.", ".depthwise_conv."),
        (r"\.block\.2\.", ".norm."),
        (r"\.block\.3\.", ".pointwise_conv1."),
        (r"\.block\.5\.", ".pointwise_conv2."),
        (r"\.layer_scale$", ".gamma"),
        (r"^classifier\.0\.", "norm3."),
        (r"^classifier\.2\.", "fc."),
    ],
    "timm/convnext": [
        (r"^stem\.", "downsample_layers.0."),
        (r"^stages\.(\d)\.downsample\.", r"downsample_layers.\1."),
        (r"^stages\.(\d)\.blocks\.", r"stages.\1."),
        (r"\.conv_dw\.", ".depthwise_conv."),
        (r"\.mlp\.fc1\.", ".pointwise_conv1."),
        (r"\.mlp\.fc2\.", ".pointwise_conv2."),
        (r"^head\.norm\.", "norm3."),
        (r"^head\.fc\.", "fc."),
    ],
}

# Length of the shorter side to which torchvision resizes images.
RESIZE = {"tiny": 236, "small": 230, "base": 232, "large": 232}

# Names in mmpretrain. Those trained there; those of the paper's authors, at 224 and 384 pixels; and
# those on all of ImageNet.
BICUBIC_224 = Preprocessing(interpolation="bicubic")
BICUBIC_384 = Preprocessing(384, crop=1.0, interpolation="bicubic", square=True)
IMAGENET_21K_CLASSES = 21841
TRAINED = ("32xb128_in1k", "32xb128-noema_in1k")
MMPRETRAIN: dict[str, tuple[tuple[str, ...], ...]] = {
    "tiny": (TRAINED, ("in21k-pre_3rdparty_in1k",), ("in21k-pre_3rdparty_in1k-384px",), ()),
    "small": (TRAINED, ("in21k-pre_3rdparty_in1k",), ("in21k-pre_3rdparty_in1k-384px",), ()),
    "base": (
        TRAINED,
        ("3rdparty_in1k", "3rdparty-noema_in1k", "in21k-pre_3rdparty_in1k"),
        ("3rdparty_in1k-384px", "in21k-pre-3rdparty_in1k-384px"),
        ("3rdparty_in21k",),
    ),
    "large": (
        (),
        ("3rdparty_in1k", "in21k-pre_3rdparty_in1k"),
        ("3rdparty_in1k-384px", "in21k-pre-3rdparty_in1k-384px"),
        ("3rdparty_in21k",),
    ),
    "xlarge": (
        (),
        ("in21k-pre_3rdparty_in1k",),
        ("in21k-pre-3rdparty_in1k-384px",),
        ("3rdparty_in21k",),
    ),
}


def _mmpretrain(arch: str) -> Iterator[Weights]:
    name = f"convnext-{arch}"
    trained, at_224, at_384, on_21k = (
        tuple(f"{name}_{tag}" for tag in tags) for tags in MMPRETRAIN[arch]
    )
    yield from mmpretrain(name, *trained, preprocess=BICUBIC_224)
    yield from mmpretrain(name, *at_224, preprocess=BICUBIC_224, license_id="MIT")
    yield from mmpretrain(name, *at_384, preprocess=BICUBIC_384, license_id="MIT")
    yield from mmpretrain(
        name,
        *on_21k,
        preprocess=BICUBIC_224,
        license_id="MIT",
        num_classes=IMAGENET_21K_CLASSES,
    )


def _entries() -> Iterator[Entry]:
    maps = {
        "mmcls": "mmcls/same",
        "torchvision": "torchvision/convnext",
        "timm": "timm/convnext",
    }
    for arch in SIZES:
        name = f"convnext_{arch}"
        weights: tuple[Weights, ...] = ()
        if arch in RESIZE:
            preprocess = Preprocessing(crop=224 / RESIZE[arch])
            weights = torchvision(name, V1, preprocess=preprocess)
        weights += tuple(_mmpretrain(arch))
        yield Entry(name, "ConvNeXt", ConvNeXt, {"arch": arch}, weights, key_maps=maps)


register_family(_entries(), KEY_MAPS)
