/* vdso.c - the vDSO's functions made to enter the kernel, so that hooks see them (ZLAZY_VDSO=hook)
 *
 * The entry of each function that answers without the kernel is overwritten, in place, by
 *
 *     mov $number,%eax; syscall; ret
 *
 * whose `syscall` then is a site like any other. In place, because ld.so and libc have looked the addresses up before
 * the agent was there, and keep them. The arguments are those of the system call, and so is the result, a value or
 * -errno. The rest of the old body, which nothing can reach any more, becomes int3, so that a judge of code meets
 * padding there. In .eh_frame the functions become leaves that keep nothing on the stack, which is what they are now;
 * else handlers that unwind through such a call would take %rbp for a frame of the vDSO's.
 *
 * getrandom has a fourth and a fifth argument that the system call doesn't know: the caller's state for a generator in
 * user space, and its size. A size of ~0 asks what such a state needs. That is answered -ENOSYS, by which a libc falls
 * back to the system call; one that has asked before the agent was there gets its bytes from the kernel all the same.
 *
 * The image is read and written through /proc/self/mem: address and content are what a launcher has made of them, and
 * may be anything; the pages are not writable, may be sealed, and can't be split off by mprotect. They become private
 * copies of this process, which fork copies; the next exec begins with a fresh vDSO. All is prepared in a copy and
 * written in one go, so that there is all or nothing. It happens before the agent is armed, in the only thread.
 */
#include "lazy/vdso.h"
#include "base/os.h"
#include "base/string.h"
#include "lazy/codefd.h"
#include "lazy/image.h"
#include <linux/auxvec.h>
#include <linux/errno.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include "base/poison.h"

enum { MOST = 0x10000, MOST_STUB = 32, INT3 = 0xcc, CFA_NOP = 0 };

static const struct { const char *name; uint32_t number; } hooked[] = {
	{ "clock_gettime", __NR_clock_gettime }, { "gettimeofday", __NR_gettimeofday }, { "time", __NR_time },
	{ "getcpu", __NR_getcpu }, { "clock_getres", __NR_clock_getres }, { "getrandom", __NR_getrandom },
};

/* What is changed of an image: original[first..last) holds what was there. */
struct work {
	struct zl_image image;
	const uint8_t *original;
	size_t first, last;
};

/* The number of the call that a function of this name stands for, -1 if none. Most have another name without __vdso_. */
static long number_of(const char *name)
{
	const char *rest = zl_after(name, "__vdso_");

	for (size_t i = 0; i < ZL_ARRAY_SIZE(hooked); i++)
		if (zl_equal(rest ? rest : name, hooked[i].name))
			return hooked[i].number;
	return -1;
}

static size_t make_stub(uint8_t *to, uint32_t number)
{
	static const uint8_t is_query[] = { 0x49, 0x83, 0xf8, 0xff,     /* cmp $-1,%r8 */
					    0x74, 0x08 };               /* je 1f */
	uint8_t call[] = { 0xb8, 0, 0, 0, 0, 0x0f, 0x05, 0xc3 };        /* mov $number,%eax; syscall; ret */
	static const uint8_t refuse[] = { 0x48, 0xc7, 0xc0, -ENOSYS & 0xff, 0xff, 0xff, 0xff,   /* 1: mov $-ENOSYS,%rax */
					  0xc3 };                       /* ret */
	bool has_query = number == __NR_getrandom;
	size_t size = 0;

	static_assert(sizeof(is_query) + sizeof(call) + sizeof(refuse) <= MOST_STUB, "");
	static_assert(sizeof(call) == 0x08, "the jump");
	memcpy(call + 1, &number, sizeof(number));
	if (has_query)
		memcpy(to, is_query, size = sizeof(is_query));
	memcpy(to + size, call, sizeof(call));
	size += sizeof(call);
	if (has_query) {
		memcpy(to + size, refuse, sizeof(refuse));
		size += sizeof(refuse);
	}
	return size;
}

static void set(struct work *work, uint8_t *at, size_t size, const uint8_t *bytes, uint8_t fill)
{
	size_t offset = (size_t)(at - work->image.bytes);

	if (bytes)
		memcpy(at, bytes, size);
	else
		memset(at, fill, size);
	if (offset < work->first)
		work->first = offset;
	if (offset + size > work->last)
		work->last = offset + size;
}

/* Another function begins inside of this one, or this one inside of another, or the same one stands for two calls. */
static bool is_shared(const struct zl_image *image, const struct zl_function *function, long number)
{
	struct zl_function other;

	for (size_t i = 0; i < image->count; i++) {
		if (!zl_image_function(image, i, &other))
			continue;
		if (other.offset == function->offset ? number_of(other.name) != number :
		    other.offset < function->offset + function->size && function->offset < other.offset + other.size)
			return true;
	}
	return false;
}

static const char *replace(struct work *work, const struct zl_function *function, long number)
{
	uint8_t stub[MOST_STUB], *at = work->image.bytes + function->offset, *frame;
	size_t size = make_stub(stub, (uint32_t)number), frame_size;

	if (function->size < size)
		return "one of its functions is too short";
	if (is_shared(&work->image, function, number))
		return "two of its functions overlap";
	set(work, at, size, stub, 0);
	set(work, at + size, function->size - size, NULL, INT3);
	frame = zl_image_frame(&work->image, function->offset, &frame_size);
	if (frame)
		set(work, frame, frame_size, NULL, CFA_NOP);
	return NULL;
}

static const char *replace_all(struct work *work)
{
	struct zl_function function;
	const char *why = NULL;

	for (size_t i = 0; i < work->image.count && !why; i++) {
		long number = zl_image_function(&work->image, i, &function) ? number_of(function.name) : -1;
		if (number >= 0)
			why = replace(work, &function, number);
	}
	return why;
}

static const char *write_back(const struct work *work, int fd, uintptr_t address)
{
	size_t size = work->last - work->first;
	long written;

	if (work->first >= work->last)
		return NULL;   /* a vDSO without these functions */
	written = zl_os_write_at(fd, work->image.bytes + work->first, size, address + work->first);
	if (written == (long)size)
		return NULL;
	if (written > 0)
		zl_os_write_at(fd, work->original + work->first, (size_t)written, address + work->first);
	return "the kernel does not let /proc/self/mem write it";
}

/* memory: twice MOST */
static const char *hook_at(uintptr_t address, int fd, uint8_t *memory)
{
	struct work work = { .original = memory + MOST, .first = MOST };
	long size = zl_os_read_at(fd, memory, MOST, address);
	const char *why;

	if (size <= 0)
		return "/proc/self/mem can't be read where the auxiliary vector says";
	if (!zl_image_read(&work.image, memory, (size_t)size))
		return "what lies where the auxiliary vector says is no vDSO";
	memcpy(memory + MOST, memory, (size_t)size);
	why = replace_all(&work);
	return why ? why : write_back(&work, fd, address);
}

/* Where the kernel put it, which a launcher that edits the vector on the stack doesn't change. 0 if nobody tells. */
static uintptr_t ask_kernel(void)
{
	unsigned long vector[64][2];
	long fd = zl_os_open("/proc/self/auxv", O_RDONLY), size;

	if (zl_is_error(fd))
		return 0;
	size = zl_os_read((int)fd, vector, sizeof(vector));
	zl_raw(__NR_close, fd);
	for (long i = 0; i < size / (long)sizeof(vector[0]); i++)
		if (vector[i][0] == AT_SYSINFO_EHDR)
			return vector[i][1];
	return 0;
}

const char *zl_vdso_hook(uintptr_t address)
{
	uintptr_t told = address;
	int fd = zl_codefd_get();
	const char *why;
	long memory;

	if (!address)
		address = ask_kernel();
	if (!address)
		return NULL;   /* a kernel without it: libc makes system calls */
	if (fd < 0)
		return "/proc/self/mem can't be opened";
	memory = zl_os_map(0, 2 * MOST, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	if (zl_is_error(memory))
		return "there is no memory to look at it";
	why = hook_at(address, fd, (uint8_t *)memory);
	zl_os_unmap((uintptr_t)memory, 2 * MOST);
	return told ? why : NULL;   /* what nobody was told of is nobody's loss */
}
