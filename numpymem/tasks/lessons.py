"""A curriculum: a task in lessons, from easy to hard (Graves et al. 2016, Nature, Methods).

Training draws from the current lesson, and one batch in ten from an earlier one, so that these are not forgotten. After each
evaluation the training loop asks whether the lesson is passed; then the next one begins. When the last one is passed, training
has converged.
"""

from numpymem.initial import check_at_least, check_choice

REVIEW = 0.1                                      # share of the batches from earlier lessons


class Lessons:
    """What a task with a curriculum has, beside `name`, `sample` and the rest.

    lessons   a list of dicts: what is drawn in each lesson, in the task's own words
    lesson    the number of the current one, from 1
    passing   percent of right answers with which a lesson is passed
    """

    def set_lessons(self, lessons, lesson, passing, tables, names):
        """Take in the settings of a curriculum.

        lessons  the name of one of `tables`, or a list of dicts with these `names`, each a pair (least, most)
        raises   ValueError
        """
        if not isinstance(lessons, list):
            check_choice("lessons", lessons, tables)
            lessons = tables[lessons]
        if not lessons or not all(isinstance(each, dict) and set(each) == set(names) for each in lessons):
            raise ValueError(f"lessons: expected one of {', '.join(tables)} or a list of dicts with {', '.join(names)}, received "
                             f"{lessons!r}")
        for each in lessons:
            for name, pair in each.items():
                check_range(f"lessons: {name}", pair)
        check_at_least("lesson", lesson, 1)
        if lesson > len(lessons):
            raise ValueError(f"lesson: expected at most {len(lessons)}, received {lesson}")
        if isinstance(passing, bool) or not isinstance(passing, (int, float)) or not 0 < passing <= 100:
            raise ValueError(f"passing: expected a percentage above 0, received {passing!r}")
        self.lessons, self.lesson, self.passing = lessons, lesson, float(passing)

    def draw_lesson(self, rng):
        """The number of the lesson that a batch is drawn from: the current one, sometimes an earlier one."""
        if self.lesson > 1 and rng.random() < REVIEW:
            return int(rng.integers(1, self.lesson))
        return self.lesson

    def is_passed(self, wrong_percent):
        """Whether an evaluation with so many wrong answers passes the current lesson."""
        return 100 - wrong_percent >= self.passing


def check_range(name, pair):
    """A clear error for what should be (least, most), two whole numbers."""
    if not isinstance(pair, (list, tuple)) or len(pair) != 2:
        raise ValueError(f"{name}: expected a pair (least, most), received {pair!r}")
    check_at_least(name, pair[0], 1)
    check_at_least(name, pair[1], pair[0])


def drawn(rng, pair):
    """A whole number of (least, most), uniform."""
    return int(rng.integers(pair[0], pair[1] + 1))


def between(first, last, count):
    """`count` lessons from the first to the last one, in even steps: every number is rounded to the nearest whole one."""
    return [{name: tuple(round(low + (high - low) * step / (count - 1)) for low, high in zip(first[name], last[name]))
             for name in first} for step in range(count)]
