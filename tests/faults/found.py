"""What a part of the study has found."""


class Found:
    """Of one work, or one command: how often it was killed, and what was wrong afterwards.

    kills     how many kill -9 ended a process
    runs      from how many beginnings
    inside    how many of them while a checkpoint (or the file in question) was being written
    lost      sequences at most that had been trained and were not in the checkpoint; `allowed` are as many as lie between two
              evaluations. Where nothing is counted `allowed` says what may be lost.
    parts     half-written files under other names that lay there after a kill; `left` were still there in the end
    failures  in words, each once with its number
    """

    def __init__(self, work):
        self.work, self.kills, self.runs, self.inside, self.lost, self.allowed = work, 0, 0, 0, 0, ""
        self.parts, self.left, self.failures = 0, 0, {}

    def fail(self, *words):
        for word in words:
            self.failures[word] = self.failures.get(word, 0) + 1

    def as_dict(self):
        return self.__dict__
