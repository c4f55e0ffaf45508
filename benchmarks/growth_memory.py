"""Peak memory of a training step over one axis, in a process of its own, so that nothing is left over from other sizes.

    python -m benchmarks.growth_memory MODEL/AXIS FORM [--quick]       prints {"peak_mib": [...], "trace_mib": [...]}
"""

import json
import sys
import tracemalloc

from benchmarks.growth_axes import AXES
from benchmarks.growth_cases import MODELS, step
from benchmarks.growth_measure import FORMS, MIB, peak_bytes, trace_bytes


def main(arguments):
    key, form, *quick = arguments
    axis = next(each for each in AXES if each.key == key)
    points = axis.points(bool(quick))
    with FORMS[form]():                           # a small step first: what it takes to load compiled code is not the model's
        step(MODELS[axis.model](**axis.sizes(points[0])))
    tracemalloc.start()
    found = [measure(axis, form, value) for value in points]
    print(json.dumps({name: [row[name] for row in found] for name in found[0]}))


def measure(axis, form, value):
    """MiB at the peak of one step and MiB of its trace; workspaces that grew with the size are counted."""
    case = MODELS[axis.model](**axis.sizes(value))
    peak = peak_bytes(case, form)
    with FORMS[form]():
        _, trace = step(case)
    return {"peak_mib": round(peak / MIB, 3), "trace_mib": round(trace_bytes(trace) / MIB, 3)}


if __name__ == "__main__":
    main(sys.argv[1:])
