"""NTM copy, many seeds: sequences and seconds until it is learned, and how far it generalises.

    python -m numpymem.experiments.ntm_copy [--controller lstm|feedforward] [--seeds 10] [--jobs 2]

Each run has the default settings of `train ntm copy`. It has converged when two evaluations in a row, each on 1,000 fresh
sequences of lengths 1-20, stay under 0.05 bits a sequence; `sequences` and `seconds` count until then. It goes on while the
learning rate falls to 0 (the recipe's `settle`), and then copies 100 fresh sequences at each of the lengths 20, 50, 80, 120.
"""

import argparse
import dataclasses
import statistics
from concurrent.futures import ProcessPoolExecutor

from threadpoolctl import threadpool_limits

from numpymem import catalog, runs
from numpymem.experiments import results
from numpymem.experiments.measure import COPY_LENGTHS, copy_lengths


def one(job):
    """One seed -> a dict of what it took and what it can do."""
    controller, seed = job
    training = runs.new_run("ntm", "copy", seed, controller=controller)
    with threadpool_limits(1, "blas"):
        last = training.run(progress=False)
        lengths = copy_lengths(training.model, training.params, training.task, COPY_LENGTHS, 100, seed=10_000 + seed)
    return {"seed": seed, "controller": controller, "converged": training.converged,
            "sequences": training.converged_at or training.done, "seconds": seconds_until(training),
            "sequences_in_all": training.done, "seconds_in_all": round(training.seconds, 1),
            "bits_per_sequence": last["bits_per_sequence"],
            "wrong_bits_percent": {str(line["length"]): line["wrong_bits_percent"] for line in lengths},
            "gradient_norm_max": max(line["gradient_norm_max"] for line in training.history)}


def start(controller):
    """What the runs began with: model settings and recipe, as the catalog has them today."""
    settings, recipe = catalog.settings_of("ntm", "copy", controller)
    return {"settings": settings, "recipe": dataclasses.asdict(recipe)}


def seconds_until(training):
    """Seconds, evaluations included, until it had converged, or in all if it never did."""
    for line in training.history:
        if line["sequences"] == training.converged_at:
            return line["seconds"]
    return round(training.seconds, 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controller", choices=("lstm", "feedforward"), default="lstm")
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    found = []
    with ProcessPoolExecutor(options.jobs) as pool:
        for result in pool.map(one, [(options.controller, seed) for seed in range(options.seeds)]):
            found.append(result)
            wrong = "  ".join(f"{length}: {value:.2f} %" for length, value in result["wrong_bits_percent"].items())
            print(f"seed {result['seed']}  {'learned' if result['converged'] else 'NOT learned'} after "
                  f"{result['sequences']:,} sequences, {result['seconds']:.0f} s; wrong bits at {wrong}", flush=True)
    command = (f"python -m numpymem.experiments.ntm_copy --controller {options.controller} --seeds {options.seeds} "
               f"--jobs {options.jobs}")
    path = results.write(f"ntm_copy_{options.controller}", command, found, **start(options.controller))
    learned = [r for r in found if r["converged"]]
    print(f"{len(learned)} of {len(found)} learned; median {statistics.median(r['sequences'] for r in found):,.0f} sequences, "
          f"{statistics.median(r['seconds'] for r in found):.0f} s; under 1 % wrong at 120: "
          f"{sum(r['wrong_bits_percent']['120'] < 1 for r in found)}\n{path.name}")


if __name__ == "__main__":
    main()
