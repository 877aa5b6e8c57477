import { RuntimeError } from '../errors.ts';

/** Places on a device that hold the state of streams, planned when the component is loaded. */
export class DeviceSlots {
  readonly #component: string;
  readonly #count: number;
  readonly #free: number[];

  /** @param component as its errors call it */
  constructor(component: string, count: number) {
    this.#component = component;
    this.#count = count;
    this.#free = Array.from({ length: count }, (_, n) => count - 1 - n);
  }

  /** @throws RuntimeError `COMPONENT.full` */
  take(): number {
    const slot = this.#free.pop();
    if (slot !== undefined) return slot;
    throw new RuntimeError(
      `${this.#component}.full`,
      'The device holds no more streams.',
      { streams: this.#count },
      'Close other streams, or use the cpu engine.',
    );
  }

  giveBack(slot: number): void {
    this.#free.push(slot);
  }
}
