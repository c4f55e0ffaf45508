"""The profile as one bar for each batch size and form, all of the same length: shares of the step."""

from numpymem.plotting.parts import INK, SOFT, headline, picture, styled

COLOURS = {"matrix products": "#0072B2", "exp, log, tanh": "#D55E00", "passes over the memory": "#009E73",
           "vectors and the rest": "#b6bcc4", "fresh memory": "#CC79A7", "calls": "#E0A458"}
HATCHES = {"exp, log, tanh": "////", "fresh memory": "....", "calls": "\\\\"}                # told apart in grey, too
GAP = 0.45                                        # between two batch sizes, in bars


@styled
def profile(result):
    """Stacked bars, each 100 % of its step, with the milliseconds at the end."""
    rows = result["rows"]
    batches = list(dict.fromkeys(row["batch"] for row in rows))
    places = [at + GAP * batches.index(row["batch"]) for at, row in enumerate(rows)]
    figure = picture(9.0, 1.45 + 0.42 * (places[-1] + 1))
    height = figure.get_figheight()
    axes = figure.add_axes([1.45 / 9, 0.5 / height, 1 - 2.35 / 9, 1 - 1.35 / height])
    for at, row in zip(places, rows):
        bar(axes, at, row)
    axes.set_yticks(places, [f"batch {row['batch']}  {row['form']}" for row in rows], color=INK)
    axes.set_ylim(places[-1] + 0.5, -0.5)
    axes.set_xlim(0, 100)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("share of the processor time of a training step, %")
    handles = [axes.barh([0], [0], color=colour, label=name, **hatched(name)) for name, colour in COLOURS.items()]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.1 / 9, 1 - 0.5 / height), ncols=len(COLOURS), fontsize=8,
                  handlelength=1, columnspacing=1.2)
    headline(figure, "Where an NTM training step spends its time", "copy task, T = 41, memory 128 x 20, LSTM of 100, float32; "
             "right: the whole step")
    return figure


def hatched(name):
    """White lines over the colour of some parts."""
    return {"hatch": HATCHES[name], "edgecolor": "white", "linewidth": 0} if name in HATCHES else {}


def bar(axes, at, row):
    """The parts one after the other; a part below zero (benchmarks/README.md says why there may be one) has no length."""
    shares = {name: max(ms, 0) for name, ms in row["parts"].items()}
    left, whole = 0.0, sum(shares.values())
    for name, ms in shares.items():
        share = 100 * ms / whole
        axes.barh(at, share, left=left, color=COLOURS[name], height=0.8, **hatched(name))
        if share >= 4:
            axes.text(left + share / 2, at, f"{share:.0f} %", ha="center", va="center", fontsize=8,
                      bbox={"facecolor": COLOURS[name], "edgecolor": "none", "pad": 1},
                      color=INK if name in ("vectors and the rest", "calls") else "white")
        left += share
    axes.annotate(f"{row['ms']:.3g} ms", (100, at), (6, 0), textcoords="offset points", va="center", fontsize=9, color=SOFT,
                  annotation_clip=False)
