-- Compiled loops, system calls through the foreign function interface, files, a pipe, coroutines.
local ffi = require("ffi")
ffi.cdef [[
int getppid(void); long syscall(long, ...); int pipe(int *); long write(int, const void *, size_t);
long read(int, void *, size_t); int close(int); int usleep(unsigned); unsigned getuid(void);
]]
local same, parent = 0, ffi.C.getppid()
for _ = 1, 100000 do
	if ffi.C.getppid() == parent then same = same + 1 end
end
print("getppid", same)
for _ = 1, 1000 do
	assert(tonumber(ffi.C.syscall(102)) == ffi.C.getuid())
end
local ends, buffer = ffi.new("int[2]"), ffi.new("char[64]")
assert(ffi.C.pipe(ends) == 0)
local sum = 0
for i = 1, 5000 do
	buffer[0] = i % 256
	assert(ffi.C.write(ends[1], buffer, 1) == 1 and ffi.C.read(ends[0], buffer + 1, 1) == 1)
	sum = sum + bit.band(buffer[1], 255)
end
print("pipe", sum)
print("closed", ffi.C.close(99), ffi.errno())
local file = assert(io.open("lines", "w"))
for i = 1, 10000 do file:write(i, "\n") end
file:close()
local total = 0
for line in io.lines("lines") do total = total + tonumber(line) end
print("lines", total)
local process = io.popen("seq 1 100 | tail -n 1")
print("popen", process:read("*a"), process:close())
print("execute", os.execute("exit 3"))
local generator = coroutine.wrap(function() for i = 1, 1e6 do coroutine.yield(i) end end)
local value
for _ = 1, 200000 do value = generator() end
print("coroutine", value)
print(pcall(error, "caught"))
os.exit(6)
