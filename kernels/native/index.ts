export { type NativeSupport, nativeSupport } from './native-support.ts';
