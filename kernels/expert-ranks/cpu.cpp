// The part of the exchange that is arithmetic; who computes and when is in native/expert-exchange.cpp. The same
// products in the same order as experts/cpu.cpp, so that both give the same bits.
static void expertRows(const Expert& expert, const float* x, int rows, float* out) {
  const size_t count = (size_t)rows * expert.gate.outputs;
  float* gate = scratch(2, count);
  float* up = scratch(3, count);
  multiplyAll(expert.gate, x, rows, gate);
  multiplyAll(expert.up, x, rows, up);
  swiglu(gate, up, count, gate);
  multiplyAll(expert.down, gate, rows, out);
}
