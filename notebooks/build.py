"""Make the notebooks from their scripts, and run them.

    python notebooks/build.py                     every chapter and solution, each in a kernel of its own
    python notebooks/build.py 02 solutions/02     some of them, by the start of their names
    python notebooks/build.py --quick             short trainings (NUMPYMEM_QUICK=1): to try, not to commit
    python notebooks/build.py --text 00           runs nothing: takes over new text, where no code has changed
    python notebooks/build.py --check             runs nothing: do scripts and notebooks say the same, and is all clean?
    python notebooks/build.py --cold              writes nothing: how long does each take where nothing is compiled yet?

notebooks/NN_name.py is the source (a jupytext percent script); NN_name.ipynb beside it is what this makes of it. To work in
JupyterLab open either one; changes to a notebook go back into its script with `jupytext --to py:percent notebooks/NN_name.ipynb`.
"""

import argparse
import json
import os
import pathlib
import re
import sys
import tempfile
import time

import jupytext
import nbformat

FOLDER = pathlib.Path(__file__).resolve().parent
ROOT = FOLDER.parent
TIMEOUT = 1800                                    # seconds for a cell: a chapter takes a few minutes, a busy machine many
LARGEST, LARGEST_FOLDER = 2 << 20, 15 << 20       # bytes
WIDGET = "application/vnd.jupyter.widget-view+json"
CHATTER = re.compile(r"^(compiling kernel .*|.*\d+%\|.*)\n?", re.MULTILINE)       # said once on a machine, or as time goes by
ADDRESS = re.compile(r" at 0x[0-9a-f]{6,}")
FOREIGN = re.compile(r"/(?:home|root|tmp|work|Users|usr|opt)/[\w.-]+|[A-Z]:\\\\")       # a path of one machine


def scripts(names=()):
    """The scripts of chapters and solutions, or those whose names begin with one of `names` ("02", "solutions/02")."""
    found = [path for path in sorted([*FOLDER.glob("[0-9]*.py"), *FOLDER.glob("solutions/[0-9]*.py")])
             if not names or any(short(path).startswith(str(name).removeprefix("notebooks/")) for name in names)]
    if not found:
        raise ValueError(f"NAME: expected the start of one of {', '.join(map(short, scripts()))}, received {' '.join(names)}")
    return found


def short(path):
    """02_memory_operations, or solutions/02_memory_operations."""
    return path.relative_to(FOLDER).with_suffix("").as_posix()


def read_script(path):
    """The notebook that a script describes, not yet run."""
    book = jupytext.reads(path.read_text(encoding="utf-8"), fmt="py:percent")
    for number, cell in enumerate(book.cells):
        cell.id, cell.metadata = f"cell-{number}", nbformat.NotebookNode()
    book.metadata = nbformat.from_dict({"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                                        "language_info": {"name": "python"}})
    book.nbformat, book.nbformat_minor = 4, 5
    return book


def run(path, quick=False, **variables):
    """The notebook of a script, run in a kernel of its own that sees this checkout and no network data -> notebook.

    variables   more of the environment, NUMPYMEM_CACHE=folder for instance
    raises     nbclient.exceptions.CellExecutionError where a cell fails
    """
    from nbclient import NotebookClient
    book = read_script(path)
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": paths, "NUMPYMEM_QUICK": str(int(quick)), "NUMPYMEM_OFFLINE": "1"} | variables
    client = NotebookClient(book, timeout=TIMEOUT, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}},
                            record_timing=False, store_widget_state=False)
    client.execute(env=env)
    return clean(book)


def clean(book):
    """The notebook without what is different on every machine or in every run."""
    book.metadata.pop("widgets", None)
    book.metadata.language_info = nbformat.from_dict({"name": "python"})
    for cell in book.cells:
        cell.metadata = nbformat.NotebookNode()
        if cell.cell_type == "code":
            cell.outputs = [output for output in map(clean_output, joined(cell.outputs)) if output is not None]
    return book


def joined(outputs):
    """Outputs with what was printed in several pieces in one: where it was cut is different in every run."""
    found = []
    for output in outputs:
        if found and output.output_type == found[-1].output_type == "stream" and output.name == found[-1].name:
            found[-1].text += output.text
        else:
            found.append(output)
    return found


def clean_output(output):
    """An output without widgets, paths, addresses and chatter; None if nothing is left."""
    if output.output_type == "stream":
        output.text = plain(CHATTER.sub("", output.text))
        return output if output.text.strip() else None
    data = output.get("data", {})
    data.pop(WIDGET, None)
    for kind in [kind for kind in data if kind.startswith("text/")]:
        data[kind] = plain(data[kind])
    output.metadata = nbformat.NotebookNode()
    return output if data or output.output_type == "error" else None


def plain(text):
    """Text without the places of this checkout and of objects in memory."""
    text = text.replace(f"{ROOT}{os.sep}", "").replace(str(ROOT), ".")
    return ADDRESS.sub("", re.sub(r"\S*ipykernel_\d+\S*\.py", "this notebook", text))


def troubles(path):
    """What is wrong with the notebook of a script, as lines: none of them is what should be."""
    target = path.with_suffix(".ipynb")
    if not target.exists():
        return [f"{short(path)}: there is no notebook; run python notebooks/build.py {short(path)}"]
    text = target.read_text(encoding="utf-8")
    book = nbformat.reads(text, 4)
    return [f"{short(path)}: {said}" for said in (*disagreements(book, read_script(path)), *unclean(book, len(text)))]


def disagreements(book, script):
    """Where notebook and script differ."""
    ours, theirs = ([(cell.cell_type, cell.source) for cell in each.cells] for each in (book, script))
    if ours != theirs:
        at = next((i for i, pair in enumerate(zip(ours, theirs)) if pair[0] != pair[1]), min(len(ours), len(theirs)))
        yield f"cell {at} differs from the script: run build.py again, or take the change over with jupytext --to py:percent"
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    if [cell.execution_count for cell in code] != list(range(1, len(code) + 1)):
        yield "the cells were not run once each, from top to bottom"
    if any(output.output_type == "error" for cell in code for output in cell.outputs):
        yield "a cell ended with an error"


def unclean(book, size):
    """What has no place in a committed notebook."""
    if size > LARGEST:
        yield f"{size:,} bytes, {LARGEST:,} allowed: smaller or fewer pictures"
    for number, cell in enumerate(book.cells):
        text = json.dumps([cell.source, *({kind: value for kind, value in output.get("data", {}).items() if kind.startswith("text")}
                                          | {"text": output.get("text", "")} for output in cell.get("outputs", []))])
        if found := FOREIGN.search(text):
            yield f"cell {number} names a place of one machine: {found[0]}"
        if WIDGET in text or ADDRESS.search(text):
            yield f"cell {number} holds what differs in every run"


def build(path, quick):
    """Run one script and write its notebook; says how long that took."""
    started = time.perf_counter()
    book = run(path, quick)
    path.with_suffix(".ipynb").write_text(nbformat.writes(book).rstrip() + "\n", encoding="utf-8")
    size = path.with_suffix(".ipynb").stat().st_size
    print(f"{short(path):<40}{time.perf_counter() - started:>6.0f} s{size / 1024:>8.0f} KiB", flush=True)


def time_cold(path, quick):
    """Run one script with an empty folder for compiled code and say how long that took; writes nothing."""
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        run(path, quick, NUMPYMEM_CACHE=folder)
        print(f"{short(path):<40}{time.perf_counter() - started:>6.0f} s from a cold start", flush=True)


def with_outputs_of(script, ran):
    """The script's notebook with the outputs of one that ran. ValueError if the code is not the same."""
    ours, theirs = ([cell for cell in book.cells if cell.cell_type == "code"] for book in (script, ran))
    if [cell.source for cell in ours] != [cell.source for cell in theirs]:
        raise ValueError("--text: expected the code that ran, received other code; run build.py without --text")
    for cell, done in zip(ours, theirs):
        cell.outputs, cell.execution_count = done.outputs, done.execution_count
    return script


def retell(path):
    """Take over the text of a script into its notebook."""
    target = path.with_suffix(".ipynb")
    book = with_outputs_of(read_script(path), nbformat.read(target, 4))
    target.write_text(nbformat.writes(book).rstrip() + "\n", encoding="utf-8")


class OneLineParser(argparse.ArgumentParser):
    """Says in one line what was expected, and exits with 2."""

    def error(self, message):
        self.exit(2, f"{self.prog}: {message}\n")


def main(arguments=None):
    """Build or check -> exit code; SystemExit with 2 if the arguments are not understood."""
    parser = OneLineParser(prog="python notebooks/build.py", description="Make the notebooks from their scripts, and run them.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="start of a name: 02, solutions/02 (default: all)")
    parser.add_argument("--quick", action="store_true", help="short trainings")
    parser.add_argument("--text", action="store_true", help="run nothing, take over new text where no code has changed")
    parser.add_argument("--check", action="store_true", help="run nothing, look whether scripts and notebooks agree")
    parser.add_argument("--cold", action="store_true", help="write nothing, time each with an empty cache of compiled code")
    options = parser.parse_args(arguments)
    try:
        chosen = scripts(options.names)
        for path in chosen if not options.check else ():
            retell(path) if options.text else (time_cold if options.cold else build)(path, options.quick)
    except ValueError as error:
        parser.error(str(error))
    found = [line for path in chosen for line in troubles(path)]
    total = sum(path.stat().st_size for path in FOLDER.rglob("*.ipynb"))
    if total > LARGEST_FOLDER:
        found.append(f"all notebooks together: {total:,} bytes, {LARGEST_FOLDER:,} allowed")
    print("\n".join(found) or f"{len(chosen)} scripts and notebooks agree; {total / 1024:,.0f} KiB in all")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
