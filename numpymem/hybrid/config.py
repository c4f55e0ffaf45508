"""What makes one hybrid: the settings of its two parents and of what joins them."""

from dataclasses import dataclass, fields

from numpymem.initial import check_at_least
from numpymem.memn2n import MemN2NConfig
from numpymem.ntm import NTMConfig

SIDES = ("fact_memory", "working_memory", "context", "guided")


@dataclass(frozen=True)
class HybridConfig:
    """Sizes and choices of a hybrid.

    n_inputs             width of a time step, for the NTM
    n_words              words in the vocabulary, with nil (word 0), for the MemN2N
    n_outputs            answers to choose from, or bits of an answer

    As in MemN2NConfig:
    d, hops, tying, relu, encoding, temporal, nil_memories, time_noise, init_scale, tie_answer
    memory_size          sentences of the longest story; there is an error for a longer one
    max_sentence_words   the longest sentence there may be

    As in NTMConfig:
    controller, controller_size, N, W, read_heads, write_heads, initial_weights, initial_heads, addressing, erase, N_training

    What joins them:
    fact_memory          False: no fact memory. The model is an NTM
    working_memory       False: no working memory. The model is a MemN2N
    context              False: facts are kept as they were told, without what the working memory knew then
    guided               True: the working memory says before every hop what to look for, not only before the first
    facts_dropout        in training, the share of the stories that have to do without what the hops find
    working_dropout      and of those, others, that have to do without what the NTM says: so neither side leaves all the work to
                         the other, and one that only learns its examples by heart cannot speak for both
    """
    n_inputs: int
    n_words: int
    n_outputs: int
    d: int = 20
    hops: int = 3
    tying: str = "adjacent"
    relu: bool = False
    encoding: str = "position"
    temporal: bool = True
    memory_size: int = 50
    nil_memories: bool = False
    time_noise: float = 0.1
    max_sentence_words: int = 32
    init_scale: float = 0.1
    tie_answer: bool = False
    controller: str = "lstm"
    controller_size: int = 100
    N: int = 128
    W: int = 20
    read_heads: int = 1
    write_heads: int = 1
    initial_weights: str = "one-hot"
    initial_heads: str = "neutral"
    addressing: str = "both"
    erase: bool = True
    N_training: int = 0
    fact_memory: bool = True
    working_memory: bool = True
    context: bool = True
    guided: bool = False
    facts_dropout: float = 0.0
    working_dropout: float = 0.0

    def __post_init__(self):
        check_at_least("n_inputs", self.n_inputs, 1)
        for name in SIDES:
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name}: expected True or False, received {getattr(self, name)!r}")
        if not self.fact_memory and not self.working_memory:
            raise ValueError("fact_memory, working_memory: expected at least one of them True, received False and False")
        for name in ("facts_dropout", "working_dropout"):
            p = getattr(self, name)
            if isinstance(p, bool) or not isinstance(p, (int, float)) or not 0 <= p <= 1:
                raise ValueError(f"{name}: expected a number from 0 to 1, received {p!r}")
        if self.facts_dropout + self.working_dropout > 1:
            raise ValueError(f"facts_dropout, working_dropout: expected at most 1 in all, received {self.facts_dropout} and "
                             f"{self.working_dropout}")
        self.of_memn2n(), self.of_ntm()                              # they check their own settings

    def of_memn2n(self):
        """The settings of the fact memory."""
        return MemN2NConfig(**self._shared(MemN2NConfig))

    def of_ntm(self):
        """The settings of the working memory: what it puts out at a step is all that is said of it in `widths`."""
        return NTMConfig(**self._shared(NTMConfig) | {"n_outputs": sum(self.widths)})

    @property
    def widths(self):
        """How many numbers of z go to the facts' memories, to the question, to the later hops, and to the
        answer."""
        memories = self.hops + 1 if self.tying == "adjacent" else 2
        facts = memories * self.d if self.fact_memory and self.context else 0
        guide = (self.hops - 1) * self.d if self.fact_memory and self.guided else 0
        return facts, self.d if self.fact_memory else 0, guide, self.n_outputs

    def _shared(self, config):
        own = {field.name for field in fields(self)}
        return {field.name: getattr(self, field.name) for field in fields(config) if field.name in own}
