"""The memory Transformer: a Transformer that writes to an NTM's memory and reads it."""

from numpymem.memory_transformer.model import MemoryTransformer, MemoryTransformerConfig

__all__ = ["MemoryTransformer", "MemoryTransformerConfig"]
