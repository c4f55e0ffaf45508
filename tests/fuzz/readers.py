"""Everything that numpymem reads, each with good content to start from and a way to break it.

A Reader makes broken cases: case(rng, folder) -> (kind of damage, what to call, names): the error, if there is one, must hold one
of the names. All files lie in `folder`; nothing else may be written.
"""

import dataclasses
import json
import pathlib
from typing import NamedTuple

import numpy as np

from numpymem import catalog, runs
from numpymem.data import babi, babi_format, metaqa, metaqa_format, metaqa_made, wikisql, wikisql_format, wikisql_made, worlds
from numpymem.data.babi_files import read_archive
from numpymem.experiments import report, results, spec, sweep
from numpymem.received import reading
from numpymem.training import Recipe, RunFolder

from . import damage, hostile
from .damage import pick

LINE = r"line \d+|archive|checksum|questions|empty|expected one of|does not exist|expected bAbI|found none"
SMALL = ("N=8", "W=4", "controller_size=6", "max_length=3", "eval_every=4", "eval_count=2", "batch=2")


UPDATE = "the parameters from before it are kept"         # training's word on an optimizer's state that leads to no finite number


class Reader(NamedTuple):
    """name, case(rng, folder), its share of the cases, what says where in the file the mistake is, and whether only files with the
    pinned checksum are accepted, which those here have not."""
    name: str
    case: object
    share: int
    place: str = ""
    pinned: bool = False


# ---- data sets -----------------------------------------------------------------------------------------------------------

def babi_content():
    train, test = (worlds.generate(1, count, np.random.default_rng(seed)) for seed, count in ((0, 40), (1, 20)))
    return dict(zip(babi.file_names(1, "1k"), (train.encode(), test.encode())))


def wikisql_content():
    return wikisql_made.generate(seed=1, counts={"train": 8, "dev": 2, "test": 2})


def metaqa_content():
    entities, relations, facts, train, test = metaqa_made.generate(1, np.random.default_rng(0))

    def line(asked):
        words = " ".join(asked.words).replace(metaqa_format.TOPIC, f"[{entities[asked.topic]}]")
        return f"{words}\t{'|'.join(entities[answer] for answer in asked.answers)}\t{asked.kind}\n"
    return {"entities.txt": "\n".join(entities).encode() + b"\n", "relations.txt": "\n".join(relations).encode() + b"\n",
            "kb_ids.tsv": "".join("\t".join(map(str, fact)) + "\n" for fact in facts.tolist()).encode(),
            "1hop_dev.tsv": "".join(map(line, train[:60])).encode(), "1hop_test.tsv": "".join(map(line, test[:20])).encode()}


def of_files(content, subfolder, read):
    """A reader of a folder of text files, of which one is broken."""
    def case(rng, folder):
        kind, name = pick(rng, list(damage.TEXT)), pick(rng, list(content))
        files = dict(content) | {name: damage.TEXT[kind](rng, content[name])}
        place = folder / subfolder
        for file, data in files.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_bytes(data)
        return kind, lambda: read(folder), [pathlib.Path(name).name for name in content]
    return case


def of_archive(content, prefix, read):
    """A reader of an archive: hostile ones, and bytes of a good one that are broken."""
    files = {f"{prefix}{name}": data for name, data in content.items()}
    broken = {f"packed, {kind}": lambda rng, files, break_=break_: break_(rng, hostile.packed(rng, hostile.tar(files)))
              for kind, break_ in damage.BYTES.items()}
    kinds = hostile.ARCHIVES | broken

    def case(rng, folder):
        kind = pick(rng, list(kinds))
        path = folder / "data.tar.xz"
        path.write_bytes(kinds[kind](rng, files))
        return kind, lambda: read(path), [path.name, *(pathlib.Path(name).name for name in content)]
    return case


def read_babi(path):
    babi.load(1, "1k", "real", path)


def read_wikisql(path):
    """Everything, the rows of all tables, too."""
    found = wikisql.load("real", path)
    found.folds()
    return len(found.dev), len(found.test), sum(len(table.rows) for table in found.tables.values())


def read_metaqa(folder):
    """The parsers, past the checksums that `metaqa.load` sees to first."""
    content = {path.name: path.read_bytes() for path in folder.iterdir()}
    entities, relations = (metaqa_format.parse_names(content[name], name) for name in ("entities.txt", "relations.txt"))
    metaqa_format.parse_facts(content["kb_ids.tsv"], "kb_ids.tsv", len(entities), len(relations))
    numbers = {name: number for number, name in enumerate(entities)}
    for name in ("1hop_dev.tsv", "1hop_test.tsv"):
        metaqa_format.parse_questions(content[name], name, numbers)


def some_lines(data):
    """The first lines of a file, whole ones: a parser is quick with few."""
    return b"".join(data.splitlines(keepends=True)[:30])


def parsed_text(parse, content, name):
    """A parser alone, which is quick, so that many cases can be tried."""
    def case(rng, folder):
        kind = pick(rng, list(damage.TEXT))
        data = damage.TEXT[kind](rng, content)
        if kind != damage.NONE and rng.random() < 0.5:
            data = pick(rng, list(damage.TEXT.values()))(rng, data)
        return kind, lambda: parse(data, name), [name]
    return case


# ---- runs ----------------------------------------------------------------------------------------------------------------

def run_content(folder, **how):
    """{file name: bytes} of a small trained run, and its checkpoint's arrays."""
    training = runs.new_run("ntm", "copy", 0, [f"{name}={value}" for name, value in how.items()] + [*SMALL], folder)
    training.run(8, progress=False)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    with np.load(folder / "checkpoint.npz") as arrays:
        return files, dict(arrays)


def go_on(folder):
    """Open a run and train one step more."""
    runs.open_run(folder).step()


def put(files, folder):
    for name, data in files.items():
        (folder / name).write_bytes(data)


def of_checkpoint(files, arrays):
    facts = json.loads(str(arrays["facts"]))

    def changed_facts(kind):
        def change(rng, arrays, evil):
            said = json.dumps(damage.JSON[kind](rng, facts))
            return hostile.unharmed(rng, arrays | {"facts": np.array(said)}, evil)
        return change
    kinds = hostile.NPZ | {f"facts: {kind}": changed_facts(kind) for kind in damage.JSON} | {
        kind: lambda rng, arrays, evil, break_=break_: break_(rng, files["checkpoint.npz"]) for kind,
        break_ in damage.BYTES.items()}

    def case(rng, folder):
        kind = pick(rng, list(kinds))
        put(files | {"checkpoint.npz": kinds[kind](rng, arrays, folder / "unpickled")}, folder)
        return kind, lambda: go_on(folder), ["checkpoint.npz", UPDATE]
    return case


def of_json(files, name, read, names=()):
    """A reader of one JSON file in a folder with others."""
    value = json.loads(files[name].decode().splitlines()[0] if name.endswith("jsonl") else files[name])
    kinds = {**damage.JSON, **{f"bytes: {kind}": None for kind in damage.TEXT}}

    def case(rng, folder):
        kind = pick(rng, list(kinds))
        data = (damage.json_bytes(rng, damage.JSON[kind](rng, value)) if kind in damage.JSON
                else damage.TEXT[kind.partition(": ")[2]](rng, files[name]))
        put(files | {name: data + (b"\n" if name.endswith("jsonl") and rng.random() < 0.9 else b"")}, folder)
        return kind, lambda: read(folder), [name, *names]
    return case


def read_log(folder):
    RunFolder(folder).read_log(up_to=6)


def read_spec(folder):
    found = spec.read(folder / "mine.json")
    spec.describe(found.content)
    spec.jobs(found.content, folder)


def prepare_spec(folder):
    sweep.prepare(spec.read(folder / "mine.json").content, warm=False)


def read_results(folder):
    found = report.read(str(folder / "results.json"))
    with reading(folder / "results.json", "the results of a sweep"):
        report.text(found), report.panels(found)


def read_sweep(folder):
    """What a sweep that is resumed reads of its own folder."""
    asked = spec.read(folder / "mine.json")
    settings = json.loads((folder / "settings.json").read_text())
    sweep.open_folder(folder, settings, "a command")
    sweep.collect(asked, folder, spec.jobs(asked.content, folder))


def spec_content():
    return {"title": "A title", "source": "a paper", "about": "what to know", "show": ["wrong_percent"], "compare": "one",
            "groups": [{"label": "one", "model": "ntm", "task": "copy", "controller": "lstm", "seeds": 2,
                        "set": ["N=8", "lr=1e-3"]},
                       {"label": "two", "model": "memn2n", "task": ["copy", "segment-recall"], "seeds": [0, 3], "paper": "PE"}]}


def result_content():
    """Small, but with everything that a report looks at."""
    found = results.read("duel_copy")
    keep = found["spec"]["groups"][:2]
    labels = [group["label"] for group in keep]
    return found | {"spec": found["spec"] | {"groups": keep}, "start": {},
                    "table": [row for row in found["table"] if row["group"] in labels],
                    "runs": [run | {"curve": run["curve"][:3], "gradients": []} for run in found["runs"]
                             if run["group"] in labels][::3]}


def sweep_content():
    settings = {"spec": spec_content(), "start": {"one copy": {"model": {"N": 8}, "recipe": {}, "data": "bits"}},
                "equations": "abc"}
    one = results.read("duel_copy")["runs"][0] | {"group": "one", "task": "copy", "curve": [], "gradients": []}
    return {"mine.json": json.dumps(spec_content()).encode(), "settings.json": json.dumps(settings).encode(),
            "sweep.json": json.dumps(settings | {"command": "c", "versions": {"numpy": "1"}, "seconds": 1.0}).encode(),
            "result.json": json.dumps(one).encode()}


def of_sweep(files):
    """sweep.json or a run's result.json is broken."""
    def case(rng, folder):
        name = pick(rng, ("sweep.json", "result.json"))
        kind, _, _ = of_json(files, name, None)(rng, folder)
        (folder / "one-copy-0").mkdir(exist_ok=True)
        (folder / "result.json").rename(folder / "one-copy-0/result.json")
        return kind, lambda: read_sweep(folder), [name, str(folder)]
    return case


# ---- --set ---------------------------------------------------------------------------------------------------------------

PAIRS = (("ntm", "copy"), ("memn2n", "segment-recall"), ("dnc", "series-copy"), ("lstm", "sort"),
         ("memory-transformer", "rewritten-keys"),
         ("hybrid", "copy"), ("dmn", "segment-recall"))
TEXTS = ("", "=", "x", "N", "N=", "=3", "N==3", "--N=3", "N=3 ", " N=3", "n_inputs=3", "form=bits", "self=1", "__class__=1",
         "recipe=paper",
         "recipe=", "recipe=[1]", "lr=nan", "lr=inf", "lr=-1", "lr=1e400", "lr=" + "9" * 5000, "N=" + "9" * 4000, "N=[[[[[" * 900,
         "N=\x00", "N=\ud800", "N=10000000000000", "batch=1e3", "batch=1.5", "N={}", "N=\u0663", "task=copy", "model=ntm", "seed=3")


def of_settings(rng, folder):
    """A setting of the model, the recipe or the task with a value that may be anything."""
    model, task = pick(rng, PAIRS)
    names = KNOWN.setdefault((model, task), setting_names(model, task))
    if rng.random() < 0.15:
        kind, text = "a strange text", pick(rng, TEXTS)
    else:
        value = pick(rng, damage.VALUES)
        kind = f"value: {type(value).__name__}"
        text = f"{pick(rng, names)}={value if isinstance(value, str) and rng.random() < 0.8 else json.dumps(value)}"
    texts = [text] if rng.random() < 0.8 else [text, f"{pick(rng, names)}={pick(rng, ('0', '-1', '1e9', 'x', '[]', 'true'))}"]
    return kind, lambda: runs.new_run(model, task, settings=texts), ["--set", *(text.partition("=")[0] for text in texts), *names]


KNOWN = {}


def setting_names(model, task):
    _, config = catalog.model_class(model)
    return [*(field.name for cls in (config, Recipe) for field in dataclasses.fields(cls)), *catalog.task_arguments(task)]


def all_readers(folder):
    """The readers; good content is made in `folder`."""
    folder.mkdir()
    stories, sql, films = babi_content(), wikisql_content(), metaqa_content()
    run, arrays = run_content(folder / "run")
    patient, patient_arrays = run_content(folder / "patient", patience=3)
    mine, result = {"mine.json": json.dumps(spec_content()).encode()}, {"results.json": json.dumps(result_content()).encode()}
    text = next(iter(stories.values()))
    return [
        Reader("bAbI files", of_files(stories, "", read_babi), 8, LINE),
        Reader("bAbI parser", parsed_text(babi_format.parse, some_lines(text), "qa.txt"), 10, LINE),
        Reader("bAbI archives", of_archive(stories, "tasks_1-20_v1-2/", read_babi), 8),
        Reader("WikiSQL files", of_files(sql, "wikisql", read_wikisql), 8, LINE),
        Reader("WikiSQL questions", parsed_text(wikisql_format.parse_questions, some_lines(sql["train.jsonl"]), "q.jsonl"), 6,
               LINE),
        Reader("WikiSQL archives", of_archive(sql, "wikisql/", read_wikisql), 8),
        Reader("MetaQA files", of_files(films, "", read_metaqa), 8, LINE),
        Reader("MetaQA archives", of_archive(films, "metaqa/", lambda path: metaqa.load(1, "real", path)), 6, pinned=True),
        Reader("archives, members", of_archive({"a.txt": b"a" * 3000, "b.txt": b"b"}, "x/", lambda path: read_archive(
            path, ["x/a.txt", "x/b.txt"])), 6),
        Reader("checkpoints", of_checkpoint(run, arrays), 10),
        Reader("checkpoints with patience", of_checkpoint(patient, patient_arrays), 4),
        Reader("run configs", of_json(run, "config.json", go_on, ("checkpoint.npz", "this run was trained on")), 6),
        Reader("logs of runs", of_json(run, "metrics.jsonl", read_log), 4),
        Reader("sweep specs", of_json(mine, "mine.json", read_spec), 6),
        Reader("sweep specs, prepared", of_json(mine, "mine.json", prepare_spec, ("group ",)), 3),
        Reader("sweep folders", of_sweep(sweep_content()), 4),
        Reader("result files", of_json(result, "results.json", read_results), 5),
        Reader("--set", of_settings, 10),
    ]
