"""Generated bAbI-like data for all twenty tasks, for use without the real files.

The worlds, phrases and proportions follow measurements on release 1.2 (Weston et al. 2015, arXiv:1502.05698);
the code is our own.  A world keeps two states apart: what is true, and what the *reader* can derive from the
text told so far.  A question is asked only if the reader can answer it, and carries the supporting facts.

Differences from the released files, on purpose, all towards cleaner data:
- task 5: no wrong labels (24 of 12,000 questions there point at an earlier gift than the latest that fits);
- task 10: the two rooms of "either ... or" always differ (in 1 of 6 such statements there they do not);
- task 16: all of a kind have one colour (in 34 % of the stories there some kind has two, and in 7.5 % the kind asked
  for; the answer is then the colour of the one whose kind was told last);
- task 19: no two rooms share a place on the grid.
And not on purpose: in tasks 15, 18 and 19 the supporting facts lie a little later in the story than in the release,
and in task 18 a story repeats its questions less often (17 % of the questions are the one before again; there 24 %).
"""

import numpy as np

from . import carrying, claims, groups, motives, rules, sizes, space, times
from .story import Story

WORLDS = {
    1: carrying.where_is_actor,
    2: carrying.where_is_object,
    3: carrying.where_was_object,
    4: space.two_arg_relations,
    5: carrying.who_gave_what,
    6: carrying.is_actor_there,
    7: carrying.how_many_objects,
    8: carrying.what_is_carried,
    9: claims.simple_negation,
    10: claims.indefinite_knowledge,
    11: groups.basic_coreference,
    12: groups.conjunction,
    13: groups.compound_coreference,
    14: times.time_reasoning,
    15: rules.basic_deduction,
    16: rules.basic_induction,
    17: space.positional_reasoning,
    18: sizes.size_reasoning,
    19: space.path_finding,
    20: motives.agents_motivations,
}


def generate(task, n_questions, rng):
    """Stories in the bAbI file format.

    task         1 to 20
    n_questions  how many questions, >= 1; the last story ends with the last question
    rng          np.random.Generator; the same state gives the same text
    returns      str, to be read by `numpymem.data.babi_format.parse`
    raises       ValueError for a task that is not one of the twenty or n_questions < 1
    """
    if task not in WORLDS:
        raise ValueError(f"task: expected a number from 1 to 20, received {task!r}")
    if n_questions < 1:
        raise ValueError(f"n_questions: expected at least 1, received {n_questions!r}")
    lines, asked = [], 0
    while asked < n_questions:
        story = Story()
        WORLDS[task](story, rng)
        kept, count = story.until_question(n_questions - asked)
        lines += kept
        asked += count
    return "\n".join(lines) + "\n"


def generator(task, part):
    """The fixed random generator of a generated file: part 0 is the training file, 1 the test file."""
    return np.random.default_rng([task, part])
