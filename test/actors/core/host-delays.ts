/** Work whose promises the host resolves in a given order, some host turns apart; every fourth one is refused. */
export function hostDelays(
  count: number,
  order: readonly number[],
): { work: Promise<number>[]; run(): Promise<void> } {
  const answers: (() => void)[] = [];
  const work = Array.from(
    { length: count },
    (_, at) =>
      new Promise<number>((resolve, reject) => {
        answers.push(() => (at % 4 === 3 ? reject(new Error(`refused ${at}`)) : resolve(at)));
      }),
  );
  for (const promise of work) promise.catch(() => {});
  const run = async () => {
    for (const at of order) {
      for (let turn = 0; turn <= at % 3; turn++) await new Promise(resolve => setImmediate(resolve));
      answers[at]();
    }
  };
  return { work, run };
}
