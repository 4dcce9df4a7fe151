"""Traces with system calls in them, made, dropped and made again; in threads; machine code of our own."""
import ctypes, gc, mmap, os, threading

libc = ctypes.CDLL(None)
pid, parent = os.getpid(), os.getppid()


def hot(count):
    return sum(1 for i in range(count) if (os.getpid() if i & 1 else os.getppid()) == (pid if i & 1 else parent))


def functions(count):
    """Each is compiled anew, and garbage afterwards."""
    total = 0
    for n in range(count):
        space = {"os": os, "parent": parent}
        exec(f"def made():\n s = 0\n for i in range(2000):\n  s = (s * 31 + i + {n}) % 65521\n"
             f"  if i % 200 == 0: s += os.getppid() == parent\n return s\n", space)
        total += space["made"]()
        if n % 20 == 19:
            gc.collect()
    return total


def code(rounds):
    """getpid by our own instructions, at changing places of pages that come and go."""
    right = 0
    for n in range(rounds):
        area = mmap.mmap(-1, 8192, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC,
                         flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        at = n * 37 % 8000
        area[at:at + 8] = b"\xb8" + bytes([39 if n % 2 else 110]) + b"\0\0\0\x0f\x05\xc3"
        view = ctypes.c_char.from_buffer(area, at)
        call = ctypes.CFUNCTYPE(ctypes.c_long)(ctypes.addressof(view))
        right += sum(1 for _ in range(20) if call() == (pid if n % 2 else parent))
        del call, view
        gc.collect(0)
        area.close()
    return right


print("hot", hot(50000))
print("libc", sum(1 for _ in range(20000) if libc.syscall(39) == pid))
print("functions", functions(60))
print("code", code(40))
answers = [0] * 6


def work(n):
    answers[n] = (hot(5000), functions(10 + n))


threads = [threading.Thread(target=work, args=(n,)) for n in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print("threads", answers)
child = os.fork()
if child == 0:
    pid, parent = os.getpid(), os.getppid()
    os._exit(0 if hot(20000) == 20000 and functions(5) >= 0 else 1)
print("fork", os.waitpid(child, 0)[1])
