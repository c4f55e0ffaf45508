"""make fuzz: thousands of broken and hostile inputs for everything that numpymem reads.

    python tests/fuzz                          the table of what was tried: accepted, refused with a clear error, trouble
    python tests/fuzz --count 500 --seed 1     fewer inputs, others
    python tests/fuzz --only bAbI              some of the readers, by a part of their name
    python tests/fuzz --save                   write tests/results/fuzz.json

Exit code: 0 no trouble, 1 trouble. Trouble is any end but a result or one clear error (a ValueError or OSError of one
line that names the file or setting), and anything opened for writing outside the folder, run, compiled or unpickled on the way.
"""

import argparse
import json
import os
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
RESULT = HERE.parent / "results/fuzz.json"
MEMORY = 6 << 30                                  # bytes of address space: a bomb that is not stopped ends here


def main(arguments=None):
    sys.path[:0] = [str(HERE.parent), str(HERE.parent.parent)]
    os.environ.update(NUMPYMEM_OFFLINE="1", NUMPYMEM_JIT="0")
    sys.dont_write_bytecode = True                # a module that is first imported in a reader would be written beside its source
    from fuzz.table import result, table
    from numpymem.cli import Parser, whole
    parser = Parser(prog="python tests/fuzz", description=__doc__.partition("\n")[0], epilog=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=whole(1), default=12_000, metavar="N", help="inputs in all, about (default 12,000)")
    parser.add_argument("--seed", type=whole(0), default=0, metavar="S", help="of all chance (default 0)")
    parser.add_argument("--only", metavar="TEXT", help="readers with this in their name")
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.add_argument("--save", action="store_true", help=f"write tests/results/{RESULT.name}")
    options = parser.parse_args(arguments)
    little_memory()
    with tempfile.TemporaryDirectory() as folder:
        found = run(options, pathlib.Path(folder))
    told = result(found, options)
    if options.save:
        RESULT.parent.mkdir(exist_ok=True)
        RESULT.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(told) if options.json else table(told))
    return int(bool(told["troubles"]))


def run(options, folder):
    """Make good content, break it, look."""
    from fuzz.readers import all_readers
    from fuzz.trial import fuzz
    readers = all_readers(folder / "good")
    if options.only and not any(options.only in reader.name for reader in readers):
        print(f"--only: expected a part of one of {', '.join(reader.name for reader in readers)}, received {options.only!r}",
              file=sys.stderr)
        raise SystemExit(2)
    return fuzz(readers, options.count, options.seed, folder, options.only)


def little_memory():
    """Where the system can: no more memory than a bomb needs to be noticed."""
    try:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    except (ImportError, ValueError, OSError):    # Windows, or less is allowed already
        pass


if __name__ == "__main__":
    sys.exit(main())
