// What a kernel touches: kernels are compiled with -fsanitize=thread, but the calls that this puts before every read
// and write come here instead of to that sanitizer. Each two bytes of device and shared memory know who wrote and who
// read them last, so that two touches without a barrier between them are found, a read of what nobody wrote, and every
// address outside.
#include <map>
#include <mutex>

#include "emulator.h"

namespace emulation {

namespace {

// Two bytes, the smallest that kernels write on their own (bfloat16).
constexpr size_t GRAIN = 2;

struct Grain {
  Toucher writer;
  Toucher reader;
  Toucher otherReader;  // of another warp than `reader`, where there was one
  bool written = false;
};

struct Region {
  char* begin;
  size_t bytes;
  const char* what;
  std::vector<Grain> grains;  // only where kernels are instrumented
};

std::mutex lock;
std::map<const char*, Region> regions;
bool isInstrumented = false;

thread_local Region* last = nullptr;
thread_local uint64_t lastChange = 0;
uint64_t changes = 1;

Region* find(const char* address) {
  if (last && lastChange == changes && static_cast<size_t>(address - last->begin) < last->bytes) return last;
  auto after = regions.upper_bound(address);
  if (after == regions.begin()) return nullptr;
  Region& region = std::prev(after)->second;
  if (static_cast<size_t>(address - region.begin) >= region.bytes) return nullptr;
  last = &region;
  lastChange = changes;
  return &region;
}

// Whether a barrier, the end of a launch or the program's order lies between the two.
bool isOrdered(const Toucher& before, const Toucher& now) {
  if (before.launch != now.launch) return true;
  if (before.block != now.block) return false;
  if (before.thread == now.thread) return true;
  if (before.blockInterval != now.blockInterval) return true;
  return before.thread / WARP == now.thread / WARP && before.warpInterval != now.warpInterval;
}

bool isSameWarp(const Toucher& a, const Toucher& b) {
  return a.launch == b.launch && a.block == b.block && a.thread / WARP == b.thread / WARP;
}

std::string place(const Region& region, const char* address) {
  return "byte " + std::to_string(address - region.begin) + " of " + std::to_string(region.bytes) + " of " +
         region.what;
}

void read(Grain& grain, const Toucher& now, const Region& region, const char* at) {
  if (!grain.written) report("reads what nobody wrote: " + place(region, at));
  if (grain.writer.launch && !isOrdered(grain.writer, now)) {
    report("a race: reads what thread " + std::to_string(grain.writer.thread) + " of block " +
           std::to_string(grain.writer.block) + " writes without a barrier between: " + place(region, at));
  }
  if (grain.reader.launch && !isSameWarp(grain.reader, now)) grain.otherReader = grain.reader;
  grain.reader = now;
}

void write(Grain& grain, const Toucher& now, const Region& region, const char* at) {
  for (const Toucher* before : {&grain.writer, &grain.reader, &grain.otherReader}) {
    if (before->launch && !isOrdered(*before, now)) {
      report(std::string("a race: writes what thread ") + std::to_string(before->thread) + " of block " +
             std::to_string(before->block) + (before == &grain.writer ? " writes" : " reads") +
             " without a barrier between: " + place(region, at));
    }
  }
  grain.writer = now;
  grain.written = true;
}

void touch(const void* address, size_t bytes, bool isWrite) {
  const Toucher* now = toucher();
  if (!now || isOnFibreStack(address)) return;
  const char* at = static_cast<const char*>(address);
  const std::lock_guard<std::mutex> held(lock);
  Region* region = find(at);
  if (!region || static_cast<size_t>(at - region->begin) + bytes > region->bytes) {
    const std::string where = region ? place(*region, at) : "no memory of the device";
    report(std::string(isWrite ? "writes " : "reads ") + std::to_string(bytes) + " bytes outside: " + where);
    return;
  }
  if (region->grains.empty()) return;
  const size_t first = (at - region->begin) / GRAIN;
  const size_t end = (at - region->begin + bytes + GRAIN - 1) / GRAIN;
  for (size_t g = first; g < end; g++) {
    if (isWrite) write(region->grains[g], *now, *region, at);
    else read(region->grains[g], *now, *region, at);
  }
}

}  // namespace

void addRegion(void* memory, size_t bytes, const char* what) {
  const std::lock_guard<std::mutex> held(lock);
  changes++;
  char* begin = static_cast<char*>(memory);
  regions[begin] = {begin, bytes, what, std::vector<Grain>(isInstrumented ? bytes / GRAIN + 1 : 0)};
}

void removeRegion(void* memory) {
  const std::lock_guard<std::mutex> held(lock);
  changes++;
  regions.erase(static_cast<char*>(memory));
}

void markWritten(const void* memory, size_t bytes) {
  const std::lock_guard<std::mutex> held(lock);
  Region* region = find(static_cast<const char*>(memory));
  if (!region || region->grains.empty()) return;
  const size_t offset = static_cast<const char*>(memory) - region->begin;
  for (size_t g = offset / GRAIN; g < (offset + bytes + GRAIN - 1) / GRAIN; g++) region->grains[g].written = true;
}

bool isInRegion(const void* memory, size_t bytes) {
  const std::lock_guard<std::mutex> held(lock);
  const Region* region = find(static_cast<const char*>(memory));
  return region && static_cast<size_t>(static_cast<const char*>(memory) - region->begin) + bytes <= region->bytes;
}

void copyChecked(void* to, const void* from, unsigned bytes) {
  touch(from, bytes, false);
  touch(to, bytes, true);
  std::memcpy(to, from, bytes);
}

}  // namespace emulation

// The names that the compiler calls.
#define TOUCHES(bytes)                                                                \
  void __tsan_read##bytes(void* at) { emulation::touch(at, bytes, false); }           \
  void __tsan_write##bytes(void* at) { emulation::touch(at, bytes, true); }           \
  void __tsan_unaligned_read##bytes(void* at) { emulation::touch(at, bytes, false); } \
  void __tsan_unaligned_write##bytes(void* at) { emulation::touch(at, bytes, true); }
extern "C" {
TOUCHES(1)
TOUCHES(2)
TOUCHES(4)
TOUCHES(8)
TOUCHES(16)
void __tsan_read_range(void* at, unsigned long bytes) { emulation::touch(at, bytes, false); }
void __tsan_write_range(void* at, unsigned long bytes) { emulation::touch(at, bytes, true); }
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_vptr_read(void**) {}
// Called when a file compiled with instrumentation is loaded.
void __tsan_init() { emulation::isInstrumented = true; }
}
