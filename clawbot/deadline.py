"""The deadline of a stop: the process ends by itself, well before systemd would kill it."""

import logging
import os
import threading

# Longer than what is in flight is waited for (in_flight.FINISH_WITHIN_SECONDS) and the rest of a
# stop takes; half of TimeoutStopSec in nix/modules/clawbot.nix.
END_WITHIN_SECONDS = 45.0

log = logging.getLogger(__name__)


def end_within(seconds: float) -> None:
    """End this process in so many seconds, whatever it is at then.

    A thread of its own sees to that, since the event loop, or a thread that is waited for, may be
    what hangs. Replies are left as after a kill: they stay true, and the successor finishes them.
    """
    timer = threading.Timer(seconds, _end, [seconds])
    timer.daemon = True
    timer.start()


def _end(seconds: float) -> None:
    log.error("clawbot.cut_off after=%s", seconds)
    os._exit(0)
