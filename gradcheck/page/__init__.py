"""The report as a web page: `page(results, seconds, seed)`, put together in whole.py from the pieces beside it."""

from gradcheck.page.whole import document, page

__all__ = ["document", "page"]
