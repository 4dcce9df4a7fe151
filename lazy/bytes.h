/* bytes.h - the two bytes of a site, before and after it is rewritten
 *
 * old  0f 05  syscall         new  ff d0  call *%rax         between  0f d0  an undefined instruction
 */
#ifndef ZL_LAZY_BYTES_H
#define ZL_LAZY_BYTES_H

enum { ZL_SITE_SIZE = 2 };
enum { ZL_MOV_EAX = 0xb8, ZL_MOV_SIZE = 5 };   /* mov $number,%eax: the number is its last four bytes */
enum { ZL_JUMP = 0xe9, ZL_SHORT = 0xeb };      /* jmp rel32, jmp rel8 */
enum { ZL_GUARD = 0x06 };                      /* an undefined instruction of one byte (push %es, where there is one) */
enum { ZL_OLD_FIRST = 0x0f, ZL_OLD_SECOND = 0x05, ZL_NEW_FIRST = 0xff, ZL_NEW_SECOND = 0xd0 };

#endif
