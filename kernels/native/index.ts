export { loadNativeOps, type NativeSupport, nativeSupport } from './load-native-ops.ts';
