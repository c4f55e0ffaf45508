"""How each pair of a model and a task is trained, with what was tried beside it.

    SETTINGS        (model, task) -> settings of the model
    TASK_SETTINGS                 -> arguments of the task
    BUDGETS                       -> where the recipe is not one that converges: what to expect of it
    RECIPES                       -> the Recipe

A line for "babi" is for all twenty bAbI tasks, one for "ntm-feedforward" for an NTM with that controller. What is not here starts
with the defaults of the model's config and of Recipe. Recipes of papers, by name: paper_recipes.py.
"""

import dataclasses

from numpymem.training.recipe import Recipe

EPOCH = 28 * 32                                   # questions of an epoch of bAbI 1k: 28 batches of 32, drawn from 900
JOINT_EPOCH = 562 * 32                            # of all twenty tasks: 562 batches of 32, drawn from 18,000

STORIES = ("segment-recall", "rewritten-keys", "segment-traversal", "made-facts", "metaqa")      # had in every form
SEGMENTED = ("segmented-copy", "segment-recall", "rewritten-keys", "segment-traversal", "made-facts")
WIKISQL = ("wikisql-agg", "wikisql-number", "wikisql-select", "wikisql-select-flat", "wikisql-query")
GRAPHS = ("traversal", "shortest-path", "family")
NATURE = ("series-copy", *GRAPHS)                 # tasks of the DNC's paper
HYBRID = {"encoding": "released", "controller": "feedforward", "controller_size": 32, "N": 16, "W": 16, "d": 24,
          "initial_heads": "tape"}
FACTS = HYBRID | {"temporal": False, "context": False, "controller_size": 8, "N": 8, "W": 8, "d": 68}
WIDE = {"controller": "feedforward", "controller_size": 64, "initial_weights": "one-hot", "initial_heads": "tape", "W": 40,
        "read_heads": 2}
SETTINGS = {
    ("ntm", "copy"): {"initial_weights": "one-hot"},
    # Trained with 128 slots this controller copies 120 vectors with about 1 % wrong bits: while it answers its write head wanders
    # and touches the last items. With 24 slots it cannot afford that, and learns to keep still.
    ("ntm-feedforward", "copy"): {"initial_weights": "one-hot", "N_training": 24},
    # One head to write and four to read with: with one of each both controllers learned to store the items, but in some 30,000
    # sequences not to look one up. 64 slots while training are more than the longest list needs, and faster than 128.
    # Heads that begin as a tape write the list down from the first sequence on: what is left to learn is to look it up. With heads
    # that begin neutral one seed in five (feedforward: two) learned that.
    ("ntm", "recall"): {"initial_weights": "one-hot", "initial_heads": "tape", "N_training": 64, "read_heads": 4, "write_heads": 1},
    ("ntm", "repeat-copy"): {"initial_weights": "one-hot", "initial_heads": "tape", "N_training": 32},
    # A slot for each of the 200 bits: what the write head noted is looked up by its context, and nothing is written over. With 64
    # slots the tape was full after 64 bits, and from there on more and more was forgotten (4 bits above the optimum, not 1).
    ("ntm", "ngrams"): {"initial_weights": "one-hot", "initial_heads": "tape", "N": 208},
    ("ntm", "sort"): {"initial_weights": "one-hot", "initial_heads": "tape", "N": 32, "read_heads": 4, "write_heads": 1},
    ("ntm", "series-copy"): {"initial_weights": "one-hot", "N": 10},
    # Nothing that a DNC learns depends on N: few slots while training, so that it has to free them, and more after.
    ("dnc", "copy"): {"N": 128, "N_training": 32}, ("dnc", "repeat-copy"): {"N": 128, "N_training": 32},
    ("dnc", "recall"): {"N": 64, "N_training": 32, "read_heads": 2},
    ("dnc", "series-copy"): {"N": 10, "W": 16}, ("dnc", "babi"): {"N": 32, "W": 32, "read_heads": 2},
    **{("ntm", task): {"initial_weights": "one-hot", "N": 64, "read_heads": 2, "write_heads": 1} for task in GRAPHS},
    # An LSTM as controller keeps the two or three triples of the first lesson in itself, and is slow to learn to look one up. A
    # feedforward controller has nowhere else to keep them than in memory.
    **{("dnc", task): {"controller": "feedforward", "N": 64, "N_training": 32, "W": 50, "read_heads": 2} for task in GRAPHS},
    # Fewer slots than writes: what is out of date must be written over.
    ("memory-transformer", "rewritten-keys"): {"N": 6},
    **{("memory-transformer", task): {"dropout": 0.1} for task in WIKISQL},
    # Where a value begins and ends the neighbours of a word say: without them, and with cells told, 51 of 100 queries were right
    # after 160,000 questions (dropout 0.2), with them 66 after 112,000.
    ("memory-transformer", "wikisql-number"): {"dropout": 0.2, "neighbours": True},
    ("memory-transformer", "wikisql-select-flat"): {"dropout": 0.2, "neighbours": True, "encoder_layers": 2},
    ("memory-transformer", "wikisql-query"): {"dropout": 0.15, "neighbours": True, "encoder_layers": 2, "decoder_layers": 2,
                                              "ff": 256},
    ("lstm", "repeat-copy"): {"size": 512}, ("lstm", "ngrams"): {"size": 128}, ("lstm", "sort"): {"size": 128},      # the paper's
    ("memn2n", "copy"): {"memory_size": 120},
    # The weights of the authors' code, twice those of the paper's formula. Task 19 comes near the paper's error with these, and not
    # with the formula: sweeps babi_1k and babi_1k_formula.
    ("memn2n", "babi"): {"encoding": "released", "tie_answer": True, "nil_memories": True},
    ("memn2n", "babi-joint"): {"encoding": "released", "tie_answer": True, "nil_memories": True, "d": 50},
    ("lstm", "babi"): {"size": 100, "layers": 1},
    # Heads that begin as a tape, and a controller that has nowhere else to keep what it is told: with an LSTM, or heads that begin
    # neutral, the NTM learned in 64,000 stories which values were told, and not which key they belong to.
    **{("ntm", task): {"controller": "feedforward", "controller_size": 64, "initial_weights": "one-hot", "initial_heads": "tape",
                       "N": 32, "read_heads": 2} for task in (*STORIES, "babi", "babi-joint")},
    # Twice the width, half the slots, and twice the time: all five seeds learn it. With 20 numbers a slot and 32 slots one seed in
    # five did in 96,000 stories, and of three seeds one in 400,000; with one read head and 48 units one in two.
    ("ntm", "rewritten-keys"): WIDE | {"N": 16},
    # Not so for facts and MetaQA, where names are many. Tried on facts: of 16, 20 % right as above; 24 or 25 with W=64 in 300,000
    # stories, with 128 units in 128,000, and with batches of 8. On MetaQA W=40 N=40 and 128 units: 3 % right, as without.
    # The same for walks: with 20 numbers and 96,000 walks 54 % of single steps were wrong; with lr=4e-3 it learned none of this.
    ("ntm", "segment-traversal"): WIDE | {"N": 24},
    **{("dnc", task): {"N": 32, "controller_size": 64} for task in STORIES},
    **{("lstm", task): {"size": 128, "layers": 1} for task in STORIES},
    **{("memn2n", task): {"encoding": "released", "d": 72, "temporal": False} for task in STORIES},
    ("memn2n", "segment-traversal"): {"encoding": "released", "d": 72, "tying": "layer-wise", "relu": True},
    ("memn2n", "rewritten-keys"): {"encoding": "released", "d": 64},           # the age of a write tells which is the latest
    # With one time in six no facts, the working memory learns to copy by itself, and beyond what it was trained on.
    ("hybrid", "copy"): HYBRID | {"initial_heads": "neutral", "N": 128, "N_training": 24, "controller_size": 100, "temporal": False,
                                  "memory_size": 120, "facts_dropout": 0.15, "working_dropout": 0.15},
    **{("hybrid", task): HYBRID | {"temporal": False, "N": 8, "d": 48} for task in STORIES},
    ("hybrid", "rewritten-keys"): HYBRID,
    # Facts that stand for themselves: most numbers go to the fact memory (d), few to the working memory, and what that knew when a
    # fact was told is not added to it. With d=48 and 32 units, as many numbers in all, some 9 of 100 answers about 256 facts were
    # wrong, and still 5 without anything that the working memory says: vectors of 48 numbers are too much alike.
    ("hybrid", "metaqa"): FACTS, ("hybrid", "made-facts"): FACTS | {"working_dropout": 0.3},
    ("hybrid", "segment-traversal"): HYBRID | {"temporal": False, "N": 24, "controller_size": 48, "d": 64, "tying": "layer-wise",
                                               "relu": True, "guided": True},
    # The working memory learns 900 stories by heart: most of the time the facts must do without it.
    **{("hybrid", kind): HYBRID | {"N": 8, "W": 8, "controller_size": 16, "d": 20, "tie_answer": True, "nil_memories": True,
                                   "working_dropout": 0.8} for kind in ("babi", "babi-joint")},
    **{("dmn", task): {"d": 32} for task in STORIES},
}
TASK_SETTINGS = {
    ("memn2n", "babi"): {"whole_vocabulary": True},      # with adjacent tying W is the last table of words: any may be the answer
    ("hybrid", "babi"): {"whole_vocabulary": True},
    ("ntm", "babi"): {"by": "sentence"}, ("lstm", "babi"): {"by": "sentence"},     # a story word by word is five times as long
    ("dmn", "babi"): {"memory_size": 1000},       # more sentences than any story has: DMN+ reads them all
    # How many conditions there are, the frame of a question says ("which ... when ... and ..."), not what its words are made of:
    # with 3-grams 10.0 % of official dev are wrong, without 8.4 (seed 0), without capitals, too, 8.8.
    ("memory-transformer", "wikisql-number"): {"shapes": True, "trigrams": False},
}
BUDGETS = {                                       # pairs whose recipe is a budget: what to expect of it
    ("lstm", "copy"): "a budget: an LSTM does not learn to copy in it (nor in the paper's million sequences)",
    ("ntm-feedforward", "recall"): "four seeds in five learned, in some 11,000 sequences; one stores and does not look up",
    ("ntm-feedforward", "repeat-copy"): "a budget: 1.5 % of the bits are wrong when it ends, among them every end marker",
    **{("lstm", task): "a budget: not tuned" for task in ("repeat-copy", "recall", "ngrams", "sort")},
    **{(model, task): "a budget: not tuned" for model in ("ntm", "lstm") for task in NATURE},
    **{("dnc", task): "a budget: not tuned" for task in ("ngrams", "sort", "babi", "babi-joint")},
    ("dnc", "traversal"): "a budget: with N=32 one seed passed eight of nine lessons in some 53,000 sequences",
    **{("dnc", task): "a budget: not tuned" for task in ("shortest-path", "family")},
    ("dmn", "copy"): "a budget: not tuned", ("dmn", "babi-joint"): "a budget: not tuned",
    ("memory-transformer", "rewritten-keys"): "a budget: it keeps the six latest writes; 22 % wrong where a key is older",
    **{("memory-transformer", task): "a budget: not tuned" for task in ("segment-traversal", "made-facts", "metaqa", *WIKISQL)},
    ("memory-transformer", "wikisql-number"): "a budget: 91 % right on official dev",
    ("memory-transformer", "wikisql-select-flat"): "86 % right on fold 9 after 48,000 questions",
    ("memory-transformer", "wikisql-query"): "with memory=none 53 % of the queries of fold 9 right, with cells=true, too, 66 %",
    **{(model, task): "a budget: not tuned" for model in ("ntm", "dnc", "lstm", "memn2n", "dmn") for task in STORIES},
    ("ntm", "rewritten-keys"): "all five seeds learned it, in 80,000 to 160,000 stories",
    ("ntm", "segment-traversal"): "a budget: most seeds learn single steps; it still improves on longer walks when it ends",
    ("ntm", "made-facts"): "a budget: it does not learn to look a fact up, nor did it in 300,000 stories with W=64",
    ("memory-transformer", "babi"): "a budget: not tuned", ("memory-transformer", "babi-joint"): "a budget: not tuned",
    **{("hybrid", task): "a budget: not tuned" for task in (*STORIES, "babi", "babi-joint")},
    ("memn2n", "copy"): "a budget: it still improves when it ends",
    ("ntm", "babi"): "a budget: not tuned", ("lstm", "babi"): "a budget: not tuned",
}
RECALL = Recipe(sequences=60_000, batch=4, lr=2e-3, beta2=0.98, clip=1.0, halve_every=10_000, stop_below=0.05, settle=4_000,
                eval_count=500)
REPEAT_COPY = Recipe(sequences=60_000, batch=4, lr=3e-3, beta2=0.99, clip=1.0, halve_every=15_000, stop_below=1.0, settle=8_000,
                     eval_every=2_000)
SERIES = Recipe(sequences=50_000, batch=4, lr=1e-3, beta2=0.99, clip=10.0, halve_every=15_000, stop_below=1.0, settle=4_000,
                eval_every=2_000)
LESSONS = Recipe(sequences=200_000, batch=16, lr=2e-3, beta2=0.98, clip=1.0)
SEGMENTS = Recipe(sequences=96_000, batch=64, lr=2e-3, beta2=0.98, clip=1.0, warm_up=12_800, halve_every=32_000, stop_below=0.02,
                  settle=6_400, eval_every=3_200, eval_count=500)
QUESTIONS = Recipe(sequences=96_000, batch=64, lr=2e-3, beta2=0.98, clip=1.0, warm_up=6_400, halve_every=24_000, eval_every=9_600,
                   eval_count=1_000)
STREAMED = Recipe(sequences=96_000, batch=32, lr=2e-3, beta2=0.98, clip=1.0, halve_every=32_000, stop_below=0.02,
                  eval_every=6_400, eval_count=500)
LOOKED_UP = Recipe(sequences=128_000, batch=32, lr=5e-3, beta2=0.98, clip=1.0, halve_every=48_000, stop_below=0.02,
                   eval_every=12_800, eval_count=500)
BABI_1K = Recipe(sequences=120 * EPOCH, batch=32, optimizer="sgd", lr=0.005, halve_every=25 * EPOCH, clip=40.0, clip_by="matrix",
                 scale="sum", eval_every=10 * EPOCH)
BASELINE = Recipe(sequences=30_000, batch=16, lr=1e-3, eval_every=2_000)
RECIPES = {
    ("ntm", "copy"): Recipe(sequences=30_000, batch=1, lr=3e-3, beta2=0.99, stop_below=0.05, settle=3_000, eval_every=500,
                             eval_count=1_000),
    ("ntm-feedforward", "copy"): Recipe(sequences=30_000, batch=1, lr=2e-3, beta2=0.98, stop_below=0.05, settle=3_000,
                                         eval_every=500, eval_count=1_000),
    ("ntm", "recall"): RECALL,
    ("ntm-feedforward", "recall"): RECALL,
    ("ntm", "repeat-copy"): REPEAT_COPY,
    ("ntm-feedforward", "repeat-copy"): REPEAT_COPY,
    ("ntm", "ngrams"): Recipe(sequences=20_000, batch=1, double_every=5_000, largest_batch=8, lr=1e-3, beta2=0.99, clip=1.0,
                              halve_every=8_000, eval_every=1_000),
    ("ntm", "sort"): Recipe(sequences=60_000, batch=2, double_every=15_000, lr=2e-3, beta2=0.98, clip=1.0, halve_every=30_000,
                            eval_every=5_000),
    ("lstm", "copy"): Recipe(sequences=30_000, batch=16, lr=1e-3),
    **{("lstm", task): BASELINE for task in ("repeat-copy", "recall", "ngrams", "sort")},
    **{("memory-transformer", task): SEGMENTS for task in SEGMENTED},
    ("memory-transformer", "segmented-copy"): dataclasses.replace(SEGMENTS, sequences=32_000, warm_up=6_400, halve_every=16_000),
    **{("memory-transformer", task): QUESTIONS for task in (*WIKISQL, "metaqa")},
    ("memory-transformer", "wikisql-number"): dataclasses.replace(QUESTIONS, sequences=192_000, halve_every=48_000),
    ("memory-transformer", "wikisql-query"): dataclasses.replace(QUESTIONS, sequences=112_000, eval_every=16_000, patience=3),
    ("lstm", "series-copy"): BASELINE, ("ntm", "series-copy"): SERIES, ("dnc", "series-copy"): SERIES,
    **{(model, task): LESSONS for model in ("ntm", "dnc", "lstm") for task in GRAPHS},
    ("dnc", "copy"): Recipe(sequences=30_000, batch=4, lr=3e-3, beta2=0.99, clip=1.0, stop_below=0.05, settle=3_000, eval_every=500,
                            eval_count=1_000),
    ("dnc", "recall"): Recipe(sequences=40_000, batch=4, lr=3e-3, beta2=0.99, clip=1.0, halve_every=10_000, stop_below=0.05,
                              settle=4_000, eval_count=500),
    ("dnc", "repeat-copy"): REPEAT_COPY,
    **{("dnc", task): BASELINE for task in ("ngrams", "sort", "babi-joint")},
    ("dnc", "babi"): Recipe(sequences=40_000, batch=16, lr=2e-3, beta2=0.98, clip=1.0, halve_every=15_000, eval_every=4_000),
    **{(model, task): STREAMED for model in ("ntm", "dnc", "lstm", "dmn") for task in STORIES},
    **{("ntm", task): dataclasses.replace(STREAMED, sequences=200_000, halve_every=60_000)
       for task in ("rewritten-keys", "segment-traversal")},
    ("ntm", "metaqa"): dataclasses.replace(STREAMED, sequences=40_000, halve_every=16_000),
    **{("lstm", task): dataclasses.replace(STREAMED, sequences=32_000) for task in STORIES},
    **{("memn2n", task): LOOKED_UP for task in STORIES},
    **{("hybrid", task): dataclasses.replace(STREAMED, sequences=96_000, lr=5e-3, halve_every=32_000) for task in STORIES},
    ("hybrid", "copy"): Recipe(sequences=40_000, batch=2, lr=2e-3, beta2=0.98, stop_below=0.05, settle=3_000, eval_every=1_000,
                               eval_count=300),
    ("hybrid", "babi"): dataclasses.replace(BABI_1K, linear_start=20 * EPOCH), ("hybrid", "babi-joint"): BABI_1K,
    ("memory-transformer", "babi"): STREAMED, ("memory-transformer", "babi-joint"): STREAMED,
    ("memn2n", "copy"): Recipe(sequences=400_000, batch=32, lr=3e-3, halve_every=150_000, eval_every=20_000),
    ("memn2n", "babi"): dataclasses.replace(BABI_1K, linear_start=20 * EPOCH),
    ("memn2n", "babi-joint"): Recipe(sequences=90 * JOINT_EPOCH, batch=32, optimizer="sgd", lr=0.005, clip=40.0, clip_by="matrix",
                                     halve_every=15 * JOINT_EPOCH, scale="sum", linear_start=30 * JOINT_EPOCH,
                                     eval_every=5 * JOINT_EPOCH, eval_count=2_000),
    # The recipe of Xiong et al. 2016: at most 256 epochs, stop when 20 have not bettered the validation loss. They do not say how
    # strong their L2 is; implementations by others take 0.001. For 10k: sequences, eval_every and eval_count ten times as large.
    ("dmn", "copy"): Recipe(sequences=200_000, batch=32, eval_every=10_000),
    ("dmn", "babi"): Recipe(sequences=256 * 900, batch=100, l2=0.001, patience=20, eval_every=900, eval_count=100),
    ("ntm", "babi"): Recipe(sequences=30_000, batch=16, lr=1e-3, eval_every=2_000),
    ("lstm", "babi"): Recipe(sequences=30_000, batch=16, lr=1e-3, eval_every=2_000),
}
