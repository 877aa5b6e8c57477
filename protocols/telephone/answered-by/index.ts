/** Who or what is at the other end: a person, an answering machine, a fax. */
export { FaxCaller } from './fax-caller.ts';
export { LineWatch } from './line-watch.ts';
export { type AnsweredBy, AnswerScreen, type OnMachine } from './screen.ts';
