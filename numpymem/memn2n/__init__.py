"""The end-to-end memory network of Sukhbaatar et al. 2015 (arXiv 1503.08895)."""

from numpymem.memn2n.model import MemN2N, MemN2NConfig

__all__ = ["MemN2N", "MemN2NConfig"]
