#!/usr/bin/python3
"""The layers and the cheap limits of the style, checked on the sources.

- base -> trampoline -> lazy -> threads -> agent: a file includes only its own folder, those before it, zlazy.h, what
  the build generates, and system headers; a file of tools/ only its own and base/
- quoted includes name a file from the root of the tree, and one that exists; nobody outside of a folder's layer
  includes "../"
- base/poison.h is the last include of every .c of the agent that includes it, and all of lazy/, threads/ and agent/
  do, but for the one that calls the dynamic linker
- no source file is longer than 500 lines; no C function than 80 (needs universal-ctags; tables count too)

    tests/test_layers.py [--root DIR]       last line: N passed, N failed, N skipped
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

LAYERS = ("base", "trampoline", "lazy", "threads", "agent")
POISONED = ("lazy", "threads", "agent")
NOT_POISONED = ("agent/load.c",)  # calls the dynamic linker
FOLDERS = (*LAYERS, "tools", "include", "examples", "bench", "tests", "stress", "scripts", ".ci")
GENERATED = {"zl_names.h": ("agent", "tools")}
PUBLIC = ("zlazy/zlazy.h",)
FILE_LINES, FUNCTION_LINES = 500, 80
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)', re.M)


def allowed_folders(folder):
    if folder in LAYERS:
        return LAYERS[:LAYERS.index(folder) + 1]
    return ("tools", "base")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def sources(root, folders, endings):
    """Paths below the root, sorted."""
    found = []
    for folder in folders:
        for place, _, names in os.walk(os.path.join(root, folder)):
            found += [os.path.relpath(os.path.join(place, name), root) for name in names
                      if endings is None or name.endswith(endings)]
    return sorted(found)


def wrong_include(root, path, quoted):
    """Why this include is against the layers, or None."""
    folder = path.split(os.sep)[0]
    if quoted in GENERATED:
        return None if folder in GENERATED[quoted] else f"{quoted} is for {' and '.join(GENERATED[quoted])}"
    if quoted in PUBLIC:
        return None
    target = quoted.split("/")[0]
    if target not in allowed_folders(folder):
        return f"{folder}/ must not include {quoted}"
    if not os.path.isfile(os.path.join(root, quoted)):
        return f"{quoted} does not exist"
    return None


def check_includes(root):
    """includes go downwards only"""
    wrong = []
    for path in sources(root, (*LAYERS, "tools"), (".c", ".h", ".S")):
        for quoted, _ in INCLUDE.findall(read(os.path.join(root, path))):
            why = wrong_include(root, path, quoted) if quoted else None
            if why:
                wrong.append(f"{path}: {why}")
    return wrong


def check_poison(root):
    """base/poison.h comes last"""
    wrong = []
    for path in sources(root, LAYERS, (".c",)):
        unconditional = re.split(r"^#if", read(os.path.join(root, path)), maxsplit=1, flags=re.M)[0]
        names = [quoted or system for quoted, system in INCLUDE.findall(unconditional)]
        if "base/poison.h" in names and names[-1] != "base/poison.h":
            wrong.append(f"{path}: base/poison.h is not the last include")
        if "base/poison.h" not in names and path.split(os.sep)[0] in POISONED and path not in NOT_POISONED:
            wrong.append(f"{path}: base/poison.h is missing")
    return wrong


def is_script(root, path):
    if "." in os.path.basename(path):
        return False
    with open(os.path.join(root, path), "rb") as file:
        return file.read(2) == b"#!"


def check_file_length(root):
    """no source file is too long"""
    endings = (".c", ".h", ".S", ".cc", ".py")
    files = [path for path in sources(root, FOLDERS, None) if path.endswith(endings) or is_script(root, path)]
    lengths = [(path, read(os.path.join(root, path)).count("\n")) for path in files]
    return [f"{path}: {lines} lines, more than {FILE_LINES}" for path, lines in lengths if lines > FILE_LINES]


def check_function_length(root):
    """no function is too long"""
    files = sources(root, (*LAYERS, "tools", "examples", "bench"), (".c", ".h"))
    words = ["ctags", "-f", "-", "--languages=C", "--kinds-C=f", "--fields=+ne", "-n", *files]
    listing = subprocess.run(words, cwd=root, capture_output=True, text=True, check=True).stdout
    wrong = []
    for row in re.finditer(r"^(\S+)\t(\S+)\t(\d+);\".*\bend:(\d+)", listing, re.M):
        lines = int(row[4]) - int(row[3]) + 1
        if lines > FUNCTION_LINES:
            wrong.append(f"{row[2]}:{row[3]}: {row[1]}() has {lines} lines, more than {FUNCTION_LINES}")
    return wrong


def why_no_ctags():
    if not shutil.which("ctags"):
        return "ctags is not installed"
    version = subprocess.run(["ctags", "--version"], capture_output=True, text=True).stdout
    return None if "Universal" in version else "ctags is not universal-ctags"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    root = parser.parse_args().root
    passed = failed = skipped = 0
    for check in (check_includes, check_poison, check_file_length, check_function_length):
        reason = why_no_ctags() if check is check_function_length else None
        wrong = [] if reason else check(root)
        if reason:
            print(f"SKIP layers: {check.__doc__}: {reason}")
        elif wrong:
            print(f"FAIL layers: {check.__doc__}:", *wrong, sep="\n    ")
        passed, failed, skipped = passed + (not wrong and not reason), failed + bool(wrong), skipped + bool(reason)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
