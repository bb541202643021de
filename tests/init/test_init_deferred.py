"""Models built under `deferred`, and how their tensors get values."""

from __future__ import annotations

import copy
import pickle
import resource
import warnings

import pytest
import torch
from brickwork_base import BaseModule
from brickwork_init import deferred, errors, finalize, init_report, initialize, uninitialized
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

ALL = [
    dict(type="Normal", layer=["Conv2d", nn.Linear, "Embedding"]),
    dict(type="Normal", match=["token", "position", "attn.in_proj_weight", "rnn.*"]),
]


class Net(BaseModule):
    def __init__(self, init_cfg: object = None) -> None:
        super().__init__(init_cfg)
        self.token = nn.Parameter(torch.zeros(1, 4))
        nn.init.trunc_normal_(self.token, std=0.02)
        self.position = nn.Parameter(torch.randn(3, 4) * 0.02)
        self.scale = nn.Parameter(1e-6 * torch.ones(4))
        self.conv = nn.Conv2d(3, 4, 3)
        self.bn = nn.BatchNorm2d(4)
        self.ln = nn.LayerNorm(4)
        self.attn = nn.MultiheadAttention(4, 2)
        self.rnn = nn.GRU(4, 4)
        self.embed = nn.Embedding(5, 4, padding_idx=0)
        self.head = nn.Linear(4, 5)
        self.head.weight = self.embed.weight
        self.kernel = nn.Parameter(torch.empty(3))
        self.kernel.data.copy_(torch.tensor([1.0, 2.0, 1.0]))
        self.register_buffer("frequency", 1 / torch.arange(1, 5), persistent=False)
        mask = torch.zeros(3, 3)
        mask[1:, :2] = 1
        self.register_buffer("mask", mask, persistent=False)

    def reset_parameters(self) -> None:
        nn.init.orthogonal_(self.conv.weight)


class Draws(TorchDispatchMode):
    """Records the operators that draw into memory."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        drawn = [one for one in args if isinstance(one, Tensor) and not one.is_meta]
        if torch.Tag.nondeterministic_seeded in func.tags and drawn:
            self.seen.append(str(func))
        return func(*args, **(kwargs or {}))


def test_constructors_draw_nothing() -> None:
    state = torch.get_rng_state()
    with Draws() as draws, deferred():
        Net()
        nn.Sequential(nn.Linear(3, 3), nn.Bilinear(2, 2, 2), nn.LSTM(2, 2), nn.PReLU())
    assert torch.equal(torch.get_rng_state(), state)
    assert draws.seen == []


@pytest.mark.slow
def test_constructors_touch_no_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with deferred():
        model = nn.Sequential(*(nn.Linear(8192, 8192) for _ in range(16)))  # 4 GiB
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024
    assert len(uninitialized(model)) == 32


def test_computed_tensors_have_values_and_drawn_ones_have_none() -> None:
    with deferred():
        model = Net()
    assert torch.equal(model.frequency, 1 / torch.arange(1, 5))
    assert model.mask.tolist() == [[0, 0, 0], [1, 1, 0], [1, 1, 0]]
    assert torch.equal(model.scale, torch.full((4,), 1e-6))
    assert torch.equal(model.bn.running_var, torch.ones(4))
    missing = uninitialized(model)
    assert {"token", "position", "conv.weight", "head.weight", "rnn.weight_ih_l0"} <= {*missing}
    assert "mask" not in missing
    with pytest.raises((RuntimeError, NotImplementedError)):
        float(model.conv.weight.sum())
    assert init_report(model)["conv.weight"].source.kind == "uninitialized"


def test_init_weights_gives_the_values_of_a_model_built_without_deferred() -> None:
    with deferred():
        model = Net(ALL)
    torch.manual_seed(0)
    model.init_weights()
    plain = Net(ALL)
    torch.manual_seed(0)
    plain.init_weights()
    assert uninitialized(model) == []
    expected = dict(plain.named_parameters()) | dict(plain.named_buffers())
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        assert torch.equal(value, expected[name]), name
    assert model.head.weight is model.embed.weight
    assert all(value.requires_grad for value in model.parameters())
    assert init_report(model)["bn.weight"].source.kind == "default"
    model.head(model.token).sum().backward()


def test_error_names_uninitialized_tensors_and_a_retry_initializes_them() -> None:
    with deferred():
        model = Net(dict(type="Kaiming", layer="Conv2d"))
    message = "without a value: token, position"
    with pytest.raises(errors.UninitializedError, match=message) as caught:
        model.init_weights()
    assert "conv.weight" not in caught.value.names
    assert {"token", "head.weight", "embed.weight"} <= {*caught.value.names}
    assert uninitialized(model) == list(caught.value.names)
    assert not model.is_init
    model.init_cfg = ALL
    model.init_weights()
    assert uninitialized(model) == []


def test_init_weights_that_raises_leaves_no_garbage_values() -> None:
    class Broken(Net):
        def init_weights(self) -> None:
            super().init_weights()
            raise OSError("disk")

    with deferred():
        model = Broken(dict(type="Constant", val=1, layer="Conv2d"))
    with pytest.raises(OSError, match="disk"):
        model.init_weights()
    assert (model.conv.weight == 1).all()
    assert "head.weight" in uninitialized(model)


def test_checkpoint_initializes_its_tensors_and_rules_the_rest() -> None:
    state = Net().state_dict()
    del state["head.bias"], state["conv.weight"]
    with deferred():
        model = Net(dict(type="Constant", val=3, bias=4, layer="*"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.load_state_dict(state, strict=False)
    assert uninitialized(model) == ["conv.weight", "head.bias"]
    model.init_weights()
    assert (model.conv.weight == 3).all()
    assert (model.head.bias == 4).all()
    assert torch.equal(model.embed.weight, state["embed.weight"])


def test_plain_module_loads_by_assign() -> None:
    with deferred():
        model = nn.Linear(2, 2)
    model.load_state_dict({"weight": torch.ones(2, 2), "bias": torch.ones(2)}, assign=True)
    assert uninitialized(model) == []
    finalize(model)
    assert (model.weight == 1).all()


def test_own_code_initializes_by_fill_and_by_data() -> None:
    class Own(BaseModule):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def init_weights(self) -> None:
            nn.init.ones_(self.fc.weight)
            self.fc.bias.data = torch.full((2,), 5.0)

    with deferred():
        model = Own()
    model.init_weights()
    assert model.fc.weight.tolist() == [[1, 1], [1, 1]]
    assert model.fc.bias.tolist() == [5, 5]


def test_initialize_leaves_other_tensors_uninitialized() -> None:
    with deferred():
        model = nn.Sequential(nn.Linear(2, 2), nn.Conv2d(1, 1, 1))
    initialize(model, dict(type="Constant", val=1, layer="Linear"))
    assert uninitialized(model) == ["1.weight", "1.bias"]


def test_constructor_that_reads_a_random_value_raises() -> None:
    class Reads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.keep = torch.rand(1).item()

    message = "reads a value that depends on a random draw"
    with pytest.raises(errors.UninitializedError, match=message), deferred():
        Reads()
    assert float(torch.rand(1)) >= 0  # nothing stays behind
    assert not nn.Linear(1, 1).weight.is_meta


def test_constructor_that_loads_by_assign_keeps_its_weights() -> None:
    class Backbone(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            state = {"fc.weight": torch.ones(2, 2), "fc.bias": torch.ones(2)}
            self.load_state_dict(state, assign=True)

    with deferred(), warnings.catch_warnings():
        warnings.simplefilter("error")
        model = Backbone()
    assert (model.fc.weight == 1).all()


def test_model_built_on_the_meta_device_stays_there() -> None:
    with torch.device("meta"):
        model = Net(ALL)
    model.init_weights()
    assert model.conv.weight.is_meta
    report = init_report(model)
    assert report["conv.weight"].source.kind == "rule"
    assert report["ln.weight"].source.kind == "uninitialized"


def test_tensor_assigned_to_data_in_a_constructor_is_kept() -> None:
    class Assigns(BaseModule):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(2, 2)
            self.fc.weight.data = torch.eye(2)
            self.fc.bias.data = torch.ones(3)  # of another shape
            self.token = nn.Parameter(torch.zeros(2))
            self.token.data = torch.randn(4)

    with deferred():
        model = Assigns()
    assert uninitialized(model) == ["token", "fc.weight", "fc.bias"]
    initialize(model, dict(type="Constant", val=2, match="token"))
    finalize(model)
    assert torch.equal(model.fc.weight, torch.eye(2))
    assert torch.equal(model.fc.bias, torch.ones(3))
    assert model.token.tolist() == [2, 2, 2, 2]


def test_finalize_writes_the_constants_of_constructors_and_names_the_rest() -> None:
    with deferred():
        model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
        nn.init.constant_(model[0].bias, -4.6)
        nn.init.zeros_(model[1].weight)
    with pytest.raises(errors.UninitializedError, match=r"without a value: 0\.weight;"):
        finalize(model)
    assert (model[0].bias == -4.6).all()
    assert (model[1].weight == 0).all()
    finalize(model, reset_parameters=True)
    assert model[0].weight.abs().max() <= 2**-0.5
    assert (model[0].bias == -4.6).all()
    assert (model[1].weight == 0).all()


def test_finalize_leaves_what_reset_parameters_does_not_draw_an_error() -> None:
    class Partial(nn.Linear):
        def __init__(self) -> None:
            super().__init__(2, 2)
            self.extra = nn.Parameter(torch.randn(2))

    with deferred():
        model = Partial()
    with pytest.raises(errors.UninitializedError, match="without a value: extra;"):
        finalize(model, reset_parameters=True)
    assert not model.weight.is_meta


def test_deferred_model_can_be_copied_and_pickled() -> None:
    with deferred():
        model = Net(ALL)
    copies = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
    for again in (model, *copies):
        torch.manual_seed(0)
        again.init_weights()
    for again in copies:
        assert torch.equal(again.bn.weight, model.bn.weight)
        assert torch.equal(again.conv.weight, model.conv.weight)
        assert torch.equal(again.mask, model.mask)


def test_nothing_is_left_on_a_model_that_has_its_values() -> None:
    with deferred():
        model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    finalize(model, reset_parameters=True)
    names = {name for module in model.modules() for name in vars(module)}
    assert not [name for name in names if "brickwork" in name]
