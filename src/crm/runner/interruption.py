"""An end that was asked for: SIGINT, SIGTERM or SIGHUP becomes an exception, except while a run is published."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Interrupted(BaseException):
    """The run was asked to end. Not an Exception, so that nothing on the way takes it for a failure of its own."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.name = signal.Signals(number).name
        self.exit_status = 128 + number


class Interruption:
    """Turns the first signal into Interrupted, raised in the main thread; later ones are not needed."""

    def __init__(self) -> None:
        self._delayed = False
        self._received: int | None = None

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """While this lasts, signals raise Interrupted. A signal that was being ignored (nohup) still is."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in _SIGNALS}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:
                signal.signal(number, self._receive)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    @contextlib.contextmanager
    def delayed(self) -> Iterator[None]:
        """What must not be cut in two: a signal that comes meanwhile has come too late."""
        self._delayed = True
        try:
            yield
        finally:
            self._delayed = False

    def _receive(self, number: int, frame: FrameType | None) -> None:
        del frame
        first, self._received = self._received is None, number
        if first and not self._delayed:
            raise Interrupted(number)
