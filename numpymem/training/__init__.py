"""Training: optimizers, clipping, one loop, checkpoints, the run folder."""

from numpymem.training.loop import Training
from numpymem.training.recipe import Recipe
from numpymem.training.run_folder import RunFolder

__all__ = ["Recipe", "RunFolder", "Training"]
