"""The report as a web page: well-formed, complete, needing no network, and its pictures say what the check says."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest
from gradcheck_tools import planted, toy_fixture  # noqa: F401  pytest finds fixtures by name

import gradcheck
from gradcheck.page import pictures
from gradcheck.page import evidence
from gradcheck.page import listing
from gradcheck.page import typeset
from gradcheck.page import whole as html
from gradcheck.points import generator
from gradcheck.report import Result, Wrong
from gradcheck.trial import Trial
from numpymem.equation import REGISTRY, find
from numpymem.kernel import numpy_only

gradcheck.import_all()
EMPTY = {"meta", "br", "hr", "img", "input", "link"}
IN_SVG = {"path", "rect", "use", "g", "svg", "text", "tspan", "defs", "clippath"}


class Reader(HTMLParser):
    """Reads a page: complains about tags that do not match, and keeps ids, links and what each section holds."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.sections, self.words = [], [], [], [], []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag not in EMPTY:
            self.open.append(tag)
        self.note(tag, attributes)

    def handle_startendtag(self, tag, attributes):
        assert tag in IN_SVG | EMPTY, f"<{tag}/> does not close itself in HTML"
        self.note(tag, dict(attributes))

    def note(self, tag, attributes):
        if "id" in attributes:
            self.ids.append(attributes["id"])
        self.links += [attributes[key] for key in ("href", "src", "xlink:href", "data") if key in attributes]
        self.links += re.findall(r"url\(([^)]*)\)", " ".join(filter(None, attributes.values())))
        if tag == "details" and "item" in attributes.get("class", ""):
            self.sections.append((attributes["id"], "open" in attributes))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        self.words.append(data)

    @property
    def text(self):
        return " ".join(" ".join(self.words).split())


def section_of(text, anchor):
    """The HTML of one section."""
    start = text.index(f'id="{anchor}"')
    end = text.find('<details class="item', start)
    return text[start:end if end > 0 else len(text)]


@pytest.fixture(name="everything", scope="module")
def everything_fixture():
    """The page of all equations, as if all were right, with a kernel and a model."""
    results = [Result("equation", item.id, item.name, True, "right", error=1e-16, tolerance=1e-12, right=["dx", "dy"])
               for item in REGISTRY.values()]
    results += [Result("kernel", "ntm.sequence", "sequence", True, "equal, in force", notes=["a note"]),
                Result("model", "ntm", "lstm", True, "right"), Result("model", "ntm", "lstm", True, "right")]
    return results, html.page(results, 1.5, 7)


def test_well_formed_and_ids_unique(everything):
    page = Reader(everything[1])
    assert len(page.ids) == len(set(page.ids))
    assert {link[1:] for link in page.links} <= set(page.ids)


def test_nothing_from_elsewhere(everything):
    assert all(link.startswith("#") for link in Reader(everything[1]).links)
    assert not re.findall(r"https?:|//[a-z]|@import|<link|<script [^>]*src", everything[1])


def test_every_equation_has_its_section_formula_source_and_pictures(everything):
    results, text = everything
    assert [anchor for anchor, _ in Reader(text).sections] == html.unique_anchors(results)
    for item in REGISTRY.values():
        section = section_of(text, f"equation-{item.id}")
        assert '<span class="math"' in section, item.id
        assert section.count('<svg class="picture"') == 3 or item.stops, item.id            # of a gradient that is dropped: none
        assert f"def {item.name}(" in section and f"def {item.original_backward.__name__}(" in section
        assert all(symbol in section for symbol in (*item.inputs, *item.outputs))


def test_page_is_small_and_all_right_is_folded(everything):
    results, text = everything
    assert len(text.encode()) < 6e6
    assert not any(is_open for _, is_open in Reader(text).sections)
    assert "<h1>gradcheck: all right</h1>" in text and 'class="wrong">✗' not in text


def test_footer_says_how_it_was_made(everything):
    words = Reader(everything[1]).text
    assert "--seed 7 --html report.html" in words and "1.5 s" in words and f"NumPy {np.__version__}" in words
    few = html.page([Result("equation", "NTM-2", "read", True, "right")], 0.1, 3)
    assert "python -m gradcheck NTM-2 --seed 3 --html report.html" in few


@pytest.mark.parametrize("id", list(REGISTRY))
def test_every_equation_is_typeset(id):
    drawn = typeset.formula(REGISTRY[id].latex)
    assert drawn.count("<svg") == drawn.count(' d="M') >= 1 and "NaN" not in drawn and "id=" not in drawn


def test_latex_that_cannot_be_typeset_is_shown_as_it_is():
    assert typeset.formula(r"\nosuch{x} < 3") == ('<code class="latex" title="this formula could not be typeset">'
                                                   r"\nosuch{x} &lt; 3</code>")
    assert typeset.formula("") == "" and "<svg" in typeset.formula(r"x \, \bmod \, \tfrac12 \le \lVert y \rVert")


def test_latex_of_several_lines_and_with_spaced_signs_is_typeset():
    assert "<svg" in typeset.formula("a =\nb") and "<svg" in typeset.formula(r"du \mathrel{+}= dz")
    assert "<svg" in typeset.formula(r"\bar d \pm \frac{s}{\sqrt n}")
    assert typeset.pieces(r"a = b, \qquad c = d") == ["a = b,", "c = d"]


def test_long_formulas_break_outside_of_brackets_only():
    assert typeset.pieces(r"a = f(b,\; c) = d, \quad e = \frac{g = h}{2}") == [r"a = f(b,\; c)", "= d,", r"e = \frac{g = h}{2}"]


def gathered(id, name, spoil=None):
    with numpy_only(), np.errstate(all="ignore"):
        rng = generator(0, id)
        trial = Trial(find(id), rng)
        if spoil is not None:
            trial.gradients[name] = spoil(trial.gradients[name].copy())
        return evidence.gather(trial, name, rng)


def times(factor, where=...):
    def spoil(gradient):
        gradient[where] *= factor
        return gradient
    return spoil


def test_evidence_of_a_right_gradient():
    found = gathered("NTM-9", "gamma")
    assert found.is_right and found.hand < 1e-13 and abs(found.order - 2) < 0.05
    assert min(found.central) < 1e-8 < max(found.central) and min(found.forward) < 1e-6 < found.forward[0]
    assert found.entries.miss.max() < 1e-13 and found.entries.miss.size == 12


def test_evidence_of_a_wrong_gradient():
    found = gathered("NTM-9", "gamma", times(2, (1, 3, 0)))
    assert not found.is_right and found.hand > 1e-3 and abs(found.order - 1) < 0.05
    wrong = np.argwhere(found.entries.miss > 1e-9)
    assert [found.entries.index(*at) for at in wrong] == [(1, 3, 0)]


def test_a_linear_argument_leaves_only_rounding():
    assert gathered("NTM-2", "w").order is None
    assert abs(gathered("NTM-2", "w", times(1.001)).order - 1) < 0.05


def test_not_a_number_is_infinitely_far_off():
    found = gathered("NTM-9", "gamma", times(np.nan, (0, 0, 0)))
    assert found.hand == np.inf and not found.is_right and found.entries.miss.max() == np.inf
    assert "var(--wrong)" in pictures.v_curve(found, "k") and "var(--heat6)" in pictures.heat_map(found, "k")


def test_large_arrays_are_sampled_with_the_worst_entry_among_them():
    with numpy_only():
        question = Trial(find("NTM-step"), generator(0, "x")).question("raw")
        oracle = evidence.oracles.COMPLEX
        rows, columns = question.gradient.shape
        found = evidence.compare_entries(question, oracle, 2 * columns, worst=(4, 17))
    assert found.miss.shape == (2, columns) and 4 in found.rows and found.folded == (rows, columns)
    assert found.miss.max() < 1e-13 and found.index(list(found.rows).index(4), 17) == (4, 17)


def test_pictures_can_stand_together_in_one_page():
    found = gathered("NTM-9", "gamma", times(2))
    drawn = [draw(found, key) for key in ("one", "two") for draw in (pictures.v_curve, pictures.taylor, pictures.heat_map)]
    page = Reader("".join(drawn))
    assert len(page.ids) == len(set(page.ids)) and {link[1:] for link in page.links} <= set(page.ids)
    assert not re.search(r"<style|xmlns|<metadata|#[0-9a-f]{6}", "".join(drawn))            # colours are the page's own
    assert drawn[0] == pictures.v_curve(found, "one")                                       # and the same every time


def test_the_calm_colours_are_those_that_the_check_allows():
    def alarms(found):                           # fields that are not calm; the scale below the picture has one of each
        return len(re.findall(r"var\(--heat[2-6]\)", pictures.heat_map(found, "k"))) - 5
    assert alarms(gathered("NTM-3", "w")) == 0 and alarms(gathered("NTM-3", "w", times(1.3, (0, 2, 1)))) == 1


def failing_page():
    with planted("NTM-9", lambda g: [g[0], 2 * g[1]]):
        results = [gradcheck.check_equation(id) for id in ("NTM-3", "NTM-9", "relu")]
        return results, html.page(results, 1.0, 0)


def test_what_is_wrong_comes_first_and_open():
    results, text = failing_page()
    page = Reader(text)
    assert page.sections == [("equation-NTM-9", True), ("equation-NTM-3", False), ("equation-relu", False)]
    assert len(page.ids) == len(set(page.ids)) and "gradcheck: NTM-9 wrong" in text and "✗ 1 wrong" in text
    links = re.findall(r'<li><a href="#([^"]*)">', text)
    assert links == [anchor for anchor, _ in page.sections]


def test_a_wrong_equation_shows_numbers_pictures_of_all_arguments_and_the_slope():
    results, text = failing_page()
    section = section_of(text, "equation-NTM-9")
    wrong = results[1].wrong[0]
    assert f"gamma[{', '.join(map(str, wrong.index))}]" in section and f"{wrong.hand:.6g}" in section
    assert section.count('<svg class="picture"') == 6 and section.index("slope 1.00") < section.index("slope 2.0")
    assert "by hand / true is 2.000 at all 12 entries" in section and "12 of 12 are off" in section


def test_the_line_that_makes_a_wrong_gradient_is_marked():
    def backward(dw, w, w_s, gamma):
        dw_s = 0 * w_s
        dgamma = 0 * gamma
        return dw_s, dgamma
    marked = listing.listing(backward, "backward", [1])
    assert re.findall(r"<mark>(\w+)</mark>", marked) == ["dgamma", "dgamma"]
    assert [row.split(">")[1].strip() for row in re.findall(r'row bad"[^>]*>[^=]*', marked)] == ["<mark"]
    assert "<mark" not in listing.listing(backward, "backward")


def test_listing_hides_decorator_and_docstring_and_survives_without_source():
    shown = listing.listing(find("NTM-9").original, "forward")
    assert "def sharpen(w_s, gamma):" in shown and "@equation" not in shown and "returns w" not in shown
    assert "<em># in logarithms" in shown
    made = {}
    exec("def made(x):\n    return x", made)
    assert "not available" in listing.listing(made["made"], "forward")


def test_a_step_made_of_a_wrong_equation_says_where_to_look():
    wrong = Wrong("gamma", (0, 0, 0), 2.0, 1.0, 1, 12)
    results = [Result("equation", "NTM-step", "memory_step", False, "wrong",
                      wrong=[Wrong("M_prev", (0, 0, 0), 2, 1, 1, 9)]),
               Result("equation", "NTM-9", "sharpen", False, "wrong: dgamma", wrong=[wrong])]
    text = html.page(results, 1.0, 0)
    assert [anchor for anchor, _ in Reader(text).sections] == ["equation-NTM-9", "equation-NTM-step"]
    assert "made of NTM-9, which is wrong itself" in section_of(text, "equation-NTM-step")
    assert "do not show" not in section_of(text, "equation-NTM-9") and "where the mistake does not show" in text


def test_broken_equations_get_a_section_without_pictures(toy):
    def forward(x):
        """Shape is wrong.

        x          (B, N)
        returns y  (B, N)
        """
        return x[:, 1:]
    toy(forward, lambda dy: dy)
    result = gradcheck.check_equation("toy")
    assert result.verdict == "broken"
    text = html.page([result], 0.1, 0)
    assert "<svg class=\"picture\"" not in text and "returns y" in text and "declares (B, N)" in text
    Reader(text)


def test_a_forward_that_raises_a_step_away_still_gets_its_page(toy):
    def forward(x):
        """Picky.

        x          (B, N) [0..1]
        returns y  (B, N)
        """
        if np.iscomplexobj(x) or np.any(x > 1.5) or np.any(x < -0.5):
            raise ValueError("out of <range>")
        return 2 * x
    toy(forward, lambda dy: 2 * dy)
    text = html.page([Result("equation", "toy", "forward", True, "right")], 0.1, 0)
    assert "No pictures: ValueError: out of &lt;range&gt;" in text or text.count('<svg class="picture"') == 3
    Reader(text)


def test_names_and_notes_are_escaped(toy):
    def forward(x):
        """Less < more & <b>bold</b>.

        x          (B, N)  the <i>input</i>
        returns y  (B, N)
        """
        return 2 * x                             # <script>alert(1)</script>
    toy(forward, lambda dy: 2 * dy, source="<u>me</u>", deviations="<s>none</s>")
    results = [Result("equation", "toy", "<img>", True, "right", notes=["<em>note</em>"]),
               Result("model", "<q>", '"quoted"', False, "wrong: <d>", notes=["first\nx < <p>"],
                      wrong=[Wrong("<W>", (0,), 1.0, 2.0, 1, 2, hints=["<hint>"])])]
    text = html.page(results, 0.1, 0, command="python <x>")
    Reader(text)
    for bad in ("<b>bold", "<i>input", "<script>alert", "<u>", "<s>", "<img>", "<em>note", "<q>", "<d>", "<W>", "<hint>", "<x>"):
        assert bad not in text, bad
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text and 'id="model-q-quoted"' in text


def test_a_chain_shows_the_last_that_agrees_and_the_first_that_does_not():
    class Broken:
        last, first = "dw_s out of NTM-9 at step 7", "dgamma out of NTM-9 at step 7"
    result = Result("chain", "NTM", "lstm", False, "wrong in NTM-9", notes=["right up to dw_s", "the lines between:\n  a = b"])
    result.broken = Broken
    words = Reader(html.page([result], 0.1, 0)).text
    assert re.search(r"last that agrees dw_s out of NTM-9 at step 7 → ✗ first that does not dgamma", words)
    assert "right up to" not in words and "the lines between:" in words


def test_equations_that_are_not_registered_and_no_results_at_all():
    text = html.page([Result("equation", "mine", "f", False, "wrong: dx", wrong=[Wrong("x", (0,), 1.0, 2.0, 1, 1, 0.5)])], 0.1, 0)
    assert "by hand / true is 0.500 at all 1 entry" in text
    assert "nothing was checked" in html.page([], 0.0, 0)
