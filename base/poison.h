/* poison.h - included last by every .c file of the freestanding core: no libc by accident */
#ifdef __GNUC__
#pragma GCC poison malloc calloc realloc free printf fprintf snprintf sprintf perror
#pragma GCC poison errno abort exit pthread_create pthread_mutex_lock syscall getenv dlsym strlen strcmp
#endif
