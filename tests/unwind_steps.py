"""Inside gdb (tests/test_unwind.py): step from the site to the instruction behind it, and unwind from each on the way.

UNWIND_FORM is the form of call of tests/guests/unwind.c. With UNWIND_TACTIC=trap: from a few instructions of the
agent's handler. Prints one line for each instruction from which main is not reached by way of deepest and middle with rbx intact,
and `steps N` at the end: the instructions between site and site, or in the handler. The lines begin with LOST; with
`stub:` where it is an instruction of a stub, or of the padding that leads there, of which nothing is promised; with
`gap:` where a call by a stub has its return address in no register and no memory that a table can name.
"""
import os

import gdb

MOST_STEPS, MOST_LOST = 5000, 20
NUMBER, FORM, RBX = int(os.environ["UNWIND_NUMBER"]), os.environ["UNWIND_FORM"], 0x1234
FORMS = ("site", "mov_39", "mov_500", "cave")
DEEPEST = "deepest" if FORM == "site" else "deepest_" + FORM


def names():
    frame, found = gdb.newest_frame(), []
    while frame is not None and len(found) < 40:
        found.append(frame.name())
        if frame.name() == DEEPEST and int(frame.read_register("rbx")) != RBX:
            return "rbx is %#x in deepest" % int(frame.read_register("rbx"))
        frame = frame.older()
    return found


def is_whole(found):
    return isinstance(found, list) and [n for n in found if n in (DEEPEST, "middle", "main")] == \
        [DEEPEST, "middle", "main"]


def value(text):
    return int(gdb.parse_and_eval("(unsigned long)" + text))


def pc():
    return value("$pc")


def is_of_stub():
    """Neither of the functions of an object that is loaded, nor of page zero and its sled."""
    frame = gdb.newest_frame()
    name = gdb.solib_name(pc())
    padding = value("&unwind_cave_after") + 16   # behind the end of the function
    return FORM != "site" and ((name is None and frame.name() is None) or
                               (value("&unwind_cave_after") < pc() < padding and frame.name() != "middle"))


def show_if_lost():
    found = names()
    lost = not is_whole(found)
    if lost:
        print("%s at %s: %s" % (word_for(found), gdb.execute("x/i $pc", to_string=True).strip(), found))
    return lost


def word_for(found):
    if is_of_stub():
        return "stub:"
    in_agent = isinstance(found, list) and found[0] in ("zl_entry_jump", "zl_gate_call") and "main" not in found
    return "gap:" if FORM != "site" and in_agent else "LOST"


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
    for steps in range(1, MOST_STEPS):
        if lost > MOST_LOST:
            break
        gdb.execute("stepi", to_string=True)
        if pc() == after:
            print("steps %d" % steps)
            return
        if pc() == value("&zl_entry_stub"):
            print("by zl_entry_stub")
        lost += show_if_lost()
    print("never came back")


if os.environ["UNWIND_TACTIC"] == "trap":
    go_through_handler()
else:
    go()
