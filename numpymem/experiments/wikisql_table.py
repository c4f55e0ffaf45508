"""The README's table of parts of WikiSQL queries and of whole ones, from the committed results.

    python -m numpymem.experiments.wikisql_table

Beside each figure stands on which questions it was measured: published figures are of the official dev part with its whole tables,
which could not be had; ours of fold 9 are of tables of the official training part that no training question is about. The minutes
are those of a training, the median over the seeds, on one core.
"""

import statistics

from numpymem.experiments import ablations, results

HEAD = "| WikiSQL, right answers, % | measured here | floor, the same questions | published, official dev | command |"
FOLD, SCRATCH = "fold 9", "from scratch, 7.6 M parameters"
PARTS, QUERY = "mt_wikisql_parts", "mt_query"
LINES = (       # result, group, figure, what it is, its floor, what is published
    (PARTS, "aggregation", "wrong_percent/dev", "aggregation, official dev", "linear 87.9", f"88.4, {SCRATCH}"),
    (PARTS, "aggregation", "wrong_percent/test", "aggregation, official test", "", ""),
    (PARTS, "number", "wrong_percent/dev", "number of conditions, official dev", "linear 86.4", ""),
    (PARTS, "number", "wrong_percent/test", "number of conditions, official test", "", ""),
    (PARTS, "number, spelt", "wrong_percent/dev", "the same with words spelt in 3-grams, official dev", "", ""),
    (PARTS, "column", "wrong_percent", f"column, {FOLD}", "first column named 80.2", f"74.0, {SCRATCH}"),
    (QUERY, "header", "right_percent/logical form", f"whole query, logical form, {FOLD}", "", f"48.4, {SCRATCH}"),
    (QUERY, "header", "right_percent/execution", f"whole query, execution, {FOLD}", "", f"56.0, {SCRATCH}"),
    (QUERY, "header and cells", "right_percent/logical form", f"whole query, logical form, cells told, {FOLD}", "",
     "62.0, with cells (Wang 2017)"),
    (QUERY, "header and cells", "right_percent/execution", f"whole query, execution, cells told, {FOLD}", "",
     "67.1, with cells (Wang 2017)"),
)


def markdown():
    """The table, with the lines for which there are results."""
    made = [HEAD, "|---|---|---|---|---|"]
    for name, group, figure, what, floor, published in LINES:
        found = results.read(name) if name in results.names() else {"runs": []}
        right = right_answers(found, group, figure)
        if right:
            seeds = f"{len(right)} seed" + "s" * (len(right) > 1)
            minutes = statistics.median(run["seconds"] for run in found["runs"] if run["group"] == group) / 60
            source = f"`report {name}`, {seeds}, {minutes:.1f} min"
            made.append(f"| {what} | {ablations.told(right)} | {floor} | {published} | {source} |")
    return "\n".join(made)


def right_answers(found, group, figure):
    """{seed: right answers in percent} of a group that has one task."""
    tasks = {run["task"] for run in found["runs"] if run["group"] == group}
    values = {seed: value for task in tasks for seed, value in ablations.errors(found, group, task, figure).items()}
    return {seed: 100 - value if figure.startswith("wrong") else value for seed, value in values.items()}


if __name__ == "__main__":
    print(markdown())
