"""Packages that are imported when first used, so that `import workbench` stays quick."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


class _Lazy(ModuleType):
    """Stands for a package until an attribute of it is asked for.

    It is not put into ``sys.modules``, as :class:`importlib.util.LazyLoader` would: a later
    ``import numpy.linalg`` elsewhere would find it there half made, and load parts twice.
    """

    def __init__(self, name: str, install: str) -> None:
        super().__init__(name)
        self._install = install

    def __getattr__(self, attribute: str) -> object:
        if attribute.startswith("__") and attribute != "__version__":
            raise AttributeError(attribute)  # asked by those who look at every module
        try:
            package = importlib.import_module(self.__name__)
        except ModuleNotFoundError as error:
            if error.name != self.__name__:
                raise
            raise ModuleNotFoundError(
                f"{self.__name__} is not installed; `pip install {self._install}` brings it",
                name=self.__name__,
            ) from None
        value = getattr(package, attribute)
        setattr(self, attribute, value)  # the next time it is found without coming here
        return value


def lazy(name: str, install: str = "") -> ModuleType:
    """The module `name`, loaded on its first attribute access.

    Parameters
    ----------
    name : str
        Full name of a module.
    install : str
        What to hand to pip when the module is missing; `name` when empty.

    Examples
    --------
    >>> lazy("math").floor(2.5)
    2
    """
    return sys.modules.get(name) or _Lazy(name, install or name)
