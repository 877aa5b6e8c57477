/** The part of a structured logger (pino) that actors use. */
export interface Logger {
  debug(values: object, text: string): void;
  info(values: object, text: string): void;
  warn(values: object, text: string): void;
  error(values: object, text: string): void;
}
