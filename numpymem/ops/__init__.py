"""Pairs that every model shares: linear, activations, softmax, cosine similarity, embedding, LSTM cell, losses."""

from numpymem.ops import activations, cosine, embedding, linear, losses, lstm, softmax

__all__ = ["activations", "cosine", "embedding", "linear", "losses", "lstm", "softmax"]
