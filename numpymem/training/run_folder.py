"""The folder that every run leaves behind: config.json, metrics.jsonl, checkpoint.npz, curves.png."""

import json
import pathlib

from numpymem import writing
from numpymem.writing import write_text
from numpymem.received import read_json, reading
from numpymem.training.resuming import check_line


class RunFolder:
    """Paths and small files of one run."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.config, self.metrics = self.path / "config.json", self.path / "metrics.jsonl"
        self.checkpoint, self.curves = self.path / "checkpoint.npz", self.path / "curves.png"
        self._kept = None                        # bytes of metrics.jsonl that count; None: all whole lines
        self._waiting = []                       # lines that could not be written yet

    def create(self, config):
        """Make the folder and write its config. Raises FileExistsError if there is a run in it already."""
        writing.make_folder(self.path)
        with self.alone():                       # of two processes at once one begins, and the other one finds its run
            if self.config.exists():
                raise FileExistsError(f"--run {self.path}: expected a folder without a run, received one with config.json; "
                                      "add --resume to go on with it, or name another folder")
            write_text(self.config, json.dumps(config, indent=1) + "\n")

    def alone(self, wait=False):
        """A context in which no other process writes to this folder; writing.InUse if one does, unless we `wait`."""
        return writing.alone(self.path, wait)

    def read_config(self):
        """The config as a dict. Raises FileNotFoundError or ValueError with the file's name."""
        if not self.config.exists():
            raise FileNotFoundError(f"{self.path}: expected a run folder, found no config.json in it")
        config = read_json(self.config)
        for name in ("model", "task", "seed", "model_settings", "task_settings", "recipe"):
            if not isinstance(config, dict) or name not in config:
                raise ValueError(f"{self.config}: expected an entry {name!r}, found none")
        return config

    def log(self, line):
        """Add a line to metrics.jsonl. A line that could not be written comes with the next one."""
        self._waiting.append(json.dumps(line) + "\n")
        with writing.clear(self.metrics):
            if self._kept is None:
                self._kept = sum(len(text) for text in whole_lines(self.metrics)) if self.metrics.exists() else 0
            with open(self.metrics, "ab") as file:
                file.truncate(self._kept)        # what comes after was given up, or is half a line of a killed process
                file.write("".join(self._waiting).encode())
        self._kept += sum(map(len, self._waiting))
        self._waiting = []

    def read_log(self, up_to=None):
        """The lines of metrics.jsonl; with `up_to` only those until so many sequences. What comes after them was written after the
        checkpoint from which a run goes on, and the next `log` writes over it; until then the file stays as it is. ValueError names
        a line that is none of ours."""
        kept, lines = 0, []
        for number, text in enumerate(whole_lines(self.metrics) if self.metrics.exists() else [], start=1):
            if not text.strip():
                kept += len(text)
                continue
            with reading(f"{self.metrics}, line {number}", "JSON"):
                line = json.loads(text)
                check_line("an evaluation", line, needed=("sequences",))
            if up_to is not None and line["sequences"] > up_to:
                break
            kept += len(text)
            lines.append(line)
        if up_to is not None:
            self._kept, self._waiting = kept, []
        return lines


def whole_lines(path):
    """The lines of a file that end in a line break, as bytes: a killed run may have left half a line."""
    return [text for text in path.read_bytes().splitlines(keepends=True) if text.endswith(b"\n")]
