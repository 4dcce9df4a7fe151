/* caller.c - make the system calls that its arguments name, and print one line for each
 *
 *     caller WORD...
 *
 * NUMBER[,ARGUMENT]...    through one `syscall` instruction: the result; "registers changed" if the call changed an
 *                         argument register. ARGUMENT: a number, or @text for the text's address
 * i:NUMBER[,ARGUMENT]...  the same by `int $0x80`
 * thread:WORD             WORD in a thread of its own
 * site                    the address of that instruction; tid: the id of this thread
 * handle:SIGNAL           from now on its handler prints "signal SIGNAL"; ignore:SIGNAL
 * alarm                   from now on SIGALRM is counted, and will come in 50 ms; alarms: how many have come
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

extern const char caller_site[];
static volatile int alarms;

__attribute__((noinline, noclone)) static long make(const long *word)
{
	register long r10 asm("r10") = word[4], r8 asm("r8") = word[5], r9 asm("r9") = word[6];
	long result, rdi = word[1], rsi = word[2], rdx = word[3];

	asm volatile(".globl caller_site\ncaller_site:\n\tsyscall"
		: "=a"(result), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10), "+r"(r8), "+r"(r9)
		: "0"(word[0]) : "rcx", "r11", "memory");
	if (rdi != word[1] || rsi != word[2] || rdx != word[3] || r10 != word[4] || r8 != word[5] || r9 != word[6])
		puts("registers changed");
	return result;
}

static long make_i386(const long *word)
{
	long result;
	asm volatile("int $0x80" : "=a"(result) : "0"(word[0]), "b"(word[1]), "c"(word[2]), "d"(word[3]), "S"(word[4]),
		"D"(word[5]) : "r8", "r9", "r10", "r11", "memory");
	return result;
}

static void on_alarm(int signal)
{
	(void)signal;
	alarms++;
}

static void on_signal(int signal)
{
	char line[] = "signal 00\n";
	line[7] = (char)('0' + signal / 10);
	line[8] = (char)('0' + signal % 10);
	if (write(1, line, sizeof(line) - 1) < 0)
		_exit(1);
}

static void start_alarm(void)
{
	struct itimerval timer = { { 0, 0 }, { 0, 50000 } };
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void parse(char *text, long *word)
{
	char *state, *item = strtok_r(text, ",", &state);
	for (int i = 0; item && i < 7; i++, item = strtok_r(NULL, ",", &state))
		word[i] = *item == '@' ? (long)(item + 1) : (long)strtoul(item, NULL, 0);
}

static void *do_word(void *argument)
{
	long word[7] = { 0 };
	char *text = argument;
	pthread_t thread;

	if (strcmp(text, "site") == 0)
		printf("%#lx\n", (long)caller_site);
	else if (strcmp(text, "tid") == 0)
		printf("%d\n", gettid());
	else if (strcmp(text, "alarm") == 0)
		start_alarm();
	else if (strcmp(text, "alarms") == 0)
		printf("%d\n", alarms);
	else if (strncmp(text, "handle:", 7) == 0)
		signal(atoi(text + 7), on_signal);
	else if (strncmp(text, "ignore:", 7) == 0)
		signal(atoi(text + 7), SIG_IGN);
	else if (strncmp(text, "thread:", 7) == 0) {
		pthread_create(&thread, NULL, do_word, text + 7);
		pthread_join(thread, NULL);
	} else {
		int is_i386 = text[0] == 'i';
		parse(text + 2 * is_i386, word);
		printf("%ld\n", is_i386 ? make_i386(word) : make(word));
	}
	fflush(stdout);
	return NULL;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		do_word(argv[i]);
	return 0;
}
