/** The part of a structured logger (pino) that actors use. */
export interface Logger {
  debug(values: object, text: string): void;
  info(values: object, text: string): void;
  warn(values: object, text: string): void;
  error(values: object, text: string): void;
}

/** Lines go to pino (or anything with its four methods), each with these values, for example the actor's name. */
export function createLogger(pino: Logger, values: object = {}): Logger {
  return {
    debug: (more, text) => pino.debug({ ...values, ...more }, text),
    info: (more, text) => pino.info({ ...values, ...more }, text),
    warn: (more, text) => pino.warn({ ...values, ...more }, text),
    error: (more, text) => pino.error({ ...values, ...more }, text),
  };
}

/** For simulations and tests, where the trace tells what happened. */
export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};
