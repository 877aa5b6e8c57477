// y[t, o, f] = bias[o] + Σ_i Σ_a Σ_b weight[o, i, a, b] · x[t · timeStride + a − before, i, f + b], zeros before the
// first row; a thread per value, which adds in the order i, a, b.

namespace cuda {

__global__ void conv2dKernel(const float* weights, const float* bias, const float* x, Rows rows, PlaneShape shape,
                             float* out) {
  const auto [inputs, outputs, kernel, bands, timeStride, before, isPositive] = shape;
  const int outBands = bands - kernel + 1;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, row = i / (outputs * outBands);
  if (row >= rows.count()) return;
  const int output = static_cast<int>(i / outBands % outputs), band = static_cast<int>(i % outBands);
  const float* weight = weights + static_cast<int64_t>(output) * inputs * kernel * kernel;
  float sum = 0;
  for (int input = 0; input < inputs; input++) {
    for (int a = 0; a < kernel; a++, weight += kernel) {
      const int64_t from = row * timeStride + a - before;
      if (from < 0) continue;
      const float* values = x + (from * inputs + input) * bands + band;
      for (int b = 0; b < kernel; b++) sum = fmaf(weight[b], values[b], sum);
    }
  }
  sum += bias[output];
  out[i] = isPositive && sum < 0 ? 0.0f : sum;
}

void conv2d(const float* weights, const float* bias, const float* x, Rows rows, PlaneShape shape, float* out,
            cudaStream_t stream) {
  const int width = shape.outputs * (shape.bands - shape.kernel + 1);
  launch(conv2dKernel, blocksFor(rows.most, width), 256, 0, stream, weights, bias, x, rows, shape, out);
}

}  // namespace cuda
