// Grouped products of the experts (docs/spec/model.md §1.4): slots (row · topK + choice) are grouped by expert on the
// device, in tiles of up to eight, so that an expert's weights are read once for eight rows; identity experts have no
// tiles.
//
// x [rows × hidden], indices and weights [rows × topK], inner [slots × inner], answers [slots × hidden], out [rows ×
// hidden]. The slots of an expert are in the order of the rows; a product has the order of linear/cuda.cu; a row's
// terms are added in the order of its choices, which is ascending in the expert, each product rounded. No atomics: a
// slot is written by one block.

namespace cuda {

constexpr int GROUP_THREADS = 256;

int mostTiles(int slots, int experts) {
  const int spread = ceilDivide(slots, TILE_ROWS) + experts;
  return slots < spread ? slots : spread;
}

// One block: counts per expert, where each begins, then slots and tiles; all in a fixed order.
__global__ void groupKernel(const int* indices, Rows rows, int topK, int experts, Groups groups) {
  int* counts = shared<int>();     // [experts]
  int* begins = counts + experts;  // in `slots`
  int* firsts = begins + experts;  // in `tiles`
  const int slots = rows.count() * topK;
  for (int e = threadIdx.x; e < experts; e += blockDim.x) {
    int count = 0;
    for (int slot = 0; slot < slots; slot++) count += indices[slot] == e;
    counts[e] = count;
  }
  __syncthreads();
  if (threadIdx.x == 0) {
    int begin = 0, first = 0;
    for (int e = 0; e < experts; e++) {
      begins[e] = begin;
      firsts[e] = first;
      begin += counts[e];
      first += ceilDivide(counts[e], TILE_ROWS);
    }
    *groups.tileCount = first;
  }
  __syncthreads();
  for (int e = threadIdx.x; e < experts; e += blockDim.x) {
    int place = begins[e];
    for (int slot = 0; slot < slots && place < begins[e] + counts[e]; slot++) {
      if (indices[slot] == e) groups.slots[place++] = slot;
    }
    for (int done = 0; done < counts[e]; done += TILE_ROWS) {
      int* tile = groups.tiles + 3 * (firsts[e] + done / TILE_ROWS);
      tile[0] = e;
      tile[1] = begins[e] + done;
      tile[2] = counts[e] - done < TILE_ROWS ? counts[e] - done : TILE_ROWS;
    }
  }
}

void groupSlots(const int* indices, Rows rows, int topK, int experts, Groups groups, cudaStream_t stream) {
  launch(groupKernel, rows.most > 0 ? 1 : 0, GROUP_THREADS, 3 * sizeof(int) * experts, stream, indices, rows, topK,
         experts, groups);
}

template <class T>
__global__ void __launch_bounds__(TILE_THREADS)
    expertInnerKernel(Experts experts, const float* x, int topK, Groups groups, float* inner) {
  if (static_cast<int>(blockIdx.y) >= *groups.tileCount) return;
  const int* tile = groups.tiles + 3 * blockIdx.y;
  const int* slots = groups.slots + tile[1];
  const int count = tile[2];
  const Expert& expert = experts.table[tile[0]];
  const auto rowOf = [&](int n) {
    return n < count ? x + static_cast<int64_t>(slots[n] / topK) * experts.hidden : nullptr;
  };
  gatedTile(static_cast<const T*>(expert.gate), static_cast<const T*>(expert.up), experts.inner, experts.hidden,
            blockIdx.x * TILE_OUTPUTS, rowOf, [&](int n, int output, float value) {
              if (n < count) inner[static_cast<int64_t>(slots[n]) * experts.inner + output] = value;
            });
}

template <class T>
__global__ void __launch_bounds__(TILE_THREADS)
    expertDownKernel(Experts experts, Groups groups, const float* inner, float* answers) {
  if (static_cast<int>(blockIdx.y) >= *groups.tileCount) return;
  const int* tile = groups.tiles + 3 * blockIdx.y;
  const int* slots = groups.slots + tile[1];
  const int count = tile[2];
  const int firstOutput = blockIdx.x * TILE_OUTPUTS;
  const auto rowOf = [&](int n) {
    return n < count ? inner + static_cast<int64_t>(slots[n]) * experts.inner : nullptr;
  };
  float sums[1][4] = {};
  multiplyTiles<1>(static_cast<const T*>(experts.table[tile[0]].down), experts.hidden, experts.inner, firstOutput,
                   rowOf, sums);
  float* scratch = shared<float>();
  addWarps<1>(sums, scratch);
  forEachSum<1>(scratch, firstOutput, [&](int n, int output, float sum) {
    if (n < count && output < experts.hidden) answers[static_cast<int64_t>(slots[n]) * experts.hidden + output] = sum;
  });
}

__global__ void expertSumKernel(Experts experts, const float* x, Rows rows, int topK, const int* indices,
                                const float* weights, const float* answers, const float* addend, float* out) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  for (int i = threadIdx.x; i < experts.hidden; i += blockDim.x) {
    const int64_t at = static_cast<int64_t>(row) * experts.hidden + i;
    float sum = 0;
    for (int k = 0; k < topK; k++) {
      const int64_t slot = static_cast<int64_t>(row) * topK + k;
      const float answer = indices[slot] < experts.count ? answers[slot * experts.hidden + i] : x[at];
      sum = __fadd_rn(sum, __fmul_rn(weights[slot], answer));
    }
    out[at] = addend ? __fadd_rn(addend[at], sum) : sum;
  }
}

void experts(const Experts& experts, const float* x, Rows rows, int topK, const int* indices, const float* weights,
             Groups groups, float* inner, float* answers, const float* addend, float* out, cudaStream_t stream) {
  if (rows.most == 0) return;
  const unsigned tiles = mostTiles(rows.most * topK, experts.count);
  const auto first = experts.isGateBfloat16 ? expertInnerKernel<Bfloat16> : expertInnerKernel<float>;
  launch(first, dim3(ceilDivide(experts.inner, TILE_OUTPUTS), tiles), TILE_THREADS, 2 * scratchBytes(1), stream,
         experts, x, topK, groups, inner);
  const auto second = experts.isDownBfloat16 ? expertDownKernel<Bfloat16> : expertDownKernel<float>;
  launch(second, dim3(ceilDivide(experts.hidden, TILE_OUTPUTS), tiles), TILE_THREADS, scratchBytes(1), stream, experts,
         groups, inner, answers);
  launch(expertSumKernel, rows.most, 128, 0, stream, experts, x, rows, topK, indices, weights, answers, addend, out);
}

}  // namespace cuda
