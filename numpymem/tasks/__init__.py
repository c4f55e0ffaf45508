"""Tasks: what a model is trained on.  One file a task; tasks know no model.

`batches` has the two documented batch types (sequence form and story form); `bits` what the tasks with bits as answers share.
The five of the NTM paper (Graves et al. 2014, section 4): `copy` (in either form), `repeat_copy`, `recall`, `ngrams`,
`priority_sort`. `babi` has the twenty question-answering tasks, in either form.
"""
