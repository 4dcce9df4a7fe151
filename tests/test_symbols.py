#!/usr/bin/python3
"""The finished libzlazy.so, checked with binutils: what it shows to others, and what its code may not contain.

- it exports exactly what agent/zlazy.map lists
- undefined: a short list of weak symbols of the dynamic linker and libc, used by the agent's start-up only: no function
  of base/, trampoline/, lazy/, threads/, nor agent/dispatch.c refers to one
- initfirst, a soname, no executable stack, no text relocations, no thread-local storage
- no vector, x87 or mask register, but in the functions that save and restore them
- nothing relative to fs (no stack protector, no TLS)
- every instruction that enters the kernel lies in section zl_gate, but for the two traps
- zl_gate goes on after the last of them: the kernel compares the address after the instruction

    tests/test_symbols.py --build build      last line: N passed, N failed, N skipped
"""
import argparse
import collections
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What the start-up may ask the dynamic linker and libc for; all weak, so that the library loads without them.
MAY_BE_UNDEFINED = {"dlmopen", "dlsym", "dlerror", "dlinfo", "dlvsym", "environ", "__environ", "gnu_get_libc_version"}
# The compiler's own start files refer to them.
START_FILES = {"_ITM_deregisterTMCloneTable", "_ITM_registerTMCloneTable", "__cxa_finalize", "__gmon_start__"}
START_CODE = {"_init", "_fini", "deregister_tm_clones", "register_tm_clones", "__do_global_dtors_aux", "frame_dummy"}
HOT_FOLDERS = ("base", "trampoline", "lazy", "threads")
HOT_FILES = ("agent/dispatch.c",)
# They hold the program's vector state, and so the only instructions on it.
VECTOR_FUNCTIONS = {"zl_save_vectors", "zl_restore_vectors", "zl_save_for_frame", "zl_entry_trapped", "zl_save_parts",
                    "zl_store_parts", "zl_restore_parts", "zl_load_parts", "zl_settle_parts"}
VECTOR_MAY_USE = re.compile(r"xsave|xrstor|fxsave|fxrstor|fninit|v?(?:ld|st)mxcsr|movaps|vmovdqa|kmovq|vzeroupper|tilerelease")
TRAPS = {"zl_null_trap", "zl_deliver_trap"}
VECTOR = re.compile(r"%(?:[xyz]mm\d|mm\d|st\b|k[0-7]\b|tmm\d)")
X87_OR_STATE = re.compile(r"^(?:f[a-z0-9]+|v?(?:ld|st)mxcsr|xsave\w*|xrstor\w*|v?zeroupper|v?zeroall|emms)$")
ENTERS = re.compile(r"^(?:syscall|sysenter|int\s+\$0x80)\b")


def tool(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"}).stdout


def functions_of(path):
    """(size, name) of each function that a file defines. Labels of assembly have size 0."""
    rows = [line.split() for line in tool("readelf", "--syms", "-W", path).splitlines() if re.match(r"\s*\d+:", line)]
    return [(int(row[2], 0), row[7]) for row in rows if len(row) > 7 and row[3] in ("FUNC", "NOTYPE") and row[6] != "UND"]


class Function:
    def __init__(self, name, section):
        self.name, self.section, self.code = name, section, []  # code: (address, instruction)
        self.size = 0


class Library:
    """What binutils tell of one shared object."""

    def __init__(self, build, version_map):
        self.build, self.version_map, self.path = build, version_map, os.path.join(build, "libzlazy.so")
        self.symbols = [line.split() for line in tool("readelf", "--dyn-syms", "-W", self.path).splitlines()
                        if re.match(r"\s*\d+:", line)]
        self.dynamic = tool("readelf", "-d", "-W", self.path)
        self.segments = tool("readelf", "-l", "-W", self.path)
        self.relocations = tool("readelf", "-r", "-W", self.path)
        self.sections = tool("readelf", "-S", "-W", self.path)
        self.functions = self.disassemble()

    def exported(self):
        return {row[7].split("@")[0] for row in self.symbols if len(row) > 7 and row[6] not in ("UND", "ABS")}

    def undefined(self):
        """Name: binding."""
        return {row[7].split("@")[0]: row[4] for row in self.symbols if len(row) > 7 and row[6] == "UND"}

    def disassemble(self):
        functions, section = [], None
        sizes = {value: size for value, size in re.findall(
            r"^\s*\d+: 0*([0-9a-f]+)\s+(\d+) FUNC ", tool("readelf", "--syms", "-W", self.path), re.M)}
        for line in tool("objdump", "-d", "--no-show-raw-insn", "-w", self.path).splitlines():
            if line.startswith("Disassembly of section "):
                section = line.split()[-1].rstrip(":")
            elif match := re.match(r"0*([0-9a-f]+) <([^>]+)>:$", line):
                functions.append(Function(match[2], section))
                functions[-1].size = int(sizes.get(match[1], 0))
            elif match := re.match(r"\s+([0-9a-f]+):\t(.*)$", line):
                functions[-1].code.append((int(match[1], 16), match[2].strip()))
        return functions

    def owners(self):
        """(Function name, size): source files, from the object files of this build. A static function may have the
        name of another one elsewhere, and where the size doesn't tell them apart either, both files are answered."""
        owners = collections.defaultdict(set)
        for place, _, names in os.walk(self.build):
            for name in names:
                source = re.search(r"/((?:%s|agent)/\w+\.[cS])\.o$" % "|".join(HOT_FOLDERS), os.path.join(place, name))
                if source and "/libzlazy.dir/" in os.path.join(place, name):
                    for size, symbol in functions_of(os.path.join(place, name)):
                        owners[symbol, size].add(source[1])
        return owners

    def gate_end(self):
        """Address after section zl_gate; 0 if there is none."""
        row = re.search(r"\bzl_gate\s+PROGBITS\s+(\w+)\s+\w+\s+(\w+)", self.sections)
        return int(row[1], 16) + int(row[2], 16) if row else 0


def is_in(function, names):
    """objdump also shows labels inside of a function as functions: those of the two traps are named after them."""
    return any(function.name == name or function.name.startswith(name + "_") for name in names)


def check_exports(library):
    """it exports what agent/zlazy.map lists"""
    with open(library.version_map, encoding="utf-8") as file:
        text = re.sub(r"/\*.*?\*/|#.*", "", file.read(), flags=re.S)
    listed = re.search(r"global:(.*?)(?:local:|\})", text, re.S)
    allowed = set(re.findall(r"\w+", listed[1])) if listed else set()
    exported = library.exported()
    return ([f"exported, but not in the map: {name}" for name in sorted(exported - allowed)]
            + [f"in the map, but not exported: {name}" for name in sorted(allowed - exported)])


def check_undefined(library):
    """undefined symbols are weak and few"""
    return [f"undefined: {name} ({binding.lower()})" for name, binding in sorted(library.undefined().items())
            if name not in MAY_BE_UNDEFINED | START_FILES or binding != "WEAK"]


def is_hot(source):
    return source.startswith(tuple(f"{folder}/" for folder in HOT_FOLDERS)) or source in HOT_FILES


def check_hot_references(library):
    """the hot path refers to no undefined symbol"""
    slots = {int(offset, 16): name for offset, name in re.findall(
        r"^([0-9a-f]+)\s+[0-9a-f]+\s+R_X86_64_(?:GLOB_DAT|JUMP_SLOT|64)\s+[0-9a-f]+\s+(\w+)", library.relocations, re.M)
        if name in library.undefined()}
    owners, wrong = library.owners(), []
    if not owners:
        return ["no object files in the build folder: can't tell which function is whose"]
    for function in library.functions:
        owner = next((file for file in sorted(owners.get((function.name, function.size), ())) if is_hot(file)), None)
        if not owner:
            continue
        for _, text in function.code:
            target = re.search(r"# ([0-9a-f]+) <", text)
            if target and int(target[1], 16) in slots or "@plt" in text:
                wrong.append(f"{owner}: {function.name}: {text}")
    return wrong


def check_dynamic(library):
    """initfirst, soname, stack, text relocations, thread-local storage"""
    wrong = []
    if not re.search(r"\(FLAGS_1\).*\bINITFIRST\b", library.dynamic):
        wrong.append("not linked with -z initfirst")
    if not re.search(r"\(SONAME\).*\[libzlazy\.so", library.dynamic):
        wrong.append("no soname")
    if re.search(r"\(TEXTREL\)|\bTEXTREL\b", library.dynamic):
        wrong.append("text relocations")
    if re.search(r"^\s*TLS\b", library.segments, re.M) or re.search(r"TPOFF|DTPMOD|TLSDESC", library.relocations):
        wrong.append("thread-local storage")
    stack = re.search(r"^\s*GNU_STACK\b.*$", library.segments, re.M)
    if not stack or "E" in stack[0].split()[-2]:
        wrong.append("executable stack")
    return wrong


def wrong_vector_use(function, text):
    words = text.split()
    if words and words[0] in ("lock", "rep", "repz", "repnz", "notrack", "bnd"):
        words = words[1:]
    if not words or not (VECTOR.search(text) or X87_OR_STATE.match(words[0])):
        return False
    return not (is_in(function, VECTOR_FUNCTIONS) and VECTOR_MAY_USE.match(words[0]))


def check_vectors(library):
    """no vector register, but where they are saved and restored"""
    return [f"{f.name}: {address:x}: {text}" for f in library.functions for address, text in f.code
            if wrong_vector_use(f, text)]


def check_fs(library):
    """nothing relative to fs, no stack protector"""
    wrong = [f"{f.name}: {address:x}: {text}" for f in library.functions for address, text in f.code if "%fs:" in text]
    return wrong + [f"undefined: {name}" for name in library.undefined() if "stack_chk" in name]


def check_gate(library):
    """only zl_gate enters the kernel, but for the two traps"""
    outside = [f"{f.name} ({f.section}): {address:x}: {text}" for f in library.functions for address, text in f.code
               if ENTERS.match(text) and f.section != "zl_gate" and not is_in(f, TRAPS)]
    inside = sum(bool(ENTERS.match(text)) for f in library.functions if f.section == "zl_gate" for _, text in f.code)
    return outside + ([] if inside else ["zl_gate has no instruction that enters the kernel"])


def check_end(library):
    """the last instruction of zl_gate that enters the kernel is not its last"""
    end = library.gate_end()
    return [f"{f.name}: {address:x}: {text}, and the section ends at {end:x}" for f in library.functions
            if f.section == "zl_gate" for address, text in f.code if ENTERS.match(text) and address + 2 >= end]


def check_owners(library):
    """every function is known by its source file"""
    owners = library.owners()
    return [f"whose is {f.name}, of {f.size} bytes?" for f in library.functions
            if (f.name, f.size) not in owners and f.name not in START_CODE and "@plt" not in f.name]


CHECKS = (check_exports, check_undefined, check_owners, check_hot_references, check_dynamic, check_vectors, check_fs, check_gate,
          check_end)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--map", default=os.path.join(ROOT, "agent", "zlazy.map"))
    options = parser.parse_args()
    build = os.path.abspath(options.build)
    if not os.path.exists(os.path.join(build, "libzlazy.so")):
        print(f"test_symbols.py: no {build}/libzlazy.so: build first")
        return 2
    library, failed = Library(build, options.map), 0
    for check in CHECKS:
        wrong = check(library)
        if wrong:
            failed += 1
            print(f"FAIL symbols: {check.__doc__}:", *wrong[:20], sep="\n    ")
    print(f"{len(CHECKS) - failed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
