export {
  INT8_LIMIT,
  type QuantisedWeight,
  quantiseWeight,
  roundToEven,
  SMALLEST_MAGNITUDE,
} from './quantise.ts';
export { writeSafetensors } from './safetensors-writer.ts';
export {
  bfloat16ToFloat32,
  createWeight,
  float16ToFloat32,
  float32ToBfloat16,
  type StoredPlace,
  type Weight,
  type WeightType,
} from './weight.ts';
export { openWeightDirectory, openWeightFile, type TensorPart, type Weights } from './weights.ts';
