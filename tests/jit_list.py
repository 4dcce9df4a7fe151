"""More real programs for tests/programs.py: runtimes that make code while they run, made to make and drop much of it.

What they run is tests/inputs/compiled.*, Compiled.* and their kin. Those that take a few seconds belong to every run
(@short), the others to --long. Page zero is readable under zpoline where the CPU has no protection keys: programs that
live by faults at NULL are then run by jump and trap only: java's and mono's null checks are such faults. With their
checks made explicit they run in every tactic. A null pointer of an emulated program is one of qemu-user's, too. The
others take no such faults.
"""
import glob
import os

from program_list import PROGRAMS, faults_at_null, program, takes

TEMURIN = max(glob.glob("/usr/lib/jvm/temurin-*-jdk-amd64"), default="/usr/lib/jvm/temurin")
# Debian's node beside another one: its packages, unpacked there (scripts/debian-node).
DEBIAN_NODE = "/opt/debian-node/usr"
OPCACHE = ("-n", "-d", "zend_extension=opcache", "-d", "opcache.enable_cli=1", "-d", "opcache.jit_buffer_size=64M",
           "-d", "opcache.jit=tracing", "-d", "opcache.validate_timestamps=1")
PHP_MODULES = ("posix", "ffi")
LIBGCCJIT = max(glob.glob("/usr/lib/gcc/x86_64-linux-gnu/*/include/libgccjit.h"), default="/usr/include/libgccjit.h")
ASMJIT = "/usr/include/asmjit/asmjit.h"


def short(function):
    """It belongs to every run. Above @program."""
    PROGRAMS[function.__name__].long = False
    return function


@short
@program("luajit")
def luajit_traces(session):
    """luajit: traces made and flushed, with system calls in them, callbacks, code of its own in every kind of memory"""
    session.take("compiled.lua")
    session.run("luajit", "compiled.lua")


# node.

def node_compiles(session, node):
    session.take("compiled.js")
    session.run(node, "--expose-gc", "compiled.js")


@short
@program("node")
def node_code(session):
    """node: functions, evaluated loops, contexts, WebAssembly, in workers, too; workers stopped while they compile"""
    node_compiles(session, "node")


@program("node")
def node_eager(session):
    """node, optimising and collecting early: the same, with code moved and thrown away more often"""
    session.take("compiled.js")
    session.run("node", "--expose-gc", "--interrupt-budget=1000", "--gc-interval=2000", "compiled.js")


@program(f"{DEBIAN_NODE}/bin/node", LD_LIBRARY_PATH=f"{DEBIAN_NODE}/lib/x86_64-linux-gnu")
def node_debian(session):
    """Debian's node, where another is installed: the same"""
    node_compiles(session, f"{DEBIAN_NODE}/bin/node")


# java. Where null checks are explicit compiled code makes no use of page zero, and the interpreter only where a null
# reference is used, which this program then doesn't.

EXPLICIT_CHECKS = ("-XX:+UnlockDiagnosticVMOptions", "-XX:-ImplicitNullChecks")


def java_classes(session, java, rounds, *words):
    session.take("Compiled.java")
    session.helper("javac", "Compiled.java", show=False)
    nulls = () if "-XX:-ImplicitNullChecks" in words else ("nulls",)
    session.run(java, "-Xmx128m", *words, "-cp", ".", "Compiled", str(rounds), *nulls)


def add_java(name, text, seconds, rounds, *words, java="java", explicit=False):
    def run(session):
        java_classes(session, java, rounds, *words)
    run.__name__ = f"java_{name}"
    run.__doc__ = f"java, {text}: classes loaded and unloaded, assumptions of compiled code that break, stack traces"
    takes(seconds)(program(java, "javac")(run))
    if not explicit:
        faults_at_null(run)
    return run


short(add_java("serial", "serial collector", 120, 20, "-XX:+UseSerialGC"))
add_java("g1", "G1", 300, 100, "-XX:+UseG1GC")
add_java("c1", "first compiler only, parallel collector", 300, 100, "-XX:TieredStopAtLevel=1", "-XX:+UseParallelGC")
add_java("c2", "second compiler only", 300, 100, "-XX:-TieredCompilation", "-XX:+UseSerialGC")
add_java("code_cache", "a small code cache that is swept", 300, 100, "-XX:ReservedCodeCacheSize=4m", "-XX:+UseG1GC")
add_java("temurin", "another version, ZGC", 300, 60, "-XX:+UseZGC", java=f"{TEMURIN}/bin/java")
short(add_java("explicit", "explicit null checks", 120, 20, "-XX:+UseSerialGC", *EXPLICIT_CHECKS, explicit=True))
add_java("explicit_g1", "explicit null checks, G1", 300, 100, "-XX:+UseG1GC", *EXPLICIT_CHECKS, explicit=True)


# Others.

@short
@program("pypy3")
def pypy_traces(session):
    """pypy3: traces made and dropped, with system calls in them, in threads and in a forked child; code of its own"""
    session.take("compiled.py")
    session.run("pypy3", "-I", "compiled.py")


@short
@program("ruby")
def ruby_yjit(session):
    """ruby --yjit: compiled methods that are redefined, in threads and in a forked child"""
    session.take("compiled.rb")
    session.run("ruby", "--yjit", "compiled.rb")


@short
@program("php")
def php_jit(session):
    """php with opcache's tracing compiler: loops with calls, functions and files made and dropped, a fork, FFI"""
    session.take("compiled.php")
    modules = [word for name in PHP_MODULES for word in ("-d", f"extension={name}")]
    session.run("php", *OPCACHE, *modules, "-d", "ffi.enable=1", "compiled.php")


@short
@program("erl", "erlc")
def erlang(session):
    """erlang's JIT: modules compiled, called and purged by processes on every scheduler; files, sockets, a port"""
    session.take("compiled.erl")
    session.helper("erlc", "compiled.erl", show=False)
    session.run("erl", "-noshell", "-noinput", "-s", "compiled", "main")


def emulate(session, emulator, compiler, *words):
    session.take("emulated.c")
    session.helper(compiler, "-static", "-O1", "-pthread", "emulated.c", "-o", "emulated", show=False)
    session.run(emulator, "./emulated", *words)


@short
@program("qemu-x86_64", "gcc")
def qemu_x86_64(session):
    """qemu-user with a static program for this CPU: calls, threads, signals, faults, generated code, fork, exec"""
    emulate(session, "qemu-x86_64", "gcc")


@faults_at_null
@program("qemu-x86_64", "gcc")
def qemu_nulls(session):
    """qemu-user with a program that uses null pointers: its addresses are the emulator's own"""
    emulate(session, "qemu-x86_64", "gcc", "nulls")


@program("qemu-aarch64", "aarch64-linux-gnu-gcc")
def qemu_aarch64(session):
    """qemu-user with a static program for ARM: the same"""
    emulate(session, "qemu-aarch64", "aarch64-linux-gnu-gcc")


def mono_runs(session, *words):
    session.take("Compiled.cs")
    session.helper("mcs", "-out:compiled.exe", "Compiled.cs", show=False)
    session.run("mono", *words)


@faults_at_null
@program("mono", "mcs")
def mono(session):
    """mono: methods made at run time, exceptions, null references, threads and collections, a child"""
    mono_runs(session, "compiled.exe", "nulls")


@program("mono", "mcs", MONO_DEBUG="explicit-null-checks")
def mono_explicit(session):
    """mono with explicit null checks: the same"""
    mono_runs(session, "compiled.exe", "nulls")


@program("sbcl")
def sbcl(session):
    """sbcl: functions compiled, collected and moved, threads, faults, a stack overflow, a timeout, a child"""
    session.take("compiled.lisp")
    session.run("sbcl", "--noinform", "--no-sysinit", "--no-userinit", "--non-interactive", "--load", "compiled.lisp")


@program(LIBGCCJIT, "gcc")
def gccjit(session):
    """libgccjit: functions with a system call instruction, compiled, run in threads and released"""
    session.take("gccjit.c")
    folder = os.path.dirname(LIBGCCJIT)
    session.helper("gcc", "-O1", "-I", folder, "gccjit.c", "-L", os.path.dirname(folder), "-lgccjit", "-pthread",
                   "-o", "made", show=False)
    session.run("./made")


@short
@program(ASMJIT, "g++")
def asmjit(session):
    """libasmjit: functions with a system call instruction, made, run and released in threads; dual mapping"""
    session.take("asmjit.cpp")
    session.helper("g++", "-O1", "asmjit.cpp", "-lasmjit", "-lrt", "-pthread", "-o", "made", show=False)
    session.run("./made")
