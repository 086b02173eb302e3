"""The elements of a tensor, and what is known of each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from workbench.interp.shadow import Shadow
    from workbench.interp.values import Array
    from workbench.ir.types import TensorType

    Mask = NDArray[np.bool_]


@dataclass
class Storage:
    """The elements of one tensor.

    Attributes
    ----------
    data : ndarray
        Elements in the order of their addresses: shape [size] for global and constant tensors,
        [blocks * size] for shared ones, [size, threads] for register tensors.
    written : ndarray of bool or None
        Which elements have a value, in the shape of `data`; None when all have.
    shadow : Shadow or None
        Who touched them, where that is looked after.
    """

    name: str
    type: TensorType
    data: Array
    written: Mask | None = None
    shadow: Shadow | None = None
    extents: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.extents = self.type.extents
