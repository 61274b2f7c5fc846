"""Ctrl-C during a long computation of the engine's, which asks Python now and then whether to go on."""

from __future__ import annotations

import signal
import threading


class Interrupts:
    """Keeps what the handler of SIGINT raises while it is entered, and raises it at the end.

    An exception cannot pass through the engine, and one that is raised before the first line of a callback is lost.
    """

    def __init__(self):
        self.raised: BaseException | None = None
        self._handler = None

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            handler = signal.getsignal(signal.SIGINT)
            if callable(handler):
                try:
                    signal.signal(signal.SIGINT, self._handle)
                except ValueError:  # an interpreter within another, which has no signals
                    return self
                self._handler = handler
        return self

    def _handle(self, number: int, frame) -> None:
        try:
            self._handler(number, frame)
        except BaseException as error:
            self.raised = error

    def __exit__(self, *_) -> None:
        if self._handler is not None:
            signal.signal(signal.SIGINT, self._handler)
        if self.raised is not None:
            raise self.raised
