"""The map of the Underground, the family tree, and ways marked in them."""

import numpy as np
import pytest

from numpymem import plotting
from numpymem.plotting.graphs import between_stations, generations, told, way
from numpymem.tasks.graphs import underground, victoria
from numpymem.tasks.graphs.family import Family
from numpymem.tasks.graphs.shortest_path import ShortestPath
from numpymem.tasks.graphs.traversal import Traversal

WAY = [("Baker Street", "Jubilee south", "Bond Street"), ("Bond Street", "Jubilee south", "Green Park"),
       ("Green Park", "Victoria south", "Victoria")]


def texts(figure):
    return {text.get_text() for axes in figure.axes for text in axes.texts} | {text.get_text() for text in figure.texts}


def test_the_map_shows_every_station_line_and_step_of_a_way():
    figure, plain = plotting.underground_map(WAY, "a way"), plotting.underground_map()
    assert set(underground.STATIONS) <= texts(plain)
    note = "Baker Street, Jubilee south to Green Park, Victoria south to Victoria"
    assert texts(figure) - texts(plain) == {"a way", "1", "2", "3", note}
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {line for line, *_ in underground.LINES}
    assert len(plain.axes[0].lines) == len(underground.graph().triples) / 2 and len(figure.axes[0].lines) == 130 + len(WAY)
    bold = {text.get_text() for text in figure.axes[0].texts if text.get_weight() == "bold"}
    assert bold == {"Baker Street", "Bond Street", "Green Park", "Victoria", "1", "2", "3"}


def test_no_two_lines_look_alike_in_grey_where_they_run_side_by_side_or_meet():
    """By dashes, or by how bright the colour is."""
    from matplotlib.colors import to_rgb

    from numpymem.plotting.graphs import LOOK
    bright = {line: np.dot(to_rgb(colour), (0.299, 0.587, 0.114)) for line, (colour, _) in LOOK.items()}
    tracks = between_stations()
    for name in underground.STATIONS:
        lines = {line for pair, lines in tracks.items() if name in pair for line in lines}
        for one in lines:
            for other in lines - {one}:
                assert LOOK[one][1] != LOOK[other][1] or abs(bright[one] - bright[other]) > 0.1, (one, other)


def test_lines_between_the_same_stations_lie_side_by_side():
    figure = plotting.underground_map()
    ends = {tuple(np.round(np.ravel(line.get_xydata()), 6)) for line in figure.axes[0].lines}
    assert len(ends) == len(figure.axes[0].lines)


def test_children_stand_below_their_parents_and_nobody_on_another():
    places = generations()
    assert set(places) == set(victoria.PEOPLE)
    for father, mother, sons, daughters in victoria.FAMILIES:
        assert places[father][1] == places[mother][1] and abs(places[father][0] - places[mother][0]) == pytest.approx(1)
        assert {places[child][1] for child in (*sons, *daughters)} == {places[father][1] + 1}
    for deep in {y for _, y in places.values()}:
        columns = sorted(x for x, y in places.values() if y == deep)
        assert min(np.diff(columns)) >= 1 - 1e-9


def test_the_tree_shows_everybody_and_marks_a_way():
    figure = plotting.family_tree([("Philip", "maternal great-aunt", "Alix")])
    words = {text.replace("\n", " ") for text in texts(figure)}
    assert set(victoria.PEOPLE) <= words and "Philip's maternal great-aunt: Alix" in words
    assert {text.get_text() for text in figure.axes[0].texts if text.get_weight() == "bold"} == {"Philip", "Alix"}
    on_way = way("Philip", "Alix")
    assert on_way[:3] == ["Philip", "Alice of Battenberg", "Victoria of Hesse"] and on_way[3] in ("Louis IV", "Alice")
    broad = [line for line in figure.axes[0].lines if line.get_linewidth() > 2]
    assert len(broad) == 4                                            # to Philip, his mother, her mother, and Alix


@pytest.mark.parametrize("draw, question", [
    (plotting.underground_map, lambda rng: Traversal().underground(rng, 5)),
    (plotting.underground_map, lambda rng: ShortestPath().underground(rng, 6)),
    (plotting.underground_map, lambda rng: Traversal().underground(rng, 3, 10)),
    (plotting.family_tree, lambda rng: Family().royal(rng, 4)), (plotting.family_tree, lambda rng: Family().royal(rng, 2, 15))])
def test_answers_can_be_drawn(draw, question):
    for seed in range(4):
        path = plotting.named(question(np.random.default_rng(seed)))
        figure = draw(path)
        assert path[0][0] in told(path) and {path[0][0], path[-1][2]} <= {text.replace("\n", " ") for text in texts(figure)}


def test_learning_curves_say_where_a_lesson_begins():
    history = [{"sequences": 100 * i, "seconds": i, "bits_per_sequence": 1.0, "wrong_percent": 50, "lesson": 1 + i // 3}
               for i in range(1, 7)]
    figure = plotting.curves(history, "", "error %")
    begins = [(text.get_text(), text.xy[0]) for text in figure.axes[0].texts]
    assert begins == [("lesson 1", 0), ("lesson 2", 200), ("lesson 3", 500)]
    assert "fresh episodes" in {text.get_text() for text in figure.axes[1].get_legend().get_texts()}
