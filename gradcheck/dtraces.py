"""A model's backward fills a dict `dtrace` with gradients on the way, for plots. Each must be one that the chain check has judged.

For every name of a model's dtrace the table says which nodes of the same pass it must equal, in the order of time.
"""

import numpy as np

from gradcheck.recording import recorded, upstream

INTO, OUT = "into", "out of"
NODES = {      # model -> name in dtrace -> places (direction, equation, symbol), whichever of them the pass has
    "NTM": {"h": [(INTO, "LSTM", "h"), (INTO, "tanh", "y")], "pre": [(OUT, "LSTM", "gates"), (OUT, "tanh", "x")],
            "raw": [(OUT, "NTM-step", "raw")], "r": [(INTO, "NTM-step", "r")], "w": [(INTO, "NTM-step", "w")],
            "M": [(INTO, "NTM-step", "M")]},
    "DNC": {"h": [(INTO, "LSTM", "h"), (INTO, "tanh", "y")], "pre": [(OUT, "LSTM", "gates"), (OUT, "tanh", "x")],
            "raw": [(OUT, "DNC-step", "raw")], **{name: [(INTO, "DNC-step", name)] for name in ("r", "w_r", "w_w", "u", "L", "M")}},
    "LSTM": {"h": [(INTO, "LSTM", "h")], "pre": [(OUT, "LSTM", "gates")]},
    "DMN": {"m": [(INTO, "DMN-memory", "m"), (INTO, "GRU", "h")], "c": [(OUT, "DMN-memory", "c")],
            "g": [(INTO, "DMN-gates", "g"), (INTO, "DMN-episodic-gates", "g")], "logits": [(INTO, "DMN-answer", "logits")],
            "f": [(INTO, "DMN-fusion", "f")], "e": [(INTO, "MemN2N-encode", "m")]},
    "MemN2N": {"m": [(OUT, "MemN2N-hop", "m")], "c": [(OUT, "MemN2N-hop", "c")], "o": [(INTO, "MemN2N-hop", "o")],
               "p": [(OUT, "MemN2N-2", "p")], "logits": [(INTO, "MemN2N-3", "logits")],
               "u": [(INTO, "relu", "y"), (INTO, "MemN2N-4", "u_next"), (INTO, "MemN2N-layer-wise", "u_next")]},
    "Hybrid": {},                                                   # see `_of_hybrid`
    "MemoryTransformer": {},                                        # see `_of_transformer`
}
INNER = ("MemN2N-2",)          # stands inside the hop; outside it is computed once more, for dtrace alone
TABLES = {"MemN2N": {"memories": "MemN2N-memories"}}               # all tables at once, side by side in the last axis but one


def dtrace_problems(model, params, trace, d_outputs):
    """Run a model's backward with a `dtrace` -> the entries that are not the gradients they are called, as text."""
    dtrace = {}
    with recorded("backward") as calls:
        model.backward(params, trace, d_outputs.copy(), dtrace=dtrace)
    wanted = {name: _first(calls, places) for name, places in NODES[type(model).__name__].items()}
    if type(model).__name__ == "MemoryTransformer":
        wanted, dtrace = _of_transformer(model, calls, params, trace, dtrace)
    if type(model).__name__ == "Hybrid":
        wanted, dtrace = _of_hybrid(calls, dtrace)
    for name, id in TABLES.get(type(model).__name__, {}).items():
        (together,) = [call.arguments[0] for call in calls if call.equation.id == id]
        wanted[name] = list(np.moveaxis(together, -2, 0))
    if type(model).__name__ == "MemN2N":                 # u^1 is the query's code: one more than there are updates
        query = [call for call in calls if call.equation.id == "MemN2N-encode" and call.parent is None][-1]
        wanted["u"] = [query.arguments[0][:, 0], *wanted["u"]]
    return [f"{name}[{t}]" for name, values in wanted.items() for t, value in enumerate(values)
            if not _same(_flat(dtrace.get(name, [])), t, value, len(values))]


def _of_transformer(model, calls, params, trace, dtrace):
    """What the dtrace must hold, and the dtrace, both as rows. Which layer norm is which its gain says. Items that are not there
    are in no node."""
    layer_norms = [(call.arguments[-1], upstream(call)["y"]) for call in calls if call.equation.id == "layer-norm"]
    norms = {name: [dy for gain, dy in layer_norms if gain is params[name]] for name in ("d_g", "e_g")}
    logits = [upstream(call)["y"] for call in calls if call.equation.id == "linear" and call.parent is None][0]
    wanted = {"z": norms["d_g"], "x_q": norms["e_g"][-1:], "x": norms["e_g"][:-1], "logits": [logits],
              "M": [upstream(call)["M"][-1] for call in calls if call.equation.id == "MT-write"],
              "h": [upstream(call)["h"] for call in calls if call.equation.id == "MT-items"][-1:] or norms["e_g"][:-1]}
    found = {**dtrace, "logits": [dtrace["logits"][0].swapaxes(0, 1)[..., :logits.shape[-1]]]}
    told, memory = trace["told"], model.config.memory
    if memory == "attention":                                       # h are the words of all segments
        B, (_, L, d) = len(told.question), trace["x"].shape
        found["h"] = [dtrace["h"][0].reshape(B, -1, L, d)[told.row_story, told.segment]]
    elif memory != "none":
        (items,) = wanted["h"]
        found["h"] = [np.zeros((items.shape[0] * items.shape[1], items.shape[2]))]
        found["h"][0][told.place] = dtrace["h"][0][told.story, told.number]
    return tuple({name: rows(values) for name, values in each.items()} for each in (wanted, found))


def rows(values):
    """Each value as rows of its last axis: `_flat` takes it as it is."""
    return [value.reshape(-1, value.shape[-1]) for value in values]


def _of_hybrid(calls, dtrace):
    """Its two parents', and its own. All of z is what goes into the NTM's output layer, the sum over the questions what the fact
    memory's tables are handed, and u^1 what the question's code is."""
    wanted, found = {}, dict(dtrace)
    top = [call for call in calls if call.parent is None]
    if "memories" in dtrace:
        hops = {name: _first(calls, places) for name, places in NODES["MemN2N"].items() if name != "logits"}
        (query,) = [upstream(call)["m"] for call in top if call.equation.id == "MemN2N-encode"]              # (B, Q, d)
        B, Q, _ = query.shape
        for name, values in hops.items():                            # question by question, all as rows
            K = len(values) // Q
            for q in range(Q):
                first = [query[:, q]] if name == "u" else []
                wanted[f"{name} {q}"] = rows([*first, *values[q * K:(q + 1) * K]])
                found[f"{name} {q}"] = rows(dtrace[name][q])
        (wanted["memories"],) = [[call.arguments[0]] for call in top if call.equation.id == "MemN2N-memories"]
        (logits,) = [upstream(call)["logits"] for call in top if call.equation.id == "MemN2N-3"]
        wanted["logits"] = [logits.reshape(B, Q, -1).swapaxes(0, 1)]
    inside = dtrace.get("ntm", {})
    if inside:
        wanted |= {f"ntm {name}": _first(calls, places) for name, places in NODES["NTM"].items()}
        found |= {f"ntm {name}": value for name, value in inside.items()}
        into = [call for id in ("dropout", "linear") for call in top if call.equation.id == id]
        wanted["z"] = [upstream(into[0])["y"].reshape(dtrace["z"].shape)]
    return wanted, found


def _first(calls, places):
    """The values at the first of the places that has any; a backward pass meets the last step first."""
    for direction, id, symbol in places:
        found = [_symbol(call, direction, symbol) for call in reversed(calls)
                 if call.equation.id == id and (call.parent is None) == (id not in INNER) and not (id == "tanh" and call.t is None)]
        if found:
            return found
    return []


def _symbol(call, direction, symbol):
    if direction == INTO:
        return upstream(call)[symbol]
    return call.outputs[call.equation.differentiable.index(symbol)]


def _flat(values):
    """The entries of a dtrace value one by one: a list, an array, or, for stacked layers, a list of arrays over time."""
    if isinstance(values, np.ndarray):
        return [values]
    return [step for value in values for step in (value if np.ndim(value) == 3 and _over_time(values) else [value])]


def _over_time(values):
    return all(isinstance(value, np.ndarray) and value.ndim == 3 and len(value) > len(values) for value in values)


def _same(found, t, value, length):
    return len(found) == length and np.array_equal(found[t], value)
