-- The same work over and over for so many seconds: traces flushed and made, files, system calls.
local ffi = require("ffi")
ffi.cdef "long syscall(long, ...); int getppid(void); long time(long *);"
local C, stop = ffi.C, os.time() + tonumber(arg[1])
local rounds = 0
while os.time() < stop do
	local sum, parent = 0, C.getppid()
	for n = 1, 20 do
		local source = "local C = ... local s = 0 for i = 1, 200 do s = s + C.getppid() % 2 + " .. n .. " end return s"
		sum = sum + assert(loadstring(source))(C)
	end
	for i = 1, 20000 do sum = sum + tonumber(C.syscall(i % 2 == 0 and 39 or 110)) % 2 end
	for i = 1, 20 do
		local file = assert(io.open("file", "w"))
		file:write(i, parent)
		file:close()
	end
	if rounds % 5 == 0 then jit.flush() end
	rounds = rounds + 1
end
