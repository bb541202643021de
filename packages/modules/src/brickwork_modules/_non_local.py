"""Non-local blocks: attention between all positions of a feature map."""

from typing import Any, ClassVar

import torch
from brickwork_init import constant_init, normal_init
from torch import Tensor, nn

from ._conv_module import ConvModule
from ._registries import PLUGIN_LAYERS
from ._typing import Config

_MODES = ("gaussian", "embedded_gaussian", "dot_product", "concatenation")


class NonLocalNd(nn.Module):
    """Non-local block for any number of dimensions.

    It adds to each position a weighted mean of the values of all positions; the weights are a
    pairwise function of the positions (Wang et al., "Non-local Neural Networks",
    https://arxiv.org/abs/1711.07971).

    Args:
        in_channels: Number of channels of input and output.
        reduction: Divisor of the number of hidden channels.
        use_scale: Whether ``'embedded_gaussian'`` divides its scores by the square root of the
            number of hidden channels.
        conv_cfg: Config of the convolutions. None means ``dict(type='Conv2d')``.
        norm_cfg: Config of the norm of the output convolution. None means no norm.
        mode: Pairwise function: ``'gaussian'``, ``'embedded_gaussian'``, ``'dot_product'`` or
            ``'concatenation'``.
        sub_sample: Whether to max-pool keys and values by 2.
        **kwargs: Arguments of `init_weights`.

    Raises:
        ValueError: If `mode` is unknown.
    """

    _pool: ClassVar[tuple[type[nn.Module], int | tuple[int, ...]] | None] = None

    def __init__(
        self,
        in_channels: int,
        reduction: int = 2,
        use_scale: bool = True,
        conv_cfg: Config | None = None,
        norm_cfg: Config | None = None,
        mode: str = "embedded_gaussian",
        *,
        sub_sample: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__()
        if mode not in _MODES:
            raise ValueError(f"mode must be one of {', '.join(_MODES)}, got {mode!r}")
        self.in_channels = in_channels
        self.reduction = reduction
        self.use_scale = use_scale
        self.inter_channels = max(in_channels // reduction, 1)
        self.mode = mode
        self.sub_sample = sub_sample

        def project() -> ConvModule:
            return ConvModule(
                in_channels, self.inter_channels, kernel_size=1, conv_cfg=conv_cfg, act_cfg=None
            )

        self.g: nn.Module = project()
        self.conv_out = ConvModule(
            self.inter_channels,
            in_channels,
            kernel_size=1,
            conv_cfg=conv_cfg,
            norm_cfg=norm_cfg,
            act_cfg=None,
        )
        if mode != "gaussian":
            self.theta = project()
            self.phi: nn.Module = project()
        if mode == "concatenation":
            self.concat_project = ConvModule(
                self.inter_channels * 2, 1, kernel_size=1, bias=False, act_cfg={"type": "ReLU"}
            )
        self.init_weights(**kwargs)

        if sub_sample and self._pool is not None:
            layer, kernel_size = self._pool
            pool = layer(kernel_size)
            self.g = nn.Sequential(self.g, pool)
            self.phi = pool if mode == "gaussian" else nn.Sequential(self.phi, pool)

    def init_weights(self, std: float = 0.01, zeros_init: bool = True) -> None:
        """Initialize the projections from a normal distribution, and the output with zeros.

        Args:
            std: Standard deviation.
            zeros_init: Whether the output convolution, or its norm, is zero, which makes the block
                the identity; otherwise it is drawn too.
        """
        inner = [self.g] if self.mode == "gaussian" else [self.g, self.theta, self.phi]
        for module in inner:
            projection = module[0] if isinstance(module, nn.Sequential) else module
            normal_init(projection.get_submodule("conv"), std=std)
        last = self.conv_out.conv if self.conv_out.norm is None else self.conv_out.norm
        if zeros_init:
            constant_init(last, 0)
        else:
            normal_init(last, std=std)

    def gaussian(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Return softmax(theta phi), (N, L, M), of theta (N, L, C) and phi (N, C, M)."""
        return torch.matmul(theta_x, phi_x).softmax(dim=-1)

    def embedded_gaussian(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Return the scaled softmax(theta phi), (N, L, M), of theta (N, L, C), phi (N, C, M)."""
        weight = torch.matmul(theta_x, phi_x)
        if self.use_scale:
            weight = weight / self.inter_channels**0.5
        return weight.softmax(dim=-1)

    def dot_product(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Return theta phi / M, (N, L, M), of theta (N, L, C) and phi (N, C, M)."""
        weight = torch.matmul(theta_x, phi_x)
        return weight / weight.shape[-1]

    def concatenation(self, theta_x: Tensor, phi_x: Tensor) -> Tensor:
        """Return w [theta, phi] / M, (N, L, M), of theta (N, C, L, 1) and phi (N, C, 1, M)."""
        pairs = torch.cat(
            [
                theta_x.expand(-1, -1, -1, phi_x.shape[3]),
                phi_x.expand(-1, -1, theta_x.shape[2], -1),
            ],
            dim=1,
        )
        weight: Tensor = self.concat_project(pairs).squeeze(1)
        return weight / weight.shape[-1]

    def forward(self, x: Tensor) -> Tensor:
        """Add to each position the weighted mean of all values.

        Args:
            x: Tensor ``(N, C, *)``, with L positions.

        Returns:
            Tensor ``(N, C, *)``.
        """
        # Flatten and not a view with -1, which is ambiguous for an empty batch.
        g_x = self.g(x).flatten(2).transpose(1, 2)  # (N, M, C)
        theta_x = x if self.mode == "gaussian" else self.theta(x)
        phi_x = x if self.mode == "gaussian" and not self.sub_sample else self.phi(x)
        theta_x, phi_x = theta_x.flatten(2), phi_x.flatten(2)
        if self.mode == "concatenation":
            weight = self.concatenation(theta_x.unsqueeze(3), phi_x.unsqueeze(2))
        else:
            weight = getattr(self, self.mode)(theta_x.transpose(1, 2), phi_x)  # (N, L, M)
        y = torch.matmul(weight, g_x).transpose(1, 2)
        y = y.reshape(x.shape[0], self.inter_channels, *x.shape[2:])
        output: Tensor = x + self.conv_out(y)
        return output


class NonLocal1d(NonLocalNd):
    """Non-local block for sequences (N, C, L), see `NonLocalNd`.

    Args:
        in_channels: Number of channels of input and output.
        sub_sample: Whether to max-pool keys and values by 2.
        conv_cfg: Config of the convolutions.
        **kwargs: Further arguments of `NonLocalNd`.
    """

    _pool = (nn.MaxPool1d, 2)

    def __init__(
        self,
        in_channels: int,
        sub_sample: bool = False,
        conv_cfg: Config = {"type": "Conv1d"},  # noqa: B006  (mmcv's default, never changed)
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, conv_cfg=conv_cfg, sub_sample=sub_sample, **kwargs)


@PLUGIN_LAYERS.register_module()
class NonLocal2d(NonLocalNd):
    """Non-local block for images (N, C, H, W), see `NonLocalNd`.

    Args:
        in_channels: Number of channels of input and output.
        sub_sample: Whether to max-pool keys and values by 2 x 2.
        conv_cfg: Config of the convolutions.
        **kwargs: Further arguments of `NonLocalNd`.

    Raises:
        ValueError: If ``mode`` is unknown.

    Example:
        >>> NonLocal2d(16, mode='dot_product')(torch.ones(1, 16, 4, 4)).shape
        torch.Size([1, 16, 4, 4])
    """

    _abbr_ = "nonlocal_block"
    _pool = (nn.MaxPool2d, (2, 2))

    def __init__(
        self,
        in_channels: int,
        sub_sample: bool = False,
        conv_cfg: Config = {"type": "Conv2d"},  # noqa: B006  (mmcv's default, never changed)
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, conv_cfg=conv_cfg, sub_sample=sub_sample, **kwargs)


class NonLocal3d(NonLocalNd):
    """Non-local block for videos (N, C, T, H, W), see `NonLocalNd`.

    Args:
        in_channels: Number of channels of input and output.
        sub_sample: Whether to max-pool keys and values by 1 x 2 x 2.
        conv_cfg: Config of the convolutions.
        **kwargs: Further arguments of `NonLocalNd`.
    """

    _pool = (nn.MaxPool3d, (1, 2, 2))

    def __init__(
        self,
        in_channels: int,
        sub_sample: bool = False,
        conv_cfg: Config = {"type": "Conv3d"},  # noqa: B006  (mmcv's default, never changed)
        **kwargs: Any,
    ) -> None:
        super().__init__(in_channels, conv_cfg=conv_cfg, sub_sample=sub_sample, **kwargs)
