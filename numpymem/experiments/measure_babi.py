"""What a training on bAbI has reached: errors in percent on training, validation and all test questions.

The paper takes the best of ten runs by training error, so that is measured too; `train_bits`, bits a training question, decide
where several runs have no training error at all.
"""

from threadpoolctl import threadpool_limits

from numpymem.tasks.babi import PARTS
from numpymem.training.loss import evaluate


def single(training):
    """A training on one task -> a JSON-able dict: train_error_percent, valid_error_percent, test_error_percent, train_bits, and
    questions, how many of the test."""
    return named(errors(training, *training.task.numbers))


def joint(training):
    """A training on several tasks -> as `single` over all questions, with the test error of each task {number: ..}."""
    by_task = {str(number): errors(training, number) for number in training.task.numbers}
    return named(together(list(by_task.values()))) | {"test_error_percent": {task: each["test"] for task, each in by_task.items()}}


def named(found):
    """What `errors` and `together` find, as the figures of a result."""
    return {**{f"{part}_error_percent": found[part] for part in PARTS}, "train_bits": found["train_bits"],
            "questions": found["questions"]["test"]}


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
