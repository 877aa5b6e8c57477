import type { CudaDevice } from '../../native/cuda/device.ts';
import type { Ops } from '../../ops.ts';
import { readLanguageModelSetup } from './config.ts';
import { DeviceLanguageModel, type DeviceModelOptions } from './device-language-model.ts';
import { LanguageModel, type LanguageModelOptions } from './language-model.ts';

/** @throws RuntimeError `config.*` | `tokenizer.*` | `weights.*` */
export function loadLanguageModel(
  directory: string,
  ops: Ops,
  options?: LanguageModelOptions,
): LanguageModel {
  return LanguageModel.of(directory, readLanguageModelSetup(directory), ops, options);
}

/** @throws RuntimeError `config.*` | `tokenizer.*` | `weights.*` | `cuda.*` */
export function loadOnDevice(
  directory: string,
  device: CudaDevice,
  options?: DeviceModelOptions,
): DeviceLanguageModel {
  return new DeviceLanguageModel(directory, readLanguageModelSetup(directory), device, options);
}
