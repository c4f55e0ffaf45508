"""The Differentiable Neural Computer (Graves, Wayne et al. 2016, Nature 538)."""

from numpymem.dnc.model import DNC, DNCConfig

__all__ = ["DNC", "DNCConfig"]
