"""Recipes by name: those of the NTM paper (Graves et al. 2014, tables 1 to 3), `--set recipe=paper`, and a small one to try changes
with, `--set recipe=small`.

The paper's ask for a million sequences, one at a time; those of recipes.py are ours and faster. A recipe here is the list of
NAME=VALUE texts that a user would have to type, so that a further --set still changes each of them.

Where the paper leaves something open: the loss of a sequence is summed, not averaged, over its bits before the gradient is clipped;
the start values of memory, weights and reads are learned ("bias values", section 3); the two-layer controller of 2 x 100 units for
the sort is one layer of 200 here, as our controller has one layer.
"""

from numpymem.received import shown

TRAINING = ("optimizer=rmsprop", "batch=1", "double_every=0", "clip=10", "clip_by=element", "scale=sum", "halve_every=0",
            "stop_below=0", "settle=0", "sequences=1000000", "eval_every=10000", "eval_count=1000")
MEMORY = ("N=128", "W=20", "shifts=3", "N_training=0", "initial_memory=learned", "initial_weights=learned", "initial_read=learned",
          "initial_heads=neutral")

# Copying one to six vectors: seconds with kernels, half a minute as NumPy after an edit. Three seeds of three converge, after
# 1,600 to 2,400 sequences (python -m numpymem train ntm copy --set recipe=small; --seed 1 and 2).
SMALL_COPY = ("controller=feedforward", "max_length=6", "N=16", "batch=1", "lr=0.003", "beta2=0.98", "stop_below=0.05", "settle=0",
              "eval_count=100")
SMALL = {("ntm", "copy"): (*SMALL_COPY, "sequences=4000", "eval_every=200")}

NTM = {                                           # task -> controller -> heads of each kind, controller size, learning rate
    "copy": {"feedforward": (1, 100, 1e-4), "lstm": (1, 100, 1e-4)},
    "repeat-copy": {"feedforward": (1, 100, 1e-4), "lstm": (1, 100, 1e-4)},
    "recall": {"feedforward": (4, 256, 1e-4), "lstm": (1, 100, 1e-4)},
    "ngrams": {"feedforward": (1, 100, 3e-5), "lstm": (1, 100, 3e-5)},
    "sort": {"feedforward": (8, 512, 3e-5), "lstm": (5, 200, 3e-5)},
}
LSTM = {                                          # task -> size of each of three layers, learning rate
    "copy": (256, 3e-5), "repeat-copy": (512, 3e-5), "recall": (256, 1e-4), "ngrams": (128, 1e-4), "sort": (128, 3e-5),
}


def expand(settings, model, task, controller=None):
    """NAME=VALUE texts in which `recipe=...` is replaced by what it stands for; what else was set comes after it and wins.

    controller  of an NTM (None: lstm)
    raises      ValueError for another recipe, or a pair that it is not for
    """
    named = [text.partition("=")[2] for text in settings if text.partition("=")[0] == "recipe"]
    if not named:
        return settings
    if named[-1] not in ("paper", "small"):
        raise ValueError(f"--set recipe: expected 'paper' or 'small' (or nothing, for ours), received {shown(named[-1])}")
    stands_for = paper(model, task, controller or "lstm") if named[-1] == "paper" else small(model, task)
    return [*stands_for, *(text for text in settings if text.partition("=")[0] != "recipe")]


def small(model, task):
    """The settings of a small training, as NAME=VALUE texts."""
    if (model, task) not in SMALL:
        raise ValueError(f"--set recipe=small: expected {' or '.join(map(' on '.join, SMALL))}, received {model} on {task}")
    return list(SMALL[model, task])


def paper(model, task, controller):
    """The paper's settings for a pair, as NAME=VALUE texts."""
    if task not in NTM or model not in ("ntm", "lstm"):
        raise ValueError(f"--set recipe=paper: expected ntm or lstm on one of {', '.join(NTM)}, received {model} on {task}")
    if model == "lstm":
        size, lr = LSTM[task]
        return [*TRAINING, f"lr={lr}", "layers=3", f"size={size}"]
    if controller not in NTM[task]:
        raise ValueError(f"controller: expected one of {', '.join(NTM[task])}, received {shown(controller)}")
    heads, size, lr = NTM[task][controller]
    return [*TRAINING, *MEMORY, f"lr={lr}", f"read_heads={heads}", f"write_heads={heads}", f"controller_size={size}"]
