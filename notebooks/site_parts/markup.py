"""Text, formulas, code and outputs of a notebook as HTML that needs nothing from the network.

Markdown is read as Jupyter's own nbconvert reads it. Formulas are drawn by gradcheck.page.typeset, so a page needs neither MathJax
nor a font; code is coloured by Pygments. Links to notebooks become links to their pages, and the names of files of this checkout
(`numpymem/ntm/equations.py`) become links to pages with their source.
"""

import base64
import html
import re
import struct
from typing import NamedTuple

from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from gradcheck.page import typeset

TAGS = re.compile(r"<svg.*?</svg>|<[^>]+>", re.DOTALL)
MARKS = re.compile(r"\]\([^)]*\)|\|[-|]+\||[*`|$\[]")                 # Markdown's own signs: nobody searches for them
FILE = re.compile(r"[\w./-]+\.py")
START = "00_start_here"                          # the first chapter is the front page


class Section(NamedTuple):
    """A heading, and below it everything up to the next one: what the search looks through."""
    level: int
    anchor: str
    title: str
    words: list


class Renderer(IPythonRenderer):
    """Markdown -> HTML for the cells of one page. Collects the page's sections and the source files that it names.

    up            "" for a page in the site's folder, "../" for one in a folder below
    source_file   a name as the text has it -> the file's path in the checkout, or None
    """

    def __init__(self, up, source_file):
        super().__init__(escape=False)
        self.up, self.source_file = up, source_file
        self.sections, self.sources = [Section(1, "", "", [])], set()

    def heading(self, text, level, **attributes):
        title = " ".join(html.unescape(TAGS.sub("", text)).split())
        wanted = anchor = re.sub(r"\s+", "-", title)                       # as JupyterLab makes it
        taken, number = {section.anchor for section in self.sections}, 1
        while anchor in taken:
            anchor, number = f"{wanted}-{number + 1}", number + 1
        self.sections.append(Section(level, anchor, title, []))
        name = html.escape(anchor)
        return f'<h{level} id="{name}">{text}<a class="here" href="#{name}" aria-label="link to this section">#</a></h{level}>\n'

    def inline_math(self, body):
        return typeset.formula(body)

    def block_math(self, body):
        return f'<span class="display">{typeset.formula(body)}</span>'

    def codespan(self, text):
        shown = super().codespan(text)
        path = self.source_file(html.unescape(text)) if FILE.fullmatch(text) else None
        return f'<a href="{self.to_source(path)}">{shown}</a>' if path else shown

    def link(self, text, url, title=None):
        target, _, anchor = url.partition("#")
        if target.endswith(".ipynb"):
            return f'<a href="{self.to_page(target.removesuffix(".ipynb"))}{"#" + anchor if anchor else ""}">{text}</a>'
        path = self.source_file(target) if FILE.fullmatch(target) else None
        if path:
            return f'<a href="{self.to_source(path)}">{text}</a>'
        if re.match(r"https?:|#", url):
            return super().link(text, url, title)
        return f'{text} (<code>{html.escape(url)}</code>)'                 # a place that the site does not have

    def to_page(self, name):
        """The page of a notebook that is named as the text names it; the first chapter is the front page."""
        return f"{self.up}index.html" if name == self.up + START else f"{name}.html"

    def to_source(self, path):
        self.sources.add(path)
        return f"{self.up}source/{path}.html"


def cell_html(cell, renderer, save_picture):
    """One cell of a notebook -> HTML. save_picture(bytes) stores a PNG and returns its address."""
    if cell.cell_type == "markdown":
        shown = markdown(cell.source, renderer)
    else:
        renderer.sections[-1].words.append(cell.source)
        shown = code(cell.source) + "".join(output_html(each, renderer, save_picture) for each in cell.outputs)
    return f'<div class="cell {cell.cell_type}">{shown}</div>\n'


def markdown(text, renderer):
    """Markdown -> HTML; what is said goes to the sections of the renderer."""
    pieces = []
    for part in re.split(r"^(?=#{1,6} )", text, flags=re.MULTILINE) if "```" not in text else [text]:
        shown = MarkdownWithMath(renderer=renderer).render(part)
        renderer.sections[-1].words.append(MARKS.sub(" ", part.partition("\n")[2] if part.startswith("#") else part))
        pieces.append(shown.replace("<table>", '<div class="scroll"><table>').replace("</table>", "</table></div>"))
    return "".join(pieces)


def code(text):
    """Python in colours; it can be scrolled with the keyboard."""
    return highlight(text, PythonLexer(), HtmlFormatter(cssclass="highlight input")).replace("<pre>", '<pre tabindex="0">', 1)


def output_html(output, renderer, save_picture):
    """One output: text, Markdown or a picture."""
    data = output.get("data", {})
    plain = output.get("text") or data.get("text/plain") or "\n".join(output.get("traceback", []))
    if "text/markdown" in data:
        kind = " exercise" if data["text/markdown"].startswith("**Exercise") else ""
        return f'<div class="output told{kind}">{markdown(data["text/markdown"], renderer)}</div>'
    if "image/png" in data:
        return picture(data["image/png"], plain, renderer.sections[-1].title, save_picture)
    renderer.sections[-1].words.append(plain)
    return f'<pre class="output" tabindex="0">{html.escape(plain.rstrip())}</pre>'


def picture(encoded, plain, section, save_picture):
    """A figure in a file of its own; where there are sliders in a running notebook, it says so."""
    content = base64.b64decode(encoded)
    width, height = struct.unpack(">II", content[16:24])                  # the header of every PNG
    said = f"Figure of the section “{section}”" if plain.startswith("<") else plain
    caption = f"In a running notebook this figure has {html.escape(plain)}." if plain.startswith("sliders") else ""
    place = save_picture(content)
    return (f'<figure class="output"><a href="{place}"><img src="{place}" width="{width}" height="{height}" loading="lazy" '
            f'alt="{html.escape(said)}"></a>' + (f"<figcaption>{caption}</figcaption>" if caption else "") + "</figure>")
