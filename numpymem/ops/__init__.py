"""Pairs that every model shares: linear, activations, softmax, cosine similarity, embedding, LSTM cell, losses."""

from numpymem.ops.activations import (oneplus, oneplus_backward, relu, relu_backward, sigmoid, sigmoid_backward, softplus,
                                      softplus_backward, tanh, tanh_backward)
from numpymem.ops.cosine import cosine_similarity, cosine_similarity_backward
from numpymem.ops.embedding import embed, embed_backward
from numpymem.ops.linear import linear, linear_backward
from numpymem.ops.losses import (binary_cross_entropy, binary_cross_entropy_backward, categorical_cross_entropy,
                                 categorical_cross_entropy_backward)
from numpymem.ops.lstm import lstm_cell, lstm_cell_backward
from numpymem.ops.softmax import softmax, softmax_backward

__all__ = [name for name in dir() if not name.startswith("_")]
