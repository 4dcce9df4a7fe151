"""Types into an interactive bash on a terminal of its own, keys included, and prints what the terminal shows.

Each step is a line to type, and what to wait for before the next one: the prompt, or a word of the program that is then
in the foreground. Programs write such words themselves, when they are ready, and so that the typed line has them in
another form.
"""
import os
import pty
import re
import select
import time

PROMPT = "READY> "
SECONDS = 60
STOP, INTERRUPT, QUIT, END = "\x1a", "\3", "\x1c", "\4"
ASLEEP = """sh -c 'echo a"sle"ep; exec sleep 300'"""
# It speaks after its trap: bash loses a signal that comes while the trap of the same signal runs.
AGAIN = """bash -c 'trap "on=1" CONT; echo lo"op"; while :; do if [ "$on" ]; then on=; echo "on"" again"; fi; done'"""
STEPS = (
    ("set -o | grep monitor", PROMPT),
    ("sleep 300 & jobs", PROMPT),
    ("""kill -STOP %1; until [ "$(jobs -ps)" ]; do sleep 0.1; done""", PROMPT),
    ("jobs", PROMPT),
    ("bg %1", PROMPT),
    ("jobs", PROMPT),
    ("kill %1; wait %1; echo status $?", PROMPT),
    (AGAIN, "loop"),
    (STOP, PROMPT),
    ("echo status $?; jobs", PROMPT),
    (AGAIN, "loop"),
    (STOP, PROMPT),
    ("jobs", PROMPT),
    ("fg", "on again"),
    (STOP, PROMPT),
    ("fg %1", "on again"),
    (INTERRUPT, PROMPT),
    ("fg", "on again"),
    (INTERRUPT, PROMPT),
    ("jobs; echo none", PROMPT),
    (ASLEEP, "asleep"),
    (INTERRUPT, PROMPT),
    ("echo status $?", PROMPT),
    (ASLEEP, "asleep"),
    (QUIT, PROMPT),
    ("echo status $?", PROMPT),
    ("trap 'echo got INT' INT", PROMPT),
    (ASLEEP, "asleep"),
    (INTERRUPT, PROMPT),
    ("echo status $?", PROMPT),
    ("trap - INT", PROMPT),
    ("""bash -c 'trap "echo inner INT; exit 3" INT; echo lo"op"; while :; do :; done'""", "loop"),
    (INTERRUPT, PROMPT),
    ("echo status $?", PROMPT),
    ("""bash -c 'trap "echo inner TSTP" TSTP; trap "exit 5" QUIT; echo lo"op"; while :; do :; done'""", "loop"),
    (STOP, "inner TSTP"),
    (QUIT, PROMPT),
    ("echo status $?", PROMPT),
    ("""bash -c 'trap "echo usr1" USR1; (kill -USR1 $$; sleep 0.1; exit 4) & wait $! || wait $!; echo $?'""", PROMPT),
    ("(sleep 0.2; exit 4) & wait -n; echo status $?", PROMPT),
    ("trap 'children=$((children+1))' CHLD; for i in 1 2 3; do (exit $i); done; trap - CHLD; echo $children", PROMPT),
    ("cat", "cat\n"),
    ("a line", "a line\na line\n"),
    (END, PROMPT),
    ("""bash -c 'set -m; sleep 300 & ps -o pgid= $! | grep -cw $!; kill %1; wait $!; echo $?; sleep 0.1 | cat; fg'""",
     PROMPT),
    ("""cat & until [ "$(jobs -ps)" ]; do sleep 0.1; done""", PROMPT),  # it reads from the terminal
    ("exit", PROMPT),  # There are stopped jobs.
    ("fg", "cat\n"),
    ("a line", "a line\na line\n"),
    (END, PROMPT),
    ("exit 7", None),
)


class Terminal:
    def __init__(self):
        self.text, self.seen = "", 0
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(PS1=PROMPT, TERM="dumb")
            os.execvp("bash", ["bash", "--norc", "--noprofile", "--noediting", "-i"])

    def wait_for(self, word):
        """Until word is shown, after the last thing that was waited for."""
        end = time.monotonic() + SECONDS
        while word not in self.text[self.seen:]:
            if time.monotonic() > end:
                raise SystemExit(f"{word!r} does not come: {self.text[-500:]!r}")
            if select.select([self.fd], [], [], 1)[0]:
                self.text += os.read(self.fd, 4096).decode().replace("\r", "")
        self.seen = self.text.index(word, self.seen) + len(word)

    def type(self, text):
        os.write(self.fd, (text if len(text) == 1 else text + "\n").encode())

    def rest(self):
        """The status of the shell, once it has ended."""
        try:
            while data := os.read(self.fd, 4096):
                self.text += data.decode().replace("\r", "")
        except OSError:
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def main():
    terminal = Terminal()
    terminal.wait_for(PROMPT)
    for text, word in STEPS:
        terminal.type(text)
        if word:
            terminal.wait_for(word)
    status = terminal.rest()
    print(re.sub(r"(?m)^(\[\d+\]) \d+$", r"\1 PID", terminal.text))
    print("bash:", status)


main()
