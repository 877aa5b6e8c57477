#include "bind.h"
#include "vision-encoder.h"

namespace cuda {

namespace {

// createVisionEncoder(sizes: Int32Array, epsilon, weight bytes) → handle; the order of sizes is that of
// components/vision-encoder/device-vision-encoder.ts
napi_value createVisionEncoder(Arguments& a) {
  const int* s = a.integers(0, 14);
  for (const int i : {0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 13}) {
    if (s[i] < 1) Arguments::fail(0, "not a size");
  }
  if (s[1] % s[2] != 0 || s[1] / s[2] % 4 != 0 || s[1] / s[2] > 128) Arguments::fail(0, "not a head's width");
  const VisionShape shape = {s[0],
                             s[1],
                             s[2],
                             s[3],
                             s[4],
                             s[5],
                             s[6],
                             s[7],
                             s[8],
                             s[9] != 0,
                             s[10] != 0,
                             s[11] != 0,
                             static_cast<float>(a.number(1))};
  return give<VisionEncoder>(a, shape, VisionLimits{s[12], s[13]}, static_cast<size_t>(a.number(2)));
}

// stepVisionEncoder(encoder, isStill, grids [units × 2], patches, tokens)
napi_value stepVisionEncoder(Arguments& a) {
  VisionEncoder& encoder = componentOf<VisionEncoder>(a);
  const VisionShape& shape = encoder.shape();
  const VisionLimits& limits = encoder.limits();
  const bool isStill = a.integer(1) != 0;
  const size_t units = a.length(2) / 2;
  if (units < 1 || units > static_cast<size_t>(limits.units)) Arguments::fail(2, "more units than were planned");
  const int* grids = a.integers(2, 2 * units);
  size_t rows = 0;
  for (size_t unit = 0; unit < units; unit++) {
    const int height = grids[2 * unit], width = grids[2 * unit + 1];
    if (height < 1 || height > shape.positions || width < 1 || width > shape.positions || width % 2 != 0)
      Arguments::fail(2, "not a grid");
    rows += static_cast<size_t>(height) * width;
  }
  if (rows > static_cast<size_t>(limits.rows)) Arguments::fail(2, "more patches than were planned");
  const float* patches = a.floats(3, rows * (isStill ? shape.stillInputs : shape.pairInputs));
  encoder.step({static_cast<int>(units), isStill, grids, patches}, a.floats(4, rows / 2 * shape.output));
  return nullptr;
}

}  // namespace

void bindVisionEncoder(Napi::Object exports) {
  add<createVisionEncoder>(exports, "createVisionEncoder");
  add<stepVisionEncoder>(exports, "stepVisionEncoder");
}

}  // namespace cuda
