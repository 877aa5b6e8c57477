// What carries sound and pictures between the world and the networks, and the choice of a token.
#include <algorithm>

#include "../sampling/draw.h"
#include "arguments.h"

namespace {

// splice(frames, first, count, width, left, right, stride, firstVector, vectors, out)
napi_value splice(Arguments& a) {
  const int first = a.integer(1);
  const int count = a.integer(2);
  const int width = a.integer(3, 1);
  const int left = a.integer(4);
  const int right = a.integer(5);
  const int stride = a.integer(6, 1);
  const int firstVector = a.integer(7);
  const int vectors = a.integer(8);
  if (vectors == 0) return nullptr;
  // Frames before the first vector's left context must be in the run unless that reaches before frame 0.
  const int64_t lowest = std::max<int64_t>(static_cast<int64_t>(stride) * firstVector - left, 0);
  if (count == 0 || lowest < first || lowest > first + count - 1) Arguments::fail(7, "outside the run of frames");
  const size_t frames = static_cast<size_t>(vectors) * (left + 1 + right);
  kernels->splice(a.floats(0, static_cast<size_t>(count) * width), first, count, width, left, right, stride,
                  firstVector, vectors, a.floats(9, frames * width));
  return nullptr;
}

// patchify(frames: Uint8Array[], height, width, patch, levels [3 × 256], out)
napi_value patchify(Arguments& a) {
  constexpr uint32_t MOST_FRAMES = 16;
  const int height = a.integer(1, 1);
  const int width = a.integer(2, 1);
  const int patch = a.integer(3, 1);
  uint32_t count = 0;
  if (napi_get_array_length(a.env(), a.at(0), &count) != napi_ok || count > MOST_FRAMES)
    Arguments::fail(0, "not a few frames");
  if (height % patch != 0 || width % patch != 0) Arguments::fail(3, "does not divide the picture");
  const size_t pixels = static_cast<size_t>(height) * width * 3;
  const uint8_t* frames[MOST_FRAMES];
  for (uint32_t n = 0; n < count; n++) {
    napi_value frame;
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_element(a.env(), a.at(0), n, &frame) != napi_ok ||
        napi_get_typedarray_info(a.env(), frame, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_uint8_array || length < pixels) {
      Arguments::fail(0, "a frame is too short");
    }
    frames[n] = static_cast<const uint8_t*>(data);
  }
  kernels->patchify(frames, static_cast<int>(count), height, width, patch, a.floats(4, 3 * 256),
                    a.floats(5, count * pixels));
  return nullptr;
}

// resizeBilinear(x, rows, columns, width, outRows, outColumns, out)
napi_value resizeBilinear(Arguments& a) {
  const int rows = a.integer(1, 1);
  const int columns = a.integer(2, 1);
  const int width = a.integer(3, 1);
  const int outRows = a.integer(4);
  const int outColumns = a.integer(5);
  kernels->resizeBilinear(a.floats(0, static_cast<size_t>(rows) * columns * width), rows, columns, width, outRows,
                          outColumns, a.floats(6, static_cast<size_t>(outRows) * outColumns * width));
  return nullptr;
}

// yuvToRgb(y, u, v, width, height, out)
napi_value yuvToRgb(Arguments& a) {
  const int width = a.integer(3);
  const int height = a.integer(4);
  const size_t chroma = static_cast<size_t>((width + 1) / 2) * ((height + 1) / 2);
  const size_t pixels = static_cast<size_t>(width) * height;
  kernels->yuvToRgb(a.bytes(0, pixels), a.bytes(1, chroma), a.bytes(2, chroma), width, height, a.bytes(5, 3 * pixels));
  return nullptr;
}

// g711Decode(bytes, count, table [256], out)
napi_value g711Decode(Arguments& a) {
  const size_t count = a.integer(1);
  kernels->g711Decode(a.bytes(0, count), count, a.floats(2, 256), a.floats(3, count));
  return nullptr;
}

// g711Encode(samples, count, table [65536], out)
napi_value g711Encode(Arguments& a) {
  const size_t count = a.integer(1);
  kernels->g711Encode(a.floats(0, count), count, a.bytes(2, 65536), a.bytes(3, count));
  return nullptr;
}

// drawToken(logits, count, temperature, topK, topP, draw) → id
napi_value drawTokenOf(Arguments& a) {
  const int count = a.integer(1, 1);
  const float* logits = a.floats(0, count);
  const int likeliest = kernels->argmax(logits, count);
  return toNumber(a,
                  drawToken(logits, count, likeliest, a.number(2), a.integer(3, INT32_MIN), a.number(4), a.number(5)));
}

}  // namespace

void bindMedia(Napi::Object exports) {
  define<splice>(exports, "splice");
  define<patchify>(exports, "patchify");
  define<resizeBilinear>(exports, "resizeBilinear");
  define<yuvToRgb>(exports, "yuvToRgb");
  define<g711Decode>(exports, "g711Decode");
  define<g711Encode>(exports, "g711Encode");
  define<drawTokenOf>(exports, "drawToken");
}
