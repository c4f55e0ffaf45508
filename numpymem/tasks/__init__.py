"""Tasks: what a model is trained on.  One file a task; tasks know no model.

`batches` has the documented batch types (sequence, story and segments form); `bits` what the tasks with bits as answers share.
The five of the NTM paper (Graves et al. 2014, section 4): `copy` (in either form), `repeat_copy`, `recall`, `ngrams`,
`priority_sort`. `babi` has the twenty question-answering tasks, in either form. `graphs` has the DNC's tasks, `segments` those of
the memory Transformer, `wikisql` questions about tables.
"""
