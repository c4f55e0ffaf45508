"""What a training on bAbI has reached: errors in percent on training, validation and all test questions.

The paper takes the best of ten runs by training error, so that is measured too; `train_bits`, bits a training question, decide
where several runs have no training error at all.
"""

from threadpoolctl import threadpool_limits

from numpymem.tasks.babi import PARTS
from numpymem.training.loss import evaluate


def single(training):
    """A Training on one task -> a JSON-able dict: task, seed, seconds, data; train, valid, test (error in percent),
    train_bits, questions (how many of each part)."""
    [number] = training.task.numbers
    found = errors(training, number)
    return {"task": number, **facts(training), **found}


def joint(training):
    """A Training on several tasks at once -> as `single`, over all questions; `mean`, the mean of the tasks' test errors as it
    stands in the paper's table; and `by_task`, which has for each task number (as text) what `single` has for one task."""
    by_task = {str(number): errors(training, number) for number in training.task.numbers}
    found = together(list(by_task.values()))
    mean = sum(each["test"] for each in by_task.values()) / len(by_task)
    return {"task": training.task.name, **facts(training), **found, "mean": mean, "by_task": by_task}


def facts(training):
    return {"seed": training.seed, "seconds": round(training.seconds, 1), "trained_on": training.done,
            "data": training.task.origin}


def errors(training, number):
    """Errors on the three parts of one task."""
    task = training.task
    with threadpool_limits(1, "blas"):
        found = {part: evaluate(training.model, training.params, task, task.evaluation(None, None, part, number))
                 for part in PARTS}
    return {**{part: found[part]["wrong_percent"] for part in PARTS}, "train_bits": found["train"]["bits_per_sequence"],
            "questions": {part: found[part]["sequences"] for part in PARTS}}


def together(found):
    """The same over all questions of several tasks: each task counts by its number of questions."""
    questions = {part: sum(each["questions"][part] for each in found) for part in PARTS}
    values = {name: sum(each[name] * each["questions"][part] for each in found) / max(questions[part], 1)
              for name, part in (*((part, part) for part in PARTS), ("train_bits", "train"))}
    return {**values, "questions": questions}
