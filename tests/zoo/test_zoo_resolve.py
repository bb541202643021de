"""Resolving URIs: candidate URLs, hash, prefix; the catalog; registered schemes."""

from __future__ import annotations

import json
import os
import pickle
import re
import subprocess
import sys
from collections import defaultdict
from dataclasses import replace
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from brickwork_zoo import Resource, download, find_model, list_models, register_scheme, resolve
from brickwork_zoo._find import _scheme
from brickwork_zoo._find._fsspec_schemes import is_fsspec_url
from brickwork_zoo._find._resolve import sibling
from brickwork_zoo.errors import (
    InvalidInputError,
    MissingFileError,
    UnknownModelError,
    UnknownSchemeError,
)

MODELS = "https://download.pytorch.org/models"
OPENMMLAB = "https://download.openmmlab.com"


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("resnet50", "resnet50-0676ba61.pth"),
        ("resnet50.imagenet1k_v1", "resnet50-0676ba61.pth"),
        ("resnet50.imagenet1k_v2", "resnet50-11ad3fa6.pth"),
        ("ResNet50_Weights.IMAGENET1K_V2", "resnet50-11ad3fa6.pth"),
        ("ResNet50_Weights.DEFAULT", "resnet50-11ad3fa6.pth"),
        ("resnet50.default", "resnet50-11ad3fa6.pth"),
        ("vgg16", "vgg16-397923af.pth"),
        ("efficientnet_b0.imagenet1k_v1", "efficientnet_b0_rwightman-7f5810bc.pth"),
    ],
)
@pytest.mark.parametrize("scheme", ["torchvision", "modelzoo", "TorchVision"])
def test_old_torchvision_names_resolve_to_the_v1_weights(scheme, name, file):
    resource = resolve(f"{scheme}://{name}")
    assert resource.urls == (f"{MODELS}/{file}",)
    assert resource.filename == file
    assert resource.sha256 == file.rpartition("-")[2].removesuffix(".pth")
    assert resource.prefix == ""


@pytest.mark.parametrize("scheme", ["open-mmlab", "openmmlab"])
@pytest.mark.parametrize("name", ["detectron/resnet50_caffe", "resnet50_caffe"])
def test_deprecated_open_mmlab_name_resolves_with_mirrors(scheme, name):
    resource = resolve(f"{scheme}://{name}")
    assert resource.urls[0] == f"{OPENMMLAB}/pretrain/third_party/resnet50_caffe-788b5fa3.pth"
    assert len(resource.urls) > 1
    assert resource.sha256 == "788b5fa3"
    assert all(url.endswith("resnet50_caffe-788b5fa3.pth") for url in resource.urls)


@pytest.mark.parametrize(
    "uri",
    [
        "https://a.org/net-5793a424.pth",
        "https://me:Secret@a.org:8080/A/Net.pth?Token=X",
        "torchvision://resnet50",
        "modelzoo://ResNet50_Weights.DEFAULT",
        "open-mmlab://resnet50_caffe",
        "mmcls://vgg11",
        "mmpretrain://resnet50_8xb32_in1k",
        "hf://Owner/Repo/net.pth@V1",
        "s3://Bucket/Net.pth",
        "memory://Folder/net.pth",
    ],
)
def test_scheme_is_case_insensitive(uri):
    scheme, _, rest = uri.partition("://")
    plain = resolve(uri)
    for other in (scheme.upper(), scheme.title()):
        resource = resolve(f"{other}://{rest}")
        assert resource == replace(plain, uri=f"{other}://{rest}")
        assert [is_fsspec_url(url) for url in resource.urls] == [
            url.startswith(("s3:", "memory:")) for url in plain.urls
        ]


def test_host_is_case_insensitive_and_path_is_not():
    assert resolve("https://A.ORG/x").urls == resolve("https://a.org/x").urls
    assert resolve("https://a.org/X").identity != resolve("https://a.org/x").identity
    assert resolve("https://Me:Pw@A.org/x").urls == ("https://Me:Pw@a.org/x",)


def test_find_model_ignores_the_case_of_the_scheme():
    assert find_model("TorchVision://vgg16").urls == find_model("torchvision://vgg16").urls


def test_mmcls_uri_has_the_backbone_prefix():
    resource = resolve("mmcls://vgg11")
    assert resource.prefix == "backbone."
    assert resource.sha256 == "4271cd6c"


def test_mirror_is_listed_only_for_a_known_hash():
    assert len(resolve("open-mmlab://mmedit/mobilenet_v2").urls) == 1


@pytest.mark.parametrize("name", ["resnet5", "", "resnet50.imagenet1k_v3", "RESNET50"])
def test_unknown_name_error_suggests_similar_names(name):
    with pytest.raises(UnknownModelError, match="brickwork-zoo list") as caught:
        resolve(f"torchvision://{name}")
    assert f"torchvision://{name}" in str(caught.value)
    if name == "resnet5":
        assert "'resnet50'" in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.uri) == (str(caught.value), caught.value.uri)


@pytest.mark.parametrize("file", ["open_mmlab.json", "open-mmlab.json"])
def test_user_catalog_overrides_the_shipped_one(file, tmp_path, monkeypatch):
    mine = {
        "mine": "weights/mine.pth",
        "resnet50_caffe": "https://my.org/caffe.pth",
        "other": "torchvision://resnet50",
        "~home": "~/x.pth",
    }
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "mine.pth").write_bytes(b"x")
    (tmp_path / file).write_text(json.dumps(mine))
    monkeypatch.setenv("MMCV_HOME", str(tmp_path))
    assert resolve("open-mmlab://mine").path == tmp_path / "weights" / "mine.pth"
    assert resolve("openmmlab://resnet50_caffe").urls == ("https://my.org/caffe.pth",)
    assert resolve("open-mmlab://other").urls == resolve("torchvision://resnet50").urls
    assert resolve("open-mmlab://other").uri == "open-mmlab://other"
    assert resolve("open-mmlab://vgg16_caffe").sha256 == "292e1171"
    assert find_model("open-mmlab://resnet50_caffe").urls == ("https://my.org/caffe.pth",)
    with pytest.raises(MissingFileError, match=r"x\.pth"):
        resolve("open-mmlab://~home")
    # The zoo's own home goes before mmcv's.
    own = Path(os.environ["BRICKWORK_HOME"]) / file
    own.write_text(json.dumps({"mine": "https://my.org/first.pth"}))
    assert resolve("open-mmlab://mine").urls == ("https://my.org/first.pth",)
    assert any(model.uri == "open-mmlab://mine" for model in list_models())


def test_both_spellings_of_the_user_catalog_are_read(tmp_path, monkeypatch):
    monkeypatch.setenv("MMCV_HOME", str(tmp_path))
    (tmp_path / "open-mmlab.json").write_text('{"a": "HTTPS://a.org/1.pth", "b": "a.pth"}')
    (tmp_path / "open_mmlab.json").write_text('{"a": "https://a.org/2.pth"}')
    (tmp_path / "a.pth").write_bytes(b"x")
    assert resolve("open-mmlab://a").urls == ("https://a.org/2.pth",)
    assert resolve("open-mmlab://b").path == tmp_path / "a.pth"


def test_user_catalog_is_found_in_the_cache_folder_by_default(tmp_path, monkeypatch):
    monkeypatch.delenv("BRICKWORK_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    for folder in ("mmcv", "brickwork"):
        (tmp_path / folder).mkdir()
        file = tmp_path / folder / "open-mmlab.json"
        file.write_text(json.dumps({"a": f"https://{folder}.org/a.pth"}))
        assert resolve("open-mmlab://a").urls == (f"https://{folder}.org/a.pth",)


@pytest.mark.parametrize("text", ["{", "[]", '{"a": 1}', '{"a": "open-mmlab://a"}'])
def test_invalid_user_catalog_raises(text):
    file = Path(os.environ["BRICKWORK_HOME"]) / "open_mmlab.json"
    file.write_text(text)
    with pytest.raises(InvalidInputError, match=r"open_mmlab\.json|in a row"):
        resolve("open-mmlab://a")


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("hf://o/r/net.pth", "o/r/resolve/main/net.pth"),
        ("hf://o/r/a/b.pth@v1.0", "o/r/resolve/v1.0/a/b.pth"),
        ("hf://o/r@v1/b.pth", "o/r/resolve/v1/b.pth"),
        ("hf://o/r/b.pth@refs/pr/3", "o/r/resolve/refs%2Fpr%2F3/b.pth"),
        ("hf://o/r/a b#c?.pth", "o/r/resolve/main/a%20b%23c%3F.pth"),
    ],
)
def test_hub_uri_resolves_to_endpoint_url(uri, path, monkeypatch):
    assert resolve(uri).urls == (f"https://huggingface.co/{path}",)
    monkeypatch.setenv("HF_ENDPOINT", "http://hub.local:8080/")
    assert resolve(uri).urls == (f"http://hub.local:8080/{path}",)


@pytest.mark.parametrize(
    ("uri", "beside"),
    [
        ("https://a.org/x/index.json", "https://a.org/x/shard 1.pth"),
        ("HTTPS://a.org/x/index.json?to=a/b#c", "https://a.org/x/shard 1.pth"),
        ("hf://o/r/index.json", "hf://o/r/shard 1.pth"),
        ("HF://o/r/d/index.json@refs/pr/3", "hf://o/r/d/shard 1.pth@refs/pr/3"),
        ("hf://o/r@v1/index.json", "hf://o/r/shard 1.pth@v1"),
        ("S3://b/d/index.json", "s3://b/d/shard 1.pth"),
        ("open-mmlab://mine", "https://a.org/z/shard 1.pth"),
    ],
)
def test_sibling_of_uri_is_in_the_same_folder_and_revision(uri, beside, monkeypatch):
    own = Path(os.environ["BRICKWORK_HOME"]) / "open_mmlab.json"
    own.write_text('{"mine": "https://a.org/z/index.json"}')
    wanted = resolve(beside)
    assert resolve(sibling(resolve(uri), "shard 1.pth")).urls == tuple(
        url.replace(" ", "%20") if url.startswith("http") else url for url in wanted.urls
    )
    monkeypatch.setenv("BRICKWORK_MIRRORS", "a.org=b.org")  # mirrors apply to shards as well
    assert (
        resolve(sibling(resolve(uri), "shard 1.pth"))
        .urls[-1]
        .startswith(wanted.urls[-1].partition(" ")[0])
    )


def test_sibling_of_local_file_is_a_path(tmp_path):
    index = tmp_path / "index.json"
    index.write_text("{}")
    assert sibling(resolve(index), "a b.pth") == str(tmp_path / "a b.pth")


@pytest.mark.parametrize(
    "uri", ["hf://", "hf://o", "hf://o/r", "hf://o/r/", "hf:///r/x", "hf://o/r/x@"]
)
def test_malformed_hub_uri_is_refused(uri):
    with pytest.raises(InvalidInputError, match="hf://owner/repo/file") as caught:
        resolve(uri)
    assert uri in str(caught.value)


def test_argument_hash_overrides_catalog_and_file_name():
    url = "https://a.org/net-5793a424.pth"
    assert (resolve(url).sha256, resolve(url).sha256_source) == ("5793a424", "file name")
    passed = resolve(url, sha256="AB" * 32)
    assert (passed.sha256, passed.sha256_source) == ("ab" * 32, "argument")
    skipped = resolve(url, sha256=False)
    assert (skipped.sha256, skipped.sha256_source) == (None, None)
    assert resolve("https://a.org/net-57934424.pth").sha256 is None
    assert resolve("https://a.org/net.pth").sha256 is None
    assert resolve("https://a.org/net.pth#part").urls == ("https://a.org/net.pth",)
    assert resolve("torchvision://resnet50", sha256="0" * 8).sha256 == "0" * 8


def test_mirrors_are_tried_first_and_keep_the_identity(monkeypatch):
    plain = resolve("https://a.org/net.pth")
    monkeypatch.setenv("BRICKWORK_MIRRORS", "a.org=b.org")
    resource = resolve("https://a.org/net.pth")
    assert resource.urls == ("https://b.org/net.pth", "https://a.org/net.pth")
    assert resource.identity == plain.identity == "https://a.org/net.pth"
    monkeypatch.setenv("BRICKWORK_MIRRORS", "a.org=")
    with pytest.raises(InvalidInputError, match="no URL left"):
        resolve("https://a.org/net.pth")


@pytest.fixture
def schemes(monkeypatch):
    monkeypatch.setattr(_scheme, "_RESOLVERS", dict(_scheme._RESOLVERS))
    monkeypatch.setattr(_scheme, "_plugins", dict)


@pytest.mark.usefixtures("schemes")
def test_longest_registered_prefix_wins():
    register_scheme(
        ["my://", "https://a.org/"], lambda uri: Resource(uri, ("https://short/x",), "x")
    )
    register_scheme("my://deep/", lambda uri: "https://a.org/" + uri.rpartition("/")[2])
    assert resolve("my://x").urls == ("https://short/x",)
    assert resolve("my://deep/x").urls == ("https://short/x",)
    assert resolve("https://a.org/y").urls == ("https://short/x",)
    assert resolve("https://a.orgs/y").urls == ("https://a.orgs/y",)
    with pytest.raises(InvalidInputError, match="force=True"):
        register_scheme("my://", str)
    register_scheme("My://", lambda uri: uri, force=True)
    with pytest.raises(InvalidInputError, match="in a row"):
        resolve("my://x")


def test_entry_points_add_schemes(monkeypatch):
    point = EntryPoint("lab", "os.path:basename", "brickwork.schemes")
    monkeypatch.setattr(_scheme, "entry_points", lambda group: [point] * (group == point.group))
    _scheme._plugins.cache_clear()
    try:
        with pytest.raises(MissingFileError, match="net"):
            resolve("lab://x/net")
        assert "lab://" in _scheme.known_prefixes()
    finally:
        _scheme._plugins.cache_clear()


LAB = """
from brickwork_zoo import Resource

def resolve(uri):
    return Resource(uri, ("https://lab.example/" + uri.removeprefix("lab://"),), "net.pth")

def deep(uri):
    return "torchvision://" + uri.removeprefix("lab://deep/")
"""


def test_installed_package_adds_schemes(tmp_path):
    """The package is installed as pip does: a module and its metadata."""
    (tmp_path / "lab.py").write_text(LAB)
    about = tmp_path / "lab-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: lab\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(
        "[brickwork.schemes]\nLab = lab:resolve\nlab://deep/ = lab:deep\n"
    )
    program = (
        "from brickwork_zoo import resolve\n"
        "for uri in ('lab://x', 'LAB://x', 'lab://deep/resnet50'): print(*resolve(uri).urls)"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == [
        *["https://lab.example/x"] * 2,
        f"{MODELS}/resnet50-0676ba61.pth",
    ]


def test_unknown_scheme_error_lists_known_schemes():
    with pytest.raises(UnknownSchemeError, match=r"nothing://x.*torchvision://"):
        resolve("nothing://x")


@pytest.mark.parametrize(
    ("uri", "suggestion"),
    [
        ("timm://resnet50", "torchvision://resnet50? known schemes"),
        ("mmcls2://resnet50", "did you mean mmcls://resnet50?"),
        ("torchvison://anything", "did you mean torchvision://anything?"),
    ],
)
def test_unknown_scheme_error_suggests_uris_of_known_schemes(uri, suggestion):
    with pytest.raises(UnknownSchemeError, match=re.escape(suggestion)):
        resolve(uri)


@pytest.mark.parametrize("uri", ["timm://resnet50", "nothing://resnet50", "://resnet50"])
def test_find_model_uses_only_the_scheme_of_the_name(uri):
    with pytest.raises(UnknownModelError, match=r"did you mean .*torchvision://resnet50\?"):
        find_model(uri)


def test_bare_model_name_error_suggests_uri():
    with pytest.raises(MissingFileError, match="torchvision://resnet50"):
        resolve("resnet50")
    with pytest.raises(MissingFileError, match=r"did you mean .*torchvision://resnet50\b"):
        resolve("resnet5")


@pytest.mark.parametrize("path", ["weights/resnet5", "resnet5.pth", "zzzzzz"])
def test_missing_path_error_suggests_no_model(path):
    with pytest.raises(MissingFileError) as caught:
        resolve(path)
    assert "did you mean" not in str(caught.value)


def test_empty_uri_is_refused():
    with pytest.raises(InvalidInputError, match="must be a path or URI"):
        resolve("")


@pytest.mark.parametrize("path", ["x" * 5000, "~no-such-user/net.pth", "a\0b", "\udcff.pth"])
def test_impossible_path_raises_missing_file(path):
    with pytest.raises(MissingFileError) as caught:
        resolve(path)
    assert caught.value.uri == path


def test_find_model_returns_facts_of_the_catalog():
    model = find_model("torchvision://ResNet50_Weights.IMAGENET1K_V2")
    assert model.params == 25_557_032
    assert model.metrics == {"acc1": 80.858, "acc5": 95.434}
    assert model.family == "resnet"
    assert abs(model.size - 97.79 * 2**20) < 2**20 / 100
    assert pickle.loads(pickle.dumps(model)) == model
    with pytest.raises(UnknownModelError):
        find_model("https://a.org/x.pth")


def test_list_models_filters_by_facts():
    every = list_models()
    assert [m.uri for m in every] == sorted(m.uri for m in every)
    assert len({m.uri for m in every}) == len(every) > 700
    small = list_models("resnet", source="torchvision", max_params=30e6, min_acc1=80)
    assert "torchvision://resnet50.imagenet1k_v2" in [m.uri for m in small]
    assert all(m.params <= 30e6 and m.metrics["acc1"] >= 80 for m in small)
    assert {m.family for m in list_models(family="RESNET", source="torchvision")} == {"resnet"}
    assert [m.uri for m in list_models("vgg1?", source="mmcls")] == [
        f"mmcls://vgg1{n}" for n in (1, 3, 6, 9)
    ]
    kinds = {m.family for m in list_models(family="mobile_net")}
    assert {"mobilenet", "MobileNet V2", "MobileNet V3"} <= kinds
    assert all(m.size <= 5e6 for m in list_models(max_size=5e6))
    with pytest.raises(InvalidInputError, match="torchvision"):
        list_models(source="timm")


def test_models_list_their_deprecated_names_as_aliases():
    model = find_model("open-mmlab://resnet50_caffe")
    assert "resnet50_caffe" in model.aliases
    names = {model.name: model for model in list_models(source="open-mmlab")}
    assert "resnet50_caffe" not in names
    assert names["detectron/resnet50_caffe"].aliases == model.aliases
    assert "resnet50" in find_model("torchvision://resnet50.imagenet1k_v1").aliases


def test_shipped_catalog_equals_script_output(tmp_path):
    package = Path(__file__).parents[2] / "packages" / "zoo"
    script = package / "catalog" / "make_catalog.py"
    subprocess.run([sys.executable, script, tmp_path], check=True)
    shipped = package / "src" / "brickwork_zoo" / "data"
    made = {file.name: file.read_text("utf-8") for file in tmp_path.iterdir()}
    assert made == {file.name: file.read_text("utf-8") for file in shipped.iterdir()}


RAW = Path(__file__).parents[2] / "packages" / "zoo" / "catalog" / "raw"


def facts(name: str) -> Any:
    return json.loads((RAW / f"{name}.json").read_text("utf-8"))


def test_every_raw_name_resolves_to_its_url():
    for scheme, name in (("open-mmlab", "open_mmlab"), ("mmcls", "mmcls")):
        assert {model.name: model.urls[0] for model in list_models(source=scheme)} == facts(name)
    for name, url in facts("torchvision_0.12").items():
        assert url is None or resolve(f"torchvision://{name}").urls[0] == url
    for old, new in facts("deprecated").items():
        assert resolve(f"open-mmlab://{old}").urls == resolve(f"open-mmlab://{new}").urls


def test_torchvision_rows_contain_every_raw_fact():
    for name, row in facts("torchvision")["weights"].items():
        model = find_model(f"torchvision://{name}")
        assert find_model(f"torchvision://{row['enum']}") == replace(
            model, uri=f"torchvision://{row['enum']}"
        )
        assert model.urls[0] == row["url"]
        assert row["url"].endswith(f"-{model.sha256}.pth")
        assert model.params == row["num_params"]
        assert model.size == pytest.approx(row["file_size_mb"] * 2**20, abs=0.001 * 2**20)
        assert model.flops == pytest.approx(row["gflops"] * 1e9)
        assert model.architecture == name.partition(".")[0]
        assert model.about == row["recipe"]
        assert model.family
        reached = {key: row[key] for key in ("acc1", "acc5") if row[key] == row[key]}  # no nan
        assert model.metrics == reached


def test_mmpretrain_rows_contain_every_raw_fact():
    rows = [row for row in facts("mmpretrain")["models"] if row["url"]]
    for row in rows:
        model = find_model(f"mmpretrain://{row['name']}")
        assert model.urls[0] == row["url"]
        wanted = [row[key] for key in ("params", "flops", "collection", "config")]
        assert [model.params, model.flops, model.family, model.about] == wanted
        metrics = dict(row["metrics"] or {})
        assert model.dataset == metrics.pop("dataset", None)
        known = [value for value in metrics.values() if value is not None]
        assert sorted(model.metrics.values()) == sorted(known)
    assert len(list_models(source="mmpretrain")) == len(rows)


def test_every_mirror_is_a_url_of_every_model_with_that_file():
    models = defaultdict(list)
    for model in list_models():
        models[model.urls[0].rpartition("/")[2]].append(model)
    for name, row in facts("mirrors")["files"].items():
        for model in models[name]:
            mirrors = row["mirrors"] if row["sha256_prefix"] else []
            assert model.urls == (row["primary"], *mirrors)
            assert (model.sha256, model.sha256_source) == (
                row["sha256_prefix"],
                "file name" if row["sha256_prefix"] else None,
            )
        assert models[name]


def test_every_hash_of_the_catalog_has_a_source():
    for model in list_models():
        if model.sha256 is None:
            assert model.sha256_source is None
        elif model.sha256_source == "file name":
            assert f"-{model.sha256}." in model.urls[0]
        else:
            filename = model.urls[0].rpartition("/")[2]
            row = facts("hashes")["files"][filename]
            assert (model.sha256, model.sha256_source) == (row["sha256"], row["source"])
            assert row["source"] == "measured" or row["source"].startswith("reported in https://")


@pytest.mark.parametrize("kind", range(8))
def test_old_efficientnet_names_expect_the_file_that_the_server_sends(kind):
    """The old file names contain a wrong hash; the current enums name the same files correctly."""
    old = resolve(f"torchvision://efficientnet_b{kind}")
    current = resolve(f"torchvision://efficientnet_b{kind}.imagenet1k_v1")
    assert old.filename != current.filename
    assert old.sha256.startswith(current.sha256)
    assert old.sha256_source.startswith("reported in")


def test_catalog_is_strict_json():
    shipped = RAW.parents[1] / "src" / "brickwork_zoo" / "data"
    for file in shipped.iterdir():
        json.loads(file.read_text("utf-8"), parse_constant=pytest.fail)  # NaN is none
    features = find_model("torchvision://vgg16.imagenet1k_features")
    assert features.metrics == {}  # torchvision says nan
    assert features not in list_models("vgg16", min_acc1=1)


def test_import_of_package_is_light():
    program = (
        "import sys; import brickwork_zoo; brickwork_zoo.ZooError; "
        "print(*{'torch', 'requests', 'tqdm', 'filelock', 'numpy'} & set(sys.modules)); "
        "brickwork_zoo.list_models(); brickwork_zoo.download; "
        "print(*{'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


def test_missing_torch_error_names_the_extra():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import brickwork_zoo\n"
        "try:\n    brickwork_zoo.load_checkpoint\n"
        "except ImportError as error:\n    print(type(error).__name__, error, error.package)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "MissingDependencyError load_checkpoint needs torch" in done.stdout
    assert "pip install 'brickwork-zoo[torch]' torch" in done.stdout


def test_resolver_may_return_a_reader_instead_of_a_file(monkeypatch):
    monkeypatch.setattr(_scheme, "_RESOLVERS", dict(_scheme._RESOLVERS))

    def read(uri, map_location):
        return {"uri": uri, "map_location": map_location}

    register_scheme(("lab://", re.compile(r"(\S+:)?petrel://")), lambda uri: read)
    for uri in ("lab://a/net.pth", "cluster:petrel://a/net.pth", "petrel://net.pth"):
        assert resolve(uri).reader is read
        with pytest.raises(InvalidInputError, match="read_checkpoint"):
            download(uri)
    with pytest.raises(KeyError, match="already; pass force=True"):
        register_scheme(re.compile(r"(\S+:)?petrel://"), lambda uri: read)


def test_resolver_of_paths_can_be_replaced(monkeypatch, tmp_path):
    monkeypatch.setattr(_scheme, "_RESOLVERS", dict(_scheme._RESOLVERS))
    register_scheme("", lambda path: f"https://a.org/{path}", force=True)
    assert resolve("net.pth").filename == "net.pth"
    assert resolve("net.pth").path is None
