"""What is right and wrong about an answer: the checks of the exercises, one module a lesson."""

from pruneviz.lessons import HOME

__path__ = [str(HOME / "checks")]
