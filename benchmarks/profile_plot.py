"""The profile as one bar a form and batch size."""

from numpymem.plotting.parts import INK, SOFT, headline, picture, styled

COLOURS = {"matrix products": "#0072B2", "exp, log, tanh": "#D55E00", "passes over the memory": "#009E73",
           "vectors and the rest": "#b6bcc4", "fresh memory": "#CC79A7", "calls": "#E0A458"}


@styled
def profile(result):
    """Stacked bars, each as long as its step: kernels and NumPy of a batch size share a scale."""
    batches = list(dict.fromkeys(row["batch"] for row in result["rows"]))
    figure = picture(9.0, 1.1 + 1.45 * len(batches))
    height = figure.get_figheight()
    grid = figure.subplots(len(batches), 1, squeeze=False)[:, 0]
    figure.subplots_adjust(left=0.95 / 9, right=1 - 0.85 / 9, top=1 - 0.95 / height, bottom=0.6 / height, hspace=0.5)
    for batch, axes in zip(batches, grid):
        bars(axes, [row for row in result["rows"] if row["batch"] == batch])
        axes.set_title(f"batch {batch}", loc="left", fontsize=9, pad=3)
    grid[-1].set_xlabel("processor time of a training step, ms")
    handles = [grid[0].barh([0], [0], color=colour, label=name) for name, colour in COLOURS.items()]
    figure.legend(handles=handles, loc="upper left", bbox_to_anchor=(0.1 / 9, 1 - 0.47 / height), ncols=len(COLOURS), fontsize=8,
                  handlelength=1, columnspacing=1.2)
    headline(figure, "Where an NTM training step spends its time", "copy task, T = 41, memory 128 x 20, LSTM of 100, float32")
    return figure


def bars(axes, rows):
    """The parts of each row one after the other; a part below zero has no length."""
    longest = max(row["ms"] for row in rows)
    for at, row in enumerate(rows):
        left = 0.0
        for name, ms in row["parts"].items():
            ms = max(ms, 0)
            axes.barh(at, ms, left=left, color=COLOURS[name], height=0.72)
            if ms > 0.045 * longest:
                axes.text(left + ms / 2, at, f"{100 * ms / row['ms']:.0f} %", ha="center", va="center", fontsize=8, color="white"
                          if name != "vectors and the rest" else INK)
            left += ms
        axes.annotate(f"{row['ms']:.3g} ms", (left, at), (4, 0), textcoords="offset points", va="center", fontsize=8, color=SOFT)
    axes.set_yticks(range(len(rows)), [row["form"] for row in rows], color=INK)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlim(0, 1.02 * longest)
    axes.tick_params(axis="y", length=0)
