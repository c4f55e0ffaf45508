"""The one training loop, for every model and every task.

    batch           = task.sample(rng, batch_size)
    outputs, trace  = model.forward(params, batch.inputs)
    loss, d_outputs = loss_and_gradient(task.loss, outputs, batch, scale)
    grads           = model.backward(params, trace, d_outputs)
    params, state   = optimizer.update(params, clipped grads, state, lr)

Same seed, same machine: same numbers, also when a run was interrupted and resumed. For that each use of chance has a generator
of its own, whose state is part of the checkpoint, and NumPy's matrix products run on one thread (at these sizes more
threads only wait for each other).
"""

import contextlib
import inspect
import time

import numpy as np
from threadpoolctl import threadpool_limits

from numpymem import equation, writing
from numpymem.received import reading
from numpymem.training import checkpoint, edits, nan_guard
from numpymem.training.loss import evaluate, loss_and_gradient
from numpymem.training.optimizers import CLIPS, gradient_norm, with_l2
from numpymem.training.patience import Patience
from numpymem.training.progress import Progress
from numpymem.training.resuming import check_checkpoint

STREAMS = ("init", "data", "noise", "evaluation")


class Training:
    """A training in progress.

    model, task, recipe, seed   what is trained, on what, how, from which seed
    folder                      a RunFolder to log and save to, or None
    """

    def __init__(self, model, task, recipe, seed=0, folder=None):
        if recipe.checkpoint_every and "checkpoint_every" not in inspect.signature(model.forward).parameters:
            raise ValueError(f"checkpoint_every: expected 0 for a {type(model).__name__}, only an NTM can compute its steps again; "
                             f"received {recipe.checkpoint_every}")
        if recipe.l2 and not hasattr(model, "penalised"):
            raise ValueError(f"l2: expected 0 for a {type(model).__name__}, which does not say which parameters to hold small; "
                             f"received {recipe.l2}")
        self.model, self.task, self.recipe, self.seed, self.folder = model, task, recipe, seed, folder
        self.rngs = {name: np.random.default_rng([seed, number]) for number, name in enumerate(STREAMS)}
        self.optimizer = recipe.make_optimizer()
        self.params = model.init(self.rngs["init"])
        self.state = self.optimizer.init(self.params)
        self.done = self.good_evaluations = 0
        self.evaluated = 0                       # how many multiples of eval_every have been evaluated
        self.converged_at = None                 # sequences done when it had converged
        self.seconds = 0.0                       # spent training and evaluating, over all sessions of this run
        self.patience = Patience(recipe.patience)
        self.history = []                        # what metrics.jsonl holds
        self.saved = None                        # sequences done in the last checkpoint of this folder, as far as we know
        self._looked_at = None                   # version of the equations when they were last looked at

    # ---- one step ---------------------------------------------------------------------------------------------------

    def step(self):
        """Train on one batch -> (loss in nats a sequence, gradient norm).

        A step happens as a whole or not at all: if it raises (NonFiniteError, Ctrl-C), parameters, optimizer and generators
        are those from before it.
        """
        self.params = self.patience.latest(self.params)
        params, state, done, generators = self.params, self.state, self.done, self.generators()
        try:
            new, loss, norm = self._update()
            self.params, self.state, self.done = new                             # done last: with it the step counts
        except BaseException:
            if self.done == done:
                self.params, self.state = params, state
                self.set_generators(generators)
            raise
        return loss, norm

    def _update(self):
        """-> (params, state and done after one step), loss, gradient norm"""
        recipe = self.recipe
        lr, options = recipe.phase(self.done, self.converged_at)
        size = recipe.batch_at(self.done)
        batch = self.task.sample(self.rngs["data"], size)
        noise_before = self.rngs["noise"].bit_generator.state
        self._look_at_edits(batch, options)
        try:
            loss, grads = self._gradients(batch, options)
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, NameError):     # say which equation it was, if one was
            self.rngs["noise"].bit_generator.state = noise_before
            edits.check(lambda: self._gradients(batch, options))
            raise
        if recipe.l2:
            grads = with_l2(grads, self.params, self.model.penalised, recipe.l2)
        norm = gradient_norm(grads)
        if not (np.isfinite(loss) and np.isfinite(norm)):
            self.rngs["noise"].bit_generator.state = noise_before
            options = options | {"rng": self.rngs["noise"]}
            found = nan_guard.explain(self.model, self.params, batch, self.task, recipe.scale, options)
            raise nan_guard.NonFiniteError(f"after {self.done:,} sequences the loss was {loss:.4g} and the gradient's norm "
                                           f"{norm:.4g}: {found}")
        if recipe.clip:
            known = {"norm": norm} if recipe.clip_by == "norm" else {}
            grads = CLIPS[recipe.clip_by](grads, recipe.clip, **known)
        params, state = self.optimizer.update(self.params, grads, self.state, lr)
        nan_guard.check_update(params, recipe.optimizer, lr, self.done)
        return (params, state, self.done + size), loss / size, norm

    def _gradients(self, batch, options):
        """-> loss, gradients of all parameters"""
        outputs, trace = self.model.forward(self.params, batch.inputs, rng=self.rngs["noise"], **options)
        loss, d_outputs = loss_and_gradient(self.task.loss, outputs, batch, self.recipe.scale)
        return loss, self.model.backward(self.params, trace, d_outputs)

    def _look_at_edits(self, batch, options):
        """Before the first step with an equation that somebody has edited: does it fit? Raises edits.EquationError."""
        if self._looked_at == equation.version():
            return
        if ids := edits.edited():
            noise = self.rngs["noise"].bit_generator.state
            edits.check(lambda: self._gradients(batch, options), ids)
            self.rngs["noise"].bit_generator.state = noise
        self._looked_at = equation.version()     # edits.check has run as NumPy, which counts as a change

    def generators(self):
        """The states of all generators."""
        return {name: rng.bit_generator.state for name, rng in self.rngs.items()}

    def set_generators(self, states):
        """Put all generators back into these states."""
        for name, state in states.items():
            self.rngs[name].bit_generator.state = state

    # ---- many steps -------------------------------------------------------------------------------------------------

    def run(self, sequences=None, seconds=None, progress=True):
        """Train until `sequences` in all are done (default: the recipe's), `seconds` have passed, or it has converged.

        Returns the last evaluation. Ctrl-C saves a checkpoint first. A run in parts (this called again, or after a resume)
        is the same as one in one go: what is evaluated at the end of a part, off the grid of eval_every, decides nothing.

        raises   writing.CannotWrite, writing.InUse if another process works in the folder; NonFiniteError
        """
        with self._folder_to_ourselves():
            return self._run(sequences, seconds, progress)

    @contextlib.contextmanager
    def _folder_to_ourselves(self):
        if self.folder is None:
            yield
            return
        with self.folder.alone():
            try:
                yield
            except writing.CannotWrite as error:
                kept = "no checkpoint had been written yet" if self.saved is None else \
                    f"the checkpoint after {self.saved:,} sequences is whole: --resume goes on from there"
                raise writing.CannotWrite(f"{error} ({kept})") from error

    def _run(self, sequences, seconds, progress):
        target = self.recipe.sequences if sequences is None else sequences
        started, before = time.perf_counter(), self.seconds
        losses, norms, self.params = [], [], self.patience.latest(self.params)
        with threadpool_limits(1, "blas"), Progress(self, target, seconds, progress) as bar:
            try:
                while True:
                    if self.due:                             # first of all: Ctrl-C may have come between step and evaluation
                        self.evaluate(losses, norms)
                        losses, norms = [], []
                    spent = time.perf_counter() - started
                    self.seconds = before + spent
                    if self._finished(target, seconds, spent):
                        break
                    loss, norm = self.step()
                    losses.append(loss)
                    norms.append(norm)
                    self.seconds = before + time.perf_counter() - started
                    bar.show(loss, self.seconds - before)
            except KeyboardInterrupt:
                self.save()
                raise
        if losses:
            self.evaluate(losses, norms)
        self.save()
        self.params = self.patience.keep(self.params)
        return self.history[-1] if self.history else None

    @property
    def due(self):
        """Whether a multiple of eval_every has been reached that is not evaluated yet."""
        return self.done // self.recipe.eval_every > self.evaluated

    def _finished(self, target, seconds, spent):
        settled = self.converged and self.done >= self.converged_at + self.recipe.settle
        return settled or self.patience.exhausted or self.done >= target or (seconds is not None and spent >= seconds)

    @property
    def converged(self):
        """Two evaluations in a row were below `stop_below`, or the last lesson is passed."""
        return self.converged_at is not None

    def evaluate(self, losses=(), norms=()):
        """Evaluate on fresh data, log, save. Only an evaluation that is due counts for convergence.

        losses, norms   of the steps since the last evaluation, or since the resume: train_loss is their mean
        """
        rng = np.random.default_rng([self.seed, len(STREAMS), self.done])        # its own numbers at each point of the run
        found = evaluate(self.model, self.params, self.task, self.task.evaluation(rng, self.recipe.eval_count))
        line = {"sequences": self.done, "seconds": round(self.seconds, 2), "bits_per_sequence": found["bits_per_sequence"],
                "wrong_percent": found["wrong_percent"]}
        if len(losses):
            line["train_loss"], line["gradient_norm"] = float(np.mean(losses)), float(np.median(norms))
            line["gradient_norm_max"] = float(np.max(norms))
        if self.in_lessons:
            line["lesson"] = self.task.lesson
            line["passed"] = self.due and self.task.is_passed(line["wrong_percent"])
        if self.due:
            self._count(line)
            self.patience.judge(line, self.params)
        self.history.append(line)
        if self.folder is not None:
            self.folder.log(line)
            self.save()
        return line

    def _count(self, line):
        """Converged: two evaluations in a row were good; of a task in lessons: the last one is passed. Another lesson that is
        passed makes place for the next."""
        if self.in_lessons:
            last = self.task.lesson == len(self.task.lessons)
            number, converged = 0, line["passed"] and last
            self.task.lesson += line["passed"] and not last
        else:
            number = self.good_evaluations + 1 if line["bits_per_sequence"] < self.recipe.stop_below else 0
            converged = number >= 2
        converged_at = self.done if converged and not self.converged else self.converged_at
        self.good_evaluations, self.converged_at, self.evaluated = number, converged_at, self.done // self.recipe.eval_every

    @property
    def in_lessons(self):
        """Whether the task is a curriculum."""
        return hasattr(self.task, "lessons")

    def status(self):
        """The last evaluation in the task's own unit; with patience the best one."""
        last = self.patience.best or self.history[-1]
        if self.task.unit.startswith("bits"):
            return f"{last['bits_per_sequence']:.3g} bits, {last['wrong_percent']:.3g} % wrong"
        lesson = f" in lesson {last['lesson']} of {len(self.task.lessons)}" if self.in_lessons else ""
        return f"{last['wrong_percent']:.3g} % error{lesson}"

    # ---- checkpoints ------------------------------------------------------------------------------------------------

    def save(self):
        """Write the checkpoint, if there is a folder."""
        if self.folder is not None:
            facts = {"done": self.done, "seconds": self.seconds, "good_evaluations": self.good_evaluations,
                     "converged_at": self.converged_at, "evaluated": self.evaluated, "rngs": self.generators(),
                     **self.patience.facts()}
            if self.in_lessons:
                facts["lesson"] = self.task.lesson
            arrays = {"params": self.params, "optimizer": self.state, **self.patience.arrays(self.params)}
            checkpoint.save(self.folder.checkpoint, arrays, facts)
            self.saved = self.done

    def resume(self):
        """Go on from the folder's checkpoint: parameters, optimizer, generators and log as they were. Raises ValueError naming the
        file if it is not a checkpoint of this run."""
        arrays, facts = checkpoint.load(self.folder.checkpoint)
        with reading(self.folder.checkpoint, "a checkpoint of this run"):
            check_checkpoint(self, arrays, facts)
            self.params = {name: arrays["params"][name] for name in self.params}
            self.state = arrays.get("optimizer", {})
            self.done, self.seconds = facts["done"], facts["seconds"]
            self.good_evaluations, self.converged_at = facts["good_evaluations"], facts["converged_at"]
            self.evaluated = facts["evaluated"]
            if self.in_lessons:
                self.task.lesson = facts["lesson"]
            self.set_generators(facts["rngs"])
            self.patience.resume(arrays, facts)
        self.saved = self.done
        self.history = self.folder.read_log(up_to=self.done)
