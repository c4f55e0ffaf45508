"""Chapters and solutions: scripts and notebooks agree, run from a clean kernel, and hold nothing of one machine."""

import importlib.util
import pathlib
import re

import nbformat
import numpy as np
import pytest

import numpymem
from numpymem import commands, teaching
from numpymem.equation import REGISTRY
from numpymem.plotting.parts import picture
from numpymem.teaching import interactive, sources

ROOT = pathlib.Path(__file__).parent.parent
spec = importlib.util.spec_from_file_location("notebooks_build", ROOT / "notebooks" / "build.py")
build = importlib.util.module_from_spec(spec)
spec.loader.exec_module(build)
SCRIPTS = build.scripts()


@pytest.mark.parametrize("path", SCRIPTS, ids=build.short)
def test_script_and_notebook_agree_and_are_clean(path):
    assert build.troubles(path) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=build.short)
def test_it_runs_from_a_clean_kernel(path):
    """With short trainings and without the network. A solution asserts that its answers pass their graders."""
    book = build.run(path, quick=True)
    assert [cell.execution_count for cell in book.cells if cell.cell_type == "code"]
    if path.parent.name == "solutions":
        assert ".grade(" in path.read_text() and "assert" in path.read_text()


def test_every_chapter_has_solutions_and_no_notebook_is_without_its_script():
    chapters = {path.stem for path in SCRIPTS if path.parent == build.FOLDER}
    assert chapters == {path.stem for path in SCRIPTS if path.parent != build.FOLDER}
    assert {build.short(path) for path in build.FOLDER.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts} == {
        build.short(path) for path in SCRIPTS}


def test_the_folder_is_small():
    assert sum(path.stat().st_size for path in build.FOLDER.rglob("*.ipynb")) < build.LARGEST_FOLDER


def test_the_map_leads_to_every_chapter_and_its_solutions():
    text = (build.FOLDER / "00_start_here.py").read_text(encoding="utf-8")
    for path in SCRIPTS:
        assert path.stem == "00_start_here" or f"({build.short(path)}.ipynb)" in text, build.short(path)


def test_links_between_notebooks_lead_somewhere():
    for path in [path.with_suffix(".ipynb") for path in SCRIPTS]:
        for link in re.findall(r"\]\(([^)#:]+\.ipynb)", path.read_text(encoding="utf-8")):
            assert (path.parent / link).exists(), f"{path.name}: {link}"


def test_the_glossary_names_what_is_in_the_code():
    commands.import_equations()
    text = (build.FOLDER / "00_start_here.py").read_text(encoding="utf-8")
    rows = re.findall(r"^# \|.*\| (.*(?:NTM|MemN2N)-\w+) \|$", text, re.MULTILINE)
    assert len(rows) >= 12
    for row in rows:
        id = row.rpartition(" ")[2]
        names = re.findall(r"`(\w+)`", row)
        assert id in REGISTRY and (not names or names[0] in (REGISTRY[id].name, "m", "position_weights")), row


def test_new_text_keeps_the_outputs_and_new_code_does_not():
    ran, script = notebook(("a = 1", ""), ("a", "1")), notebook(("a = 1", ""), ("a", ""))
    script.cells.insert(1, nbformat.v4.new_markdown_cell("new words"))
    kept = build.with_outputs_of(script, ran)
    assert [cell.source for cell in kept.cells] == ["a = 1", "new words", "a"] and kept.cells[2].outputs[0].text == "1"
    with pytest.raises(ValueError, match="code"):
        build.with_outputs_of(notebook(("a = 2", ""), ("a", "")), ran)


# ---- what differs from machine to machine is noticed ----------------------------------------------------------------------

def notebook(*cells):
    """A notebook of code cells with one text output each."""
    made = [nbformat.v4.new_code_cell(source, execution_count=number, outputs=[nbformat.v4.new_output("stream", text=text)])
            for number, (source, text) in enumerate(cells, 1)]
    return nbformat.v4.new_notebook(cells=made)


def test_what_is_unclean_is_named():
    said = " ".join(build.unclean(notebook(("1", "/home/somebody/numpymem/x.py"), ("2", "<object at 0x7f00aa11>")), 10))
    assert "cell 0 names a place of one machine" in said and "cell 1 holds what differs" in said
    assert list(build.unclean(notebook(("1", "numpymem/ntm/equations.py: all right")), 10)) == []
    assert "smaller or fewer pictures" in next(build.unclean(notebook(), build.LARGEST + 1))


def test_an_edited_script_is_noticed():
    ran, script = notebook(("a = 1", ""), ("a", "1")), notebook(("a = 1", ""), ("a + 1", ""))
    assert "cell 1 differs from the script" in next(build.disagreements(ran, script))
    ran.cells[0].execution_count = 7
    assert "not run once each" in next(build.disagreements(ran, notebook(("a = 1", ""), ("a", "1"))))


def test_outputs_are_cleaned():
    text = f"compiling kernel ntm.sequence, once\n{ROOT}/numpymem/equation.py <f at 0x7f001122aabb>\n"
    cleaned = build.clean(notebook(("1", text), ("2", "compiling kernel x\n"))).cells
    assert cleaned[0].outputs[0].text == "numpymem/equation.py <f>\n" and cleaned[1].outputs == []


def test_lines_that_arrived_in_parts_are_one_output():
    book = notebook(("1", "a\n"))
    parts = [nbformat.v4.new_output("stream", name=name, text=text) for name, text in
             (("stdout", "a"), ("stdout", "\n"), ("stdout", "b\n"), ("stderr", "c\n"), ("stdout", "d\n"))]
    book.cells[0].outputs = parts
    assert [output.text for output in build.clean(book).cells[0].outputs] == ["a\nb\n", "c\n", "d\n"]


def test_what_is_printed_in_pieces_is_one_output():
    said = (("a", "stdout"), ("b", "stdout"), ("c", "stderr"))
    pieces = [nbformat.v4.new_output("stream", text=text, name=name) for text, name in said]
    picture_between = nbformat.v4.new_output("display_data", data={"text/plain": "p"})
    assert [each.get("text") for each in build.joined([*pieces, picture_between, pieces[2]])] == ["ab", "c", None, "c"]


def test_a_loop_is_shown_as_its_file_has_it_and_numba_need_not_be_there():
    module, file = "numpymem.ntm.kernels_step", ROOT / "numpymem/ntm/kernels_step.py"
    text = sources.loop_source(module, "fade_and_add")
    assert text.startswith("@part\ndef fade_and_add(") and text in file.read_text(encoding="utf-8")
    with pytest.raises(ValueError, match=f"name: expected a loop of {module}: .*fade_and_add.*; received 'nothing'"):
        sources.loop_source(module, "nothing")


# ---- numpymem.teaching ------------------------------------------------------------------------------------------------------

def test_show_prints_formula_and_the_source_in_force():
    shown = teaching.show("NTM-9").data
    item = REGISTRY["NTM-9"]
    assert item.latex in shown and sources.source(item.original) in shown and "def sharpen_backward(" in shown
    assert "@equation" not in shown and "numpymem/ntm/equations.py`" in shown
    assert "sharpen_backward" not in teaching.show("NTM-9", backward=False).data

    def mine(w_s, gamma):
        return w_s
    with numpymem.patch("NTM-9", mine):
        assert "def mine(" in teaching.show("NTM-9").data and "*patched*" in teaching.show("NTM-9").data
    with pytest.raises(KeyError):
        teaching.show("NTM-99")


def bars(height):
    figure = picture(2, 2)
    figure.subplots().bar([0], [height])
    return figure


def test_a_moved_slider_moves_the_picture():
    widget = interactive.with_sliders(bars, {"height": (1, 9, 3)})
    slider, image = widget.children
    before = image.value
    slider.value = 8
    assert image.value != before and image.value == bars(8)._repr_png_()
    slider.value = 3
    assert image.value == before
    with pytest.raises(ValueError, match="height: expected"):
        interactive.with_sliders(bars, {"height": (1, 9, 12)})


def test_budgets_are_short_where_asked_for(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_QUICK", "1")
    assert teaching.is_quick() and teaching.budget(4000, 20) == 20
    monkeypatch.setenv("NUMPYMEM_QUICK", "0")
    assert not teaching.is_quick() and teaching.budget(4000, 20) == 4000


def test_models_that_come_along_need_no_download(monkeypatch):
    monkeypatch.setenv("NUMPYMEM_DATA", str(ROOT / "tests"))         # no stories there
    monkeypatch.setenv("NUMPYMEM_OFFLINE", "1")
    model, params, task = teaching.trained("memn2n_babi1")
    batch = next(task.batches("test", 200))
    with numpymem.numpy_only():
        logits, _ = model.forward(params, batch.inputs)
    assert task.count_wrong(logits, batch)[0] <= 2 and "GENERATED" in task.origin


def test_the_table_lists_equations():
    assert all(f"| {id} |" in teaching.equations("NTM-").data for id in REGISTRY if id.startswith("NTM-"))
    with pytest.raises(ValueError, match="families"):
        teaching.equations("nothing")


def test_a_figure_says_in_words_what_it_is():
    shown = teaching.weight_bars({"a": np.full(4, 0.25)}, "A title", "a note")
    assert repr(shown) == "Figure: A title. a note" and "Picture size" in repr(picture(2, 2))


def test_figures_of_the_chapters_have_their_panels():
    rng = np.random.default_rng(0)
    figure = teaching.weight_bars({"a": rng.dirichlet(np.ones(4)), "b": rng.dirichlet(np.ones(4))}, "title")
    assert [axes.get_ylabel() for axes in figure.axes] == ["a", "b"] and figure.axes[-1].get_xlabel() == "slot $i$"
    assert len(teaching.matrices({"M": rng.random((3, 2)), "w": rng.random((3, 4))}, "title").axes) == 2
    history = [{"sequences": n, "bits_per_sequence": 1 / n} for n in (1, 2, 3)]
    assert len(teaching.several_curves({"a": history, "b": history}, "title").axes[0].lines) == 2
