import { assertEquals, assertThrows } from "@std/assert";
import { formatAddress, parseListen, parseTarget } from "../../src/forward/address.ts";
import { test } from "../harness.ts";

test("addresses are read, and written as they were", () => {
  const tcp = (hostname: string, port: number) => ({ kind: "tcp" as const, hostname, port });
  const addresses = {
    "tcp://127.0.0.1:8080": tcp("127.0.0.1", 8080),
    "tcp://localhost:1": tcp("localhost", 1),
    "tcp://my_host.example-1:65535": tcp("my_host.example-1", 65535),
    "tcp://[::1]:8080": tcp("::1", 8080),
    "tcp://[::ffff:127.0.0.1]:80": tcp("::ffff:127.0.0.1", 80),
    "unix:/run/x.sock": { kind: "unix" as const, path: "/run/x.sock" },
    "unix:relative": { kind: "unix" as const, path: "relative" },
  };
  for (const [text, address] of Object.entries(addresses)) {
    assertEquals(parseListen(text, "LISTEN"), address);
    assertEquals(parseTarget(text, "TARGET"), address);
    assertEquals(formatAddress(address), text);
  }
  for (const kind of ["echo", "discard"] as const) {
    assertEquals(parseTarget(`${kind}:`, "TARGET"), { kind });
    assertEquals(formatAddress({ kind }), `${kind}:`);
  }
});

test("unix: takes a URL's three slashes too", () => {
  assertEquals(parseListen("unix:///run/x", "LISTEN"), { kind: "unix", path: "/run/x" });
});

test("port 0 is for listening only", () => {
  assertEquals(parseListen("tcp://[::]:0", "LISTEN"), { kind: "tcp", hostname: "::", port: 0 });
  assertThrows(
    () => parseTarget("tcp://a:0", "TARGET"),
    RangeError,
    `Cannot forward as 'TARGET' must have a port of 1 to 65535: got "tcp://a:0"`,
  );
});

test("a port out of range is refused", () => {
  for (const port of ["65536", "70000", "99999999999999999999"]) {
    assertThrows(
      () => parseListen(`tcp://a:${port}`, "LISTEN"),
      RangeError,
      `Cannot forward as 'LISTEN' must have a port of 0 to 65535: got "tcp://a:${port}"`,
    );
  }
});

test("a text that is no address is refused, with the forms that are", () => {
  const texts = [
    "",
    "8080",
    ":8080",
    "127.0.0.1:8080",
    "http://a:80",
    "udp://a:80",
    "tcp:a:80",
    "tcp://a",
    "tcp://a:",
    "tcp://a:-1",
    "tcp://a:8o",
    "tcp://a:80/",
    "tcp://a:80/x",
    "tcp://u@a:80",
    "tcp://::1:80",
    "tcp://[::1:80",
    "TCP://a:80",
    "echo",
    "echo:x",
  ];
  for (const text of texts) {
    assertThrows(
      () => parseListen(text, "LISTEN"),
      TypeError,
      `Cannot forward as 'LISTEN' must be tcp://host:port or unix:/path: got "${text}"`,
    );
    assertThrows(
      () => parseTarget(text, "TARGET"),
      TypeError,
      "Cannot forward as 'TARGET' must be echo:, discard:, tcp://host:port or unix:/path: " +
        `got "${text}"`,
    );
  }
  assertThrows(() => parseListen("echo:", "LISTEN"), TypeError, 'got "echo:"');
});

test("a bad host is refused", () => {
  for (const host of ["", "256.1.1.1", "[::g]", "[]", "[1.2.3.4]", "a b", "a%41", "a?b", "a#b"]) {
    assertThrows(
      () => parseListen(`tcp://${host}:80`, "LISTEN"),
      TypeError,
      "Cannot forward as 'LISTEN' must have a host: a name, an IPv4 or an [IPv6] address: " +
        `got "tcp://${host}:80"`,
    );
  }
});

test("a unix socket needs a path, of at most 107 bytes", () => {
  for (const text of ["unix:", "unix://", "unix://host/x", "unix:/a\0b"]) {
    assertThrows(
      () => parseListen(text, "LISTEN"),
      TypeError,
      `Cannot forward as 'LISTEN' must be unix: and a path: got "${text}"`,
    );
  }
  const longest = `unix:/${"x".repeat(106)}`;
  assertEquals(formatAddress(parseListen(longest, "LISTEN")), longest);
  assertThrows(
    () => parseListen(`unix:/${"é".repeat(54)}`, "LISTEN"),
    RangeError,
    "Cannot forward as 'LISTEN' must have a path of at most 107 bytes, not 109: got ",
  );
});
