"""Faults on purpose: processes that are killed, disks that are full, folders that nobody may write to, two processes at once.

    python -m tests.faults                the whole study, some ten minutes (make faults)
    python -m tests.faults --only sweep   one part of it
"""
