// The load for a relay, both sides of it, cheap enough that the relay is what is measured: one thread, epoll,
// and most of what comes in bulk is counted without being copied. Prints a line of JSON; exits with 1, and says
// why, if a byte is missing or wrong.
//
//   load bulk  VIA TARGET BYTES CONNECTIONS     one way, half-closed at the end
//   load back  VIA TARGET BYTES CONNECTIONS     from the target, to the last byte
//   load echo  VIA TARGET MESSAGES CONNECTIONS  64 B, the next one when the last has come back
//   load churn VIA TARGET CONNECTIONS AT_ONCE   a message each, closed when it has come back
//   load mixed VIA TARGET MS COUNT              bulk senders, and as many clients with a message each 5 ms
//   load crowd VIA TARGET CONNECTIONS SENDERS   a message each, 16 at once, beside bulk senders
//
// These hold their connections, say so by a line, and go on after a line of input:
//
//   load idle  VIA TARGET CONNECTIONS           open and silent; then a message each
//   load spent VIA TARGET CONNECTIONS           2 to 6 MB each from the target before; then a message each
//   load stalled VIA TARGET CONNECTIONS BYTES   downloads that are not read to their end, come to rest; then others
//                                               beside them, their rest, and others alone
//   load slow  VIA TARGET CONNECTIONS MS        downloads that are read by 100 KB/s each, for MS; then their rest
//   load half-closed VIA TARGET CONNECTIONS     by the client, after a message; then one of the target's each
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <netinet/tcp.h>
#include <poll.h>
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
enum { EACH_MS = 5, AHEAD_MS = 500, AT_ONCE = 16, QUIET_MS = 1000, READ_MS = 100, BYTES_A_MS = 100 };
// A download; what a client reads of it before it stalls; and one that is read slowly.
enum { STALLED_BYTES = 2250000, READ_FIRST = 1000000, SLOW_BYTES = 3000000 };
// No power of two, so that a buffer in the wrong place shows.
enum { PERIOD = 1048573 };

// A client's first byte to a target that serves both kinds.
enum kind { UNKNOWN = 0, SENDER = 'B', ASKER = 'E' };

struct conn {
  int fd;
  uint8_t server, connecting, kind;
  long moved, left;  // bulk: bytes; echo: bytes of the present answer, messages to send
  long number, reads;
  double since, due;  // when it has asked, and is to ask again; 0: it does not wait for it
  struct conn *before;  // the target's: accepted before this one
};

// Senders and what comes of them are in `queue`, everything else in `urgent`: the same unless there are both.
static int queue, urgent, listener, via, thin;
static long accepted, connected, ended, closed, to_send_back;
static struct conn *newest;
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
  int of = conn && conn->kind == SENDER ? queue : urgent;
  if (epoll_ctl(of, operation, conn ? conn->fd : listener, &event)) refused("epoll_ctl");
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
  watch(NULL, EPOLL_CTL_ADD, EPOLLIN);
}

static void accept_one(void) {
  int fd = accept4(listener, 0, 0, SOCK_NONBLOCK);
  if (fd < 0) return;
  no_delay(fd);
  struct conn *conn = calloc(1, sizeof *conn);
  conn->fd = fd, conn->server = 1, conn->left = to_send_back, conn->before = newest, newest = conn;
  watch(conn, EPOLL_CTL_ADD, to_send_back ? EPOLLOUT : EPOLLIN);
  accepted++;
}

// A network's packets and a small window, so that the relay has to wait for a client long before the kernel has
// no more memory for sockets: it would hold 8 MB of each download on loopback.
static void make_thin(int fd) {
  int packet = 1460, window = 16 * 1024;
  setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &packet, sizeof packet);
  setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window);
}

static void open_client(struct conn *conn) {
  struct sockaddr_in address = at(via);
  conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (conn->fd < 0) refused("socket");
  no_delay(conn->fd);
  if (thin) make_thin(conn->fd);
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
  uint8_t message[1 + MESSAGE] = {conn->kind};
  conn->number++, conn->left--, conn->moved = 0;
  compose(conn, message + 1);
  conn->since = now();
  ssize_t prefix = conn->kind && conn->number == 1, length = prefix + MESSAGE;
  if (send(conn->fd, message + 1 - prefix, length, MSG_NOSIGNAL) != length) refused("send");
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
  if (conn->server) ended++;
  else closed++;
}

static void send_back(struct conn *conn) {
  ssize_t n = recv(conn->fd, buffer, sizeof buffer, 0);
  if (n > 0 && send(conn->fd, buffer, n, MSG_NOSIGNAL) != n) refused("the target's send");
  if (n < 0 && errno == EAGAIN) return;
  if (n <= 0) end(conn), free(conn);
}

// Whether that was the last one.
static int send_block(struct conn *conn) {
  long from = conn->moved % PERIOD, most = PERIOD - from;
  if (most > BLOCK) most = BLOCK;
  if (most > conn->left) most = conn->left;
  ssize_t n = send(conn->fd, pattern + from, most, MSG_NOSIGNAL);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) refused("send");
  conn->moved += n, conn->left -= n;
  return !conn->left;
}

static void finish_sending(struct conn *conn) {
  shutdown(conn->fd, SHUT_WR);
  watch(conn, EPOLL_CTL_DEL, 0);
}

static long receive_block(struct conn *conn, long most) {
  long from = conn->moved % PERIOD;
  int checked = conn->reads++ % CHECKED_READS == 0;
  ssize_t n = recv(conn->fd, checked ? buffer : NULL, most, checked ? 0 : MSG_TRUNC);
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
// Handles what has happened, or does within `ms`; returns how much that was.
static int handle(int of, int most, int ms, handler *client, handler *server) {
  struct epoll_event events[256];
  int ready = epoll_wait(of, events, most, ms);
  if (ready < 0 && errno != EINTR) refused("epoll_wait");
  for (int i = 0; i < ready; i++) {
    struct conn *conn = events[i].data.ptr;
    if (!conn) accept_one();
    else if (conn->server) server(conn);
    else client(conn);
  }
  return ready;
}

static void stuck(long count, long wanted) {
  fail("stuck: %ld of %ld, %ld connected, %ld accepted", count, wanted, connected, accepted);
}

// Handles what happens until `*count` has come to `wanted`.
static void until(long *count, long wanted, handler *client, handler *server) {
  while (*count < wanted) {
    if (handle(queue, 256, STUCK_MS, client, server) == 0) stuck(*count, wanted);
  }
}

static long done, received, to_open;
static float *latencies;

static void bulk_client(struct conn *conn) {
  if (conn->connecting) finish_connecting(conn);
  if (send_block(conn)) finish_sending(conn);
}

static void bulk_server(struct conn *conn) { received += receive_block(conn, BLOCK); }

static void back_client(struct conn *conn) {
  if (conn->connecting) {
    finish_connecting(conn);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
  } else {
    received += receive_block(conn, BLOCK);
  }
}

static void back_server(struct conn *conn) {
  if (send_block(conn)) finish_sending(conn);
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

// `bytes` is what bulk has moved in those seconds.
static void print_latencies(double seconds, long bytes) {
  qsort(latencies, done, sizeof *latencies, by_value);
  float p50 = latencies[done / 2], p99 = latencies[done * 99 / 100];
  printf("{\"seconds\":%f,\"p50\":%f,\"p99\":%f,\"bytes\":%ld,\"all\":%ld}\n", seconds, p50, p99, bytes, received);
}

static void tell(long count) {
  printf("{\"open\":%ld}\n", count);
  fflush(stdout);
}

// False if it is not to go on.
static int hold(long count) {
  tell(count);
  return getchar() != EOF;
}

static struct conn *askers;
static long asker_count, asked;
static double stop;

static void ask(struct conn *conn) { asked++, send_message(conn); }

static void mixed_client(struct conn *conn) {
  if (conn->kind == SENDER && conn->connecting) {
    finish_connecting(conn);
    if (send(conn->fd, &conn->kind, 1, MSG_NOSIGNAL) != 1) refused("send");
  } else if (conn->kind == SENDER) {
    send_block(conn);
  } else if (conn->connecting) {
    finish_connecting(conn);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
  } else if (answered(conn)) {
    double time = now();
    latencies[done++] = (time - conn->since) * 1e6;
    conn->since = 0, conn->due = time < stop ? time + EACH_MS / 1e3 : 0;
  }
}

static void crowd_client(struct conn *conn) {
  if (conn->kind == SENDER) {
    mixed_client(conn);
  } else if (conn->connecting) {
    double opened = conn->since;
    finish_connecting(conn);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
    ask(conn);
    conn->since = opened;
  } else if (answered(conn)) {
    latencies[done++] = (now() - conn->since) * 1e6;
    end(conn);
    conn->number = 0, conn->since = 0;
    if (to_open) to_open--, conn->since = now(), open_client(conn);
  }
}

static void mixed_server(struct conn *conn) {
  if (conn->kind == SENDER) {
    bulk_server(conn);
  } else if (conn->kind == ASKER) {
    send_back(conn);
  } else {
    uint8_t kind;
    ssize_t n = recv(conn->fd, &kind, 1, 0);
    if (n < 0 && errno == EAGAIN) return;
    if (n != 1 || (kind != SENDER && kind != ASKER)) fail("a wrong first byte");
    watch(conn, EPOLL_CTL_DEL, 0);
    conn->kind = kind;
    watch(conn, EPOLL_CTL_ADD, EPOLLIN);
  }
}

// Handles what happens until `*count` has come to `wanted`, or it is `deadline`. Between any two events of bulk it
// looks for what is urgent, so that the time of an answer is the relay's and not this program's.
static void accompany(long *count, long wanted, double deadline, handler *client) {
  double time = now(), moved = time;
  for (; *count < wanted && time < deadline; time = now()) {
    struct pollfd both[] = {{.fd = queue, .events = POLLIN}, {.fd = urgent, .events = POLLIN}};
    if (poll(both, 2, 1) > 0) moved = time;
    else if (time - moved > STUCK_MS / 1e3) stuck(*count, wanted);
    handle(urgent, 256, 0, client, mixed_server);
    for (struct conn *conn = askers; conn < askers + asker_count; conn++) {
      if (conn->since && time - conn->since > STUCK_MS / 1e3) fail("stuck: no answer beside bulk");
      if (conn->due && time >= conn->due) conn->due = 0, ask(conn);
    }
    handle(queue, 1, 0, client, mixed_server);
  }
}

static struct conn *start_senders(long count) {
  queue = epoll_create1(0);
  struct conn *senders = calloc(count, sizeof *senders);
  for (long i = 0; i < count; i++) {
    senders[i].kind = SENDER, senders[i].left = LONG_MAX, open_client(&senders[i]);
  }
  return senders;
}

// Returns what they have sent: all of that has to come.
static long stop_senders(struct conn *senders, long count) {
  long sent = 0;
  for (long i = 0; i < count; i++) finish_sending(&senders[i]), sent += senders[i].moved;
  return sent;
}

static void mix(long ms, long count) {
  double start = now(), ahead = start + AHEAD_MS / 1e3;
  long never = 0;
  stop = start + ms / 1e3;
  struct conn *senders = start_senders(count);
  askers = calloc(count, sizeof *askers);
  latencies = calloc(count * (ms / EACH_MS + 1), sizeof *latencies);
  for (long i = 0; i < count; i++) {
    askers[i].kind = ASKER, askers[i].due = ahead, open_client(&askers[i]);
  }
  asker_count = count;
  accompany(&never, 1, stop, mixed_client);
  long bytes = received;
  double seconds = now() - start;
  for (long i = 0; i < count; i++) askers[i].due = 0;
  long sent = stop_senders(senders, count);
  accompany(&done, asked, INFINITY, mixed_client);
  for (long i = 0; i < count; i++) end(&askers[i]);
  accompany(&ended, 2 * count, INFINITY, mixed_client);
  if (received != sent) fail("%ld of %ld bytes arrived", received, sent);
  print_latencies(seconds, bytes);
}

static void crowd(long amount, long count) {
  double start = now();
  long never = 0;
  struct conn *senders = start_senders(count);
  accompany(&never, 1, start + AHEAD_MS / 1e3, crowd_client);
  asker_count = AT_ONCE, askers = calloc(asker_count, sizeof *askers);
  latencies = calloc(amount, sizeof *latencies);
  long bytes = received;
  start = now(), to_open = amount - asker_count;
  for (long i = 0; i < asker_count; i++) {
    askers[i].kind = ASKER, askers[i].since = now(), open_client(&askers[i]);
  }
  accompany(&done, amount, INFINITY, crowd_client);
  bytes = received - bytes;
  double seconds = now() - start;
  long sent = stop_senders(senders, count);
  accompany(&ended, count + amount, INFINITY, crowd_client);
  if (received != sent) fail("%ld of %ld bytes arrived", received, sent);
  print_latencies(seconds, bytes);
}

// Sends what it has to, and then back what comes.
static void serve(struct conn *conn) {
  if (!conn->left) send_back(conn);
  else if (send_block(conn)) watch(conn, EPOLL_CTL_MOD, EPOLLIN);
}

static void ask_all(struct conn *conns, long count) {
  for (long i = 0; i < count; i++) conns[i].left = 1, send_message(&conns[i]);
  until(&done, count, echo_client, serve);
}

static int spend(long count) {
  struct conn *conns = calloc(count, sizeof *conns);
  latencies = calloc(count, sizeof *latencies);
  for (long i = 0, total = 0; i < count; i++) {
    to_send_back = 2000000 + i * 2654435761 % 4000000;
    open_client(&conns[i]);
    until(&received, total += to_send_back, back_client, serve);
  }
  if (!hold(count)) return 0;
  ask_all(conns, count);
  return 1;
}

static long to_read;

static void stalling_client(struct conn *conn) {
  back_client(conn);
  if (conn->moved >= to_read) watch(conn, EPOLL_CTL_DEL, 0);
}

// Downloads of which the clients read the beginning.
static struct conn *open_stalling(long count, long bytes, long first) {
  struct conn *conns = calloc(count, sizeof *conns);
  to_send_back = bytes, to_read = first, thin = 1;
  for (long i = 0; i < count; i++) {
    open_client(&conns[i]);
    if (i >= PENDING) until(&accepted, i - PENDING, stalling_client, serve);
  }
  until(&accepted, count, stalling_client, serve);
  until(&connected, count, stalling_client, serve);
  thin = 0;
  return conns;
}

// Ends the downloads where they are: all that the target has sent has to come, and each end.
static void read_rest(struct conn *conns, long count) {
  long sent = 0, over = ended;
  for (struct conn *conn = newest; conn; conn = conn->before) {
    sent += conn->moved, conn->left = 0;
    shutdown(conn->fd, SHUT_WR);
    watch(conn, EPOLL_CTL_MOD, EPOLLIN);
  }
  newest = NULL;
  for (long i = 0; i < count; i++) watch(&conns[i], EPOLL_CTL_ADD, EPOLLIN);
  until(&received, sent, back_client, serve);
  until(&closed, count, back_client, serve);
  until(&ended, over + count, back_client, serve);
}

static void come_to_rest(handler *client) {
  while (handle(queue, 256, QUIET_MS, client, serve)) continue;
}

// Leaves nothing behind; returns its seconds.
static float download(long bytes) {
  struct conn conn = {0};
  long before = received, over = ended;
  double start = now();
  to_send_back = bytes;
  open_client(&conn);
  until(&received, before + bytes, back_client, serve);
  double seconds = now() - start;
  struct conn *server = newest;
  newest = server->before, received = before;
  close(conn.fd);
  until(&ended, over + 1, back_client, serve);
  return seconds;
}

static float middle_download(long bytes) {
  float three[3];
  for (int i = 0; i < 3; i++) three[i] = download(bytes);
  qsort(three, 3, sizeof *three, by_value);
  return three[1];
}

static int stall(long count, long bytes) {
  struct conn *conns = open_stalling(count, STALLED_BYTES, READ_FIRST);
  come_to_rest(stalling_client);
  for (long i = 0; i < count; i++) {
    if (conns[i].moved < READ_FIRST) fail("stuck: %ld of %d were to be read", conns[i].moved, READ_FIRST);
  }
  if (!hold(count)) return 0;
  float beside = middle_download(bytes);
  read_rest(conns, count);
  come_to_rest(back_client);
  printf("{\"beside\":%f,\"alone\":%f}\n", beside, middle_download(bytes));
  return 1;
}

// Tells the pace of the slowest, in bytes a second.
static int read_slowly(long count, long ms) {
  struct conn *conns = open_stalling(count, SLOW_BYTES, 0);
  struct pollfd input = {.fd = 0, .events = POLLIN};
  double start = now(), time = start, slowest = INFINITY;
  for (long i = 0; i < count; i++) conns[i].since = start + i * READ_MS / 1e3 / count;
  for (int told = 0; !told || !poll(&input, 1, 0); time = now()) {
    for (struct conn *conn = conns; conn < conns + count; conn++) {
      long due = (time - conn->since) * 1e3 * BYTES_A_MS - conn->moved;
      if (due >= READ_MS * BYTES_A_MS) received += receive_block(conn, due < BLOCK ? due : BLOCK);
    }
    if (!told && time - start >= ms / 1e3) told = 1, tell(count);
    handle(queue, 256, 1, stalling_client, serve);
  }
  if (getchar() == EOF) return 0;
  for (long i = 0; i < count; i++) {
    double pace = conns[i].moved / (time - conns[i].since);
    if (pace < slowest) slowest = pace;
  }
  read_rest(conns, count);
  printf("{\"slowest\":%f}\n", slowest);
  return 1;
}

static long halves;

static void keep_open(struct conn *conn) {
  ssize_t n = recv(conn->fd, buffer, sizeof buffer, 0);
  if (n > 0 && send(conn->fd, buffer, n, MSG_NOSIGNAL) != n) refused("the target's send");
  if (n < 0 && errno != EAGAIN) refused("the target's receive");
  if (n == 0) watch(conn, EPOLL_CTL_DEL, 0), halves++;
}

static int half_close(long count) {
  struct conn *conns = open_slowly(count, 1);
  for (long i = 0; i < count; i++) send_message(&conns[i]);
  until(&done, count, echo_client, keep_open);
  for (long i = 0; i < count; i++) shutdown(conns[i].fd, SHUT_WR), conns[i].moved = 0;
  until(&halves, count, echo_client, keep_open);
  if (!hold(count)) return 0;
  for (struct conn *conn = newest; conn; conn = conn->before) {
    conn->left = MESSAGE;
    if (!send_block(conn)) fail("the target cannot send any more");
    end(conn);
  }
  until(&received, count * MESSAGE, back_client, keep_open);
  until(&closed, count, back_client, keep_open);
  return 1;
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
  queue = urgent = epoll_create1(0);
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
    until(&received, to_send_back * count, back_client, back_server);
  } else if (!strcmp(mode, "echo")) {
    struct conn *conns = open_slowly(count, amount / count);
    start = now();
    for (long i = 0; i < count; i++) send_message(&conns[i]);
    amount = amount / count * count;
    until(&done, amount, echo_client, send_back);
    print_latencies(now() - start, 0);
    return 0;
  } else if (!strcmp(mode, "churn")) {
    to_open = amount - count;
    open_all(count, 0);
    until(&done, amount, churn_client, send_back);
    until(&ended, amount, churn_client, send_back);
  } else if (!strcmp(mode, "mixed")) {
    return mix(amount, count), 0;
  } else if (!strcmp(mode, "crowd")) {
    return crowd(amount, count), 0;
  } else if (!strcmp(mode, "idle")) {
    struct conn *conns = open_slowly(amount, 1);
    if (!hold(amount)) return 1;
    start = now();
    ask_all(conns, amount);
  } else if (!strcmp(mode, "spent")) {
    if (!spend(amount)) return 1;
  } else if (!strcmp(mode, "stalled")) {
    return !stall(amount, count);
  } else if (!strcmp(mode, "slow")) {
    return !read_slowly(amount, count);
  } else if (!strcmp(mode, "half-closed")) {
    if (!half_close(amount)) return 1;
  } else {
    return 2;
  }
  printf("{\"seconds\":%f}\n", now() - start);
}
