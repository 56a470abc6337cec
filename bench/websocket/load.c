// The load for main.ts, on its own so that it costs next to nothing: WebSocket clients with frames masked
// beforehand, and the server behind the relay: of TCP, or of WebSockets, whose payload is not looked at.
//
//   load bulk RELAY TARGET BYTES FRAME [websocket]            GB/s, client to server
//   load echo RELAY TARGET MESSAGES SIZE CONNS [websocket]    messages/s; of WebSockets these are texts
#define _GNU_SOURCE
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

static int ask_websocket(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = at(port);
  if (connect(fd, (void *)&address, sizeof address)) die("connect");
  no_delay(fd);
  static const char request[] =
      "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (write(fd, request, sizeof request - 1) < 0) die("write");
  return fd;
}

static void await_upgrade(int fd) {
  char head[4096];
  size_t got = 0;
  while (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4)) {
    if (got == sizeof head || read(fd, head + got, 1) != 1) die("no upgrade");
    got++;
  }
  if (memcmp(head, "HTTP/1.1 101", 12)) die("no upgrade");
}

static int open_websocket(int port) {
  int fd = ask_websocket(port);
  await_upgrade(fd);
  return fd;
}

enum { TEXT = 0x81, BINARY = 0x82 };

// A masked frame of `size` bytes: its length, header included.
static size_t put_frame(uint8_t *to, size_t size, int kind) {
  static const uint8_t mask[4] = {0x37, 0xfa, 0x21, 0x3d};
  size_t head = 2;
  to[0] = kind;
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
  for (size_t i = 0; i < size; i++) to[head + 4 + i] = ('a' + i % 26) ^ mask[i & 3];
  return head + 4 + size;
}

static uint32_t rotated(uint32_t x, int by) { return x << by | x >> (32 - by); }

// SHA-1 (RFC 3174) of up to 119 bytes.
static void sha1(const char *text, size_t length, uint8_t digest[20]) {
  uint8_t data[128] = {0};
  size_t blocks = length < 56 ? 1 : 2;
  uint32_t h[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
  memcpy(data, text, length);
  data[length] = 0x80;
  data[64 * blocks - 2] = length * 8 >> 8, data[64 * blocks - 1] = length * 8;
  for (size_t block = 0; block < blocks; block++) {
    uint32_t w[80], v[5];
    for (int i = 0; i < 16; i++) {
      const uint8_t *at = data + 64 * block + 4 * i;
      w[i] = (uint32_t)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
    }
    for (int i = 16; i < 80; i++) w[i] = rotated(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
    memcpy(v, h, sizeof v);
    for (int i = 0; i < 80; i++) {
      uint32_t f = i < 20   ? (v[1] & v[2]) | (~v[1] & v[3])
                   : i < 40 ? v[1] ^ v[2] ^ v[3]
                   : i < 60 ? (v[1] & v[2]) | (v[1] & v[3]) | (v[2] & v[3])
                            : v[1] ^ v[2] ^ v[3];
      uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
      uint32_t next = rotated(v[0], 5) + f + v[4] + k + w[i];
      v[4] = v[3], v[3] = v[2], v[2] = rotated(v[1], 30), v[1] = v[0], v[0] = next;
    }
    for (int i = 0; i < 5; i++) h[i] += v[i];
  }
  for (int i = 0; i < 20; i++) digest[i] = h[i / 4] >> (24 - 8 * (i % 4));
}

// Answers a WebSocket's handshake (RFC 6455, 4.2.2).
static void upgrade(int fd) {
  char head[8192], joined[128], answer[256], *key;
  size_t got = 0;
  while (got < 4 || memcmp(head + got - 4, "\r\n\r\n", 4)) {
    if (got == sizeof head - 1 || read(fd, head + got, 1) != 1) die("no request");
    got++;
  }
  head[got] = 0;
  if (!(key = strcasestr(head, "\r\nsec-websocket-key:"))) die("no key");
  key += strlen("\r\nsec-websocket-key:");
  key += strspn(key, " ");
  snprintf(joined, sizeof joined, "%.24s258EAFA5-E914-47DA-95CA-C5AB0DC85B11", key);
  uint8_t digest[21] = {0};
  sha1(joined, strlen(joined), digest);
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  char accepted[29];
  for (int i = 0; i < 28; i++) {
    int bit = 6 * i, pair = digest[bit / 8] << 8 | (bit / 8 < 20 ? digest[bit / 8 + 1] : 0);
    accepted[i] = letters[pair >> (10 - bit % 8) & 63];
  }
  accepted[27] = '=', accepted[28] = 0;
  int length = snprintf(answer, sizeof answer,
                        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                        "Sec-WebSocket-Accept: %s\r\n\r\n",
                        accepted);
  if (write(fd, answer, length) != length) die("write");
}

// Where in the frames a reader is: in a header, or in a payload.
struct frames {
  uint8_t header[14];
  size_t had, left;
  long messages;
};

// How much of what was read is payload; control frames, which are short, are none.
static size_t payload(struct frames *it, const uint8_t *bytes, size_t count) {
  size_t sum = 0;
  while (count > 0) {
    if (it->left > 0) {
      size_t some = count < it->left ? count : it->left;
      it->left -= some, bytes += some, count -= some;
      if (!(it->header[0] & 8)) sum += some;
    } else {
      it->header[it->had++] = *bytes++, count--;
      if (it->had < 2) continue;
      int size = it->header[1] & 127, more = size == 126 ? 2 : size == 127 ? 8 : 0;
      if (it->had < (size_t)(2 + more + (it->header[1] & 128 ? 4 : 0))) continue;
      it->left = more ? 0 : size;
      for (int i = 0; i < more; i++) it->left = it->left << 8 | it->header[2 + i];
      it->had = 0;
    }
    // A last fragment has ended.
    if (it->left == 0 && it->had == 0 && it->header[0] & 128 && !(it->header[0] & 8)) it->messages++;
  }
  return sum;
}

// Of the relay that has asked for it meanwhile, which answers its client after that.
static int open_through(int relay, int listener, int frames, int *server) {
  if (!frames) {
    int client = open_websocket(relay);
    *server = accept(listener, 0, 0);
    return client;
  }
  int client = ask_websocket(relay);
  *server = accept(listener, 0, 0);
  upgrade(*server);
  await_upgrade(client);
  return client;
}

static void non_blocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

static void bulk(int relay, int target, uint64_t bytes, size_t size, int websocket) {
  int listener = listen_on(target), server;
  int client = open_through(relay, listener, websocket, &server);
  struct frames frames = {0};
  // So many frames a write as make about 1 MiB.
  size_t count = size < 1 << 20 ? (1 << 20) / size : 1;
  uint8_t *block = malloc(count * (size + 14)), *buffer = malloc(1 << 20);
  size_t frame = 0;
  for (size_t i = 0; i < count; i++) frame = put_frame(block + i * frame, size, BINARY);
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
        got += websocket ? payload(&frames, buffer, n) : (size_t)n;
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
  int client;
  size_t got;
  struct frames frames;
};

static void echo(int relay, int target, long messages, size_t size, int conns, int websocket) {
  if (size > 125) die("size");
  int listener = listen_on(target), queue = epoll_create1(0);
  struct side *sides = calloc(2 * conns, sizeof *sides);
  for (int i = 0; i < conns; i++) {
    int server, client = open_through(relay, listener, websocket, &server);
    sides[2 * i] = (struct side){.fd = client, .client = 1};
    sides[2 * i + 1] = (struct side){.fd = server};
    for (int j = 0; j < 2; j++) {
      struct side *side = &sides[2 * i + j];
      struct epoll_event in = {.events = EPOLLIN, .data.ptr = side};
      no_delay(side->fd);
      epoll_ctl(queue, EPOLL_CTL_ADD, side->fd, &in);
    }
  }
  uint8_t frame[200], buffer[65536];
  size_t length = put_frame(frame, size, websocket ? TEXT : BINARY);
  // A server's has no mask.
  uint8_t answer[200] = {TEXT, size};
  for (size_t i = 0; i < size; i++) answer[2 + i] = 'a' + i % 26;
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
      if (!side->client) {
        if (!websocket && write(side->fd, buffer, n) != n) die("write");
        if (!websocket) continue;
        payload(&side->frames, buffer, n);
        for (; side->frames.messages > 0; side->frames.messages--) {
          if (write(side->fd, answer, size + 2) < 0) die("write");
        }
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
  int websocket = argc > 2 && !strcmp(argv[argc - 1], "websocket");
  argc -= websocket;
  if (argc == 6 && !strcmp(argv[1], "bulk")) {
    bulk(atoi(argv[2]), atoi(argv[3]), strtoull(argv[4], 0, 10), atoi(argv[5]), websocket);
  } else if (argc == 7 && !strcmp(argv[1], "echo")) {
    echo(atoi(argv[2]), atoi(argv[3]), atol(argv[4]), atoi(argv[5]), atoi(argv[6]), websocket);
  } else {
    return 2;
  }
  return 0;
}
