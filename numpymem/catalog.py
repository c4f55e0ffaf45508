"""What can be trained: the models, the tasks, and how a pair is made. The one place that knows both models and tasks.

To add a model or a task, add a line to MODELS or TASKS; to tune a pair, add a line to recipes.py.
"""

import dataclasses
import importlib
import inspect
import json
import math

from numpymem.received import shown
from numpymem.recipes import RECIPES, SETTINGS, TASK_SETTINGS
from numpymem.training.recipe import Recipe

MODELS = {                                        # name -> (module, class, config class, one line)
    "ntm": ("numpymem.ntm", "NTM", "NTMConfig", "Neural Turing Machine (Graves et al. 2014)"),
    "dnc": ("numpymem.dnc", "DNC", "DNCConfig", "Differentiable Neural Computer (Graves et al. 2016)"),
    "memn2n": ("numpymem.memn2n", "MemN2N", "MemN2NConfig", "End-to-End Memory Network (Sukhbaatar et al. 2015)"),
    "dmn": ("numpymem.dmn", "DMN", "DMNConfig", "Dynamic Memory Network, DMN+ (Xiong et al. 2016; Kumar et al. 2015)"),
    "memory-transformer": ("numpymem.memory_transformer", "MemoryTransformer", "MemoryTransformerConfig",
                           "Transformer with an NTM's memory (numpymem's own proposal)"),
    "hybrid": ("numpymem.hybrid", "Hybrid", "HybridConfig", "an NTM and a MemN2N as one model (numpymem's own proposal)"),
    "lstm": ("numpymem.lstm", "LSTM", "LSTMConfig", "LSTM baseline, no memory but its cells"),
}
TASKS = {                                         # name -> (module, class, fixed arguments, one line)
    "copy": ("numpymem.tasks.copy", "Copy", {}, "copy a sequence of 8-bit vectors, lengths 1-20"),
    "repeat-copy": ("numpymem.tasks.repeat_copy", "RepeatCopy", {}, "copy a sequence 1-10 times, then an end marker"),
    "recall": ("numpymem.tasks.recall", "Recall", {}, "associative recall: which item came after this one? 2-6 items"),
    "ngrams": ("numpymem.tasks.ngrams", "NGrams", {}, "dynamic 6-grams: predict the next of 200 bits"),
    "sort": ("numpymem.tasks.priority_sort", "PrioritySort", {}, "the 16 of 20 vectors with the highest priority, in order"),
    "series-copy": ("numpymem.tasks.series_copy", "SeriesCopy", {}, "1-10 copies in a row, which may be forgotten one by one"),
    "traversal": ("numpymem.tasks.graphs.traversal", "Traversal", {}, "follow a list of edges through a graph; 9 lessons"),
    "shortest-path": ("numpymem.tasks.graphs.shortest_path", "ShortestPath", {}, "the shortest path in a graph; 8 lessons"),
    "family": ("numpymem.tasks.graphs.family", "Family", {}, "who is whose great-aunt? questions on family trees; 9 lessons"),
    "segmented-copy": ("numpymem.tasks.segments.copy", "SegmentedCopy", {}, "copy 3 segments of 6 symbols, seen one at a time"),
    "segment-recall": ("numpymem.tasks.segments.recall", "SegmentRecall", {}, "the value of a key: 4-8 pairs, one a segment"),
    "rewritten-keys": ("numpymem.tasks.segments.rewritten", "RewrittenKeys", {}, "latest value of a key: 6-12 writes of 4 keys"),
    "segment-traversal": ("numpymem.tasks.segments.traversal", "SegmentTraversal", {}, "walk 1-4 edges of a graph told by edges"),
    "made-facts": ("numpymem.tasks.segments.facts", "MadeFacts", {}, "a made-up knowledge base of 16 facts, questions of 1-2 hops"),
    "metaqa": ("numpymem.tasks.segments.metaqa", "MetaQA", {}, "questions about films over a knowledge base, 1 or 2 hops"),
    "wikisql-agg": ("numpymem.tasks.wikisql.aggregate", "WikiSQLAgg", {}, "WikiSQL: which aggregation a question asks for"),
    "wikisql-number": ("numpymem.tasks.wikisql.aggregate", "WikiSQLNumber", {}, "WikiSQL: how many conditions a question has"),
    "wikisql-select": ("numpymem.tasks.wikisql.select", "WikiSQLSelect", {"streamed": True},
                       "WikiSQL: which column is asked for; columns told one by one"),
    "wikisql-select-flat": ("numpymem.tasks.wikisql.select", "WikiSQLSelect", {"streamed": False},
                            "WikiSQL: which column is asked for; question and columns side by side"),
    "wikisql-query": ("numpymem.tasks.wikisql.query", "WikiSQLQuery", {}, "WikiSQL: the whole query, with pointers"),
    **{f"babi{n}": ("numpymem.tasks.babi", "Babi", {"number": n}, f"bAbI question answering, task {n}") for n in range(1, 21)},
    "babi-joint": ("numpymem.tasks.babi_joint", "BabiJoint", {}, "bAbI question answering, all twenty tasks at once"),
}
FORMS = {"sequence": "sequences", "story": "stories and questions", "segments": "segments and questions",
         "stream": "stories told step by step, and questions"}
ALIASES = {"qa": "babi1", "path-finding": "babi19"}


def model_class(name):
    """The class of a model. Raises ValueError for an unknown name."""
    if name not in MODELS:
        raise ValueError(f"MODEL: expected one of {', '.join(MODELS)}, received {shown(name)}")
    module, model, config, _ = MODELS[name]
    module = importlib.import_module(module)
    return getattr(module, model), getattr(module, config)


def task_class(name):
    """The class of a task and the arguments that its name fixes. Raises ValueError for an unknown name."""
    name = ALIASES.get(name, name)
    if name not in TASKS:
        raise ValueError(f"TASK: expected one of {', '.join(kinds())}, {', '.join(ALIASES)}, received {shown(name)}")
    module, task, fixed, _ = TASKS[name]
    return getattr(importlib.import_module(module), task), fixed


def make_task(name, form, **settings):
    """A task in the form that a model takes. Raises ValueError for an unknown name or setting."""
    task, fixed = task_class(name)
    return task(form=form, **fixed, **settings)


def task_arguments(name):
    """What can be set of a task: name -> default."""
    task, fixed = task_class(name)
    return {argument.name: argument.default for argument in inspect.signature(task).parameters.values()
            if argument.name != "form" and argument.name not in fixed}


def kinds():
    """The tasks, with the twenty of bAbI as one: what is said of a task in lists."""
    return [*(name for name in TASKS if not name.startswith("babi")), "babi1 ... babi20", "babi-joint"]


def takes(model, task):
    """Whether a model can be trained on a task: only if the task has the form that the model reads."""
    return model_class(model)[0].form in task_class(task)[0].forms


def check_pair(model, task):
    """Raise ValueError if a model cannot take a task."""
    if not takes(model, task):
        able = ", ".join(name for name in MODELS if takes(name, task))
        raise ValueError(f"MODEL: expected one of {able} for {task}, received {model}, which reads "
                         f"{FORMS[model_class(model)[0].form]}")


def make_model(name, task, **settings):
    """A model sized for a task; `settings` are fields of its config."""
    cls, config = model_class(name)
    sizes = {"n_outputs": task.n_outputs}
    if cls.form == "sequence":
        sizes["n_inputs"] = task.n_inputs
    elif cls.form == "segments":
        sizes |= {"n_words": task.n_inputs, "n_marks": task.n_marks, "pointers": task.pointers}
        sizes["N"] = max(-(-5 * task.n_items // 4), 4)           # a quarter more slots than items
    else:
        sizes |= {"n_words": task.n_inputs, "max_sentence_words": task.max_sentence_words}
        if cls.form == "stream":
            sizes["n_inputs"] = task.n_channels
        if hasattr(task, "longest_story") and "memory_size" in config.__dataclass_fields__:
            sizes["memory_size"] = task.longest_story        # as in the authors' code: as many slots as a story needs
    return cls(config(**(sizes | settings)))


def settings_of(model, task, controller=None):
    """(model settings, recipe) with which `train` starts on a pair: defaults that converge."""
    return dict(entry(SETTINGS, model, task, controller) or {}), entry(RECIPES, model, task, controller) or Recipe()


def entry(table, model, task, controller=None):
    """The line of RECIPES, SETTINGS or TASK_SETTINGS for a pair, or None. The twenty bAbI tasks share the line "babi"; without a
    line of its own "babi-joint" takes it, too."""
    task = ALIASES.get(task, task)
    kinds = ("babi-joint", "babi") if task == "babi-joint" else ("babi",) if task.startswith("babi") else (task,)
    names = [(name, kind) for kind in kinds for name in (f"{model}-{controller}", model)]
    return next((table[name] for name in names if name in table), None)


def apply_settings(pairs, model, task_name, model_settings, recipe, controller=None):
    """Put NAME=VALUE texts where they belong: a field of the model's config, of the recipe, or an argument of the task.

    Returns (model settings, recipe, task settings). Raises ValueError naming the setting.
    """
    _, config = model_class(model)
    config_fields = {field.name: field for field in dataclasses.fields(config)}
    recipe_fields = {field.name for field in dataclasses.fields(Recipe)}
    task_fields = task_arguments(task_name)
    task_settings = dict(entry(TASK_SETTINGS, model, task_name) or {})
    model_settings, recipe_settings = dict(model_settings), {}
    if controller is not None:
        pairs = [*pairs, f"controller={controller}"]
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals:
            raise ValueError(f"--set: expected NAME=VALUE, received {shown(pair)}")
        value = read_value(text)
        if name in recipe_fields:
            recipe_settings[name] = like(name, value, getattr(recipe, name))
        elif name in config_fields:
            model_settings[name] = value
        elif name in task_fields:
            task_settings[name] = value
        else:
            raise ValueError(f"--set: expected one of {', '.join([*recipe_fields, *config_fields, *task_fields])}, "
                             f"received {shown(name)}")
    return model_settings, dataclasses.replace(recipe, **recipe_settings), task_settings


def read_value(text):
    """'3' -> 3, 'true' -> True, 'one-hot' -> 'one-hot', '0.1' -> 0.1."""
    try:
        return json.loads(text.lower() if text.lower() in ("true", "false") else text)
    except (ValueError, RecursionError):
        return text


def like(name, value, default):
    """`value` if it is of the default's kind, else a ValueError."""
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if isinstance(default, str):
        fits = isinstance(value, str)
    elif isinstance(default, float):
        fits = number
    else:
        fits = number and math.isfinite(value) and value == int(value)
    if not fits:
        raise ValueError(f"--set {name}: expected a value like {default!r}, received {shown(value)}")
    return type(default)(value)
