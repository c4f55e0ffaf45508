"""Early stopping: end a training whose evaluations no longer get better, and keep the parameters of the best one."""


class Patience:
    """What a training with `patience` remembers; with 0 it remembers nothing and changes nothing.

    While a training runs, `params` are the latest. When a run ends they are the best, and `latest` gives back those from which to
    go on: a run in parts is the same as one in one go. In a checkpoint the parameters are the best, the latest lie beside them.
    """

    def __init__(self, limit):
        self.limit = limit
        self.best = None                         # the line of the best evaluation
        self.best_params = None
        self.waited = 0                          # evaluations since then
        self._latest = None                      # while `params` are the best: those to go on from

    @property
    def exhausted(self):
        return bool(self.limit) and self.waited >= self.limit

    def judge(self, line, params):
        """Count an evaluation. Parameters are never changed in place: no copy is needed."""
        if not self.limit:
            return
        if self.best is None or rank(line) < rank(self.best):
            self.best, self.best_params, self.waited = line, params, 0
        else:
            self.waited += 1

    def keep(self, params):
        """At the end of a run: the parameters to use from now on."""
        if self.best is None:
            return params
        self._latest = self.latest(params)
        return self.best_params

    def latest(self, params):
        """Before a step: the parameters to go on from."""
        latest, self._latest = self._latest, None
        return params if latest is None else latest

    # ---- checkpoints ------------------------------------------------------------------------------------------------

    def arrays(self, params):
        """What goes into a checkpoint in place of the latest parameters, and beside them."""
        return {} if self.best is None else {"params": self.best_params, "latest": self._latest or params}

    def facts(self):
        return {} if self.best is None else {"best": self.best, "waited": self.waited}

    def resume(self, arrays, facts):
        if self.limit and "best" in facts:
            self.best, self.waited = facts["best"], facts["waited"]
            self.best_params, self._latest = arrays["params"], arrays["latest"]


def rank(line):
    """How evaluations compare, the best first: a later lesson, then fewer bits."""
    return -line.get("lesson", 0), line["bits_per_sequence"]
