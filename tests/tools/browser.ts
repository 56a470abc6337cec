/**
 * A browser that a program drives: what `puppeteer.ts` and `webkit.ts` have in common. For tests and
 * benches.
 *
 * @module
 */

/** A browser that runs. */
export interface Browser {
  /** Opens a page in front of all others. */
  open(url: string): Promise<Page>;
  /** Ends it, whatever state it is in, and all that belongs to it. Resolves to what it has printed. */
  close(): Promise<string>;
}

/** A page. */
export interface Page {
  /** Resolves to what happened to it if it crashes. */
  readonly lost: Promise<string>;
  close(): Promise<void>;
}
