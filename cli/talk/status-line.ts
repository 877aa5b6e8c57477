interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** One line on the terminal that is written over again and again; nothing where nobody looks. */
export class StatusLine {
  readonly #terminal: Terminal;
  #shown = '';

  constructor(terminal: Terminal = process.stderr) {
    this.#terminal = terminal;
  }

  show(text: string): void {
    if (!this.#terminal.isTTY || text === this.#shown) return;
    this.#terminal.write(`\r\x1b[K${text.slice(0, (this.#terminal.columns ?? 80) - 1)}`);
    this.#shown = text;
  }

  /** Makes room for a line that stays. */
  clear(): void {
    if (this.#shown === '') return;
    this.#terminal.write('\r\x1b[K');
    this.#shown = '';
  }
}
