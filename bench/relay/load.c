// The load for a relay, both sides of it, cheap enough that the relay is what is measured: one thread, epoll,
// and most of what comes in bulk is counted without being copied. Prints a line of JSON; exits with 1, and says
// why, if a byte is missing or wrong.
//
//   load bulk  VIA TARGET BYTES CONNECTIONS     one way, half-closed at the end
//   load back  VIA TARGET BYTES CONNECTIONS     from the target, to the last byte
//   load echo  VIA TARGET MESSAGES CONNECTIONS  64 B, the next one when the last has come back
//   load churn VIA TARGET CONNECTIONS AT_ONCE   a message each, closed when it has come back
//   load idle  VIA TARGET CONNECTIONS           open and silent; after a line of input, a message each
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MESSAGE = 64, BLOCK = 256 * 1024, CHECKED_READS = 16, STUCK_MS = 30000, PENDING = 64 };
// No power of two, so that a buffer in the wrong place shows.
enum { PERIOD = 1048573 };

struct conn {
  int fd;
  uint8_t server, connecting;
  long moved, left;  // bulk: bytes; echo: bytes of the present answer, messages to send
  long number, reads;
  double since;
};

static int queue, listener, via;
static long accepted, connected, ended, to_send_back;
static uint8_t *pattern, buffer[BLOCK];

static void fail(const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(1);
}

static void refused(const char *what) { fail("%s: %s", what, strerror(errno)); }
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static struct sockaddr_in at(int port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

static void watch(struct conn *conn, int operation, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = conn};
  if (epoll_ctl(queue, operation, conn ? conn->fd : listener, &event)) refused("epoll_ctl");
}

static void no_delay(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void start_listening(int port) {
  int one = 1;
  struct sockaddr_in address = at(port);
  listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) refused("listen");
  queue = epoll_create1(0);
  watch(NULL, EPOLL_CTL_ADD, EPOLLIN);
}

static void accept_one(void) {
  int fd = accept4(listener, 0, 0, SOCK_NONBLOCK);
  if (fd < 0) return;
  no_delay(fd);
  struct conn *conn = calloc(1, sizeof *conn);
  conn->fd = fd, conn->server = 1, conn->left = to_send_back;
  watch(conn, EPOLL_CTL_ADD, to_send_back ? EPOLLOUT : EPOLLIN);
  accepted++;
}

static void open_client(struct conn *conn) {
  struct sockaddr_in address = at(via);
  conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (conn->fd < 0) refused("socket");
  no_delay(conn->fd);
  conn->connecting = 1, conn->moved = 0;
  if (connect(conn->fd, (void *)&address, sizeof address) && errno != EINPROGRESS) refused("connect");
  watch(conn, EPOLL_CTL_ADD, EPOLLOUT);
}

static void finish_connecting(struct conn *conn) {
  int error = 0;
  socklen_t length = sizeof error;
  getsockopt(conn->fd, SOL_SOCKET, SO_ERROR, &error, &length);
  if (error) fail("connect: %s", strerror(error));
  conn->connecting = 0;
  connected++;
}

static void compose(struct conn *conn, uint8_t *message) {
  memcpy(message, pattern, MESSAGE);
  memcpy(message, &conn, sizeof conn);
  memcpy(message + 8, &conn->number, 8);
}

static void send_message(struct conn *conn) {
  uint8_t message[MESSAGE];
  conn->number++, conn->left--, conn->moved = 0;
  compose(conn, message);
  conn->since = now();
  if (send(conn->fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE) refused("send");
}

// Whether the answer is whole.
static int answered(struct conn *conn) {
  uint8_t message[MESSAGE];
  ssize_t n = recv(conn->fd, buffer, MESSAGE - conn->moved + 1, 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) refused("an answer");
  if (n == 0) fail("an answer was cut off");
  compose(conn, message);
  if (n > MESSAGE - conn->moved || memcmp(buffer, message + conn->moved, n)) fail("a wrong answer");
  conn->moved += n;
  return conn->moved == MESSAGE;
}

static void end(struct conn *conn) {
  close(conn->fd);
  ended += conn->server;
}

static void send_back(struct conn *conn) {
  ssize_t n = recv(conn->fd, buffer, sizeof buffer, 0);
  if (n > 0 && send(conn->fd, buffer, n, MSG_NOSIGNAL) != n) refused("the target's send");
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) end(conn), free(conn);
}

static void send_block(struct conn *conn) {
  long from = conn->moved % PERIOD, most = PERIOD - from;
  if (most > BLOCK) most = BLOCK;
  if (most > conn->left) most = conn->left;
  ssize_t n = send(conn->fd, pattern + from, most, MSG_NOSIGNAL);
  if (n < 0 && errno == EAGAIN) return;
  if (n < 0) refused("send");
  conn->moved += n, conn->left -= n;
  if (conn->left) return;
  shutdown(conn->fd, SHUT_WR);
  watch(conn, EPOLL_CTL_DEL, 0);
}

static long receive_block(struct conn *conn) {
  long from = conn->moved % PERIOD;
  int checked = conn->reads++ % CHECKED_READS == 0;
  ssize_t n = recv(conn->fd, checked ? buffer : NULL, BLOCK, checked ? 0 : MSG_TRUNC);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) refused("receive");
  if (n == 0) {
    end(conn);
    if (conn->server) free(conn);
    return 0;
  }
  // Twice, as it may go over the end of the pattern.
  ssize_t first = n < PERIOD - from ? n : PERIOD - from;
  if (checked && (memcmp(buffer, pattern + from, first) || memcmp(buffer + first, pattern, n - first))) {
    fail("wrong bytes after %ld", conn->moved);
  }
  conn->moved += n;
  return n;
}

typedef void handler(struct conn *);
// Handles what happens until `*count` has come to `wanted`.
static void until(long *count, long wanted, handler *client, handler *server) {
  while (*count < wanted) {
    struct epoll_event events[256];
    int ready = epoll_wait(queue, events, 256, STUCK_MS);
    if (ready < 0 && errno != EINTR) refused("epoll_wait");
    if (ready == 0) {
      fail("stuck: %ld of %ld, %ld connected, %ld accepted", *count, wanted, connected, accepted);
    }
    for (int i = 0; i < ready; i++) {
      struct conn *conn = events[i].data.ptr;
      if (!conn) accept_one();
      else if (conn->server) server(conn);
      else client(conn);
    }
  }
}

static long done, received, to_open;
static float *latencies;

static void bulk_client(struct conn *conn) {
  if (conn->connecting) finish_connecting(conn);
  send_block(conn);
}

static void bulk_server(struct conn *conn) { received += receive_block(conn); }

static void back_client(struct conn *conn) {
  if (conn->connecting) {
    finish_connecting(conn);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
  } else {
    received += receive_block(conn);
  }
}

static void echo_client(struct conn *conn) {
  if (conn->connecting) {
    finish_connecting(conn);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
  } else if (answered(conn)) {
    latencies[done++] = (now() - conn->since) * 1e6;
    if (conn->left) send_message(conn);
  }
}

static void churn_client(struct conn *conn) {
  if (conn->connecting) {
    finish_connecting(conn);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
    send_message(conn);
  } else if (answered(conn)) {
    end(conn);
    done++;
    if (to_open) to_open--, open_client(conn);
  }
}

static void open_all(long count, long left) {
  struct conn *conns = calloc(count, sizeof *conns);
  for (long i = 0; i < count; i++) conns[i].left = left, open_client(&conns[i]);
}

// So few at once that no relay's backlog overflows; whoever is accepted has been dialled for.
static struct conn *open_slowly(long count, long left) {
  struct conn *conns = calloc(count, sizeof *conns);
  latencies = calloc(count * left, sizeof *latencies);
  for (long i = 0; i < count; i++) {
    conns[i].left = left, open_client(&conns[i]);
    if (i >= PENDING) until(&accepted, i - PENDING, echo_client, send_back);
  }
  until(&accepted, count, echo_client, send_back);
  until(&connected, count, echo_client, send_back);
  return conns;
}

static int by_value(const void *a, const void *b) {
  float one = *(float *)a, two = *(float *)b;
  return (one > two) - (one < two);
}

int main(int argc, char **argv) {
  if (argc < 5) return 2;
  const char *mode = argv[1];
  long amount = atol(argv[4]), count = argc > 5 ? atol(argv[5]) : 1;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  pattern = malloc(PERIOD);
  for (size_t i = 0; i < PERIOD; i++) pattern[i] = (i * 2654435761u) >> 13;
  via = atoi(argv[2]);
  start_listening(atoi(argv[3]));
  double start = now();
  if (!strcmp(mode, "bulk")) {
    open_all(count, amount / count);
    until(&ended, count, bulk_client, bulk_server);
    long wanted = amount / count * count;
    if (received != wanted) fail("%ld of %ld bytes arrived", received, wanted);
  } else if (!strcmp(mode, "back")) {
    to_send_back = amount / count;
    open_all(count, 0);
    until(&received, to_send_back * count, back_client, send_block);
  } else if (!strcmp(mode, "echo")) {
    struct conn *conns = open_slowly(count, amount / count);
    start = now();
    for (long i = 0; i < count; i++) send_message(&conns[i]);
    amount = amount / count * count;
    until(&done, amount, echo_client, send_back);
    double seconds = now() - start;
    qsort(latencies, amount, sizeof *latencies, by_value);
    printf("{\"seconds\":%f,\"p50\":%f,\"p99\":%f}\n", seconds, latencies[amount / 2], latencies[amount / 100 * 99]);
    return 0;
  } else if (!strcmp(mode, "churn")) {
    to_open = amount - count;
    open_all(count, 0);
    until(&done, amount, churn_client, send_back);
    until(&ended, amount, churn_client, send_back);
  } else if (!strcmp(mode, "idle")) {
    struct conn *conns = open_slowly(amount, 1);
    printf("{\"open\":%ld}\n", amount);
    fflush(stdout);
    if (getchar() == EOF) return 1;
    start = now();
    for (long i = 0; i < amount; i++) send_message(&conns[i]);
    until(&done, amount, echo_client, send_back);
  } else {
    return 2;
  }
  printf("{\"seconds\":%f}\n", now() - start);
}
