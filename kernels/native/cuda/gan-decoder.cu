// The two steps of the streaming decoder that are no operation of their own.

namespace cuda {

// Of a frame's codes [1 + stages] the row [semantic embedding | Σ stages (a | b)], stages in their order. A code of a
// stage is size · a + b; the table of a stage's half is [size × latentWidth / 2]. A block per frame.
__global__ void codeFramesKernel(CodeTables tables, const int* codes, Rows rows, float* out) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int* own = codes + row * (1 + tables.stages);
  const int half = tables.latentWidth / 2, width = tables.semanticWidth + tables.latentWidth;
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    float value = 0;
    if (i < tables.semanticWidth) {
      value = tables.semantic[static_cast<int64_t>(own[0]) * tables.semanticWidth + i];
    } else {
      const int at = i - tables.semanticWidth, side = at / half;
      for (int stage = 0; stage < tables.stages; stage++) {
        const int code = own[1 + stage], entry = side == 0 ? code / tables.size : code % tables.size;
        value += tables.halves[2 * stage + side][static_cast<int64_t>(entry) * half + at % half];
      }
    }
    out[static_cast<int64_t>(row) * width + i] = value;
  }
}

void codeFrames(const CodeTables& tables, const int* codes, Rows rows, float* out, cudaStream_t stream) {
  launch(codeFramesKernel, rows.most, 128, 0, stream, tables, codes, rows, out);
}

__global__ void tanhKernel(float* x, Rows rows) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < rows.count()) x[i] = tanhf(x[i]);
}

void tanhOf(float* x, Rows rows, cudaStream_t stream) {
  launch(tanhKernel, blocksFor(rows.most, 1), 256, 0, stream, x, rows);
}

}  // namespace cuda
