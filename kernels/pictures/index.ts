export { atMostTwo } from './at-most-two.ts';
export {
  loadPictureLibrary,
  MAX_PICTURE_SIDE,
  type PictureSize,
  readPictureHeader,
  unpackPicture,
} from './picture-file.ts';
