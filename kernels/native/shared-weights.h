// Weights that are in memory once, however many threads loaded them: the standby thread has every component loaded
// beside the threads that serve, and a second copy would be all that it costs.
#pragma once
#include <memory>

#include "memory.h"

using Shared = std::shared_ptr<void>;

// `memory`, whose first `bytes` nobody changes any more, or what holds the very same bytes already; then `memory` is
// freed. Beyond MOST_SHARED_BYTES nothing is looked for.
Shared sharedWeights(Aligned memory, size_t bytes);

// Weights in memory, each counted once.
struct SharedCounts {
  size_t pieces, bytes;
};
SharedCounts sharedCounts();
