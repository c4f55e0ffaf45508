"""The graphs of the graph tasks: the Underground as a map, Queen Victoria's family in generations, and a way through either.

    question = Traversal().underground(rng, 7)
    save(underground_map(named(question)), "way.png")
"""

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke

from numpymem.plotting.parts import INK, PALE, SOFT, WRITE, headline, picture, styled
from numpymem.tasks.graphs import underground, victoria
from numpymem.tasks.graphs.relations import NAMES

LOOK = {                                          # colour on the Underground's own map, dashes; dark and light for print in grey
    "Bakerloo": ("#B36305", (0, (6, 2))), "Central": ("#DC241F", "solid"), "Circle": ("#E8B800", (0, (1, 1))),
    "District": ("#00782A", (0, (5, 1, 1, 1))), "District to Edgware Road": ("#00782A", (0, (5, 1, 1, 1, 1, 1))),
    "Hammersmith & City": ("#F491A8", (0, (3, 1))), "Jubilee": ("#868F98", (0, (8, 2, 2, 2))),
    "Metropolitan": ("#9B0056", (0, (2, 1))), "Northern via Charing Cross": ("#1c1c1c", "solid"),
    "Northern via Bank": ("#1c1c1c", (0, (4, 1.5))), "Piccadilly": ("#0019A8", (0, (9, 1.2))),
    "Victoria": ("#0098D8", (0, (2, 0.7))), "Waterloo & City": ("#76C2B0", (0, (1.5, 1))),
}
APART = 0.055                                     # km between lines that run side by side on the map
KM_WEST, KM_NORTH = 69.2, 111.2                   # of a degree, in London
SIDES = {                                         # of a station at which its name has room: (right, up); others: at the right
    (-1, 1): ("Paddington", "Edgware Road (Bakerloo)", "Marylebone", "Baker Street", "Great Portland Street", "Euston Square",
              "Euston", "Temple", "Oxford Circus", "Bond Street", "Bayswater", "Victoria", "Hyde Park Corner"),
    (0, 1): ("King's Cross", "Mansion House", "Marble Arch", "Southwark", "Battersea Power Station"),
    (1, 1): ("Barbican", "Liverpool Street", "Aldgate East", "St Paul's", "Cannon Street", "High Street Kensington",
             "Gloucester Road"),
    (-1, 0): ("Aldgate", "Green Park", "Piccadilly Circus", "Lambeth North"),
    (-1, -1): ("Regent's Park", "Farringdon", "Moorgate", "Embankment", "Charing Cross"),
    (0, -1): ("Monument", "Blackfriars", "Lancaster Gate", "Queensway", "Earl's Court", "South Kensington", "Sloane Square"),
    (1, -1): ("Edgware Road", "Tower Hill", "Holborn", "Tottenham Court Road", "Notting Hill Gate", "St James's Park",
              "Westminster", "Knightsbridge", "Waterloo", "Nine Elms"),
}


def named(question):
    """The answer of a Question with names: a list of (source, kind, destination)."""
    kinds = underground.KINDS if set(question.names) <= set(underground.STATIONS) else NAMES
    return [(question.names[source], kinds[kind], question.names[other]) for source, kind, other in question.answer.tolist()]


# ---- the Underground ------------------------------------------------------------------------------------------------------

@styled
def underground_map(path=(), title="The London Underground in zone 1"):
    """Stations where they lie, lines by colour and by dashes.

    path  a way to mark, a list of (station, "Victoria south", station), numbered in its order
    """
    figure = picture(12.5, 9.2)
    axes = figure.add_axes([0.01, 0.085, 0.98, 0.855], label="map")
    places = {name: np.array([-west * KM_WEST, north * KM_NORTH]) for name, (west, north) in underground.POSITIONS.items()}
    tracks = between_stations()
    for (here, there), lines in tracks.items():
        for line in lines:
            axes.plot(*side_by_side(places, here, there, lines, line).T, color=LOOK[line][0], linestyle=LOOK[line][1],
                      linewidth=2.6, solid_capstyle="butt", dash_capstyle="butt", zorder=2)
    marked = {name for source, _, destination in path for name in (source, destination)}
    for name, place in places.items():
        meets = len({LOOK[line][0] for pair, lines in tracks.items() if name in pair for line in lines}) > 1
        axes.scatter(*place, s=46 if meets else 20, color="white", edgecolors=WRITE if name in marked else INK,
                     linewidths=2.2 if name in marked else 1.1, zorder=4)
        label(axes, name, place, name in marked)
    for number, (here, kind, there) in enumerate(path, 1):
        line = kind.rpartition(" ")[0]
        pair = (here, there) if (here, there) in tracks else (there, here)
        mark(axes, side_by_side(places, *pair, tracks[pair], line), number, reverse=pair[0] != here)
    axes.set_aspect("equal")
    axes.margins(0.04)
    axes.axis("off")
    handles = [Line2D([], [], color=colour, linestyle=dashes, linewidth=2.6, label=line) for line, (colour, dashes) in LOOK.items()]
    figure.legend(handles=handles, ncols=5, loc="lower center", fontsize=8, handlelength=4.2, bbox_to_anchor=(0.5, 0.005))
    headline(figure, title, told(path))
    return figure


def told(path):
    """A way in words, edges of the same kind in one."""
    words, last = [path[0][0]] if path else [], None
    for _, kind, destination in path:
        if kind == last:
            words.pop()
        words.append(f"{kind} to {destination}")
        last = kind
    return ", ".join(words)


def between_stations():
    """(station, next one) -> the lines between them; each pair once."""
    tracks = {}
    for (line, *_), order in underground.LINES.items():
        for here, there in zip(order, order[1:]):
            pair = (there, here) if (there, here) in tracks else (here, there)
            tracks.setdefault(pair, []).append(line)
    return tracks


def side_by_side(places, here, there, lines, line):
    """The two ends (2, 2) of a line among those that run between two stations."""
    ends = np.stack([places[here], places[there]])
    along = ends[1] - ends[0]
    across = np.array([-along[1], along[0]]) / np.hypot(*along)
    return ends + APART * (lines.index(line) - (len(lines) - 1) / 2) * across


def mark(axes, ends, number, reverse):
    """A step of a way: a broad band, an arrow's head and a number."""
    start, end = ends[::-1] if reverse else ends
    axes.plot(*ends.T, color=WRITE, alpha=0.35, linewidth=9, solid_capstyle="round", zorder=1)
    axes.annotate("", start + 0.72 * (end - start), start + 0.5 * (end - start), zorder=5,
                  arrowprops={"arrowstyle": "-|>", "color": WRITE, "linewidth": 1.5})
    axes.text(*(start + 0.4 * (end - start)), str(number), fontsize=7.5, weight="bold", color="white", ha="center", va="center",
              zorder=6, bbox={"boxstyle": "circle,pad=0.22", "facecolor": WRITE, "edgecolor": "none"})


def label(axes, name, place, marked):
    """A station's name at the side where there is room."""
    right, up = next((side for side, names in SIDES.items() if name in names), (1, 0))
    text = axes.annotate(name, place, ((5 if up else 7) * right, (7 if right == 0 else 5) * up), textcoords="offset points",
                         fontsize=7.2, zorder=5, ha={1: "left", 0: "center", -1: "right"}[right],
                         va={1: "bottom", 0: "center", -1: "top"}[up], weight="bold" if marked else "normal", color=INK)
    text.set_path_effects([withStroke(linewidth=2, foreground="white")])


# ---- the family -----------------------------------------------------------------------------------------------------------

@styled
def family_tree(path=(), title="Queen Victoria and some of her descendants"):
    """A family in generations: couples side by side, their children below them.

    path  what to mark: a list with one (person, relation, person); the people between them on the tree are marked, too
    """
    places = generations()
    wide, deep = (max(place[axis] for place in places.values()) + 1 for axis in (0, 1))
    figure = picture(0.82 * wide + 0.5, 1.0 * deep + 0.8)
    axes = figure.add_axes([0.005, 0.02, 0.99, 1 - 0.62 / figure.get_figheight() - 0.02], label="tree")
    on_way = {person for source, _, other in path for person in way(source, other)}
    for father, mother, sons, daughters in victoria.FAMILIES:
        draw_family(axes, places, (father, mother), (*sons, *daughters), on_way)
    men = {name for father, _, sons, _ in victoria.FAMILIES for name in (father, *sons)}
    ends = {name for source, _, other in path for name in (source, other)}
    for name, (x, y) in places.items():
        person(axes, x, y, name, name in men, name in on_way, name in ends)
    axes.set_xlim(-0.7, wide - 0.3)
    axes.set_ylim(deep - 0.55, -0.45)
    axes.axis("off")
    words = "; ".join(f"{source}'s {relation}: {other}" for source, relation, other in path)
    headline(figure, title, words or "square: men, round: women; double lines: married")
    return figure


def generations():
    """Person -> (column, generation). Children stand below their parents, who stand above the middle of their children's families;
    whoever married into the family stands at the right of whom she or he married."""
    families, born = {}, {child for *_, sons, daughters in victoria.FAMILIES for child in (*sons, *daughters)}
    for father, mother, sons, daughters in victoria.FAMILIES:
        one, other = (father, mother) if father in born or mother not in born else (mother, father)
        families[one] = (other, (*sons, *daughters))
    places, next_free = {}, [0.0]

    def put(name, generation):
        """Place a person and all below -> the column of the person."""
        other, children = families.get(name, (None, ()))
        next_free[0] += 0.5 * (len(children) == 1)                  # a couple is broader than its one child
        columns = [put(child, generation + 1) for child in children]
        width = 1 if other is None else 2
        middle = np.mean(columns) if columns else next_free[0] + (width - 1) / 2
        places[name] = (middle - (width - 1) / 2, generation)
        if other is not None:
            places[other] = (middle + (width - 1) / 2, generation)
        next_free[0] = max(next_free[0], middle + (width + 1) / 2)
        return middle - (width - 1) / 2

    put(victoria.FAMILIES[0][0], 0)
    return places


def way(source, other):
    """The people on a shortest way between two, from parents to children and back, both included."""
    near = {}
    for father, mother, sons, daughters in victoria.FAMILIES:
        for child in (*sons, *daughters):
            for parent in (father, mother):
                near.setdefault(child, []).append(parent)
                near.setdefault(parent, []).append(child)
    ways, waiting = {source: [source]}, [source]
    for name in waiting:                                              # grows while it is gone through
        for each in near[name]:
            if each not in ways:
                ways[each] = [*ways[name], each]
                waiting.append(each)
    return ways[other]


def draw_family(axes, places, couple, children, on_way):
    """The lines between parents and children; bold where a way goes."""
    (x, y), (x2, _) = (places[name] for name in couple)
    middle, bar = (x + x2) / 2, y + 0.5
    for shift in (-0.025, 0.025):
        axes.plot([x, x2], [y + shift, y + shift], color=SOFT, linewidth=0.9, zorder=1)
    parents_on = bool(on_way & set(couple))
    for child in (*(each for each in children if each not in on_way), *(each for each in children if each in on_way)):
        marked = parents_on and child in on_way
        look = {"color": WRITE if marked else SOFT, "linewidth": 2.4 if marked else 0.9, "zorder": 2 if marked else 1}
        end = places[child]
        axes.plot([middle, middle, end[0], end[0]], [y + 0.025, bar, bar, end[1]], solid_joinstyle="round", **look)


def person(axes, x, y, name, man, on_way, end):
    """A name in its box."""
    first, _, rest = name.partition(" of ")
    words = f"{first}\nof {rest}" if rest else name.replace(" ", "\n", 1)
    axes.text(x, y, words, ha="center", va="center", fontsize=7.2, zorder=4, weight="bold" if end else "normal",
              bbox={"boxstyle": "square,pad=0.3" if man else "round,pad=0.35,rounding_size=0.9",
                    "facecolor": "#fde3cf" if end else "white" if on_way else PALE,
                    "edgecolor": WRITE if on_way else SOFT, "linewidth": 1.8 if on_way else 0.7})
