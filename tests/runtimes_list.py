"""Long programs of tests/programs.py: language runtimes, a shell, and what else lives by threads and signals."""
import os
import re
import signal
import sys
import time
import xml.etree.ElementTree

from program_list import faults_at_null, program, shared_folder, takes
from sessions import Trouble

CPYTHON = "/usr/bin/python3"
# Its tests, from the package libpython3.11-testsuite, in groups of a minute or two.
CPYTHON_TESTS = {
    "signal": ("test_signal", "test_threadsignals", "test_eintr"),
    "threading": ("test_threading", "test_thread", "test_mmap", "test_resource", "test_posix"),
    "subprocess": ("test_subprocess", "test_os"),
    "socket": ("test_socket", "test_select", "test_faulthandler", "test_ctypes"),
    "asyncio": ("test_asyncio",),
    "fork": ("test_multiprocessing_fork",),
    "spawn": ("test_multiprocessing_spawn",),
}


def cpython_results(path):
    """The report of CPython's tests, without times: counts, what was skipped and why, what failed and how."""
    cases = list(xml.etree.ElementTree.parse(path).getroot().iter("testcase"))
    lines = [f"{len(cases)} tests"]
    for case in cases:
        for part in case:
            text = (part.get("message") or part.text or "").strip().splitlines()[-4:]
            if part.tag not in ("system-out", "system-err"):
                lines.append(f"{case.get('name')}: {part.tag}: {' / '.join(text)}")
    return "\n".join(sorted(lines))


def run_cpython_tests(session, tests):
    session.open_to_all()  # some of the tests change to another user
    run = session.start(CPYTHON, "-m", "test", "-i", "*VSOCK*", "--junit-xml", session.path("results.xml"), *tests,
                        quiet=True)
    output = session.finish(run)
    report = session.path("results.xml")
    if not os.path.exists(report):
        raise Trouble("no report: " + " / ".join(output.splitlines()[-20:]))
    session.note(cpython_results(report))


def add_cpython_tests():
    folder = f"/usr/lib/python{sys.version_info[0]}.{sys.version_info[1]}/test"
    for name, tests in CPYTHON_TESTS.items():
        def run(session, tests=tests):
            run_cpython_tests(session, tests)
        run.__name__, run.__doc__ = "cpython_" + name, "CPython's own " + ", ".join(tests)
        takes(600)(program(CPYTHON, *(f"{folder}/{tests[0]}.py",))(run))


add_cpython_tests()


@program("bash", "ps", CPYTHON)
def bash_jobs(session):
    """bash at a terminal: job control by commands and keys, traps"""
    session.take("jobs.py")
    session.run(CPYTHON, "-I", "jobs.py")


@takes(200)
@program("node")
def node_processes(session):
    """node: worker threads with shared memory, fork with messages, spawn, exec, signals"""
    session.take("processes.js")
    session.run("node", "processes.js")


@takes(300)
@faults_at_null
@program("java", "javac", "jstack")
def java_nulls(session):
    """java: null checks of compiled code in many threads, System.gc(), jstack and SIGQUIT meanwhile"""
    session.take("Nulls.java")
    session.helper("javac", "Nulls.java", show=False)
    java = session.start("java", "-Xmx128m", "-cp", ".", "Nulls", session.path("go-on"), quiet=True)
    pid = wait_for_line(session, "pid", java)
    for _ in range(3):
        report = session.helper("jstack", pid, show=False)
        threads = sorted(set(re.findall(r'^"(hot-\d+|collector)"', report, re.M)))
        session.note(f"jstack: {' '.join(threads)}; {'Nulls.main(' in report}")
    os.kill(int(pid), signal.SIGQUIT)
    wait_for_dump(session, java)
    session.write("go-on", "")
    output, dumps = DUMP.subn("a dump\n", session.finish(java))
    session.note(f"{output}dumps: {dumps}")


# What the virtual machine writes on SIGQUIT, with the empty line after it.
DUMP = re.compile(r"^[-\d]+ [:\d]+\nFull thread dump .*?^\"hot-15\" .*?^Heap\n(?: .*\n)*\n", re.M | re.S)


def wait_for_dump(session, process):
    """Until it has all been written. The file's position is the program's, too."""
    end = time.monotonic() + session.plan.timeout
    while not DUMP.search(os.pread(process.out.fileno(), 1 << 20, 0).decode(errors="replace")):
        if time.monotonic() > end or process.poll() is not None:
            raise Trouble("no thread dump after SIGQUIT")
        time.sleep(0.1)


def wait_for_line(session, name, process):
    """The first line of a file that the program writes."""
    end = time.monotonic() + session.plan.timeout
    while time.monotonic() < end and process.poll() is None:
        if os.path.exists(session.path(name)):
            with open(session.path(name), encoding="ascii") as file:
                line = file.readline()
            if line.endswith("\n"):
                return line.strip()
        time.sleep(0.1)
    raise Trouble(f"{process.name} does not write {name}: {' / '.join(session.output_of(process))[-500:]}")


@takes(200)
@faults_at_null
@program("go", "gcc")
def go_signals(session):
    """a Go program linked with libc: signals to itself and its children, nil dereferences, goroutines, os/exec"""
    session.take("signals.go")
    session.native.update(GOCACHE=shared_folder("go-cache"), GOFLAGS="-mod=mod", GO111MODULE="off", CGO_ENABLED="1")
    session.helper("go", "build", "-o", "signals", "signals.go", show=False)
    session.run("./signals")


@program("openssl")
def openssl_speed(session):
    """openssl speed: SIGALRM ends each loop; one process, then two"""
    for words in (("-evp", "sha256"), ("-evp", "aes-128-gcm", "-multi", "2"), ("-evp", "md5", "-elapsed")):
        output = session.finish(session.start("openssl", "speed", "-seconds", "1", *words, quiet=True))
        if re.search(r"blocks: 0 |^\+R:0:", output, re.M):
            session.problems.append(f"openssl: a loop without a round: {output[:500]}")
        text = re.sub(r"\d+(\.\d+)?k?", "N", output)
        session.note("\n".join(sorted(re.sub(" +", " ", text).splitlines())))
