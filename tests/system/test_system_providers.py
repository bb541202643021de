"""Names of distributions that are not installed: the error says what to install."""

import pytest

from tests.support.isolation import run_with_only

LAYERS = ["brickwork-registry", "brickwork-layers"]
MODULES = [*LAYERS, "brickwork-init", "brickwork-base", "brickwork-modules"]

CODE = """
from {module} import {registry}
try:
    {registry}.build(dict(type={name!r}))
except KeyError as error:
    print(error)
"""


@pytest.mark.parametrize(
    ("installed", "registry", "name", "provider"),
    [
        (
            ["brickwork-registry", "brickwork-init"],
            "brickwork_init.INITIALIZERS",
            "Pretrained",
            "brickwork-zoo[torch]",
        ),
        (LAYERS, "brickwork_layers.CONV_LAYERS", "DCNv2", "brickwork-ops"),
        (
            MODULES,
            "brickwork_modules.ATTENTION",
            "MultiScaleDeformableAttention",
            "brickwork-ops",
        ),
    ],
)
def test_error_names_the_distribution_to_install(tmp_path, installed, registry, name, provider):
    module, _, attribute = registry.partition(".")
    message = run_with_only(
        tmp_path, installed, CODE.format(module=module, registry=attribute, name=name)
    )
    assert message.endswith(f"install {provider}, which provides it")
