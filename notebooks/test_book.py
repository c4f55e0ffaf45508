"""The chapters as a site (`make book-check`; not part of `make test`): links lead somewhere, nothing comes from the network, and
the search finds what is there."""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import urllib.parse
from html.parser import HTMLParser

import nbformat
import pytest

sys.path[:0] = [str(pathlib.Path(__file__).resolve().parent)]

import book  # noqa: E402
from site_parts import markup  # noqa: E402

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
QUIET = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
         "--disable-component-update", "--disable-sync")
EMPTY = {"meta", "br", "hr", "img", "input", "link"}


class Reader(HTMLParser):
    """Reads a page: ids, links, what it loads, and tags that do not match."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loads, self.open, self.wrong = [], [], [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [attrs["href"]] if tag == "a" else []
        self.loads += [attrs["src"]] if "src" in attrs else [attrs["href"]] if tag == "link" else []
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "site"
    folder.mkdir()
    book.write(folder)
    return folder


@pytest.fixture(scope="module")
def pages(site):
    return {path.relative_to(site).as_posix(): Reader(path) for path in sorted(site.rglob("*.html"))}


def target(page, link):
    """(file, anchor) that a link on a page leads to, from the site's folder."""
    file, _, anchor = urllib.parse.unquote(link).partition("#")
    where = pathlib.PurePosixPath(page).parent / file if file else pathlib.PurePosixPath(page)
    parts = []
    for part in where.parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts), anchor


def is_outside(link):
    return re.match(r"[a-z]+:", link) is not None


def test_every_notebook_has_a_page_that_can_be_reached(site, pages):
    wanted = {"index.html" if book.build.short(path) == markup.START else f"{book.build.short(path)}.html"
              for path in book.build.scripts()}
    assert wanted <= pages.keys()
    reached, new = set(), {"index.html"}
    while new:
        reached |= new
        new = {target(page, link)[0] for page in new for link in pages[page].links if not is_outside(link)} & pages.keys() - reached
    assert wanted <= reached and {page for page in pages if page.startswith("source/")} <= reached


def test_every_link_and_anchor_leads_somewhere(site, pages):
    followed = 0
    for page, reader in pages.items():
        for link in [*reader.links, *reader.loads]:
            if is_outside(link):
                continue
            file, anchor = target(page, link)
            assert (site / file).is_file(), f"{page}: {link}"
            assert not anchor or anchor in pages[file].ids, f"{page}: {link}"
            followed += 1
    assert followed > 20 * len(pages) and not any(link.endswith(".ipynb") for reader in pages.values() for link in reader.links)


def test_chapters_and_solutions_lead_to_each_other_and_to_sources(pages):
    for page in [page for page in pages if page.startswith("solutions/")]:
        name = page.removeprefix("solutions/")
        chapter = "index.html" if name == f"{markup.START}.html" else name
        assert page in pages[chapter].links and f"../{chapter}" in pages[page].links
    assert "source/numpymem/ntm/equations.py.html" in pages["02_memory_operations.html"].links
    assert "sharpen" in pages["source/numpymem/ntm/equations.py.html"].ids


def test_nothing_is_loaded_from_elsewhere(site, pages):
    assert not [load for reader in pages.values() for load in reader.loads if is_outside(load) or load.startswith("//")]
    styles_and_scripts = [path for path in site.rglob("*") if path.suffix in (".css", ".js") and path.name != "search_index.js"]
    assert len(styles_and_scripts) == 2
    assert not any(re.search(r"@import|https?:|url\(|fetch\(", path.read_text()) for path in styles_and_scripts)


def test_pages_are_whole(pages):
    for page, reader in pages.items():
        assert not reader.wrong and not reader.open, (page, reader.wrong, reader.open)
        assert len(set(reader.ids)) == len(reader.ids), page


def test_every_formula_is_drawn_and_every_cell_is_there(site):
    for path in book.build.scripts():
        name = book.build.short(path)
        text = (site / ("index.html" if name == markup.START else f"{name}.html")).read_text(encoding="utf-8")
        assert 'class="latex"' not in text, re.findall(r'<code class="latex".*?</code>', text)[0]
        assert "$$" not in re.sub(r"<pre.*?</pre>", "", text, flags=re.DOTALL), name
        cells = nbformat.read(path.with_suffix(".ipynb"), 4).cells
        assert text.count('<div class="cell ') == len(cells)
        outputs = [output for cell in cells for output in cell.get("outputs", [])]
        assert text.count("<img ") == sum("image/png" in output.get("data", {}) for output in outputs)


def test_links_to_what_the_site_lacks_are_shown_as_text():
    renderer = markup.Renderer("../", book.source_file)
    shown = markup.markdown("[a](../README.md) [b](../02_x.ipynb#y) [c](https://example.org) `ops/outer.py` `no/such.py`", renderer)
    assert "a (<code>../README.md</code>)" in shown and '<a href="../02_x.html#y">b</a>' in shown
    assert '<a href="https://example.org">c</a>' in shown and '<a href="../source/numpymem/ops/outer.py.html">' in shown
    assert "<code>no/such.py</code>" in shown and renderer.sources == {"numpymem/ops/outer.py"}
    assert renderer.to_page("../00_start_here") == "../index.html" and renderer.to_page("00_start_here") == "00_start_here.html"


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SystemExit, match="holds something else"):
        book.write(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_the_index_has_every_section(site, pages):
    rows = sections(site)
    for row in rows:
        file, anchor = target("search.html", row["file"])
        assert file in pages and (not anchor or anchor in pages[file].ids), row["file"]
    headings = sum(len(page.sections) - 1 for page in (book.read_page(path, site) for path in book.build.scripts()))
    assert len(rows) == headings > 50


def sections(site):
    text = (site / "search_index.js").read_text(encoding="utf-8")
    return json.loads(text.removeprefix("const SECTIONS = ").rstrip().removesuffix(";"))


@pytest.mark.parametrize("question, first, least", [
    ("sharpening", "(9) Sharpening", 5), ("GATE missing", "Erratum 1: the missing gate", 1), ("锐化", "Glossary", 1),
    ("qwertyuiop", None, 0)])
def test_the_search_finds(question, first, least, site, tmp_path):
    """In a real browser, from the files as they lie."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip(f"the search was not tried: none of {', '.join(BROWSERS)} is on this machine")
    address = f"file://{site}/search.html?q={urllib.parse.quote(question)}"
    ran = subprocess.run([browser, *QUIET, f"--user-data-dir={tmp_path}", "--dump-dom", address], capture_output=True, text=True,
                         timeout=300, check=True)
    found = [html.unescape(each) for each in re.findall(r'<li><a href="[^"]+">(.*?)</a>', ran.stdout.partition('id="found"')[2])]
    assert found[:1] == ([first] if first else []) and len(found) >= least
    if not first:
        assert "Nothing found for" in ran.stdout
