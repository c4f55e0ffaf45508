"""python -m gradcheck.museum: the table of exhibits, one of them, or train with all of them again."""

import argparse
import sys
from pathlib import Path

from gradcheck.museum import EXHIBITS, effects, find, trained
from gradcheck.report import WIDTH, wrapped
from numpymem.cli import Parser, file_name


def main(arguments=None):
    """Run the command line -> exit code: 0, or 2 if it was not understood."""
    try:
        options = read_arguments(arguments)
    except SystemExit as stop:                    # argparse has printed its line
        return int(stop.code or 0)
    try:
        chosen = [find(id) for id in options.ids] or EXHIBITS
    except KeyError as trouble:
        print(trouble.args[0], file=sys.stderr)
        return 2
    if options.train:
        try:
            trained.retrain(chosen, options.seeds, lambda line: print(line, flush=True))
        except ValueError as trouble:
            print(trouble, file=sys.stderr)
            return 2
    if options.html:
        from gradcheck.museum.page import page
        try:
            Path(options.html).write_text(page(chosen, count(chosen)), encoding="utf-8")
        except OSError as trouble:
            print(f"--html {options.html}: expected a file that can be written ({trouble.strerror})", file=sys.stderr)
            return 2
        print(f"page: {options.html}", file=sys.stderr)
    if options.ids and not options.train:
        print("\n\n".join(card(exhibit) for exhibit in chosen))
    else:
        print(table(chosen))
    return 0


def read_arguments(arguments):
    parser = Parser(prog="python -m gradcheck.museum",
                    description="Bugs that implementations of memory networks really shipped, and what they do.")
    parser.add_argument("ids", nargs="*", metavar="ID", help="exhibits to look at, or to train; default: all, as a table")
    parser.add_argument("--html", metavar="FILE", type=file_name(),
                        help="write all exhibits as one page with formulas, code and learning curves")
    parser.add_argument("--train", action="store_true", help="train with the bugs and without (minutes), and write results.json")
    parser.add_argument("--seeds", type=at_least_one, default=3, metavar="N", help="runs each (default 3)")
    return parser.parse_args(arguments)


def at_least_one(text):
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1 on, received {text!r}")
    return int(text)


# ---- the table -------------------------------------------------------------------------------------------------------------

def table(exhibits):
    """All exhibits, 80 columns. What the two checks say is as stated, which the tests hold to be so."""
    rows = [f"{'exhibit':<26}{'gradients':<11}{'meanings':<11}training with it", "-" * WIDTH]
    for one in exhibits:
        first, *more = [row for text in effect_on_training(one) for row in wrapped(text, indent=" " * 48)]
        gradients, meanings = "caught" if one.caught else "passes", f"caught ({len(one.unmet)})" if one.unmet else "passes"
        if one.kind == "checker":
            gradients = meanings = "-"
        rows.append(f"{one.id:<26}{gradients:<11}{meanings:<11}{first.strip()}")
        rows += more
    return "\n".join(rows + (["", *wrapped(count(exhibits), indent="")] if len(exhibits) > 1 else []))


def effect_on_training(exhibit):
    """A verdict for each task."""
    if exhibit.kind == "checker":
        checks = trained.read().get("checks") if trained.RESULTS.exists() else None
        return [f"lets {checks['signed check']['all']:.0f} % of errors pass" if checks else "not measured"]
    return [f"{task}: {of['verdict']}" for task, of in exhibit.training.items()] or ["not measured"]


def count(exhibits):
    """One sentence about what catches what."""
    bugs = [one for one in exhibits if one.kind != "checker"]
    quiet = [one for one in bugs if not one.caught]
    unseen = [one for one in quiet if not one.unmet]
    learns = [one for one in bugs if one.training and all("as well" in of["verdict"] for of in one.training.values())]
    return (f"{len(bugs)} bugs: {len(quiet)} pass every check of gradients; {len(quiet) - len(unseen)} of these are caught by a "
            f"test of meaning, {len(unseen)} by neither. {len(learns)} learn their small tasks as well as the healthy model.")


# ---- one exhibit -----------------------------------------------------------------------------------------------------------

def card(exhibit):
    """All there is to say of one exhibit, with both checks run now."""
    rows = [f"{exhibit.id}: {exhibit.title}", "=" * WIDTH]
    for label, text in (("shipped", exhibit.shipped), ("wrote", exhibit.wrote), ("right", exhibit.right), ("look", exhibit.seen)):
        rows += labelled(label, text)
    rows += ["", exhibit.source.rstrip(), ""]
    if exhibit.kind == "checker":
        return "\n".join(rows + checker_lines())
    rows += ["the check of gradients:", *map(str, effects.check_gradients(exhibit)), "", "the tests of meaning:"]
    failed = [result for result in effects.check_meanings(exhibit) if not result.passed]
    rows += [*map(str, failed)] or ["all hold"]
    for task, of in exhibit.training.items():
        rows += ["", f"training, {task}: {of['verdict']}", *training_lines(task, of)]
    return "\n".join(rows)


def training_lines(task, of):
    """Errors with the bug and without, in percent."""
    rows = [f"{'':<11}{'error %':<24}{'with the bug':<18}without"]
    for which, label in (("final", "at the end"), ("curve", "mean over the curve"), ("extra", trained.extra_name(task))):
        rows.append(f"{'':<11}{label:<24}{plus_minus(of['bug'][which]):<18}{plus_minus(of['healthy'][which])}")
    rows.append(f"{'':<11}{'guessing':<24}{of['chance']:.1f}")
    stopped = [run["stopped"] for run in of["runs"] if run["stopped"]]
    return rows + wrapped(f"{len(stopped)} of {len(of['runs'])} runs stopped: {stopped[0]}" if stopped else "", indent=" " * 11)


def checker_lines():
    """What the policy lets pass, error by error, measured now."""
    missed = effects.signed_check_misses()
    return [f"{'planted error':<26}passes, %", *(f"{what:<26}{percent:6.1f}" for what, percent in missed.items())]


def labelled(label, text):
    lines = wrapped(text, indent=" " * 11)
    return [f"{label:<11}{lines[0].strip()}", *lines[1:]] if lines else []


def plus_minus(pair):
    return f"{pair[0]:.1f} +- {pair[1]:.1f}"


if __name__ == "__main__":
    sys.exit(main())
