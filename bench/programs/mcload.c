/* mcload.c - a load of memcached: mcload PORT CLIENTS SECONDS
 *
 * Stores one value, then gets it over CLIENTS connections, each with one request at a time, from one thread. Prints:
 * replies, replies per second, and the 99th percentile of the latency in microseconds. Every reply is compared.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define VALUE 100               /* bytes */
#define LONGEST 1000000         /* microseconds; what takes longer counts as this */
#define AT_ONCE 64

struct client {
	int fd;
	size_t got;             /* of the reply */
	double sent;            /* when */
};

static const char request[] = "get key\r\n";
static char reply[200];
static size_t reply_size;
static unsigned latencies[LONGEST + 1];
static unsigned long replies;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int connected(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		err(1, "connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void say(int fd, const char *text, size_t size)
{
	if (write(fd, text, size) != (ssize_t)size)
		err(1, "write");
}

static void store(int fd)
{
	char value[VALUE + 1] = "", text[200], answer[8];
	int size;

	memset(value, 'v', VALUE);
	size = snprintf(text, sizeof(text), "set key 0 0 %d\r\n%s\r\n", VALUE, value);
	reply_size = (size_t)snprintf(reply, sizeof(reply), "VALUE key 0 %d\r\n%s\r\nEND\r\n", VALUE, value);
	say(fd, text, (size_t)size);
	if (recv(fd, answer, sizeof(answer), MSG_WAITALL) != sizeof(answer) || memcmp(answer, "STORED\r\n", sizeof(answer)))
		errx(1, "the value was not stored");
}

static void ask(struct client *client)
{
	client->got = 0;
	client->sent = now();
	say(client->fd, request, sizeof(request) - 1);
}

/* Take what is there of a reply; when it is whole, ask again. */
static void take(struct client *client)
{
	char text[sizeof(reply)];
	ssize_t size = read(client->fd, text, sizeof(text));

	if (size <= 0)
		err(1, "read");
	if (client->got + (size_t)size > reply_size || memcmp(text, reply + client->got, (size_t)size) != 0)
		errx(1, "another reply than expected");
	client->got += (size_t)size;
	if (client->got == reply_size) {
		double us = (now() - client->sent) * 1e6;

		latencies[us < LONGEST ? (int)us : LONGEST]++;
		replies++;
		ask(client);
	}
}

static int percentile(double part)
{
	unsigned long below = 0;
	int us = 0;

	while (us < LONGEST && (double)(below += latencies[us]) < part * (double)replies)
		us++;
	return us;
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[2]) : 0, epoll = epoll_create1(0);
	struct client *clients = calloc((size_t)count + 1, sizeof(*clients));
	struct epoll_event events[AT_ONCE];
	double start, end;

	if (count < 1 || epoll < 0 || clients == NULL)
		errx(2, "mcload PORT CLIENTS SECONDS");
	for (int i = 0; i < count; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.ptr = &clients[i] };

		clients[i].fd = connected(atoi(argv[1]));
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) != 0)
			err(1, "epoll_ctl");
	}
	store(clients[0].fd);
	start = now();
	end = start + atof(argv[3]);
	for (int i = 0; i < count; i++)
		ask(&clients[i]);
	while (now() < end) {
		int ready = epoll_wait(epoll, events, AT_ONCE, 1000);

		for (int i = 0; i < ready; i++)
			take(events[i].data.ptr);
	}
	printf("%lu %.1f %d\n", replies, (double)replies / (now() - start), percentile(0.99));
	return 0;
}
