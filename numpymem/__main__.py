"""python -m numpymem"""

import sys

from numpymem.cli import main

sys.exit(main())
