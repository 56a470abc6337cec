// A relay as plain as can be: two threads a connection, each with read and write by 1 MiB. What copying costs.
//
//   copy_relay VIA TARGET
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 1 << 20 };

struct relayed {
  int client, target;
};

static void no_delay(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

// Until the end of `from`, which is handed on.
static void copy(int from, int to) {
  char *buffer = malloc(BUFFER);
  ssize_t n;
  while ((n = read(from, buffer, BUFFER)) > 0) {
    for (ssize_t sent = 0, some; sent < n; sent += some) {
      if ((some = write(to, buffer + sent, n - sent)) < 0) goto over;
    }
  }
over:
  shutdown(to, SHUT_WR);
  if (n != 0) shutdown(from, SHUT_RD);
  free(buffer);
}

static void *back(void *argument) {
  struct relayed *relayed = argument;
  copy(relayed->target, relayed->client);
  return 0;
}

static void *relay(void *argument) {
  struct relayed *relayed = argument;
  pthread_t thread;
  pthread_create(&thread, 0, back, relayed);
  copy(relayed->client, relayed->target);
  pthread_join(thread, 0);
  close(relayed->client), close(relayed->target);
  free(relayed);
  return 0;
}

static struct sockaddr_in at(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int main(int argc, char **argv) {
  if (argc != 3) return 2;
  struct sockaddr_in via = at(atoi(argv[1])), target = at(atoi(argv[2]));
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  signal(SIGPIPE, SIG_IGN);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&via, sizeof via) || listen(listener, 4096)) return 1;
  for (;;) {
    struct relayed *relayed = malloc(sizeof *relayed);
    pthread_t thread;
    relayed->client = accept(listener, 0, 0);
    relayed->target = socket(AF_INET, SOCK_STREAM, 0);
    if (relayed->client < 0 || connect(relayed->target, (void *)&target, sizeof target)) {
      close(relayed->client), close(relayed->target), free(relayed);
      continue;
    }
    no_delay(relayed->client), no_delay(relayed->target);
    if (pthread_create(&thread, &attributes, relay, relayed)) return 1;
  }
}
