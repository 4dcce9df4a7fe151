/* message.c - the command's own lines on stderr
 *
 * Everything that the command says by itself is one line that starts with "zlazy: ", written by one write(2), so
 * that lines of several processes don't mix. Control characters (of file names, say) are shown as '?'.
 */
#include "tools/message.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int zl_message(int status, const char *format, ...)
{
	char line[4096] = "zlazy: ";
	size_t start = strlen(line), room = sizeof line - start - 1, end;
	va_list list;
	int length;

	va_start(list, format);
	length = vsnprintf(line + start, room, format, list);
	va_end(list);
	if (length < 0)
		return status;
	end = start + ((size_t)length < room ? (size_t)length : room - 1);
	for (size_t i = start; i < end; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[end++] = '\n';
	if (write(STDERR_FILENO, line, end) < 0)
		return status;
	return status;
}
