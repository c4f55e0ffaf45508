"""A museum of real bugs: what popular implementations of memory networks really shipped, as patches of numpymem.

    python -m gradcheck.museum                        the table
    python -m gradcheck.museum flat-shift             one exhibit, its code, and its effects measured now
    python -m gradcheck.museum --train                train with every bug again (minutes), and write results.json

    from gradcheck import museum
    with museum.find("flat-shift").installed():       # the bug is in numpymem inside the block
        ...
    museum.EXHIBITS[0].source, .gradcheck_verdict, .meaning_verdict, .training

Some bugs pass every gradient check and still learn: the derivative of a wrong forward is right all the same. Tests of meaning
(gradcheck.meaning) catch most of these; what nothing catches has to be measured by training. An exhibit says where its bug
was shipped and how that is known; the code of the patch is ours.
"""

from gradcheck.museum import ntm_addressing, ntm_wiring, memn2n, training  # noqa: F401  they fill EXHIBITS, in this order
from gradcheck.museum.exhibit import EXHIBITS, Exhibit, find

__all__ = ["EXHIBITS", "Exhibit", "find"]
