"""The command line: `python -m numpymem VERB ...`. Each verb is a function in numpymem/commands.py or the duel's own file."""

import argparse
import pathlib
import sys


class Parser(argparse.ArgumentParser):
    """Bad arguments: exit 2 with one line that says what was expected."""

    def error(self, message):
        print(f"{self.prog}: {message}  (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def whole(least):
    """An argparse type: a whole number of at least `least`."""
    def read(text):
        try:
            number = int(text.replace(",", "").replace("_", ""))
        except ValueError:
            number = None
        if number is None or number < least:
            raise argparse.ArgumentTypeError(f"expected a whole number of at least {least}, received {text!r}")
        return number
    return read


def span(text):
    """An argparse type: A:B -> range(A, B)."""
    first, colon, last = text.partition(":")
    if not (colon and all(part.isascii() and part.isdecimal() and len(part) < 10 for part in (first, last))
            and int(first) < int(last)):
        raise argparse.ArgumentTypeError(f"expected A:B with A < B, such as 0:20, received {text!r}")
    return range(int(first), int(last))


def file_name(*endings):
    """An argparse type: the name of a file to write, in a folder that is there, with one of the endings (none: any)."""
    def read(text):
        if not pathlib.Path(text).absolute().parent.is_dir() or pathlib.Path(text).is_dir():
            raise argparse.ArgumentTypeError(f"expected a file in a folder that is there, received {text!r}")
        if endings and pathlib.Path(text).suffix not in ("", *endings):
            raise argparse.ArgumentTypeError(f"expected a name that ends in {', '.join(endings)}, received {text!r}")
        return text
    return read


def positive(text):
    """An argparse type: a number above zero."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"expected a number above 0, received {text!r}")
    return number


def build_parser():
    parser = Parser(prog="python -m numpymem", description="Memory networks from scratch in NumPy: train them, look at them, "
                    "change their equations.",
                    epilog="Start with:  python -m numpymem duel --quick     or:  python -m numpymem train ntm copy")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, parser_class=Parser)

    train = verbs.add_parser("train", help="train a model on a task", description="Train a model on a task. The defaults "
                             "converge; every run leaves config.json, metrics.jsonl, checkpoint.npz and curves.png.")
    train.add_argument("model", metavar="MODEL", help="ntm, dnc, memn2n, dmn, memory-transformer, hybrid or lstm")
    train.add_argument("task", metavar="TASK", help="copy, recall, babi1 ... babi20, segmented-copy ..: `list` has them all; qa is "
                       "babi1, path-finding babi19")
    train.add_argument("--controller", choices=("lstm", "feedforward"),
                       help="of an NTM or DNC (default: lstm; of a DNC on graphs: feedforward)")
    train.add_argument("--seed", type=whole(0), help="seed of all chance (default: 0)")
    length = train.add_mutually_exclusive_group()
    length.add_argument("--sequences", type=whole(1), help="at most so many sequences in all (default: the recipe's); a run "
                        "that has converged stops earlier")
    length.add_argument("--seconds", type=positive, help="at most so many seconds; a run that has converged stops earlier")
    train.add_argument("--batch", type=whole(1), help="sequences a step (default: the recipe's)")
    train.add_argument("--checkpoint-every", type=whole(1), metavar="K", help="ntm, dnc: keep only every K-th step of a sequence "
                       "and compute the others again, for long sequences in little memory")
    train.add_argument("--run", metavar="DIR", help="run folder (default: runs/MODEL-TASK-SEED)")
    train.add_argument("--resume", action="store_true", help="go on with the run in DIR; settings are those it began with")
    train.add_argument("--set", dest="settings", metavar="NAME=VALUE", action="append", default=[],
                       help="a setting of model, recipe or task, such as lr=1e-3, N=64, hops=2 (repeatable); recipe=paper: all "
                       "those of the NTM paper's own recipe; recipe=small (ntm copy): a training of seconds, to try changes with")

    evaluate = verbs.add_parser("eval", help="evaluate a trained run", description="Evaluate a run on fresh data: copy at "
                                "given lengths, the other NTM tasks also beyond their training range, bAbI on all test questions.")
    evaluate.add_argument("run", metavar="RUN", help="run folder")
    evaluate.add_argument("--length", type=whole(1), nargs="+", default=None, help="copy: lengths (default: 20 50 80 120)")
    evaluate.add_argument("--count", type=whole(1), help="sequences a line (default: 100; sort 500, ngrams 1,000), or test "
                          "questions (default: all)")
    evaluate.add_argument("--seed", type=whole(0), default=0, help="seed of the fresh data (default: 0)")
    evaluate.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else there")

    duel = verbs.add_parser("duel", help="NTM against MemN2N: the article's claims, measured", description="The article's fifteen "
                            "claims, what we measured of each, and a word on it: from committed results, at once. With --quick all "
                            "four rows of its section 4 are trained here; with --full everything behind them.")
    duel.add_argument("claims", nargs="*", metavar="CLAIM", help="only these claims, such as C9 (default: C1 to C15)")
    size = duel.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="train a small version of all four rows here: some five minutes on two "
                      "cores")
    size.add_argument("--full", action="store_true", help="train the committed runs once more: hours; stop it when you like, the "
                      "same command goes on")
    duel.add_argument("--rows", nargs="+", metavar="ROW", help="of --quick and --full: only paths, copy, update or facts")
    duel.add_argument("--models", nargs="+", metavar="MODEL", help="which columns beside ntm and memn2n (default: all that "
                      "were measured); of --quick: which are trained, too, beside those two and hybrid: lstm, dnc, dmn, "
                      "memory-transformer")
    duel.add_argument("--seeds", type=whole(1), metavar="K", help="of --quick: seeds a model and row (default: 1)")
    duel.add_argument("--run", metavar="DIR", help="of --quick: folder for all runs, the figure and duel.json (default: "
                      "runs/duel-quick)")
    duel.add_argument("--html", metavar="FILE", type=file_name(), help="write the claims as one web page with figures")
    duel.add_argument("--markdown", metavar="FILE", nargs="?", const="-", help="print the README's table of the claims, or put it "
                      "into FILE")
    duel.add_argument("--json", action="store_true", help="one JSON object on stdout and nothing else there")

    sweep = verbs.add_parser("sweep", help="many runs: a table or figure of a paper, several seeds", description="Train every "
                             "group x task x seed of a spec and print the table. A sweep may be stopped or killed at any moment: "
                             "--resume goes on. Without SPEC: the list of them.")
    sweep.add_argument("spec", metavar="SPEC", nargs="?", help="name of a spec, or a JSON file of your own (how to write one: "
                       "numpymem/experiments/spec.py)")
    where = sweep.add_mutually_exclusive_group()
    where.add_argument("--jobs", type=whole(1), metavar="N", help="runs at a time (default: one a core)")
    where.add_argument("--dask", metavar="ADDRESS", help="train on the Dask cluster of this scheduler, such as tcp://10.0.0.1:8786")
    sweep.add_argument("--resume", action="store_true", help="go on: finished runs are kept, half-done ones go on from their "
                       "checkpoint, failed ones start again")
    sweep.add_argument("--run", metavar="DIR", help="folder for all runs, the figure and results.json (default: runs/sweep-SPEC)")
    sweep.add_argument("--save", action="store_true", help="put the results of a shipped spec beside the committed ones")

    report = verbs.add_parser("report", help="committed results beside the paper's", description="Print our table beside the "
                              "paper's and draw the figure. Without NAME: the list of them.")
    report.add_argument("name", metavar="NAME", nargs="?", help="name of a committed result, or a results.json of your own")
    report.add_argument("--out", metavar="FILE", type=file_name(".png", ".svg", ".pdf"),
                        help="the figure's file (default: NAME.png in the current folder)")

    ship = verbs.add_parser("ship", help="keep a trained run's parameters in the package", description="Measure a run and write "
                            "its parameters (float32) and facts to numpymem/checkpoints.")
    ship.add_argument("run", metavar="RUN", help="run folder")
    ship.add_argument("name", metavar="NAME", help="name of the checkpoint, such as ntm_copy")

    verbs.add_parser("list", help="models, tasks and which pairs there are")
    explain = verbs.add_parser("explain", help="one equation: formula, both sources, where it lives, its check")
    explain.add_argument("id", metavar="ID", help="such as NTM-9 or sharpen")
    verbs.add_parser("bench", help="the training step beside JAX and PyTorch, and beside what this machine can do")
    verbs.add_parser("doctor", help="versions, kernels in force, cache, data found, threads")
    return parser


def main(arguments=None):
    """Run one command -> exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["bench"]:                         # benchmarks/ reads its own options
        options = argparse.Namespace(verb="bench", arguments=arguments[1:])
    else:
        options = build_parser().parse_args(arguments)
    try:
        from numpymem import commands                      # late: --help and mistakes answer at once
        return getattr(commands, options.verb)(options) or 0
    except KeyboardInterrupt:
        print("\nstopped; what was done until the last checkpoint is kept", file=sys.stderr)
        return 130
    except SyntaxError as error:                           # in a file of equations that somebody has edited
        from numpymem.mistakes import told
        print(f"python -m numpymem {options.verb}: {told(error)}", file=sys.stderr)
        return 1
    except FloatingPointError as error:
        print(f"python -m numpymem {options.verb}: {error}", file=sys.stderr)
        return 1
    except (ValueError, KeyError, OSError) as error:
        text = error.args[0] if isinstance(error, KeyError) and error.args else error
        print(f"python -m numpymem {options.verb}: {text}", file=sys.stderr)
        return getattr(error, "exit_code", 2)
