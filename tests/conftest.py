"""The order of the test files: those that take longest first, so that at the end no core waits for another.

`make test` runs on two cores, a file at a time (pytest -n 2 --dist loadfile --no-loadscope-reorder).
"""

LONGEST = ("test_mutation", "test_notebooks", "test_edit_wins", "test_mutation_hunts", "test_duel_live", "test_kernel_types",
           "test_sweep_dask", "test_ahead", "test_gradcheck_kernels", "test_ablations", "test_report", "test_benchmarks",
           "test_gradcheck_cli", "test_sweep", "test_checkpoints", "test_meaning", "test_dnc")


def pytest_collection_modifyitems(items):
    """Sort by file; within a file the order stays."""
    items.sort(key=lambda item: LONGEST.index(item.path.stem) if item.path.stem in LONGEST else len(LONGEST))
