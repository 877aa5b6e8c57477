// What joins the four code heads (docs/spec/model.md §1.8): the embedding of a code that was just chosen is added to
// the state that the next head reads. The heads are linear/cuda.cu, penalty/cuda.cu and sampling/cuda.cu. z [rows ×
// width]; the id of row r at ids[r · idStride].

namespace cuda {

__global__ void addTableRowsKernel(float* z, const void* table, bool isBfloat16, int width, const int* ids,
                                   int idStride, Rows rows) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int64_t from = static_cast<int64_t>(ids[row * idStride]) * width;
  for (int i = threadIdx.x; i < width; i += blockDim.x)
    z[static_cast<int64_t>(row) * width + i] += tableValue(table, isBfloat16, from + i);
}

void addTableRows(float* z, const Matrix& table, const int* ids, int idStride, Rows rows, cudaStream_t stream) {
  launch(addTableRowsKernel, rows.most, 128, 0, stream, z, table.values, table.isBfloat16, table.inputs, ids, idStride,
         rows);
}

}  // namespace cuda
