#include "stored-weight.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "pool.h"

namespace {

// Behind those that kernels use while they pack.
constexpr int RAW_SLOT = 8, WIDENED_SLOT = 9;
constexpr size_t READ_ROWS = 64;

size_t storedBytes(StoredType type) { return type == StoredType::f32 ? 4 : type == StoredType::bf16 ? 2 : 1; }

bool readAll(int descriptor, uint64_t begin, size_t bytes, void* to) {
  for (size_t done = 0; done < bytes;) {
    const ssize_t got =
        pread(descriptor, static_cast<char*>(to) + done, bytes - done, static_cast<off_t>(begin + done));
    if (got <= 0) return false;
    done += static_cast<size_t>(got);
  }
  return true;
}

template <class T>
bool allFinite(const T* bits, size_t count, T exponent) {
  T bad = 0;
  for (size_t i = 0; i < count; i++) bad |= static_cast<T>((bits[i] & exponent) == exponent);
  return bad == 0;
}

bool isFinite(const void* values, size_t count, WeightType type) {
  if (type == WeightType::f32) return allFinite(static_cast<const uint32_t*>(values), count, 0x7f800000u);
  return allFinite(static_cast<const uint16_t*>(values), count, static_cast<uint16_t>(0x7f80));
}

// Sign, four bits of exponent (bias 7), three of fraction; no infinities, all ones is no number.
struct Fp8Values {
  float of[256];
  Fp8Values() {
    for (int bits = 0; bits < 256; bits++) {
      const int exponent = bits >> 3 & 15, fraction = bits & 7;
      float value = exponent ? std::ldexp(1.0f + fraction / 8.0f, exponent - 7) : std::ldexp(fraction / 8.0f, -6);
      if (exponent == 15 && fraction == 7) value = NAN;
      of[bits] = bits & 128 ? -value : value;
    }
  }
};

uint16_t toBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

void widenFp8(const uint8_t* from, size_t firstRow, size_t rows, size_t width, const StoredWeight& weight,
              const float* scales, uint16_t* to) {
  static const Fp8Values values;
  const size_t across = (width + weight.blockColumns - 1) / weight.blockColumns;
  for (size_t r = firstRow; r < firstRow + rows; r++) {
    const float* scale = scales + r / weight.blockRows * across;
    for (size_t i = 0; i < width; i++) *to++ = toBfloat16(values.of[*from++] * scale[i / weight.blockColumns]);
  }
}

std::vector<float> scalesOf(const StoredWeight& weight, size_t rows, size_t width) {
  std::vector<float> scales;
  if (weight.type != StoredType::fp8) return scales;
  const size_t down = (rows + weight.blockRows - 1) / weight.blockRows;
  const size_t across = (width + weight.blockColumns - 1) / weight.blockColumns;
  scales.resize(down * across);
  if (!readAll(weight.scaleDescriptor, weight.scaleBegin, scales.size() * sizeof(float), scales.data())) {
    throw std::runtime_error("the scales of a stored weight cannot be read");
  }
  return scales;
}

}  // namespace

StoredWeight storedWeight(const double* f) {
  StoredWeight weight = {
      static_cast<int>(f[0]), static_cast<uint64_t>(f[1]), static_cast<StoredType>(static_cast<int>(f[2])),
      static_cast<int>(f[3]), static_cast<uint64_t>(f[4]), static_cast<int>(f[5]),
      static_cast<int>(f[6])};
  const bool isKnown =
      weight.type == StoredType::f32 || weight.type == StoredType::bf16 || weight.type == StoredType::fp8;
  if (!isKnown || weight.blockRows < 1 || weight.blockColumns < 1) throw std::invalid_argument("not a stored weight");
  return weight;
}

WeightType typeInMemory(const StoredWeight& weight) {
  return weight.type == StoredType::f32 ? WeightType::f32 : WeightType::bf16;
}

void packStored(const KernelTable& kernels, const StoredWeight& weight, const Matrix& matrix) {
  const size_t width = matrix.inputs, rowBytes = width * storedBytes(weight.type);
  const std::vector<float> scales = scalesOf(weight, matrix.outputs, width);
  std::atomic<bool> failed{false};
  parallelFor(kernels.panelCount(matrix), 1, [&](int begin, int end) {
    for (int panel = begin; panel < end && !failed; panel++) {
      const size_t first = static_cast<size_t>(panel) * kernels.panelWidth;
      const size_t rows = std::min<size_t>(kernels.panelWidth, matrix.outputs - first);
      void* raw = scratch(RAW_SLOT, (rows * rowBytes + 3) / 4);
      const void* values = raw;
      bool isGood = readAll(weight.descriptor, weight.begin + first * rowBytes, rows * rowBytes, raw);
      if (isGood && weight.type == StoredType::fp8) {
        uint16_t* widened = reinterpret_cast<uint16_t*>(scratch(WIDENED_SLOT, (rows * width + 1) / 2));
        widenFp8(static_cast<const uint8_t*>(raw), first, rows, width, weight, scales.data(), widened);
        values = widened;
      }
      isGood = isGood && isFinite(values, rows * width, matrix.type);
      if (isGood) kernels.packPanels(values, matrix, panel, panel + 1);
      else failed = true;
    }
  });
  if (failed) throw std::runtime_error("a stored weight cannot be read or is not finite");
}

void readStored(const StoredWeight& weight, size_t rows, size_t width, void* to) {
  if (weight.type == StoredType::fp8) throw std::invalid_argument("tables are not read from fp8");
  const size_t rowBytes = width * storedBytes(weight.type);
  const int runs = static_cast<int>((rows + READ_ROWS - 1) / READ_ROWS);
  std::atomic<bool> failed{false};
  parallelFor(runs, 1, [&](int begin, int end) {
    const size_t first = begin * READ_ROWS, count = std::min(rows, end * READ_ROWS) - first;
    char* place = static_cast<char*>(to) + first * rowBytes;
    const bool isRead = readAll(weight.descriptor, weight.begin + first * rowBytes, count * rowBytes, place);
    if (!isRead || !isFinite(place, count * width, typeInMemory(weight))) failed = true;
  });
  if (failed) throw std::runtime_error("a stored table cannot be read or is not finite");
}
