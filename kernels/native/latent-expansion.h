#pragma once
#include <algorithm>

#include "kernels.h"
#include "memory.h"

// kv_b as the attention kernel reads it: per head key rows [nope × rank] and value rows [rank × value].
struct LatentExpansion {
  Aligned keyRows, valueRows;
  size_t bytes = 0;
  const float* key() const { return static_cast<const float*>(keyRows.get()); }
  const float* value() const { return static_cast<const float*>(valueRows.get()); }
};

// `from`: per head first the key rows, then the value rows, all of them `rank` wide.
inline LatentExpansion expandLatent(const LatentShape& s, const float* from) {
  const size_t perHead = static_cast<size_t>(s.nope + s.value) * s.rank;
  LatentExpansion result;
  result.bytes = sizeof(float) * s.heads * perHead;
  result.keyRows = allocateAligned(sizeof(float) * s.heads * s.nope * s.rank);
  result.valueRows = allocateAligned(sizeof(float) * s.heads * s.value * s.rank);
  float* key = static_cast<float*>(result.keyRows.get());
  float* value = static_cast<float*>(result.valueRows.get());
  for (int h = 0; h < s.heads; h++, from += perHead) {
    key = std::copy_n(from, s.nope * s.rank, key);
    for (int i = 0; i < s.rank; i++) {
      for (int v = 0; v < s.value; v++) *value++ = from[static_cast<size_t>(s.nope + v) * s.rank + i];
    }
  }
  return result;
}
