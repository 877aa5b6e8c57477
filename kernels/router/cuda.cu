// The router's choice from its logits (docs/spec/model.md §1.4); the logits come from linear/cuda.cu. A warp per row.
//
// logits [rows × experts], bias [experts]; indices and weights [rows × topK], experts in ascending order.
// Order of the softmax's sum: lane l adds experts l, l + 32, … in ascending order, then a butterfly. Choice: topK times
// the largest of probability + bias; of equal ones the lower index.

namespace cuda {

constexpr int ROUTER_MOST_CHOICES = 32;

__global__ void routeKernel(const float* logits, const float* bias, Rows rows, int experts, int topK, float factor,
                            int* indices, float* weights) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int lane = threadIdx.x;
  const float* own = logits + static_cast<int64_t>(row) * experts;
  float* probabilities = shared<float>();
  float* choice = probabilities + experts;
  float most = -INFINITY;
  for (int e = lane; e < experts; e += WARP) most = larger(most, own[e]);
  most = warpMax(most);
  float sum = 0;
  for (int e = lane; e < experts; e += WARP) {
    probabilities[e] = expf(own[e] - most);
    sum += probabilities[e];
  }
  sum = warpSum(sum);
  for (int e = lane; e < experts; e += WARP) {
    probabilities[e] = __fdiv_rn(probabilities[e], sum);
    choice[e] = __fadd_rn(probabilities[e], bias[e]);
  }
  int chosen = experts;  // of this lane, when it is below topK
  for (int k = 0; k < topK; k++) {
    // Lanes look at their own experts; taken ones are marked by NaN, which is never larger.
    float best = 0;
    int at = experts;
    for (int e = lane; e < experts; e += WARP) {
      if (choice[e] == choice[e] && (at == experts || choice[e] > best)) {
        best = choice[e];
        at = e;
      }
    }
    for (int turn = WARP / 2; turn > 0; turn /= 2) {
      const float other = __shfl_xor_sync(ALL_LANES, best, turn);
      const int otherAt = __shfl_xor_sync(ALL_LANES, at, turn);
      const bool isBetter = otherAt < experts && (at == experts || other > best || (other == best && otherAt < at));
      if (isBetter) {
        best = other;
        at = otherAt;
      }
    }
    if (at == experts) at = k;  // Logits that are no numbers: any experts, but some that exist.
    if (lane == k) chosen = at;
    if (lane == at % WARP) choice[at] = __uint_as_float(0x7fc00000u);
  }
  // The place of a choice is how many of the others are lower.
  int place = 0;
  for (int k = 0; k < topK; k++) {
    const int other = __shfl_sync(ALL_LANES, chosen, k);
    if (other < chosen || (other == chosen && k < lane)) place++;
  }
  __syncwarp();
  if (lane < topK) {
    indices[static_cast<int64_t>(row) * topK + place] = chosen;
    weights[static_cast<int64_t>(row) * topK + place] = __fmul_rn(factor, probabilities[chosen]);
  }
}

void route(const float* logits, const float* bias, Rows rows, int experts, int topK, float factor, int* indices,
           float* weights, cudaStream_t stream) {
  launch(routeKernel, rows.most, WARP, 2 * sizeof(float) * experts, stream, logits, bias, rows, experts, topK, factor,
         indices, weights);
}

}  // namespace cuda
