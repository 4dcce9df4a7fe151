"""Give this process, and so the programs under test, the dispositions of a terminal's: started in the background, or
by nohup, it may have inherited ignored signals, which a program started from it would never get."""
import signal


def ordinary_signals():
    for name in ("HUP", "QUIT", "TERM", "USR1", "USR2", "TSTP", "TTIN", "TTOU", "ALRM", "CHLD"):
        signal.signal(getattr(signal, "SIG" + name), signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
