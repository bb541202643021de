"""What stands in for mmengine, where none is installed, does what it does."""

import json
from pathlib import Path

import pytest

from tests.support.compat import after_mmengine
from tests.support.python import run_python

EXPORTS = json.loads(Path(__file__).with_name("exports.json").read_text())["mmengine"]

# What needs mmengine itself: training, averaging, wrappers, and the tools around registries.
NOT_COVERED = {
    "mmengine.model": (
        "BaseAveragedModel BaseTTAModel ExponentialMovingAverage ImgDataPreprocessor"
        " MMDistributedDataParallel MMFullyShardedDataParallel MMSeparateDistributedDataParallel"
        " MomentumAnnealingEMA StochasticWeightAverage"
    ),
    "mmengine.registry": "count_registered_modules traverse_registry_tree",
}


@pytest.mark.parametrize("module", NOT_COVERED)
def test_all_names_are_there_or_say_why_not(module):
    missing = after_mmengine(
        f"""
        import importlib
        module = importlib.import_module({module!r})
        for name in {EXPORTS[module].split()}:
            try:
                exec(f"from {module} import {{name}}")
            except ImportError as error:
                assert f"{module}.{{name}} is not covered" in str(error)
                assert "Install mmengine 0.x" in str(error)
                print(name)
        """
    )
    assert missing.split() == NOT_COVERED[module].split()


def test_a_model_with_three_modes():
    after_mmengine(
        """
        import contextlib, torch
        from mmengine.model import BaseDataPreprocessor, BaseModel
        from mmengine.registry import MODELS
        from torch import nn

        class Net(BaseModel):
            def __init__(self, **options):
                super().__init__(**options)
                self.layer = nn.Linear(2, 1, bias=False)
                nn.init.ones_(self.layer.weight)
            def forward(self, inputs, data_samples=None, mode="tensor"):
                out = self.layer(inputs)
                if mode == "loss":
                    return dict(loss_a=out, loss_b=[out, out], accuracy=out)
                return [mode, out]

        class Wrapper:  # what mmengine's OptimWrapper has
            optim_context = staticmethod(lambda model: contextlib.nullcontext())
            def update_params(self, loss):
                self.loss = loss

        net, wrapper = Net(), Wrapper()
        batch = dict(inputs=torch.tensor([[1.0, 2.0], [3.0, 4.0]]))  # the layer gives 3 and 7
        logs = net.train_step(batch, wrapper)
        assert wrapper.loss == 5 + 10
        assert {name: float(value) for name, value in logs.items()} == dict(
            loss=15.0, loss_a=5.0, loss_b=10.0, accuracy=5.0
        )
        assert net.val_step(batch)[0] == net.test_step(tuple(batch.values()))[0] == "predict"
        assert set(net.state_dict()) == {"layer.weight"}
        meta = Net(data_preprocessor=dict(type="BaseDataPreprocessor")).to("meta")
        assert meta.data_preprocessor.device.type == "meta"
        moved = meta.data_preprocessor([dict(x=torch.ones(1), name="a", none=None)])
        assert moved[0]["x"].is_meta and moved[0]["name"] == "a"
        for wrong in (lambda: Net(data_preprocessor=3), lambda: net.parse_losses(dict(loss=3))):
            try:
                wrong()
            except TypeError as error:
                assert "must be" in str(error)
            else:
                raise SystemExit("no error")
        """
    )


def test_batches_are_padded_at_their_ends():
    after_mmengine(
        """
        import torch
        from mmengine.model import stack_batch
        batch = stack_batch([torch.ones(3, 2, 5), torch.ones(3, 4, 1)], 4, pad_value=7)
        assert batch.shape == (2, 3, 4, 8)
        assert batch[0, :, :2, :5].eq(1).all() and batch[0].sum() == 3 * (10 + 22 * 7)
        assert batch[1, :, :, :1].eq(1).all() and batch[1].sum() == 3 * (4 + 28 * 7)
        same = [torch.rand(3, 4, 4), torch.rand(3, 4, 4)]
        assert torch.equal(stack_batch(same), torch.stack(same))
        try:
            stack_batch([torch.ones(3, 2), torch.ones(3, 2, 2)])
        except ValueError as error:
            assert "(3, 2, 2)" in str(error)
        """
    )


def test_helpers_of_models():
    out = after_mmengine(
        """
        import sys, torch, torch.fx
        from mmengine.logging import MMLogger
        from mmengine.model import convert_sync_batchnorm, detect_anomalous_params
        from mmengine.model import is_model_wrapper, merge_dict, revert_sync_batchnorm
        from mmengine.registry import MODEL_WRAPPERS, Registry
        from torch import nn

        net = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.BatchNorm1d(2))
        MMLogger.get_current_instance().handlers[0].stream = sys.stdout
        detect_anomalous_params(net[0](torch.ones(1, 2)).sum(), net)
        assert isinstance(convert_sync_batchnorm(net)[2], nn.SyncBatchNorm)
        assert not isinstance(revert_sync_batchnorm(net)[2], nn.SyncBatchNorm)
        assert merge_dict(dict(a=1), dict(a=2, b=3)) == dict(a=2, b=3)

        child = Registry("model_wrapper", parent=MODEL_WRAPPERS, scope="down")
        child.register_module(module=type("Wrapper", (nn.Module,), {}))
        assert is_model_wrapper(nn.DataParallel(net)) and not is_model_wrapper(net)
        assert is_model_wrapper(child.build(dict(type="Wrapper")))
        """
    )
    named = [line.split(" - ")[-1].split(" of shape")[0] for line in out.splitlines()]
    assert named == ["1.weight", "1.bias", "2.weight", "2.bias"]


def test_a_checkpoint_that_has_been_read_is_loaded(tmp_path):
    (tmp_path / "last_checkpoint").write_text("epoch_3.pth\n")
    after_mmengine(
        f"""
        import torch
        from mmengine.runner import find_latest_checkpoint
        from mmengine.runner.checkpoint import _load_checkpoint_to_model
        from torch import nn
        assert find_latest_checkpoint({str(tmp_path)!r}) == "epoch_3.pth"
        assert find_latest_checkpoint({str(tmp_path / "none")!r}) is None
        one, two = nn.Linear(2, 2), nn.Linear(2, 2)
        state = {{f"module.net.{{key}}": value for key, value in one.state_dict().items()}}
        checkpoint = dict(state_dict=state, meta=dict(epoch=3))
        rules = [(r"^module\\.", ""), (r"^net\\.", "")]
        assert _load_checkpoint_to_model(two, checkpoint, True, revise_keys=rules) is checkpoint
        assert torch.equal(one.weight, two.weight)
        """
    )


COLLECTIVES = """
import sys, torch
import brickwork.compat.mmengine
brickwork.compat.mmengine.install()
from mmengine import dist
from torch import distributed
if len(sys.argv) > 1:
    distributed.init_process_group("gloo")
rank, world = dist.get_dist_info()
total, mean, first = torch.tensor(rank + 1), torch.tensor(2.0 * rank), torch.tensor(rank + 7)
dist.all_reduce(total)
dist.all_reduce(mean, op="mean")
dist.broadcast(first)
gathered = dist.all_gather(torch.tensor(rank))
objects = dist.all_gather_object({"rank": rank})
dist.barrier()
try:
    dist.all_reduce(total, op="median")
except ValueError as error:
    assert "'median'" in str(error)
if rank == 0:
    facts = [world, int(total), float(mean), int(first), [int(one) for one in gathered], objects]
    print(*facts, dist.get_backend(), dist.get_local_rank())
"""


def test_collectives(run_together, tmp_path):
    program = tmp_path / "collectives.py"
    program.write_text(COLLECTIVES)
    assert run_python(program) == "1 1 0.0 7 [0] [{'rank': 0}] None 0"
    *_, printed = run_together(2, program, "together").splitlines()  # gloo may have its say before
    assert printed == "2 3 1.0 7 [0, 1] [{'rank': 0}, {'rank': 1}] gloo 0"
