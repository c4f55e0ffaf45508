"""The folder that every run leaves behind: config.json, metrics.jsonl, checkpoint.npz, curves.png."""

import json
import os
import pathlib

from numpymem.received import read_json, reading
from numpymem.training.resuming import check_line


class RunFolder:
    """Paths and small files of one run."""

    def __init__(self, path):
        self.path = pathlib.Path(path)
        self.config, self.metrics = self.path / "config.json", self.path / "metrics.jsonl"
        self.checkpoint, self.curves = self.path / "checkpoint.npz", self.path / "curves.png"

    def create(self, config):
        """Make the folder and write its config. Raises FileExistsError if there is a run in it already."""
        if self.config.exists():
            raise FileExistsError(f"--run {self.path}: expected a folder without a run, received one with config.json; "
                                  "add --resume to go on with it, or name another folder")
        self.path.mkdir(parents=True, exist_ok=True)
        write_text(self.config, json.dumps(config, indent=1) + "\n")

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
        with open(self.metrics, "a") as file:
            file.write(json.dumps(line) + "\n")

    def read_log(self, up_to=None):
        """The lines of metrics.jsonl; with `up_to` those after so many sequences are dropped from the file, too: they were
        written after the checkpoint from which a run goes on."""
        if not self.metrics.exists():
            return []
        lines = []
        for number, text in enumerate(whole_lines(self.metrics), start=1):
            with reading(f"{self.metrics}, line {number}", "JSON"):
                lines.append(json.loads(text))
                check_line("an evaluation", lines[-1], needed=("sequences",))
        if up_to is not None:
            lines = [line for line in lines if line["sequences"] <= up_to]
            write_text(self.metrics, "".join(json.dumps(line) + "\n" for line in lines))
        return lines


def whole_lines(path):
    """The lines of a file that end in a line break: a killed run may have left half a line."""
    with reading(path, "text"):
        text = path.read_text(encoding="utf-8-sig")
    return [line for line in text.splitlines(keepends=True) if line.endswith("\n") and line.strip()]


def write_text(path, text):
    """Write a small file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
