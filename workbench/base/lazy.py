"""Packages that are imported when first used, so that `import workbench` stays quick."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType


class _Missing(ModuleType):
    """Stands for a package that is not installed; any use of it says what to install."""

    def __init__(self, name: str, install: str) -> None:
        super().__init__(name)
        self._install = install

    def __getattr__(self, attribute: str) -> object:
        if attribute.startswith("__"):
            raise AttributeError(attribute)
        raise ModuleNotFoundError(
            f"{self.__name__} is not installed; `pip install {self._install}` brings it",
            name=self.__name__,
        )


def lazy(name: str, install: str = "") -> ModuleType:
    """The module `name`, loaded on its first attribute access.

    Parameters
    ----------
    name : str
        Full name of a top-level module.
    install : str
        What to hand to pip when the module is missing; `name` when empty.

    Examples
    --------
    >>> lazy("math").floor(2.5)
    2
    """
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.find_spec(name)
    if spec is None or spec.loader is None:
        return _Missing(name, install or name)
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
