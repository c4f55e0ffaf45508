"""The graph tasks, each against a solver that sees the inputs alone (graph_solvers.py), and the graphs that they are tested on."""

import math

import numpy as np
import pytest
from graph_solvers import all_shortest, episode, label, relatives, walk
from hypothesis import given, settings
from hypothesis import strategies as st

from numpymem.experiments.measure import evaluate_run
from numpymem.experiments.measure_dnc import final_graph
from numpymem.lstm import LSTM, LSTMConfig
from numpymem.tasks.graphs import underground, victoria
from numpymem.tasks.graphs.family import Family
from numpymem.tasks.graphs.labels import Labels, Question, as_batch, read
from numpymem.tasks.graphs.random_graphs import Graph, part_of, random_graph
from numpymem.tasks.graphs.relations import DAUGHTER, FATHER, LENGTHS, MOTHER, NAMES, SON, people_of, random_family, related
from numpymem.tasks.graphs.shortest_path import ShortestPath, shortest
from numpymem.tasks.graphs.task import NothingToAsk
from numpymem.tasks.graphs.traversal import PAPER, Traversal
from numpymem.training import Recipe, Training
from numpymem.training.loss import loss_and_gradient

TASKS = (Traversal, ShortestPath, Family)
SEEDS = st.integers(0, 2 ** 32 - 1)


def answers(batch, b, digits):
    """The triples wanted, by the mask."""
    wanted = batch.targets[batch.mask[:, b] > 0, b].reshape(-1, 3, digits)
    return [tuple(int("".join(map(str, part))) for part in triple) for triple in wanted]


def solved(task, batch, b):
    """(description, query, what a solver answers) of one episode."""
    described, query, plan, steps = episode(batch.inputs[:, b].tolist(), task.digits)
    assert plan == task.planning and (batch.mask[:, b] > 0).tolist() == [False] * (len(batch.mask) - steps) + [True] * steps
    if task.name == "traversal":
        return described, query, walk(described, query)
    [(who, edge, other)] = query
    if task.name == "shortest-path":
        assert edge is None
        [only] = all_shortest(described, who, other)                              # there is no other
        return described, query, only
    assert other is None
    [found] = relatives(described)(who, NAMES[edge])
    return described, query, [(who, edge, found)]


@pytest.mark.parametrize("kind", TASKS)
@settings(max_examples=30)
@given(seed=SEEDS, lesson=st.integers(1, 8), digits=st.integers(2, 3), planning=st.integers(0, 2))
def test_a_solver_makes_no_error(kind, seed, lesson, digits, planning):
    task = kind(digits=digits, planning=planning)
    batch = task.sample(np.random.default_rng(seed), 3, lesson)
    for b in range(3):
        described, query, said = solved(task, batch, b)
        assert answers(batch, b, digits) == said
        [(least, most)] = [pair for name, pair in task.lessons[lesson - 1].items() if name in ("path", "steps")]
        assert least <= (LENGTHS[query[0][1]] if kind is Family else len(said)) <= most
    assert not batch.targets[batch.mask == 0].any()


@pytest.mark.parametrize("lesson", [1, 7, 14])
def test_traversals_of_the_papers_size(lesson):
    task = Traversal(lessons="paper", digits=3)
    size = task.lessons[lesson - 1]
    batch = task.sample(np.random.default_rng(lesson), 8, lesson)
    assert batch.inputs.shape[2] == 93 and batch.targets.shape[2] == 9
    for b in range(8):
        described, _, said = solved(task, batch, b)
        assert answers(batch, b, 3) == said
        nodes = {triple[0] for triple in described}
        assert size["nodes"][0] <= len(nodes) <= size["nodes"][1] and size["path"][0] <= len(said) <= size["path"][1]
        degrees = [sum(triple[0] == node for triple in described) for node in nodes]
        assert max(degrees) <= size["out_degree"][1] and min(degrees) >= min(size["out_degree"][0], len(nodes) - 1)
    assert len(PAPER) == 14 and PAPER[0] == {"nodes": (3, 10), "out_degree": (2, 4), "path": (1, 1)}
    assert PAPER[-1] == {"nodes": (10, 40), "out_degree": (2, 6), "path": (1, 20)}


@pytest.mark.parametrize("kind", TASKS)
def test_labels_are_unique_in_an_episode_and_new_in_each(kind):
    task, rng = kind(), np.random.default_rng(1)
    seen = set()
    for _ in range(400):
        question = task.question(rng, 5)
        batch = task.batch(rng, [question])
        described = episode(batch.inputs[:, 0].tolist(), 2)[0]
        pairs = {pair for told, triple in zip(described, question.triples.tolist())
                 for pair in ((told[0], f"node {triple[0]}"), (told[1], f"edge {triple[1]}"), (told[2], f"node {triple[2]}"))}
        assert len({label for label, _ in pairs}) == len({name for _, name in pairs}) == len(pairs)      # one to one
        seen |= {label for label, name in pairs if name.startswith("node")}
    assert seen == set(range(len(NAMES) if kind is Family else 0, 100))
    assert kind is not Family or {told[1] for told in described} <= {FATHER, MOTHER, SON, DAUGHTER}      # these are always the same


def test_a_batch_by_hand():
    question = Question(np.array([[0, 0, 1], [1, 1, 0]]), np.array([[1, 1, -1]]), np.array([[1, 1, 0]]), 2, 2)
    longer = question._replace(triples=np.array([[0, 0, 1], [1, 1, 0], [1, 0, 0]]))
    inputs, targets, mask = as_batch([question, longer], [Labels([31, 4], [50, 9]), Labels([1, 2], [3, 4])], 2, planning=1)
    assert inputs.shape == (6, 2, 63) and not inputs[0, 0].any()                  # the shorter one starts with a blank step
    ones = [np.flatnonzero(row).tolist() for row in inputs[:, 0]]
    assert ones == [[], [3, 11, 25, 30, 40, 54], [0, 14, 20, 39, 43, 51], [0, 14, 20, 39, 60], [61], [62]]
    assert targets[:, 0].tolist() == [[0] * 6] * 5 + [[0, 4, 0, 9, 3, 1]] and mask.tolist() == [[0, 0]] * 5 + [[1, 1]]
    assert label(inputs[0, 1, :20].tolist()) == 1 and targets[5, 1].tolist() == [0, 2, 0, 4, 0, 1]
    logits = np.zeros((1, 60))
    logits[0, [0, 14, 20, 39, 43, 51]] = 1
    assert read(logits, 2).tolist() == [[4, 9, 31]]


@pytest.mark.parametrize("kind", TASKS)
def test_an_answer_is_right_only_as_a_whole(kind):
    task = kind()
    [(batch, n)] = task.evaluation(np.random.default_rng(2), 5, lesson=4)
    T, B, G = batch.targets.shape
    perfect = np.eye(10)[batch.targets].reshape(T, B, 10 * G)
    assert n == B == 5 and task.count_wrong(perfect, batch) == (0, 5)
    assert task.count_wrong(np.where(batch.mask[..., None] > 0, perfect, -perfect), batch) == (0, 5)     # elsewhere nothing counts
    for digit in (0, G - 1):
        one_wrong = perfect.copy()
        one_wrong[-1, 3, 10 * digit:10 * digit + 10] = np.eye(10)[(batch.targets[-1, 3, digit] + 1) % 10]
        assert task.count_wrong(one_wrong, batch) == (1, 5)


def test_the_loss_of_digits_is_a_softmax_for_each():
    rng = np.random.default_rng(3)
    batch = Traversal().sample(rng, 2, 3)
    batch = batch._replace(mask=batch.mask.astype(np.float64))
    T, B, G = batch.targets.shape
    logits = rng.standard_normal((T, B, 10 * G))
    p = np.exp(logits.reshape(T, B, G, 10))
    p /= p.sum(-1, keepdims=True)
    nats = sum(-math.log(p[t, b, g, batch.targets[t, b, g]]) for t, b, g in np.ndindex(T, B, G) if batch.mask[t, b])
    gradient = (p - np.eye(10)[batch.targets]) * batch.mask[..., None, None] / (batch.mask.sum() * G)
    loss, d_logits = loss_and_gradient("digits", logits, batch)
    assert loss == pytest.approx(nats, rel=1e-12)
    np.testing.assert_allclose(d_logits, gradient.reshape(T, B, 10 * G), rtol=0, atol=1e-14)


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_repeats_with_its_seed(kind):
    one, same, other = (kind().sample(np.random.default_rng(seed), 4, 2) for seed in (3, 3, 4))
    assert all(np.array_equal(*pair) for pair in zip(one, same))
    assert one.inputs.shape != other.inputs.shape or not np.array_equal(one.inputs, other.inputs)
    assert [n for _, n in kind().evaluation(np.random.default_rng(0), 120)] == [50, 50, 20]


# ---- random graphs --------------------------------------------------------------------------------------------------------

def test_random_graphs_join_nearest_neighbours():
    """Of 3 nodes with one edge each two point at each other, as the closest pair of points does."""
    for seed in range(50):
        graph = random_graph(np.random.default_rng(seed), (3, 3), (1, 1))
        to = {source: destination for source, _, destination in graph.triples.tolist()}
        assert any(to[to[node]] == node for node in to) and all(node != other for node, other in to.items())


def test_the_shortest_paths_are_counted_with_their_edges():
    """0 -> 1 -> 3 and 0 -> 2 -> 3, and two kinds of edges from 3 to 4."""
    graph = Graph(5, 2, np.array([[0, 0, 1], [0, 1, 2], [1, 0, 3], [2, 0, 3], [3, 0, 4], [3, 1, 4]]))
    apart, ways = shortest(graph, 2)
    assert apart[0].tolist() == [0, 1, 1, 2, -1] and ways[0].tolist()[:4] == [1, 1, 1, 2]
    apart, ways = shortest(graph, 3)
    assert apart[0, 4] == 3 and ways[0, 4] == 4 and apart[4].tolist() == [-1, -1, -1, -1, 0]
    with pytest.raises(NothingToAsk, match="shortest-path: .* of length 3 .* received none"):
        ShortestPath().about(np.random.default_rng(0), graph, 3)


@given(seed=SEEDS, nodes=st.integers(1, 20))
def test_a_part_of_a_graph_is_connected_and_keeps_all_edges_inside(seed, nodes):
    whole = underground.graph()
    part = part_of(np.random.default_rng(seed), whole, nodes)
    assert part.nodes == nodes == len(set(part.names))
    edges = {(part.names[a], kind, part.names[b]) for a, kind, b in part.triples.tolist()}
    assert edges == {(whole.names[a], kind, whole.names[b]) for a, kind, b in whole.triples.tolist()
                     if {whole.names[a], whole.names[b]} <= set(part.names)}
    reached = {part.names[0]}
    for _ in range(nodes):
        reached |= {b for a, _, b in edges if a in reached}
    assert reached == set(part.names)


@given(seed=SEEDS, people=st.integers(3, 25))
def test_random_families_are_families(seed, people):
    family = random_family(np.random.default_rng(seed), (people, people))
    assert family.nodes == people == len({node for source, _, other in family.triples.tolist() for node in (source, other)})
    for who, person in enumerate(people_of(family)):
        assert len(person.father) == len(person.mother) <= 1 and max(person.father | person.mother | {-1}) < who
        assert len(person.son | person.daughter) <= 4 and not person.son & person.daughter
    men, women = ({b for _, kind, b in family.triples.tolist() if kind in kinds} for kinds in ((FATHER, SON), (MOTHER, DAUGHTER)))
    assert not men & women


def test_every_relation_is_asked_about():
    task, rng = Family(), np.random.default_rng(4)
    asked = [NAMES[int(task.question(rng, 9).query[0, 1])] for _ in range(600)]
    assert set(asked) == set(NAMES)


# ---- graphs to test on ----------------------------------------------------------------------------------------------------

def test_the_underground_is_one_network_in_which_no_station_has_two_edges_of_a_kind():
    graph = underground.graph()
    assert graph.nodes == 66 and len(graph.triples) == 2 * sum(len(order) - 1 for order in underground.LINES.values()) == 260
    assert {name for order in underground.LINES.values() for name in order} == set(underground.STATIONS)
    assert len({(source, kind) for source, kind, _ in graph.triples.tolist()}) == len(graph.triples)
    backwards = {(there, kind ^ 1, here) for here, kind, there in graph.triples.tolist()}
    assert backwards == {tuple(triple) for triple in graph.triples.tolist()}
    for line, order in underground.LINES.items():                                 # no two neighbours are farther than any are
        for here, there in zip(order, order[1:]):
            (west, north), (west2, north2) = underground.POSITIONS[here], underground.POSITIONS[there]
            assert 0.2 < math.hypot((west - west2) * 69.2, (north - north2) * 111.2) < 2.1, (line, here, there)


@pytest.mark.parametrize("kind", (Traversal, ShortestPath))
def test_questions_about_the_underground_have_right_answers(kind):
    task, rng = kind(), np.random.default_rng(5)
    for length, stations in ((1, None), (4, None), (4, 12)):
        question = task.underground(rng, length, stations)
        batch = task.batch(rng, [question])
        assert solved(task, batch, 0)[2] == answers(batch, 0, 2) and len(question.answer) == length
        for here, _, there in question.answer:
            assert any((question.names[here], question.names[there]) in {*zip(order, order[1:]), *zip(order[1:], order)}
                       for order in underground.LINES.values())


@pytest.mark.parametrize("who, relation, others", [
    ("Elizabeth II", "paternal grandfather", {"George V"}), ("Elizabeth II", "paternal uncle", {"Edward VIII"}),
    ("Philip", "maternal grandmother", {"Victoria of Hesse"}), ("Philip", "maternal great-aunt", {"Alix"}),
    ("Philip", "maternal uncle", {"Louis Mountbatten"}), ("Wilhelm II", "sister", {"Sophia"}),
    ("Wilhelm II", "maternal aunt", {"Alice", "Beatrice"}), ("George V", "paternal cousin",
     {"Wilhelm II", "Sophia", "Ernest Louis", "Victoria of Hesse", "Alix", "Victoria Eugenie"}),
    ("Olav V", "maternal cousin", {"Edward VIII", "George VI", "Princess Mary"}), ("Alexei", "brother", set()),
    ("Queen Victoria", "great-grandson", {"George II", "Alexander", "Paul", "Edward VIII", "George VI", "Olav V",
                                          "Louis Mountbatten", "Alexei", "Juan"}), ("Alexandra", "mother", set())])
def test_queen_victorias_family(who, relation, others):
    found = related(people_of(victoria.graph()), victoria.PEOPLE.index(who), relation)
    assert {victoria.PEOPLE[person] for person in found} == others


def test_questions_about_the_royal_family_have_right_answers():
    task, rng = Family(), np.random.default_rng(6)
    for steps, people in ((1, None), (4, None), (3, 20)):
        question = task.royal(rng, steps, people)
        batch = task.batch(rng, [question])
        assert solved(task, batch, 0)[2] == answers(batch, 0, 2) and LENGTHS[question.query[0, 1]] == steps


# ---- measured, and wrong arguments ----------------------------------------------------------------------------------------

def test_how_a_graph_task_is_measured():
    task = Family(lessons=[{"people": (3, 4), "steps": (1, 1)}, {"people": (4, 5), "steps": (1, 2)}])
    training = Training(LSTM(LSTMConfig(task.n_inputs, task.n_outputs, size=4)), task, Recipe(batch=2), 0)
    lines = evaluate_run(training, count=3)["lines"]
    assert [(line["on"], line["at"]) for line in lines] == [("lesson", 1), ("lesson", 2)] + [
        (f"royal family, {size}", steps) for size in ("20 people", "all") for steps in (1, 2, 3, 4)]
    assert all(0 <= line["right_percent"] <= 100 and line["sequences"] == 3 for line in lines)
    training.history = [{"lesson": 1, "passed": True, "sequences": 40, "seconds": 2.0}, {"lesson": 2, "passed": False}]
    figures = final_graph(training, 0, count=2)
    assert figures["passed_sequences"] == {"1": 40} and figures["passed_seconds"] == {"1": 2.0} and figures["lessons_passed"] == 1
    assert set(figures["lesson_right_percent"]) == {"1", "2"} and set(figures["royal_family_all_right_percent"]) == set("1234")


def test_a_path_that_is_nowhere_is_left_out():
    task = ShortestPath(lessons=[{"nodes": (3, 4), "out_degree": (2, 2), "path": (1, 1)}])
    training = Training(LSTM(LSTMConfig(task.n_inputs, task.n_outputs, size=4)), task, Recipe(batch=2), 0)
    lines = evaluate_run(training, count=1)["lines"]
    assert ("Underground, all", 7) in {(line["on"], line["at"]) for line in lines}
    assert ("Underground, 10 stations", 4) in {(line["on"], line["at"]) for line in lines}


@pytest.mark.parametrize("call, message", [
    (lambda: Family(form="story"), "form: expected 'sequence', received 'story': family is not told"),
    (lambda: Traversal(digits=0), "digits: .* at least 1, received 0"),
    (lambda: Traversal(planning=-1), "planning: .* at least 0, received -1"),
    (lambda: Traversal(digits=1).sample(np.random.default_rng(0), 1, 9), "digits: expected labels .* received 1, which makes 10"),
    (lambda: Traversal().sample(np.random.default_rng(0), 0), "batch_size: .* at least 1, received 0"),
    (lambda: next(Traversal().evaluation(np.random.default_rng(0), 0)), "count: .* at least 1, received 0"),
    (lambda: Family().royal(np.random.default_rng(0), 0), "length: .* at least 1, received 0")])
def test_wrong_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
