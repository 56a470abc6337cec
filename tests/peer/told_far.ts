import type { Far, FarStats, Sending, Until } from "./far_end.ts";

/** A far end elsewhere, which is told by messages what to do. */
export abstract class ToldFar implements Far {
  /** Hands a verb on, and gives what comes of it. */
  protected abstract tell<T>(verb: keyof Far, ...args: unknown[]): Promise<T>;

  send(sending: Sending): Promise<void> {
    return this.tell("send", sending);
  }

  stopSending(): Promise<void> {
    return this.tell("stopSending");
  }

  finish(): Promise<void> {
    return this.tell("finish");
  }

  reset(code?: number): Promise<void> {
    return this.tell("reset", code);
  }

  close(code?: number, reason?: string): Promise<void> {
    return this.tell("close", code, reason);
  }

  pause(): Promise<void> {
    return this.tell("pause");
  }

  resume(): Promise<void> {
    return this.tell("resume");
  }

  stats(): Promise<FarStats> {
    return this.tell("stats");
  }

  until(what: Until): Promise<FarStats> {
    return this.tell("until", what);
  }

  dispose(): Promise<void> {
    return this.tell("dispose");
  }
}
