"""Questions about graphs: traversal, shortest paths and family relations (Graves et al. 2016, Nature, Fig. 3)."""
