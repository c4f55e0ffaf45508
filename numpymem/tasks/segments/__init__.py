"""Tasks told segment by segment (`Segments`): a model attends within one segment only, what it is to keep goes into a memory.

What a question asks for is in the segments and never in the question itself: without a memory there is nothing better than a guess.
"""
