"""The dynamic memory networks of Kumar et al. 2015 (arXiv 1506.07285) and, DMN+, of Xiong et al. 2016 (arXiv 1603.01417)."""

from numpymem.dmn.model import DMN, DMNConfig

__all__ = ["DMN", "DMNConfig"]
