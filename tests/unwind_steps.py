"""Inside gdb (tests/test_unwind.py): step from the site to the instruction behind it, and unwind from each on the way.

With UNWIND_TACTIC=trap: from a few instructions of the agent's handler.
Prints one line for each instruction from which main is not reached by way of deepest and middle with rbx intact,
and `steps N` at the end: the instructions between site and site, or in the handler.
"""
import os

import gdb

MOST_STEPS = 5000
NUMBER, RBX = int(os.environ["UNWIND_NUMBER"]), 0x1234


def names():
    frame, found = gdb.newest_frame(), []
    while frame is not None and len(found) < 40:
        found.append(frame.name())
        if frame.name() == "deepest" and int(frame.read_register("rbx")) != RBX:
            return "rbx is %#x in deepest" % int(frame.read_register("rbx"))
        frame = frame.older()
    return found


def is_whole(found):
    return isinstance(found, list) and [n for n in found if n in ("deepest", "middle", "main")] == \
        ["deepest", "middle", "main"]


def pc():
    return int(gdb.parse_and_eval("(unsigned long)$pc"))


def show_if_lost():
    found = names()
    if not is_whole(found):
        print("LOST at %s: %s" % (gdb.execute("x/i $pc", to_string=True).strip(), found))


def is_in_handler():
    frame = gdb.newest_frame()
    while frame is not None and frame.type() != gdb.SIGTRAMP_FRAME:
        frame = frame.older()
    return frame is not None


def go_through_handler():
    gdb.execute("break *unwind_site", to_string=True)
    gdb.execute("continue", to_string=True)
    gdb.execute("delete", to_string=True)
    gdb.execute("break *zl_real_handler", to_string=True)
    gdb.execute("continue", to_string=True)
    steps = 0
    for _ in range(10):
        show_if_lost()
        steps += is_in_handler()
        gdb.execute("stepi", to_string=True)
    print("steps %d" % steps)


def go():
    site = int(gdb.parse_and_eval("(unsigned long)&unwind_site"))
    gdb.execute("break deepest", to_string=True)   # not at the site: its bytes change
    for _ in range(3):   # the first call is a trap, which rewrites the site
        gdb.execute("continue", to_string=True)
    gdb.execute("delete", to_string=True)
    gdb.execute("set variable number = %d" % NUMBER, to_string=True)
    while pc() != site:
        gdb.execute("stepi", to_string=True)
    for steps in range(1, MOST_STEPS):
        gdb.execute("stepi", to_string=True)
        if pc() == site + 2:
            print("steps %d" % steps)
            return
        show_if_lost()
    print("never came back")


if os.environ["UNWIND_TACTIC"] == "trap":
    go_through_handler()
else:
    go()
