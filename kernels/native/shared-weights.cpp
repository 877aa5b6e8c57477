#include "shared-weights.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <unordered_map>

namespace {

// A large model, which has no standby, need not be read once more for what nobody shares.
constexpr size_t MOST_SHARED_BYTES = 4u << 20;

struct Piece {
  std::weak_ptr<void> memory;
  size_t bytes;
};

std::mutex lock;
// By the hash of their bytes; few have the same.
std::unordered_multimap<uint64_t, Piece> pieces;
// With so many it is looked which of them are gone.
size_t mostPieces = 1024;

// Four sums beside each other, as one multiplication waits for the one before it.
uint64_t hashOf(const void* memory, size_t bytes) {
  constexpr uint64_t PRIME = 0x9e3779b97f4a7c15u;
  const char* from = static_cast<const char*>(memory);
  uint64_t sums[4] = {1, 2, 3, bytes};
  size_t at = 0;
  for (; at + 32 <= bytes; at += 32) {
    uint64_t words[4];
    std::memcpy(words, from + at, 32);
    for (int i = 0; i < 4; i++) sums[i] = (sums[i] ^ words[i]) * PRIME;
  }
  uint64_t last = 0;
  for (; at < bytes; at++) last = last << 8 ^ static_cast<unsigned char>(from[at]) ^ last >> 56;
  uint64_t hash = last;
  for (const uint64_t sum : sums) hash = (hash ^ sum ^ sum >> 29) * PRIME;
  return hash;
}

// Under the lock.
Shared found(uint64_t hash, const void* memory, size_t bytes) {
  const auto [first, last] = pieces.equal_range(hash);
  for (auto piece = first; piece != last; ++piece) {
    if (piece->second.bytes != bytes) continue;
    Shared same = piece->second.memory.lock();
    if (same && std::memcmp(same.get(), memory, bytes) == 0) return same;
  }
  return nullptr;
}

}  // namespace

Shared sharedWeights(Aligned memory, size_t bytes) {
  if (bytes > MOST_SHARED_BYTES) return Shared(std::move(memory));
  const uint64_t hash = hashOf(memory.get(), bytes);
  const std::lock_guard<std::mutex> held(lock);
  if (Shared same = found(hash, memory.get(), bytes)) return same;
  Shared shared(std::move(memory));
  if (pieces.size() >= mostPieces) {
    std::erase_if(pieces, [](const auto& piece) { return piece.second.memory.expired(); });
    mostPieces = std::max<size_t>(2 * pieces.size(), 1024);
  }
  pieces.emplace(hash, Piece{shared, bytes});
  return shared;
}

SharedCounts sharedCounts() {
  const std::lock_guard<std::mutex> held(lock);
  SharedCounts counts = {0, 0};
  for (const auto& [hash, piece] : pieces) {
    if (piece.memory.expired()) continue;
    counts.pieces++;
    counts.bytes += piece.bytes;
  }
  return counts;
}
