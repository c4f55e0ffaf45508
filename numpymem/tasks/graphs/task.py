"""What the graph tasks share: lessons, batches, and how answers are counted."""

import numpy as np

from numpymem.initial import check_at_least
from numpymem.tasks.bits import check_sequence_form
from numpymem.tasks.graphs.labels import BASE, FLAGS, PARTS, Question, as_batch, random_labels
from numpymem.tasks.graphs.random_graphs import part_of
from numpymem.tasks.lessons import Lessons, drawn

EVALUATION_BATCH = 50
TRIES = 1000                                      # graphs drawn until one has a question of the kind wanted


class NothingToAsk(ValueError):
    """No graph was found in which something of the length wanted can be asked."""


class GraphTask(Lessons):
    """A graph is told triple by triple, then something is asked about it; all labels are new in every episode.

    Each task has its own `name`, its TABLES of lessons, `draw_graph(rng, **size)` and `ask(rng, graph, length)`; `length_name` is
    the entry of a lesson that says how long the path is that is asked about, or how many steps the relation has.

    lessons   the name of a table, or a list of dicts
    lesson    with which one to begin, from 1
    passing   percent of whole answers that must be right to pass a lesson (the paper's 90)
    digits    digits of a label
    planning  blank steps between the query and the answer
    raises    ValueError for a wrong argument

    An answer counts as right if every digit of every triple of it is: wrong_percent is the share of the others.
    """

    loss, unit, forms = "digits", "error %", ("sequence",)
    length_name = "path"
    fixed_edges = False                           # the labels of edges, too, are new in every episode

    def __init__(self, form="sequence", lessons="small", lesson=1, passing=90.0, digits=2, planning=0):
        check_sequence_form(self.name, form)
        check_at_least("digits", digits, 1)
        check_at_least("planning", planning, 0)
        self.set_lessons(lessons, lesson, passing, self.TABLES, tuple(self.TABLES["small"][0]))
        self.form, self.digits, self.planning = form, digits, planning
        self.n_outputs = PARTS * digits * BASE
        self.n_inputs = self.n_outputs + FLAGS
        table = lessons if isinstance(lessons, str) else "own"
        self.origin = f"{self.name}: random graphs told in triples, {len(self.lessons)} lessons ({table}), made on the spot"

    def sample(self, rng, batch_size, lesson=None):
        """A Batch of questions of one lesson (None: drawn, see Lessons)."""
        check_at_least("batch_size", batch_size, 1)
        lesson = self.draw_lesson(rng) if lesson is None else lesson
        return self.batch(rng, [self.question(rng, lesson) for _ in range(batch_size)])

    def batch(self, rng, questions):
        """Questions with fresh random labels -> Batch."""
        labels = [random_labels(rng, q.nodes, q.edges, self.digits, self.fixed_edges) for q in questions]
        return as_batch(questions, labels, self.digits, self.planning)

    def question(self, rng, lesson):
        """A Question of a lesson."""
        size = dict(self.lessons[lesson - 1])
        length = drawn(rng, size.pop(self.length_name))
        return self.first(rng, lambda: self.draw_graph(rng, **size), length)

    def about(self, rng, whole, length, nodes=None):
        """A Question about a given Graph, or about a random connected part of it with so many nodes."""
        return self.first(rng, lambda: whole if nodes is None else part_of(rng, whole, nodes), length)

    def first(self, rng, make, length):
        """A Question about the first graph that has one."""
        for _ in range(TRIES):
            graph = make()
            found = self.ask(rng, graph, length)
            if found is not None:
                query, answer = map(np.asarray, found)
                return Question(rng.permutation(graph.triples), query, answer, graph.nodes, graph.edges, graph.names)
        raise NothingToAsk(f"{self.name}: expected graphs in which something of length {length} can be asked, received none "
                           f"in {TRIES}: take larger graphs or shorter lengths")

    def evaluation(self, rng, count, lesson=None):
        """Yield (Batch, questions in it): `count` of the current lesson, or of another one."""
        lesson = self.lesson if lesson is None else lesson
        return self.batches(rng, count, lambda: self.question(rng, lesson))

    def batches(self, rng, count, ask, size=EVALUATION_BATCH):
        """Yield (Batch, questions in it), `count` in all, at most `size` at a time, made by `ask`."""
        check_at_least("count", count, 1)
        for start in range(0, count, size):
            n = min(size, count - start)
            yield self.batch(rng, [ask() for _ in range(n)]), n

    def count_wrong(self, outputs, batch):
        """Answers in which not all is right, and answers: two whole numbers."""
        said = outputs.reshape(*batch.targets.shape, BASE).argmax(-1)                              # (T, B, 3 digits)
        wrong = (said != batch.targets).any(-1) & (batch.mask > 0)                                 # (T, B)
        return int(wrong.any(0).sum()), wrong.shape[1]
