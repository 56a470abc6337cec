/**
 * A pool that records what it lends.
 *
 * @module
 */
import { BufferPool } from "@webstreams/join";

/** Every buffer's size, as it was lent, and how often one came back or was written off. */
export class RecordingPool extends BufferPool {
  readonly acquired: Uint8Array<ArrayBuffer>[] = [];
  readonly released: Uint8Array<ArrayBuffer>[] = [];
  readonly writtenOff: number[] = [];
  /** The most that was lent at once. */
  mostLent = 0;

  /** The sizes that were lent, in order. */
  sizes: number[] = [];

  override acquire(size: number, moved?: number): Uint8Array<ArrayBuffer> {
    const buffer = super.acquire(size, moved);
    this.acquired.push(buffer);
    this.sizes.push(buffer.length);
    this.mostLent = Math.max(this.mostLent, this.lent);
    return buffer;
  }

  override release(buffer: Uint8Array<ArrayBuffer>): void {
    super.release(buffer);
    this.released.push(buffer);
  }

  override writeOff(length: number): void {
    super.writeOff(length);
    this.writtenOff.push(length);
  }
}
