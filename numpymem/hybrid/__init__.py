"""The hybrid: an NTM that lives through a story and a MemN2N that looks back at its sentences, as one model."""

from numpymem.hybrid.model import Hybrid, HybridConfig

__all__ = ["Hybrid", "HybridConfig"]
