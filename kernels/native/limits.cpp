// What this machine can do, as denominators for the benchmark: multiply-adds per call of the current level's vectors
// and bytes read. The loops do nothing else; the caller times them.
#include "arguments.h"

namespace {

// spinMultiplyAdds(rounds) → floating-point operations done
napi_value spinMultiplyAdds(Arguments& a) { return toNumber(a, kernels->spinMultiplyAdds(a.integer(0))); }

// readMemory(buffer) → sum of its values, so that nobody can leave the reading out
napi_value readMemory(Arguments& a) {
  const size_t count = a.length(0);
  return toNumber(a, kernels->readMemory(a.floats(0, count), count));
}

}  // namespace

void bindLimits(Napi::Object exports) {
  define<spinMultiplyAdds>(exports, "spinMultiplyAdds");
  define<readMemory>(exports, "readMemory");
}
