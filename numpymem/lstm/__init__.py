"""The LSTM baseline."""

from numpymem.lstm.model import LSTM, LSTMConfig

__all__ = ["LSTM", "LSTMConfig"]
