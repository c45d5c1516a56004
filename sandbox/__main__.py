"""`python -m sandbox`, which is `make demo`: a terminal chat with a bot over its own sandbox."""

import sys

try:
    from sandbox.demo import main

    code = main(sys.argv[1:])
except KeyboardInterrupt:  # at any moment, while it imports too
    code = 130
sys.exit(code)
