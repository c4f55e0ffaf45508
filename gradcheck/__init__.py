r"""gradcheck: is every backward pass the derivative of its forward, and if not, where exactly is it wrong?

    python -m gradcheck                   every equation, kernel and model
    python -m gradcheck NTM-9 memn2n      some of them, by id, by name, or by the start of an id
    python -m gradcheck --chain           every gradient on its way through steps, models and kernels
    python -m gradcheck --html page.html  the report as a page, with formulas, sources and pictures
    python -m gradcheck --mutate          would it notice? break everything and count

    print(gradcheck.check_equation("NTM-9"))                 # also after numpymem.patch("NTM-9", my_sharpen)
    print(gradcheck.check_kernel("ntm.sequence"))
    print(gradcheck.check_model(model, params, inputs))
    print(gradcheck.follow("NTM-step"))                      # every gradient on its way, a line each
    print(gradcheck.investigate())                           # the one mistake behind many failures
    print(gradcheck.check(forward, backward, inputs))        # any pair of functions, not of numpymem (gradcheck/plain.py)
    print(*gradcheck.check_meaning(), sep="\n")              # what no gradient check can see: is it the right forward?
    hunt = gradcheck.bug_hunt(seed=1)                        # plants a bug for you to find (gradcheck/mutation/hunt.py)

Each check returns a `Result`: `.passed`, `.error`, `.wrong` (argument, index, by hand, true, hints), and printed it is the report.
"""

from numpymem.mistakes import told_in_one_line

with told_in_one_line():
    from gradcheck.follow import follow
    from gradcheck.investigate import investigate
    from gradcheck.kernels import check_kernel
    from gradcheck.kernels.chain import check_kernel_chain
    from gradcheck.meaning import check_meaning
    from gradcheck.models import check_model, import_all
    from gradcheck.mutation.hunt import bug_hunt
    from gradcheck.pair import check_equation
    from gradcheck.plain import check
    from gradcheck.report import Result, Wrong

__all__ = ["Result", "Wrong", "bug_hunt", "check", "check_equation", "check_kernel", "check_kernel_chain", "check_meaning",
           "check_model", "follow", "import_all", "investigate"]
