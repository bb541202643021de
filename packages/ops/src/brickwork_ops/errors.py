"""Exceptions of the operators.

mmcv asserts where these are raised, so each is an `AssertionError` as well.
"""


class OperatorInputError(ValueError, AssertionError):
    """A tensor or an argument that an operator cannot work with.

    Attributes:
        operator: Name of the operator.
        problem: What is wrong, with the value and what is allowed.
    """

    def __init__(self, operator: str, problem: str) -> None:
        super().__init__(operator, problem)
        self.operator = operator
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.operator}: {self.problem}"


class BackendError(ValueError):
    """A backend that an operator does not have or that is not installed."""


class OperatorUnavailableError(AttributeError):
    """A name of mmcv.ops that this package does not implement.

    Attributes:
        name: The name.
        provider: A library that has it.
    """

    def __init__(self, name: str, provider: str) -> None:
        super().__init__(name, provider)
        self.name = name
        self.provider = provider

    def __str__(self) -> str:
        return f"brickwork_ops does not implement {self.name}; {self.provider} does"
