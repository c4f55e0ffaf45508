"""The growth figures: log-log small multiples, a row a model, a column a size, with the slopes."""

from benchmarks.growth_report import TOLERATED
from numpymem.plotting.parts import COLOURS, INK, SOFT, WRONG, headline, picture, styled

COLUMNS = (("T", "sentences"), ("N", "words", "size"), ("W", "d"), ("batch",))        # which sizes share a column
MODEL_COLOURS = {"ntm-lstm": COLOURS["NTM"], "ntm-feedforward": "#56B4E9", "memn2n": COLOURS["MemN2N"], "lstm": COLOURS["LSTM"]}
FORMS = {"kernels": {"marker": "o"}, "numpy": {"marker": "s", "linestyle": "--", "markerfacecolor": "white"}}
TITLES = {"ms": ("Time of a training step", "ms"), "peak_mib": ("Peak memory of a training step", "MiB")}


@styled
def growth(result, measured):
    """measured  "ms" or "peak_mib"."""
    models = list(dict.fromkeys(row["model"] for row in result["rows"]))
    figure = picture(9.0, 1.0 + 1.5 * len(models))
    height = figure.get_figheight()
    grid = figure.subplots(len(models), len(COLUMNS), squeeze=False)
    figure.subplots_adjust(left=0.75 / 9, right=1 - 0.2 / 9, top=1 - 0.85 / height, bottom=0.45 / height, hspace=0.55, wspace=0.28)
    for model, line in zip(models, grid):
        for names, axes in zip(COLUMNS, line):
            panel(axes, [row for row in result["rows"] if row["model"] == model and row["axis"] in names], measured)
        line[0].set_ylabel(f"{model}\n{TITLES[measured][1]}", color=MODEL_COLOURS.get(model, INK), weight="bold")
    headline(figure, TITLES[measured][0], "solid: kernels, dashed: plain NumPy; grey: as steep as the mathematics; numbers: slope "
             "over the upper half")
    return figure


def panel(axes, rows, measured):
    """One size of one model: each form's curve, its slope, and the slope that it should have."""
    if not rows:
        axes.set_axis_off()
        return
    for row in rows:
        colour = MODEL_COLOURS.get(row["model"], INK)
        axes.loglog(row["values"], row[measured], color=colour, markersize=3.5, linewidth=1.2, **FORMS[row["form"]])
    first = rows[-1]
    low, high = min(min(row[measured]) for row in rows), max(max(row[measured]) for row in rows)
    end = first[measured][-1]
    steep = [end * (value / first["values"][-1]) ** first["expected"] for value in first["values"]]
    axes.loglog(first["values"], steep, color="#c3c8ce", linewidth=3, zorder=0)
    axes.set_ylim(low / 1.8, high * 1.8)
    axes.set_title(first["axis"], loc="left", fontsize=9, pad=3)
    for number, row in enumerate(rows):
        found = row[f"{measured}_slope"]
        colour = WRONG if found > row["expected"] + TOLERATED else SOFT
        axes.text(0.97 if number else 0.03, 0.03 if number else 0.84, f"{row['form']} {found:.2f}", fontsize=8, color=colour,
                  ha="right" if number else "left", transform=axes.transAxes)
    axes.minorticks_off()
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.set_xticks(first["values"] if len(first["values"]) < 6 and first["values"][-1] < 10_000 else first["values"][::2])
