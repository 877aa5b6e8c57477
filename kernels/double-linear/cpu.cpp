// bias + matrix · x, in double; each row adds in the order of its columns, some rows side by side. columns holds
// column after column.
static void doubleLinear(const double* columns, const double* bias, int rows, int width, const double* x, double* out) {
  constexpr int AT_ONCE = 4;
  int row = 0;
  for (; row + WIDE * AT_ONCE <= rows; row += WIDE * AT_ONCE) {
    Wide sums[AT_ONCE];
    __builtin_memcpy(sums, bias + row, sizeof sums);
    for (int c = 0; c < width; c++) {
      Wide some[AT_ONCE];
      __builtin_memcpy(some, columns + (size_t)c * rows + row, sizeof some);
      for (int n = 0; n < AT_ONCE; n++) sums[n] += some[n] * x[c];
    }
    __builtin_memcpy(out + row, sums, sizeof sums);
  }
  for (; row < rows; row++) {
    double sum = bias[row];
    for (int c = 0; c < width; c++) sum += columns[(size_t)c * rows + row] * x[c];
    out[row] = sum;
  }
}
