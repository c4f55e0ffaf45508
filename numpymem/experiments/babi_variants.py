"""The columns of the MemN2N paper's bAbI tables, as settings (Sukhbaatar et al. 2015, tables 1 and 3).

    python -m numpymem.experiments.babi_variants [NAME] [--size 10k]      prints the command that trains it

PE position encoding (else bag of words, BoW), LS linear start, RN random noise in the time index; all with 3 hops and adjacent
tying if not said otherwise. What the catalog sets for `train memn2n babiN` is PE LS RN; a variant says what differs.

Without linear start the learning rate begins at 0.01, with it at 0.005, as in the authors' released code. An epoch is as many
batches of 32 as there are whole ones in the training questions. Where we deviate from that code:
- the code weighs the time word, too, by the position after the last word of the longest sentence;
- the time words of C^K are no answers here; in the code the answer is any row of C^K, also a time;
- the code clips tables of words and times as one matrix, here each is clipped by itself;
- the code halves the learning rate one epoch earlier (at the beginning of epochs 25, 50, ...), and leaves out of the test what is
  over after whole batches of 32 (8 of 1,000 questions).
"""

import argparse
import shlex
from typing import NamedTuple

from numpymem.cli import Parser

BATCH = 32
TRAINING_QUESTIONS = {                            # (size, joint), without the tenth for validation; joint 10k has a part of task 3
    ("1k", False): 900, ("1k", True): 18_000, ("10k", False): 9_000, ("10k", True): 172_733}


class Variant(NamedTuple):
    """One column of the table."""
    title: str
    joint: bool
    linear_start: bool
    settings: tuple       # NAME=VALUE, on top of the catalog's


NO_RN = "time_noise=0"
VARIANTS = {
    "bow": Variant("BoW", False, False, ("encoding=bag", NO_RN)),
    "pe": Variant("PE", False, False, (NO_RN,)),
    "pe-ls": Variant("PE LS", False, True, (NO_RN,)),
    "pe-ls-rn": Variant("PE LS RN", False, True, ()),
    "joint-1-hop": Variant("joint, 1 hop, PE LS", True, True, ("hops=1", NO_RN)),
    "joint-2-hops": Variant("joint, 2 hops, PE LS", True, True, ("hops=2", NO_RN)),
    "joint-3-hops": Variant("joint, 3 hops, PE LS", True, True, (NO_RN,)),
    "joint-rn": Variant("joint, 3 hops, PE LS RN", True, True, ()),
    "joint-layer-wise": Variant("joint, 3 hops, PE LS, layer-wise", True, True, ("tying=layer-wise", "tie_answer=false", NO_RN)),
}


def settings(name, size="1k"):
    """A variant as NAME=VALUE texts for --set, or for runs.new_run: all that depends on variant and size.

    raises ValueError for an unknown name or size
    """
    if name not in VARIANTS:
        raise ValueError(f"variant: expected one of {', '.join(VARIANTS)}, received {name!r}")
    if size not in ("1k", "10k"):
        raise ValueError(f"size: expected '1k' or '10k', received {size!r}")
    variant = VARIANTS[name]
    return [f"size={size}", *schedule(variant, size), *variant.settings]


def schedule(variant, size):
    """The paper's epochs as numbers of questions."""
    epoch = TRAINING_QUESTIONS[size, variant.joint] // BATCH * BATCH
    epochs, halve, linear = (60, 15, 30) if variant.joint else (100, 25, 20)
    linear = linear if variant.linear_start else 0
    return [f"sequences={(epochs + linear) * epoch}", f"halve_every={halve * epoch}", f"linear_start={linear * epoch}",
            f"lr={0.005 if variant.linear_start else 0.01}", f"eval_every={10 * epoch}"]


def command(name, size="1k", task=1, seed=0):
    """The command line that trains one run of a variant."""
    task = "babi-joint" if VARIANTS[name].joint else f"babi{task}"
    words = ["python", "-m", "numpymem", "train", "memn2n", task, "--seed", str(seed)]
    for setting in settings(name, size):
        words += ["--set", setting]
    return shlex.join(words)


def main(arguments=None):
    parser = Parser(prog="python -m numpymem.experiments.babi_variants", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", choices=VARIANTS, metavar="NAME", help=", ".join(VARIANTS))
    parser.add_argument("--size", choices=("1k", "10k"), default="1k")
    options = parser.parse_args(arguments)
    for name in [options.name] if options.name else VARIANTS:
        print(f"{name:<18}{VARIANTS[name].title}\n    {command(name, options.size)}")


if __name__ == "__main__":
    main()
