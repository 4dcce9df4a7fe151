-- Traces made, thrown away and made again, with system calls in them; machine code of our own, written and run anew.
local ffi = require("ffi")
ffi.cdef [[
long syscall(long, ...); int getppid(void); int getpid(void); void *mmap(void *, size_t, int, int, int, long);
int munmap(void *, size_t); int mprotect(void *, size_t, int); int poll(void *, unsigned long, int);
typedef int (*compare)(const int *, const int *); void qsort(int *, size_t, size_t, compare);
]]
local C, GETPID, GETPPID, PRIVATE = ffi.C, 39, 110, 0x22
local READ_WRITE, READ_EXECUTE, ALL = 3, 5, 7
assert(jit.status(), "the compiler is off")
jit.opt.start("hotloop=5", "hotexit=3", "sizemcode=64", "maxmcode=128")

local pid, parent, same = C.getpid(), C.getppid(), 0
for i = 1, 60000 do
	if C.syscall(i % 2 == 0 and GETPID or GETPPID) == (i % 2 == 0 and pid or parent) then same = same + 1 end
end
print("hot", same)

-- Many functions, each compiled; the machine code area is small, so it is emptied again and again.
local sum = 0
for n = 1, 400 do
	local source = "local C, parent = ... local sum = 0 for i = 1, 60 do if C.getppid() == parent then sum = sum + i * "
		.. n .. " end end return sum"
	sum = sum + assert(loadstring(source))(C, parent)
	if n % 60 == 0 then jit.flush() end
end
print("traces", sum)

local function call_of(number)
	return string.char(0xb8, number, 0, 0, 0, 0x0f, 0x05, 0xc3)
end
local function right(code, number)
	local call, want, count = ffi.cast("long (*)(void)", code), number == GETPID and pid or parent, 0
	for _ = 1, 50 do
		if call() == want then count = count + 1 end
	end
	return count
end
-- Written while it may not run, and run while it may not be written; the same addresses over and over.
local page, count = ffi.cast("char *", C.mmap(nil, 4096, READ_WRITE, PRIVATE, -1, 0)), 0
for i = 1, 300 do
	assert(C.mprotect(page, 4096, READ_WRITE) == 0)
	ffi.fill(page, 4096, 0xcc)
	local at = page + i * 13 % 4080
	ffi.copy(at, call_of(i % 3 == 0 and GETPPID or GETPID), 8)
	assert(C.mprotect(page, 4096, READ_EXECUTE) == 0)
	count = count + right(at, i % 3 == 0 and GETPPID or GETPID)
end
print("written in turns", count)
count = 0
for i = 1, 300 do
	local area = ffi.cast("char *", C.mmap(nil, 65536, ALL, PRIVATE, -1, 0))
	local at = area + i * 61
	ffi.copy(at, call_of(GETPID), 8)
	count = count + right(at, GETPID)
	at[1] = GETPPID   -- only the number changes
	count = count + right(at, GETPPID)
	ffi.copy(at, call_of(GETPID), 8)
	count = count + right(at, GETPID)
	assert(C.munmap(area, 65536) == 0)
end
print("made and freed", count)

local numbers, calls = ffi.new("int[200]"), 0
for i = 0, 199 do numbers[i] = i * 7919 % 1009 end
local callback = ffi.cast("compare", function(a, b) calls = calls + C.poll(nil, 0, 0); return a[0] - b[0] end)
C.qsort(numbers, 200, 4, callback)
callback:free()
print("sorted", numbers[0], numbers[100], numbers[199], calls)
