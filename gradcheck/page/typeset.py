r"""An equation's LaTeX as a picture inside a page, without a network: matplotlib's mathtext draws it, one SVG path a piece.

Mathtext knows most of LaTeX's symbols, but not all of its commands. What it lacks is written in words that it has
(`\tfrac12` as `\frac{1}{2}`), or left out where it only asks for a size (`\textstyle`, `\big`). A formula that still does not
parse is shown as it was typed.
"""

import functools
import html
import re

import numpy as np
from matplotlib.font_manager import FontProperties
from matplotlib.path import Path
from matplotlib.textpath import TextPath

EM = 100                                    # units of the path in one em: whole numbers are then fine enough
FONT = FontProperties(math_fontfamily="cm", size=EM)
END = r"(?![a-zA-Z])"                       # a command's name goes as far as its letters
SIZES = r"\\(?:textstyle|displaystyle|scriptstyle|limits|nolimits|[bB]igg?[lrm]?)" + END
BOUND = r"(?:\s*[_^](?:\{[^{}]*\}|\w))"     # below or above a sum
PLAIN = ((r"\s+", " "), (SIZES, ""), (r"\\mathrel\s*\{([^{}]*)\}", r"{\1}"),
         (r"\\([td]?)frac\s*(\w)\s*(\w)", r"\\\1frac{\2}{\3}"), (r"\\frac" + END, r"\\dfrac"), (r"\\tfrac" + END, r"\\frac"),
         (r"\\sqrt\s+(\w)", r"\\sqrt{\1}"), (r"\\bmod" + END, r"\\;\\mathrm{mod}\\;"), (r"\\operatorname\*?" + END, r"\\mathrm"),
         (r"\\[lr]Vert" + END, r"\\|"), (r"\\[lr]vert" + END, "|"),
         (r"\\le" + END, r"\\leq"), (r"\\ge" + END, r"\\geq"), (r"\\(math[a-z]+)\s+(\w)", r"\\\1{\2}"),
         # LaTeX leaves a little space around big and named operators; mathtext does not
         (rf"(\\(?:sum|prod){END}{BOUND}{{0,2}})", r"\1\\,"),
         (r"(?<=[\w})])\s*(\\(?:log|exp|tanh|sin|cos|max|min)" + END + ")", r"\\,\1"))
LETTERS = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C", Path.CLOSEPOLY: "Z"}


def formula(latex):
    """HTML of an equation: SVG in the colour and size of the text around it, or the LaTeX itself if it does not parse."""
    if not latex.strip():
        return ""
    drawn = [_draw(piece) for piece in pieces(latex)]
    if not all(drawn):
        drawn = [_draw(latex)]
    words = html.escape(latex)
    if not all(drawn):
        return f'<code class="latex" title="this formula could not be typeset">{words}</code>'
    return f'<span class="math" role="img" aria-label="{words}" title="{words}">{" ".join(drawn)}</span>'


def normalised(latex):
    """LaTeX in the words that mathtext knows."""
    for pattern, instead in PLAIN:
        latex = re.sub(pattern, instead, latex)
    return latex


def pieces(latex):
    r"""Where a long formula may break on a narrow screen: after a comma with space (`,\;` or `, \quad`) and before an
    equals sign other than a piece's first, both outside of all brackets."""
    found, start, equals = [], 0, 0
    for at, token in _top_level(latex):
        if token.startswith(","):
            found.append(latex[start:at + 1])
            start, equals = at + len(token), 0
        else:
            if equals:
                found.append(latex[start:at])
                start = at
            equals += 1
    return [piece.strip() for piece in [*found, latex[start:]] if piece.strip()]


def _top_level(latex):
    """(position, token) of the commas with space and the equals signs that no bracket encloses."""
    depth = 0
    for match in re.finditer(r"\\[{}]|,\s*\\(?:q?quad|;)|[{(\[]|[})\]]|=", latex):
        token = match[0]
        if token in "{([":
            depth += 1
        elif token in "})]":
            depth -= 1
        elif not depth and token[0] in ",=":
            yield match.start(), token


@functools.lru_cache(maxsize=512)
def _draw(latex):
    """One SVG on the baseline of the text, or '' if mathtext cannot read it."""
    try:
        glyphs = TextPath((0, 0), f"${normalised(latex)}$", prop=FONT)
    except Exception:  # noqa: BLE001  mathtext raises several kinds of errors, all of which mean the same here
        return ""
    if not len(glyphs.vertices):
        return ""
    ends = glyphs.vertices[glyphs.codes != Path.CLOSEPOLY]           # the vertices of CLOSEPOLY are fillers
    (left, low), (right, high) = np.floor(ends.min(0)) - 2, np.ceil(ends.max(0)) + 2
    box = f"{left:.0f} {-high:.0f} {right - left:.0f} {high - low:.0f}"
    return (f'<svg viewBox="{box}" style="width:{(right - left) / EM:.2f}em;height:{(high - low) / EM:.2f}em;'
            f'vertical-align:{low / EM:.2f}em" aria-hidden="true"><path fill="currentColor" d="{_path(glyphs)}"/></svg>')


def _path(glyphs):
    """The outlines as the text of an SVG path; SVG counts y downwards."""
    words = []
    for points, code in glyphs.iter_segments(simplify=False, curves=True):
        numbers = [] if code == Path.CLOSEPOLY else (points.reshape(-1, 2) * (1, -1)).round().astype(int).ravel().tolist()
        words.append(LETTERS[code] + " ".join(map(str, numbers)))
    return "".join(words)
