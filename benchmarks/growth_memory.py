"""Peak memory of training steps over an axis, in a process of its own, so that nothing is left over from other sizes.

    python -m benchmarks.growth_memory FORM [--quick] MODEL/AXIS [...]      prints {"MODEL/AXIS": {"peak_mib": [...], ...}}
"""

import json
import sys
import tracemalloc

from benchmarks.growth_axes import AXES
from benchmarks.growth_cases import MODELS, step
from benchmarks.growth_measure import FORMS, weigh


def main(arguments):
    form, *keys = arguments
    axes = [axis for axis in AXES if axis.key in keys]
    with FORMS[form]():                           # a small step first: what it takes to load compiled code is not the model's
        step(MODELS[axes[0].model](**axes[0].sizes(axes[0].values[0])))
    tracemalloc.start()
    print(json.dumps({axis.key: over(axis, form, "--quick" in keys) for axis in axes}))


def over(axis, form, quick):
    """-> {"peak_mib": [...], "trace_mib": [...]}, a number for each point."""
    found = [weigh(MODELS[axis.model](**axis.sizes(value)), form) for value in axis.points(quick)]
    return {name: [row[name] for row in found] for name in found[0]}


if __name__ == "__main__":
    main(sys.argv[1:])
