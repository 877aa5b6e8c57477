/** What every driver needs: something that is taken for speech, and the lines of its report. */

/** 24 kHz 16-bit PCM: a loud tone, then silence. */
export function speech(ms, silenceMs, rateHz = 24_000) {
  const bytes = Buffer.alloc(((ms + silenceMs) * rateHz * 2) / 1000);
  for (let n = 0; n < (ms * rateHz) / 1000; n++) {
    bytes.writeInt16LE(Math.round(12_000 * Math.sin((2 * Math.PI * 220 * n) / rateHz)), 2 * n);
  }
  return bytes;
}

/** In packets of 20 ms, as a microphone would give them. */
export function packets(bytes, bytesOf20Ms = 960) {
  return Array.from({ length: Math.ceil(bytes.length / bytesOf20Ms) }, (_, i) =>
    bytes.subarray(i * bytesOf20Ms, (i + 1) * bytesOf20Ms),
  );
}

export const [, , url, key] = process.argv;
export const wsUrl = url.replace(/^http/, 'ws');

const report = { steps: [], errors: [] };
export const step = name => void report.steps.push(name);
export const fault = error =>
  void report.errors.push(String(error?.message ?? error?.error?.message ?? error));

/** Waits for an emitter's next `name`, or says what it waited for in vain. */
export function until(subscribe, what, ms = 60_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), ms);
    subscribe(value => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

/** Runs the conversation, prints the report as the last line and goes. */
export async function drive(conversation) {
  try {
    await conversation();
  } catch (error) {
    fault(error);
  }
  console.log(JSON.stringify(report));
  process.exit(0);
}
