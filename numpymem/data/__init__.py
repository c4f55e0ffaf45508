"""Data sets: find the real files, download them with checksums, parse them; generators for use offline.

bAbI: `babi`, `worlds`; WikiSQL: `wikisql`, `sql`; the knowledge base of MetaQA: `metaqa`.
"""

from .babi import BabiData, load, split_validation
from .babi_format import TASKS, Question, parse
from .download import DownloadError, fetch

__all__ = ["TASKS", "BabiData", "DownloadError", "Question", "fetch", "load", "parse", "split_validation"]
