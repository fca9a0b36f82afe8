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


def load(package: str, announces: str) -> Mapping[str, Any]:
    """Return the variants of `package`, each file's attribute `announces` keyed by its `name`, in name order.

    Files whose name begins with an underscore are shared parts, not variants.

    Raises:
        MissingVariant: a file lacks the attribute.
        DuplicateVariant: two files give the same name.
    """
    found: dict[str, Any] = {}
    home = importlib.import_module(package)
    for info in sorted(pkgutil.iter_modules(home.__path__), key=lambda each: each.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"{package}.{info.name}")
        if not hasattr(module, announces):
            raise MissingVariant(f"{package}.{info.name} announces no {announces}")
        variant = getattr(module, announces)
        if variant.name in found:
            raise DuplicateVariant(f"{package}: {variant.name!r} is announced twice")
        found[variant.name] = variant
    return MappingProxyType(dict(sorted(found.items())))
