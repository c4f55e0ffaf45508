"""What the chapters in notebooks/ share: equations shown with their very source, figures with sliders, small trainings.

    show("NTM-9")                                         # formula, forward and backward, straight from the registry
    sliders(draw, gamma=(1, 20, 1.0))                     # a figure that follows its sliders
    train("ntm", "copy", budget(4_000, 20), *SMALL_COPY)  # a training of about a minute; short where NUMPYMEM_QUICK=1
    trained("memn2n_babi1")                               # a model that comes along, with stories that need no download
    equations("NTM-")                                     # what is registered, as a table

Nothing of numpymem imports this package: IPython and ipywidgets are needed only here.
"""

from numpymem.paper_recipes import SMALL_COPY
from numpymem.teaching.figures import matrices, memory_at, several_curves, weight_bars
from numpymem.teaching.interactive import sliders
from numpymem.teaching.models import budget, is_quick, learning_curve, train, trained
from numpymem.teaching.sources import equations, show

__all__ = ["SMALL_COPY", "budget", "equations", "is_quick", "learning_curve", "matrices", "memory_at", "several_curves",
           "show", "sliders", "train", "trained", "weight_bars"]
