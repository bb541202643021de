"""Loading into models that several real processes share, over gloo."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

WORKER = Path(__file__).with_name("distributed_worker.py")


@pytest.mark.filterwarnings("ignore")  # torch.distributed.checkpoint warns that it runs alone
@pytest.mark.parametrize("ranks", [2, 4])
def test_every_rank_gets_its_shard_or_the_error(run_together, tmp_path, ranks):
    from safetensors.torch import save_file
    from torch.distributed.checkpoint import save

    model = nn.Sequential(nn.Linear(6, 10), nn.BatchNorm1d(10), nn.Linear(10, 7))
    state = model.state_dict()
    torch.save(state, tmp_path / "net.pth")
    torch.save(state, tmp_path / "net.legacy.pth", _use_new_zipfile_serialization=False)
    save_file(dict(state), tmp_path / "net.safetensors")
    save({"model": state}, checkpoint_id=tmp_path / "dcp")
    bad = {**state, "more": torch.ones(1)}
    del bad["2.bias"]
    torch.save(bad, tmp_path / "bad.pth")
    (tmp_path / "broken.pth").write_bytes((tmp_path / "net.pth").read_bytes()[:500])
    run_together(ranks, WORKER, tmp_path)
