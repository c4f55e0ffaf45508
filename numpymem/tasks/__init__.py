"""Tasks: what a model is trained on.  One file a task; tasks know no model.

`batches` has the two documented batch types (sequence form and story form); `babi` has the twenty
question-answering tasks, in either form.
"""
