// The load for main.ts, on its own so that it costs next to nothing: WebSocket clients with frames masked
// beforehand, and the TCP server behind the relay.
//
//   load bulk RELAY TARGET BYTES FRAME            GB/s, client to server
//   load echo RELAY TARGET MESSAGES SIZE CONNS    messages/s
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

static void die(const char *what) {
  perror(what);
  exit(1);
}

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

static int listen_on(int port) {
  int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = at(port);
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(fd, (void *)&address, sizeof address) || listen(fd, 1024)) die("listen");
  return fd;
}

static void no_delay(int fd) {
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static int open_websocket(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = at(port);
  if (connect(fd, (void *)&address, sizeof address)) die("connect");
  no_delay(fd);
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (write(fd, request, sizeof request - 1) < 0) die("write");
  char head[4096];
  size_t got = 0;
  while (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4)) {
    if (got == sizeof head || read(fd, head + got, 1) != 1) die("no upgrade");
    got++;
  }
  if (memcmp(head, "HTTP/1.1 101", 12)) die("no upgrade");
  return fd;
}

// A masked binary frame of `size` bytes: its length, header included.
static size_t put_frame(uint8_t *to, size_t size) {
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t head = 2;
  to[0] = 0x82;
  if (size < 126) {
    to[1] = 0x80 | size;
  } else if (size < 65536) {
    to[1] = 0x80 | 126, to[2] = size >> 8, to[3] = size;
    head = 4;
  } else {
    to[1] = 0x80 | 127;
    for (int i = 0; i < 8; i++) to[2 + i] = (uint64_t)size >> (56 - 8 * i);
    head = 10;
  }
  memcpy(to + head, mask, 4);
  for (size_t i = 0; i < size; i++) to[head + 4 + i] = (uint8_t)i ^ mask[i & 3];
  return head + 4 + size;
}

static void non_blocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static void bulk(int relay, int target, uint64_t bytes, size_t size) {
  int listener = listen_on(target), client = open_websocket(relay);
  int server = accept(listener, 0, 0);
  // So many frames a write as make about 1 MiB.
  size_t count = size < 1 << 20 ? (1 << 20) / size : 1;
  uint8_t *block = malloc(count * (size + 14)), *buffer = malloc(1 << 20);
  size_t frame = 0;
  for (size_t i = 0; i < count; i++) frame = put_frame(block + i * frame, size);
  uint64_t left = bytes / size * frame, wanted = bytes / size * size, got = 0;
  size_t at = 0, length = count * frame;
  int queue = epoll_create1(0);
  struct epoll_event in = {.events = EPOLLIN, .data.fd = server};
  struct epoll_event out = {.events = EPOLLOUT, .data.fd = client};
  non_blocking(client), non_blocking(server);
  epoll_ctl(queue, EPOLL_CTL_ADD, server, &in);
  epoll_ctl(queue, EPOLL_CTL_ADD, client, &out);
  double start = now();
  while (got < wanted) {
    struct epoll_event events[2];
    int ready = epoll_wait(queue, events, 2, 30000);
    if (ready <= 0) die("stuck");
    for (int i = 0; i < ready; i++) {
      if (events[i].data.fd == server) {
        ssize_t n = read(server, buffer, 1 << 20);
        if (n <= 0) die("cut");
        got += n;
      } else {
        size_t some = length - at < left ? length - at : left;
        ssize_t n = write(client, block + at, some);
        if (n < 0 && errno != EAGAIN) die("write");
        if (n > 0) at = (at + n) % length, left -= n;
        if (left == 0) epoll_ctl(queue, EPOLL_CTL_DEL, client, 0);
      }
    }
  }
  printf("{\"rate\":%f}\n", got / (now() - start) / 1e9);
}

struct side {
  int fd;
  uint8_t frames;  // whether what comes has headers
  size_t got;
};

static void echo(int relay, int target, long messages, size_t size, int conns) {
  if (size > 125) die("size");
  int listener = listen_on(target), queue = epoll_create1(0);
  struct side *sides = calloc(2 * conns, sizeof *sides);
  for (int i = 0; i < conns; i++) {
    sides[2 * i] = (struct side){.fd = open_websocket(relay), .frames = 1};
    sides[2 * i + 1] = (struct side){.fd = accept(listener, 0, 0)};
    for (int j = 0; j < 2; j++) {
      struct side *side = &sides[2 * i + j];
      struct epoll_event in = {.events = EPOLLIN, .data.ptr = side};
      no_delay(side->fd);
      epoll_ctl(queue, EPOLL_CTL_ADD, side->fd, &in);
    }
  }
  uint8_t frame[200], buffer[65536];
  size_t length = put_frame(frame, size);
  long done = 0, sent = 0;
  double start = now();
  for (int i = 0; i < conns; i++, sent++) if (write(sides[2 * i].fd, frame, length) < 0) die("write");
  while (done < messages) {
    struct epoll_event events[64];
    int ready = epoll_wait(queue, events, 64, 30000);
    if (ready <= 0) die("stuck");
    for (int i = 0; i < ready; i++) {
      struct side *side = events[i].data.ptr;
      ssize_t n = read(side->fd, buffer, sizeof buffer);
      if (n <= 0) die("cut");
      if (!side->frames) {
        if (write(side->fd, buffer, n) != n) die("write");
        continue;
      }
      // One frame comes back, as the relay has no reason to split so few bytes.
      side->got += n;
      if (side->got < size + 2) continue;
      side->got = 0;
      done++;
      if (sent++ < messages) if (write(side->fd, frame, length) < 0) die("write");
    }
  }
  printf("{\"rate\":%f}\n", messages / (now() - start));
}

int main(int argc, char **argv) {
  if (argc == 6 && !strcmp(argv[1], "bulk")) {
    bulk(atoi(argv[2]), atoi(argv[3]), strtoull(argv[4], 0, 10), atoi(argv[5]));
  } else if (argc == 7 && !strcmp(argv[1], "echo")) {
    echo(atoi(argv[2]), atoi(argv[3]), atol(argv[4]), atoi(argv[5]), atoi(argv[6]));
  } else {
    return 2;
  }
  return 0;
}
