"""numpymem: memory networks from scratch in NumPy, every forward and every backward pass written by hand."""

from numpymem.equation import REGISTRY, around, find, patch, watch
from numpymem.kernel import numpy_only

__version__ = "0.1.0"
__all__ = ["REGISTRY", "around", "find", "numpy_only", "patch", "watch"]
