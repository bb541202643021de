"""Device meshes, and the full values of sharded tensors."""

import torch.distributed as dist
from torch import Tensor
from torch.distributed.device_mesh import DeviceMesh, init_device_mesh
from torch.distributed.tensor import DTensor


def mesh_for(layout: str) -> DeviceMesh:
    """Build the mesh of all processes for a layout.

    Args:
        layout: Words, of which ``replicas`` gives (replica, shard) for HSDP, ``parallel`` gives
            (shard, parallel) for FSDP2 with tensor parallelism; one dimension otherwise.
    """
    world = dist.get_world_size()
    if layout == "replicas":
        return init_device_mesh("cpu", (2, world // 2), mesh_dim_names=("replica", "shard"))
    if "parallel" in layout:
        return init_device_mesh("cpu", (2, world // 2), mesh_dim_names=("shard", "parallel"))
    return init_device_mesh("cpu", (world,))


def full_tensor(value: Tensor) -> Tensor:
    """Return all of a tensor: gathered from its shards, or itself if it is not sharded."""
    return value.full_tensor() if isinstance(value, DTensor) else value
