/** A server that answers early and closes, behind the forwarder: the answer arrives. */
import { forward } from "../../src/forward/main.ts";
import { test } from "../harness.ts";
import { answered, earlyAnswers } from "../recipes/early_answers.ts";

for (const ends of [true, false]) {
  const how = ends ? "ends and resets" : "resets";
  test(`forwards the early answer of a server that ${how} while it is uploaded to`, async () => {
    await using server = earlyAnswers(ends);
    const forwarder = await forward({
      listen: "tcp://127.0.0.1:0",
      target: `tcp://127.0.0.1:${await server.port()}`,
    });
    try {
      await answered(Number(new URL(forwarder.address).port), 10);
    } finally {
      await forwarder.shutdown(0);
    }
  });
}
