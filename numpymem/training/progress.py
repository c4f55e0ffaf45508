"""The progress line of a training: loss, last evaluation, sequences, speed and time left, on stderr."""

import shutil
import time

import numpy as np
from tqdm import tqdm

WIDEST = 79
FORGET = 0.02                                     # the mean runs over about the last 1 / FORGET batches


class Progress:
    """A context manager; call `show` after each step. With `seconds` the bar counts seconds, otherwise sequences."""

    def __init__(self, training, target, seconds=None, visible=True):
        self.training, self.seconds = training, seconds
        self.target = target if seconds is None else seconds
        self.first, self.started = training.done, time.perf_counter()
        self.mean = None
        binary = training.task.loss == "binary"
        self.factor = 1 / np.log(2) if binary else 1
        question = binary and training.task.form == "story"                      # there one is asked for a part of a sequence
        self.unit = ("bits" if binary else "nats") + (" a question" if question else "")
        self.bar = tqdm(total=self.target, initial=0 if seconds else min(training.done, target), disable=not visible,
                        ncols=min(WIDEST, shutil.get_terminal_size().columns), nrows=20, desc=training.task.name, smoothing=0.1,
                        mininterval=0.3, bar_format="{desc} |{bar}| {remaining} left")

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.bar.close()

    def show(self, loss, spent):
        """Note a step's loss, in nats, and the seconds spent so far."""
        self.mean = loss if self.mean is None else self.mean + FORGET * (loss - self.mean)
        if not self.bar.disable:
            self.bar.set_description_str(self.text(), refresh=False)
            here = min(self.training.done if self.seconds is None else spent, self.target)
            self.bar.update(max(here - self.bar.n, 0))

    def text(self):
        """Such as 'copy 3.21 bits, eval 2.98 bits, 1,200 seq, 95/s'."""
        done, history = self.training.done, self.training.history
        speed = (done - self.first) / max(time.perf_counter() - self.started, 1e-9)
        speed = f"{speed:.2g}" if speed < 10 else f"{speed:,.0f}"
        last = f", eval {short_status(self.training)}" if history else ""
        return f"{self.training.task.name} {self.mean * self.factor:.3g} {self.unit}{last}, {done:,} seq, {speed}/s"


def short_status(training):
    """The last evaluation in a few letters."""
    last = training.history[-1]
    if training.task.unit.startswith("bits"):
        return f"{last['bits_per_sequence']:.3g} bits"
    lesson = f", lesson {training.task.lesson}/{len(training.task.lessons)}" if training.in_lessons else ""
    return f"{last['wrong_percent']:.3g} % error{lesson}"
