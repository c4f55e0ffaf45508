"""A recipe: everything that decides how a model is trained, apart from the model, the task and the seed."""

from dataclasses import dataclass, fields

from numpymem.received import shown
from numpymem.initial import check_at_least, check_choice
from numpymem.training.optimizers import CLIPS, OPTIMIZERS

AT_LEAST_ONE = ("sequences", "batch", "largest_batch", "eval_every", "eval_count")


@dataclass(frozen=True)
class Recipe:
    """The settings of a training, all of which `--set NAME=VALUE` can change.

    sequences     how many sequences (questions) to train on in all
    batch         sequences a step
    optimizer     "adam", "rmsprop" (as Graves has it) or "sgd"
    lr            learning rate
    beta2         Adam only: how long it remembers the gradients' size; 0.99 is a hundred steps, 0.999 a thousand
    warm_up       sequences over which the learning rate rises from 0 to lr at the start; 0: it begins at lr
    halve_every   sequences after which the learning rate halves, again and again; 0: never
    double_every  sequences after which the batch doubles, again and again, to at most `largest_batch`; 0: never. As with a falling
                  learning rate the steps get less noisy, and more sequences fit into a second (Smith et al. 2018)
    clip          limit on the gradient, 0: none
    clip_by       "norm" (of all gradients together), "matrix" (each by its own spectral norm) or "element"
    scale         "mean" or "sum": what of the losses in a batch is differentiated
    linear_start  train this many sequences first with the memory's softmax taken out (MemN2N's LS), at `linear_lr`
    eval_every    sequences between evaluations (and checkpoints)
    eval_count    sequences of an evaluation
    stop_below    converged: two evaluations in a row below this many bits a sequence; 0: never (a task in lessons: once the last
                  one is passed)
    l2            weight of an L2 penalty, l2 / 2 times the sum of squares of the model's matrices (not of biases and words), which
                  is added to the loss that is differentiated; 0: none
    patience      stop once so many evaluations in a row were not better than the best one, by bits a sequence, and keep the
                  parameters of the best one; 0: never, and keep the last ones
    settle        once converged, train so many sequences more while the learning rate falls to 0, then stop
    checkpoint_every  keep only every so-manieth step of a sequence and compute the others again (less memory); 0: keep all
    """
    sequences: int = 25_000
    batch: int = 16
    optimizer: str = "adam"
    lr: float = 1e-3
    beta2: float = 0.999
    warm_up: int = 0
    halve_every: int = 0
    double_every: int = 0
    largest_batch: int = 16
    clip: float = 10.0
    clip_by: str = "norm"
    scale: str = "mean"
    linear_start: int = 0
    linear_lr: float = 0.005
    eval_every: int = 1_000
    eval_count: int = 200
    stop_below: float = 0.0
    settle: int = 0
    l2: float = 0.0
    patience: int = 0
    checkpoint_every: int = 0

    def __post_init__(self):
        check_choice("optimizer", self.optimizer, OPTIMIZERS)
        check_choice("clip_by", self.clip_by, CLIPS)
        check_choice("scale", self.scale, ("mean", "sum"))
        for field in fields(self):
            value, least = getattr(self, field.name), 1 if field.name in AT_LEAST_ONE else 0
            if field.type is int:
                check_at_least(field.name, value, least, most=None)
            elif field.type is float and not (isinstance(value, (int, float)) and value >= least):
                raise ValueError(f"{field.name}: expected a number of at least {least}, received {shown(value)}")
        if not self.beta2 < 1:
            raise ValueError(f"beta2: expected a number from 0 to below 1, received {self.beta2!r}")

    def make_optimizer(self):
        """The optimizer with its settings."""
        return OPTIMIZERS[self.optimizer](**({"beta2": self.beta2} if self.optimizer == "adam" else {}))

    def batch_at(self, done):
        """Sequences of the step after `done` sequences."""
        if not self.double_every or self.batch >= self.largest_batch:
            return self.batch
        return min(self.batch * 2 ** (done // self.double_every), self.largest_batch)

    def phase(self, done, converged_at=None):
        """(learning rate, options of the forward) after `done` sequences, of which `converged_at` until it converged."""
        if done < self.linear_start:
            return self.linear_lr, {"linear": True}
        done -= self.linear_start
        lr = self.lr
        if done < self.warm_up:
            lr *= (done + self.batch) / (self.warm_up + self.batch)
        if self.halve_every:
            lr *= 0.5 ** (done // self.halve_every)
        if converged_at is not None and self.settle:
            lr *= max(0.0, 1 - (done + self.linear_start - converged_at) / self.settle)
        return lr, {"checkpoint_every": self.checkpoint_every} if self.checkpoint_every else {}
