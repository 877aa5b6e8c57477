#pragma once
#include <algorithm>
#include <vector>

#include "arguments.h"

// Pages of a cache as JavaScript holds them: all Float32Array, all Uint16Array of bfloat16 numbers, or all Int8Array.
// The caller keeps them alive.
struct CachePages {
  std::vector<const void*> at;
  CacheType type = CacheType::f32;
  size_t shortest = 0;  // Elements.

  // Argument i, an array of `count` pages.
  void read(Arguments& a, size_t i, size_t count) {
    at.clear();
    shortest = SIZE_MAX;
    for (size_t p = 0; p < count; p++) {
      napi_typedarray_type array;
      size_t length;
      void* data;
      if (napi_get_typedarray_info(a.env(), elementOf(a, i, static_cast<uint32_t>(p)), &array, &length, &data, nullptr,
                                   nullptr) != napi_ok ||
          (array != napi_float32_array && array != napi_uint16_array && array != napi_int8_array)) {
        Arguments::fail(i, "not a page");
      }
      const CacheType found = array == napi_int8_array     ? CacheType::int8
                              : array == napi_uint16_array ? CacheType::bf16
                                                           : CacheType::f32;
      if (p > 0 && found != type) Arguments::fail(i, "pages of two kinds");
      type = found;
      at.push_back(data);
      shortest = std::min(shortest, length);
    }
  }
};
