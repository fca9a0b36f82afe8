import inspect
import re

from tracker.domain import errors


def test_the_drawn_tree_is_the_tree() -> None:
    """The picture in the module's docstring names every error under its parent."""
    drawn: dict[str, str] = {}
    parents = {0: "TrackerError"}
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^([│ ]*)[├└]── (\w+)", line)
        if match:
            depth = len(match[1]) // 4 + 1
            parents[depth] = match[2]
            drawn[match[2]] = parents[depth - 1]
    real = {
        name: each.__bases__[0].__name__
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.TrackerError) and each is not errors.TrackerError
    }
    assert drawn == real


def test_only_a_silent_neighbour_is_worth_another_try() -> None:
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    transient = {each.__name__ for each in classes if getattr(each, "transient", False)}
    assert transient == {"Unavailable"}
