"""Would the checks notice? Every backward is broken on purpose, in many small ways, and what is caught is counted.

operators   the ways to break a line of source
targets     which functions: the backward of every pair, the wiring of every step and model
mutant      one broken function, and how to put it in force for a while
exam        the questions that a broken backward must fail
score       all of it, counted; `python -m gradcheck --mutate`
hunt        one mutant, planted for a reader to find
"""
