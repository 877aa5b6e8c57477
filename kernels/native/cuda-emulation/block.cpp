// Runs the blocks of a launch one after the other, in a shuffled order; the threads of a block are fibres.
#include <cxxabi.h>
#include <dlfcn.h>
#include <sys/mman.h>

#include <cstdlib>
#include <mutex>

#include "emulator.h"
#include "fibre.h"

namespace emulation {

namespace {

constexpr size_t STACK_BYTES = 128 << 10;
constexpr unsigned EXCHANGE_BYTES = 64;
// Shared memory begins with bits that are no number: who reads before anybody wrote computes nonsense.
constexpr int UNWRITTEN = 0xff;

struct PendingCopy {
  void* to;
  const void* from;
  unsigned bytes;
};

struct Thread {
  Fibre fibre;
  Toucher toucher;
  dim3 index;
  bool isInKernel = false;
  unsigned exchanges = 0;
  std::vector<std::vector<PendingCopy>> groups;  // oldest first; the last one is open
};

struct Warp {
  unsigned arrived = 0;
  unsigned mask = 0;
  unsigned votes[2] = {0, 0};
  unsigned char table[2][WARP][EXCHANGE_BYTES];
  std::vector<unsigned> waiting;
};

struct Machine {
  char* stacks = nullptr;
  Thread threads[MAX_THREADS];
  Warp warps[MAX_THREADS / WARP];
  Fibre host;
  const Launch* launch = nullptr;
  dim3 block;
  unsigned count = 0;    // threads of the block
  unsigned running = 0;  // the thread that runs
  unsigned left = 0;     // threads that have not returned
  bool inside = false;
  std::vector<unsigned> ready;
  std::vector<unsigned> atBarrier;
  void* shared = nullptr;
};

// Of the thread that starts kernels. Looked up at every word of CUDA, hence the plain pointer and the fast kind of
// lookup.
[[gnu::tls_model("initial-exec")]] thread_local Machine* machine = nullptr;

// Frees the machine with its thread.
struct MachineOwner {
  ~MachineOwner() {
    if (!machine) return;
    munmap(machine->stacks, MAX_THREADS * STACK_BYTES);
    delete machine;
    machine = nullptr;
  }
};

dim3 indexOf(unsigned n, dim3 size) { return dim3(n % size.x, n / size.x % size.y, n / size.x / size.y); }
Thread& me() { return machine->threads[machine->running]; }

unsigned takeReady() {
  const unsigned next = machine->ready.back();
  machine->ready.pop_back();
  return next;
}

// Lets others run until somebody puts this thread among those that are ready.
void wait() {
  Machine& m = *machine;
  Thread& self = me();
  const unsigned own = m.running;
  if (m.ready.empty()) {
    switchFibre(self.fibre, m.host);  // Nobody can go on: the host says so.
  } else {
    const unsigned next = takeReady();
    if (next == own) return;
    m.running = next;
    switchFibre(self.fibre, m.threads[next].fibre);
  }
}

void threadMain() {
  beganFibre();
  Machine& m = *machine;
  m.launch->thread();
  me().isInKernel = false;
  m.left--;
  if (m.ready.empty()) switchForGood(m.host);
  m.running = takeReady();
  switchForGood(m.threads[m.running].fibre);
}

void release(std::vector<unsigned>& waiting) {
  order().shuffle(waiting);
  machine->ready.insert(machine->ready.end(), waiting.begin(), waiting.end());
  waiting.clear();
}

// @returns the half of the table that this exchange used
unsigned meetWarp(unsigned mask, const void* value, unsigned bytes, bool vote) {
  Machine& m = *machine;
  Thread& self = me();
  const unsigned lane = m.running % WARP;
  Warp& warp = m.warps[m.running / WARP];
  // Two halves in turn: nobody can be two exchanges ahead of a lane that still reads.
  const unsigned half = self.exchanges++ & 1;
  if (!(mask >> lane & 1)) report("a lane takes part in an exchange whose mask leaves it out");
  if (warp.arrived == 0) {
    warp.mask = mask;
    warp.votes[half] = 0;
  } else if (warp.mask != mask) {
    report("lanes of a warp meet with different masks");
  }
  if (bytes > 0) std::memcpy(warp.table[half][lane], value, bytes);
  if (vote) warp.votes[half] |= 1u << lane;
  warp.arrived |= 1u << lane;
  warp.waiting.push_back(m.running);
  const unsigned first = m.running / WARP * WARP;
  const unsigned lanes = m.count - first >= WARP ? WARP : m.count - first;
  const unsigned wanted = lanes == WARP ? mask : mask & ((1u << lanes) - 1);
  if ((warp.arrived & wanted) == wanted) {
    warp.arrived = 0;
    release(warp.waiting);
  }
  wait();
  self.toucher.warpInterval++;
  return half;
}

void runBlock(unsigned index) {
  Machine& m = *machine;
  m.block = indexOf(index, m.launch->grid);
  m.left = m.count;
  std::memset(m.shared, UNWRITTEN, m.launch->sharedBytes);
  if (m.launch->sharedBytes > 0) addRegion(m.shared, m.launch->sharedBytes, "shared memory");
  m.ready.clear();
  m.atBarrier.clear();
  for (unsigned i = 0; i < m.count; i++) {
    Thread& thread = m.threads[i];
    thread.fibre.stack = m.stacks + i * STACK_BYTES;
    thread.fibre.stackBytes = STACK_BYTES;
    prepareFibre(thread.fibre, threadMain);
    thread.index = indexOf(i, m.launch->block);
    thread.toucher.block = index;
    thread.toucher.thread = static_cast<uint16_t>(i);
    thread.toucher.blockInterval = 0;
    thread.toucher.warpInterval = 0;
    thread.isInKernel = false;
    thread.exchanges = 0;
    thread.groups.assign(1, {});
    m.ready.push_back(i);
  }
  for (unsigned w = 0; w <= (m.count - 1) / WARP; w++) {
    m.warps[w].arrived = 0;
    m.warps[w].waiting.clear();
  }
  order().shuffle(m.ready);
  m.inside = true;
  m.running = takeReady();
  switchFibre(m.host, m.threads[m.running].fibre);
  if (m.left > 0) report("threads wait at a barrier or an exchange that others never reach");
  m.inside = false;
  if (m.launch->sharedBytes > 0) removeRegion(m.shared);
}

thread_local std::string firstReport;

}  // namespace

Order& order() {
  thread_local Order shared(1);
  return shared;
}

void seedOrder(uint64_t seed) { order() = Order(seed); }

void runLaunch(const Launch& launch) {
  static std::mutex numbering;
  static uint32_t launches = 0;
  if (!machine) {
    static thread_local MachineOwner owner;
    (void)owner;
    machine = new Machine;
    void* stacks = mmap(nullptr, MAX_THREADS * STACK_BYTES, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) abort();
    machine->stacks = static_cast<char*>(stacks);
  }
  Machine& m = *machine;
  m.launch = &launch;
  m.count = launch.block.x * launch.block.y * launch.block.z;
  if (m.count == 0 || m.count > MAX_THREADS) {
    report("a block has " + std::to_string(m.count) + " threads");
    return;
  }
  uint32_t number;
  {
    const std::lock_guard<std::mutex> lock(numbering);
    number = ++launches;
  }
  for (unsigned i = 0; i < m.count; i++) m.threads[i].toucher.launch = number;
  m.shared = std::malloc(launch.sharedBytes + 1);
  std::vector<unsigned> blocks(launch.grid.x * launch.grid.y * launch.grid.z);
  for (unsigned b = 0; b < blocks.size(); b++) blocks[b] = b;
  order().shuffle(blocks);
  for (const unsigned b : blocks) {
    runBlock(b);
    if (m.left > 0) break;  // Its fibres hang; the next block would inherit their stacks.
  }
  std::free(m.shared);
  m.launch = nullptr;
}

dim3 threadIndex() { return machine->threads[machine->running].index; }
dim3 blockIndex() { return machine->block; }
dim3 blockSize() { return machine->launch->block; }
dim3 gridSize() { return machine->launch->grid; }
void* sharedMemory() { return machine->shared; }
void beginKernel() { me().isInKernel = true; }
const Toucher* toucher() { return machine && machine->inside && me().isInKernel ? &me().toucher : nullptr; }

bool isOnFibreStack(const void* address) {
  return static_cast<size_t>(static_cast<const char*>(address) - machine->stacks) < MAX_THREADS * STACK_BYTES;
}

void synchroniseBlock() {
  Machine& m = *machine;
  m.atBarrier.push_back(m.running);
  if (m.atBarrier.size() == m.count) release(m.atBarrier);
  wait();
  me().toucher.blockInterval++;
  me().toucher.warpInterval++;
}

void synchroniseWarp(unsigned mask) { meetWarp(mask, nullptr, 0, false); }

void shuffle(void* value, unsigned bytes, unsigned mask, unsigned source) {
  const unsigned half = meetWarp(mask, value, bytes, false);
  if (mask >> source & 1) std::memcpy(value, machine->warps[machine->running / WARP].table[half][source], bytes);
  else report("a shuffle reads a lane that its mask leaves out");
}

unsigned ballot(unsigned mask, bool vote) {
  const unsigned half = meetWarp(mask, nullptr, 0, vote);
  return machine->warps[machine->running / WARP].votes[half];
}

void multiplyFragments(float d[4], const uint32_t a[4], const uint32_t b[2]) {
  uint32_t mine[6];
  std::memcpy(mine, a, 16);
  std::memcpy(mine + 4, b, 8);
  const unsigned half = meetWarp(0xffffffffu, mine, sizeof mine, false);
  const auto& table = machine->warps[machine->running / WARP].table[half];
  // Of both operands a lane holds pairs (2·member, next) of k and, in the words after, of k + 8: A's rows `group` and,
  // one word further, `group` + 8; B's column `group`.
  const auto spread = [&](unsigned owners, unsigned first, unsigned second, float* values) {
    for (unsigned member = 0; member < 4; member++) {
      uint32_t words[EXCHANGE_BYTES / 4];
      std::memcpy(words, table[4 * owners + member], sizeof mine);
      values[2 * member] = __uint_as_float(words[first] << 16);
      values[2 * member + 1] = __uint_as_float(words[first] & 0xffff0000u);
      values[8 + 2 * member] = __uint_as_float(words[second] << 16);
      values[8 + 2 * member + 1] = __uint_as_float(words[second] & 0xffff0000u);
    }
  };
  const unsigned group = machine->running % WARP / 4;
  const unsigned member = machine->running % 4;
  float rows[2][16], columns[2][16];
  spread(group, 0, 2, rows[0]);
  spread(group, 1, 3, rows[1]);
  spread(2 * member, 4, 5, columns[0]);
  spread(2 * member + 1, 4, 5, columns[1]);
  for (unsigned i = 0; i < 4; i++) {
    // d[0], d[1]: row `group`; d[2], d[3]: row `group` + 8; columns 2·member and the next.
    double sum = 0;
    for (unsigned k = 0; k < 16; k++) sum += static_cast<double>(rows[i / 2][k]) * columns[i % 2][k];
    d[i] = static_cast<float>(d[i] + sum);
  }
}

void copyAsync(void* to, const void* from, unsigned bytes) { me().groups.back().push_back({to, from, bytes}); }
void commitCopies() { me().groups.emplace_back(); }

void waitForCopies(unsigned groupsLeft) {
  auto& groups = me().groups;
  while (groups.size() > groupsLeft + 1) {
    for (const PendingCopy& copy : groups.front()) copyChecked(copy.to, copy.from, copy.bytes);
    groups.erase(groups.begin());
  }
}

void report(const std::string& what) {
  if (!firstReport.empty()) return;
  firstReport = what;
  if (!machine || !machine->inside) return;
  Dl_info symbol;
  std::string name = "a kernel";
  if (dladdr(machine->launch->kernel, &symbol) && symbol.dli_sname) {
    int status = 1;
    char* plain = abi::__cxa_demangle(symbol.dli_sname, nullptr, nullptr, &status);
    name = status == 0 ? plain : symbol.dli_sname;
    std::free(plain);
  }
  const dim3 b = machine->block, t = threadIndex();
  const auto triple = [](dim3 at) {
    return std::to_string(at.x) + "," + std::to_string(at.y) + "," + std::to_string(at.z);
  };
  firstReport += " (" + name + ", block " + triple(b) + ", thread " + triple(t) + ")";
}

std::string takeReport() {
  std::string taken;
  taken.swap(firstReport);
  return taken;
}

bool hasReport() { return !firstReport.empty(); }

}  // namespace emulation
