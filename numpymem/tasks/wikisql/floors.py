"""What can be had without a network: floors for the WikiSQL tasks.

    python -m numpymem.tasks.wikisql.floors            all of them on the real data, in about a minute

Each function returns the percentage of right answers.
"""


import numpy as np

from numpymem.cli import Parser, whole
from numpymem.data import sql
from numpymem.data.babi import SOURCES
from numpymem.tasks.wikisql.aggregate import WikiSQLAgg, WikiSQLNumber
from numpymem.tasks.wikisql.match import Names, whole_names
from numpymem.tasks.wikisql.select import WikiSQLSelect

BUCKETS = 2 ** 18        # of hashed words and word pairs


def majority(task, part="test"):
    """Always the class that training has most often; a task whose answers are classes."""
    right = answers(task, "train")
    return percent(answers(task, part) == np.bincount(right).argmax())


def first_column(task, part="test"):
    """Always the first column; a task with `tables`."""
    return percent([task.questions[row].query.sel == 0 for row in task.parts[part]])


def named_column(task, part="test"):
    """The column whose whole name the question has first (see `match`), or the first column where it has none."""
    found = []
    for row in task.parts[part]:
        question = task.questions[row]
        named = whole_names(question.words, Names(task.names[question.table_id]))
        found.append((named[0][2] if named else 0) == question.query.sel)
    return percent(found)


def answered(task, part="test"):
    """Right queries that have an answer: no floor, but where both have none a wrong query has the same answer as the right one."""
    asked = (task.questions[row] for row in task.parts[part])
    return percent([sql.has_answer(question.query, task.tables[question.table_id]) for question in asked])


def linear(task, W, part="test"):
    """Softmax regression on hashed words and pairs of neighbours of the question (no header); W from `linear_weights`."""
    told = features(task, task.parts[part])
    said = np.concatenate([W[told[i : i + 1000]].sum(axis=1).argmax(axis=-1) for i in range(0, len(told), 1000)])
    return percent(said == answers(task, part))


def linear_weights(task, seed=0, epochs=6, rate=0.03, batch=64):
    """(BUCKETS, n_outputs) weights, trained with AdaGrad (Duchi et al. 2011) on the training part; row 0 stays zero."""
    rng = np.random.default_rng(seed)
    told, right = features(task, task.parts["train"]), answers(task, "train")
    W = np.zeros((BUCKETS, task.n_outputs), dtype=np.float32)
    squares = np.full_like(W, 1e-8)
    for _ in range(epochs):
        order = rng.permutation(len(told))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            rows = told[chosen]                                   # (B, F)
            logits = W[rows].sum(axis=1)
            p = np.exp(logits - logits.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(chosen)), right[chosen]] -= 1         # (B, C): the gradient of every feature of a question
            used, where = np.unique(rows, return_inverse=True)
            d = np.zeros((len(used), task.n_outputs), dtype=np.float32)
            np.add.at(d, where.reshape(-1), np.repeat(p / len(chosen), rows.shape[1], axis=0))
            d[used == 0] = 0
            squares[used] += d * d
            W[used] -= rate * d / np.sqrt(squares[used])
    return W


def features(task, rows):
    """(N, F) int64 buckets of the words and the pairs of neighbours of these questions; 0 = none."""
    words = task._words[rows].astype(np.int64)
    pairs = np.where(words[:, 1:] > 0, words[:, :-1] * 1_000_003 + words[:, 1:] * 7919, 0)
    found = np.concatenate([words * 31, pairs], axis=1)
    return np.where(found > 0, 1 + found % (BUCKETS - 1), 0)


def answers(task, part):
    """(N,) the right classes of a part, in the order of `parts`."""
    return task.classes[task.parts[part]]


def percent(right):
    return 100.0 * float(np.mean(right))


def main(arguments=None):
    """Print all floors."""
    parser = Parser(prog="python -m numpymem.tasks.wikisql.floors", description="Floors of the WikiSQL tasks")
    parser.add_argument("--source", default="auto", choices=SOURCES, help="real, generated or auto")
    parser.add_argument("--seed", type=whole(0), default=0)
    parser.add_argument("--epochs", type=whole(1), default=6)
    chosen = parser.parse_args(arguments)
    for kind in (WikiSQLAgg, WikiSQLNumber):
        task = kind(source=chosen.source)
        print(task.origin)
        W = linear_weights(task, chosen.seed, chosen.epochs)
        for part in ("valid", "dev", "test"):
            print(f"  {task.name}, {part}: majority {majority(task, part):.1f} %, linear {linear(task, W, part):.1f} % "
                  f"(seed {chosen.seed}, {chosen.epochs} epochs)")
    task = WikiSQLSelect(source=chosen.source)
    print(task.origin)
    for part in ("valid", "test"):
        print(f"  {task.name}, {part}: majority {majority(task, part):.1f} %, first column {first_column(task, part):.1f} %, "
              f"first named column {named_column(task, part):.1f} %; queries with an answer {answered(task, part):.1f} %")


if __name__ == "__main__":
    main()
