"""Finds the variants of one kind (dialects, channels, commands, ...): one file each in one package."""

import importlib
import pkgutil
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


class DuplicateVariant(Exception):
    """Two files of a package announce the same name; rename one of them."""


class MissingVariant(Exception):
    """A file of a variants' package does not announce what every variant must; add it or move the file."""


def names(package: str) -> tuple[str, ...]:
    """Return the names of a package's files that hold variants, sorted, without importing them."""
    home = importlib.import_module(package)
    return tuple(
        sorted(info.name for info in pkgutil.iter_modules(home.__path__) if not info.name.startswith("_"))
    )


def load(package: str, announces: str) -> Mapping[str, Any]:
    """Return the variants of `package`, each file's attribute `announces` keyed by its `name`, in name order.

    Files whose name begins with an underscore are shared parts, not variants.

    Raises:
        MissingVariant: a file lacks the attribute.
        DuplicateVariant: two files give the same name.
    """
    found: dict[str, Any] = {}
    for file in names(package):
        variant = load_one(package, file, announces)
        if variant.name in found:
            raise DuplicateVariant(f"{package}: {variant.name!r} is announced twice")
        found[variant.name] = variant
    return MappingProxyType(dict(sorted(found.items())))


def load_one(package: str, file: str, announces: str) -> Any:
    """Return the variant of one file.

    Raises:
        MissingVariant: the file lacks the attribute.
    """
    module = importlib.import_module(f"{package}.{file}")
    if not hasattr(module, announces):
        raise MissingVariant(f"{package}.{file} announces no {announces}")
    return getattr(module, announces)
