"""Faults on purpose: processes that are killed, disks that are full, folders that nobody may write to, two processes at once.

    python -m tests.faults                the whole study, some ten minutes (make faults)
    python -m tests.faults --only sweep   one part of it
"""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))            # the tools of the other tests: sweep_tools
