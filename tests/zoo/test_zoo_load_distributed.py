"""Loading and saving of sharded models, in several processes with gloo."""

from __future__ import annotations

import pytest
import torch
from safetensors.torch import save_file
from torch.distributed.checkpoint import save

from tests.zoo import distributed_worker

WAYS = {
    2: ("row", "flat"),
    4: ("row", "replicas", "parallel", "parallel only"),
}


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("ranks", [2, 4])
def test_each_rank_loads_its_shards_or_raises(run_together, tmp_path, ranks):
    state = distributed_worker.Net().state_dict()
    torch.save(state, tmp_path / "net.pth")
    torch.save(state, tmp_path / "net.legacy.pth", _use_new_zipfile_serialization=False)
    save_file({key: value.clone() for key, value in state.items()}, tmp_path / "net.safetensors")
    save({"model": state}, checkpoint_id=tmp_path / "dcp")
    bad = {**state, "more": torch.ones(1), "head.bias": torch.ones(4)}
    del bad["fc.bias"]
    torch.save(bad, tmp_path / "bad.pth")
    save({"model": bad}, checkpoint_id=tmp_path / "bad.dcp")
    (tmp_path / "broken.pth").write_bytes((tmp_path / "net.pth").read_bytes()[:500])
    save({"model": state}, checkpoint_id=tmp_path / "broken.dcp")
    (data,) = (tmp_path / "broken.dcp").glob("*.distcp")
    data.write_bytes(data.read_bytes()[:-100])
    run_together(ranks, distributed_worker.__file__, tmp_path, *WAYS[ranks])
