/* layout.c - see layout.h */
#include "layout.h"
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PAGE = 4096 };

bool layout_has_no_table;
static const struct zl_object *current;

static int find_object(void *address, struct zl_object *object)
{
	*object = *current;
	return layout_has_no_table || (uintptr_t)address - object->start >= object->end - object->start ? -1 : 0;
}

static const Elf64_Phdr *headers(const struct layout *layout, unsigned *count)
{
	const Elf64_Ehdr *elf = (const void *)layout->data;

	*count = elf->e_phnum;
	return (const void *)(layout->data + elf->e_phoff);
}

static bool open_file(struct layout *layout)
{
	int fd = open(layout->path, O_RDONLY);
	struct stat info;

	if (fd < 0 || fstat(fd, &info) != 0)
		return false;
	layout->size = (size_t)info.st_size;
	layout->data = mmap(NULL, layout->size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	return layout->data != MAP_FAILED && memcmp(layout->data, ELFMAG, SELFMAG) == 0;
}

/* Copy the segments to where they would lie in memory. */
static bool lay_out(struct layout *layout)
{
	const Elf64_Phdr *header;
	unsigned count;
	uint8_t *memory;

	layout->low = UINT64_MAX;
	layout->high = 0;
	header = headers(layout, &count);
	for (unsigned i = 0; i < count; i++) {
		if (header[i].p_type != PT_LOAD)
			continue;
		layout->low = header[i].p_vaddr < layout->low ? header[i].p_vaddr : layout->low;
		if (header[i].p_vaddr + header[i].p_memsz > layout->high)
			layout->high = header[i].p_vaddr + header[i].p_memsz;
	}
	layout->low &= ~(uint64_t)(PAGE - 1);
	memory = mmap(NULL, layout->high - layout->low + 2 * PAGE, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return false;
	memory += PAGE;                    /* a page on either side: no fault is caught here */
	layout->base = memory - layout->low;
	layout->object = (struct zl_object){ .start = (uintptr_t)memory,
	                                     .end = (uintptr_t)memory + layout->high - layout->low };
	for (unsigned i = 0; i < count; i++) {
		if (header[i].p_type == PT_LOAD)
			memcpy((uint8_t *)layout->base + header[i].p_vaddr, layout->data + header[i].p_offset, header[i].p_filesz);
		if (header[i].p_type == PT_GNU_EH_FRAME)
			layout->object.unwind_header = (uintptr_t)layout->base + header[i].p_vaddr;
	}
	return true;
}

/* Read the function starts from .eh_frame_hdr. */
static void read_starts(struct layout *layout)
{
	unsigned count;
	const Elf64_Phdr *header = headers(layout, &count);

	for (unsigned i = 0; i < count; i++) {
		const uint8_t *table = layout->base + header[i].p_vaddr;
		int32_t entry;
		uint32_t number;

		if (header[i].p_type != PT_GNU_EH_FRAME || table[2] != 0x03 || table[3] != 0x3b)
			continue;
		memcpy(&number, table + 8, sizeof number);
		layout->starts = calloc(number, sizeof *layout->starts);
		for (layout->start_count = 0; layout->start_count < number; layout->start_count++) {
			memcpy(&entry, table + 12 + 8 * layout->start_count, sizeof entry);
			layout->starts[layout->start_count] = header[i].p_vaddr + (uint64_t)(int64_t)entry;
		}
	}
}

bool layout_read(struct layout *layout)
{
	if (!open_file(layout) || !lay_out(layout))
		return false;
	read_starts(layout);
	current = &layout->object;
	zl_find_object = find_object;
	return true;
}

static void walk_segment(const struct layout *layout, const Elf64_Phdr *header, const struct zl_decoder *decoder,
                         void (*visit)(void *data, uint64_t address, const struct zl_insn *insn), void *data)
{
	uint64_t address = header->p_vaddr, end = header->p_vaddr + header->p_filesz, next;
	struct zl_insn insn;
	size_t i = 0;

	for (; address < end; address = next) {
		while (i < layout->start_count && layout->starts[i] <= address)
			i++;
		if (decoder->decode(layout->base + address, (unsigned)(end - address), &insn) == 0)
			insn = (struct zl_insn){ .length = 0 };
		visit(data, address, &insn);
		next = address + (insn.length != 0 ? insn.length : 1);
		if (i < layout->start_count && next > layout->starts[i])
			next = layout->starts[i];
	}
}

void layout_walk(const struct layout *layout, const struct zl_decoder *decoder,
                 void (*visit)(void *data, uint64_t address, const struct zl_insn *insn), void *data)
{
	unsigned count;
	const Elf64_Phdr *header = headers(layout, &count);

	for (unsigned i = 0; i < count; i++)
		if (header[i].p_type == PT_LOAD && (header[i].p_flags & PF_X))
			walk_segment(layout, &header[i], decoder, visit, data);
}
