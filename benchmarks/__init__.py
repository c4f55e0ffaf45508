"""How fast the training step is, beside JAX and PyTorch on the same work: `python -m benchmarks`. See README.md."""
