/**
 * Microphones and loudspeakers to choose from. Browsers tell their names only once the microphone was allowed.
 *
 * @typedef {{ id: string, name: string }} Device
 * @returns {Promise<{ microphones: Device[], loudspeakers: Device[], named: boolean }>}
 */
export async function listDevices() {
  const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const ofKind = kind =>
    devices
      .filter(device => device.kind === kind && device.deviceId !== '' && device.deviceId !== 'default')
      .map(({ deviceId, label }, i) => ({ id: deviceId, name: label || `Device ${i + 1}` }));
  return {
    microphones: ofKind('audioinput'),
    loudspeakers: canChooseLoudspeaker() ? ofKind('audiooutput') : [],
    named: devices.some(({ label }) => label !== ''),
  };
}

/** Firefox and Safari leave it to the system. */
export function canChooseLoudspeaker() {
  return 'setSinkId' in AudioContext.prototype;
}

/** @param {any} context an AudioContext @param {string} deviceId empty: the system's own choice */
export async function playThrough(context, deviceId) {
  if (!canChooseLoudspeaker() || context.sinkId === deviceId) return;
  // A device that is gone since it was chosen: the system's own choice plays on.
  await context.setSinkId(deviceId).catch(() => context.setSinkId(''));
}
