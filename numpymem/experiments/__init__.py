"""Experiments: the duel, the papers' tables; small result files beside the code that made them."""
