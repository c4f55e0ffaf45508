"""One story, four forms: each model is told the same facts and asked the same question in the form that it reads.

    story      sentences and a question, as word numbers                      MemN2N, DMN
    sequence   a sentence a time step, then the question, then PAUSES blank steps to think; at the last of them the answer is due
                                                                              NTM, DNC, LSTM
    stream     both                                                           Hybrid
    segments   a sentence a segment                                           memory Transformer

All are made from a Batch in story form. What a time step sees of a sentence are its words, once as they are and once weighted by
their place, so that "e1 r2 e3" and "e3 r2 e1" differ: a sum over both is what the position encoding of MemN2N can say, too.
"""

import numpy as np

from numpymem.tasks.batches import Batch, Segments, Stories, Streams

FORMS = ("story", "sequence", "stream", "segments")
PAUSES = 3                                        # as many looks at the memory as MemN2N has hops


def channels(n_words):
    """Width of a time step: each word twice, and whether this is the question."""
    return 2 * n_words + 1


def in_form(batch, form, n_words):
    """A Batch in story form with classes as targets -> the same in another form."""
    if form == "story":
        return batch
    return {"sequence": as_sequence, "stream": as_stream, "segments": as_segments}[form](batch, n_words)


def as_sequence(batch, n_words):
    """-> Batch with T = I + 1 + PAUSES steps; shorter stories start with blank (all-zero) steps, so that all end together."""
    steps, _ = steps_of(batch.inputs, n_words)
    targets, mask = np.zeros(steps.shape[:2], np.int32), np.zeros(steps.shape[:2], np.float32)
    targets[-1], mask[-1] = batch.targets, 1
    return Batch(steps, targets, mask)


def as_stream(batch, n_words):
    """-> Batch of Streams with one question each."""
    steps, told_at = steps_of(batch.inputs, n_words)
    sentences, query = batch.inputs
    inputs = Streams(steps, sentences, query[:, None], told_at, np.array([len(steps) - 1]))
    return Batch(inputs, batch.targets[None], batch.mask[None])


def as_segments(batch, _=None):
    """-> Batch of Segments: one sentence a segment, one answer."""
    sentences, query = batch.inputs
    inputs = Segments(sentences[:, :, None], query, np.zeros((len(query), 1), np.int32))
    return Batch(inputs, batch.targets[None], batch.mask[None])


def as_story(batch):
    """The way back from Segments of one item each and one answer."""
    segments, question = batch.inputs.segments[:, :, 0], batch.inputs.question                     # (B, I, J), (B, Q)
    J = max(segments.shape[2], question.shape[1])
    widened = [np.pad(words, [(0, 0)] * (words.ndim - 1) + [(0, J - words.shape[-1])]) for words in (segments, question)]
    return Batch(Stories(*widened), batch.targets[0], batch.mask[0])


def steps_seen(batch, form, n_words):
    """The time steps (T, B, 2 n_words + 1) that a Batch in any form tells."""
    if form == "sequence":
        return batch.inputs
    if form == "stream":
        return batch.inputs.steps
    return steps_of((as_story(batch) if form == "segments" else batch).inputs, n_words)[0]


def steps_of(stories, n_words):
    """Stories -> steps (T, B, 2 n_words + 1) float32, and the step at which each sentence is told, (B, I)."""
    sentences, query = stories
    B, I, _ = sentences.shape
    number = (sentences[:, :, 0] != 0).sum(1)                                                      # (B,) sentences of each
    real = np.arange(I) < number[:, None]                                                          # (B, I)
    told_at = np.where(real, I - number[:, None] + np.arange(I), 0)
    steps = np.zeros((I + 1 + PAUSES, B, channels(n_words)), np.float32)
    rows, which = np.nonzero(real)
    put_words(steps, told_at[rows, which], rows, sentences[rows, which], n_words)
    put_words(steps, np.full(B, I), np.arange(B), query, n_words)
    steps[I, :, -1] = 1
    return steps, told_at


def put_words(steps, at, rows, words, n_words):
    """Add each word of `words` (n, J) to its step, once with weight 1 and once with its place j / n of n words."""
    length = (words != 0).sum(1)                                                                   # (n,)
    sentence, place = np.nonzero(words)
    word = words[sentence, place]
    np.add.at(steps, (at[sentence], rows[sentence], word), 1)
    np.add.at(steps, (at[sentence], rows[sentence], n_words + word), (place + 1) / length[sentence])
