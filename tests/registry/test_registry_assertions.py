"""Errors where mmcv asserts: they are also AssertionErrors."""

import pytest
from brickwork_registry import Registry, errors


@pytest.mark.parametrize(
    ("error", "builtin"),
    [(errors.ArgumentTypeError, TypeError), (errors.ArgumentValueError, ValueError)],
)
def test_argument_error_is_a_builtin_error_and_an_assertion_error(error, builtin):
    assert issubclass(error, (builtin, AssertionError))
    assert issubclass(error, errors.ArgumentError)


def test_parent_that_is_not_a_registry_is_refused():
    with pytest.raises(AssertionError, match="parent must be a Registry or None, got 'root'"):
        Registry("models", parent="root")


def test_second_child_with_the_same_scope_is_refused():
    root = Registry("models", scope="root")
    Registry("models", parent=root, scope="child")
    with pytest.raises(AssertionError, match="'child' is already registered"):
        Registry("models", parent=root, scope="child")
