// Exponential repetition penalty in place (docs/spec/model.md §1.8): a warp per row, a lane per entry of its history,
// of which the first with an id does the work. The power is taken in double and the result rounded once. logits: row r
// at r · stride, `count` of them; histories [rows × window], counts [rows], factors [rows].

namespace cuda {

__global__ void penaliseKernel(float* logits, int64_t stride, int count, const int* histories, const int* counts,
                               int window, const double* factors, Rows rows) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const double factor = factors[row];
  const int entries = counts[row];
  const int* history = histories + static_cast<int64_t>(row) * window;
  if (factor == 1 || static_cast<int>(threadIdx.x) >= entries) return;
  const int id = history[threadIdx.x];
  if (id < 0 || id >= count) return;
  double power = 1;
  for (int i = 0; i < entries; i++) {
    if (history[i] != id) continue;
    if (i < static_cast<int>(threadIdx.x)) return;
    power *= factor;
  }
  float* logit = logits + row * stride + id;
  *logit = static_cast<float>(*logit < 0 ? *logit * power : *logit / power);
}

void penalise(float* logits, int64_t stride, int count, const int* histories, const int* counts, int window,
              const double* factors, Rows rows, cudaStream_t stream) {
  launch(penaliseKernel, rows.most, WARP, 0, stream, logits, stride, count, histories, counts, window, factors, rows);
}

}  // namespace cuda
