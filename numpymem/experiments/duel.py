"""`python -m numpymem duel`: the article's claims, what we measured, and a word on each; with --quick live, with --full anew.

The verdicts are those of the committed results (claims/, verdicts.py), told at once. What is trained here is in live.py.
"""

import json
import sys

from numpymem import catalog
from numpymem.experiments import results, rows, spec, verdicts
from numpymem.experiments.claims import measured


def run_duel(options, command=""):
    """Do what the options of the command line ask -> exit code.

    options  claims (ids), quick, full, rows, models, seeds, run, html (a file), markdown (a file, '-' for the screen), json
    raises   ValueError for an unknown claim, row or model, or for options that do not go together
    """
    check(options)
    shown = [rows.NAMES[model] for model in options.models or ()]
    if options.quick:
        from numpymem.experiments.live import run_quick
        return run_quick(options.rows, options.models, options.seeds or 1, options.run, options.json, command)
    failed = run_full(rows.choose(options.rows), command) if options.full else 0
    with measured.showing(shown):
        return tell(options) or failed


def tell(options):
    """The verdicts on the committed results, in the form that is asked for -> exit code."""
    found = verdicts.judge_all(options.claims)
    if options.html:
        from numpymem.experiments.page import write_page
        print(f"page: {write_page(options.html, found)}", file=sys.stderr)
    if options.markdown and options.markdown != "-":
        print(f"table: {verdicts.put_into(options.markdown, found)}", file=sys.stderr)
    elif options.markdown:
        print(verdicts.markdown(found))
    elif options.json:
        print(json.dumps(verdicts.plain(found)))
    elif not options.html:
        print(verdicts.text(found))
    return 0


def check(options):
    """Refuse what would not be heard."""
    for model in options.models or ():
        catalog.model_class(model)                             # its ValueError lists the models
    training = {"--seeds": options.seeds, "--run": options.run}
    for name, value in (training | {"--rows": options.rows}).items():
        if value and not options.quick and not (options.full and name == "--rows"):
            raise ValueError(f"{name}: expected with --quick{' or --full' if name == '--rows' else ''}, received without")
    for name, value in {"CLAIM": options.claims, "--html": options.html, "--markdown": options.markdown}.items():
        if value and options.quick:
            raise ValueError(f"--quick: expected without {name}, which tells of the committed results")
    if options.markdown and options.claims:
        raise ValueError(f"--markdown: expected without CLAIM, as the table has all claims, received {' '.join(options.claims)}")


def run_full(chosen, command):
    """The sweeps of the rows, each where it stood when it was stopped -> 1 if a run failed, else 0."""
    from numpymem.experiments.sweep import run_sweep
    print("The runs behind C8 to C11 and C13. Stop when you like; the same command goes on.", file=sys.stderr)
    for row in chosen.values():
        print(f"  {row.spec:<14}{how_long(row.spec)}", file=sys.stderr)
    codes = [run_sweep(row.spec, resume=True, command=command) for row in chosen.values()]
    print("The verdicts below are those of the committed results. To put yours in their place: python -m numpymem sweep NAME "
          "--resume --save\n", file=sys.stderr)
    return max(codes)


def how_long(name):
    """How many runs a sweep has, and how many minutes they took when they were committed."""
    told = spec.describe(spec.read(name).content)
    if name not in results.names():
        return told
    return f"{told}: {sum(run['seconds'] for run in results.read(name)['runs']) / 60:,.0f} core-minutes when they were committed"
