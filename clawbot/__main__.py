import sys

try:
    from clawbot.cli import main

    code = main()
except KeyboardInterrupt:  # at any moment, while it imports too
    code = 130
sys.exit(code)
