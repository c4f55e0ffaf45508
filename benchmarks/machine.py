"""What a time depends on, for the report: processor, cores, versions, and how busy the machine was."""

import importlib.metadata
import os
import platform

LIBRARIES = ("numpy", "numba", "jax", "jaxlib", "torch")


def facts():
    """A dict; the command that made the report is put in by the command line."""
    load = round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None
    return {"cpu": cpu_model(), "cores": cores(), "load_before": load, "system": platform.system(),
            "python": platform.python_version(), **versions()}


def cpu_model():
    try:
        with open("/proc/cpuinfo") as lines:
            return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def cores():
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def versions():
    return {name: installed(name) for name in LIBRARIES}


def installed(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
