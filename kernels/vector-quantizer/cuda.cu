// The nearest codebook row of every row of x, which is scaled to unit length: the smallest ‖C‖² − 2·x̂·C, in double
// and in the reference's order, so that the choices are the same; ties go to the smaller index. A block per row, thread
// t has entries t, t + 128, … The codebook is [width × entries].

namespace cuda {

constexpr int NEAREST_THREADS = 128;
constexpr double SHORTEST_ROW = 1e-12;

__global__ void nearestKernel(const double* columns, const double* squares, int entries, int width, const float* x,
                              Rows rows, int* out) {
  if (static_cast<int>(blockIdx.x) >= rows.count()) return;
  const float* row = x + static_cast<int64_t>(blockIdx.x) * width;
  double* distances = shared<double>();
  int* indices = reinterpret_cast<int*>(distances + NEAREST_THREADS);
  double sum = 0;
  for (int i = 0; i < width; i++) sum = __dadd_rn(sum, __dmul_rn(row[i], row[i]));
  const double root = __dsqrt_rn(sum), length = root > SHORTEST_ROW ? root : SHORTEST_ROW;
  double smallest = INFINITY;
  int index = 0;
  for (int entry = threadIdx.x; entry < entries; entry += NEAREST_THREADS) {
    double dot = 0;
    for (int i = 0; i < width; i++)
      dot = __dadd_rn(dot, __dmul_rn(__ddiv_rn(row[i], length), columns[static_cast<int64_t>(i) * entries + entry]));
    const double distance = __dadd_rn(squares[entry], -__dmul_rn(2.0, dot));
    if (distance < smallest) {
      smallest = distance;
      index = entry;
    }
  }
  distances[threadIdx.x] = smallest;
  indices[threadIdx.x] = index;
  __syncthreads();
  if (threadIdx.x > 0) return;
  for (int t = 1; t < NEAREST_THREADS; t++) {
    const bool isNearer = distances[t] < smallest || (distances[t] == smallest && indices[t] < index);
    if (!isNearer) continue;
    smallest = distances[t];
    index = indices[t];
  }
  out[blockIdx.x] = index;
}

void nearest(const NearestBook& book, const float* x, Rows rows, int* out, cudaStream_t stream) {
  const size_t bytes = NEAREST_THREADS * (sizeof(double) + sizeof(int));
  launch(nearestKernel, rows.most, NEAREST_THREADS, bytes, stream, book.columns, book.squares, book.entries, book.width,
         x, rows, out);
}

}  // namespace cuda
