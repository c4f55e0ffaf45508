"""gradcheck: is every backward pass the derivative of its forward, and if not, where exactly is it wrong?

    python -m gradcheck                   every equation, kernel and model
    python -m gradcheck NTM-9 memn2n      some of them, by id, by name, or by the start of an id

    print(gradcheck.check_equation("NTM-9"))                 # also after numpymem.patch("NTM-9", my_sharpen)
    print(gradcheck.check_kernel("ntm.sequence"))
    print(gradcheck.check_model(model, params, inputs))

Each returns a `Result`: `.passed`, `.error`, `.wrong` (argument, index, by hand, true), and printed it is the report.
"""

from gradcheck.kernels import check_kernel
from gradcheck.models import check_model, import_all
from gradcheck.pair import check_equation
from gradcheck.report import Result, Wrong

__all__ = ["Result", "Wrong", "check_equation", "check_kernel", "check_model", "import_all"]
