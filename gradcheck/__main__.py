"""python -m gradcheck: check equations, kernels and models, print a table, exit 1 if anything is wrong."""

import argparse
import contextlib
import json
import sys
import time
from pathlib import Path

from gradcheck import report
from gradcheck.kernels import cannot_run
from gradcheck.models import CASES, import_all
from gradcheck.models import equations as in_order
from gradcheck.run import check_everything, find_mistake
from numpymem import kernel as kernels
from numpymem.cli import Parser, file_name
from numpymem.mistakes import told


def main(arguments=None):
    """Run the command line -> exit code: 0 all right, 1 something is wrong, 2 not understood."""
    try:
        options = read_arguments(arguments)
    except SystemExit as stop:                    # argparse has printed its line
        return int(stop.code or 0)
    try:
        import_all()
    except SyntaxError as error:                  # in a file that somebody has edited
        print(told(error), file=sys.stderr)
        return 1
    try:
        equations, chosen_kernels, cases = select(options.names)
    except KeyError as trouble:
        print(trouble.args[0], file=sys.stderr)
        return 2
    if options.mutate:
        return mutate(options)
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):  # what a checked function prints is not part of the report
        results = check_everything(equations, chosen_kernels, cases, options.seed, options.chain, said)
        if options.renew:
            renew([result for result in results if result.kind == "kernel"])
        finding = find_mistake(results, cases, options.seed)
    seconds = time.perf_counter() - started
    print(report.as_json(results, seconds, options.seed, finding) if options.json
          else report.table(results, seconds, options.seed, finding))
    if options.html:
        write_page(options.html, results, seconds, options)
    return 0 if all(result.passed for result in results) else 1


def said(line):
    """One line for who waits at a terminal."""
    if sys.stderr.isatty():
        print("\n".join(report.wrapped(line, indent="")), file=sys.stderr, flush=True)


def read_arguments(arguments):
    parser = Parser(
        prog="python -m gradcheck", description="Check every hand-written backward against its own forward.",
        epilog="exit code: 0 all right, 1 something is wrong (the first line of the report says what), 2 not understood")
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help="an equation (NTM-9, sharpen), a kernel (ntm.sequence), a model (ntm, lstm, memn2n), or the "
                             "start of an id; default: everything")
    parser.add_argument("--chain", action="store_true",
                        help="follow every gradient on its way through steps, models and kernels, and name the first that is wrong")
    parser.add_argument("--mutate", action="store_true",
                        help="break every backward in many small ways and count what is caught (some minutes)")
    parser.add_argument("--sample", type=_seed, metavar="N", help="with --mutate: N mutants drawn by --seed instead of all")
    parser.add_argument("--html", metavar="FILE", type=file_name(),
                        help="write the report as one page with formulas, sources and pictures, too")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--seed", type=_seed, default=0, metavar="S", help="of the random points (default 0)")
    parser.add_argument("--renew", action="store_true",
                        help="write the fingerprints of the kernels that are equal to today's equations")
    return parser.parse_args(arguments)


def mutate(options):
    """The mutation score -> exit code: 1 if a mutant survived."""
    from gradcheck.mutation import score
    outcomes, seconds = score.timed(options.names, options.sample, progress=sys.stderr.isatty(), seed=options.seed)
    print(json.dumps(score.as_dict(outcomes, seconds), indent=1) if options.json else score.table(outcomes, seconds))
    return 1 if any(outcome.fate == "survived" for outcome in outcomes) else 0


def write_page(path, results, seconds, options):
    """The report as an HTML file; says where it is."""
    from gradcheck.page import page
    text = page(results, seconds, options.seed)
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as trouble:
        print(f"--html {path}: cannot be written ({trouble.strerror}); the report above is complete", file=sys.stderr)
        return
    print(f"page: {path}", file=sys.stderr)


def _seed(text):
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a whole number from 0 on, received {text!r}")
    return int(text)


def select(names):
    """The equations, kernels and model cases that some of the names mean; all of them for no names."""
    equations, chosen_kernels, cases = in_order(), list(kernels.KERNELS.values()), list(CASES)
    if not names:
        return equations, chosen_kernels, cases
    words = {id(thing): keys for group, keys_of in ((equations, lambda e: (e.id, e.name)), (chosen_kernels, _name),
                                                    (cases, _name)) for thing in group
             for keys in [[key.lower() for key in keys_of(thing)]]}
    picked = set()
    for name in names:
        found = _meant_by(name.lower(), words)
        if not found:
            raise KeyError(f"nothing is called {name!r}; known: "
                           + ", ".join(dict.fromkeys([item.id for item in equations]
                                                     + [thing.name for thing in (*chosen_kernels, *cases)])))
        picked |= found
    return tuple([thing for thing in group if id(thing) in picked] for group in (equations, chosen_kernels, cases))


def _name(thing):
    return (thing.name,)


def _meant_by(name, words):
    """Keys of what a name means: what is called so or belongs to it (ntm: NTM-9, ntm.sequence), else what starts so."""
    found = {key for key, called in words.items()
             if any(word == name or word.startswith((name + "-", name + ".")) for word in called)}
    return found or {key for key, called in words.items() if any(word.startswith(name) for word in called)}


def renew(results):
    """Put kernels in force that are equal to the NumPy pair; refuse those that are not."""
    for result in results:
        if result.equal:
            kernels.renew(kernels.KERNELS[result.id])
            result.notes.clear()
            reason = kernels.KERNELS[result.id].why_not()
            result.verdict = f"equal, renewed{f', not in force: {reason}' if reason else ''}"
        else:
            result.passed = False
            result.notes.append("not renewed: " + (cannot_run() or "it is not equal to the NumPy pair"))


if __name__ == "__main__":
    sys.exit(main())
