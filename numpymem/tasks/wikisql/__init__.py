"""Questions about tables and their SQL queries (WikiSQL; Zhong et al. 2017, arXiv:1709.00103), in the segments form.

`aggregate` has the two tasks that need the question only, with the official parts; `select` and `query` need the header, so they
take the questions about complete tables, split by table. `task` is what all share, `spelling` and `encoding` turn words and headers
into numbers, `match` marks the words that question and header share, `floors` has what can be had without a network.
"""
