/* locate.h - paths that the program will see, made absolute and checked */
#ifndef ZL_TOOLS_LOCATE_H
#define ZL_TOOLS_LOCATE_H

/* Each returns a string from malloc; or NULL, after a line on stderr that says why. */

/* The absolute path of libzlazy.so. */
char *zl_locate_library(void);

/* "path[:argument]" with the path as the agent is to load it. */
char *zl_locate_hook(const char *value);

/* The absolute path of a file that notices can be appended to; it is created if need be. */
char *zl_locate_log(const char *value);

#endif
