// The choice of a token (docs/spec/model.md §1.8) on the device: arg-max, or a draw among the likeliest. A block per
// row.
//
// logits: row r at r · stride, `count` of them. Ids are sorted by descending logit, equal ones by ascending id, by a
// bitonic network over one 64-bit key each; probabilities and their sums are doubles. Order of a sum: thread t adds the
// t-th of 256 consecutive stretches of the sorted ids, then the stretches are added in ascending order.

namespace cuda {

constexpr int SAMPLING_THREADS = 256;

// The first of the largest; not-a-number never wins against a number.
__device__ __forceinline__ bool isBetter(float value, int at, float best, int bestAt) {
  const bool isNumber = value == value, isBestNumber = best == best;
  if (isNumber != isBestNumber) return isNumber;
  if (isNumber && value != best) return value > best;
  return at < bestAt;
}

// By all threads of the block; `values` and `places` have an entry per warp. Every thread gets it.
__device__ int largestAt(const float* logits, int count, float* values, int* places) {
  float best = __uint_as_float(0x7fc00000u);
  int at = count;
  for (int i = threadIdx.x; i < count; i += blockDim.x) {
    if (isBetter(logits[i], i, best, at)) {
      best = logits[i];
      at = i;
    }
  }
  for (int turn = WARP / 2; turn > 0; turn /= 2) {
    const float other = __shfl_xor_sync(ALL_LANES, best, turn);
    const int otherAt = __shfl_xor_sync(ALL_LANES, at, turn);
    if (isBetter(other, otherAt, best, at)) {
      best = other;
      at = otherAt;
    }
  }
  if (threadIdx.x % WARP == 0) {
    values[threadIdx.x / WARP] = best;
    places[threadIdx.x / WARP] = at;
  }
  __syncthreads();
  best = values[0];
  at = places[0];
  for (int w = 1; w < static_cast<int>(blockDim.x) / WARP; w++) {
    if (isBetter(values[w], places[w], best, at)) {
      best = values[w];
      at = places[w];
    }
  }
  __syncthreads();
  return at;
}

__global__ void argmaxKernel(const float* logits, int64_t stride, int count, Rows rows, int* out, int outStride) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  float* values = shared<float>();
  const int at =
      largestAt(logits + row * stride, count, values, reinterpret_cast<int*>(values + SAMPLING_THREADS / WARP));
  if (threadIdx.x == 0) out[row * outStride] = at;
}

constexpr size_t ARGMAX_BYTES = (sizeof(float) + sizeof(int)) * SAMPLING_THREADS / WARP;

void argmax(const float* logits, int64_t stride, int count, Rows rows, int* out, int outStride, cudaStream_t stream) {
  launch(argmaxKernel, rows.most, SAMPLING_THREADS, ARGMAX_BYTES, stream, logits, stride, count, rows, out, outStride);
}

int sortRoom(int count) {
  int room = 1;
  while (room < count) room *= 2;
  return room;
}

// Sorts ascending: larger logits first, not-a-number last, then the id.
__device__ __forceinline__ uint64_t sortKey(float logit, int id) {
  const uint32_t bits = __float_as_uint(logit == 0.0f ? 0.0f : logit);
  const uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  const uint32_t descending = logit == logit ? ~ascending : 0xfffffffeu;
  return static_cast<uint64_t>(descending) << 32 | static_cast<uint32_t>(id);
}

__device__ void sortKeys(uint64_t* keys, int room) {
  for (int size = 2; size <= room; size *= 2) {
    for (int distance = size / 2; distance > 0; distance /= 2) {
      for (int i = threadIdx.x; i < room / 2; i += blockDim.x) {
        const int low = i / distance * 2 * distance + i % distance;
        const int high = low + distance;
        const bool isAscending = (low & size) == 0;
        if ((keys[low] > keys[high]) == isAscending) {
          const uint64_t kept = keys[low];
          keys[low] = keys[high];
          keys[high] = kept;
        }
      }
      __syncthreads();
    }
  }
}

__global__ void sampleKernel(const float* logits, int64_t stride, int count, const SamplingRow* requests, Rows rows,
                             uint64_t* order, int room, int* out) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const SamplingRow request = requests[row];
  const float* own = logits + row * stride;
  double* sums = shared<double>();  // [threads]
  float* values = reinterpret_cast<float*>(sums + SAMPLING_THREADS);
  const int likeliest = largestAt(own, count, values, reinterpret_cast<int*>(values + SAMPLING_THREADS / WARP));
  if (request.topK == 1 || request.temperature == 0) {
    if (threadIdx.x == 0) out[row] = likeliest;
    return;
  }
  uint64_t* keys = order + static_cast<int64_t>(row) * room;
  for (int i = threadIdx.x; i < room; i += blockDim.x) keys[i] = i < count ? sortKey(own[i], i) : ~uint64_t{0};
  __syncthreads();
  sortKeys(keys, room);
  const float most = own[likeliest];
  const auto idAt = [&](int n) { return static_cast<int>(keys[n] & 0xffffffffu); };
  const auto probability = [&](int n) {
    const double p = exp((static_cast<double>(own[idAt(n)]) - most) / request.temperature);
    return p > 0 ? p : 0.0;  // What is no number has no chance.
  };
  const int kept = request.topK > 0 && request.topK < count ? static_cast<int>(request.topK) : count;
  const int stretch = ceilDivide(kept, SAMPLING_THREADS);
  const int begin = threadIdx.x * stretch;
  const int end = begin + stretch < kept ? begin + stretch : kept;
  double sum = 0;
  for (int n = begin; n < end; n++) sum += probability(n);
  sums[threadIdx.x] = sum;
  __syncthreads();
  if (threadIdx.x != 0) return;
  double total = 0;
  for (int t = 0; t < SAMPLING_THREADS; t++) total += sums[t];
  // How many reach topP, at least one, and what they weigh.
  const double wanted = request.topP * total;
  double mass = 0;
  int used = 0;
  for (int t = 0; t < SAMPLING_THREADS && (used == 0 || mass < wanted); t++) {
    const int last = (t + 1) * stretch < kept ? (t + 1) * stretch : kept;
    if (used > 0 && mass + sums[t] < wanted) {
      mass += sums[t];
      used = last;
      continue;
    }
    for (; used < last && (used == 0 || mass < wanted); used++) mass += probability(used);
  }
  double remaining = request.draw * mass;
  int chosen = used > 0 ? idAt(0) : likeliest;
  for (int n = 0; n < used; n++) {
    const double p = probability(n);
    if (p <= 0) break;
    chosen = idAt(n);
    remaining -= p;
    if (remaining < 0) break;
  }
  out[row] = chosen;
}

void sample(const float* logits, int64_t stride, int count, const SamplingRow* requests, Rows rows, uint64_t* order,
            int* out, cudaStream_t stream) {
  const size_t bytes = sizeof(double) * SAMPLING_THREADS + ARGMAX_BYTES;
  launch(sampleKernel, rows.most, SAMPLING_THREADS, bytes, stream, logits, stride, count, requests, rows, order,
         sortRoom(count), out);
}

// 1 / Σ exp(logit − wait's), then the wait token can no longer be chosen. Sum: thread t of 256 takes ids t, t + 256, …
__global__ void takeWaitKernel(float* logits, int count, int wait, Rows rows, float* shares) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  float* own = logits + static_cast<int64_t>(row) * count;
  float sum = 0;
  for (int i = threadIdx.x; i < count; i += blockDim.x) sum += expf(own[i] - own[wait]);
  sum = blockSum(sum, shared<float>());
  if (threadIdx.x == 0) {
    shares[row] = 1.0f / sum;
    own[wait] = -INFINITY;
  }
}

void takeWait(float* logits, int count, int wait, Rows rows, float* shares, cudaStream_t stream) {
  launch(takeWaitKernel, rows.most, SAMPLING_THREADS, sizeof(float) * SAMPLING_THREADS / WARP, stream, logits, count,
         wait, rows, shares);
}

}  // namespace cuda
