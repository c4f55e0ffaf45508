"""The Neural Turing Machine (Graves, Wayne, Danihelka 2014)."""

from numpymem.ntm.model import NTM, NTMConfig

__all__ = ["NTM", "NTMConfig"]
