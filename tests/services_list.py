"""More real programs for tests/programs.py: those that start, trace and watch others, and servers with many processes.

They take long, so they run with --long or when they are named. Each is a function under @program, as in
program_list.py. gdb runs natively and what it debugs is hooked. STRESS_SECONDS in the environment says how long one
stressor of stress-ng runs. Servers are found by a port or a socket in the session's folder, and nothing outside it is
written but the folder /run/sshd, which sshd wants to exist.
"""
import os
import pwd
import re
import signal
import subprocess
import time

from program_list import no_oracle, program, takes
from sessions import Trouble

STRESSORS = ("sigsegv", "sigfd", "sigq", "fork", "vfork", "clone", "exec", "pthread", "switch")
STRESS_SECONDS = os.environ.get("STRESS_SECONDS", "3")
POSTGRESQL = "/usr/lib/postgresql"
TRACED = "gdb traces it, and strace can't at the same time"
RAWIO = 17  # CAP_SYS_RAWIO, which page zero needs


def skip(session, reason):
    """As a program that can't run here."""
    session.note(f"skip: {reason}\n{session.transcript and '' or 'session'}: exit 77")


def wait_until(what, condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise Trouble(f"{what}: not within {seconds} s")
        time.sleep(0.05)


def run_for_text(session, *words):
    """Run the program; its status goes into the transcript, its output to the caller."""
    return session.finish(session.start(*words, quiet=True))


# Another user, who keeps what page zero needs.

def as_user(name):
    with open("/proc/self/status", encoding="ascii") as file:
        bounds = int(re.search(r"^CapBnd:\s*(\w+)", file.read(), re.M)[1], 16)
    keep = ("--inh-caps", "+sys_rawio", "--ambient-caps", "+sys_rawio") if bounds >> RAWIO & 1 else ()
    group = str(pwd.getpwnam(name).pw_gid)
    return ("setpriv", "--reuid", name, "--regid", group, "--init-groups", *keep)


def why_no_user(session, name):
    """Let another user into the session's folders. Returns why that is not possible."""
    if os.getuid() != 0:
        return "not root"
    if name not in (user.pw_name for user in pwd.getpwall()):
        return f"no user {name}"
    session.open_to_all()
    subprocess.run(["chown", f"{name}:", session.folder], check=True)
    library = os.path.join(session.plan.build, "libzlazy.so")
    if subprocess.run([*as_user(name), "test", "-r", library], capture_output=True).returncode != 0:
        return f"the user {name} can't read {library}"
    return None


# Stress.

def stress(stressor):
    def function(session):
        user = ()
        if stressor == "exec":
            reason = why_no_user(session, "nobody")
            if reason:
                return skip(session, reason)
            user = as_user("nobody")
        text = run_for_text(session, *user, "stress-ng", f"--{stressor}", "1", "--timeout", STRESS_SECONDS,
                            "--verify", "--metrics-brief", "--temp-path", session.folder)
        done = re.search(rf"metrc: \[\d+\] {stressor} +(\d+)", text)
        if not done or not int(done[1]):
            session.problems.append(f"stress-ng --{stressor} has done nothing: {text.strip()[-300:]}")
        session.note("\n".join(stress_lines(text)))
    function.__name__ = f"stress_{stressor}"
    function.__doc__ = f"stress-ng --{stressor}"
    return function


def stress_lines(text):
    for line in text.splitlines():
        if "metrc:" not in line:
            yield re.sub(r"in \d+[.\d]*s$", "in N s", re.sub(r"\[\d+\]", "[PID]", line))


for each in STRESSORS:
    takes(100 + int(STRESS_SECONDS))(program("stress-ng", "setpriv")(stress(each)))


# gdb.

def in_debuggee(session):
    """gdb's commands that give what it runs the agent."""
    return [f"set environment {name} {value}" for name, value in session.hooked.items()
            if session.native.get(name) != value]


def gdb_text(session, *commands):
    """What gdb -batch says, with the library's script, without addresses, numbers of processes and of frames."""
    trusted = f"add-auto-load-safe-path {session.plan.build}"
    words = [word for command in (trusted, *commands) for word in ("-ex", command)]
    done = subprocess.run(["gdb", "-nx", "-batch", *words], env=session.native, cwd=session.folder, text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=session.plan.timeout)
    if done.returncode != 0:
        raise Trouble(f"gdb: status {done.returncode}: {done.stdout[-500:]}")   # the rest of a script is left out then
    text = re.sub(r"0x(0000)?(7f[0-9a-f]{10}|5[56][0-9a-f]{10}(?! <))", "ADDRESS", done.stdout)
    return re.sub(r"\b(process|LWP|Thread ADDRESS) \(?\d+", r"\1 PID", text)


@no_oracle(TRACED)
@program("gdb", "gcc")
def gdb(session):
    """gdb: breakpoints, steps over calls, finish, registers, a watchpoint, threads, a fork, a fault"""
    session.take("debug.c", "debug.gdb")
    session.helper("gcc", "-g", "-O1", "-pthread", "debug.c", "-o", "debug")
    session.note(gdb_text(session, *in_debuggee(session), "file ./debug", "source debug.gdb"))


@no_oracle(TRACED)
@program("gdb", "gcc")
def gdb_attach(session):
    """gdb attached to a running program, and detached: it goes on"""
    session.take("debug.c")
    session.helper("gcc", "-g", "-O1", "-pthread", "debug.c", "-o", "debug")
    process = session.start("./debug", "wait")
    wait_until("debug", lambda: os.path.exists(session.path("waiting")))
    for commands in ("print released", "break tick", "set variable released = 1"):
        breaks = ["continue", "finish", "backtrace"] if commands.startswith("break") else []
        text = gdb_text(session, f"attach {process.pid}", "backtrace",
                        "echo attached\\n", commands, *breaks, "detach")
        waiting, _, text = text.partition("\nattached\n")
        if " in wait_for_gdb " not in waiting:
            session.problems.append(f"gdb does not find wait_for_gdb: {waiting[-500:]}")
        session.note("\n".join(re.findall(r"^(?:\$\d+ =|Breakpoint \d,|Run till|#|\d+\t|\[Inferior).*", text, re.M)))
    session.finish(process)


# Servers.

SSHD = """Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/user_key.pub
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin yes
PermitUserRC no
PrintMotd no
PrintLastLog no
Subsystem sftp {sftp}
"""
SSH = """Host *
Port {port}
IdentityFile {folder}/user_key
IdentitiesOnly yes
IdentityAgent none
UserKnownHostsFile {folder}/known_hosts
GlobalKnownHostsFile /dev/null
StrictHostKeyChecking accept-new
LogLevel ERROR
"""
PTY = 'stty -echo; test -t 0 && test -t 1 && echo terminal; read word; echo "got $word"; kill -INT $$; sleep 60'


def start_sshd(session):
    port = session.free_port()
    for name in ("host_key", "user_key"):
        session.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", name)
    os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
    session.write("sshd.conf", SSHD.format(folder=session.folder, port=port, sftp="/usr/lib/openssh/sftp-server"))
    session.write("ssh.conf", SSH.format(folder=session.folder, port=port))
    server = session.start("/usr/sbin/sshd", "-D", "-f", session.path("sshd.conf"), "-E", session.path("sshd.log"))
    session.wait_for(port, server)
    return server


@program("/usr/sbin/sshd", "ssh", "scp", "sftp", "ssh-keygen")
def openssh(session):
    """sshd, and ssh, scp and sftp to it: commands, input, a status, files, a terminal"""
    if os.getuid() != 0:
        return skip(session, "not root")
    server = start_sshd(session)
    ssh = ("ssh", "-F", session.path("ssh.conf"))
    folder = session.folder
    session.run(*ssh, "127.0.0.1", "echo here; echo there >&2; exit 3")
    session.run("sh", "-c", f"seq 20000 | ssh -F ssh.conf 127.0.0.1 'cat; kill -KILL $$' | cksum")
    session.write("big", "0123456789abcde\n" * 50000)
    session.run("scp", "-q", "-F", session.path("ssh.conf"), "big", f"127.0.0.1:{folder}/copy")
    session.run("scp", "-q", "-O", "-F", session.path("ssh.conf"), f"127.0.0.1:{folder}/copy", "again")
    session.write("batch", f"cd {folder}\nput big put\nget put got\nls -1\nrename put moved\nrm got\n")
    session.run("sftp", "-q", "-F", session.path("ssh.conf"), "-b", "batch", "127.0.0.1")
    session.helper("cksum", "copy", "again", "moved")
    os.mkfifo(session.path("input"))
    terminal = session.start("sh", "-c", f"ssh -tt -F ssh.conf 127.0.0.1 '{PTY}' <input >output")
    with open(session.path("input"), "w", encoding="ascii") as file:
        wait_until("a terminal", lambda: "terminal" in read_text(session, "output"))
        file.write("word\n")
        file.flush()
        session.finish(terminal)
    session.note(read_text(session, "output"))
    with open(session.path("sshd.pid"), encoding="ascii") as file:
        os.kill(int(file.read()), 15)
    session.finish(server)


def read_text(session, name):
    try:
        with open(session.path(name), encoding="utf-8", errors="replace", newline="") as file:
            return file.read().replace("\r", "")
    except FileNotFoundError:
        return ""


def postgresql_folder():
    """Where Debian has the programs of its newest PostgreSQL that are not in PATH."""
    versions = os.listdir(POSTGRESQL) if os.path.isdir(POSTGRESQL) else []
    return os.path.join(POSTGRESQL, max(versions, key=int), "bin") if versions else "none"


@program(f"{postgresql_folder()}/postgres", "setpriv", PGHOST="127.0.0.1", PGUSER="postgres")
def postgresql(session):
    """PostgreSQL: initdb, a server, createdb, psql, pgbench, a timeout, compiled queries, a killed backend, stop"""
    reason = why_no_user(session, "postgres")
    if reason:
        return skip(session, reason)
    tools, user = postgresql_folder(), as_user("postgres")
    session.take("work.pgsql")
    session.hooked["PGPORT"] = session.native["PGPORT"] = port = str(session.free_port())

    def run(tool, *words):
        session.run(*user, f"{tools}/{tool}", *words)
    run("initdb", "-D", "data", "-A", "trust", "-N", "--locale=C", "--no-instructions")
    server = session.start(*user, f"{tools}/postgres", "-D", "data", "-p", port, "-F", "-c",
                           "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", quiet=True)
    session.wait_for(int(port), server)
    wait_until("postgres", lambda: "accepting" in session.helper("sh", "-c", f"{tools}/pg_isready; :", show=False))
    run("createdb", "work")
    text = run_for_text(session, *user, f"{tools}/psql", "-X", "-q", "-d", "work", "-f", "work.pgsql")
    session.note(re.sub(r"\bPID \d+", "PID", text))
    run_for_text(session, *user, f"{tools}/pgbench", "-i", "-q", "work")
    report = run_for_text(session, *user, f"{tools}/pgbench", "-n", "-c", "4", "-j", "2", "-t", "100", "work")
    session.note("\n".join(re.findall(r"^number of (?:transactions actually|failed).*", report, re.M)))
    run("psql", "-X", "-A", "-d", "work", "-c", "select (select count(*) from pgbench_history) as transactions, "
        "(select sum(delta) from pgbench_history) = (select sum(abalance) from pgbench_accounts) as balanced")
    run("psql", "-X", "-d", "work", "-c", "select pg_terminate_backend(pg_backend_pid())")
    sleeper = session.start(*user, f"{tools}/psql", "-X", "-d", "work", "-c", "select pg_sleep(600)")

    def process_where(condition):
        query = f"select max(pid) from pg_stat_activity where {condition}"
        return session.helper("sh", "-c", f'{tools}/psql -X -t -A -d work -c "{query}" 2>&1; :', show=False).strip()
    asleep, checkpointer = "wait_event = 'PgSleep'", "backend_type = 'checkpointer'"
    wait_until("a backend", lambda: process_where(asleep).isdigit())
    before = process_where(checkpointer)
    os.kill(int(process_where(asleep)), signal.SIGKILL)
    session.finish(sleeper)
    wait_until("recovery", lambda: process_where(checkpointer).isdigit() and process_where(checkpointer) != before)
    run("psql", "-X", "-A", "-d", "work", "-c", "select count(*) from numbers")
    run("pg_ctl", "stop", "-s", "-w", "-m", "fast", "-D", "data")
    log = session.finish(server)
    session.note(f"processes of the server that a signal has ended: {log.count('terminated by signal')}")


def end_tmux(session, words):
    """The server is in a session of its own: ask it to end, and make it."""
    subprocess.run([*words, "kill-server"], env=session.native, timeout=10, capture_output=True)
    for number in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{number}/cmdline", encoding="utf-8", errors="replace") as file:
                if file.read().split("\0")[:5] == [*words]:
                    os.kill(int(number), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError):
            continue


@program("tmux", "dash", TERM="xterm")
def tmux(session):
    """tmux: a server with two panes, keys sent to their shells, what they show, the server's end"""
    prompt = "$" if os.getuid() else "#"
    words = ("tmux", "-f", "/dev/null", "-S", session.path("socket"))

    def shows(pane, *end):
        """Wait until a pane's text ends with these lines, and note all of it."""
        def does():
            text = session.helper(*words, "capture-pane", "-p", "-t", pane, show=False)
            return text.split()[-len(end):] == list(end)
        wait_until(f"pane {pane} with {end}", does)
        session.run(*words, "capture-pane", "-p", "-t", pane)

    def send(pane, *keys):
        session.run(*words, "send-keys", "-t", pane, *keys)
    session.at_end(lambda: end_tmux(session, words))
    first = session.start(*words, "new-session", "-d", "-s", "work", "-n", "first", "-x", "80", "-y", "24", "dash")
    wait_until("tmux", lambda: "work:" in session.helper("sh", "-c", f"{' '.join(words)} ls 2>&1; :", show=False))
    shows("work:0.0", prompt)
    send("work:0.0", "stty size; echo $((6 * 7)) | tr 2 3", "Enter")
    shows("work:0.0", "43", prompt)
    session.run(*words, "split-window", "-h", "-t", "work", "dash")
    shows("work:0.1", prompt)
    send("work:0.1", "trap 'echo inter''rupted' INT", "Enter")
    shows("work:0.1", "INT", prompt)
    send("work:0.1", "sh -c 'echo ready; exec sleep 600'", "Enter")
    shows("work:0.1", "600'", "ready")
    send("work:0.1", "C-c")
    shows("work:0.1", "^Cinterrupted", prompt)
    session.run(*words, "list-panes", "-t", "work", "-F", "#{pane_index} #{pane_width}x#{pane_height}")
    send("work:0.1", "exit 0", "Enter")
    wait_until("the end of a pane", lambda: "1" not in session.helper(*words, "list-panes", "-F", "#P", show=False))
    session.run(*words, "new-window", "-d", "-n", "more", "-t", "work", "exec dash")
    session.run(*words, "list-windows", "-F", "#{window_index} #{window_name} #{window_panes}")
    session.run(*words, "kill-server")
    session.finish(first)
    wait_until("the server's end", lambda: not re.search("work:", session.helper(
        "sh", "-c", f"{' '.join(words)} ls; :", show=False)))
