"""What others report on WikiSQL, and the floors that a model must beat.

Floors: `python -m numpymem.tasks.wikisql.floors` (seed 0), by this project. Published: the leaderboard of salesforce/WikiSQL, and
the README of KayTheCoder-101/text-to-sql-transformer, a Transformer of 7,577,600 parameters from scratch. Published column choices
are on the official dev set with whole tables; ours are on tables of the training set that no training question is about (fold 9),
as the official dev and test tables could not be had. Do not compare them digit by digit.
"""

SCRATCH = "a Transformer from scratch of 7.6 M parameters, official dev:"
SAYS = {
    "wikisql-agg": ("floors, right on official dev: the most frequent class 71.5 %, linear on words and word pairs 87.9 %; "
                    f"{SCRATCH} 88.4 %"),
    "wikisql-number": "floors, right on official dev: the most frequent class 68.3 %, linear on words and word pairs 86.4 %",
    "wikisql-select": ("floors, right on fold 9: the most frequent column 16.1 %, the first column named in the question, which "
                       "sees columns and question together, 80.2 %"),
    "wikisql-select-flat": ("floors, right on fold 9: the most frequent column 16.1 %, the first column named in the question "
                            f"80.2 %; {SCRATCH} 74.0 %"),
    "wikisql-query": (f"logical form and execution: {SCRATCH} 48.4 and 56.0 %; Seq2SQL 49.5 and 60.8 %; with the "
                      "cells of the table 62.0 and 67.1 % (Wang 2017); with pre-trained language "
                      "models 81.6 and 87.2 % (SQLova)"),
}
