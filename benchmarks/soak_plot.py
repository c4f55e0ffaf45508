"""Norms of the gradient over a million sequences: one panel for each recipe of soak.py."""

import numpy as np

from numpymem.plotting.parts import COLOURS, READ, SOFT, WRONG, headline, picture, styled


@styled
def picture_of(result):
    """A figure from what soak.py writes: the norm's quantiles of each 10,000 sequences, and below them the loss."""
    runs = result["runs"]
    width, height = 0.7 + 3.1 * len(runs), 5.6
    figure = picture(width, height)
    axes = figure.subplots(2, len(runs), squeeze=False, sharex=True, sharey="row", height_ratios=(2, 1))
    for number, run in enumerate(runs):
        draw_norms(axes[0, number], run, result["quantiles"])
        draw_loss(axes[1, number], run)
    axes[0, 0].set_ylabel("norm of the gradient")
    axes[1, 0].set_ylabel("bits a sequence")
    axes[0, -1].legend(*axes[0, 0].get_legend_handles_labels(), fontsize=7, loc="upper right")
    headline(figure, "A million sequences: what the gradient's norm does",
             f"NTM on copy, of each {result['every']:,} sequences the quantiles of the norm before clipping, and the mean loss",
             left=0.65)
    figure.subplots_adjust(left=0.65 / width, right=1 - 0.15 / width, top=1 - 1.05 / height, bottom=0.5 / height, wspace=0.08,
                           hspace=0.08)
    return figure


def draw_norms(axes, run, quantiles):
    at = [line["sequences"] / 1000 for line in run["lines"]]
    norms = np.array([line["norms"] for line in run["lines"]]).reshape(-1, len(quantiles))
    found = dict(zip(quantiles, norms.T))
    axes.fill_between(at, found[0.01], found[0.99], color=READ, alpha=0.15, linewidth=0, label="1 % to 99 %")
    axes.fill_between(at, found[0.25], found[0.75], color=READ, alpha=0.35, linewidth=0, label="25 % to 75 %")
    axes.plot(at, found[0.5], color=READ, label="median")
    axes.plot(at, found[1.0], color=WRONG, linewidth=0.7, label="largest")
    recipe = run["recipe"]
    if recipe["clip"] and recipe.get("clip_by", "norm") == "norm":
        axes.axhline(recipe["clip"], color=SOFT, linewidth=0.8, linestyle=":", label="limit")
    axes.set_yscale("log")
    axes.set_title(f"{run['name']}: {recipe['optimizer']}, lr {recipe['lr']:g}", loc="left")


def draw_loss(axes, run):
    axes.plot([line["sequences"] / 1000 for line in run["lines"]], [line["loss"] for line in run["lines"]], color=COLOURS["NTM"],
              linewidth=1)
    axes.set_yscale("log")
    axes.set_xlabel("thousand sequences")
