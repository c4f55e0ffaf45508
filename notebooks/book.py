"""The chapters and solutions as a site of plain HTML files, made from the notebooks as they are: nothing is run.

    python notebooks/book.py                  writes the site into book/; open book/index.html, no server is needed
    python notebooks/book.py --folder FOLDER  writes it somewhere else

The site needs no network: formulas are drawn into the pages, pictures lie beside them, and the search looks into a file of its own.
site_parts/markup.py makes HTML of cells, this file makes pages of them; site_parts/book.css and search.js are copied.
test_book.py checks the result (`make book-check`).
"""

import ast
import hashlib
import html
import json
import pathlib
import shutil
import sys
from typing import NamedTuple

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent
sys.path[:0] = [str(ROOT), str(FOLDER)]

import build  # noqa: E402
import nbformat  # noqa: E402
from pygments import highlight  # noqa: E402
from pygments.formatters import HtmlFormatter  # noqa: E402
from pygments.lexers import PythonLexer  # noqa: E402
from site_parts import markup  # noqa: E402

PARTS = FOLDER / "site_parts"
TITLE = "numpymem: the chapters"
CLOSE = "if (event.target.closest('a') && this.matches(':popover-open')) this.hidePopover()"       # on a narrow screen
CODE_STYLES = ("default", "github-dark")                    # of Pygments, on a light and on a dark screen
PREFIXES = ("", "numpymem/", "gradcheck/")                  # how the text names files: from the root, or from a package


class Page(NamedTuple):
    """One chapter or solution."""
    name: str                        # 02_memory_operations, solutions/02_memory_operations
    file: str                        # its page
    title: str
    sections: list
    sources: set
    body: str

    @property
    def is_solution(self):
        return self.name.startswith("solutions/")

    @property
    def up(self):
        """The way from this page to the site's folder."""
        return "../" * self.file.count("/")


def read_page(path, folder):
    """The page of a notebook; its pictures are written into `folder`/images."""
    name = build.short(path)
    up = "../" * name.count("/")
    renderer = markup.Renderer(up, source_file)

    def save_picture(content):
        target = folder / "images" / f"{path.stem}-{hashlib.sha256(content).hexdigest()[:12]}.png"
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(content)
        return f"{up}images/{target.name}"

    notebook = nbformat.read(path.with_suffix(".ipynb"), 4)
    body = "".join(markup.cell_html(cell, renderer, save_picture) for cell in notebook.cells)
    titles = [section.title for section in renderer.sections if section.anchor and section.level == 1]
    return Page(name, "index.html" if name == markup.START else f"{name}.html", titles[0] if titles else name,
                renderer.sections, renderer.sources, body)


def source_file(name):
    """The path in this checkout of a Python file that the text names, or None."""
    found = [prefix + name for prefix in PREFIXES if not name.startswith(("/", ".")) and (ROOT / prefix / name).is_file()]
    return found[0] if found else None


def write(folder):
    """Write the whole site -> its pages."""
    folder = pathlib.Path(folder)
    if folder.exists() and any(folder.iterdir()) and not (folder / "search_index.js").exists():
        raise SystemExit(f"--folder: expected an empty folder or an older site, received {folder}, which holds something else")
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "solutions").mkdir(parents=True)
    pages = [read_page(path, folder) for path in build.scripts()]
    for page in pages:
        (folder / page.file).write_text(document(page.title, page_body(page, pages), pages, page), encoding="utf-8")
    for path in sorted(set().union(*(page.sources for page in pages))):
        target = folder / "source" / f"{path}.html"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(source_page(path, pages), encoding="utf-8")
    (folder / "search.html").write_text(search_page(pages), encoding="utf-8")
    (folder / "search_index.js").write_text(f"const SECTIONS = {json.dumps(index(pages), ensure_ascii=False)};\n", encoding="utf-8")
    style = (PARTS / "book.css").read_text(encoding="utf-8") + code_colours()
    (folder / "book.css").write_text(style, encoding="utf-8")
    shutil.copy(PARTS / "search.js", folder / "search.js")
    return pages


def document(title, body, pages, page=None, up=""):
    """A whole HTML file: bar, contents, body. `page` is the one that it is about, if it is a chapter or solution."""
    up = page.up if page else up
    shown = title if title == TITLE else f"{title} - {TITLE}"
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(shown)}</title><link rel="stylesheet" href="{up}book.css"></head>
<body><a class="skip" href="#main">To the text</a>
<header><button class="contents" popovertarget="nav">Contents</button><a class="name" href="{up}index.html">{TITLE}</a>
<form action="{up}search.html" role="search"><input type="search" name="q" aria-label="Search" placeholder="Search"></form></header>
<nav id="nav" popover aria-label="Contents" onclick="{CLOSE}">{contents(pages, page, up)}</nav>
<main id="main">{body}</main></body></html>
"""


def contents(pages, here, up):
    """All chapters with their solutions; the sections of the one that is shown."""
    rows = []
    for page in pages:
        if page.is_solution:
            continue
        solution = next((each for each in pages if each.name == f"solutions/{page.name}"), None)
        rows.append(f"<li>{entry(page, here, up)}{inner(page) if page is here else ''}"
                    + (f'<div class="solutions">{entry(solution, here, up, "solutions")}</div>' if solution else "") + "</li>")
    return f"<ul>{''.join(rows)}</ul>"


def entry(page, here, up, text=""):
    current = ' aria-current="page"' if page is here else ""
    return f'<a href="{up}{page.file}"{current}>{html.escape(text or page.title)}</a>'


def inner(page):
    """The second-level headings of a page."""
    rows = [f'<li><a href="#{html.escape(section.anchor)}">{html.escape(section.title)}</a></li>'
            for section in page.sections if section.level == 2]
    return f"<ul>{''.join(rows)}</ul>"


def page_body(page, pages):
    """The cells, and below them where to go next."""
    same = [each for each in pages if each.is_solution == page.is_solution]
    at = same.index(page)
    other = next((each for each in pages if page.name in (f"solutions/{each.name}", each.name.removeprefix("solutions/"))
                  and each is not page), None)
    ways = [("previous", same[at - 1] if at else None), ("next", same[at + 1] if at + 1 < len(same) else None),
            ("chapter" if page.is_solution else "solutions", other)]
    links = "".join(f'<a href="{page.up}{target.file}"><small>{way}</small>{html.escape(target.title)}</a>'
                    for way, target in ways if target)
    return f'{page.body}<div class="ways">{links}</div>'


def source_page(path, pages):
    """A file of the checkout with line numbers; its functions and classes can be linked to."""
    text = (ROOT / path).read_text(encoding="utf-8")
    names = {node.lineno: node.name for node in ast.parse(text).body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    lines = highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)).splitlines()
    rows = "".join(f'<span class="row" data-n="{number}"{f""" id="{names[number]}" """ if number in names else ""}>{line}\n</span>'
                   for number, line in enumerate(lines, 1))
    body = (f'<h1>{path}</h1><p class="soft">As it was when this site was made.</p>'
            f'<div class="highlight source"><pre>{rows}</pre></div>')
    return document(path, body, pages, up="../" * (path.count("/") + 1))


def search_page(pages):
    """The page that shows what was found; the others do not need JavaScript."""
    body = """<h1>Search</h1>
<form action="search.html" role="search" class="large"><input type="search" name="q" id="q" aria-label="Search" autofocus></form>
<p id="said" class="soft" role="status"></p><ol id="found"></ol>
<noscript><p>The search needs JavaScript. Without it: the contents, and your browser's own search within a page.</p></noscript>
<script src="search_index.js"></script><script src="search.js"></script>"""
    return document("Search", body, pages)


def index(pages):
    """What the search looks through: a row for each section."""
    return [{"file": page.file + (f"#{section.anchor}" if section.anchor and section.level > 1 else ""), "page": page.title,
             "title": section.title or page.title, "text": " ".join(" ".join(section.words).split())}
            for page in pages for section in page.sections if section.anchor]


def code_colours():
    """Pygments' rules for code, for light and dark screens."""
    light, dark = (HtmlFormatter(style=style).get_style_defs(".highlight") for style in CODE_STYLES)
    return f"\n{light}\n@media screen and (prefers-color-scheme: dark) {{\n{dark}\n}}\n"


def main(arguments=None):
    """Write the site and say where it is -> exit code."""
    parser = build.OneLineParser(prog="python notebooks/book.py",
                                 description="The chapters and solutions as a site of plain HTML files.")
    parser.add_argument("--folder", default=ROOT / "book", type=pathlib.Path, help="where to write it (default: book)")
    folder = parser.parse_args(arguments).folder
    pages = write(folder)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{len(pages)} chapters and solutions, {size / 1024:,.0f} KiB. Open {folder / 'index.html'} in a browser.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
