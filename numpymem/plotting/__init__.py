"""Figures from a trace, a log or a duel. Every function returns a matplotlib Figure; `save` writes one to a file.

    figure = ntm_memory(trace, batch, logits)      # shows itself in a notebook
    save(figure, "memory.png")

No pyplot: nothing global is changed, no window opens, nothing has to be closed. In pictures of heads, orange writes and
blue reads; in pictures of models, every model has its colour of COLOURS. Steps and slots count from 0, as in arrays.
"""

from numpymem.plotting.curves import curves
from numpymem.plotting.dmn import dmn_attention
from numpymem.plotting.dnc import dnc_memory, link_matrix
from numpymem.plotting.duel import duel, leads, times
from numpymem.plotting.graphs import family_tree, named, underground_map
from numpymem.plotting.memory import gradient_through_memory, memory_matrix
from numpymem.plotting.memory_transformer import transformer_attention, transformer_figures, transformer_memory
from numpymem.plotting.ntm import ntm_memory
from numpymem.plotting.parts import COLOURS, Picture, save, used_slots
from numpymem.plotting.story import memn2n_attention
from numpymem.plotting.sweeps import heat_map, sweep_panels
from numpymem.plotting.tasks import copies, heads_at_work, predictions, task_figure

__all__ = ["COLOURS", "Picture", "copies", "curves", "dmn_attention", "dnc_memory", "duel", "family_tree",
           "gradient_through_memory", "heads_at_work", "heat_map", "leads", "link_matrix", "memn2n_attention", "memory_matrix",
           "named", "ntm_memory", "predictions", "save", "sweep_panels", "task_figure", "times", "transformer_attention",
           "transformer_figures", "transformer_memory", "underground_map", "used_slots"]
