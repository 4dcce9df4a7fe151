/* image.h - a copy of a small shared object in memory, the vDSO: its functions, and what unwinders are told of them */
#ifndef ZL_LAZY_IMAGE_H
#define ZL_LAZY_IMAGE_H

#include "base/types.h"

/* Offsets are from bytes[0], which is the image's first byte in memory. Nothing outside of bytes[0..size) is read. */
struct zl_image {
	uint8_t *bytes;
	size_t size;              /* of what is loaded, at most what was given to zl_image_read() */
	uint64_t bias;            /* the address that bytes[0] was linked for */
	size_t symbols, count;    /* the table of dynamic symbols */
	size_t names, names_size;
	size_t frames;            /* .eh_frame_hdr; 0: there is none */
};

struct zl_function {
	const char *name;         /* in the image, and ends there */
	size_t offset, size;
};

/* Fill in the rest from bytes[0..size). False if that is no complete shared object for x86-64. */
bool zl_image_read(struct zl_image *image, uint8_t *bytes, size_t size);

/* Symbol i of image->count; false if it is no function of the image. */
bool zl_image_function(const struct zl_image *image, size_t i, struct zl_function *function);

/* The call-frame instructions for the function at `offset`, and how many bytes they take; NULL if they are not found.
 * */
uint8_t *zl_image_frame(const struct zl_image *image, size_t offset, size_t *size);

#endif
