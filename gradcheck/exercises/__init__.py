"""The exercises of the chapters: a statement, three hints, and a teacher who looks at the answer (base.py).

    from gradcheck.exercises.chapter02 import content
    content                                    # what is asked
    content.hint()                             # a little help; then more; then nearly all
    content.grade([0.5, 0.25])                 # right or not, and if not, what it looks like
"""

from gradcheck.exercises.base import Exercise, Mistake, all_of, one_of, right_backward, same_forward, same_numbers

__all__ = ["Exercise", "Mistake", "all_of", "one_of", "right_backward", "same_forward", "same_numbers"]
