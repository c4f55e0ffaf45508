"""Section 7.2 of the article: a memory-augmented Transformer, C12.

The rule. What the memory brings is measured seed by seed against the same Transformer without one, of as many parameters. A memory
helps on a task if the 95 % interval of its gain lies above zero.

    agrees    it helps on every task, and the article's 12.7 points lie in one of the intervals
    differs   it helps on none
    depends   it helps somewhere; but not everywhere, or not as much
"""

from numpymem.experiments import ablations
from numpymem.experiments.claims import measured
from numpymem.experiments.claims.claim import Claim, Verdict
from numpymem.experiments.claims.intervals import paired, told

SPEC, GAIN = "mt_wikisql", 12.7
TASKS = {                                         # task -> (its figure, what it is)
    "wikisql-select": ("wrong_percent", "which column, columns told one by one"),
    "wikisql-agg": ("wrong_percent/dev", "which aggregation, official dev, no table told"),
}


def judge():
    found = measured.read(SPEC)
    right, gains = {}, {}
    for task, (figure, _) in TASKS.items():
        wrong = [ablations.errors(found, group, task, figure) for group in ("full", "no memory")]
        right[task] = [{seed: 100 - value for seed, value in by_seed.items()} for by_seed in wrong]
        gains[task] = paired(*right[task])
    helps = [task for task, gain in gains.items() if gain.sign > 0]
    near = any(gain.low <= GAIN <= gain.high for gain in gains.values() if gain.sign > 0)
    word = "differs" if not helps else "agrees" if near and len(helps) == len(gains) else "depends"
    ours = [f"{task}, right, %: {told(right[task][0])} with a memory, {told(right[task][1])} without: {gain} "
            f"(n = {gain.n}; {TASKS[task][1]})" for task, gain in gains.items()]
    return Verdict(word, "\n".join(ours), sentence(gains, helps, near),
                   (f"python -m numpymem report {SPEC}", f"python -m numpymem sweep {SPEC} --resume"),
                   (("what a memory brings on WikiSQL", draw),),
                   "; ".join(f"{TASKS[task][1]}: {gain} points" for task, gain in gains.items()))


def sentence(gains, helps, near):
    source = "The article does not say what its figure is a percentage of, nor whose it is."
    if not helps:
        return f"A memory brings nothing that is larger than chance. {source}"
    where = " and ".join(TASKS[task][1] for task in helps)
    others = [TASKS[task][1] for task in gains if task not in helps]
    most = f"12.7 points are {'within' if near else 'beyond'} what is measured"
    return f"A memory helps here: {where}{'; not here: ' + ', '.join(others) if others else ''}. {most}. {source}"


def draw():
    from numpymem.experiments.report import draw_variants
    return draw_variants(measured.read(SPEC))


CLAIMS = (Claim("C12", "7.2", "memory for a Transformer", "a memory-augmented Transformer: +12.7 % on WikiSQL", judge),)
