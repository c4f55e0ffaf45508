"""gradcheck.follow: every gradient on its way, a line each."""

import pytest

import gradcheck
import numpymem
from numpymem.equation import find


def test_every_gradient_of_the_addressing_is_there_and_right():
    rows = gradcheck.follow("NTM-addressing").splitlines()
    assert len(rows) > 20 and all("  right" in row for row in rows)
    for name in ("dw into NTM-9 (sharpen)", "ds out of NTM-8 (shift)", "dM out of NTM-6 (cosine_similarity)", "dw_prev "):
        assert any(row.startswith(name) for row in rows), name
    assert len({row.index("  right") for row in rows}) == 1                                      # one column


def test_the_first_wrong_line_is_where_the_mistake_is():
    def mixed_up(dw_g, w_c, w_prev, g):
        dw_c, _, dg = find("NTM-7").original_backward(dw_g, w_c, w_prev, g)
        return dw_c, dw_c, dg
    with numpymem.patch("NTM-7", None, mixed_up):
        rows = gradcheck.follow("NTM-addressing").splitlines()
    wrong = [row for row in rows if "WRONG" in row]
    assert wrong[0].startswith("dw_prev out of NTM-7") and wrong[-1].startswith("dw_prev ") and len(wrong) == 2


def test_an_unknown_id_is_named():
    with pytest.raises(KeyError, match="NTM-99"):
        gradcheck.follow("NTM-99")
