"""Inside gdb (tests/test_unwind.py): step from the site to the instruction behind it, and unwind from each on the way.

UNWIND_FORM is the form of call of tests/guests/unwind.c. With UNWIND_TACTIC=trap: from the agent's handler on.
Prints one line that begins with LOST for each instruction from which main is not reached by way of deepest and middle,
with rbx intact and deepest at its call, and `steps N` at the end: the instructions between site and site.
"""
import os

import gdb

MOST_STEPS, MOST_LOST = 10000, 20
NUMBER, FORM, RBX = int(os.environ["UNWIND_NUMBER"]), os.environ["UNWIND_FORM"], 0x1234
FORMS = ("site", "mov_39", "mov_500", "cave", "i386")
DEEPEST = "deepest" if FORM == "site" else "deepest_" + FORM
SITE_SIZE = 2


def callers(end):
    """The functions, and what is wrong with the registers of deepest, if anything."""
    frame, found, wrong = gdb.newest_frame(), [], None
    while frame is not None and len(found) < 40:
        found.append(frame.name())
        if frame.name() == DEEPEST:
            wrong = what_is_wrong(frame, end)
        frame = frame.older()
    return found, wrong


def what_is_wrong(frame, end):
    if int(frame.read_register("rbx")) != RBX:
        return "rbx is %#x" % int(frame.read_register("rbx"))
    return "pc is %#x" % frame.pc() if frame.level() > 0 and frame.pc() != end else None


def is_whole(found):
    return [n for n in found if n in (DEEPEST, "middle", "main")] == [DEEPEST, "middle", "main"]


def value(text):
    return int(gdb.parse_and_eval("(unsigned long)" + text))


def pc():
    return value("$pc")


def show_if_lost(end):
    """end: of the instruction of deepest that has led here."""
    found, wrong = callers(end)
    lost = wrong is not None or not is_whole(found)
    if lost:
        print("LOST at %s: %s, %s" % (gdb.execute("x/i $pc", to_string=True).strip(), found, wrong))
    return lost


def go_to_handler():
    """A step would go over it."""
    gdb.execute("break *zl_real_handler", to_string=True)
    gdb.execute("continue", to_string=True)
    gdb.execute("delete", to_string=True)


def go():
    site, after = value("&unwind_" + FORM), value("&unwind_%s_after" % FORM)
    gdb.execute("set variable form = %d" % FORMS.index(FORM), to_string=True)
    gdb.execute("break *%s" % DEEPEST, to_string=True)   # not at the site: its bytes change
    for _ in range(3):   # the first call is a trap, which rewrites the site
        gdb.execute("continue", to_string=True)
    gdb.execute("delete", to_string=True)
    gdb.execute("set variable number = %d" % NUMBER, to_string=True)
    while pc() != site:
        gdb.execute("stepi", to_string=True)
    lost = 0
    if os.environ["UNWIND_TACTIC"] == "trap":
        go_to_handler()
        lost += show_if_lost(after)
    for steps in range(1, MOST_STEPS):
        if lost > MOST_LOST:
            break
        gdb.execute("stepi", to_string=True)
        if pc() == after:
            print("steps %d" % steps)
            return
        if pc() == value("&zl_entry_stub"):
            print("by zl_entry_stub")
        in_mov = FORM.startswith("mov") and steps == 1   # its number has not been loaded yet
        lost += show_if_lost(after - SITE_SIZE if in_mov else after)
    print("never came back")


go()
